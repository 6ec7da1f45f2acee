"""What is accepted or unknown, asked for at the vendor: read back, confirm, send what is surely missing once more.

A look reads the whole list. What it finds is confirmed. What it does not find stays as it is until enough time has
passed since it was sent; then an unknown contact is provably missing and goes out once more. An accepted one stays
accepted, for the vendor may still be at it, until a person asks. After the ceiling we stop looking and say so; a person
who has looked there may then decide.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.db.models import Exists, F, Max, Min, OuterRef
from django.utils import timezone

from lists import jobs
from lists.fields import OF_CONTACT
from lists.models import Contact, ItemOutcome, RunKind, RunState, SyncAttempt, SyncBatch, SyncItem, SyncRun
from lists.models.audit import record as audit
from lists.sync import history, planning, translating
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
ENDED = (RunState.COMPLETED_WITH_PROBLEMS, RunState.STOPPED, RunState.FAILED)
CONFIRMED, PLANNED, ADDED = ItemOutcome.CONFIRMED.value, ItemOutcome.PLANNED.value, ItemOutcome.ADDED.value

# Whoever was deleted here has no number any more to be found by, so not being found proves nothing.
STILL_HERE = Exists(Contact.objects.filter(pk=OuterRef("contact")))

# CROSS JOIN, and no word about the outcome: else SQLite reads all items of the run, by outcome, for each lot of them.
FOUND = """
    SELECT item.position, item.outcome, item.occurrence, contact.phone
    FROM lists_contact AS contact CROSS JOIN lists_syncitem AS item
    WHERE item.run_id = %s AND item.contact_id = contact.id AND contact.phone IN ({phones})
"""


# What the pages and commands ask for ---------------------------------------------------------------------------------


def settle(run: SyncRun, user: Any = None) -> None:
    """Look once more at what is open in a run that has ended. Raises PlanRefused."""
    _must_be_open(run)
    if run.connection is None:
        raise PlanRefused(f"The connection of run {run.pk} was deleted, so nobody can be asked.")
    planning.judge_use(run)
    try:
        with transaction.atomic():
            if not SyncRun.objects.filter(pk=run.pk, state__in=ENDED).update(**planning.begun_again(asked=True)):
                raise PlanRefused(_under_way(run))
            planning.leave_out_sent_since(run)
            run.refresh_from_db()
            audit(user, "settled", run)
            jobs.wake("run", run.pk)
    except IntegrityError as error:
        raise PlanRefused(
            f"“{run.list_name}” is being sent to {run.connection_name} again. Settle this run when that one has ended."
        ) from error


def decide(run: SyncRun, user: Any, *, arrived: bool) -> int:
    """A person's word for all that is open in a run that has ended: it arrived, or it did not. Raises PlanRefused.

    What did not arrive counts as not sent, so that the next plan takes it up. Returns the contacts decided.
    """
    _must_be_open(run)
    outcome = ItemOutcome.CONFIRMED if arrived else ItemOutcome.NOT_SENT
    words = f"Somebody looked there: {'it has' if arrived else 'it does not have'} this contact."
    with transaction.atomic():
        if not SyncRun.objects.filter(pk=run.pk, state__in=ENDED).update(state=F("state")):  # ours until we end
            raise PlanRefused(_under_way(run))
        count = run.items.filter(outcome__in=OPEN).update(
            outcome=outcome, code="by_person", words=words, changed_at=timezone.now()
        )
        SyncRun.objects.filter(pk=run.pk).update(
            **dict.fromkeys(OPEN, 0), **{outcome.value: F(outcome.value) + F(ACCEPTED) + F(UNKNOWN)}
        )
        run.refresh_from_db()
        run.causes = history.causes(run)
        if run.state == RunState.COMPLETED_WITH_PROBLEMS:
            run.state = history.verdict(run)
        run.save(update_fields=["causes", "state"])
        history.account(run.remote_list)
        audit(user, "decided", run, outcome=outcome.value, contacts=count)
    return count


def _must_be_open(run: SyncRun) -> None:
    if not run.is_over:
        raise PlanRefused(_under_way(run))
    if not run.open:
        raise PlanRefused(f"Run {run.pk} has nothing to settle: nothing of it is accepted or unknown.")


def _under_way(run: SyncRun) -> str:
    return f"Run {run.pk} is under way. What is open in it can be settled when it has ended."


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
    final = turn.operations[-1]
    sent = pending.filter(batch__operation=final.name)
    count, complete = _read(turn, state) if sent.exists() else (None, False)
    state.pop("read", None)
    if turn.lease.stopping:
        return timedelta()  # the next worker looks from the begin
    steady = count == state["count"]
    if asked and complete and not state["looks"] and sent.filter(outcome=ACCEPTED).exists():
        # Only a list that has stopped growing tells that what was accepted will not come any more.
        _keep(turn, state | {"looks": 1, "count": count})
        return gap
    missing = OPEN if asked and steady else (UNKNOWN,)
    back = complete and (asked or steady) and _send_missing(turn, final, missing, asked=asked)
    if not asked and not state.get("looked_up"):
        for operation in turn.operations[:-1]:
            if operation.resolves and _is_old(turn, operation):
                state["looked_up"] = True
                back = any(_look_up(turn, operation, asked=False)) or back
    if back or not pending.exists() or asked or waited >= settings.SETTLE_CEILING_SECONDS:
        turn.remember(asked=None)
        _keep(turn, None)
        return timedelta() if back else None
    _keep(turn, state | {"looks": state["looks"] + 1, "count": count})
    return gap


def _keep(turn: Turn, state: dict[str, Any] | None) -> None:
    turn.lease.note(progress=turn.remember(settling=state))


def _read(turn: Turn, state: dict[str, Any]) -> tuple[int | None, bool]:
    """(size of the list as the vendor tells it, whether it was read from begin to end in one go).

    A list may be longer than a quota allows to read: where we have to wait, `read` in the state keeps the place, and
    the next turn goes on from there. What two such pieces do not show may have moved from one to the other meanwhile.
    """
    if turn.run.kind == RunKind.ADDRESS_BOOK:
        return None, _find_in_address_book(turn)
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
            turn.lease.moved()
            if turn.lease.stopping or turn.is_stopping():
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
        found = [
            (position, outcome)
            for position, outcome, nth, phone in cursor.fetchall()
            if outcome in OPEN and seen[phone] >= nth
        ]
    writes = Writes(turn)
    for outcome, count in Counter(outcome for _, outcome in found).items():
        writes.move(count, outcome, CONFIRMED)
    if found:
        writes.several([position for position, _ in found], CONFIRMED)
    writes.is_progress = bool(found)
    writes.commit()


def _is_old(turn: Turn, operation: Operation) -> bool:
    """Whether enough time has passed since the last of it was sent: what is not found now is missing."""
    sent = SyncAttempt.objects.filter(run=turn.run, batch__operation=operation.name)
    last = sent.aggregate(at=Max("started_at"))["at"]
    return last is None or last <= timezone.now() - timedelta(seconds=settings.SETTLE_MISSING_SECONDS)


def _send_missing(turn: Turn, operation: Operation, outcomes: Iterable[str], *, asked: bool) -> bool:
    """Put contacts that are surely not there back into the plan; whether there were any.

    Once by ourselves, and once more whenever a person asks.
    """
    if not _is_old(turn, operation):
        return False
    missing = turn.run.items.filter(STILL_HERE, outcome__in=outcomes, batch__operation=operation.name)
    back = False
    for batch in turn.run.batches.filter(pk__in=missing.values("batch")).order_by("sequence"):
        if sends(batch) >= MAX_SENDS and not asked:
            continue
        writes = Writes(turn)
        # not the span: in it may be contacts whose creation is unknown
        of_batch = missing.filter(batch=batch, position__range=(batch.first, batch.last))
        for position, outcome in list(of_batch.values_list("position", "outcome")):
            writes.item(position, PLANNED, "", "", batch)
            writes.move(1, outcome, PLANNED)
        writes.batch(batch, SyncBatch.State.PLANNED)
        writes.commit()
        back = True
    return back


# Contacts whose creation is unknown ----------------------------------------------------------------------------------


def resolve(turn: Turn, operation: Operation) -> timedelta | None:
    """Look for the ids of contacts whose creation is unknown, before the others go on. When to look again, or None.

    What is found goes back into the plan of the phases that need the id. What is surely missing is to be created
    again: then the answer is zero.
    """
    unknown = _unknown(turn, operation)
    if not unknown.exists():
        return None
    looks = turn.progress.get("resolving", 0)
    asked = bool(turn.progress.get("asked"))
    if operation.resolves and (looks < len(settings.SETTLE_GAPS[:3]) or asked):
        if looks or asked:
            _, again = _look_up(turn, operation, asked=asked)
            if again:
                turn.lease.note(progress=turn.remember(asked=None))
                return timedelta()
        if unknown.exists() and not asked:
            turn.lease.note(progress=turn.remember(resolving=looks + 1))
            return timedelta(seconds=settings.SETTLE_GAPS[min(looks, len(settings.SETTLE_GAPS) - 1)])
    return None


def _unknown(turn: Turn, operation: Operation) -> Any:
    return turn.run.items.filter(outcome=UNKNOWN, batch__operation=operation.name)


def _look_up(turn: Turn, operation: Operation, *, asked: bool) -> tuple[bool, bool]:
    """Look for the ids once: whether some were found, and whether some are to be created again."""
    unknown = _unknown(turn, operation)
    since = SyncAttempt.objects.filter(batch__in=unknown.values("batch")).aggregate(at=Min("started_at"))["at"]
    found, complete = _find(turn, unknown, PLANNED, since)
    again = complete and _send_missing(turn, operation, [UNKNOWN], asked=asked)
    if found or again:
        reopen(turn, turn.operations[-1])
    return bool(found), again


def _find_in_address_book(turn: Turn) -> bool:
    """Whether the book was read to its end."""
    if "find_contacts" not in turn.vendor.can:
        return False
    return _find(turn, turn.run.items.filter(outcome__in=OPEN), CONFIRMED)[1]


def _find(turn: Turn, items: Any, outcome: str, since: datetime | None = None) -> tuple[int, bool]:
    """(those found, which get this outcome; whether the others are surely not there)."""
    after, found, complete = 0, 0, True
    items = items.filter(STILL_HERE).select_related("contact").order_by("position")
    while lot := list(items.filter(position__gt=after)[:LOOKED_UP]):
        after = lot[-1].position
        told = turn.vendor.find_contacts([_record(row) for row in lot], since)
        _keep_found(turn, lot, told.ids, outcome)
        found += len(told.ids)
        complete = complete and told.complete
    return found, complete


def _record(row: SyncItem) -> ContactRecord:
    return translating.record(row.position, [getattr(row.contact, name) for name in OF_CONTACT])


def _keep_found(turn: Turn, rows: list[SyncItem], ids: dict[str, str], outcome: str) -> None:
    writes = Writes(turn)
    for row in rows:
        if (remote_id := ids.get(str(row.position))) and row.contact_id:
            writes.remote_contacts({row.contact_id: remote_id})
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
