"""Batches out, answers in: one phase of a run.

Write, then send, then write: an attempt is stored and committed before its bytes leave; no transaction is open during
a call; the answer and the outcomes of its contacts are stored together under the token. Threads carry the requests,
and nothing but requests: every row is read and written by the thread that called `send_all`.
"""

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from django.db import connection as database
from django.db.models import Max

from lists import db
from lists.fields import OF_CONTACT
from lists.models import ItemOutcome, SyncAttempt, SyncBatch
from lists.sync import turn as turns
from lists.sync.pacing import MustWait, back_off
from lists.sync.turn import Turn, Writes
from lists.vendors.base import HttpVendor, Operation
from lists.vendors.errors import (
    OutcomeUnknown,
    RequestRefused,
    UnreadableReply,
    VendorBusy,
    VendorError,
)
from lists.vendors.records import Answer, BatchReading, ContactRecord, Outcome, Request, filled

MAX_FAILURES = 8  # in a row, without a single answer that could be used: then the run fails, resumable
MAX_SENDS = 3  # of one batch, where its repeat is harmless
MAX_REFUSED = 20  # planned batches refused one after another: then it is not the contacts
GATHER = 0.03  # seconds in which answers are gathered for one commit
GIVE_UP = 25.0  # seconds an open call is waited for once the worker is told to stop
READ_AHEAD = 20  # batches
FRESH = 1.0  # seconds after which a prepared batch is prepared anew, for somebody may not be contacted any more

# A refusal with one of these may be one contact's fault: the batch is halved until it is found.
PERHAPS_ONE_CONTACT = (400, 412, 413, 422)
WORKER_GONE = "The worker ended before the answer was stored. Whether it was applied is not known."
CONFLICT = 409  # somebody else changes the same thing at this moment

PLANNED, SENDING, UNKNOWN = ItemOutcome.PLANNED.value, ItemOutcome.SENDING.value, ItemOutcome.UNKNOWN.value
REJECTED, NOT_SENT = ItemOutcome.REJECTED.value, ItemOutcome.NOT_SENT.value

SAID = attrgetter("outcome", "code", "message", "again")  # what a PushResult says of its contact

# What a batch may send: a Row, whether the number is do-not-contact, and a ContactRecord. Only the fields that the
# operation carries are read: this is asked for every batch.
COLUMNS = """
    item.position, item.contact_id, item.outcome, {remote_id}, suppression.id IS NOT NULL,
    CAST(item.position AS text), {fields}, {remote_id}
"""
ROWS = """
    SELECT {columns}
    FROM lists_syncitem AS item
    LEFT JOIN lists_contact AS contact ON contact.id = item.contact_id
    LEFT JOIN lists_remotecontact AS known ON known.connection_id = %s AND known.contact_id = item.contact_id
    LEFT JOIN lists_suppression AS suppression
        ON suppression.phone = contact.phone AND suppression.lifted_at IS NULL
    WHERE item.run_id = %s AND item.position BETWEEN %s AND %s
        AND (item.outcome = 'planned' OR (item.outcome = 'unknown' AND item.batch_id = %s))
"""


class Verdict(NamedTuple):
    """What becomes of a contact: outcome, and the code and words kept of it."""

    outcome: str
    code: str
    words: str


class Row(NamedTuple):
    """One contact of a batch on its way."""

    position: int
    contact_id: int
    outcome: str
    remote_id: str


@dataclass(slots=True)
class Prepared:
    """One batch as it would be sent now; nothing of it is written yet.

    rows, records  of the same contacts, in the same order
    held_back      contacts that were planned and must not go out: (position, code, words)
    left_unknown   whether some of those sent before must not go out again, and stay unknown
    request        None when nothing of the batch is left
    """

    batch: SyncBatch
    rows: list[Row] = field(default_factory=list)
    records: list[ContactRecord] = field(default_factory=list)
    held_back: list[tuple[int, str, str]] = field(default_factory=list)
    left_unknown: bool = False
    request: Request | None = None
    excerpt: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.at < FRESH


@dataclass(slots=True)
class Dispatch:
    """One batch on its way, and what came of it. rows and records are of the same contacts, in the same order."""

    batch: SyncBatch
    rows: list[Row]
    records: list[ContactRecord]
    request: Request
    attempt: SyncAttempt
    answer: Answer | None = None
    reading: BatchReading | None = None
    error: VendorError | None = None


class Flight:
    """Threads that carry requests. They may be left behind with a call that does not end.

    size    requests under way at once
    waiting written down beyond those, so that a thread that has landed leaves again without waiting for a commit
    """

    def __init__(self, vendor: HttpVendor, operation: Operation, size: int, waiting: int = 0) -> None:
        self._vendor, self._operation = vendor, operation
        self._out: SimpleQueue[Dispatch | None] = SimpleQueue()
        self._in: SimpleQueue[Dispatch] = SimpleQueue()
        self.size = size
        self.places = size + waiting
        self.open: dict[int, Dispatch] = {}
        for number in range(size):
            threading.Thread(target=self._carry, name=f"carrier-{number}", daemon=True).start()

    @property
    def free(self) -> int:
        return self.places - len(self.open)

    @property
    def has_landed(self) -> bool:
        return not self._in.empty()

    def launch(self, dispatch: Dispatch) -> None:
        self.open[dispatch.attempt.pk] = dispatch
        self._out.put(dispatch)

    def landed(self, wait: float) -> list[Dispatch]:
        """What has come back; the first of it is waited for, at most so many seconds."""
        found: list[Dispatch] = []
        with contextlib.suppress(Empty):
            found.append(self._in.get(timeout=wait) if wait else self._in.get_nowait())
            until = time.monotonic() + GATHER
            # While each thread still has work without us; one commit then serves all that has landed.
            while len(self.open) - len(found) >= self.size:
                found.append(self._in.get(timeout=max(0.0, until - time.monotonic())))
            while True:
                found.append(self._in.get_nowait())
        return [dispatch for dispatch in found if self.open.pop(dispatch.attempt.pk, None)]

    def recall(self) -> list[Dispatch]:
        """What no thread has taken up yet: it will not leave any more."""
        found: list[Dispatch] = []
        with contextlib.suppress(Empty):
            while dispatch := self._out.get_nowait():
                found.append(dispatch)
        return [self.open.pop(dispatch.attempt.pk) for dispatch in found]

    def give_up(self) -> list[Dispatch]:
        """What is still out; it does not count as landed any more."""
        left, self.open = list(self.open.values()), {}
        error = OutcomeUnknown("The worker was stopped before the answer came. Whether it was applied is not known.")
        return [Dispatch(d.batch, d.rows, d.records, d.request, d.attempt, error=error) for d in left]

    def close(self) -> None:
        self.recall()  # whoever left in the middle, by a lost lease or a fault, sends nothing more
        for _ in range(self.size):
            self._out.put(None)

    def _carry(self) -> None:
        while dispatch := self._out.get():
            try:
                dispatch.answer = self._vendor.send(dispatch.request)
                dispatch.reading = self._operation.read(dispatch.answer, dispatch.records)
            except VendorError as error:
                dispatch.error = error
            except Exception:
                # After the bytes have left, a fault of ours leaves the outcome as unknown as a lost answer does.
                logging.getLogger(__name__).exception("an answer could not be read")
                dispatch.error = OutcomeUnknown("The answer met a fault of ours, which the worker's log tells.")
            self._in.put(dispatch)


@dataclass
class Sender:
    """Sends the planned batches of one operation."""

    turn: Turn
    operation: Operation
    trouble: Exception | None = None
    _next_sequence: int = field(default=0, init=False)
    _has_failed: bool = field(default=False, init=False)
    _batches: Iterator[SyncBatch] = field(default_factory=lambda: iter(()), init=False)
    _ahead: deque[Prepared] = field(default_factory=deque, init=False)

    def __post_init__(self) -> None:
        self.is_final = self.operation is self.turn.operations[-1]
        self.needs_ids = "remote_id" in self.operation.needs
        self.creates = self.operation.gives_ids and not self.is_final
        carried = {"phone", *self.operation.carries}
        columns = COLUMNS.format(
            remote_id="COALESCE(known.remote_id, '')" if self.needs_ids or self.creates else "''",
            fields=", ".join(f"contact.{name}" if name in carried else "''" for name in OF_CONTACT),
        )
        self._rows_sql = ROWS.format(columns=db.in_one_row(columns))

    def send_all(self) -> bool:
        """True when no batch is left to send; False when the turn is over first.

        Raises MustWait, and VendorError for what stops the run; whatever was in flight is stored before.
        """
        turn = self.turn
        self._next_sequence = (turn.run.batches.aggregate(last=Max("sequence"))["last"] or 0) + 1
        # At a pace, each request has a slot of its own, and a thread waits for that rather than for a commit.
        waiting = 0 if turn.pacer.per_minute else turn.in_flight - 1
        flight = Flight(turn.vendor, self.operation, turn.in_flight, waiting)
        try:
            return self._loop(flight)
        finally:
            flight.close()

    def _loop(self, flight: Flight) -> bool:
        turn, lease = self.turn, self.turn.lease
        self._batches = self._planned_batches()
        stopped_at = 0.0
        is_over = False  # nothing more to launch in this pass
        is_dry = False  # no batch is left for the places that are free
        while True:
            writes = Writes(turn)
            self._read_landed(flight, writes, wait=bool(flight.open) and (is_over or is_dry or not flight.free))
            if self.trouble or not lease.go_on() or turn.is_stopping():
                is_over = True
                for unsent in flight.recall():
                    writes.recall(unsent.attempt)
                    self._back_to_plan(unsent, writes)
            ready: list[Dispatch] = []
            upcoming = [] if is_over else self._next(min(flight.free, turn.pacer.group))
            is_dry = bool(flight.free) and not upcoming
            if upcoming:
                pause = self._wait_for_slots(len(upcoming))
                if pause:
                    writes.commit()  # an answer is not kept waiting for the pace
                    writes = Writes(turn)
                    lease.pause(pause)
                if not (self.trouble or lease.stopping or (pause and turn.is_stopping())):
                    ready = [dispatch for each in upcoming if (dispatch := self._begin(each, writes, pause))]
            elif not is_over and not flight.open:
                # Children, and batches to be sent again, may have come up behind us.
                self._batches = self._planned_batches()
                is_over = not self._planned(after=0).exists()
            writes.commit()
            for dispatch in ready:
                flight.launch(dispatch)
            if not is_over:
                self._prepare_ahead(flight)
            if lease.stopping and flight.open:
                stopped_at = stopped_at or time.monotonic()
                if time.monotonic() - stopped_at > GIVE_UP:
                    self._read_all(flight.give_up())
            if is_over and not flight.open:
                break
        if self.trouble:
            raise self.trouble
        return not self._planned(after=0).exists()

    def _wait_for_slots(self, count: int) -> float:
        """Take slots at the account's pace; seconds until they may be used. What takes longer is our trouble."""
        try:
            return self.turn.pacer.take(count)
        except MustWait as wait:
            self.trouble = wait
            return 0.0

    def _read_landed(self, flight: Flight, writes: Writes, *, wait: bool) -> None:
        for dispatch in flight.landed(1.0 if wait else 0.0):
            self._read(dispatch, writes)
        if flight.open:
            self.turn.lease.moved()  # each call has a deadline of its own

    def _read_all(self, dispatches: list[Dispatch]) -> None:
        writes = Writes(self.turn)
        for dispatch in dispatches:
            self._read(dispatch, writes)
        writes.commit()

    # Out

    def _planned(self, after: int) -> Any:
        return self.turn.run.batches.filter(
            operation=self.operation.name, state=SyncBatch.State.PLANNED, sequence__gt=after
        ).order_by("sequence")

    def _planned_batches(self) -> Iterator[SyncBatch]:
        """Once forward through the run."""
        after = 0
        while lot := list(self._planned(after)[:READ_AHEAD]):
            yield from lot
            after = lot[-1].sequence

    def _next(self, count: int) -> list[Prepared]:
        """The next batches to send, at most so many."""
        ahead = [self._ahead.popleft() for _ in range(min(count, len(self._ahead)))]
        return ahead + [self._prepare(batch) for batch in islice(self._batches, count - len(ahead))]

    def _prepare_ahead(self, flight: Flight) -> None:
        """While all places are taken, so that what lands is followed at once."""
        while len(self._ahead) < flight.places and not flight.free and not flight.has_landed:
            batch = next(self._batches, None)
            if batch is None:
                return
            self._ahead.append(self._prepare(batch))

    def _prepare(self, batch: SyncBatch) -> Prepared:
        """One batch as a request, less what must not go out any more."""
        prepared = Prepared(batch)
        rows, records = prepared.rows, prepared.records
        for found in self._rows(batch):
            row, is_suppressed, record = Row._make(found[:4]), found[4], ContactRecord._make(found[5:])
            if self.creates and row.remote_id:
                continue  # the vendor has this one by now
            if is_suppressed or record.phone is None or (self.needs_ids and not row.remote_id):
                if row.outcome == PLANNED:
                    prepared.held_back.append((row.position, *self._why_not(record.phone, is_suppressed)))
                else:
                    prepared.left_unknown = True
                continue
            rows.append(row)
            records.append(record)
        if rows:
            entries = batch.entries
            if len(rows) != len(entries):
                entries = [entries[row.position - batch.first] for row in rows]
            if self.needs_ids:
                entries = filled(entries, [row.remote_id for row in rows])
            prepared.request = self.operation.request(self.turn.vendor, self.turn.target, entries)
            prepared.excerpt = self.turn.vendor.masked(prepared.request, turns.BRIEF)
        return prepared

    def _begin(self, prepared: Prepared, writes: Writes, waited: float) -> Dispatch | None:
        """Write down that it is sent; None when nothing of it is left."""
        if not prepared.is_fresh:  # the pace made it wait
            prepared = self._prepare(prepared.batch)
        batch, rows, request = prepared.batch, prepared.rows, prepared.request
        for position, code, words in prepared.held_back:
            writes.item(position, NOT_SENT, code, words, batch)
            writes.move(1, PLANNED, NOT_SENT)
        if request is None:
            writes.batch(batch, SyncBatch.State.ANSWERED if batch.attempts.exists() else SyncBatch.State.NOT_SENT)
            return None
        attempt = turns.begun(
            self.turn, request, prepared.excerpt, batch=batch, contacts=len(rows), waited_ms=round(waited * 1000)
        )
        writes.attempt(attempt)
        writes.batch(batch, SyncBatch.State.SENDING)
        if self.is_final:
            if prepared.left_unknown:
                for row in rows:
                    writes.item(row.position, SENDING, "", "", batch)
            else:
                writes.sending(batch, self._repeated(batch))
            repeated = sum(row.outcome == UNKNOWN for row in rows)
            writes.move(repeated, UNKNOWN, SENDING)
            writes.move(len(rows) - repeated, PLANNED, SENDING)
        return Dispatch(batch, rows, prepared.records, request, attempt)

    def _why_not(self, phone: str | None, is_suppressed: bool) -> tuple[str, str]:
        """Code and words for a contact that was planned and is not sent."""
        if is_suppressed:
            return "suppressed", "This number became do-not-contact after the plan was made."
        if phone is None:
            return "deleted", "The contact was deleted after the plan was made."
        return "no_remote_id", f"{self.turn.label} has told no id of this contact."

    def _repeated(self, batch: SyncBatch) -> int | None:
        """The batch whose unknown contacts may simply go out again; None where that could double them."""
        return batch.pk if self.operation.repeat_is_harmless else None

    def _rows(self, batch: SyncBatch) -> list[Sequence[Any]]:
        """By position."""
        with database.cursor() as cursor:
            cursor.execute(
                self._rows_sql,
                [self.turn.connection.pk, self.turn.run.pk, batch.first, batch.last, self._repeated(batch)],
            )
            return sorted(db.fetch_rows(cursor))

    # In

    def _read(self, dispatch: Dispatch, writes: Writes) -> None:
        """One answer, or none: what follows from it."""
        writes.is_progress = True
        error, answer = dispatch.error, dispatch.answer
        if error is None and answer is not None and dispatch.reading is not None:
            writes.answer(dispatch.attempt.pk, **turns.answered(self.turn, answer, dispatch.reading.warnings))
            writes.counters["request_count"] += answer.attempts - 1
            self._remember(writes, failures=None, refused=None)
            self.turn.pacer.went_well()
            self._read_results(dispatch, dispatch.reading, writes)
            return
        if error is None:
            raise LookupError("A batch came back with neither answer nor error.")
        told = turns.failed(error, dispatch.attempt.started_at)
        if answer is not None:  # it came, and could not be read
            told |= {"status": answer.status, "answer_excerpt": self.turn.vendor.masked(answer)}
        writes.answer(dispatch.attempt.pk, **told)
        writes.counters["request_count"] += max(0, error.attempts - 1)
        if isinstance(error, RequestRefused):
            self._refused(dispatch, error, writes)
        elif error.unknown:
            self._not_known(dispatch, error, writes)
        else:
            self._back_to_plan(dispatch, writes)
            if error.stops_run:
                self.trouble = error
            else:
                self._try_later(error, writes)

    def _read_results(self, dispatch: Dispatch, reading: BatchReading, writes: Writes) -> None:
        batch, rows, results = dispatch.batch, dispatch.rows, reading.results
        if self.operation.gives_ids:
            self._keep_ids(dispatch, reading, writes)
        told = Counter(map(SAID, results))
        usual = max(told, key=told.__getitem__)
        may_repeat = any(again for *_, again in told) and turns.sends(batch) < MAX_SENDS
        verdicts = {each: self._verdict(*each, may_repeat=may_repeat) for each in told}
        before = SENDING if self.is_final else PLANNED
        for each, count in told.items():
            writes.move(count, before, verdicts[each].outcome)
        # Nearly always all results say the same, and then one statement stores them.
        is_uniform = len(told) == 1 and (
            self.is_final or (verdicts[usual].outcome == before and all(result.remote_id for result in results))
        )
        for row, result in zip(rows, results, strict=True) if not is_uniform else ():
            each = SAID(result)
            if self.is_final and each == usual:
                continue
            verdict = verdicts[each]
            if not self.is_final and verdict.outcome == PLANNED and not result.remote_id and not result.again:
                verdict = self._without_id(writes)
            if verdict.outcome != before:
                writes.item(row.position, *verdict, batch)
        if self.is_final:
            writes.span(batch, SENDING, *verdicts[usual])
            if reading.already_present:
                self._count_already_present(dispatch, reading.already_present, writes)
        if may_repeat:
            writes.batch(batch, SyncBatch.State.PLANNED)
            self._try_later(VendorBusy(f"{self.turn.label} asks for some contacts to be sent again."), writes)
        else:
            writes.batch(batch, SyncBatch.State.ANSWERED)
        if reading.list_count is not None:
            self._remember(writes, list_count=reading.list_count)

    def _verdict(self, outcome: Outcome, code: str, words: str, again: bool, *, may_repeat: bool) -> Verdict:
        """What an answer about one contact means for it. That it was created says nothing of the list yet."""
        if again and may_repeat:
            return Verdict(PLANNED, "", "")
        if outcome is Outcome.UNKNOWN:
            return Verdict(UNKNOWN, code or self._code("not_named"), words)
        if self.is_final or outcome is Outcome.REJECTED:
            return Verdict(outcome.value, code, words)
        return Verdict(PLANNED, "", "")

    def _without_id(self, writes: Writes) -> Verdict:
        writes.move(1, PLANNED, UNKNOWN)
        words = f"{self.turn.label} has the contact and did not tell its id."
        return Verdict(UNKNOWN, self._code("no_id"), words)

    def _count_already_present(self, dispatch: Dispatch, count: int, writes: Writes) -> None:
        """The vendor tells how many were in the list before, not which: the last ones stand for them, and say so.

        Not after a repeat: then it may well have been our own lost request that added them.
        """
        if turns.sends(dispatch.batch) > 1:
            return
        sent = len(dispatch.rows)
        words = f"{self.turn.label} told that {count} of these {sent} were in the list before, not which ones."
        present = ItemOutcome.ALREADY_PRESENT.value
        for row in dispatch.rows[-count:]:
            writes.item(row.position, present, "counted", words, dispatch.batch)
        writes.move(count, ItemOutcome.ADDED.value, present)

    def _keep_ids(self, dispatch: Dispatch, reading: BatchReading, writes: Writes) -> None:
        writes.remote_contacts(
            {
                row.contact_id: result.remote_id
                for row, result in zip(dispatch.rows, reading.results, strict=True)
                if result.remote_id and result.outcome in (Outcome.ADDED, Outcome.ALREADY_PRESENT)
            }
        )

    def _refused(self, dispatch: Dispatch, error: RequestRefused, writes: Writes) -> None:
        batch, rows = dispatch.batch, dispatch.rows
        named = set(error.invalid_keys)
        bad = [row for row in rows if row.remote_id in named] if named else []
        if error.status == CONFLICT:
            self._back_to_plan(dispatch, writes)
            self._try_later(error, writes)
        elif bad:
            for row in bad:
                self._reject(row, error, dispatch, writes)
                writes.forget_remote_contact(row.contact_id)
            self._back_to_plan(dispatch, writes, count=len(rows) - len(bad))
            if len(bad) == len(rows):
                writes.batch(batch, SyncBatch.State.REFUSED)
        elif not error.too_large and error.status not in PERHAPS_ONE_CONTACT:
            self._back_to_plan(dispatch, writes)
            self.trouble = error
        elif len(rows) == 1:
            self._reject(rows[0], error, dispatch, writes)
            writes.batch(batch, SyncBatch.State.REFUSED)
        else:
            self._back_to_plan(dispatch, writes)
            self._halve(dispatch, writes)
            if batch.parent_id is None:
                refused = self.turn.progress.get("refused", 0) + 1
                self._remember(writes, refused=refused)
                if refused >= MAX_REFUSED:
                    self.trouble = error

    def _reject(self, row: Row, error: VendorError, dispatch: Dispatch, writes: Writes) -> None:
        writes.item(row.position, REJECTED, error.code or "refused", error.message, dispatch.batch)
        writes.move(1, SENDING if self.is_final else PLANNED, REJECTED)

    def _halve(self, dispatch: Dispatch, writes: Writes) -> None:
        """Two smaller batches take the place of a refused one."""
        batch, rows = dispatch.batch, dispatch.rows
        middle = rows[len(rows) // 2].position
        for first, last in ((batch.first, middle - 1), (middle, batch.last)):
            writes.new_batch(
                SyncBatch(
                    run=self.turn.run,
                    sequence=self._next_sequence,
                    operation=batch.operation,
                    first=first,
                    last=last,
                    entries=batch.entries[first - batch.first : last - batch.first + 1],
                    parent=batch,
                )
            )
            self._next_sequence += 1
        writes.batch(batch, SyncBatch.State.REFUSED)

    def _not_known(self, dispatch: Dispatch, error: VendorError, writes: Writes) -> None:
        """It may have arrived. Sent again where that is harmless; otherwise it waits to be settled."""
        batch = dispatch.batch
        resend = self.operation.repeat_is_harmless and turns.sends(batch) < MAX_SENDS
        name = "unreadable" if isinstance(error, UnreadableReply) else "no_answer"
        self._mark_unknown(dispatch.batch, dispatch.rows, self._code(name), error.message, writes)
        writes.batch(batch, SyncBatch.State.PLANNED if resend else SyncBatch.State.UNKNOWN)
        self._try_later(error, writes)

    def _mark_unknown(self, batch: SyncBatch, rows: list[Row], code: str, words: str, writes: Writes) -> None:
        if self.is_final:
            writes.span(batch, SENDING, UNKNOWN, code, words)
            writes.move(len(rows), SENDING, UNKNOWN)
        elif not self.operation.repeat_is_harmless:
            for row in rows:  # not the span: the vendor had some of it already, so they were not asked for
                writes.item(row.position, UNKNOWN, code, words, batch)
            writes.move(len(rows), PLANNED, UNKNOWN)

    def _code(self, name: str) -> str:
        return name if self.is_final else f"create_{name}"

    def _back_to_plan(self, dispatch: Dispatch, writes: Writes, count: int | None = None) -> None:
        """Surely not applied."""
        writes.batch(dispatch.batch, SyncBatch.State.PLANNED)
        if self.is_final:
            writes.span(dispatch.batch, SENDING, PLANNED)
            writes.move(len(dispatch.rows) if count is None else count, SENDING, PLANNED)

    def _try_later(self, error: VendorError, writes: Writes) -> None:
        """Wait, as long as the vendor says or longer from time to time; give up after too many in a row."""
        failures = self.turn.progress.get("failures", 0)
        if not self._has_failed:  # what was in flight together fails together, and counts once
            self._has_failed = True
            failures += 1
            self._remember(writes, failures=failures)
        if failures >= MAX_FAILURES:
            self.trouble = error
            return
        if isinstance(error, VendorBusy):
            seconds = self.turn.pacer.hold_back(error.retry_after)
        else:
            seconds = back_off(failures - 1)
        if not isinstance(self.trouble, MustWait) or self.trouble.seconds < seconds:
            self.trouble = self.trouble if isinstance(self.trouble, VendorError) else MustWait(
                seconds, f"{self.turn.label}, try {failures + 1} of {MAX_FAILURES}: {error.message}"
            )  # fmt: skip

    def _remember(self, writes: Writes, **what: Any) -> None:
        if any(self.turn.progress.get(name) != value for name, value in what.items()):
            self.turn.remember(**what)
            writes.progress_changed = True


def recover(turn: Turn) -> None:
    """Batches whose worker went away between sending and storing: the same as an answer that never came."""
    for operation in turn.operations:
        sender = Sender(turn, operation)
        for batch in turn.run.batches.filter(operation=operation.name, state=SyncBatch.State.SENDING):
            writes = Writes(turn)
            unanswered = SyncAttempt.objects.filter(batch=batch, latency_ms=None).values_list("pk", flat=True)
            for attempt_id in unanswered:
                writes.answer(attempt_id, problem="WorkerGone", words=WORKER_GONE)
            standing = SENDING if sender.is_final else PLANNED
            items = turn.run.items.filter(position__range=(batch.first, batch.last), outcome=standing)
            if sender.creates:
                items = items.exclude(contact__in=turn.connection.remote_contacts.values("contact"))
            rows = [
                Row(position, contact_id, standing, "")
                for position, contact_id in items.values_list("position", "contact_id")
            ]
            resend = operation.repeat_is_harmless and turns.sends(batch) < MAX_SENDS
            sender._mark_unknown(batch, rows, sender._code("worker_gone"), WORKER_GONE, writes)
            writes.batch(batch, SyncBatch.State.PLANNED if resend else SyncBatch.State.UNKNOWN)
            writes.commit()
