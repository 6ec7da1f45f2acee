"""Rows that share a number with an earlier line or with a contact we have: how they differ, and what each policy would
do to the contacts.

The job counts once (`count_duplicates`) and the import keeps the figures, because a million rows are not to be counted
for every look at a page. What becomes of such a row is decided in `matching`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Min

from lists.fields import BY_NAME, TEXTS
from lists.importing.columns import Mapping
from lists.importing.lines import line_in_words
from lists.importing.matching import LABELS
from lists.importing.policy import Policy, changes_contact
from lists.importing.row_warnings import Code
from lists.models import Import, ImportRow, OnExisting, RowOutcome

# --- by pattern -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """Rows that differ in the same way from the earlier line, or the contact, that has their number.

    other            fields in which they say something else; None when they are another person's
    new              fields that they fill in
    rows, first_line how many, and the first of them
    """

    other: tuple[str, ...] | None
    new: tuple[str, ...]
    rows: int
    first_line: int

    @property
    def is_other_person(self) -> bool:
        return self.other is None

    @property
    def sentence(self) -> str:
        if self.other is None:
            return "Same number, other person"
        parts = [f"other {_listed(self.other)}"] if self.other else []
        parts += [f"fills in {_listed(self.new)}"] if self.new else []
        return f"Same number, {'; '.join(parts) or 'nothing new'}"


@dataclass(frozen=True)
class Effect:
    """Contacts of ours a policy would update; `open` ones stand in the file several times and need a new check."""

    policy: str
    updated: int
    open: int


@dataclass(frozen=True)
class Duplicates:
    """The duplicates of a file as they stood at the check, most rows first."""

    in_file: tuple[Pattern, ...] = ()
    known: tuple[Pattern, ...] = ()
    effects: tuple[Effect, ...] = ()

    @property
    def rows(self) -> int:
        return sum(pattern.rows for pattern in (*self.in_file, *self.known))

    @property
    def known_rows(self) -> int:
        return sum(pattern.rows for pattern in self.known)

    @property
    def other_people(self) -> int:
        return sum(pattern.rows for pattern in (*self.in_file, *self.known) if pattern.is_other_person)

    def as_json(self) -> dict[str, Any]:
        return {
            "in_file": [[pattern.other, pattern.new, pattern.rows, pattern.first_line] for pattern in self.in_file],
            "known": [[pattern.other, pattern.new, pattern.rows, pattern.first_line] for pattern in self.known],
            "effects": [[effect.policy, effect.updated, effect.open] for effect in self.effects],
        }

    @classmethod
    def of(cls, imported: Import) -> "Duplicates":
        """As the import keeps them; none for one that was checked by an earlier version."""
        stored = imported.duplicates

        def patterns(name: str) -> tuple[Pattern, ...]:
            return tuple(
                Pattern(None if other is None else tuple(other), tuple(new), rows, first_line)
                for other, new, rows, first_line in stored.get(name, [])
            )

        return cls(patterns("in_file"), patterns("known"), tuple(Effect(*each) for each in stored.get("effects", [])))


def count_duplicates(imported: Import) -> Duplicates:
    """Counts every row, so it is for the job; pages have `Duplicates.of`."""
    return Duplicates(_in_file(imported), _known(imported), _effects(imported))


def _in_file(imported: Import) -> tuple[Pattern, ...]:
    """Lines whose number an earlier line had, by what they say differently."""
    repeats = imported.rows.exclude(same_as=None).exclude(outcome__in=[RowOutcome.SUPPRESSED, RowOutcome.REJECTED])
    groups = (
        repeats.exclude(code=Code.SHARED_NUMBER)
        .order_by()
        .values("code", "column")
        .annotate(rows=Count("line"), first_line=Min("line"))
    )
    found: dict[tuple[str, ...] | None, Pattern] = {}
    for group in groups:
        other = None if group["code"] == Code.OTHER_PERSON else tuple(filter(None, group["column"].split(",")))
        pattern = Pattern(other, (), group["rows"], group["first_line"])
        if earlier := found.get(other):
            pattern = replace(
                pattern, rows=earlier.rows + pattern.rows, first_line=min(earlier.first_line, pattern.first_line)
            )
        found[other] = pattern
    return _most_first(found.values())


def _known(imported: Import) -> tuple[Pattern, ...]:
    """Lines whose number a contact has already, by where they differ from it as it is now."""
    states = " || ".join(
        f"CASE WHEN r.{field} = '' OR r.{field} = c.{field} THEN '=' WHEN c.{field} = '' THEN '+' ELSE '~' END"
        for field in TEXTS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT is_other_person, states, COUNT(*), MIN(line) FROM (
                SELECT r.line, CASE WHEN r.code = '{Code.OTHER_PERSON}' THEN 1 ELSE 0 END AS is_other_person,
                    {states} AS states
                FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
                WHERE r.imported_id = %(import_id)s AND r.same_as IS NULL AND (
                    r.outcome IN ('updated', 'unchanged') OR r.code = '{Code.OTHER_PERSON}')
            ) AS compared
            GROUP BY is_other_person, states
            """,
            {"import_id": imported.pk},
        )
        groups = cursor.fetchall()
    patterns, other_people = [], []
    for is_other_person, states, rows, first_line in groups:
        if is_other_person:
            other_people.append((rows, first_line))
            continue
        other, new = (
            tuple(field for field, here in zip(TEXTS, states, strict=True) if here == state) for state in "~+"
        )
        patterns.append(Pattern(other, new, rows, first_line))
    if other_people:
        counts, lines = zip(*other_people, strict=True)
        patterns.append(Pattern(None, (), sum(counts), min(lines)))
    return _most_first(patterns)


def _effects(imported: Import) -> tuple[Effect, ...]:
    """What each policy would do to the contacts we have, before a person switches to it.

    Lines with repeats hold values folded by the policy at hand, so what another one would do with them is open.
    """
    policy = Policy.of(imported)
    others = [name for name in OnExisting.values if name != imported.on_existing]
    counts = ", ".join(
        f"SUM(CASE WHEN repeated = 0 AND {changes_contact(replace(policy, on_existing=other))} THEN 1 ELSE 0 END)"
        for other in others
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH known AS MATERIALIZED (
                SELECT r.line, CASE WHEN r.line IN (
                    SELECT x.same_as FROM lists_importrow AS x
                    WHERE x.imported_id = %(import_id)s AND x.same_as IS NOT NULL
                ) THEN 1 ELSE 0 END AS repeated
                FROM lists_importrow AS r
                WHERE r.imported_id = %(import_id)s AND r.outcome IN ('updated', 'unchanged') AND r.same_as IS NULL
            )
            SELECT {counts}, SUM(repeated)
            FROM known
            JOIN lists_importrow AS r ON r.imported_id = %(import_id)s AND r.line = known.line
            JOIN lists_contact AS c ON c.id = r.contact_id
            """,
            {"import_id": imported.pk},
        )
        *updated, open_ones = (count or 0 for count in cursor.fetchone())
        cursor.execute(
            "SELECT COUNT(*) FROM lists_importrow WHERE imported_id = %(import_id)s AND outcome = 'updated'",
            {"import_id": imported.pk},
        )
        [now] = cursor.fetchone()
    counted = dict(zip(others, updated, strict=True))
    return tuple(
        Effect(name, counted.get(name, now), 0 if name in (OnExisting.KEEP, imported.on_existing) else open_ones)
        for name in OnExisting.values
    )


def _most_first(patterns: Iterable[Pattern]) -> tuple[Pattern, ...]:
    return tuple(sorted(patterns, key=lambda pattern: (-pattern.rows, pattern.first_line)))


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
            f"{line_in_words(row.same_as or 0).capitalize()}",
            f"{line_in_words(row.line).capitalize()}",
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
            f"{line_in_words(row.line).capitalize()}",
            ((BY_NAME[name].label, getattr(row.contact, name), getattr(row, name)) for name in TEXTS),
        )
        for row in rows
        if row.contact
    }


def _sides(first: str, second: str, fields: Iterable[tuple[str, str, str]]) -> Sides:
    return Sides(first, second, [field for field in fields if field[1] or field[2]])


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at].strip() if at < len(cells) else ""
