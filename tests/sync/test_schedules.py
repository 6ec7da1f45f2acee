"""Seeded schedules of faults, kills and people's acts: whatever comes together, the promises hold.

A few seeds run with every test run; `SCHEDULES=500 pytest tests/sync/test_schedules.py` runs as many as asked for.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database

from lists import jobs
from lists.models import Connection, ContactList, Suppression, SyncAttempt, SyncRun
from lists.rehearsal import Rehearsal
from lists.sync import planning, settling
from tests.factories import make_list
from tests.sync.pushes import assert_ledger_is_true, queued, work_on

pytestmark = pytest.mark.django_db
SEEDS = range(int(os.environ.get("SCHEDULES", "24")))
ROUNDS = 24  # kills and resumptions after which a run has ended
IN_THE_LIST = ("added", "already_present", "confirmed")
NOT_IN_THE_LIST = ("rejected", "not_sent", "planned")

WRITES = ["create_list", "create_contacts", "add_to_list", "add_to_list", "add_to_list"]
READS = ["read_lists", "read_list*", "read_*"]
LOST = [
    ("reset", {"applied": True}),
    ("reset", {"applied": False}),
    ("reset_early", {}),
    ("reset_midway", {}),
    ("truncated", {}),
    ("timeout", {"applied": True, "seconds": 1}),
    ("timeout", {"applied": False, "seconds": 1}),
    ("status", {"status": 500, "applied": True}),
    ("status", {"status": 502, "applied": False}),
    ("html", {}),
    ("half_json", {}),
    ("empty", {}),
    ("array", {}),
    ("error_object", {}),
    ("error_object", {"applied": True}),
    ("bom", {}),
    ("wrong_charset", {}),
    ("lying_gzip", {}),
    ("gzip", {}),
]
REFUSED = [
    ("status", {"status": 429}),
    ("status", {"status": 429, "retry_after": 0}),
    ("status", {"status": 429, "retry_after": -1}),
    ("status", {"status": 429, "retry_after": "soon"}),
    ("status", {"status": 503, "retry_after": 0}),
    ("status", {"status": 400}),
    ("status", {"status": 401}),
    ("status", {"status": 402}),
    ("status", {"status": 403}),
    ("status", {"status": 404}),
    ("status", {"status": 409}),
    ("status", {"status": 413}),
    ("redirect", {}),
]
OF_THE_ANSWER = {
    "kore": [],
    "leadlex": [
        ("change", {"values": {"data": {"added": 0}}}),
        ("change", {"values": {"data": {"added": 10**6, "contact_count": 10**12}}}),
        ("as_usual", {"merged_every": 3}),
        ("as_usual", {"merged_every": 4, "name_invalid_ids": False}),
    ],
    "exotel": [
        ("as_usual", {"item_codes": [200, 429, 200]}),
        ("as_usual", {"item_codes": [200, 503]}),
        ("as_usual", {"item_codes": [404, 200, 400]}),
        ("as_usual", {"items_missing": 1, "reorder_items": True}),
        ("as_usual", {"items_doubled": 1, "items_extra": 1, "wrong_metadata": True}),
        ("as_usual", {"bare_items": True, "sid_key": True, "items_missing": 2}),
    ],
}


class Killed(BaseException):
    """No `except` of ours sees it, as none sees a kill."""


class Saboteur:
    """Around every statement that writes: kills before or after the n-th, lets somebody act ahead of it."""

    def __init__(self, kills: set[int], acts: dict[int, Callable[[], None]]) -> None:
        self.kills, self.acts, self.written, self.is_acting = kills, acts, 0, False

    def __call__(self, execute: Callable, sql: str, params: Any, many: bool, context: dict) -> Any:
        if self.is_acting or not sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE")):
            return execute(sql, params, many, context)
        self.written += 1
        if self.written in self.acts and "lists_syncrun" in sql:  # the first of a transaction
            self.is_acting = True
            self.acts.pop(self.written)()
            self.is_acting = False
        if self.written in self.kills and self.written % 2:
            raise Killed
        done = execute(sql, params, many, context)
        if self.written in self.kills:
            raise Killed
        return done


@pytest.fixture(autouse=True)
def hurry(settings, monkeypatch) -> None:
    settings.VENDOR_READ_SECONDS = 0.25
    settings.SETTLE_GAPS = [0.02, 0.05]
    settings.SETTLE_MISSING_SECONDS = 0.1
    settings.SETTLE_CEILING_SECONDS = 0.2
    monkeypatch.setattr("lists.vendors.kore.THROTTLE_WAIT", 0.05)
    monkeypatch.setattr("lists.vendors.leadlex.MINUTE", 0.05)


def draw_faults(rng: random.Random, vendor: str, rehearsal: Rehearsal) -> None:
    playing = rehearsal.vendors[vendor]
    for _ in range(rng.randint(1, 6)):
        if rng.random() < 0.25:
            operation, (kind, options) = rng.choice(READS), rng.choice(LOST + REFUSED)
        else:
            operation = rng.choice(WRITES)
            of_the_answer = OF_THE_ANSWER[vendor] if operation == "add_to_list" else []
            kind, options = rng.choice(LOST + REFUSED + 2 * of_the_answer)
        if operation == "create_contacts" and vendor == "kore":
            continue
        playing.faults.add(operation, kind, times=rng.choice([1, 1, 1, 2, 3]), after=rng.randint(0, 3), **options)


def draw_acts(rng: random.Random, run: SyncRun, contact_list: ContactList) -> dict[int, Callable[[], None]]:
    def suppress() -> None:
        Suppression.objects.get_or_create(phone=rng.choice(phones), defaults={"reason": "asked"})

    def delete() -> None:
        contact_list.contacts.filter(phone=rng.choice(phones)).delete()

    def stop() -> None:
        if SyncRun.objects.get(pk=run.pk).can_stop:
            planning.stop(SyncRun.objects.get(pk=run.pk), None)

    phones = sorted(contact_list.contacts.values_list("phone", flat=True))
    # Several in a row, for only some statements are the first of a transaction.
    begin, act = rng.randint(1, 60), rng.choice([suppress, suppress, delete, delete, stop])
    return dict.fromkeys(range(begin, begin + 6), act) if rng.random() < 0.5 else {}


def go_on(run: SyncRun, asked: list[int]) -> bool:
    """As the people of the house would: resume what failed, have looked for what is open. False when they rest.

    asked  how many contacts were open each time somebody asked
    """
    if run.can_resume:
        planning.resume(run, None)
    elif run.state == "stalled":
        planning.stop(run, None)
    elif run.can_settle and asked[-2:] != [run.open] * 2:
        asked.append(run.open)
        settling.settle(run)
    else:
        return False
    return True


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_comes_together_nothing_is_lost_doubled_or_made_up(seed, connect, rehearsal):
    rng = random.Random(seed)
    vendor = ["kore", "leadlex", "exotel"][seed % 3]
    contact_list = make_list(contacts=rng.choice([1, 2, 7, 20, 21, 33]))
    connection = connect(vendor, batch_size=rng.choice([1, 5, 10, 20]), in_flight=rng.choice([1, 1, 2, 4]))
    everybody = {contact.pk: contact.phone for contact in contact_list.contacts.all()}
    run = queued(contact_list, connection)
    draw_faults(rng, vendor, rehearsal)
    kills = {rng.randint(1, 70) for _ in range(rng.randint(0, 4))}
    saboteur = Saboteur(kills, draw_acts(rng, run, contact_list))
    asked: list[int] = []
    for number in range(ROUNDS):
        if number == ROUNDS // 3:
            rehearsal.reset()  # the faults stop
            rehearsal.vendors[vendor].set(per_minute=0)
        try:
            with database.execute_wrapper(saboteur):
                work_on(run)
        except Killed:
            run.refresh_from_db()
            assert_ledger_is_true(run)
            continue
        jobs.stopping.wait(0.1)
        if not go_on(run, asked):
            break
    assert run.is_over, (run.state, run.waiting_for, run.failure)
    assert_it_is_true(run, everybody, rehearsal)
    assert_nothing_secret_is_kept(connection, everybody)


def assert_it_is_true(run: SyncRun, everybody: dict[int, str], rehearsal: Rehearsal) -> None:
    """The run's outcomes, beside what the vendor truly holds."""
    vendor = run.vendor
    lists = rehearsal.vendors[vendor].all_lists
    assert len(lists) <= 1
    held = [member.phone for each in lists for member in each.members]
    assert len(held) == len(set(held))
    told = {everybody[item.contact_id]: item for item in run.items.all()}
    assert set(told) == set(everybody.values())
    for phone, item in told.items():
        if item.outcome in IN_THE_LIST:
            assert phone in held, f"{phone} is told as {item.outcome} and is not there"
        if item.outcome in NOT_IN_THE_LIST:
            assert phone not in held, f"{phone} is told as {item.outcome} ({item.code}) and is there"
    if lists and vendor != "leadlex":  # there the repeat of an add is harmless
        assert rehearsal.book.sent_twice(vendor, lists[0].id) == {}
    assert rehearsal.book.sent_twice(vendor) == {}


def assert_nothing_secret_is_kept(connection: Connection, everybody: dict[int, str]) -> None:
    kept = "\n".join(
        f"{each.path} {each.request_excerpt} {each.answer_excerpt} {each.words}" for each in SyncAttempt.objects.all()
    )
    assert not [secret for secret in connection.secrets().values() if secret in kept]
    assert not [phone for phone in everybody.values() if phone.lstrip("+") in kept]
