"""The first page: what needs a person, what is going on, how it has been."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lists import jobs
from lists.htmx import render_page
from lists.importing import describing
from lists.models import (
    Connection,
    ContactList,
    Import,
    ImportState,
    ItemOutcome,
    RowOutcome,
    RunState,
    SyncRun,
)
from lists.models.sync import SyncRunQuerySet
from lists.pages.figures import Days, days_since, first_day, strips
from lists.permissions import may, needs
from lists.sync import history

REMEMBERED = timedelta(days=14)
"""How long a run or import that ended badly is brought up, unless a later one has taken its place."""

SHOWN = 6


class Need(NamedTuple):
    """One thing that waits for a person: how it stands, in words, and the page where it is dealt with."""

    state: str
    title: str
    text: str
    url: str = ""
    action: str = ""
    word: str = ""
    is_rest: bool = False


class Needs(list[Need]):
    """What waits, most pressing first. Nothing is counted for it: of a kind that has too many, a line says so."""

    @property
    def told(self) -> str:
        """ "3 things need a person", "more than 6 things need a person"; empty when nothing does."""
        number = sum(not need.is_rest for need in self)
        more = "more than " if number < len(self) else ""
        return f"{more}{number} thing{pluralize(number)} need{pluralize(number, 's,')} a person" if number else ""


class Step(NamedTuple):
    """One of a newcomer's steps; `url` is empty for somebody who may not take it, and `who` may."""

    title: str
    text: str
    done: bool
    url: str
    action: str
    who: str
    is_next: bool = False


@require_safe
@needs("view_contactlist")
def index(request: HttpRequest) -> HttpResponse:
    """Everything a part does not show stays unasked: the values are callables and lazy querysets."""
    user = request.user
    sees_runs, sees_imports = may(user, "view_syncrun"), may(user, "view_import")
    runs = SyncRun.objects.select_related("created_by") if sees_runs else SyncRun.objects.none()
    imports = Import.objects.select_related("created_by") if sees_imports else Import.objects.none()
    live_runs = runs.under_way().exclude(state=RunState.STALLED).order_by("-id")
    live_imports = imports.under_way().order_by("-id")
    return render_page(
        request,
        "lists/dashboard/index.html",
        {
            "steps": partial(first_steps, user),
            "needs": partial(what_needs_a_person, user),
            "live_runs": live_runs,
            "live_imports": live_imports,
            "sees_runs": sees_runs,
            "sees_imports": sees_imports,
            "run_days": partial(sent_by_day, runs),
            "import_days": partial(imported_by_day, imports),
            "strips": strips if sees_runs else (),
            "lists": ContactList.objects.current().order_by("-updated_at")[:SHOWN],
            "recent_imports": imports.order_by("-id")[:SHOWN],
            "recent_runs": runs.order_by("-id")[:SHOWN],
        },
        parts={"dashboard-now": "lists/dashboard/_now.html"},
    )


def what_needs_a_person(user: User | AnonymousUser) -> Needs:
    """Most pressing first."""
    found = Needs(_silent_worker())
    if may(user, "view_connection"):
        found += _failing_connections()
    if may(user, "view_syncrun"):
        found += _runs_in_need()
    if may(user, "view_import"):
        found += _imports_in_need()
    return found


def _silent_worker() -> Iterator[Need]:
    if since := jobs.silent_since():
        yield Need(
            "stalled",
            f"No worker has checked in {since}",
            "Imports and runs wait for one. Start it with “manage.py worker”, or with “make run”.",
            word="no worker",
        )


def _failing_connections() -> Iterator[Need]:
    for connection in Connection.objects.current().filter(health=Connection.Health.FAILING):
        yield Need(
            "failed",
            f"{connection} needs attention",
            connection.health_text,
            reverse("connections-detail", args=[connection.pk]),
            "Open the connection",
        )


def _runs_in_need() -> Iterator[Need]:
    runs = SyncRun.objects.needing_a_person(timezone.now() - REMEMBERED).order_by("-id")
    for place, run in enumerate(runs[: SHOWN + 1]):
        if place == SHOWN:
            yield _rest("runs", reverse("runs-index") + "?problems=on", "Open the history")
            return
        action = "Read the plan" if run.state == RunState.AWAITING_APPROVAL else "Open the run"
        yield Need(
            run.state, str(run), run.failure or history.sentence(run), reverse("runs-detail", args=[run.pk]), action
        )


def _rest(kind: str, url: str, action: str) -> Need:
    return Need(
        "unknown", f"More {kind} need a person", f"The newest {SHOWN} are told above.", url, action, "and more", True
    )


def _imports_in_need() -> Iterator[Need]:
    ready = Import.objects.filter(state=ImportState.READY)
    failed = Import.objects.filter(state=ImportState.FAILED, created_at__gte=timezone.now() - REMEMBERED)
    imports = (failed | ready).order_by("-id")
    for place, imp in enumerate(imports[: SHOWN + 1]):
        if place == SHOWN:
            yield _rest("imports", reverse("imports-index"), "Open the imports")
            return
        url = reverse("imports-detail", args=[imp.pk])
        state, word = describing.standing(imp)
        action = "Review and import" if state == ImportState.READY else "Open the import"
        yield Need(state, str(imp), imp.failure or describing.sentence(imp), url, action, word)


def first_steps(user: User | AnonymousUser) -> list[Step]:
    """What a newcomer does, in order; empty once all of it is done."""
    steps = [
        Step(
            "Connect a vendor",
            "Kore.ai, LeadLex or Exotel; or the rehearsal, which plays them on this machine, so nothing leaves it.",
            Connection.objects.current().exists(),
            reverse("connections-new") if may(user, "add_connection") else "",
            "Connect a vendor",
            "An administrator",
        ),
        Step(
            "Make a list",
            "A list is who a campaign calls. It goes to every vendor you send it to.",
            ContactList.objects.exists(),
            reverse("lists-create") if may(user, "add_contactlist") else "",
            "Create a list",
            "A campaign manager",
        ),
        Step(
            "Upload a file",
            "You see what will happen to every row before anything is saved.",
            Import.objects.exclude(state=ImportState.DISCARDED).exists(),
            reverse("imports-new") if may(user, "upload_file") else "",
            "Upload a file",
            "Somebody who uploads files",
        ),
    ]
    open_steps = [step for step in steps if not step.done]
    return [step._replace(is_next=step is open_steps[0]) for step in steps] if open_steps else []


def sent_by_day(runs: SyncRunQuerySet) -> Days:
    """What became of the contacts of each day's runs. Rehearsals count only while nothing has ever gone out live."""
    told = runs.live() if runs.live().exists() else runs
    since = first_day()
    shown = [outcome for outcome in ItemOutcome.values if outcome not in (ItemOutcome.PLANNED, ItemOutcome.SENDING)]
    return days_since(since, told.outcomes_by_day(since), shown, "run-figures")


def imported_by_day(imports: QuerySet[Import]) -> Days:
    """What became of the rows of each day's imports."""
    since = first_day()
    finished = imports.filter(finished_at__gte=since, state__in=[ImportState.COMPLETED, ImportState.UNDONE])
    days = finished.annotate(day=TruncDate("finished_at")).values_list("day").order_by("day")
    sums = days.annotate(**{f"sum_{outcome}": Sum(outcome) for outcome in RowOutcome.values})
    counts = {day: dict(zip(RowOutcome.values, numbers, strict=True)) for day, *numbers in sums}
    return days_since(since, counts, RowOutcome.values, "import-figures")
