"""Works on one run: ensure the list, send the phases batch by batch, settle, finish.

Each turn begins with nothing but the rows, so it goes on wherever the last one ended, however that was. What went
wrong says by itself what follows (`lists.vendors.errors`): the run stops, this batch only, or wait and try again.
"""

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from lists.models import (
    Connection,
    ContactList,
    ItemOutcome,
    RemoteContact,
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
from lists.sync.sending import MAX_FAILURES, WORKER_GONE, Sender, recover
from lists.sync.turn import Turn, unless_stopping
from lists.vendors.errors import (
    CredentialsRefused,
    ListGone,
    NameTaken,
    VendorError,
    VendorNotConfigured,
)
from lists.vendors.records import RemoteListInfo

if TYPE_CHECKING:
    from lists.jobs import JobLease

CLOSED_AT_ONCE = 5_000  # rows of one transaction that closes a stopped run
AT_ONCE = timedelta()

log = logging.getLogger(__name__)


def advance(run: SyncRun, lease: "JobLease") -> timedelta | None:
    """One turn. When to go on: after that time, at once when it is zero, never when None. Raises LeaseLost."""
    if run.is_over:
        return None
    if run.state == RunState.STOPPING:
        _end_stopped(run, lease)
        return None
    if not run.connection:
        _fail(run, lease, "The connection was deleted before the run had ended.")
        return None
    lease.note(state=unless_stopping(RunState.RUNNING), waiting_for="", started_at=run.started_at or timezone.now())
    try:
        turn = Turn(run, lease)
    except VendorError as error:
        _stop_for(run, lease, error)
        return None
    wait = _work(turn)
    turn.write_reads()
    return wait


def give_up(run: SyncRun, lease: "JobLease", why: str) -> None:
    """End the work on a run whose workers keep crashing; a person may resume it."""
    lease.store(state=RunState.STALLED, failure=why)


def _work(turn: Turn) -> timedelta | None:
    run, lease = turn.run, turn.lease
    while True:
        try:
            wait = _phases(turn)
        except MustWait as must:
            wait, waiting_for = timedelta(seconds=must.seconds), must.what
        except VendorError as error:
            if not error.retry and not error.unknown:
                _stop_for(run, lease, error)
                return None
            # Not a batch: looking something up or reading back. It may simply be tried again.
            failures = turn.progress.get("failures", 0) + 1
            lease.note(progress=turn.remember(failures=failures))
            if failures >= MAX_FAILURES:
                _stop_for(run, lease, error)
                return None
            seconds = turn.pacer.hold_back(getattr(error, "retry_after", None)) if error.retry else back_off(failures)
            wait = timedelta(seconds=seconds)
            waiting_for = f"{turn.label}, try {failures + 1} of {MAX_FAILURES}: {error.message}"
        else:
            waiting_for = f"confirming {_open(run):,} contacts at {turn.label}"
            if wait is None:
                return None
        if turn.is_stopping():
            _end_stopped(run, lease)
            return None
        if not wait:
            if lease.go_on():
                continue
            return AT_ONCE
        if wait.total_seconds() <= PATIENCE and lease.go_on():
            lease.pause(wait.total_seconds())
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
        # The list that is meant is the one of our id, whatever it is called now.
        name = remote.name = info.name or remote.name
        turn.target = RemoteListInfo(remote.remote_id, name)
        if turn.vendor.names_its_lists:
            found = [each.remote_id for each in turn.vendor.find_lists(name)]
            if found != [remote.remote_id]:
                raise VendorNotConfigured(
                    f"{turn.label} fills a list by its name and has {len(found)} lists named “{name}”, so it cannot be "
                    "told where the contacts would go. Leave that name to one list there, then resume."
                )
        try:
            with transaction.atomic():
                turn.lease.note(remote_list=remote, progress=turn.remember(list_seen=True, failures=None))
                RemoteList.objects.filter(pk=remote.pk).update(
                    name=name, vendor_count=info.count, counted_at=timezone.now()
                )
        except IntegrityError as error:
            raise VendorNotConfigured(_shared(turn, name)) from error


def _adopt_or_create(turn: Turn) -> RemoteListInfo:
    run = turn.run
    if run.contact_list is None:
        raise VendorNotConfigured(f"The list “{run.list_name}” was deleted here before it was made at {turn.label}.")
    new_list = translating.new_list(run.contact_list)
    found = turn.vendor.find_lists(new_list.name)
    if not found:
        try:
            return _keep_list(turn, run.contact_list, turn.vendor.create_list(new_list))
        except VendorError as error:
            # An answer came and was not what was asked for: the history says so, and that decides what may be adopted.
            answered = run.attempts.filter(operation="create_list", problem="").exclude(latency_ms=None)
            answered.update(problem=type(error).__name__, words=error.message)
            if not isinstance(error, NameTaken):
                raise  # where it may have been made, the next try looks for its name first
            found = list(error.found)
            if not found:
                raise VendorNotConfigured(_taken(turn, new_list.name)) from error
    if len(found) > 1:
        raise VendorNotConfigured(
            f"{turn.label} has {len(found)} lists named “{new_list.name}”, and it cannot be told which one is meant. "
            f"Rename all but one there, or rename the list here."
        )
    if not _may_be_ours(run, found[0]):
        raise VendorNotConfigured(_taken(turn, new_list.name))
    if found[0].problem:
        raise VendorNotConfigured(f"The list “{new_list.name}” cannot be filled: {found[0].problem}")
    return _keep_list(turn, run.contact_list, found[0])


def _taken(turn: Turn, name: str) -> str:
    return (
        f"{turn.label} has a list named “{name}” already, which was not made from here. Rename one of the two, "
        "so that nobody's contacts are mixed."
    )


def _may_be_ours(run: SyncRun, info: RemoteListInfo) -> bool:
    """Whether a create of ours for this list over this connection may have made it.

    Its answer never came or could not be read; or it told this very id, and the worker ended before it was kept.
    """
    tries = SyncAttempt.objects.filter(
        run__contact_list=run.contact_list, run__connection=run.connection, operation="create_list"
    )
    unknown = Q(problem="", latency_ms=None) | Q(problem__in=["OutcomeUnknown", "UnreadableReply", "WorkerGone"])
    return tries.filter(unknown | Q(problem="", answer_excerpt__contains=info.remote_id)).exists()


def _keep_list(turn: Turn, contact_list: ContactList, info: RemoteListInfo) -> RemoteListInfo:
    run = turn.run
    try:
        with transaction.atomic():
            turn.lease.note(progress=turn.remember(list_seen=True, failures=None))
            run.remote_list = RemoteList.objects.create(
                contact_list=contact_list,
                connection=turn.connection,
                remote_id=info.remote_id,
                name=info.name or run.list_name,
                vendor_count=info.count or 0,
                counted_at=timezone.now(),
            )
            turn.lease.store(remote_list=run.remote_list)
    except IntegrityError as error:
        raise VendorNotConfigured(_shared(turn, info.name)) from error
    return RemoteListInfo(info.remote_id, info.name or run.list_name)


def _shared(turn: Turn, name: str) -> str:
    return f"Another list of ours is “{name}” at {turn.label} already. Rename this one, then plan again."


def accounts_for(turn: Turn) -> None:
    """What the vendor tells of the list's size, beside what our history accounts for: the drift."""
    remote = turn.run.remote_list
    if remote is None or turn.target is None:
        return
    history.account(remote)
    count = turn.progress.get("list_count")
    if count is not None:
        RemoteList.objects.filter(pk=remote.pk).update(vendor_count=count, counted_at=timezone.now())


# Ends ----------------------------------------------------------------------------------------------------------------


def _open(run: SyncRun) -> int:
    return SyncItem.objects.filter(run=run, outcome__in=settling.OPEN).count()


def _finish(turn: Turn) -> None:
    run = turn.refresh()
    trouble: Exception | None = None
    if turn.target is not None and turn.progress.get("list_count") is None:
        # Every contact is decided; that the vendor does not tell how many it has now changes none of it.
        try:
            turn.remember(list_count=turn.vendor.list_info(turn.target).count)
        except ListGone:
            raise
        except (VendorError, MustWait) as error:
            trouble = error
    accounts_for(turn)
    turn.write_reads()
    history.finish(run, turn.lease, history.verdict(run))
    if isinstance(trouble, CredentialsRefused | VendorNotConfigured):
        accounts.tell_health(turn.connection, trouble)
    elif turn.connection.health != Connection.Health.OK:
        accounts.tell_health(turn.connection, None, f"A push to {turn.label} went through.")


def _stop_for(run: SyncRun, lease: "JobLease", error: VendorError) -> None:
    """The run ends here until a person has put something right; it can be resumed."""
    if isinstance(error, CredentialsRefused | VendorNotConfigured) and run.connection:
        accounts.tell_health(run.connection, error)
    if isinstance(error, ListGone):
        run.refresh_from_db(fields=["progress"])
        lease.note(progress=run.progress | {"list_gone": True})
        words = f"{error.message} Plan again to have it made anew, with all its contacts."
    else:
        words = error.message
    _fail(run, lease, words)


def _fail(run: SyncRun, lease: "JobLease", words: str) -> None:
    _close_sending(run, lease)
    run.refresh_from_db()
    before = run.planned + run.not_sent == run.total
    history.finish(run, lease, RunState.FAILED, f"{'Before sending' if before else 'Part-way'}: {words}")


def _end_stopped(run: SyncRun, lease: "JobLease") -> None:
    """What was sent stays as it is; what was not is said so."""
    run.refresh_from_db()
    if not run.plan_hash:
        _count(run, lease)
    left = SyncItem.objects.filter(run=run, outcome__in=[ItemOutcome.PLANNED, ItemOutcome.SENDING])
    words = "The run was stopped before this contact's turn."
    if run.started_at is None:
        words = "The plan was discarded."
    _close_sending(run, lease)
    while positions := list(left.order_by("position").values_list("position", flat=True)[:CLOSED_AT_ONCE]):
        with transaction.atomic():
            lease.store(planned=F("planned") - len(positions), not_sent=F("not_sent") + len(positions))
            left.filter(position__range=(positions[0], positions[-1])).update(
                outcome=ItemOutcome.NOT_SENT, code="stopped", words=words, changed_at=timezone.now()
            )
    SyncBatch.objects.filter(run=run, state=SyncBatch.State.PLANNED).update(state=SyncBatch.State.NOT_SENT)
    history.finish(run, lease, RunState.STOPPED)


def _count(run: SyncRun, lease: "JobLease") -> None:
    """The ledger of a plan whose making was broken off, from its rows: its counters were never written."""
    counted = dict(run.items.order_by().values_list("outcome").annotate(count=Count("position")))
    lease.note(
        total=sum(counted.values()), batch_count=run.batches.count(),
        **{outcome: counted.get(outcome, 0) for outcome in ItemOutcome.values},
    )  # fmt: skip
    run.refresh_from_db()


def _close_sending(run: SyncRun, lease: "JobLease") -> None:
    """Batches of a worker that went away: whether they arrived is not known, and nobody will look now.

    Contacts that were being created stand at *planned* all the while.
    """
    for batch in SyncBatch.objects.filter(run=run, state=SyncBatch.State.SENDING).order_by("sequence"):
        of_batch = SyncItem.objects.filter(run=run, position__range=(batch.first, batch.last))
        known = RemoteContact.objects.filter(connection=run.connection_id).values("contact")
        sending = of_batch.filter(outcome=ItemOutcome.SENDING)
        creating = of_batch.filter(outcome=ItemOutcome.PLANNED).exclude(contact__in=known)
        with transaction.atomic():
            sent, created = sending.count(), creating.count()
            lease.note(
                sending=F("sending") - sent, planned=F("planned") - created, unknown=F("unknown") + sent + created
            )
            for items, code in ((sending, "worker_gone"), (creating, "create_worker_gone")):
                items.update(
                    outcome=ItemOutcome.UNKNOWN, code=code, words=WORKER_GONE, batch=batch, changed_at=timezone.now()
                )
            batch.attempts.filter(latency_ms=None).update(problem="WorkerGone", words=WORKER_GONE)
            SyncBatch.objects.filter(pk=batch.pk).update(state=SyncBatch.State.UNKNOWN)
