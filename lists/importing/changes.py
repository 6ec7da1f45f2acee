"""What a row changes about a contact, field by field, and a row as the grid shows it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from lists import phones
from lists.fields import TEXTS
from lists.importing.cleaning import CleanRow, cleaner
from lists.importing.columns import Mapping
from lists.importing.describing import NOT_SAVED
from lists.importing.lines import file_line, line_in_words
from lists.importing.matching import LABELS
from lists.importing.policy import FOLDED, Policy, fold
from lists.importing.progress import last_counted
from lists.importing.reading import Record
from lists.importing.records import NOTES
from lists.importing.row_warnings import KINDS, Code
from lists.models import Contact, Import, ImportRow, RowOutcome


class Change(NamedTuple):
    label: str
    old: str
    new: str


def changes_of(row: ImportRow, policy: Policy) -> list[Change]:
    """Old → new, field by field, of a row that updates a contact: as it will be, or as it was once it is saved."""
    if row.outcome != RowOutcome.UPDATED:
        return []
    ours = _before(row) or _values(_contact(row))
    theirs = fold([ours, _values(row)], policy)
    fields = [field for field in TEXTS if row.before is None or field in row.before]
    found = [Change(LABELS[field], ours[field], theirs[field]) for field in fields if theirs[field] != ours[field]]
    old, new = ours["extra"], theirs["extra"]
    return found + [
        Change(header, old.get(header, ""), new.get(header, ""))
        for header in {**old, **new}
        if old.get(header, "") != new.get(header, "")
    ]


def _before(row: ImportRow) -> dict[str, Any]:
    """The contact as it was before the row was saved: what the row did not change is what the row says."""
    if row.before is None:
        return {}
    return {**_values(row), **row.before}


def _contact(row: ImportRow) -> Contact:
    try:
        return row.contact or Contact()
    except Contact.DoesNotExist:
        return Contact()  # deleted since the preview; the commit will make it anew


def _values(of: Contact | ImportRow) -> dict[str, Any]:
    return {field: getattr(of, field) for field in FOLDED}


# The grid ------------------------------------------------------------------------------------------------------------


class WarningShown(NamedTuple):
    """One thing to know about a row, in words: the cell it is about, and what was made of it."""

    column: str
    value: str
    title: str


class RowShown(NamedTuple):
    """A row as the grid shows it.

    state     what became of it: its outcome, or that it was not saved
    line      its place in the file in words, without "line"
    first     the place of the line that had its number first; "" for a row that is no repeat
    written   the cell its number was read from
    rule      what repaired it; "" where nothing was to repair
    warnings  what a person should know of it
    changes   what it would change
    """

    row: ImportRow
    state: str
    line: str
    first: str
    written: str
    rule: str
    warnings: list[WarningShown]
    changes: list[Change]

    @property
    def as_it_stands(self) -> str:
        """All cells of a line that is no contact, a total say, or that is damaged: nothing is read from it."""
        return " · ".join(filter(None, map(str.strip, self.row.raw))) if self.row.code in NOTES else ""

    @property
    def more(self) -> str:
        return " · ".join(filter(None, (self.row.email, self.row.company, self.row.tag)))


def shower(imported: Import) -> Callable[[ImportRow], RowShown]:
    """The function that shows rows of one import. Each is cleaned again: only its raw cells and codes are kept."""
    mapping, policy = Mapping.from_dict(imported.mapping), Policy.of(imported)
    reached = last_counted(imported)
    clean = cleaner(mapping, imported.headers) if "phone" in mapping.columns else None

    def show(row: ImportRow) -> RowShown:
        line = file_line(row.line)
        cleaned = clean(Record(line, row.raw)) if clean else CleanRow(line)
        written = _written(row, mapping)
        return RowShown(
            row,
            row.outcome if row.line <= reached else NOT_SAVED,
            _place(row.line),
            _place(row.same_as) if row.same_as else "",
            written,
            cleaned.rule if row.phone == cleaned.phone != written else "",
            _warnings(row, cleaned),
            changes_of(row, policy),
        )

    return show


def _place(line: int) -> str:
    return line_in_words(line).removeprefix("line ")


def _written(row: ImportRow, mapping: Mapping) -> str:
    """The cell the number of a row was read from; without a number, the first phone column that says anything."""
    cells = [row.raw[at] for at in mapping.phones if at < len(row.raw) and row.raw[at].strip()]
    if len(cells) > 1 and row.phone:
        region = phones.country_of(row.phone)
        for cell in cells:
            found = phones.numbers_in(cell, region)
            if not isinstance(found, phones.PhoneRefused) and any(number.e164 == row.phone for number in found):
                return cell
    return next(iter(cells), "")


def _warnings(row: ImportRow, cleaned: CleanRow) -> list[WarningShown]:
    """What the row is warned of. What only shows among rows, as a number that many share, has no cell of its own."""
    codes = [code for code in row.warned.split(",") if code]
    shown = [
        WarningShown(warning.column, warning.value, KINDS[warning.code].title)
        for warning in cleaned.warnings
        if warning.code in codes and warning.code != row.code
    ]
    alone = set(codes) - {warning.code for warning in cleaned.warnings} - {row.code}
    return [*shown, *(WarningShown("", "", KINDS[Code(code)].title) for code in codes if code in alone)]
