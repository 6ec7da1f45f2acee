"""One pace for an account, whoever sends."""

import re
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from lists import jobs
from lists.models import Pace, SyncRun
from lists.sync import accounts, pacing
from lists.sync.pacing import MustWait, Pacer, Spent
from tests.factories import make_list
from tests.sync.pushes import push, queued

pytestmark = pytest.mark.django_db


def pacer(**limits: int) -> Pacer:
    return Pacer("account", "LeadLex", **limits)


def test_switched_off_it_never_waits():
    assert [pacer().take() for _ in range(100)] == [0.0] * 100


def test_requests_leave_an_interval_apart():
    waits = [pacer(per_minute=60).take() for _ in range(3)]
    assert waits == pytest.approx([0, 1, 2], abs=0.4)


def test_a_wait_longer_than_our_patience_is_a_due_time_and_takes_no_slot():
    slow = pacer(per_minute=1)
    slow.take()
    before = Pace.objects.get().next_at
    with pytest.raises(MustWait) as wait:
        slow.take()
    assert wait.value.seconds == pytest.approx(60, abs=1)
    assert Pace.objects.get().next_at == before


def test_the_day_has_a_quota_that_resets_at_midnight():
    limited = pacer(per_day=2)
    limited.take(2)
    with pytest.raises(MustWait, match="LeadLex's daily quota") as wait:
        limited.take()
    assert 0 < wait.value.seconds <= 86_400
    Pace.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert limited.take() == 0


def test_the_hour_has_a_quota_which_all_workers_share():
    one, other = pacer(per_hour=3), pacer(per_hour=3)
    one.take()
    other.take()
    one.take()
    with pytest.raises(MustWait, match=r"LeadLex's hourly quota, until \d\d:\d\d UTC") as wait:
        other.take()
    assert 3540 < wait.value.seconds <= 3660
    assert pacer(per_minute=600).take() == 0  # a connection of this account that keeps no hourly quota


def test_an_hour_is_any_hour_and_frees_as_it_passes():
    now = int(time.time() // 60)
    Pace.objects.create(account_key="account", last_hour=[[now - 59, 1], [now - 2, 1]])
    with pytest.raises(MustWait) as wait:
        pacer(per_hour=2).take()
    assert 0 < wait.value.seconds <= 180
    Pace.objects.update(last_hour=[[now - 61, 1], [now - 2, 1]])
    assert pacer(per_hour=2).take() == 0
    assert [requests for _, requests in Pace.objects.get().last_hour] == [1, 1]


@given(st.lists(st.integers(0, 2_000), min_size=1, max_size=60), st.integers(1, 9))
def test_no_hour_ever_has_more_than_its_quota(gaps, quota):
    limited = pacer(per_hour=quota)
    spent = Spent(limited, Pace(), datetime(2026, 3, 1, 9, 30, tzinfo=UTC))
    left: list[datetime] = []
    for gap in gaps:
        spent.move_to(spent.now + timedelta(seconds=gap))
        while not spent.room:
            assert spent.used_up()[1] > spent.now
            spent.move_to(spent.used_up()[1])
        spent.count(1, spent.now)
        left.append(spent.now)
    for begin in left:
        assert sum(begin <= each < begin + timedelta(hours=1) for each in left) <= quota


def test_a_clock_that_was_set_back_leaves_no_hour_used_up_for_days():
    Pace.objects.create(account_key="account", last_hour=[[int(time.time() // 60) + 3_000, 5]])
    assert pacer(per_hour=2).take() == 0


def test_where_a_quota_may_end_slots_are_taken_one_by_one():
    assert (pacer(per_hour=5).group, pacer(per_day=5).group, pacer().group) == (1, 1, 1_000)


@pytest.mark.parametrize(
    ("limits", "requests", "takes"),
    [
        ({}, 10, None),
        ({"per_minute": 50}, 440, timedelta(minutes=8, seconds=48)),
        ({"per_minute": 50, "per_hour": 1800}, 1800, timedelta(minutes=36)),
        # the requests of the first minute are an hour old when the whole minute is
        ({"per_minute": 50, "per_hour": 1800}, 1850, timedelta(minutes=63)),
        ({"per_minute": 10, "per_day": 100}, 100, timedelta(minutes=10)),
        ({"per_minute": 10, "per_day": 100}, 120, timedelta(hours=9, minutes=2)),
        ({"per_minute": 10, "per_day": 100}, 320, timedelta(days=2, hours=9, minutes=2)),
        ({"per_day": 100}, 101, timedelta(hours=9)),
    ],
)
@time_machine.travel("2026-03-01 15:00:00Z", tick=False)
def test_how_long_requests_take_is_told_by_minute_hour_and_day(limits, requests, takes):
    assert pacer(**limits).takes(requests) == takes


@time_machine.travel("2026-03-01 15:00:00Z", tick=False)
def test_what_was_used_before_is_reckoned_with():
    Pace.objects.create(account_key="account", day=timezone.now().date(), used_today=95)
    limited = pacer(per_minute=10, per_day=100)
    assert (limited.takes(5), limited.takes(6)) == (timedelta(seconds=30), timedelta(hours=9, seconds=6))
    assert limited.spent().left_today == 5


def test_what_the_vendor_asked_for_holds_for_everybody_even_with_the_pace_off():
    pacer(per_minute=60).hold_back(30)
    with pytest.raises(MustWait, match="asked us to wait") as wait:
        pacer().take()
    assert wait.value.seconds == pytest.approx(30, abs=1)


def test_a_shorter_wait_never_cuts_a_longer_one():
    pacer().hold_back(60)
    pacer().hold_back(1)
    assert Pace.objects.filter(blocked_until__gt=Now() + timedelta(seconds=50)).exists()


def test_a_clock_that_was_set_back_keeps_nobody_waiting():
    shared = pacer(per_minute=60)
    shared.take()
    Pace.objects.update(next_at=Now() + timedelta(hours=1))
    assert shared.take() == 0
    assert shared.take() == pytest.approx(1, abs=0.1)


def test_a_good_answer_ends_the_growing_of_waits(connect, rehearsal):
    rehearsal.exotel.faults.times(3, "add_to_list", status=503, retry_after="soon")
    push(make_list(contacts=4), connect("exotel"))
    assert Pace.objects.get().failures == 0


def test_runs_that_each_meet_one_refusal_each_wait_as_short(connect, rehearsal, monkeypatch):
    failures: list[int] = []
    monkeypatch.setattr(pacing, "back_off", lambda count: failures.append(count) or 0.02)
    connection = connect("exotel")
    for _ in range(3):
        rehearsal.exotel.faults.next("add_to_list", status=429, retry_after="soon")
        assert push(make_list(contacts=2), connection).state == "completed"
    assert failures == [0, 0, 0]


def test_a_good_answer_to_a_read_counts_as_well(connect, rehearsal):
    connection = connect("exotel")
    Pace.objects.create(
        account_key=accounts.connected(connection).account_key, failures=4, blocked_until=timezone.now()
    )
    accounts.check(connection)
    assert (Pace.objects.get().failures, Pace.objects.get().blocked_until) == (0, None)


def test_an_answer_that_left_before_the_vendor_said_wait_says_nothing():
    shared = pacer()
    shared.hold_back(60)
    shared.went_well()
    assert Pace.objects.get().failures == 1


@pytest.mark.parametrize("per_minute", [0, 6000])
def test_a_run_without_trouble_spends_no_statement_on_it(connect, per_minute):
    connection, contact_list = connect("exotel", per_minute=per_minute), make_list(contacts=4)
    with CaptureQueriesContext(database) as queries:
        assert push(contact_list, connection).state == "completed"
    assert not [query["sql"] for query in queries if '"failures" = ' in query["sql"]]


# A run and its quota ------------------------------------------------------------------------------------------------


def an_hour_later(run: SyncRun) -> SyncRun:
    for row in Pace.objects.all():
        row.last_hour = [[minute - 61, requests] for minute, requests in row.last_hour]
        row.save(update_fields=["last_hour"])
    SyncRun.objects.filter(pk=run.pk).update(due_at=Now())
    return turn(run)


def turn(run: SyncRun) -> SyncRun:
    jobs.work("run", run.pk)
    run.refresh_from_db()
    return run


def test_a_run_waits_for_the_hour_and_says_until_when(connect, rehearsal):
    run = turn(queued(make_list(contacts=30), connect("kore", per_hour=6, batch_size=10)))
    assert (run.state, run.request_count) == ("waiting", 6)
    assert re.fullmatch(r"Kore.ai's hourly quota, until \d\d:\d\d UTC", run.waiting_for)
    assert timedelta(minutes=58) < run.due_at - timezone.now() < timedelta(minutes=62)
    assert an_hour_later(run).state == "completed"


def test_a_list_longer_than_the_hour_is_read_back_piece_by_piece(connect, rehearsal):
    contact_list = make_list(contacts=330)
    run = turn(queued(contact_list, connect("kore", per_hour=8)))
    assert (run.state, run.waiting_for[:22]) == ("waiting", "Kore.ai's hourly quota")
    assert 0 < run.confirmed < 330
    assert an_hour_later(run).state == "completed"
    assert run.confirmed == 330
    assert len(rehearsal.book.requests("kore", "read_members")) == 7  # each page once


@pytest.mark.django_db(transaction=True)
def test_several_workers_together_keep_the_pace():
    until, taken = time.monotonic() + 2, []

    def work() -> None:
        shared = pacer(per_minute=1200)
        try:
            while time.monotonic() < until:
                shared.wait()
                taken.append(time.monotonic())
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    first = min(taken)
    in_a_second = [sum(start <= at < start + 1 for at in taken) for start in (first, first + 0.5, first + 1)]
    assert max(in_a_second) <= 22
    assert min(in_a_second) >= 15
