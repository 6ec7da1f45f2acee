"""Rows that share a number with an earlier line or with a contact we have: how they differ, and what each policy would
do to the contacts.

Only reads; what becomes of such a row is decided in `matching`.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, Min

from lists.fields import BY_NAME, TEXTS
from lists.importing.columns import Mapping
from lists.importing.matching import LABELS, is_changed
from lists.models import Import, ImportRow, OnExisting

# --- by pattern -------------------------------------------------------------------------------------------------------


class Pattern(NamedTuple):
    """Repeats that differ in the same fields: `fields` are their names, none when they are alike."""

    fields: tuple[str, ...]
    sentence: str
    rows: int
    first_line: int


def repeats_in_file(imported: Import) -> list[Pattern]:
    """Lines whose number an earlier line had, grouped by what they say differently, most rows first."""
    groups = (
        imported.rows.exclude(same_as=None)
        .values("column")
        .annotate(rows=Count("line"), first_line=Min("line"))
        .order_by("-rows", "column")
    )
    patterns = []
    for group in groups:
        fields = tuple(filter(None, group["column"].split(",")))
        said = f"other {_listed(fields)}" if fields else "nothing new"
        patterns.append(Pattern(fields, f"Same number, {said}", group["rows"], group["first_line"]))
    return patterns


def matches_with_existing(imported: Import) -> list[Pattern]:
    """Lines whose number a contact has already, grouped by where they differ from it as it is now, most rows first."""
    states = [
        f"CASE WHEN r.{field} = '' OR r.{field} = c.{field} THEN '' WHEN c.{field} = '' THEN 'new' ELSE 'other' END"
        for field in TEXTS
    ]
    names = [f"state_{field}" for field in TEXTS]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(names)}, COUNT(*), MIN(line) FROM (
                SELECT r.line, {", ".join(f"{state} AS {name}" for state, name in zip(states, names, strict=True))}
                FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
                WHERE r.imported_id = %(import_id)s AND r.outcome IN ('updated', 'unchanged') AND r.same_as IS NULL
            ) AS compared
            GROUP BY {", ".join(names)} ORDER BY COUNT(*) DESC, MIN(line)
            """,
            {"import_id": imported.pk},
        )
        groups = cursor.fetchall()
    patterns = []
    for *found, rows, first_line in groups:
        by_state = {
            state: tuple(field for field, here in zip(TEXTS, found, strict=True) if here == state)
            for state in ("other", "new")
        }
        parts = [
            *([f"other {_listed(by_state['other'])}"] if by_state["other"] else []),
            *([f"fills in {_listed(by_state['new'])}"] if by_state["new"] else []),
        ]
        sentence = f"Same number, {'; '.join(parts) or 'nothing new'}"
        patterns.append(Pattern((*by_state["other"], *by_state["new"]), sentence, rows, first_line))
    return patterns


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(LABELS[field] for field in fields)


# --- side by side -----------------------------------------------------------------------------------------------------


class Sides(NamedTuple):
    """Two spellings of one contact: what `first` says, what `second` says, and both by field; empty ones left out."""

    first: str
    second: str
    fields: list[tuple[str, str, str]]


def beside_first_line(imported: Import, lines: Iterable[int]) -> dict[int, Sides]:
    """{line: the repeat beside the line that had its number first}, both as their cells stand in the file."""
    rows = list(ImportRow.objects.filter(imported=imported, line__in=list(lines), same_as__isnull=False))
    firsts = ImportRow.objects.filter(imported=imported, line__in=[row.same_as for row in rows])
    cells = {row.line: row.raw for row in firsts}
    mapping = Mapping.from_dict(imported.mapping)
    columns = [(BY_NAME[name].label, at) for name, at in mapping.columns.items()]
    columns += [(imported.headers[at], at) for at in mapping.extras]
    return {
        row.line: _sides(
            f"Line {row.same_as}",
            f"Line {row.line}",
            ((label, _cell(cells.get(row.same_as or 0, []), at), _cell(row.raw, at)) for label, at in columns),
        )
        for row in rows
    }


def beside_contact(imported: Import, lines: Iterable[int]) -> dict[int, Sides]:
    """{line: the row beside the contact that has its number}, as both would be compared."""
    rows = ImportRow.objects.filter(imported=imported, line__in=list(lines)).select_related("contact")
    return {
        row.line: _sides(
            "What we have",
            f"Line {row.line}",
            ((BY_NAME[name].label, getattr(row.contact, name), getattr(row, name)) for name in TEXTS),
        )
        for row in rows
        if row.contact
    }


def _sides(first: str, second: str, fields: Iterable[tuple[str, str, str]]) -> Sides:
    return Sides(first, second, [field for field in fields if field[1] or field[2]])


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""


# --- what another policy would do -------------------------------------------------------------------------------------


class Effect(NamedTuple):
    """Contacts of ours a policy would update; `open` ones stand in the file several times and need a new check."""

    policy: OnExisting
    updated: int
    open: int


def effects(imported: Import) -> list[Effect]:
    """What each policy would do to the contacts we have, before a person switches to it.

    Lines with repeats hold values folded by the policy at hand, so what another one would do with them is open.
    """
    counts = ", ".join(_updated_under(policy) for policy in OnExisting)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {counts}, COUNT(repeated.line)
            FROM lists_importrow AS r
            JOIN lists_contact AS c ON c.id = r.contact_id
            LEFT JOIN (SELECT DISTINCT same_as AS line FROM lists_importrow
                       WHERE imported_id = %(import_id)s AND same_as IS NOT NULL) AS repeated ON repeated.line = r.line
            WHERE r.imported_id = %(import_id)s AND r.outcome IN ('updated', 'unchanged') AND r.same_as IS NULL
            """,
            {"import_id": imported.pk},
        )
        *updated, repeated = cursor.fetchone()
    return [
        Effect(policy, imported.updated, 0)
        if policy == imported.on_existing
        else Effect(policy, count or 0, 0 if policy == OnExisting.KEEP else repeated)
        for policy, count in zip(OnExisting, updated, strict=True)
    ]


def _updated_under(policy: str) -> str:
    changed = " OR ".join(is_changed(field, policy) for field in (*TEXTS, "extra"))
    return f"SUM(CASE WHEN repeated.line IS NULL AND ({changed}) THEN 1 ELSE 0 END)"
