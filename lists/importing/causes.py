"""Why rows were rejected, grouped by problem and column."""

from typing import Any, NamedTuple

from django.db.models import Count, Min

from lists.models import Import, RowOutcome

CAUSES = 50
SAMPLES = 3  # lines shown of a cause


class Cause(NamedTuple):
    """Rejected rows with the same problem in the same column, and up to three of the values."""

    code: str
    column: str
    reason: str
    suggestion: str
    rows: int
    first_line: int
    samples: list[str]


def find_causes(imported: Import) -> list[dict[str, Any]]:
    """As `Import.causes` keeps them, most rows first; "first" and "samples" are lines.

    Reads every rejected row, so it is for the job; pages have `read_causes`. No values are kept: they go when rows go.
    """
    rejected = imported.rows.filter(outcome=RowOutcome.REJECTED).order_by("line")
    groups = (
        rejected.order_by()
        .values("code", "column")
        .annotate(rows=Count("line"), reason=Min("reason"), suggestion=Min("suggestion"), first=Min("line"))
        .order_by("-rows", "code", "column")[:CAUSES]
    )
    found = []
    for group in groups:
        alike = rejected.filter(code=group["code"], column=group["column"], line__gte=group["first"])
        found.append({**group, "samples": list(alike.values_list("line", flat=True)[:SAMPLES])})
    return found


def read_causes(imported: Import) -> list[Cause]:
    """Why rows were rejected, most rows first; without samples once the rows were removed with age."""
    lines = [line for cause in imported.causes for line in cause["samples"]]
    values = dict(imported.rows.filter(line__in=lines).values_list("line", "value"))
    return [
        Cause(
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
