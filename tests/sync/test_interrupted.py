"""Runs that are broken off at a bad moment: what is told afterwards is true, and nothing goes out twice unknowingly."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.utils import timezone

from lists import jobs
from lists.models import Connection, LeaseLost, RemoteContact, Suppression, SyncRun
from lists.services import connections
from lists.sync import engine, history, planning, sending, settling
from lists.sync.turn import Turn
from tests.factories import make_contact, make_list, make_user
from tests.sync.pushes import assert_ledger_is_true, outcomes, push, queued, remote_id, work, work_on

pytestmark = pytest.mark.django_db
VENDORS = ["kore", "leadlex", "exotel"]
FIRST = {"kore": "add_to_list", "leadlex": "create_contacts", "exotel": "create_contacts"}


class Killed(BaseException):
    """No `except` of ours sees it, as none sees a kill."""


def die(*args: object, **kwargs: object) -> None:
    raise Killed


@pytest.fixture(params=VENDORS)
def vendor(request) -> str:
    return request.param


@pytest.fixture(autouse=True)
def soon_settled(settings) -> None:
    settings.SETTLE_GAPS = [0.02, 0.05]
    settings.SETTLE_MISSING_SECONDS = 0.1
    settings.SETTLE_CEILING_SECONDS = 0.25


@pytest.fixture
def kill_in(monkeypatch) -> Callable[..., None]:
    """`kill_in(run, module, "name")`: work on the run until that is called, and die there."""

    def kill(run: SyncRun, owner: Any, name: str) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, die)
            with pytest.raises(Killed):
                jobs.work("run", run.pk)

    return kill


# The list


@pytest.mark.parametrize(
    ("vendor", "kind"), [("kore", "html"), ("leadlex", "empty"), ("exotel", "half_json")], indirect=["vendor"]
)
def test_a_list_whose_making_was_answered_with_nonsense_is_adopted(vendor, kind, connect, rehearsal):
    contact_list = make_list(contacts=2)
    rehearsal.vendors[vendor].faults.next("create_list", kind)
    run = push(contact_list, connect(vendor))
    assert run.state == "completed", run.failure
    assert len(rehearsal.vendors[vendor].all_lists) == 1
    assert run.attempts.get(operation="create_list").problem == "UnreadableReply"


def test_a_list_that_was_made_and_not_kept_is_adopted(vendor, connect, rehearsal, kill_in):
    run = queued(make_list(contacts=2), connect(vendor))
    kill_in(run, engine, "_keep_list")
    work_on(run)
    assert run.state == "completed", run.failure
    assert len(rehearsal.vendors[vendor].all_lists) == 1


def test_a_taken_name_is_not_taken_for_our_own_list(connect, rehearsal, kill_in, monkeypatch):
    rehearsal.exotel.faults.next("read_lists", status=200, body={"response": []})
    contact_list, connection = make_list("Renewals", contacts=2), connect("exotel")
    push(make_list("Renewals of last year", contacts=2), connection)
    rehearsal.exotel.find_list("Renewals of last year").name = "Renewals"
    run = push(contact_list, connection)
    assert (run.state, outcomes(run)) == ("failed", {"planned": 2})
    assert "not made from here" in run.failure


def test_a_list_that_cannot_be_made_ends_the_run(connect, rehearsal):
    rehearsal.kore.faults.always("create_list", status=500)
    run = push(make_list(contacts=2), connect("kore"))
    assert run.state == "failed"
    assert len(rehearsal.book.requests("kore", "create_list")) == engine.MAX_FAILURES


@pytest.mark.parametrize("vendor", ["leadlex"], indirect=True)
def test_a_list_that_was_gone_for_a_moment_is_still_ours(vendor, connect, rehearsal):
    contact_list, connection = make_list(contacts=4), connect(vendor, batch_size=2)
    rehearsal.vendors[vendor].faults.next("add_to_list", status=404, after=1)
    run = push(contact_list, connection)
    assert run.state == "failed"
    planning.resume(run, None)
    assert work(run).state == "completed"
    make_contact(contact_list=contact_list)
    again = push(contact_list, connection)
    assert (again.state, again.total) == ("completed", 1), again.failure


def test_a_list_renamed_at_kore_is_followed_not_another_one_of_its_old_name(connect, rehearsal):
    contact_list, connection = make_list("Renewals", contacts=4), connect("kore")
    push(contact_list, connection)
    ours = rehearsal.kore.find_list("Renewals")
    ours.name = "Renewals of July"
    (account,) = rehearsal.kore.accounts.values()
    foreign = rehearsal.kore.make_list(account, "Renewals", "somebody else's", allow_duplicates=False)
    make_contact(contact_list=contact_list)
    assert push(contact_list, connection).state == "completed"
    assert (len(ours.members), len(foreign.members)) == (5, 0)


# A worker that is gone, and a run that cannot go on


def test_a_run_that_fails_after_its_worker_died_leaves_nothing_sending(vendor, connect, rehearsal, kill_in):
    contact_list, connection = make_list(contacts=4), connect(vendor)
    run = queued(contact_list, connection)
    kill_in(run, sending.Sender, "_read")
    Connection.objects.update(credentials="stored with another key")
    work_on(run)
    assert (run.state, outcomes(run)) == ("failed", {"unknown": 4})
    assert run.failure.startswith("Part-way")
    assert run.attempts.get(operation=run.batches.first().operation).problem == "WorkerGone"
    Connection.objects.update(credentials=connection.credentials)
    with pytest.raises(planning.PlanRefused, match="or may hold them"):
        planning.plan(contact_list, Connection.objects.get())
    assert len(rehearsal.book.requests(vendor, FIRST[vendor])) == 1


@pytest.mark.parametrize("vendor", ["leadlex", "exotel"], indirect=True)
def test_a_run_stopped_after_its_worker_died_in_creating_creates_nobody_again(vendor, connect, rehearsal, kill_in):
    contact_list, connection = make_list(contacts=4), connect(vendor)
    run = queued(contact_list, connection)
    kill_in(run, sending.Sender, "_read")
    planning.stop(SyncRun.objects.get(), None)
    work_on(run)
    assert (run.state, outcomes(run)) == ("stopped", {"unknown": 4})
    with pytest.raises(planning.PlanRefused, match="or may hold them"):
        planning.plan(contact_list, connection)
    settling.settle(run)
    assert outcomes(work(run)) == {"added": 4}
    assert len(rehearsal.book.requests(vendor, "create_contacts")) == 1


def test_nothing_that_waits_for_a_thread_leaves_once_the_lease_is_lost(connect, rehearsal, monkeypatch):
    rehearsal.leadlex.set(latency=0.2)
    run = queued(make_list(contacts=8), connect("leadlex", batch_size=1, in_flight=2))
    waiting = []

    def landed(flight: sending.Flight, wait: float) -> list[sending.Dispatch]:
        waiting.append(len(flight.open))
        if flight.free:
            return []
        raise LeaseLost

    monkeypatch.setattr(sending.Flight, "landed", landed)
    jobs.work("run", run.pk)
    assert max(waiting) > 2
    jobs.stopping.wait(0.5)
    assert len(rehearsal.book.requests("leadlex", "create_contacts")) <= 2


def test_a_plan_whose_making_was_killed_can_be_discarded(connect, monkeypatch):
    contact_list, connection = make_list(contacts=4), connect("kore", batch_size=3)
    with monkeypatch.context() as patch:
        patch.setattr(planning, "islice", die)
        patch.setattr(SyncRun, "delete", lambda run: None)
        with pytest.raises(Killed):
            planning.plan(contact_list, connection)
    run = SyncRun.objects.get()
    assert (run.total, run.items.count()) == (0, 4)
    planning.discard(run)
    assert (run.state, outcomes(run)) == ("stopped", {"not_sent": 4})
    assert_ledger_is_true(run)
    assert push(contact_list, connection).state == "completed"


# People, at the moment a worker lets go


def test_what_is_settled_while_the_worker_lets_go_is_not_forgotten(connect, rehearsal, monkeypatch):
    rehearsal.kore.set(apply_share=0.0)
    run = queued(make_list(contacts=4), connect("kore"))
    finish = history.finish

    def finish_and_settle(row: SyncRun, *args: Any) -> None:
        finish(row, *args)
        monkeypatch.setattr(history, "finish", finish)
        settling.settle(SyncRun.objects.get())

    monkeypatch.setattr(history, "finish", finish_and_settle)
    work(run)
    assert (run.state, outcomes(run)) == ("completed_with_problems", {"accepted": 4})
    assert run.token == 3


def test_a_stop_while_the_worker_parks_the_run_does_not_wait_for_the_vendor(connect, rehearsal, monkeypatch):
    rehearsal.leadlex.faults.next("add_to_list", status=429, retry_after=3600)
    run = queued(make_list(contacts=4), connect("leadlex"))
    tell = Turn.tell

    def tell_and_stop(turn: Turn, *args: Any) -> None:
        tell(turn, *args)
        planning.stop(SyncRun.objects.get(), None)

    monkeypatch.setattr(Turn, "tell", tell_and_stop)
    jobs.work("run", run.pk)
    run.refresh_from_db()
    assert run.due_at <= timezone.now() + timedelta(seconds=1)
    assert work(run).state == "stopped"


# Taken up again


@pytest.mark.parametrize("vendor", ["kore", "leadlex"], indirect=True)
def test_a_run_taken_up_again_leaves_out_what_another_one_has_sent_since(vendor, connect, rehearsal):
    contact_list, connection = make_list(contacts=4), connect(vendor, batch_size=2)
    rehearsal.vendors[vendor].faults.next("add_to_list", status=403, after=1)
    run = push(contact_list, connection)
    assert run.state == "failed"
    assert push(contact_list, connection).state == "completed"
    planning.resume(run, None)
    work(run)
    assert run.not_sent == 2
    assert run.causes[0]["code"] == "sent_since"
    assert rehearsal.book.sent_twice(vendor, remote_id(contact_list)) == {}


def test_settling_a_failed_run_sends_nothing_another_one_has_sent_since(connect, rehearsal):
    contact_list, connection = make_list(contacts=6), connect("exotel", batch_size=2)
    rehearsal.exotel.faults.next("add_to_list", "reset", applied=True)
    rehearsal.exotel.faults.next("add_to_list", status=403, after=1)
    run = push(contact_list, connection)
    assert outcomes(run) == {"added": 2, "unknown": 2, "planned": 2}
    assert outcomes(push(contact_list, connection)) == {"added": 2}
    settling.settle(run)
    assert outcomes(work(run)) == {"added": 2, "confirmed": 2, "not_sent": 2}
    assert rehearsal.book.sent_twice("exotel", remote_id(contact_list)) == {}


def test_nothing_is_sent_over_a_connection_put_away_meanwhile(connect, rehearsal):
    contact_list, connection = make_list(contacts=4), connect("exotel", batch_size=2)
    rehearsal.exotel.faults.next("add_to_list", "reset", applied=True)
    rehearsal.exotel.faults.next("add_to_list", status=403)
    run = push(contact_list, connection)
    connections.archive_connection(connection, make_user("administrator"))
    run.refresh_from_db()
    for again in (planning.resume, settling.settle):
        with pytest.raises(planning.PlanRefused, match="no longer in use"):
            again(run, None)


# Contacts that change on their way


def test_a_contact_created_by_another_run_meanwhile_is_not_part_of_a_lost_answer(connect, rehearsal):
    connection = connect("exotel")
    run = queued(make_list(contacts=4), connection)
    contact = run.items.get(position=2).contact
    (account,) = rehearsal.exotel.accounts.values()
    made = rehearsal.exotel.make_contact(account, contact.phone, {})
    RemoteContact.objects.create(connection=connection, contact=contact, remote_id=made.id)
    rehearsal.exotel.faults.next("create_contacts", "reset", applied=True)
    work(run)
    assert (run.state, outcomes(run)) == ("completed", {"added": 4})


def test_who_became_do_not_contact_is_not_told_as_added_by_the_repeat(connect, rehearsal, monkeypatch):
    run = queued(make_list(contacts=4), connect("leadlex"))
    not_known = sending.Sender._not_known

    def suppress(*args: Any) -> None:
        Suppression.objects.create(phone=run.items.get(position=2).contact.phone, reason="asked")
        not_known(*args)

    monkeypatch.setattr(sending.Sender, "_not_known", suppress)
    rehearsal.leadlex.faults.next("add_to_list", "reset", applied=False)
    work(run)
    assert outcomes(run) == {"added": 3, "unknown": 1}
    assert run.items.get(outcome="unknown").position == 2


# Sent once more, and only where it may be


def test_an_unknown_contact_is_not_sent_along_with_a_throttled_one_of_its_batch(connect, rehearsal):
    contact_list, connection = make_list(contacts=3), connect("exotel")
    push(contact_list, connection)
    first, *_ = [known.remote_id for known in connection.remote_contacts.order_by("contact_id")]
    items = [
        {"code": 200, "status": "success", "error_data": None, "data": {"sid": first}},
        {"code": 429, "status": "failure", "error_data": {"code": 1002, "message": "too many"}, "data": None},
        {},
    ]
    second = make_list()
    second.contacts.add(*contact_list.contacts.all())
    rehearsal.exotel.faults.next("add_to_list", "status", status=207, body={"response": items}, applied=True)
    push(second, connection)
    sent = [entry.contacts_sent for entry in rehearsal.book.requests("exotel", "add_to_list")]
    assert sent == [3, 3, 1]


def test_a_contact_whose_creation_is_unknown_is_not_planned_with_its_missing_neighbours(
    connect, rehearsal, monkeypatch
):
    monkeypatch.setattr("lists.vendors.exotel.NEWEST_PAGES", -1)  # nobody is found among so many
    rehearsal.exotel.faults.next("create_contacts", items_missing=1)
    rehearsal.exotel.faults.next("add_to_list", "reset", applied=False)
    run = push(make_list(contacts=6), connect("exotel"))
    assert outcomes(run) == {"added": 5, "unknown": 1}
    assert run.causes[0]["code"] == "create_not_named"


def test_a_throttled_try_does_not_use_up_the_one_repeat(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", status=429, retry_after=0)
    rehearsal.exotel.faults.next("add_to_list", "reset", applied=False)
    run = push(make_list(contacts=4), connect("exotel"))
    assert (run.state, outcomes(run)) == ("completed", {"added": 4})


def test_what_is_surely_missing_goes_out_once_more_whenever_a_person_asks(connect, rehearsal):
    rehearsal.exotel.faults.times(2, "add_to_list", "reset", applied=False)
    run = push(make_list(contacts=4), connect("exotel"))
    assert outcomes(run) == {"unknown": 4}
    jobs.stopping.wait(0.12)
    settling.settle(run)
    assert outcomes(work(run)) == {"added": 4}


def test_what_was_in_flight_together_fails_together_and_counts_once(connect, rehearsal, monkeypatch):
    monkeypatch.setattr(sending, "MAX_FAILURES", 2)
    rehearsal.leadlex.set(latency=0.1)
    rehearsal.leadlex.faults.times(4, "add_to_list", "reset", applied=False)
    run = push(make_list(contacts=4), connect("leadlex", batch_size=1, in_flight=4))
    assert run.state == "completed", run.failure


# Reading


def test_the_history_tells_every_request(vendor, connect, rehearsal):
    run = push(make_list(contacts=4), connect(vendor))
    asked = len(rehearsal.book.requests(vendor))
    assert (run.request_count, run.attempts.count()) == (asked, asked)


def test_a_page_that_fails_is_read_again_not_all_the_pages_before_it(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", "reset", applied=True)
    rehearsal.exotel.faults.always("read_members", "reset", every=3)
    run = push(make_list(contacts=150), connect("exotel"))
    assert (run.state, outcomes(run)) == ("completed", {"confirmed": 150})


def test_a_vendor_that_does_not_tell_the_lists_size_fails_no_run(connect, rehearsal):
    rehearsal.exotel.faults.always("read_list", status=500)
    run = push(make_list(contacts=4), connect("exotel"))
    assert (run.state, outcomes(run)) == ("completed", {"added": 4})


def test_an_answer_in_strange_bytes_can_be_stored(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", "wrong_charset")
    run = push(make_list(contacts=4), connect("exotel"))
    assert run.state == "completed"
    assert "\0" not in run.attempts.get(operation="add_to_list").answer_excerpt


def test_an_absurd_size_of_the_list_is_not_believed(connect, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", "change", values={"data": {"contact_count": 10**12}})
    run = push(make_list(contacts=4), connect("leadlex"))
    assert run.state == "completed"
    assert run.remote_list.vendor_count == 4


def test_a_contact_deleted_while_it_is_created_does_not_cost_the_answer(connect, rehearsal, monkeypatch):
    run = queued(make_list(contacts=4), connect("exotel"))
    keep_ids = sending.Sender._keep_ids

    def delete(*args: Any) -> None:
        run.items.get(position=2).contact.delete()
        keep_ids(*args)

    monkeypatch.setattr(sending.Sender, "_keep_ids", delete)
    work(run)
    assert outcomes(run) == {"added": 3, "not_sent": 1}
    assert run.items.get(position=2).code == "deleted"
    database.check_constraints()


def test_a_deleted_contact_is_not_taken_for_missing_at_the_vendor(connect, rehearsal, monkeypatch):
    run = queued(make_list(contacts=4), connect("kore"))
    rehearsal.kore.faults.next("add_to_list", "reset", applied=True)
    contact, look = run.items.get(position=2).contact, settling.look

    def delete(turn: Turn) -> Any:
        if contact.pk:
            contact.delete()
        return look(turn)

    monkeypatch.setattr(settling, "look", delete)
    work(run)
    assert outcomes(run) == {"confirmed": 3, "unknown": 1}
