"""Works on one run: ensure the list, send the phases batch by batch, settle, finish.

Each turn begins with nothing but the rows, so it goes on wherever the last one ended, however that was. What went
wrong says by itself what follows (`lists.vendors.errors`): the run stops, this batch only, or wait and try again.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone

from lists.models import (
    Connection,
    ContactList,
    ItemOutcome,
    RemoteList,
    RunKind,
    RunState,
    SyncAttempt,
    SyncBatch,
    SyncItem,
    SyncRun,
)
from lists.sync import accounts, history, settling, translating
from lists.sync.pacing import PATIENCE, MustWait, back_off
from lists.sync.planning import SUPPRESSED
from lists.sync.sending import MAX_FAILURES, Sender, recover
from lists.sync.turn import Turn, unless_stopping
from lists.vendors.errors import (
    CredentialsRefused,
    ListGone,
    NameTaken,
    OutcomeUnknown,
    VendorError,
    VendorNotConfigured,
)
from lists.vendors.records import RemoteListInfo

if TYPE_CHECKING:
    from lists.jobs import Step

CLOSED_AT_ONCE = 5_000  # rows of one transaction that closes a stopped run
AT_ONCE = timedelta()

log = logging.getLogger(__name__)


def advance(run: SyncRun, step: "Step") -> timedelta | None:
    """One turn. When to go on: after that time, at once when it is zero, never when None. Raises LeaseLost."""
    if run.is_over:
        return None
    if run.state == RunState.STOPPING:
        _end_stopped(run, step)
        return None
    if not run.connection:
        _fail(run, step, "The connection was deleted before the run had ended.")
        return None
    step.note(state=unless_stopping(RunState.RUNNING), waiting_for="", started_at=run.started_at or timezone.now())
    try:
        turn = Turn(run, step)
    except VendorError as error:
        _stop_for(run, step, error)
        return None
    while True:
        try:
            wait = _phases(turn)
        except MustWait as must:
            wait, waiting_for = timedelta(seconds=must.seconds), must.what
        except VendorError as error:
            if not error.retry and not error.unknown:
                _stop_for(run, step, error)
                return None
            # Not a batch: looking something up or reading back. It may simply be tried again.
            failures = turn.progress.get("failures", 0) + 1
            step.note(progress=turn.remember(failures=failures))
            if failures >= MAX_FAILURES:
                _stop_for(run, step, error)
                return None
            seconds = turn.pacer.hold_back(getattr(error, "retry_after", None)) if error.retry else back_off(failures)
            wait = timedelta(seconds=seconds)
            waiting_for = f"{turn.label}, try {failures + 1} of {MAX_FAILURES}: {error.message}"
        else:
            waiting_for = f"confirming {_open(run):,} contacts at {turn.label}"
            if wait is None:
                return None
        if turn.is_stopping():
            _end_stopped(run, step)
            return None
        if not wait:
            if step.go_on():
                continue
            return AT_ONCE
        if wait.total_seconds() <= PATIENCE and step.go_on():
            step.pause(wait.total_seconds())
            continue
        turn.tell(RunState.WAITING, waiting_for)
        return wait


def _phases(turn: Turn) -> timedelta | None:
    """All that is left to do, in order. When to go on, or None: the run has ended. Raises MustWait, VendorError."""
    recover(turn)
    if turn.run.kind == RunKind.LIST:
        ensure_list(turn)
    for operation in turn.operations:
        if not Sender(turn, operation).send_all():
            return AT_ONCE
        if operation is not turn.operations[-1]:
            wait = settling.resolve(turn, operation)
            if wait is not None:
                return wait
    accounts_for(turn)
    wait = settling.look(turn)
    if wait is not None:
        return wait
    _finish(turn)
    return None


# The list ------------------------------------------------------------------------------------------------------------


def ensure_list(turn: Turn) -> None:
    """Find the list at the vendor, or make it; nothing is sent into a list that is not ours. Raises VendorError."""
    run = turn.run
    if run.remote_list is None and run.contact_list is not None:
        run.remote_list = RemoteList.objects.filter(contact_list=run.contact_list, connection=turn.connection).first()
    if run.remote_list is None:
        info = _adopt_or_create(turn)
        turn.target = info
        return
    remote = run.remote_list
    turn.target = RemoteListInfo(remote.remote_id, remote.name)
    if not turn.progress.get("list_seen"):
        info = turn.vendor.list_info(turn.target)
        if info.problem:
            raise VendorNotConfigured(f"The list “{remote.name}” cannot be filled: {info.problem}")
        with transaction.atomic():
            turn.step.note(remote_list=remote, progress=turn.remember(list_seen=True, failures=None))
            RemoteList.objects.filter(pk=remote.pk).update(vendor_count=info.count, counted_at=timezone.now())


def _adopt_or_create(turn: Turn) -> RemoteListInfo:
    run = turn.run
    if run.contact_list is None:
        raise VendorNotConfigured(f"The list “{run.list_name}” was deleted here before it was made at {turn.label}.")
    new_list = translating.new_list(run.contact_list)
    found = turn.vendor.find_lists(new_list.name)
    if not found:
        try:
            info = turn.vendor.create_list(new_list)
        except NameTaken as taken:
            found = list(taken.found)
            if not found:
                raise VendorNotConfigured(_taken(turn, new_list.name)) from taken
        except OutcomeUnknown as error:
            # Looked up by name before anything else is tried, by the next turn.
            raise MustWait(back_off(2), f"{turn.label}, which may have made the list: {error.message}") from error
        else:
            return _keep_list(turn, run.contact_list, info)
    if len(found) > 1:
        raise VendorNotConfigured(
            f"{turn.label} has {len(found)} lists named “{new_list.name}”, and it cannot be told which one is meant. "
            f"Rename all but one there, or rename the list here."
        )
    if not _tried_to_create(run):
        raise VendorNotConfigured(_taken(turn, new_list.name))
    if found[0].problem:
        raise VendorNotConfigured(f"The list “{new_list.name}” cannot be filled: {found[0].problem}")
    return _keep_list(turn, run.contact_list, found[0])


def _taken(turn: Turn, name: str) -> str:
    return (
        f"{turn.label} has a list named “{name}” already, which was not made from here. Rename one of the two, "
        "so that nobody's contacts are mixed."
    )


def _tried_to_create(run: SyncRun) -> bool:
    """Whether a create of ours went out for this list over this connection whose answer we never had."""
    tries = SyncAttempt.objects.filter(
        run__contact_list=run.contact_list, run__connection=run.connection, operation="create_list"
    )
    return tries.filter(latency_ms=None).exists() or tries.filter(
        problem__in=["OutcomeUnknown", "UnreadableReply", "WorkerGone"]
    ).exists()  # fmt: skip


def _keep_list(turn: Turn, contact_list: ContactList, info: RemoteListInfo) -> RemoteListInfo:
    run = turn.run
    try:
        with transaction.atomic():
            turn.step.note(progress=turn.remember(list_seen=True, failures=None))
            run.remote_list = RemoteList.objects.create(
                contact_list=contact_list,
                connection=turn.connection,
                remote_id=info.remote_id,
                name=info.name or run.list_name,
                vendor_count=info.count or 0,
                counted_at=timezone.now(),
            )
            turn.step.store(remote_list=run.remote_list)
    except IntegrityError as error:
        raise VendorNotConfigured(
            f"Another list of ours is “{info.name}” at {turn.label} already. Rename this one, then plan again."
        ) from error
    return RemoteListInfo(info.remote_id, info.name or run.list_name)


def accounts_for(turn: Turn) -> None:
    """What the vendor tells of the list's size, beside what our history accounts for: the drift."""
    remote = turn.run.remote_list
    if remote is None or turn.target is None:
        return
    sums = SyncRun.objects.filter(remote_list=remote).aggregate(
        held=Sum(F("added") + F("already_present") + F("confirmed"))
    )
    count = turn.progress.get("list_count")
    changes = {"accounted_count": sums["held"] or 0}
    if count is not None:
        changes |= {"vendor_count": count, "counted_at": timezone.now()}
    RemoteList.objects.filter(pk=remote.pk).update(**changes)


# Ends ----------------------------------------------------------------------------------------------------------------


def _open(run: SyncRun) -> int:
    return SyncItem.objects.filter(run=run, outcome__in=settling.OPEN).count()


def _finish(turn: Turn) -> None:
    run = turn.refresh()
    if turn.target is not None and turn.progress.get("list_count") is None:
        turn.remember(list_count=turn.vendor.list_info(turn.target).count)
        accounts_for(turn)
    # A number held back as do-not-contact is a promise kept, not a problem for somebody to solve.
    held_back = run.items.filter(outcome=ItemOutcome.NOT_SENT, code=SUPPRESSED).count()
    is_good = run.added + run.already_present + run.confirmed + held_back == run.total
    accounts_for(turn)
    history.finish(run, turn.step, RunState.COMPLETED if is_good else RunState.COMPLETED_WITH_PROBLEMS)
    if turn.connection.health != Connection.Health.OK:
        accounts.tell_health(turn.connection, None, f"A push to {turn.label} went through.")


def _stop_for(run: SyncRun, step: "Step", error: VendorError) -> None:
    """The run ends here until a person has put something right; it can be resumed."""
    if isinstance(error, CredentialsRefused | VendorNotConfigured) and run.connection:
        accounts.tell_health(run.connection, error)
    if isinstance(error, ListGone):
        run.refresh_from_db(fields=["progress"])
        step.note(progress=run.progress | {"list_gone": True})
        words = f"{error.message} Plan again to have it made anew, with all its contacts."
    else:
        words = error.message
    _fail(run, step, words)


def _fail(run: SyncRun, step: "Step", words: str) -> None:
    run.refresh_from_db()
    before = run.planned + run.not_sent == run.total
    history.finish(run, step, RunState.FAILED, f"{'Before sending' if before else 'Part-way'}: {words}")


def _end_stopped(run: SyncRun, step: "Step") -> None:
    """What was sent stays as it is; what was not is said so."""
    run.refresh_from_db()
    left = SyncItem.objects.filter(run=run, outcome__in=[ItemOutcome.PLANNED, ItemOutcome.SENDING])
    words = "The run was stopped before this contact's turn."
    if run.started_at is None:
        words = "The plan was discarded."
    _close_sending(run, step)
    while positions := list(left.order_by("position").values_list("position", flat=True)[:CLOSED_AT_ONCE]):
        with transaction.atomic():
            step.store(planned=F("planned") - len(positions), not_sent=F("not_sent") + len(positions))
            left.filter(position__range=(positions[0], positions[-1])).update(
                outcome=ItemOutcome.NOT_SENT, code="stopped", words=words, changed_at=timezone.now()
            )
    SyncBatch.objects.filter(run=run, state=SyncBatch.State.PLANNED).update(state=SyncBatch.State.NOT_SENT)
    history.finish(run, step, RunState.STOPPED)


def _close_sending(run: SyncRun, step: "Step") -> None:
    """Batches of a worker that went away: whether they arrived is not known, and nobody will look now."""
    sending = SyncItem.objects.filter(run=run, outcome=ItemOutcome.SENDING)
    with transaction.atomic():
        count = sending.count()
        step.note(sending=F("sending") - count, unknown=F("unknown") + count)
        sending.update(
            outcome=ItemOutcome.UNKNOWN,
            code="worker_gone",
            words="The worker ended before the answer was stored. Whether it was applied is not known.",
            changed_at=timezone.now(),
        )
        SyncBatch.objects.filter(run=run, state=SyncBatch.State.SENDING).update(state=SyncBatch.State.UNKNOWN)
