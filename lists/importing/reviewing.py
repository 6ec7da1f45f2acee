"""What a person looks at before and after an import: what was found in its rows, and what else could be chosen.

Only reads; `describing` puts the import itself into words.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Min

from lists import phones
from lists.fields import BY_NAME, OF_CONTACT, TEXTS
from lists.importing import undo as undoing
from lists.importing.columns import Mapping, key
from lists.importing.matching import LABELS, is_changed
from lists.importing.progress import Progress
from lists.models import Contact, Import, ImportRow, ImportState, OnExisting, RowOutcome

CAUSES = 50
SAMPLES = 3  # lines shown of a cause
DONE = (ImportState.COMPLETED, ImportState.UNDONE)


# What we remember ----------------------------------------------------------------------------------------------------


def same_file(imported: Import) -> Import | None:
    """The last time this very file was imported, by its fingerprint."""
    others = Import.objects.filter(content_hash=imported.content_hash, state=ImportState.COMPLETED)
    return others.exclude(pk=imported.pk).select_related("created_by").order_by("-id").first()


class Remembered(NamedTuple):
    """How a file with the same columns was matched last time, in the order this file has them."""

    earlier: Import
    mapping: Mapping
    on_existing: str


def remembered(imported: Import) -> Remembered | None:
    """What was chosen for the last file with these columns; None when there was none."""
    earlier = (
        Import.objects.filter(header_hash=imported.header_hash, state__in=DONE)
        .exclude(pk=imported.pk)
        .select_related("created_by")
        .order_by("-id")
        .first()
    )
    if earlier is None or not imported.dialect.get("has_header", True):
        return None
    return Remembered(
        earlier, moved(Mapping.from_dict(earlier.mapping), earlier.headers, imported), earlier.on_existing
    )


def moved(mapping: Mapping, headers: Sequence[str], imported: Import) -> Mapping:
    """The mapping of a file with `headers` for one whose columns stand in another order; the list's country stays."""
    places = {key(header): place for place, header in enumerate(imported.headers)}

    def place(at: int) -> int | None:
        return places.get(key(headers[at])) if at < len(headers) else None

    columns = {name: new for name, at in mapping.columns.items() if (new := place(at)) is not None}
    extras = [new for at in mapping.extras if (new := place(at)) is not None]
    region = Mapping.from_dict(imported.mapping).region or mapping.region
    return Mapping(columns, region, dict(mapping.constants), extras)


# Why rows were rejected ----------------------------------------------------------------------------------------------


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

    Reads every rejected row, so it is for the job; pages have `causes`. No values are kept: they go when rows go.
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


def causes(imported: Import) -> list[Cause]:
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


# Duplicates by pattern -----------------------------------------------------------------------------------------------


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


# Duplicates, side by side --------------------------------------------------------------------------------------------


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


# What another policy would do ----------------------------------------------------------------------------------------


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


# What the import changes, and what undoing it would ------------------------------------------------------------------


class Change(NamedTuple):
    label: str
    old: str
    new: str


def changes(row: ImportRow, on_existing: str) -> list[Change]:
    """Old → new, field by field, of a row that updates a contact: as it will be, or as it was once it is saved."""
    if row.outcome != RowOutcome.UPDATED:
        return []
    if row.before is not None:
        earlier, fields = row.before, [field for field in TEXTS if field in row.before]
        old_extra = row.before.get("extra")
    else:
        try:
            contact = row.contact or Contact()
        except Contact.DoesNotExist:
            contact = Contact()  # deleted since the preview; the commit will make it anew
        earlier = {field: getattr(contact, field) for field in TEXTS}
        fields = [
            field
            for field in TEXTS
            if (new := getattr(row, field))
            and new != earlier[field]
            and (on_existing == "replace" or not earlier[field])
        ]
        old_extra = contact.extra
    found = [Change(LABELS[field], earlier[field], getattr(row, field)) for field in fields]
    if old_extra is not None:
        found += [
            Change(header, old_extra.get(header, ""), value)
            for header, value in row.extra.items()
            if old_extra.get(header) != value and (on_existing == "replace" or header not in old_extra)
        ]
    return found


class RowShown(NamedTuple):
    """A row as the grid shows it: the number's cell and what repaired it, then what the row would change."""

    row: ImportRow
    written: str
    rule: str
    changes: list[Change]

    @property
    def more(self) -> str:
        return " · ".join(filter(None, (self.row.email, self.row.company, self.row.tag)))


def shown(imported: Import, row: ImportRow) -> RowShown:
    mapping = Mapping.from_dict(imported.mapping)
    written = row.raw[mapping.columns["phone"]] if mapping.columns["phone"] < len(row.raw) else ""
    rule = ""
    if row.phone and written != row.phone:
        country_at = mapping.columns.get("country")
        country = row.raw[country_at] if country_at is not None and country_at < len(row.raw) else ""
        found = phones.normalise(written, phones.region_of(country) or mapping.region or None)
        rule = found.rule if isinstance(found, phones.Phone) else ""
    return RowShown(row, written, rule, changes(row, imported.on_existing))


def undo_plan(imported: Import) -> dict[str, int]:
    """What undoing would do now: {"removed", "restored", "conflicts"}, in rows."""
    return undoing.plan(imported.pk, imported.on_existing)._asdict()


def undo_result(imported: Import) -> dict[str, int]:
    """What undoing has done: {"removed", "restored", "conflicts"}, in rows."""
    return Progress.from_json(imported.progress).undo.undone._asdict()


# The template --------------------------------------------------------------------------------------------------------


def template_csv() -> str:
    """A table with our own columns and one row that passes every check; begins with a mark that Excel needs."""
    table = io.StringIO()
    table.write("\ufeff")
    known = [BY_NAME[name] for name in OF_CONTACT]
    csv.writer(table).writerows([[field.label for field in known], [field.example for field in known]])
    return table.getvalue()
