"""What is accepted or unknown, asked for at the vendor: read back, confirm, send what is surely missing once more.

A look reads the whole list. What it finds is confirmed. What it does not find stays as it is until enough time has
passed since it was sent; then an unknown contact is provably missing and goes out once more, while an accepted one
stays accepted: the vendor may still be at it. After the ceiling we stop looking and say so.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Exists, Max, Min, OuterRef
from django.utils import timezone

from lists import jobs
from lists.models import Contact, ItemOutcome, RunKind, RunState, SyncAttempt, SyncBatch, SyncItem, SyncRun
from lists.models.audit import record as audit
from lists.sync import planning, translating
from lists.sync.pacing import MustWait
from lists.sync.planning import PlanRefused
from lists.sync.turn import Turn, Writes, sends
from lists.vendors.base import Operation
from lists.vendors.records import ContactRecord, Member, digits

LOT = 500  # numbers of one look-up in our rows
LOOKED_UP = 1_000  # contacts asked for at a time
MAX_SENDS = 2  # of one batch, when read-backs showed that something is missing and nobody asked for more

ACCEPTED, UNKNOWN = ItemOutcome.ACCEPTED.value, ItemOutcome.UNKNOWN.value
OPEN = (ACCEPTED, UNKNOWN)
CONFIRMED, PLANNED, ADDED = ItemOutcome.CONFIRMED.value, ItemOutcome.PLANNED.value, ItemOutcome.ADDED.value

FOUND = """
    SELECT item.position, item.outcome, item.occurrence, contact.phone
    FROM lists_contact AS contact
    JOIN lists_syncitem AS item ON item.contact_id = contact.id AND item.run_id = %s
    WHERE contact.phone IN ({phones}) AND item.outcome IN ('accepted', 'unknown')
"""


# What the pages and commands ask for ---------------------------------------------------------------------------------


def settle(run: SyncRun, user: Any = None) -> None:
    """Look once more at what is open in a run that has ended. Raises PlanRefused."""
    if not run.can_settle:
        raise PlanRefused(f"Run {run.pk} has nothing to settle: nothing of it is accepted or unknown.")
    if run.connection is None:
        raise PlanRefused(f"The connection of run {run.pk} was deleted, so nobody can be asked.")
    ended = [RunState.COMPLETED_WITH_PROBLEMS, RunState.STOPPED, RunState.FAILED]
    planning.judge_use(run)
    try:
        with transaction.atomic():
            if not SyncRun.objects.filter(pk=run.pk, state__in=ended).update(**planning.begun_again(asked=True)):
                raise PlanRefused(f"Run {run.pk} is under way again already.")
            planning.leave_out_sent_since(run)
            run.refresh_from_db()
            audit(user, "settled", run)
            jobs.wake("run", run.pk)
    except IntegrityError as error:
        raise PlanRefused(
            f"“{run.list_name}” is being sent to {run.connection_name} again. Settle this run when that one has ended."
        ) from error


# Contacts of the list ------------------------------------------------------------------------------------------------


def look(turn: Turn) -> timedelta | None:
    """Look for what is open. When to look again, or None when there is nothing more to be learned.

    A look may put batches back into the plan: then the answer is zero.
    """
    pending = turn.run.items.filter(outcome__in=OPEN)
    if not pending.exists():
        return None
    state = turn.progress.get("settling") or {"began": timezone.now().timestamp(), "looks": 0, "count": None}
    waited = timezone.now().timestamp() - state["began"]
    gap = timedelta(seconds=settings.SETTLE_GAPS[min(state["looks"], len(settings.SETTLE_GAPS) - 1)])
    asked = bool(turn.progress.get("asked"))
    if not state["looks"] and not asked:
        # The vendor has only just been told; reading at once would cost requests and find little.
        _keep(turn, state | {"looks": 1})
        return gap
    count, complete = _read(turn, state)
    state.pop("read", None)
    if turn.run.kind == RunKind.LIST and complete:
        resent = _send_missing(turn, steady=asked or count == state["count"], asked=asked)
        if resent:
            turn.remember(asked=None)
            _keep(turn, None)
            return timedelta()
    if not pending.exists() or asked or waited >= settings.SETTLE_CEILING_SECONDS:
        turn.remember(asked=None)
        _keep(turn, None)
        return None
    _keep(turn, state | {"looks": state["looks"] + 1, "count": count})
    return gap


def _keep(turn: Turn, state: dict[str, Any] | None) -> None:
    turn.step.note(progress=turn.remember(settling=state))


def _read(turn: Turn, state: dict[str, Any]) -> tuple[int | None, bool]:
    """(size of the list as the vendor tells it, whether it was read from begin to end in one go).

    A list may be longer than a quota allows to read: where we have to wait, `read` in the state keeps the place, and
    the next turn goes on from there. What two such pieces do not show may have moved from one to the other meanwhile.
    """
    if turn.run.kind == RunKind.ADDRESS_BOOK:
        _find_in_address_book(turn)
        return None, True
    if turn.target is None or "read_members" not in turn.vendor.can:
        return None, False
    count = turn.vendor.list_info(turn.target).count
    seen: Counter[str] = Counter()
    lot: list[Member] = []
    start = read = state.get("read", 0)
    try:
        for page in turn.vendor.read_members(turn.target, start):
            lot += page
            read += len(page)
            if len(lot) >= LOT:
                confirm(turn, lot, seen)
                lot = []
            turn.step.moved()
            if turn.step.stopping or turn.is_stopping():
                return state["count"], False
    except MustWait:
        confirm(turn, lot, seen)
        _keep(turn, state | {"read": read})
        raise
    confirm(turn, lot, seen)
    return count, not start


def confirm(turn: Turn, members: Iterable[Member], seen: Counter[str]) -> None:
    """Those of our open contacts that are among these entries are in the list.

    seen  {number: entries so far}: in a list that takes repeats, the second one needs a second entry
    """
    numbers = [f"+{digits(member.phone)}" for member in members if digits(member.phone)]
    if not numbers:
        return
    seen.update(numbers)
    with database.cursor() as cursor:
        cursor.execute(FOUND.format(phones=", ".join(["%s"] * len(numbers))), [turn.run.pk, *numbers])
        found = [(position, outcome) for position, outcome, nth, phone in cursor.fetchall() if seen[phone] >= nth]
    writes = Writes(turn)
    for outcome, count in Counter(outcome for _, outcome in found).items():
        writes.move(count, outcome, CONFIRMED)
    for position, _ in found:
        writes.item(position, CONFIRMED, "", "", None)
    writes.is_progress = bool(found)
    writes.commit()


def _send_missing(turn: Turn, *, steady: bool, asked: bool) -> bool:
    """Put unknown contacts that are surely not there back into the plan; whether there were any.

    Once by ourselves, and once more whenever a person asks.
    """
    operation = turn.operations[-1]
    old = timezone.now() - timedelta(seconds=settings.SETTLE_MISSING_SECONDS)
    sent = SyncAttempt.objects.filter(run=turn.run, batch__operation=operation.name)
    last_sent = sent.aggregate(at=Max("started_at"))["at"]
    if not steady or (last_sent and last_sent > old):
        return False
    # Whoever was deleted here has no number any more to be found by, so not being found proves nothing.
    missing = turn.run.items.filter(
        Exists(Contact.objects.filter(pk=OuterRef("contact"))), outcome=UNKNOWN, batch__operation=operation.name
    )
    resent = False
    for batch in turn.run.batches.filter(pk__in=missing.values("batch")).order_by("sequence"):
        if sends(batch) >= MAX_SENDS and not asked:
            continue
        writes = Writes(turn)
        positions = list(missing.filter(batch=batch).values_list("position", flat=True))
        for position in positions:  # not the span: in it may be contacts whose creation is unknown
            writes.item(position, PLANNED, "", "", batch)
        writes.move(len(positions), UNKNOWN, PLANNED)
        writes.batch(batch, SyncBatch.State.PLANNED)
        writes.commit()
        resent = True
    return resent


# Contacts whose creation is unknown ----------------------------------------------------------------------------------


def resolve(turn: Turn, operation: Operation) -> timedelta | None:
    """Look for the ids of contacts whose creation is unknown. When to look again, or None.

    What is found goes back into the plan of the phases that need the id.
    """
    unknown = turn.run.items.filter(outcome=UNKNOWN, batch__operation=operation.name)
    if not unknown.exists():
        return None
    looks = turn.progress.get("resolving", 0)
    asked = bool(turn.progress.get("asked"))
    if operation.resolves and (looks < len(settings.SETTLE_GAPS[:3]) or asked):
        if looks or asked:
            _find_ids(turn, operation, unknown)
            reopen(turn, turn.operations[-1])
        if unknown.exists() and not asked:
            turn.step.note(progress=turn.remember(resolving=looks + 1))
            return timedelta(seconds=settings.SETTLE_GAPS[min(looks, len(settings.SETTLE_GAPS) - 1)])
    return None


def _find_ids(turn: Turn, operation: Operation, unknown: Any) -> None:
    since = (
        SyncAttempt.objects.filter(batch__in=unknown.values("batch"))
        .aggregate(first=Min("started_at"))["first"]
    )  # fmt: skip
    rows = list(unknown.select_related("contact").order_by("position"))
    for start in range(0, len(rows), LOOKED_UP):
        lot = [row for row in rows[start : start + LOOKED_UP] if row.contact]
        ids = turn.vendor.find_contacts([_record(row) for row in lot], since)
        _keep_found(turn, lot, ids, PLANNED)


def _find_in_address_book(turn: Turn) -> None:
    rows = list(turn.run.items.filter(outcome__in=OPEN).select_related("contact").order_by("position"))
    lot = [row for row in rows if row.contact]
    if lot and "find_contacts" in turn.vendor.can:
        _keep_found(turn, lot, turn.vendor.find_contacts([_record(row) for row in lot]), CONFIRMED)


def _record(row: SyncItem) -> ContactRecord:
    return translating.record(row.position, [getattr(row.contact, name) for name in translating.FIELDS])


def _keep_found(turn: Turn, rows: list[SyncItem], ids: dict[str, str], outcome: str) -> None:
    writes = Writes(turn)
    for row in rows:
        if (remote_id := ids.get(str(row.position))) and row.contact_id:
            writes.remote_contact(row.contact_id, remote_id)
            writes.item(row.position, outcome, "", "", None)
            writes.move(1, row.outcome, outcome)
    writes.is_progress = bool(ids)
    writes.commit()


def reopen(turn: Turn, operation: Operation) -> None:
    """Plan those batches again that hold contacts which are planned again."""
    planned = SyncItem.objects.filter(
        run=turn.run, outcome=PLANNED, position__gte=OuterRef("first"), position__lte=OuterRef("last")
    )
    turn.run.batches.filter(Exists(planned), operation=operation.name, children=None).exclude(
        state=SyncBatch.State.PLANNED
    ).update(state=SyncBatch.State.PLANNED)
