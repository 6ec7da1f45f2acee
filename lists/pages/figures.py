"""What the pages draw, worked out: strips of runs, days in a chart, requests along a time axis, folded excerpts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.utils import timezone

from lists.models import Connection, RunState, SyncAttempt, SyncRun
from lists.vendors import errors

NEWEST = 30
"""Runs in the strip of a connection."""

STRIP_HEIGHT = 24
BAR_EVERY = 8
DAYS = 30
AXIS = 1000
"""Units the time of a waterfall is divided into."""


class Bar(NamedTuple):
    """One run in a connection's strip, as high as it took long."""

    run: SyncRun
    height: int

    @property
    def top(self) -> int:
        return STRIP_HEIGHT - self.height


class Strip(NamedTuple):
    """How a connection has been: its newest runs, oldest first, and what they come to.

    problems, since  runs with problems after the last good one, and when the first of them began
    """

    connection: Connection
    bars: list[Bar]
    last_good: datetime | None
    problems: int
    since: datetime | None

    @property
    def width(self) -> int:
        return BAR_EVERY * len(self.bars)


def strips() -> list[Strip]:
    """A strip for every connection that has been used, by name."""
    runs = SyncRun.objects.newest_per_connection(NEWEST).select_related("connection")
    by_name = sorted(runs, key=lambda run: (str(run.connection), run.pk))
    groups = groupby(by_name, lambda run: run.connection)
    return [_strip(connection, list(group)) for connection, group in groups if connection]


def _strip(connection: Connection, newest: list[SyncRun]) -> Strip:
    took = [(run.duration or timedelta()) for run in newest]
    longest = max(*took, timedelta(seconds=1))
    last_good: datetime | None = None
    problems: list[SyncRun] = []
    for run in newest:
        if run.state == RunState.COMPLETED:
            last_good, problems = run.finished_at, []
        elif run.has_problems:
            problems.append(run)
    return Strip(
        connection=connection,
        bars=[Bar(run, max(3, round(STRIP_HEIGHT * (time / longest)))) for run, time in zip(newest, took, strict=True)],
        last_good=last_good,
        problems=len(problems),
        since=problems[0].started_at if problems else None,
    )


class Series(NamedTuple):
    state: str
    total: int


class Days(NamedTuple):
    """Counts by day, oldest first: `rows` for the table, `chart` for Chart.js, `outcomes` heads both.

    key   the id of the element that hands the figures to the chart
    """

    key: str
    rows: list[tuple[date, list[int]]]
    outcomes: list[Series]
    chart: dict[str, Any]


def first_day() -> datetime:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1)


def days_since(since: datetime, counts: Mapping[date, Mapping[str, int]], outcomes: Iterable[str], key: str) -> Days:
    """Every day has its place, also one on which nothing happened; outcomes that never came about are left out."""
    days = [since.date() + timedelta(days=number) for number in range(DAYS)]
    totals = [Series(outcome, sum(day[outcome] for day in counts.values())) for outcome in outcomes]
    told = [series for series in totals if series.total]
    rows = [(day, [counts[day][series.state] if day in counts else 0 for series in told]) for day in days]
    series = [
        {"state": outcome.state, "values": [values[place] for _, values in rows]} for place, outcome in enumerate(told)
    ]
    return Days(key, rows, told, {"days": [f"{day:%-d %b}" for day in days], "series": series})


class Span(NamedTuple):
    """An attempt on the time axis: the wait for the pace, then the call. A call is never too short to be seen."""

    attempt: SyncAttempt
    wait_from: int
    wait: int
    call_from: int
    call: int
    number: int


def waterfall(attempts: Sequence[SyncAttempt], earlier: Mapping[int, int]) -> list[Span]:
    """The attempts along one axis from the first wait to the last answer.

    earlier  {batch id: attempts made of it before these}, so that a repeat says which it is
    """
    if not attempts:
        return []
    begins = [attempt.started_at - timedelta(milliseconds=attempt.waited_ms) for attempt in attempts]
    ends = [attempt.started_at + timedelta(milliseconds=attempt.latency_ms or 0) for attempt in attempts]
    start, whole = min(begins), max(ends) - min(begins) or timedelta(milliseconds=1)
    made = dict(earlier)
    spans = []
    for attempt, begin, end in zip(attempts, begins, ends, strict=True):
        wait_from = round(AXIS * ((begin - start) / whole))
        call_from = min(round(AXIS * ((attempt.started_at - start) / whole)), AXIS - 6)
        call = max(6, round(AXIS * ((end - attempt.started_at) / whole)))
        number = 1
        if attempt.batch_id:
            number = made[attempt.batch_id] = made.get(attempt.batch_id, 0) + 1
        spans.append(Span(attempt, wait_from, max(0, call_from - wait_from), call_from, call, number))
    return spans


def attempt_state(attempt: SyncAttempt) -> str:
    """The state whose colour a request has, by what followed from its answer."""
    if not attempt.problem:
        return "sending" if attempt.status is None else "answered"
    # A problem that is none of the vendor's (the worker went away) leaves open what became of the request.
    error = getattr(errors, attempt.problem, errors.OutcomeUnknown)
    if error.retry:
        return "waiting"
    return "unknown" if error.unknown else "rejected"


class Excerpt(NamedTuple):
    """A stored request or answer: its first line, and its body, folded where it is JSON."""

    line: str
    body: str


def folded(text: str) -> Excerpt:
    line, _, body = text.partition("\n")
    try:
        body = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:  # cut at 4 KB, a CSV file, or a page somebody put in between: shown as it is
        body = body.strip()
    return Excerpt(line, body)
