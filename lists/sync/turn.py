"""One worker's turn on one run: what all its phases share, and the one way in which they write."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import connection as database
from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from lists import db
from lists.models import (
    Connection,
    ItemOutcome,
    RemoteContact,
    RunState,
    SyncAttempt,
    SyncBatch,
    SyncRun,
)
from lists.models.leases import LeaseLost
from lists.sync import accounts
from lists.sync.pacing import PATIENCE, MustWait, back_off
from lists.vendors.errors import VendorError
from lists.vendors.masking import LIMIT
from lists.vendors.records import Answer, RemoteListInfo, Request

if TYPE_CHECKING:
    from lists.jobs import JobLease

READS_TOGETHER = 20
READ_TRIES = 4  # of one request that only reads: a page that fails must not cost all the pages before it
# Bytes kept of a batch's request, whose entries stand in the batch, and of an answer that was as promised.
BRIEF = 512
# Problems of attempts that surely changed nothing. A refused batch is none of them: some of it may have been stored.
NOT_APPLIED = ("NotSent", "VendorBusy", "CredentialsRefused", "QuotaExhausted", "ListGone", "VendorNotConfigured")
WORDS = 300  # characters kept of what a vendor says about one contact

# A state is set only where nobody asked to stop meanwhile.
UNLESS_STOPPING = {"state": RunState.STOPPING}

SPAN = """
    UPDATE lists_syncitem SET outcome = %s, code = %s, words = %s, batch_id = %s, changed_at = %s
    WHERE run_id = %s AND position BETWEEN %s AND %s AND {which}
"""
SPAN_OF_OUTCOME = SPAN.format(which="outcome = %s")
# What a batch may send: contacts nothing is known of, and those it sent before without learning what became of them.
SPAN_TO_SEND = SPAN.format(which="(outcome = 'planned' OR (outcome = 'unknown' AND batch_id = %s))")
SINGLE = """
    UPDATE lists_syncitem SET outcome = %s, code = %s, words = %s, batch_id = COALESCE(%s, batch_id), changed_at = %s
    WHERE run_id = %s AND position = %s
"""
SEVERAL = """
    UPDATE lists_syncitem SET outcome = %s, code = '', words = '', changed_at = %s
    WHERE run_id = %s AND position IN ({positions})
"""
# What an attempt is told once it is answered, and what stands there when it is not told.
TOLD = {"status": None, "latency_ms": None, "problem": "", "words": "", "request_id": "", "answer_excerpt": ""}
ANSWER = f"UPDATE lists_syncattempt SET {', '.join(f'{name} = %s' for name in TOLD)} WHERE id = %s"
# An import may be undone while its contacts are on their way; whoever is gone here needs no id.
REMOTE_CONTACTS = """
    WITH told (contact_id, remote_id) AS (VALUES {pairs})
    INSERT INTO lists_remotecontact (connection_id, contact_id, remote_id)
    SELECT %s, contact.id, told.remote_id FROM told JOIN lists_contact AS contact ON contact.id = told.contact_id
    WHERE true
    ON CONFLICT (connection_id, contact_id) DO UPDATE SET remote_id = excluded.remote_id
"""
PAIRS = 500  # ids in one statement


class Turn:
    """The run, the lease it is worked on under, and its vendor. Raises VendorError where it cannot be connected."""

    def __init__(self, run: SyncRun, lease: "JobLease") -> None:
        if run.connection is None:
            raise LookupError("A run without its connection cannot go on.")
        self.run = run
        self.lease = lease
        self.connection: Connection = run.connection
        self.vendor = accounts.connected(self.connection)
        self.pacer = accounts.pacer(self.vendor)
        self.operations = self.vendor.operations[run.kind]
        self.target: RemoteListInfo | None = None
        self.progress: dict[str, Any] = dict(run.progress)
        self.reads: list[SyncAttempt] = []  # requests that changed nothing, to be written with the next write
        self.vendor.journal = Journal(self)
        self.vendor.before_call = self._before_call
        self.vendor.read_again = self._read_again
        self._reads_failed = 0
        self._home = threading.get_ident()

    @property
    def label(self) -> str:
        return self.vendor.label

    @property
    def in_flight(self) -> int:
        return max(1, accounts.number(self.vendor, "in_flight"))

    def _before_call(self) -> None:
        # A request that an adapter repeats by itself while a batch is in flight belongs to that batch's slot; and the
        # threads that carry batches have no business in the database.
        if threading.get_ident() == self._home:
            self.lease.moved()
            try:
                seconds = self.pacer.take()
            except MustWait as wait:
                if wait.seconds > PATIENCE:
                    raise
                self.lease.pause(wait.seconds)
                seconds = self.pacer.take()
            if seconds:
                self.lease.pause(seconds)

    def _read_again(self, error: VendorError) -> bool:
        self._reads_failed += 1
        if self._reads_failed >= READ_TRIES or getattr(error, "retry_after", None) is not None or self.lease.stopping:
            self._reads_failed = 0
            return False
        self.lease.pause(self.pacer.hold_back(back_off(self._reads_failed - 1)))
        return not self.lease.stopping

    def remember(self, **what: Any) -> dict[str, Any]:
        """The run's progress with this written over it; None takes a name out. Store it with the step."""
        self.progress |= what
        for name in [name for name, value in what.items() if value is None]:
            del self.progress[name]
        return self.progress

    def is_stopping(self) -> bool:
        """A person asked this run to stop."""
        # Asked before every batch, so without the time it takes to build a query.
        with database.cursor() as cursor:
            cursor.execute("SELECT state FROM lists_syncrun WHERE id = %s", [self.run.pk])
            return cursor.fetchone() == (RunState.STOPPING.value,)

    def write_reads(self) -> None:
        """What was only read and no write has followed: the history tells it too."""
        if self.reads:
            Writes(self).commit()

    def tell(self, state: RunState, waiting_for: str = "", **changes: Any) -> None:
        """Show how the run stands, unless it is to stop."""
        self.lease.note(state=unless_stopping(state), waiting_for=waiting_for[:300], **changes)

    def refresh(self) -> SyncRun:
        self.run.refresh_from_db()
        return self.run


def unless_stopping(state: RunState) -> Case:
    return Case(When(**UNLESS_STOPPING, then=F("state")), default=Value(state.value))


class Writes:
    """Everything one transaction will say, so that it can begin with the token: see `commit`.

    counters   changes of the run's counters, outcomes and others
    is_progress  something was learned; otherwise a crash right after it still counts as one
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.counters: Counter[str] = Counter()
        self.is_progress = False
        self.progress_changed = False
        self._singles: list[tuple] = []
        self._spans: list[tuple[str, list[Any]]] = []
        self._batch_states: dict[int, str] = {}
        self._new_batches: list[SyncBatch] = []
        self._attempts: list[SyncAttempt] = []
        self._recalled: list[int] = []
        self._answers: list[tuple] = []
        self._remote_ids: dict[int, str] = {}
        self._gone: list[int] = []
        self._now = db.stamp(timezone.now())

    def move(self, count: int, before: str, after: str) -> None:
        """The ledger: so many contacts go from one outcome to another."""
        self.counters[before] -= count
        self.counters[after] += count

    def item(self, position: int, outcome: str, code: str, words: str, batch: SyncBatch | None) -> None:
        """One contact. Singles are written before spans, which therefore pass them by."""
        self._singles.append(
            (outcome, code[:60], words[:WORDS], batch and batch.pk, self._now, self.turn.run.pk, position)
        )

    def span(self, batch: SyncBatch, before: str, after: str, code: str = "", words: str = "") -> None:
        """All contacts of a batch that stand at `before`."""
        values = [after, code[:60], words[:WORDS], batch.pk, self._now, self.turn.run.pk, batch.first, batch.last]
        self._spans.append((SPAN_OF_OUTCOME, [*values, before]))

    def sending(self, batch: SyncBatch, repeated: int | None) -> None:
        """repeated: the batch whose unknown contacts go out again."""
        values = [ItemOutcome.SENDING, "", "", batch.pk, self._now, self.turn.run.pk, batch.first, batch.last]
        self._spans.append((SPAN_TO_SEND, [*values, repeated]))

    def several(self, positions: Sequence[int], outcome: str) -> None:
        """Contacts that have the same outcome now, in the batch they were in and without words."""
        sql = SEVERAL.format(positions=", ".join(["%s"] * len(positions)))
        self._spans.append((sql, [outcome, self._now, self.turn.run.pk, *positions]))

    def batch(self, batch: SyncBatch, state: str) -> None:
        batch.state = state
        self._batch_states[batch.pk] = state

    def new_batch(self, batch: SyncBatch) -> None:
        self._new_batches.append(batch)
        self.counters["batch_count"] += 1

    def attempt(self, attempt: SyncAttempt) -> None:
        self._attempts.append(attempt)
        self.counters["request_count"] += 1

    def recall(self, attempt: SyncAttempt) -> None:
        """An attempt that was written down and surely never began: no thread had taken it up."""
        self._recalled.append(attempt.pk)
        self.counters["request_count"] -= 1

    def answer(self, attempt_id: int, **told: Any) -> None:
        """told: fields of the attempt, as `answered` and `failed` give them."""
        self._answers.append((*(told.get(name, default) for name, default in TOLD.items()), attempt_id))

    def remote_contacts(self, remote_ids: Mapping[int, str]) -> None:
        """Ids the vendor has told: {contact: id}."""
        self._remote_ids |= remote_ids

    def forget_remote_contact(self, contact_id: int) -> None:
        """The vendor does not know this id any more; a later plan creates the contact anew."""
        self._gone.append(contact_id)

    @property
    def _has_content(self) -> bool:
        return bool(
            self.counters or self._singles or self._spans or self._batch_states or self._attempts or self._answers
        )

    def commit(self) -> None:
        """Write all of it in one transaction that begins with the token. Raises LeaseLost, and nothing is written."""
        reads, self.turn.reads = self.turn.reads, []
        self._attempts[:0] = reads  # in the order they were made, which is the history's
        self.counters["request_count"] += len(reads)
        if not self._has_content:
            return
        with transaction.atomic():
            with database.cursor() as cursor:
                self._take_token(cursor)
            SyncBatch.objects.bulk_create(self._new_batches)
            SyncAttempt.objects.bulk_create(self._attempts)
            with database.cursor() as cursor:
                if self._batch_states:
                    states = [(state, batch_id) for batch_id, state in self._batch_states.items()]
                    cursor.executemany("UPDATE lists_syncbatch SET state = %s WHERE id = %s", states)
                if self._answers:
                    cursor.executemany(ANSWER, self._answers)
                if self._singles:
                    cursor.executemany(SINGLE, self._singles)
                for sql, values in self._spans:
                    cursor.execute(sql, values)
                told = iter(self._remote_ids.items())
                while pairs := list(islice(told, PAIRS)):
                    sql = REMOTE_CONTACTS.format(pairs=", ".join(["(%s, %s)"] * len(pairs)))
                    cursor.execute(sql, [*(value for pair in pairs for value in pair), self.turn.connection.pk])
            if self._recalled:
                SyncAttempt.objects.filter(pk__in=self._recalled).delete()
            if self._gone:
                RemoteContact.objects.filter(connection=self.turn.connection, contact_id__in=self._gone).delete()

    def _take_token(self, cursor: Any) -> None:
        """The run's counters and progress, under the token. Raises LeaseLost.

        What `JobLease.store` does, without the time it takes to build a query; the lease is renewed by the heartbeat.
        """
        lease = self.turn.lease
        changes: dict[str, Any] = {f"{name} = {name} + %s": count for name, count in self.counters.items() if count}
        if self.progress_changed:
            changes["progress = %s"] = database.ops.adapt_json_value(self.turn.progress, None)
        if self.is_progress:
            changes["crashes = %s"] = 0
        cursor.execute(
            f"UPDATE lists_syncrun SET {', '.join(changes) or 'token = token'} WHERE id = %s AND token = %s",
            [*changes.values(), self.turn.run.pk, lease.token],
        )
        if lease.lost or cursor.rowcount != 1:
            raise LeaseLost
        if self.is_progress:
            lease.moved()


def sends(batch: SyncBatch) -> int:
    """How often a batch went out and may have been applied."""
    return SyncAttempt.objects.filter(batch=batch).exclude(problem__in=NOT_APPLIED).count()


class Journal:
    """Stores every request that is not a batch. What changes something is stored before its bytes leave.

    What only reads is written with whatever is written next: losing the word of it in a crash loses nothing.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn

    def sending(self, request: Request) -> SyncAttempt:
        attempt = begun(self.turn, request, self.turn.vendor.masked(request))
        if request.reads:
            self.turn.reads.append(attempt)
        else:
            writes = Writes(self.turn)
            writes.attempt(attempt)
            writes.commit()
        return attempt

    def answered(self, ref: SyncAttempt, answer: Answer) -> None:
        self.turn._reads_failed = 0
        self.turn.pacer.went_well()
        # What changed something is kept at length: it may be needed to know again what we made.
        self._end(ref, answered(self.turn, answer, limit=LIMIT if ref.pk else BRIEF), answer.attempts)

    def failed(self, ref: SyncAttempt, error: VendorError) -> None:
        self._end(ref, failed(error, ref.started_at), error.attempts)

    def _end(self, ref: SyncAttempt, told: dict[str, Any], attempts: int) -> None:
        writes = Writes(self.turn)
        writes.counters["request_count"] += max(0, attempts - 1)
        if ref.pk:
            writes.answer(ref.pk, **told)
        else:
            for name, value in told.items():
                setattr(ref, name, value)
        if ref.pk or ref.problem or len(self.turn.reads) >= READS_TOGETHER:
            writes.commit()


def begun(turn: Turn, request: Request, request_excerpt: str, **of_batch: Any) -> SyncAttempt:
    """The attempt to store before the request leaves. of_batch: further fields, of a request that is one."""
    return SyncAttempt(
        run_id=turn.run.pk,
        operation=request.operation,
        method=request.method,
        path=request.path[:500],
        token=turn.lease.token,
        started_at=timezone.now(),
        request_excerpt=request_excerpt,
        **of_batch,
    )


def answered(turn: Turn, answer: Answer, warnings: Iterable[str] = (), limit: int = BRIEF) -> dict[str, Any]:
    return {
        "status": answer.status,
        "latency_ms": round(answer.seconds * 1000),
        "words": " ".join(warnings),
        "answer_excerpt": turn.vendor.masked(answer, limit),
    }


def failed(error: VendorError, started_at: datetime) -> dict[str, Any]:
    return {
        "status": error.status,
        "latency_ms": max(0, round((timezone.now() - started_at).total_seconds() * 1000)),
        "problem": type(error).__name__,
        "words": error.message,
        "request_id": error.request_id[:100],
        "answer_excerpt": error.excerpt,
    }
