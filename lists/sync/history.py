"""The history of a run: how it ended, why, and what to do; the same words for pages and commands."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, F, Min, QuerySet, Sum
from django.utils import timezone

from lists.models import ItemOutcome, RemoteList, RunState, SyncAttempt, SyncRun
from lists.vendors.registry import VENDORS

if TYPE_CHECKING:
    from lists.jobs import JobLease

SUPPRESSED = "suppressed"
SAMPLE = 3  # positions shown of a cause
CAUSES = 50
PROBLEMS = (ItemOutcome.REJECTED, ItemOutcome.UNKNOWN, ItemOutcome.ACCEPTED, ItemOutcome.NOT_SENT)

# {our code: (what it means, what to do)}. Codes of the vendors have their words beside them instead.
KNOWN = {
    "suppressed": ("The number is do-not-contact, so it was held back.", "open_contacts"),
    "deleted": ("The contact was deleted after the plan was made.", "open_contacts"),
    "stopped": ("The run was stopped, or the plan discarded, before their turn.", "plan_again"),
    "by_person": ("Somebody looked there and did not find these contacts.", "plan_again"),
    "sent_since": ("Another run has sent these contacts since this one ended.", "open_contacts"),
    "no_answer": ("The request may have arrived; no usable answer came back.", "settle"),
    "unreadable": ("An answer came that could not be understood, so it may have been applied.", "settle"),
    "worker_gone": ("The worker ended before the answer was stored, so it may have been applied.", "settle"),
    "not_named": ("The answer does not say what became of these contacts.", "settle"),
    "no_remote_id": (
        "The vendor told no id of these contacts, so they could not be put on the list.",
        "plan_again",
    ),
    "create_no_answer": ("Whether the vendor made these contacts is not known; they are on no list yet.", "settle"),
    "create_unreadable": ("Whether the vendor made these contacts is not known; they are on no list yet.", "settle"),
    "create_worker_gone": ("Whether the vendor made these contacts is not known; they are on no list yet.", "settle"),
    "create_not_named": ("The vendor did not name these contacts in its answer; they are on no list yet.", "settle"),
    "create_no_id": ("The vendor has these contacts and did not tell their ids.", "settle"),
}
BY_OUTCOME = {
    ItemOutcome.REJECTED: ("The vendor refused these contacts.", "open_contacts"),
    ItemOutcome.UNKNOWN: ("Whether these contacts arrived is not known.", "settle"),
    ItemOutcome.ACCEPTED: (
        "The vendor has queued these contacts and has not shown them in the list yet.",
        "settle",
    ),
    ItemOutcome.NOT_SENT: ("These contacts were not sent.", "open_contacts"),
}


def finish(run: SyncRun, lease: "JobLease", state: RunState, failure: str = "") -> None:
    """Close the run, with its causes. Raises LeaseLost."""
    with transaction.atomic():
        lease.store(
            state=state, waiting_for="", failure=failure, causes=causes(run), finished_at=timezone.now()
        )  # fmt: skip
    run.refresh_from_db()


def verdict(run: SyncRun) -> RunState:
    """How a run that came to its end has ended."""
    # A number held back as do-not-contact is a promise kept, not a problem for somebody to solve.
    held_back = run.items.filter(outcome=ItemOutcome.NOT_SENT, code=SUPPRESSED).count()
    is_good = run.added + run.already_present + run.confirmed + held_back == run.total
    return RunState.COMPLETED if is_good else RunState.COMPLETED_WITH_PROBLEMS


def account(remote: RemoteList | None) -> None:
    """Count what the vendor's list holds by our history."""
    if remote is not None:
        held = SyncRun.objects.filter(remote_list=remote).aggregate(
            held=Sum(F("added") + F("already_present") + F("confirmed"))
        )["held"]
        RemoteList.objects.filter(pk=remote.pk).update(accounted_count=held or 0)


def causes(run: SyncRun) -> list[dict[str, Any]]:
    """Problems grouped, most contacts first: [{class, code, words, explanation, action, count, sample}].

    class   the outcome; words: the vendor's own, of one of the contacts; sample: positions in the run
    action  of: settle open_contacts fix_contacts plan_again
    """
    groups = (
        run.items.filter(outcome__in=PROBLEMS)
        .order_by()
        .values("outcome", "code")
        .annotate(count=Count("position"), words=Min("words"), first=Min("position"))
        .order_by("-count", "first")[:CAUSES]
    )
    return [_cause(run, dict(group)) for group in groups]


def _cause(run: SyncRun, group: dict[str, Any]) -> dict[str, Any]:
    outcome, code = group["outcome"], group["code"]
    explanation, action = KNOWN.get(code) or BY_OUTCOME[ItemOutcome(outcome)]
    if code.startswith("unready_"):
        explanation, action = "The vendor requires something these contacts do not have.", "fix_contacts"
    same = run.items.filter(outcome=outcome, code=code, position__gte=group["first"]).order_by("position")
    return {
        "class": outcome,
        "code": code,
        "words": group["words"],
        "explanation": explanation,
        "action": action,
        "count": group["count"],
        "sample": list(same.values_list("position", flat=True)[:SAMPLE]),
    }


# Told ----------------------------------------------------------------------------------------------------------------


def sentence(run: SyncRun) -> str:
    """How the run stands, for people: “4,812 of 5,000 are in the list; LeadLex refused 100; 88 are unknown.”"""
    label = VENDORS[run.vendor].label if run.vendor in VENDORS else run.vendor
    place = "in the list" if run.kind == "list" else "in the address book"
    if run.is_plan:
        text = f"{_count(run.planned, 'contact')} would go to {label} in {_count(run.batch_count, 'request')}"
        return f"{text}; {run.not_sent:,} cannot be sent." if run.not_sent else f"{text}."
    parts = [f"{run.added + run.already_present + run.confirmed:,} of {run.total:,} are {place}"]
    parts += [text for count, text in _told(run, label) if count]
    if run.state == RunState.WAITING and run.waiting_for:
        parts.append(f"waiting: {run.waiting_for}")
    elif run.held_up_by and not run.is_over:
        parts.append(f"waiting: {run.held_up_by}")
    return "; ".join(parts).rstrip(".") + "."


def _told(run: SyncRun, label: str) -> Iterator[tuple[int, str]]:
    yield run.rejected, f"{label} refused {run.rejected:,}"
    yield run.accepted, f"{run.accepted:,} {_be(run.accepted)} accepted and not confirmed yet"
    yield run.unknown, f"of {run.unknown:,} it is not known whether {_they(run.unknown)} arrived"
    yield run.not_sent, f"{run.not_sent:,} {_be(run.not_sent, 'was', 'were')} not sent"
    left = run.planned + run.sending
    yield left, f"{left:,} {_be(left)} still to be sent"


def _be(number: int, one: str = "is", several: str = "are") -> str:
    return one if number == 1 else several


def _they(number: int) -> str:
    return "it" if number == 1 else "they"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def requests(run: SyncRun) -> QuerySet[SyncAttempt]:
    """Every request of the run, in the order they left."""
    return run.attempts.select_related("batch").order_by("id")


def as_json(run: SyncRun) -> dict[str, Any]:
    """The keys commands answer with. planned: contacts in the plan, which the outcomes add up to at the end."""
    seconds = run.duration.total_seconds() if run.duration else 0.0
    return {
        "run_id": run.pk,
        "status": run.state,
        "planned": run.total,
        **{
            outcome.value: getattr(run, outcome.value)
            for outcome in ItemOutcome
            if outcome not in (ItemOutcome.PLANNED, ItemOutcome.SENDING)
        },
        "batches": run.batch_count,
        "requests": run.request_count,
        "seconds": round(seconds, 3),
    }
