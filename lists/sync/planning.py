"""What a push will send: a snapshot of the list, less what the vendor is known to hold, cut into batches.

A plan is fixed. Its batches hold what the requests will say of each contact; an id that only an earlier phase gives
stands as a slot. A plan whose list has changed since is stale and is not sent.
"""

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from lists import db, jobs
from lists.fields import OF_CONTACT
from lists.models import (
    HELD_OUTCOMES,
    Connection,
    ContactList,
    ItemOutcome,
    Membership,
    RemoteList,
    RunKind,
    RunState,
    SyncBatch,
    SyncItem,
    SyncRun,
)
from lists.models.audit import record as audit
from lists.models.sync import PLAN_STATES, UNDER_WAY
from lists.sync import accounts, translating
from lists.sync.history import SUPPRESSED
from lists.vendors.base import HttpVendor, Operation
from lists.vendors.errors import VendorError
from lists.vendors.records import ContactRecord, Problem

CHUNK = 5_000  # rows of one write transaction
UNREADY = "unready"

# Memberships the vendor is not known to hold.
SNAPSHOT = """
    SELECT membership.contact_id, membership.occurrence, known.contact_id IS NULL
    FROM lists_membership AS membership
    LEFT JOIN lists_remotecontact AS known
        ON known.connection_id = %(connection)s AND known.contact_id = membership.contact_id
    WHERE membership.contact_list_id = %(contact_list)s AND membership.occurrence <= %(occurrences)s
        AND NOT EXISTS (
            SELECT 1 FROM lists_syncitem AS item JOIN lists_syncrun AS run ON run.id = item.run_id
            WHERE item.contact_id = membership.contact_id AND item.occurrence = membership.occurrence
                AND item.outcome IN ({held}) AND {same_place}
        )
"""
# Those whose contact the vendor does not know first, so that the requests that create contacts cover one unbroken span
# of positions.
IN_ORDER = " ORDER BY {known_last} membership.contact_id, membership.occurrence"
HELD = ", ".join(f"'{outcome}'" for outcome in HELD_OUTCOMES)
SAME_PLACE = {
    RunKind.LIST: "run.remote_list_id = %(remote_list)s",
    RunKind.ADDRESS_BOOK: "run.connection_id = %(connection)s AND run.kind = 'address_book'",
}
MANY = 1_000_000_000

DETAILS = f"""
    SELECT contact.id, {", ".join(f"contact.{field}" for field in OF_CONTACT)},
        COALESCE(known.remote_id, ''), suppression.id IS NOT NULL
    FROM lists_contact AS contact
    LEFT JOIN lists_remotecontact AS known ON known.connection_id = %s AND known.contact_id = contact.id
    LEFT JOIN lists_suppression AS suppression
        ON suppression.phone = contact.phone AND suppression.lifted_at IS NULL
    WHERE contact.id IN ({{ids}})
"""
# The snapshot counted by do-not-contact and by which fields are blank: that is what a vendor's rules go by.
KINDS = f"""
    SELECT COUNT(*), suppression.id IS NOT NULL, {", ".join(f"contact.{field} <> ''" for field in OF_CONTACT)}
    FROM ({SNAPSHOT}) AS snapshot
    JOIN lists_contact AS contact ON contact.id = snapshot.contact_id
    LEFT JOIN lists_suppression AS suppression
        ON suppression.phone = contact.phone AND suppression.lifted_at IS NULL
    GROUP BY {", ".join(str(place) for place in range(2, len(OF_CONTACT) + 3))}
"""
ITEM_COLUMNS = ("run_id", "position", "contact_id", "occurrence", "outcome", "code", "words")


class PlanRefused(Exception):
    """Why a push cannot be planned, sent, stopped or taken up again; a sentence that says what to do."""


class Line(NamedTuple):
    """One membership of the plan; `code` and `words` say why it will not be sent, blank when it will."""

    contact_id: int
    occurrence: int
    record: ContactRecord
    code: str
    words: str


# The plan -----------------------------------------------------------------------------------------------------------


@dataclass
class Draft:
    """What a push of this list over this connection would send now. Reading it writes nothing."""

    contact_list: ContactList
    connection: Connection
    kind: str
    vendor: HttpVendor
    remote_list: RemoteList | None
    gone: RemoteList | None = None  # told as gone: whoever plans again wants it made anew, and it holds nothing yet

    def __post_init__(self) -> None:
        self.digest = hashlib.sha256()
        self.strangers = 0  # contacts of the snapshot that the vendor has given no id yet

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.vendor.operations[self.kind]

    @property
    def takes_repeats(self) -> bool:
        return self.kind == RunKind.LIST and self.contact_list.allow_duplicates and self.vendor.takes_repeats

    def snapshot(self) -> tuple[array, array]:
        """Contact ids and occurrences, in the order of the plan; one statement, so one moment."""
        known_last = "known.contact_id IS NOT NULL," if len(self.operations) > 1 else ""
        contacts, occurrences = array("q"), array("q")
        with database.cursor() as cursor:
            self._execute(cursor, SNAPSHOT + IN_ORDER.format(known_last=known_last))
            while rows := cursor.fetchmany(CHUNK):
                contacts.extend(row[0] for row in rows)
                occurrences.extend(row[1] for row in rows)
                self.strangers += sum(bool(row[2]) for row in rows)
        return contacts, occurrences

    def kinds(self) -> Iterator[tuple[int, str, str]]:
        """(contacts, code, words) of each kind of contact in the snapshot; blank for those that would be sent."""
        with database.cursor() as cursor:
            self._execute(cursor, KINDS)
            for count, is_suppressed, *is_given in cursor.fetchall():
                record = translating.record(0, ["x" if given else "" for given in is_given])
                yield count, *self.why_not(record, is_suppressed)

    def _execute(self, cursor: Any, sql: str) -> None:
        cursor.execute(
            sql.format(held=HELD, same_place=SAME_PLACE[RunKind(self.kind)]),
            {
                "connection": self.connection.pk,
                "contact_list": self.contact_list.pk,
                "remote_list": self.remote_list.pk if self.remote_list else 0,
                "occurrences": MANY if self.takes_repeats else 1,
            },
        )

    def why_not(self, record: ContactRecord, is_suppressed: bool) -> tuple[str, str]:
        """Code and words of why a contact is not sent; blank when it is."""
        if is_suppressed:
            return SUPPRESSED, "This number is do-not-contact."
        problem = self.vendor.judge_record(record, self.kind)
        if problem and problem.blocks:
            return f"{UNREADY}_{problem.field}", problem.message[:1].upper() + problem.message[1:] + "."
        return "", ""

    def lines(self, contacts: array, occurrences: array) -> Iterator[list[Line]]:
        """The snapshot in chunks, each contact judged against the vendor's rules. `digest` grows with them."""
        for start in range(0, len(contacts), CHUNK):
            ids = contacts[start : start + CHUNK]
            known = self._details(sorted(set(ids)))
            chunk = []
            for contact_id, occurrence in zip(ids, occurrences[start : start + CHUNK], strict=True):
                if contact_id not in known:
                    continue  # deleted this very moment
                *values, remote_id, is_suppressed = known[contact_id]
                record = translating.record(0, values, remote_id)
                chunk.append(Line(contact_id, occurrence, record, *self.why_not(record, is_suppressed)))
            # Do-not-contact is looked up again before every batch, so it makes no plan stale.
            said = [(line.contact_id, line.occurrence, known[line.contact_id][:-2]) for line in chunk]
            self.digest.update(repr(said).encode())
            yield chunk

    def _details(self, ids: list[int]) -> dict[int, tuple]:
        with database.cursor() as cursor:
            cursor.execute(DETAILS.format(ids=", ".join(["%s"] * len(ids))), [self.connection.pk, *ids])
            return {row[0]: row[1:] for row in cursor.fetchall()}

    def hash(self) -> str:
        """Of what the plan would say now, without making one."""
        for _ in self.lines(*self.snapshot()):
            continue
        return self.digest.hexdigest()


def plan(
    contact_list: ContactList,
    connection: Connection,
    kind: str = RunKind.LIST,
    user: Any = None,
    trigger: str = "person",
) -> SyncRun:
    """Write down everything a push would send. Raises PlanRefused."""
    draft = _drafted(contact_list, connection, kind)
    contacts, occurrences = draft.snapshot()
    held = _judge(draft, len(contacts))
    if draft.gone:
        draft.gone.delete()
    run = _begin(draft, held, user, trigger)
    try:
        _write(run, draft, contacts, occurrences)
    except IntegrityError as error:
        run.delete()
        raise PlanRefused(f"“{contact_list.name}” changed while it was being planned. Plan again.") from error
    except BaseException:
        run.delete()
        raise
    if not run.planned:
        refusal = _nothing_can_go(draft, run.not_sent, run.items.order_by().values_list("words", flat=True).distinct())
        run.delete()
        raise refusal
    return run


def wanting(contact_list: ContactList, connection: Connection) -> int:
    """How many contacts a plan would send now; never 0. Writes nothing. Raises PlanRefused as `plan` would."""
    draft = _drafted(contact_list, connection, RunKind.LIST)
    kinds = list(draft.kinds())
    total = sum(count for count, _, _ in kinds)
    _judge(draft, total)
    sendable = sum(count for count, code, _ in kinds if not code)
    if not sendable:
        raise _nothing_can_go(draft, total, sorted({words for _, _, words in kinds}))
    return sendable


def stands_in_the_way(problem: Problem, remote_list: RemoteList | None) -> bool:
    """Whether a list with this problem cannot be sent; one that is there already was named and described before."""
    return problem.blocks and (problem.field == "size" or remote_list is None)


def _judge(draft: Draft, wanted: int) -> int:
    """Entries of the list beside the `wanted` ones of the snapshot. Raises PlanRefused where it cannot be sent."""
    contact_list = draft.contact_list
    held = Membership.objects.filter(contact_list=contact_list).count() - wanted
    if not wanted:
        raise PlanRefused(_nothing_to_send(draft, held))
    if draft.kind == RunKind.LIST:
        problems = draft.vendor.judge_list(translating.new_list(contact_list), held + wanted)
        blocking = [problem.message for problem in problems if stands_in_the_way(problem, draft.remote_list)]
        if blocking:
            raise PlanRefused(
                f"{draft.vendor.label} would refuse “{contact_list.name}”: {'; '.join(blocking)}. "
                "Change the list, then plan again."
            )
    return held


def _judge_use(contact_list: ContactList, connection: Connection) -> None:
    if contact_list.archived_at:
        raise PlanRefused(f"“{contact_list.name}” is archived. Restore the list first.")
    if connection.archived_at:
        raise PlanRefused(f"The connection “{connection.name}” is no longer in use. Choose another one.")
    if connection.rehearsal and not settings.REHEARSAL:
        raise PlanRefused(f"“{connection.name}” plays against the rehearsal vendors, and REHEARSAL is off.")


def _drafted(contact_list: ContactList, connection: Connection, kind: str) -> Draft:
    _judge_use(contact_list, connection)
    try:
        vendor = accounts.connected(connection)
        accounts.pacer(vendor)
    except VendorError as error:
        raise PlanRefused(f"“{connection.name}” cannot be used: {error.message}") from error
    if kind not in vendor.operations:
        raise PlanRefused(f"{vendor.label} has no address book beside its lists. Push the list itself.")
    remote_list = gone = None
    if kind == RunKind.LIST:
        remote_list = RemoteList.objects.filter(contact_list=contact_list, connection=connection).first()
        if remote_list and _is_gone(remote_list):
            remote_list, gone = None, remote_list
    return Draft(contact_list, connection, kind, vendor, remote_list, gone)


def _is_gone(remote_list: RemoteList) -> bool:
    last = remote_list.runs.order_by("-id").values_list("progress", flat=True).first()
    return bool(last and last.get("list_gone"))


def _nothing_to_send(draft: Draft, held: int) -> str:
    name, label = draft.contact_list.name, draft.vendor.label
    if not held:
        return f"“{name}” has no contacts yet. Import some first."
    runs = SyncRun.objects.filter(contact_list=draft.contact_list, connection=draft.connection, kind=draft.kind)
    if not runs.filter(Q(accepted__gt=0) | Q(unknown__gt=0)).exists():
        return f"There is nothing to send: {label} holds all {held:,} contacts of “{name}”."
    return (
        f"There is nothing to send: {label} holds all {held:,} contacts of “{name}”, or may hold them. "
        "What is accepted or unknown can be settled in the history."
    )


def _begin(draft: Draft, held: int, user: Any, trigger: str) -> SyncRun:
    """The row of the run, which claims (list, connection) for itself. Raises PlanRefused."""
    vendor = draft.vendor
    run = SyncRun(
        contact_list=draft.contact_list,
        connection=draft.connection,
        remote_list=draft.remote_list,
        list_name=draft.contact_list.name,
        connection_name=draft.connection.name,
        vendor=vendor.key,
        rehearsal=draft.connection.rehearsal,
        kind=draft.kind,
        settings_used={
            "batch_size": {
                operation.name: accounts.batch_size(draft.connection, operation) for operation in draft.operations
            },
            "limits": {name: value for name, value in vars(vendor.limits).items() if value is not None},
            **{s.name: vendor.options[s.name] for s in vendor.settings if not s.secret and s.name != "batch_size"},
        },
        held_before=held,
        trigger=trigger,
        created_by=user,
    )
    try:
        with transaction.atomic():
            run.save(force_insert=True)
    except IntegrityError as error:
        raise PlanRefused(_why_not_now(draft.contact_list, draft.connection)) from error
    return run


def _why_not_now(contact_list: ContactList, connection: Connection) -> str:
    active = SyncRun.objects.active().filter(contact_list=contact_list, connection=connection).first()
    if not active:
        return f"“{contact_list.name}” was being sent to {connection.name} until this moment. Try again."
    if active.state in PLAN_STATES:
        return (
            f"“{contact_list.name}” has a plan for {connection.name} already: run {active.pk}. "
            "Send that one, or discard it and plan again."
        )
    return (
        f"“{contact_list.name}” is on its way to {connection.name}: run {active.pk} is {active.get_state_display()}. "
        "Wait for it to end, or stop it."
    )


def _write(run: SyncRun, draft: Draft, contacts: array, occurrences: array) -> None:
    """Items and batches, a transaction per chunk. Those that are not sent come last, so that batches are unbroken."""
    cutters = _cutters(run, draft, len(contacts))
    position = 0
    left_out: list[tuple] = []
    for chunk in draft.lines(contacts, occurrences):
        items: list[tuple] = []
        batches: list[SyncBatch] = []
        for line in chunk:
            if line.code:
                left_out.append((line.contact_id, line.occurrence, ItemOutcome.NOT_SENT.value, line.code, line.words))
                continue
            position += 1
            items.append((run.pk, position, line.contact_id, line.occurrence, ItemOutcome.PLANNED.value, "", ""))
            for cutter in cutters:
                batches += cutter.add(position, line.record)
        with transaction.atomic():
            db.insert("lists_syncitem", ITEM_COLUMNS, items)
            SyncBatch.objects.bulk_create(batches)
    rest = [batch for cutter in cutters for batch in cutter.finish(position)]
    with transaction.atomic():
        SyncBatch.objects.bulk_create(rest)
    numbered = ((run.pk, number, *row) for number, row in enumerate(left_out, start=position + 1))
    while lot := list(islice(numbered, CHUNK)):
        with transaction.atomic():
            db.insert("lists_syncitem", ITEM_COLUMNS, lot)
    run.planned, run.not_sent, run.total = position, len(left_out), position + len(left_out)
    run.batch_count = sum(cutter.cut for cutter in cutters)
    run.plan_hash = draft.digest.hexdigest()
    run.save(update_fields=["planned", "not_sent", "total", "batch_count", "plan_hash"])


class _Cutter:
    """Cuts one operation's entries into batches. sequence: the number before the first of them."""

    def __init__(self, run: SyncRun, operation: Operation, size: int, sequence: int, *, only_new: bool) -> None:
        self.run, self.operation, self.size, self.only_new = run, operation, size, only_new
        self.sequence = sequence
        self.cut = 0
        self.entries: list[Any] = []

    def add(self, position: int, record: ContactRecord) -> Iterable[SyncBatch]:
        if self.only_new and record.remote_id:
            return self.finish(position - 1)
        self.entries.append(self.operation.entry(record))
        return self.finish(position) if len(self.entries) == self.size else ()

    def finish(self, last: int) -> Iterable[SyncBatch]:
        if not self.entries:
            return ()
        self.cut += 1
        entries, self.entries = self.entries, []
        return (
            SyncBatch(
                run=self.run,
                sequence=self.sequence + self.cut,
                operation=self.operation.name,
                first=last - len(entries) + 1,
                last=last,
                entries=entries,
            ),
        )


def _cutters(run: SyncRun, draft: Draft, contacts: int) -> list[_Cutter]:
    """One per phase, each numbering its batches after all that the phases before it could need."""
    cutters, sequence = [], 0
    for operation in draft.operations:
        size = accounts.batch_size(draft.connection, operation)
        only_new = operation.gives_ids and operation is not draft.operations[-1]
        cutters.append(_Cutter(run, operation, size, sequence, only_new=only_new))
        sequence += -(-(draft.strangers if only_new else contacts) // size)
    return cutters


def _nothing_can_go(draft: Draft, count: int, reasons: Iterable[str]) -> PlanRefused:
    return PlanRefused(
        f"Nothing of “{draft.contact_list.name}” can go to {draft.vendor.label}: {count:,} cannot be sent: "
        f"{' '.join(islice(reasons, 3))}"
    )


def is_stale(run: SyncRun) -> bool:
    """Whether the same plan made now would say something else."""
    if not run.contact_list or not run.connection:
        return True
    try:
        draft = _drafted(run.contact_list, run.connection, run.kind)
    except PlanRefused:
        return True
    return draft.hash() != run.plan_hash


# What people do with it ---------------------------------------------------------------------------------------------


def ask_for_approval(run: SyncRun, user: Any) -> None:
    """Leave it to another person to send the plan. Raises PlanRefused."""
    _change(run, user, [RunState.PLANNED], "asked_for_approval", state=RunState.AWAITING_APPROVAL)


def approve(run: SyncRun, user: Any) -> None:
    """Approve another person's plan, and send it. Raises PlanRefused."""
    if user is not None and user == run.created_by:
        raise PlanRefused("Somebody else has to approve this plan: you made it.")
    _send(run, user, [RunState.AWAITING_APPROVAL], "approved")


def queue(run: SyncRun, user: Any) -> None:
    """Send the plan as it stands. Raises PlanRefused, also when it is stale or queued already."""
    _send(run, user, [RunState.PLANNED], "queued")


def _send(run: SyncRun, user: Any, states: Sequence[RunState], action: str) -> None:
    if run.state in states and is_stale(run):
        raise PlanRefused("The list or its contacts have changed since this plan was made. Discard it and plan again.")
    with transaction.atomic():
        _change(
            run, user, states, action,
            state=RunState.QUEUED, approved_by=user, approved_at=timezone.now(), due_at=Now(),
        )  # fmt: skip
        jobs.wake("run", run.pk)


def stop(run: SyncRun, user: Any) -> None:
    """Send nothing more after the batches in flight; what was sent stays recorded. Raises PlanRefused."""
    with transaction.atomic():
        states = [state for state in UNDER_WAY if state != RunState.STOPPING]
        _change(run, user, states, "stopped", state=RunState.STOPPING, stopped_by=user, due_at=Now())
        jobs.wake("run", run.pk)


def discard(run: SyncRun, user: Any = None) -> None:
    """Give up a plan that was not sent; it stays in the history. Raises PlanRefused."""
    _change(run, user, PLAN_STATES, "discarded", state=RunState.STOPPING, stopped_by=user, due_at=Now())
    jobs.work("run", run.pk)  # closes its ledger; if we die here, any worker does
    run.refresh_from_db()


def resume(run: SyncRun, user: Any) -> None:
    """Go on with a run that failed or was parked, from where it stands. Raises PlanRefused."""
    judge_use(run)
    try:
        with transaction.atomic():
            _change(run, user, [RunState.FAILED, RunState.STALLED], "resumed", **begun_again())
            leave_out_sent_since(run)
            jobs.wake("run", run.pk)
    except IntegrityError as error:
        if not run.contact_list or not run.connection:
            raise
        raise PlanRefused(_why_not_now(run.contact_list, run.connection)) from error


def begun_again(**progress: Any) -> dict[str, Any]:
    """The changes that queue a run which has ended. progress: what it begins with; the list is looked at anew.

    Whoever is about to let go of it loses it here, for letting go would take it out of circulation again.
    """
    return {
        "state": RunState.QUEUED, "failure": "", "finished_at": None, "crashes": 0, "progress": progress,
        "idle": F("idle") + (Now() - Coalesce("finished_at", Now())),
        "token": F("token") + 1, "lease_until": None, "leased_by": "", "due_at": Now(),
    }  # fmt: skip


def judge_use(run: SyncRun) -> None:
    """Raises PlanRefused where list or connection are out of use by now."""
    if run.contact_list and run.connection:
        _judge_use(run.contact_list, run.connection)


def leave_out_sent_since(run: SyncRun) -> None:
    """Contacts still planned here that another run has sent since; inside the transaction that queues the run."""
    others = SyncItem.objects.filter(
        contact=OuterRef("contact"), occurrence=OuterRef("occurrence"), outcome__in=HELD_OUTCOMES,
        run__connection=run.connection_id, run__kind=run.kind,
    ).exclude(run=run)  # fmt: skip
    if run.kind == RunKind.LIST:
        others = others.filter(run__contact_list=run.contact_list_id, run__remote_list__isnull=False)
    count = run.items.filter(Exists(others), outcome=ItemOutcome.PLANNED).update(
        outcome=ItemOutcome.NOT_SENT, code="sent_since", words="Another run has sent this contact since.",
        changed_at=timezone.now(),
    )  # fmt: skip
    SyncRun.objects.filter(pk=run.pk).update(planned=F("planned") - count, not_sent=F("not_sent") + count)


def _change(run: SyncRun, user: Any, states: Sequence[RunState], action: str, **changes: Any) -> None:
    """Change the run if it is in one of these states, and say so in the audit trail. Raises PlanRefused."""
    with transaction.atomic():
        before = run.state
        if not SyncRun.objects.filter(pk=run.pk, state__in=states).update(**changes):
            run.refresh_from_db(fields=["state"])
            raise PlanRefused(f"Run {run.pk} is {run.get_state_display()}, so this cannot be done now.")
        run.refresh_from_db()
        audit(user, action, run, state=[before, run.state])
