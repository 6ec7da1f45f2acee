"""What the page on which a file is read needs: its first lines as they stand, and what was found in it."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lists.importing import describing, reading
from lists.importing.headers import LAST_LINE
from lists.importing.lines import MOST_NUMBERS, place
from lists.importing.reading import Dialect, FileRefused, Reading, Record
from lists.models import Import

SAMPLE = LAST_LINE
"""Rows shown below the header: with those above it, every line that may be the header is among them."""
COUNTED_AT_ONCE = 5 * 1024 * 1024
"""Bytes of a table up to which all of it is looked at while a person waits."""


class Note(NamedTuple):
    """How a line that is no contact is marked, and how many of them are told of."""

    state: str
    mark: str
    one: str
    many: str


NOTES = {
    "repeated_header": Note("skipped", "header again", "line that repeats the header", "lines that repeat the header"),
    "total": Note("skipped", "total", "total", "totals"),
    "footer": Note("skipped", "note", "note below the table", "notes below the table"),
    "damaged": Note("rejected", "damaged", "damaged line", "damaged lines"),
}
"""{the note a reader gives a record: how it is told}"""


class SampleRow(NamedTuple):
    """A line of the grid.

    part           of which table its cells are, where several stand side by side; 0 is the first
    cells          in the file's columns; the last one spans `span` of them
    surplus        cells beyond the columns
    missing        how many cells a contact lacks
    note           what it is where it is no contact
    may_be_header  whether a person may say that it is the header
    """

    line: int
    part: int
    cells: list[str]
    span: int
    surplus: list[str]
    missing: int
    note: Note | None
    may_be_header: bool


class SetApart(NamedTuple):
    """Lines of one kind that are no contacts."""

    state: str
    lines: int
    words: str


def as_read(imported: Import) -> dict[str, Any]:
    """What is seen of the file as it is read now. All of it is looked at only while that takes no time.

    above, rows  the lines above the header, and the first ones below it; header_line is None without a header, and 0
                 where an earlier version stored the import and did not keep it
    inspection   counts over the whole of a small file; refusal  why not all of it can be read
    """
    dialect, path = Dialect.from_dict(imported.dialect), imported.table_path
    width = len(imported.headers)
    seen: dict[str, Any] = {
        "header_line": dialect.header_line if dialect.has_header else None,
        "findings": describing.in_words(dialect),
        "certain": dialect.encoding.startswith("utf"),
        "above": [],
        "rows": [],
        "apart": [],
    }
    try:
        seen["above"] = [_row(record, width) for record in reading.above(path, dialect)]
        records = (record for record in reading.read(path, dialect) if record.cells or record.note)
        seen["rows"] = [_row(record, width) for record in islice(records, SAMPLE)]
        seen["has_surplus"] = any(row.surplus for row in seen["rows"])
        if Path(path).stat().st_size <= COUNTED_AT_ONCE:
            found = _found(path, dialect)
            seen |= {"findings": found.found, "certain": found.certain}
            seen["inspection"] = reading.survey(path, dialect, sample=0)
            seen["apart"] = _set_apart(seen["inspection"].apart)
    except FileRefused as refused:
        seen["refusal"] = refused.message
    if imported.sheets:
        seen["findings"] = [_sheet_in_words(imported), *seen["findings"][2:]]  # it has neither encoding nor delimiter
    return seen


def _row(record: Record, width: int) -> SampleRow:
    """A line as it stands; the last cell of one that is no contact, a title say, takes all the room there is."""
    line, part = place(record.line)
    cells = _without_blank_end(record.cells) if record.note else record.cells
    missing = max(width - len(cells), 0)
    return SampleRow(
        line=line,
        part=part // MOST_NUMBERS,
        cells=cells[:width] or [""],
        span=missing + bool(cells) if record.note else 1,
        surplus=cells[width:],
        missing=0 if record.note else missing,
        note=NOTES.get(record.note),
        may_be_header=line <= LAST_LINE and not part,
    )


def _without_blank_end(cells: Sequence[str]) -> list[str]:
    filled = max((at for at, cell in enumerate(cells, 1) if cell.strip()), default=0)
    return list(cells[:filled])


def _found(path: str, dialect: Dialect) -> Reading:
    """How the file is read and how that was found: what differs from our proposal is told as chosen."""
    chosen: dict[str, Any] = {}
    for name in ("encoding", "delimiter", "has_header", "header_line"):
        proposed = reading.detect(path, **chosen)
        if proposed.dialect == dialect:
            return proposed
        if getattr(proposed.dialect, name) != getattr(dialect, name):
            chosen[name] = getattr(dialect, name)
    return reading.detect(path, **chosen)


def _set_apart(counts: dict[str, int]) -> list[SetApart]:
    return [
        SetApart(note.state, counts[name], note.one if counts[name] == 1 else note.many)
        for name, note in NOTES.items()
        if counts.get(name)
    ]


def _sheet_in_words(imported: Import) -> str:
    others = f", one of {len(imported.sheets)}" if len(imported.sheets) > 1 else ""
    return f"The sheet “{imported.sheet}” of a workbook{others}."
