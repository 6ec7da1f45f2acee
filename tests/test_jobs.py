"""Leases, wake-ups and the tick; what processes do to each other is in `sync/test_processes.py`."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from lists import jobs
from lists.models import Import, ImportState, LeaseLost, RunState, SyncRun
from tests.factories import make_run

pytestmark = pytest.mark.django_db


class Flow:
    """Stands where the engine stands: does as it is told, and remembers that it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.answer: timedelta | None = None

    def __call__(self, row, lease) -> timedelta | None:
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def flow(monkeypatch) -> Flow:
    flow = Flow()
    monkeypatch.setattr("lists.sync.engine.advance", flow)
    return flow


def due_run(**fields) -> SyncRun:
    run = make_run({"planned": 1}, state="queued", **fields)
    SyncRun.objects.filter(pk=run.pk).update(due_at=Now())
    return run


def wake_ups() -> list[tuple[str, int]]:
    return [tuple(task.args_kwargs["args"]) for task in DBTaskResult.objects.order_by("enqueued_at")]


def expire(run: SyncRun, seconds: float = 1) -> None:
    SyncRun.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=seconds))


def test_a_wake_up_of_a_transaction_that_fails_is_gone_with_it():
    run = due_run()
    with pytest.raises(RuntimeError), transaction.atomic():
        jobs.wake("run", run.pk)
        raise RuntimeError
    assert wake_ups() == []


def test_a_run_that_has_ended_is_not_worked_on_again(flow):
    run = due_run()
    assert jobs.work("run", run.pk)
    assert not jobs.work("run", run.pk)
    assert flow.calls == 1


def test_two_wake_ups_for_one_run_are_one_turn(flow):
    flow.answer = timedelta(hours=1)
    run = due_run()
    jobs.advance.call("run", run.pk)
    jobs.advance.call("run", run.pk)
    assert flow.calls == 1


def test_a_turn_that_is_not_the_last_enqueues_the_next_one(flow):
    flow.answer = timedelta()
    run = due_run()
    jobs.advance.call("run", run.pk)
    assert wake_ups() == [("run", run.pk)]
    run.refresh_from_db()
    assert run.lease_until is None


def test_a_turn_that_waits_leaves_a_due_time_and_no_wake_up(flow):
    flow.answer = timedelta(minutes=5)
    run = due_run()
    jobs.advance.call("run", run.pk)
    run.refresh_from_db()
    assert wake_ups() == []
    assert timedelta(minutes=4) < run.due_at - timezone.now() < timedelta(minutes=6)


def test_a_fault_of_ours_leaves_the_lease_to_run_out(flow):
    flow.answer = ZeroDivisionError()
    run = due_run()
    jobs.advance.call("run", run.pk)
    run.refresh_from_db()
    assert run.lease_until is not None
    assert not jobs.work("run", run.pk)


def test_a_run_that_ends_its_workers_again_and_again_is_parked_with_the_reason(flow):
    flow.answer = ZeroDivisionError()
    run = due_run()
    for _ in range(4):
        jobs.advance.call("run", run.pk)
        expire(run)
    run.refresh_from_db()
    assert flow.calls == 3
    assert run.state == RunState.STALLED
    assert "3 workers in a row" in run.failure
    assert run.due_at is None


def test_a_parked_import_has_failed(monkeypatch):
    def fault(row, lease):
        raise ZeroDivisionError

    monkeypatch.setattr("lists.importing.job.advance", fault)
    row = Import.objects.create(list_name="July", filename="a.csv", content_hash="0" * 64, state="committing")
    Import.objects.filter(pk=row.pk).update(due_at=Now())
    for _ in range(4):
        jobs.advance.call("import", row.pk)
        Import.objects.filter(pk=row.pk, lease_until__isnull=False).update(lease_until=Now() - timedelta(seconds=1))
    row.refresh_from_db()
    assert row.state == ImportState.FAILED


def test_the_tick_wakes_what_is_due_though_nobody_enqueued_it():
    run = due_run()
    assert jobs.tick() == 1
    assert wake_ups() == [("run", run.pk)]


def test_a_second_tick_does_not_wake_it_again():
    due_run()
    jobs.tick()
    assert jobs.tick() == 0


def test_the_tick_wakes_a_run_whose_worker_is_gone():
    run = due_run()
    SyncRun.objects.claim(run.pk, "a worker that dies")
    assert jobs.tick() == 0
    expire(run)
    assert jobs.tick() == 1


def test_the_tick_shows_a_run_as_stalled_while_nobody_takes_it_up():
    run = due_run()
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING)
    SyncRun.objects.claim(run.pk, "a worker that dies")
    expire(run, seconds=60)
    jobs.tick()
    run.refresh_from_db()
    assert run.state == RunState.STALLED


def test_a_worker_is_seen_by_its_tick():
    cache.clear()
    assert jobs.last_check_in() is None
    jobs.tick()
    assert timezone.now() - jobs.last_check_in() < timedelta(seconds=5)


def test_wake_ups_are_tidied_after_a_day_but_never_those_still_to_come():
    run = due_run()
    for status in ("READY", "RUNNING", "SUCCESSFUL", "FAILED"):
        jobs.wake("run", run.pk)
        last = DBTaskResult.objects.order_by("enqueued_at").last()
        DBTaskResult.objects.filter(pk=last.pk).update(
            status=status,
            enqueued_at=timezone.now() - timedelta(days=2),
            started_at=timezone.now(),
            finished_at=timezone.now(),
        )
    jobs.tidy()
    assert list(DBTaskResult.objects.values_list("status", flat=True)) == ["READY"]


def test_a_step_without_the_token_stores_nothing():
    run = due_run()
    old = jobs.JobLease(jobs.KINDS["run"], run.pk, SyncRun.objects.claim(run.pk, "first"))
    expire(run)
    SyncRun.objects.claim(run.pk, "second")
    with pytest.raises(LeaseLost):
        old.store(waiting_for="something")
    with pytest.raises(LeaseLost):
        old.note(waiting_for="something")
    run.refresh_from_db()
    assert run.waiting_for == ""


def test_a_stored_step_is_progress_and_a_note_is_not():
    run = due_run()
    SyncRun.objects.filter(pk=run.pk).update(crashes=2)
    lease = jobs.JobLease(jobs.KINDS["run"], run.pk, SyncRun.objects.claim(run.pk, "first"))
    lease.note(waiting_for="")
    run.refresh_from_db()
    assert run.crashes == 2
    lease.store()
    run.refresh_from_db()
    assert run.crashes == 0


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_keeps_the_lease_and_tells_when_it_is_lost(settings):
    settings.JOB_LEASE_SECONDS = 0.3
    run = due_run()
    lease = jobs.JobLease(jobs.KINDS["run"], run.pk, SyncRun.objects.claim(run.pk, "first"))
    with jobs.Heartbeat(lease):
        jobs.stopping.wait(0.7)
        assert SyncRun.objects.claim(run.pk, "second") is None
        expire(run)
        assert SyncRun.objects.claim(run.pk, "second")
        jobs.stopping.wait(0.3)
        with pytest.raises(LeaseLost):
            lease.go_on()


@pytest.mark.django_db(transaction=True)
def test_a_heartbeat_lets_go_of_work_that_does_not_move(settings, monkeypatch):
    settings.JOB_LEASE_SECONDS = 0.3
    monkeypatch.setattr(jobs, "NO_PROGRESS", 0.2)
    run = due_run()
    lease = jobs.JobLease(jobs.KINDS["run"], run.pk, SyncRun.objects.claim(run.pk, "first"))
    with jobs.Heartbeat(lease):
        jobs.stopping.wait(0.9)
        assert SyncRun.objects.claim(run.pk, "second") is not None
