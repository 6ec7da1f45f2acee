"""Background work: leases, heartbeats and the tick. The queue carries wake-ups only, the truth is in our rows.

A wake-up says "advance run 17" and no more. What is to be done, how far it is, who is on it and when it is due stand
in the row itself (`lists.models.leases`), so a lost, late or doubled wake-up does no harm, and a worker may be killed
at any moment: its lease runs out, a tick wakes the row, and whoever takes it goes on from what is stored.

The one module that knows the queue's engine.
"""

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import FrameType, TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks import TaskResultStatus, task
from django_tasks_db.management.commands.db_worker import Worker as EngineWorker
from django_tasks_db.models import DBTaskResult

from lists import db, retention
from lists.db import collecting_rarely
from lists.models import CRASHES_ALLOWED, Import, LeaseLost, RunState, SyncRun
from lists.models.leases import LeasedQuerySet

NO_PROGRESS = 150.0  # seconds without a stored step, after which a heartbeat lets go: a hanging thread keeps no row
STALLED_AFTER = timedelta(seconds=15)  # beyond the end of the lease, before a run is shown as stalled
KEEP_WAKE_UPS = timedelta(days=1)
CHECK_IN = "last-worker-check-in"
SILENT_AFTER = timedelta(seconds=60)  # without a check-in, which every tick is
TRY_AGAIN = timedelta(seconds=30)  # after what passes: a full disk, a lost database
POLL = 1.0  # seconds; on SQLite each poll takes the write lock for a moment

log = logging.getLogger(__name__)
stopping = threading.Event()  # this process was told to stop: store the step in hand and leave


@dataclass(frozen=True)
class Kind:
    """How rows of one kind are worked on; both functions by their dotted names.

    flow     `(row, lease) -> timedelta | None` works on a row for one turn and says when to go on: after that time, at
             once when it is zero, never when None
    give_up  `(row, lease, why)` ends the work on a row whose workers keep crashing; why: a sentence
    """

    model: type[Import] | type[SyncRun]
    flow: str
    give_up: str
    priority: int

    @property
    def rows(self) -> LeasedQuerySet:
        return self.model.objects.all()


# Somebody waits for the preview of an import, so it goes first.
KINDS = {
    "import": Kind(Import, "lists.importing.job.advance", "lists.importing.job.give_up", 10),
    "run": Kind(SyncRun, "lists.sync.engine.advance", "lists.sync.engine.give_up", 0),
}


class JobLease:
    """One worker's hold on one row: through it the flow stores its progress, and learns when it has to stop.

    token     the fencing token; what is stored without it is not stored
    deadline  monotonic seconds at which the turn is over; None when nobody else waits for this worker
    """

    def __init__(self, kind: Kind, pk: int, token: int, share: float | None = None) -> None:
        self.rows = kind.rows
        self.pk = pk
        self.token = token
        self.deadline = None if share is None else time.monotonic() + share
        self.moved_at = time.monotonic()
        self.lost = False

    @property
    def stopping(self) -> bool:
        return stopping.is_set()

    def go_on(self) -> bool:
        """Whether to begin another step. Raises LeaseLost."""
        if self.lost:
            raise LeaseLost
        return not self.stopping and (self.deadline is None or time.monotonic() < self.deadline)

    def moved(self) -> None:
        """The work is getting on, though nothing was stored; keeps the heartbeat going."""
        self.moved_at = time.monotonic()

    def store(self, **changes: Any) -> None:
        """Change the row under the token: the first statement of every storing transaction. Raises LeaseLost."""
        if self.lost:
            raise LeaseLost
        self.rows.store(self.pk, self.token, **changes)
        self.moved()

    def note(self, **changes: Any) -> None:
        """Change the row under the token without counting it as progress: a crash after it is still a crash."""
        if self.lost or self.rows.held(self.pk, self.token).update(**changes) != 1:
            raise LeaseLost

    def pause(self, seconds: float) -> None:
        """Sleep, outside any transaction; shorter when the worker is told to stop."""
        stopping.wait(seconds)
        self.moved()


class Heartbeat(threading.Thread):
    """Renews the lease while the work gets on; where another worker has taken the row, it marks the lease as lost."""

    def __init__(self, lease: JobLease) -> None:
        super().__init__(name=f"heartbeat-{lease.pk}", daemon=True)
        self.lease = lease
        self.ended = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ended.set()

    def run(self) -> None:
        try:
            while not self.ended.wait(settings.JOB_LEASE_SECONDS / 3):
                if time.monotonic() - self.lease.moved_at > NO_PROGRESS:
                    log.warning("job hangs, letting go of its lease", extra={"pk": self.lease.pk})
                    return
                # A database that cannot be reached now may be by the next beat; if not, the lease runs out.
                with contextlib.suppress(DatabaseError, InterfaceError):
                    close_old_connections()
                    if not self.lease.rows.renew(self.lease.pk, self.lease.token):
                        self.lease.lost = not self.ended.is_set()
                        return
        finally:
            connection.close()


# Wake-ups


@task()
def advance(kind: str, pk: int) -> None:
    """The wake-up: work on one row for a share of this worker's time."""
    work(kind, pk, share=settings.JOB_SHARE_SECONDS)


def wake(kind: str, pk: int) -> None:
    """Enqueue a wake-up in the current transaction: roll back, and it is gone too."""
    KINDS[kind].rows.filter(pk=pk).update(woken_at=Now())
    advance.using(priority=KINDS[kind].priority).enqueue(kind, pk)


def work(kind: str, pk: int, *, share: float | None = None) -> bool:
    """One turn on a row; False when it was not to be had: not due, or in other hands.

    share  seconds; None works until the flow itself wants to wait
    """
    job = KINDS[kind]
    token = job.rows.claim(pk, worker_name())
    if token is None:
        return False
    lease = JobLease(job, pk, token, share)
    row = job.model.objects.get(pk=pk)
    try:
        lease.note(woken_at=None)  # so that the tick need not wait to wake it again, should we be killed
        if row.crashes >= CRASHES_ALLOWED:
            park(job, row, lease)
            return True
        with Heartbeat(lease), collecting_rarely():
            go_on_after = import_string(job.flow)(row, lease)
        with transaction.atomic():
            job.rows.release(pk, token, after=go_on_after or None, over=go_on_after is None)
            if go_on_after is not None and not go_on_after and share is not None:
                wake(kind, pk)
    except LeaseLost:
        log.warning("%s %s is in other hands, nothing more is stored", kind, pk)
    except Exception as error:
        if cause := db.passing_cause(error):
            hold_up(job, lease, cause)
            return True
        # The lease is left to run out: that is the pause before the next attempt, and it counts as a crash.
        log.exception("%s %s met a fault of ours", kind, pk)
        if share is None:
            raise
    return True


def work_to_end(kind: str, pk: int) -> None:
    """Work on a row in this process until it needs nobody any more; waits while it is not due or in other hands."""
    rows = KINDS[kind].rows
    while not stopping.is_set():
        if work(kind, pk):
            continue
        if rows.filter(pk=pk, due_at=None, lease_until=None).exists():
            return
        stopping.wait(0.2)


def hold_up(job: Kind, lease: JobLease, cause: str) -> None:
    """Let a row wait for something that passes, and try again later; it counts as no crash.

    To note that may itself have to wait, because the disk is full or the database gone.
    """
    log.warning("%s %s waits: %s", job.model.__name__, lease.pk, cause)
    while not stopping.is_set():
        try:
            with transaction.atomic():
                job.rows.release(lease.pk, lease.token, after=TRY_AGAIN)
                job.rows.filter(pk=lease.pk).update(held_up_by=cause)
            return
        except LeaseLost:
            return
        except (DatabaseError, InterfaceError):
            close_old_connections()
            stopping.wait(POLL)


def park(job: Kind, row: Import | SyncRun, lease: JobLease) -> None:
    """Stop scheduling a row whose workers keep crashing; the row says why."""
    log.error("%s %s is parked after %s crashes", job.model.__name__, lease.pk, CRASHES_ALLOWED)
    with transaction.atomic():
        import_string(job.give_up)(
            row,
            lease,
            f"This was given up after {CRASHES_ALLOWED} workers in a row ended in the middle of it without storing a "
            "step. The log of the worker says why. Nothing that was stored is lost.",
        )
        job.rows.release(lease.pk, lease.token, over=True)


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"[:100]


# The tick


def tick() -> int:
    """Wake what is due or left behind, whoever forgot it; how many rows that was."""
    cache.set(CHECK_IN, timezone.now(), timeout=None)
    woken = 0
    for kind, job in KINDS.items():
        for pk in job.rows.due().values_list("pk", flat=True):
            # Of several workers' ticks one changes the row, and that one enqueues.
            with transaction.atomic():
                if job.rows.due().filter(pk=pk).update(woken_at=Now()):
                    wake(kind, pk)
                    woken += 1
    SyncRun.objects.filter(
        state__in=[RunState.RUNNING, RunState.WAITING], lease_until__lt=Now() - STALLED_AFTER
    ).update(state=RunState.STALLED)
    return woken


def tidy() -> None:
    """Wake-ups that are done or orphaned, for a day; the engine never removes those of a killed worker."""
    old = DBTaskResult.objects.filter(enqueued_at__lt=timezone.now() - KEEP_WAKE_UPS)
    old.exclude(status=TaskResultStatus.READY).delete()


def last_check_in() -> datetime | None:
    """When a worker's tick last said it was there; None when none ever did."""
    return cache.get(CHECK_IN)


def silent_since() -> str:
    """Since when no worker has checked in, as words behind “no worker has checked in”; "" while one is there."""
    last = last_check_in()
    if last and timezone.now() - last < SILENT_AFTER:
        return ""
    return f"since {timezone.localtime(last):%-d %B, %H:%M %Z}" if last else "yet"


class Ticker(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="tick", daemon=True)

    def run(self) -> None:
        tidied = 0.0
        while True:
            try:
                close_old_connections()
                tick()
                if time.monotonic() - tidied > 3600:
                    tidy()
                    retention.thin()
                    retention.sweep()
                    tidied = time.monotonic()
            except (DatabaseError, InterfaceError):
                log.warning("the tick could not reach the database", exc_info=True)
            if stopping.wait(settings.JOB_TICK_SECONDS):
                connection.close()
                return


# The worker


class Worker(EngineWorker):
    """The engine's worker, which also tells the work in hand to stop."""

    def __init__(self) -> None:
        super().__init__(
            queue_names=["*"],
            interval=POLL,
            batch=False,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker_name()[:64],
            excluded_queue_names=[],
        )

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        super().shutdown(signum, frame)


@contextlib.contextmanager
def _surviving_the_database() -> Iterator[None]:
    """The engine's loop dies of any database error; a restarted or locked database is no reason to leave."""
    try:
        yield
    except (DatabaseError, InterfaceError):
        log.warning("the worker could not reach the database, trying again", exc_info=True)
        close_old_connections()
        stopping.wait(2.0)


def run_worker(*, on_ready: Callable[[], None] = lambda: None) -> None:
    """Work until SIGTERM or SIGINT; the step in hand is stored first."""
    worker = Worker()
    worker.configure_signals()
    Ticker().start()
    on_ready()
    while worker.running:
        with _surviving_the_database():
            worker.run()
