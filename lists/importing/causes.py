"""Why rows are no contacts, and what rows are warned of, grouped by cause.

The job finds the groups and the import keeps their counts and the lines of a few samples. No values are kept: they go
when rows go. Pages read the samples from the rows.
"""

from typing import Any, NamedTuple

from django.db.models import Count, Min, Q

from lists.importing.cleaning import RowWarning, cleaner
from lists.importing.columns import Mapping
from lists.importing.progress import Progress
from lists.importing.reading import Record
from lists.importing.row_warnings import KINDS, Code, Kind, is_imported
from lists.models import Import, RowOutcome

CAUSES = 50
SAMPLES = 3  # lines shown of a cause


class Cause(NamedTuple):
    """Rows that are no contacts for the same reason in the same column, and up to three of the values."""

    outcome: str
    code: str
    column: str
    reason: str
    suggestion: str
    rows: int
    first_line: int
    samples: list[str]


class Warned(NamedTuple):
    """Rows with the same warning in the same column, and up to three samples: (before, after).

    imported  whether such rows are imported as things stand
    """

    code: Code
    column: str
    kind: Kind
    rows: int
    first_line: int
    samples: list[tuple[str, str]]
    imported: bool


def find_causes(imported: Import) -> list[dict[str, Any]]:
    """As `Import.causes` keeps them, most rows first; "first" and "samples" are lines.

    Reads every such row, so it is for the job; pages have `read_causes`.
    """
    apart = imported.rows.filter(outcome__in=[RowOutcome.REJECTED, RowOutcome.SKIPPED]).order_by("line")
    groups = (
        apart.order_by()
        .values("outcome", "code", "column")
        .annotate(rows=Count("line"), reason=Min("reason"), suggestion=Min("suggestion"), first=Min("line"))
        .order_by("-rows", "code", "column")[:CAUSES]
    )
    found = []
    for group in groups:
        alike = apart.filter(
            outcome=group["outcome"], code=group["code"], column=group["column"], line__gte=group["first"]
        )
        found.append({**group, "samples": list(alike.values_list("line", flat=True)[:SAMPLES])})
    return found


def read_causes(imported: Import) -> list[Cause]:
    """Why rows are no contacts, most rows first; without samples once the rows were removed with age."""
    lines = [line for cause in imported.causes for line in cause["samples"]]
    values = dict(imported.rows.filter(line__in=lines).values_list("line", "value"))
    return [
        Cause(
            cause.get("outcome", RowOutcome.REJECTED),  # causes found by an earlier version are all of rejected rows
            cause["code"],
            cause["column"],
            cause["reason"],
            cause["suggestion"],
            cause["rows"],
            cause["first"],
            [values[line] for line in cause["samples"] if line in values],
        )
        for cause in imported.causes
    ]


def with_warning(code: str) -> Q:
    """The rows of a warning. Another person is only known once the row is matched, so there it is the row's code."""
    if code == Code.OTHER_PERSON:
        return Q(code=code)
    return ~Q(warned="") & Q(warned__contains=f",{code},")  # the first half lets the partial index be used


def find_warnings(imported: Import, progress: Progress) -> list[dict[str, Any]]:
    """As `Import.warnings` keeps them, most rows first. Warnings of single rows were counted as they were cleaned."""
    found = [
        {"code": code, "column": column, "rows": rows, "samples": lines}
        for code, columns in progress.warned.items()
        for column, (rows, *lines) in columns.items()
    ]
    for code in (Code.OTHER_PERSON, Code.SHARED_NUMBER):  # which only show among rows
        alike = imported.rows.filter(with_warning(code)).order_by("line")
        if rows := alike.count():
            lines = list(alike.values_list("line", flat=True)[:SAMPLES])
            found.append({"code": code, "column": "", "rows": rows, "samples": lines})
    return sorted(found, key=lambda warning: (-warning["rows"], warning["code"], warning["column"]))


def read_warnings(imported: Import) -> list[Warned]:
    """What rows are warned of, most rows first; without samples once the rows were removed with age."""
    lines = {line for warning in imported.warnings for line in warning["samples"]}
    told = {line: warnings_of(imported, raw, line) for line, raw in _raw(imported, lines)}
    numbers = dict(imported.rows.filter(line__in=lines).values_list("line", "phone"))
    switches = Mapping.from_dict(imported.mapping).switches
    return [
        Warned(
            Code(warning["code"]),
            warning["column"],
            KINDS[Code(warning["code"])],
            warning["rows"],
            min(warning["samples"]),
            [
                _sample(warning["code"], warning["column"], told[line], numbers[line])
                for line in warning["samples"]
                if line in told
            ],
            is_imported(warning["code"], switches),
        )
        for warning in imported.warnings
    ]


def _raw(imported: Import, lines: set[int]) -> list[tuple[int, list[str]]]:
    return list(imported.rows.filter(line__in=lines).values_list("line", "raw"))


def warnings_of(imported: Import, raw: list[str], line: int) -> tuple[RowWarning, ...]:
    """The warnings of one row, by cleaning its raw cells again."""
    clean = cleaner(Mapping.from_dict(imported.mapping), imported.headers)
    return clean(Record(line, raw)).warnings


def _sample(code: str, column: str, warnings: tuple[RowWarning, ...], number: str) -> tuple[str, str]:
    for warning in warnings:
        if warning.code == code and warning.column == column:
            return warning.value, warning.after
    return number, ""


def counts_by_code(imported: Import) -> dict[str, int]:
    """{warning code: rows}, as commands answer; a row with one warning in two columns counts in both."""
    counts: dict[str, int] = {}
    for warning in imported.warnings:
        counts[warning["code"]] = counts.get(warning["code"], 0) + warning["rows"]
    return counts
