"""The history of pushes, the plan before one, and the page of each run."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, F, Min, Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.views.decorators.http import require_POST, require_safe

from lists.exporting import safe_csv
from lists.forms.runs import ItemFilterForm, PlanForm, RunFilterForm
from lists.htmx import details, go_to, render_page
from lists.masking import phone_for
from lists.models import AuditEvent, ItemOutcome, SyncAttempt, SyncBatch, SyncRun
from lists.models.audit import record
from lists.models.sync import PLAN_STATES, SyncItemQuerySet
from lists.pages.figures import Span, attempt_state, folded, strips, waterfall
from lists.paging import in_order, newest_first
from lists.permissions import may, needs
from lists.searching import searches
from lists.sync import history, planning, settling
from lists.sync.costing import Cost, cost
from lists.vendors import masking
from lists.vendors.records import ID_SLOT
from lists.vendors.registry import VENDORS
from lists.wording import vendor_label

PAGE = 50
PLAN_PAGE = 10
EVENTS = 200
LONG_WAIT_MS = 10_000
"""A wait for the pace worth a line in the timeline."""


# The list of runs ---------------------------------------------------------------------------------------------------


@require_safe
@needs("view_syncrun")
def index(request: HttpRequest) -> HttpResponse:
    """All runs, newest first, narrowed by the filters of the address."""
    form = RunFilterForm(request.GET)
    runs = SyncRun.objects.chosen(**form.chosen).select_related("created_by")
    return render_page(
        request,
        "lists/runs/index.html",
        {
            "form": form,
            "page": newest_first(runs, request.GET.get("before"), PAGE),
            "strips": strips,
            "query": without(request, "before"),
        },
        parts={"runs-table": "lists/runs/_table.html"},
    )


@require_safe
@needs("view_syncrun")
def row(request: HttpRequest, run_id: int) -> HttpResponse:
    """One line of the history, which asks for itself again while its run is under way."""
    run = get_object_or_404(SyncRun.objects.select_related("created_by"), pk=run_id)
    if not details(request):
        return go_to(request, "runs-detail", run.pk)
    return render_page(request, "lists/runs/_row.html", {"run": run})


def without(request: HttpRequest, *names: str) -> str:
    """The query string of this page, some of its parameters left out."""
    query = request.GET.copy()
    for name in names:
        query.pop(name, None)
    return query.urlencode()


# A plan -------------------------------------------------------------------------------------------------------------


@require_POST
@needs("push_list")
def plan(request: HttpRequest) -> HttpResponse:
    """Plan a push; what stands against it is told on the page it was asked from."""
    form = PlanForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return go_to(request, "lists-index")
    contact_list = form.cleaned_data["contact_list"]
    try:
        run = planning.plan(contact_list, form.cleaned_data["connection"], form.cleaned_data["kind"], request.user)
    except planning.PlanRefused as refusal:
        messages.error(request, str(refusal))
        return go_to(request, "lists-vendors", contact_list.pk)
    return go_to(request, "runs-detail", run.pk)


@require_POST
@needs("push_list")
def again(request: HttpRequest, run_id: int) -> HttpResponse:
    """Plan the same push anew; a plan that was not sent gives way to it."""
    run = _run(run_id)
    if not run.contact_list or not run.connection:
        messages.error(request, "The list or the connection of this run was deleted, so it cannot be planned again.")
        return go_to(request, "runs-detail", run.pk)
    try:
        if run.is_plan:
            planning.discard(run, request.user)
        planned = planning.plan(run.contact_list, run.connection, run.kind, request.user, trigger="retry")
    except planning.PlanRefused as refusal:
        messages.error(request, str(refusal))
        return go_to(request, "runs-detail", run.pk)
    return go_to(request, "runs-detail", planned.pk)


@require_safe
@needs("view_syncrun")
def fresh(request: HttpRequest, run_id: int) -> HttpResponse:
    """Whether the plan still says what it would say now. Asked apart, because it reads the whole list."""
    run = _run(run_id)
    context = {"run": run, "is_stale": run.is_plan and planning.is_stale(run), "asked": True}
    if not details(request):
        return _tab(request, run, "batches", {**_plan(request, run), **context})
    return render_page(request, "lists/runs/_fresh.html", context)


@require_POST
@needs("push_list")
def send(request: HttpRequest, run_id: int) -> HttpResponse:
    """Send the plan as it was read; posted twice it is sent once."""
    run = get_object_or_404(SyncRun, pk=run_id)
    return _act(request, run, partial(planning.queue, run, request.user), "Queued. A worker begins to send shortly.")


@require_POST
@needs("push_list")
def ask(request: HttpRequest, run_id: int) -> HttpResponse:
    """Leave the sending to somebody else's judgement."""
    run = get_object_or_404(SyncRun, pk=run_id)
    done = "The plan waits for somebody else to approve it."
    return _act(request, run, partial(planning.ask_for_approval, run, request.user), done)


@require_POST
@needs("approve_run")
def approve(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(SyncRun, pk=run_id)
    done = "Approved and queued. A worker begins to send shortly."
    return _act(request, run, partial(planning.approve, run, request.user), done)


@require_POST
@needs("push_list")
def discard(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(SyncRun, pk=run_id)
    return _act(request, run, partial(planning.discard, run, request.user), "The plan is discarded. Nothing was sent.")


# One run ------------------------------------------------------------------------------------------------------------


TABS = {
    "contacts": "Contacts",
    "requests": "Requests",
    "batches": "Plan",
    "timeline": "Timeline",
    "settings": "Settings used",
}
WHAT_TO_DO = {
    "suppressed": "Nothing is left to do: these numbers stay out of every run until somebody lifts them.",
    "rejected": "Put right what {label} says below, in the contacts or there, then plan the rest.",
    "settle": "Look for them at {vendor}: what is found is confirmed, what is surely missing goes out once more.",
    "plan_again": "Plan again: a plan holds only the contacts that {vendor} is not known to hold.",
    "fix_contacts": "Complete these contacts, then plan again.",
}


@dataclass(frozen=True)
class Card:
    """One cause as `components/_cause.html` draws it."""

    state: str
    title: str
    count: int
    text: str
    quote: str
    samples: list[tuple[str, str]]
    href: str
    action: str
    unit: str = "contacts"


@require_safe
@needs("view_syncrun")
def detail(request: HttpRequest, run_id: int) -> HttpResponse:
    """The plan while nothing has left; after that what became of every contact."""
    is_plan = SyncRun.objects.filter(pk=run_id, state__in=PLAN_STATES).exists()
    return batches(request, run_id) if is_plan else contacts(request, run_id)


@searches
@require_safe
@needs("view_syncrun")
def contacts(request: HttpRequest, run_id: int) -> HttpResponse:
    """What became of every contact, narrowed by outcome or searched, in the order of the plan."""
    run = _run(run_id)
    form = ItemFilterForm(request.GET)
    items = run.items.chosen(**form.chosen).select_related("contact")
    return _tab(
        request,
        run,
        "contacts",
        {
            "form": form,
            "page": in_order(items, "position", request.GET.get("after"), PAGE),
            "query": without(request, "after"),
            "may_export": may(request.user, "export_contacts") and may(request.user, "see_numbers"),
        },
    )


@require_safe
@needs("view_syncrun")
def requests(request: HttpRequest, run_id: int) -> HttpResponse:
    """Every request of the run along one time axis, in the order they left."""
    run = _run(run_id)
    page = in_order(history.requests(run), "id", request.GET.get("after"), PAGE)
    return _tab(request, run, "requests", {"page": page, "spans": partial(_spans, run, page.rows)})


def _spans(run: SyncRun, attempts: list[SyncAttempt]) -> list[Span]:
    if not attempts:
        return []
    repeated = run.attempts.filter(batch__in={attempt.batch_id for attempt in attempts}, pk__lt=attempts[0].pk)
    return waterfall(attempts, dict(repeated.values_list("batch").annotate(Count("id"))))


@require_safe
@needs("view_syncrun")
def attempt(request: HttpRequest, run_id: int, attempt_id: int) -> HttpResponse:
    """One request and its answer, side by side; both were masked before they were stored."""
    made = get_object_or_404(SyncAttempt.objects.select_related("run", "batch"), pk=attempt_id, run=run_id)
    return render_page(
        request,
        "lists/runs/attempt.html",
        {
            "run": made.run,
            "attempt": made,
            "operation": _labels(made.run).get(made.operation, made.operation.replace("_", " ").capitalize()),
            "sent": folded(made.request_excerpt),
            "answered": folded(made.answer_excerpt),
        },
    )


@require_safe
@needs("view_syncrun")
def batches(request: HttpRequest, run_id: int) -> HttpResponse:
    """What was meant to be sent: counts by operation, what is left out and why, and every request's contacts."""
    run = _run(run_id)
    return _tab(request, run, "batches", _plan(request, run))


def _plan(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    page = in_order(run.batches.filter(parent=None), "sequence", request.GET.get("after"), PLAN_PAGE)
    return {
        "page": page,
        "batches": partial(_readable, run, page.rows, in_full=may(request.user, "see_numbers")),
        "operations": partial(_operations, run),
        "cost": _cost(run),
        "slot": ID_SLOT,
        "left_out": run.items.filter(outcome=ItemOutcome.NOT_SENT).values("words").annotate(count=Count("position")),
    }


class Phase(NamedTuple):
    label: str
    requests: int
    contacts: int


def _labels(run: SyncRun) -> dict[str, str]:
    """{operation: what it does, in words}; operations a vendor no longer has keep their name."""
    vendor = VENDORS.get(run.vendor)
    return {o.name: o.label for phases in vendor.operations.values() for o in phases} if vendor else {}


def _operations(run: SyncRun) -> list[Phase]:
    labels = _labels(run)
    phases = (
        run.batches.filter(parent=None)
        .values_list("operation")
        .annotate(begins=Min("sequence"), requests=Count("id"), contacts=Sum(F("last") - F("first") + 1))
        .order_by("begins")
    )
    return [Phase(labels.get(name, name), requests, contacts) for name, _, requests, contacts in phases]


def _cost(run: SyncRun) -> Cost | None:
    """What the plan would cost if it were sent now; None once it was, or where its connection is deleted."""
    if not run.is_plan or run.connection is None:
        return None
    return cost(run.connection, run.kind, run.batch_count, run.held_before + run.planned)


def _readable(run: SyncRun, batches: list[SyncBatch], *, in_full: bool) -> Iterator[tuple[SyncBatch, str, str]]:
    """Each batch with its operation's words and what it says of its contacts, numbers masked unless `in_full`."""
    labels = _labels(run)
    for batch in batches:
        text = json.dumps(batch.entries, indent=2, ensure_ascii=False)
        yield batch, labels.get(batch.operation, batch.operation), text if in_full else masking.mask(text)


@require_safe
@needs("view_syncrun")
def timeline(request: HttpRequest, run_id: int) -> HttpResponse:
    run = _run(run_id)
    return _tab(request, run, "timeline", {"moments": partial(moments, run)})


@require_safe
@needs("view_syncrun")
def settings(request: HttpRequest, run_id: int) -> HttpResponse:
    """What the plan was made with, beside what the run before it had."""
    run = _run(run_id)
    previous = run.previous()
    return _tab(request, run, "settings", {"previous": previous, "used": partial(_used, run, previous)})


LIMITS = {
    "batch": "contacts in one request",
    "per_minute": "requests a minute",
    "per_hour": "requests an hour",
    "per_day": "requests a day",
    "in_flight": "requests under way at once",
    "page": "contacts in one page of a read-back",
    "list_size": "contacts in a list",
    "list_name": "characters of a list’s name",
    "list_description": "characters of a list’s description",
    "description_required": "a description is required",
}


class Used(NamedTuple):
    label: str
    value: str
    before: str
    differs: bool


def _used(run: SyncRun, previous: SyncRun | None) -> list[Used]:
    now, before = _flat(run), _flat(previous) if previous else {}
    return [
        Used(label, value, before.get(label, ""), bool(previous) and before.get(label, "") != value)
        for label, value in sorted(now.items())  # PostgreSQL keeps no order of keys
    ]


def _flat(run: SyncRun) -> dict[str, str]:
    """{label: value} of the settings as they were; those within others by both names."""
    vendor = VENDORS.get(run.vendor)
    labels = {setting.name: setting.label for setting in vendor.settings} if vendor else {}
    labels |= {f"batch_size {name}": f"Contacts in one request: {label}" for name, label in _labels(run).items()}
    labels |= {f"limits {name}": f"The vendor’s limit: {label}" for name, label in LIMITS.items()}
    numbers = {setting.name for setting in vendor.settings if setting.kind == "number"} if vendor else set()
    flat: dict[str, Any] = {}
    for name, value in run.settings_used.items():
        flat |= {f"{name} {inner}": each for inner, each in value.items()} if isinstance(value, dict) else {name: value}
    return {
        labels.get(name, name.replace("_", " ").capitalize()): _said_of(value, is_number=name in numbers)
        for name, value in flat.items()
    }


def _said_of(value: Any, *, is_number: bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (is_number and str(value).isdecimal()):
        return f"{int(value):,}"
    return str(value)


DONE = {
    "asked_for_approval": "asked somebody else to approve the plan",
    "approved": "approved the plan",
    "queued": "sent the plan on its way",
    "stopped": "asked the run to stop",
    "discarded": "discarded the plan",
    "resumed": "resumed the run",
    "settled": "had the open contacts looked for",
    "decided": "decided what became of the open contacts",
    "exported": "exported contacts of the run",
}


class Moment(NamedTuple):
    """Something that happened to a run; `attempt` where a request tells more."""

    at: datetime
    state: str
    text: str
    attempt: SyncAttempt | None = None


def moments(run: SyncRun) -> list[Moment]:
    """The run's life in order: who did what, every long wait and every problem, at most `EVENTS` of these."""
    plan = f"{run.total:,} contact{pluralize(run.total)} in {run.batch_count:,} request{pluralize(run.batch_count)}"
    told = [Moment(run.created_at, "planned", f"Planned by {run.created_by or 'contactadmin'}: {plan}")]
    if run.started_at:
        told.append(Moment(run.started_at, "running", "Sending began"))
    worth_telling = run.attempts.exclude(problem="", waited_ms__lt=LONG_WAIT_MS).order_by("id")[:EVENTS]
    for attempt in worth_telling:
        if attempt.waited_ms >= LONG_WAIT_MS:
            waited = f"Waited {attempt.waited_ms / 1000:,.0f} s for {run.connection_name}"
            told.append(Moment(attempt.started_at, "waiting", waited))
        if attempt.problem:
            told.append(Moment(attempt.started_at, attempt_state(attempt), _said(attempt), attempt))
    for event in AuditEvent.objects.filter(object_type="syncrun", object_id=str(run.pk)).order_by("id"):
        words = f"{event.actor_name or 'contactadmin'} {DONE.get(event.action, event.action.replace('_', ' '))}"
        told.append(Moment(event.at, "updated", words))
    if run.finished_at:
        told.append(
            Moment(run.finished_at, run.state, f"{run.get_state_display().capitalize()}. {run.failure}".strip())
        )
    return sorted(told, key=lambda moment: moment.at)


def _said(attempt: SyncAttempt) -> str:
    answer = f"answered {attempt.status}" if attempt.status else "gave no answer"
    return f"{attempt.method} {attempt.path} {answer}. {attempt.words}".strip()


def _run(run_id: int) -> SyncRun:
    return get_object_or_404(
        SyncRun.objects.select_related("contact_list", "connection", "created_by", "approved_by", "stopped_by"),
        pk=run_id,
    )


def _tab(request: HttpRequest, run: SyncRun, tab: str, context: dict[str, Any]) -> HttpResponse:
    """The run's page with one of its tabs, or its head alone, or the tab alone."""
    counts = {"contacts": run.total, "requests": run.request_count}
    return render_page(
        request,
        "lists/runs/detail.html",
        {
            "run": run,
            "tabs": [
                (label, reverse(f"runs-{name}", args=[run.pk]), counts.get(name), name == tab)
                for name, label in TABS.items()
            ],
            "tab_template": f"lists/runs/_{tab}.html",
            "may_decide": tab == "contacts" and run.can_settle and may(request.user, "push_list"),
            "sentence": partial(history.sentence, run),
            "causes": partial(_cards, run, request.user) if tab == "contacts" else (),
            **context,
        },
        parts={"runs-head": "lists/runs/_head.html", f"runs-{tab}": f"lists/runs/_{tab}.html"},
    )


def _cards(run: SyncRun, user: User | AnonymousUser) -> list[Card]:
    """The causes stored with the run, each with samples as this person may see them."""
    sampled = {position for cause in run.causes for position in cause["sample"]}
    people = {
        item.position: (phone_for(item.contact.phone, user) if item.contact else "deleted since", "")
        for item in run.items.filter(position__in=sampled).select_related("contact")
    }
    contacts_url = reverse("runs-contacts", args=[run.pk])
    return [
        Card(
            state=cause["class"],
            title=cause["explanation"],
            count=cause["count"],
            text=_advice(cause).format(vendor=run.connection_name, label=vendor_label(run.vendor)),
            quote="" if cause["code"] in SAID else cause["words"],
            samples=[people[position] for position in cause["sample"] if position in people],
            href=f"{contacts_url}?{urlencode({'outcome': cause['class'], 'code': cause['code']})}",
            action="Open this contact" if cause["count"] == 1 else f"Open these {cause['count']:,} contacts",
            unit="contact" if cause["count"] == 1 else "contacts",
        )
        for cause in run.causes
    ]


SAID = ("stopped", "suppressed", "deleted")
"""Codes of ours whose words say what the title of the cause says already."""


def _advice(cause: dict[str, Any]) -> str:
    """What a person does about it: by its code where that says enough, by what the vendor said, else by its action."""
    by_class = cause["class"] if cause["words"] else ""
    return next((WHAT_TO_DO[key] for key in (cause["code"], cause["action"], by_class) if key in WHAT_TO_DO), "")


@require_POST
@needs("export_contacts")
@needs("see_numbers")
@needs("view_syncrun")
def export(request: HttpRequest, run_id: int) -> StreamingHttpResponse:
    """All contacts that the filter shows, as a CSV file that a spreadsheet opens without running any of it.

    A post, because it is written down who took them.
    """
    run = _run(run_id)
    form = ItemFilterForm(request.GET)
    # What was searched for may be a number, which has no place in the audit.
    record(request.user, "exported", run, outcome=form.chosen.get("outcome", ""), searched="q" in form.chosen)
    name = f"run-{run.pk}{'-' + form.chosen['outcome'] if 'outcome' in form.chosen else ''}.csv"
    return StreamingHttpResponse(
        safe_csv(_cells(run.items.chosen(**form.chosen).select_related("contact"))),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": content_disposition_header(True, name) or ""},
    )


def _cells(items: SyncItemQuerySet) -> Iterator[Iterable[object]]:
    yield ("phone", "first_name", "last_name", "email", "outcome", "code", "words", "since")
    for item in items.iterator(chunk_size=2000):
        contact = item.contact
        person = [contact.phone, contact.first_name, contact.last_name, contact.email] if contact else [""] * 4
        since = item.changed_at.isoformat(timespec="seconds") if item.changed_at else ""
        yield (*person, item.outcome, item.code, item.words, since)


# What a person may do about a run -----------------------------------------------------------------------------------


def _act(request: HttpRequest, run: SyncRun, act: Callable[[], object], done: str) -> HttpResponse:
    """Do it and say so, or say why not; the same post a second time is refused by the run's state, not by luck."""
    try:
        act()
    except planning.PlanRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return go_to(request, "runs-detail", run.pk)


@require_POST
@needs("push_list")
def stop(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(SyncRun, pk=run_id)
    done = "Stopping: the request under way is finished first. What was sent stays recorded."
    return _act(request, run, partial(planning.stop, run, request.user), done)


@require_POST
@needs("push_list")
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(SyncRun, pk=run_id)
    return _act(request, run, partial(planning.resume, run, request.user), f"{run} goes on where it ended.")


@require_POST
@needs("push_list")
def settle(request: HttpRequest, run_id: int) -> HttpResponse:
    run = get_object_or_404(SyncRun, pk=run_id)
    done = f"{run.connection_name} is asked what became of the open contacts."
    return _act(request, run, partial(settling.settle, run, request.user), done)


@require_POST
@needs("push_list")
def decide(request: HttpRequest, run_id: int) -> HttpResponse:
    """A person's word for what is open, where the vendor cannot be asked or does not tell."""
    run = get_object_or_404(SyncRun, pk=run_id)
    arrived = request.POST.get("arrived") == "yes"
    done = "Counted as confirmed." if arrived else "Counted as not sent. The next plan takes them up."
    return _act(request, run, partial(settling.decide, run, request.user, arrived=arrived), done)
