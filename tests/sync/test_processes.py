"""Workers that are killed, stopped, paused and doubled, and a queue that loses things."""

import signal
import subprocess
import threading

import pytest
from django.db import OperationalError, transaction
from django.db import connection as database
from django_tasks_db.models import DBTaskResult

from lists.models import SyncRun
from lists.sync import planning
from tests.factories import make_list
from tests.processes import wait_for, worker
from tests.sync.pushes import assert_ledger_is_true, outcomes, phones, remote_id

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes, pytest.mark.timeout(400)]
VENDORS = ["kore", "leadlex", "exotel"]


def queued(contact_list, connection) -> SyncRun:
    run = planning.plan(contact_list, connection)
    planning.queue(run, None)
    return run


def is_over(run: SyncRun) -> bool:
    run.refresh_from_db()
    return run.is_over


def adds(rehearsal, vendor: str) -> int:
    return len(rehearsal.book.requests(vendor, "add_to_list"))


def applied(rehearsal, vendor: str, contact_list) -> list[str]:
    return sorted(rehearsal.book.applied(vendor, remote_id(contact_list)))


def pause(process: subprocess.Popen[str], run: SyncRun) -> None:
    """Between two of its transactions: a paused process keeps its locks, and then nobody could go on."""
    process.send_signal(signal.SIGSTOP)
    while is_locked(run):
        process.send_signal(signal.SIGCONT)
        threading.Event().wait(0.01)
        process.send_signal(signal.SIGSTOP)


def is_locked(run: SyncRun) -> bool:
    if database.vendor == "sqlite":
        with database.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 50")
    try:
        with transaction.atomic():  # SQLite has one lock for all, taken here; PostgreSQL has one for this row
            SyncRun.objects.select_for_update(nowait=True).get(pk=run.pk)
    except OperationalError:
        return True
    finally:
        database.close()  # with its impatience
    return False


def test_a_worker_takes_a_queued_run_to_its_end(connect, rehearsal):
    contact_list = make_list(contacts=30)
    run = queued(contact_list, connect("leadlex"))
    with worker():
        wait_for(lambda: is_over(run))
    assert (run.state, outcomes(run)) == ("completed", {"added": 30})


def test_a_run_whose_wake_up_was_lost_is_taken_up_all_the_same(connect, rehearsal):
    run = queued(make_list(contacts=3), connect("leadlex"))
    DBTaskResult.objects.all().delete()
    SyncRun.objects.update(woken_at=None)
    with worker():
        wait_for(lambda: is_over(run))
    assert run.state == "completed"


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_while_a_batch_is_out_loses_nothing_and_doubles_nothing(vendor, when, connect, rehearsal):
    contact_list = make_list(contacts=50)
    run = queued(contact_list, connect(vendor, batch_size=10))
    # K10: the vendor has not applied it; K11: it has, and nobody read the answer
    rehearsal.vendors[vendor].faults.next("add_to_list", "timeout", applied=when == "after", seconds=30, after=2)
    with worker() as first:
        wait_for(lambda: adds(rehearsal, vendor) == 3)
        first.kill()
        first.wait()
    with worker():
        wait_for(lambda: is_over(run))
    assert_ledger_is_true(run)
    assert run.state == "completed", (run.failure, run.causes)
    assert applied(rehearsal, vendor, contact_list) == phones(contact_list)
    assert run.attempts.filter(problem="WorkerGone").count() == 1
    if when == "after" and vendor != "leadlex":
        assert rehearsal.book.sent_twice(vendor, remote_id(contact_list)) == {}


def test_a_worker_killed_before_the_list_was_answered_makes_no_second_list(connect, rehearsal):
    contact_list = make_list(contacts=5)
    run = queued(contact_list, connect("exotel"))
    rehearsal.exotel.faults.next("create_list", "timeout", applied=True, seconds=30)
    with worker() as first:
        wait_for(lambda: rehearsal.book.requests("exotel", "create_list"))
        first.kill()
        first.wait()
    with worker():
        wait_for(lambda: is_over(run))
    assert run.state == "completed", run.failure
    assert len(rehearsal.book.requests("exotel", "create_list")) == 1


def test_a_worker_told_to_stop_stores_its_step_and_the_next_one_goes_on(connect, rehearsal):
    contact_list = make_list(contacts=60)
    rehearsal.leadlex.faults.always("add_to_list", "slow", seconds=0.2)
    run = queued(contact_list, connect("leadlex", batch_size=5))
    with worker() as first:
        wait_for(lambda: adds(rehearsal, "leadlex") >= 3)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=60) == 0
    run.refresh_from_db()
    assert not run.is_over
    assert run.sending == 0
    assert_ledger_is_true(run)
    with worker():
        wait_for(lambda: is_over(run))
    assert outcomes(run) == {"added": 60}
    assert rehearsal.book.sent_twice("leadlex", remote_id(contact_list)) == {}


def test_an_idle_worker_leaves_at_once_when_told(connect):
    with worker() as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_a_worker_paused_past_its_lease_stores_nothing_and_sends_nothing_more(connect, rehearsal):
    contact_list = make_list(contacts=40)
    rehearsal.leadlex.faults.always("add_to_list", "slow", seconds=0.3)
    run = queued(contact_list, connect("leadlex", batch_size=10))
    with worker() as paused:
        wait_for(lambda: adds(rehearsal, "leadlex") >= 2)
        pause(paused, run)
        with worker():
            wait_for(lambda: is_over(run))
            sent = adds(rehearsal, "leadlex")
            attempts = run.attempts.count()
            paused.send_signal(signal.SIGCONT)
            threading.Event().wait(1.5)
    run.refresh_from_db()
    assert (adds(rehearsal, "leadlex"), run.attempts.count()) == (sent, attempts)
    assert run.state == "completed"
    assert_ledger_is_true(run)
    assert applied(rehearsal, "leadlex", contact_list) == phones(contact_list)


def test_two_workers_share_the_runs_and_no_run(connect, rehearsal):
    lists = [make_list(contacts=12) for _ in range(4)]
    connection = connect("exotel", batch_size=3)
    runs = [queued(contact_list, connection) for contact_list in lists]
    with worker(), worker():
        wait_for(lambda: all(is_over(run) for run in runs))
    assert {run.state for run in runs} == {"completed"}
    for contact_list in lists:
        assert applied(rehearsal, "exotel", contact_list) == phones(contact_list)
        assert rehearsal.book.sent_twice("exotel", remote_id(contact_list)) == {}


def test_stop_ends_the_run_after_the_batch_in_flight(connect, rehearsal):
    contact_list = make_list(contacts=60)
    rehearsal.leadlex.faults.always("add_to_list", "slow", seconds=0.2)
    run = queued(contact_list, connect("leadlex", batch_size=5))
    with worker():
        wait_for(lambda: adds(rehearsal, "leadlex") >= 3)
        run.refresh_from_db()
        planning.stop(run, None)
        sent = adds(rehearsal, "leadlex")
        wait_for(lambda: is_over(run))
    assert run.state == "stopped"
    assert adds(rehearsal, "leadlex") - sent <= 1
    assert_ledger_is_true(run)
    assert len(applied(rehearsal, "leadlex", contact_list)) == run.added > 0
    assert run.not_sent == 60 - run.added


def test_twenty_clicks_at_once_make_one_run(connect, rehearsal):
    contact_list, connection = make_list(contacts=20), connect("leadlex")
    made, refused = [], []

    def click() -> None:
        try:
            run = planning.plan(contact_list, connection)
            planning.queue(run, None)
            made.append(run)
        except planning.PlanRefused as refusal:
            refused.append(str(refusal))
        finally:
            database.close()

    clicks = [threading.Thread(target=click) for _ in range(20)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert len(made) == 1
    assert len(refused) == 19
    assert SyncRun.objects.count() == 1
