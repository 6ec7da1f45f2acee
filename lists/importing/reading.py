"""A text file as records: how it is best read, and what stands in it when it is read so.

Streaming throughout. What is detected is a proposal a person can change; only a byte order mark and valid UTF-8 are
facts.
"""

import codecs
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain
from pathlib import Path
from typing import Any

from lists.importing.asides import marked
from lists.importing.decoding import ENCODINGS, MARK, chosen_encoding, encoding_of
from lists.importing.formats import SAMPLE_BYTES, kind
from lists.importing.headers import LAST_LINE, Header, Line, lies_on_its_side, tables_beside, value_kind
from lists.importing.headers import at_line as header_at
from lists.importing.headers import find as find_header
from lists.importing.lines import file_line, in_table
from lists.importing.records import LONGEST_CELL, MOST_COLUMNS, NOTES, SEP_LINE, Lines, Record, batches, unwrapped
from lists.importing.refusals import FileRefused

__all__ = [
    "DELIMITERS", "ENCODINGS", "LONGEST_CELL", "MOST_COLUMNS", "NOTES", "Dialect", "FileRefused", "Inspection",
    "Reading", "Record", "above", "detect", "distinct", "headers", "inspect", "layout_in_words", "no_rows", "read",
    "survey",
]  # fmt: skip

LONGEST_HEADER = 100
"""Characters kept of a header; it is only a name."""
SAMPLE_LINES = 200

DELIMITERS: dict[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "^": "caret", "~": "tilde"}


@dataclass(frozen=True)
class Dialect:
    """How a file is read.

    bom          whether it began with a byte order mark
    header_line  the physical line where the header begins; 0 is the first line that holds anything
    wrapped      every line is one quoted cell, which is read once more inside
    blocks       first columns of the tables that stand side by side, when there are several; they are read one below
                 the other
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    has_header: bool = True
    bom: bool = False
    header_line: int = 0
    wrapped: bool = False
    blocks: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "blocks": list(self.blocks)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Dialect":
        """From what was stored, by this or an earlier version: unknown keys are ignored, missing ones have defaults."""
        known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
        return cls(**{**known, "blocks": tuple(known.get("blocks", ()))})


@dataclass(frozen=True)
class Reading:
    """A dialect and how each part of it was found, as sentences; not `certain` means a person should look."""

    dialect: Dialect
    found: tuple[str, ...]
    certain: bool


@dataclass
class Inspection:
    """How a file is read, and what a first look at all of it shows.

    header_line  the physical line of the header; 0 where there is none
    above        records above it
    ragged       records with fewer or more cells than the header
    apart        {note: records that are no contacts}
    """

    encoding: str
    delimiter: str
    header: list[str]
    header_line: int = 0
    above: int = 0
    records: int = 0
    blank: int = 0
    ragged: int = 0
    apart: dict[str, int] = field(default_factory=dict)
    sample: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


# --- how a file is best read ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Layout:
    """The first lines of a file, read with one delimiter: the records that are not blank, and what speaks for it."""

    delimiter: str
    wrapped: bool
    records: list[Line]
    header: Header | None

    @property
    def rank(self) -> tuple[int, float]:
        """A delimiter that stands in the header comes first; of several, the one that cuts most columns most evenly."""
        words = self.header.words if self.header and sum(1 for cell in self.header.cells if cell.strip()) > 1 else 0
        widths = Counter(len(record.cells) for record in self.records)
        width, times = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        return words, math.log2(width) * times / widths.total() if width > 1 else 0.0


def _layouts(lines: list[str], delimiter: str) -> Iterator[_Layout]:
    """The ways to read a sample with one delimiter: as it stands and, where every line is one quoted cell, inside."""
    plain = [
        record for batch in batches(Lines(io.StringIO("".join(lines), newline=""), ""), delimiter) for record in batch
    ]
    yield _layout(delimiter, plain, wrapped=False)
    filled = [record for record in plain if any(cell.strip() for cell in record.cells)]
    whole = [record for record in filled if len(record.cells) == 1 and delimiter in record.cells[0]]
    if len(whole) > 1 and 4 * len(whole) >= 3 * len(filled):
        inside = [record for batch in unwrapped([plain], delimiter) for record in batch]
        if any(value_kind(cell) in ("phone", "email") for record in inside for cell in record.cells):
            yield _layout(delimiter, inside, wrapped=True)


def _layout(delimiter: str, records: Iterable[Record], *, wrapped: bool) -> _Layout:
    lines = [Line(record.line, record.cells) for record in records if any(cell.strip() for cell in record.cells)]
    return _Layout(delimiter, wrapped, lines, find_header(lines))


def detect(
    path: Path | str,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    header_line: int | None = None,
) -> Reading:
    """How a text file is best read; what the caller says already is not guessed. Raises FileRefused if it is no table.

    header_line  the physical line of the header, which says that there is one
    """
    path = Path(path)
    if kind(path) != "text":
        raise FileRefused("not_a_table", "This is a workbook or an archive, not a text table.")
    coded = encoding_of(path) if encoding is None else chosen_encoding(path, encoding)
    lines = _first_lines(path, coded.name)
    if not any(line.strip() for line in lines):
        raise FileRefused("empty", "The file holds no text. Export it again and check that it has rows.")
    declared = SEP_LINE(lines[0])
    if delimiter is not None:
        candidates, how = [_chosen_delimiter(delimiter)], ", as chosen"
    elif declared:
        candidates, how = [declared[1]], ", as the first line says"
    else:
        candidates, how = list(DELIMITERS), ""
    layout = max((layout for known in candidates for layout in _layouts(lines, known)), key=lambda layout: layout.rank)
    header, header_found = _header(layout, has_header, header_line)
    blocks = (
        tables_beside(header.cells, [line.cells for line in layout.records if line.line > header.line])
        if header
        else ()
    )
    dialect = Dialect(
        coded.name,
        layout.delimiter,
        header is not None,
        coded.bom,
        header.line if header else 0,
        layout.wrapped,
        blocks,
    )
    found = (coded.sentence, _separated(layout, how), header_found, *layout_in_words(dialect))
    return Reading(dialect, found, coded.certain)


def layout_in_words(dialect: Dialect) -> list[str]:
    """What is unusual about where the cells of a file stand, as sentences."""
    found = []
    if dialect.wrapped:
        found.append("Every line is one quoted cell, so each is read once more inside.")
    if dialect.blocks:
        found.append(f"{len(dialect.blocks)} tables stand side by side; they are read one below the other.")
    return found


def _separated(layout: _Layout, how: str) -> str:
    if not how and layout.rank == (0, 0.0):
        return "One column."
    return f"Columns are separated by {DELIMITERS.get(layout.delimiter, layout.delimiter)}{how}."


def _header(layout: _Layout, has_header: bool | None, header_line: int | None) -> tuple[Header | None, str]:
    """(the header, the sentence that tells of it). Raises FileRefused for a table on its side."""
    records = layout.records
    if header_line is not None:
        chosen = header_at(records, header_line) if 1 <= header_line <= LAST_LINE else None
        if chosen is None:
            raise FileRefused(
                "unknown_header_line",
                f"Line {header_line} cannot be the header. Choose one of the first {LAST_LINE} that holds anything.",
            )
        return chosen, f"The header is on line {chosen.line}, as chosen."
    if has_header is False:
        return None, "There is no header row, as chosen."
    if lies_on_its_side(records):
        raise FileRefused(
            "on_its_side",
            "This table lies on its side: the names of the columns stand one below the other in the first column. "
            "Copy it in the spreadsheet, paste it with “Transpose”, and upload that.",
        )
    header = layout.header or (header_at(records, 1) if has_header else None)
    if header is None:
        return None, "There is no header row."
    above = sum(1 for record in records if record.line < header.line)
    if not above:
        return header, f"The header is on line {header.line}."
    lines = "1 line above it is" if above == 1 else f"{above} lines above it are"
    return header, f"The header is on line {header.line}; {lines} left out."


def _chosen_delimiter(written: str) -> str:
    """One character from what a person wrote ("tab", "\\t", ";"); raises FileRefused."""
    names = {name: char for char, name in DELIMITERS.items()} | {"\\t": "\t"}
    delimiter = names.get(written.strip().lower() if len(written) > 1 else written, written)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0\ufeff ' or not delimiter.isascii():
        known = list(DELIMITERS.values())
        raise FileRefused(
            "unknown_delimiter",
            f"“{written}” cannot separate columns. Choose {', '.join(known[:-1])} or {known[-1]}.",
        )
    return delimiter


def _first_lines(path: Path, encoding: str) -> list[str]:
    """Up to 200 lines of a bounded sample, the last one left out when the sample cuts it."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        more = bool(file.read(1))
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    lines = io.StringIO(decoder.decode(head).lstrip("\ufeff"), newline="").readlines()
    return lines[: -1 if more and len(lines) > 1 else None][:SAMPLE_LINES]


# --- reading it -------------------------------------------------------------------------------------------------------


def _all(path: Path | str, dialect: Dialect) -> Iterator[list[Record]]:
    with Path(path).open(encoding=dialect.encoding, errors=MARK, newline="") as file:
        found = batches(Lines(file, dialect.encoding), dialect.delimiter)
        yield from unwrapped(found, dialect.delimiter) if dialect.wrapped else found


def _opened(path: Path | str, dialect: Dialect) -> tuple[list[Record], list[str], Iterator[list[Record]]]:
    """(the records above the header that are not blank, the cells of the header, everything below it)

    Without a header nothing is above, and all of the file is below.
    """
    rest = _all(path, dialect)
    above: list[Record] = []
    if not dialect.has_header:
        return above, [], rest
    for batch in rest:
        for at, record in enumerate(batch):
            if not any(cell.strip() for cell in record.cells):
                continue
            if record.line >= dialect.header_line:
                return above, record.cells, chain([batch[at + 1 :]], rest)
            above.append(record._replace(note="above_header"))
    return above, [], iter(())


def read(path: Path | str, dialect: Dialect) -> Iterator[Record]:
    """The records below the header, in file order, blank ones included (no cells). Raises FileRefused on the way.

    Of tables side by side, all records of the first come first, then those of the others by line.
    """
    _, header, below = _opened(path, dialect)
    if len(dialect.blocks) < 2:
        yield from marked(below, header, _width(path, dialect, header))
        return
    width = _block_width(header, dialect.blocks)
    names = header[dialect.blocks[0] :][:width]
    yield from marked(_parts(below, dialect.blocks[:1], 0, width), names, width)
    _, _, again = _opened(path, dialect)
    yield from marked(_parts(again, dialect.blocks[1:], 1, width), names, width)


def _parts(
    batches: Iterable[list[Record]], starts: Sequence[int], first_part: int, width: int
) -> Iterator[list[Record]]:
    """The records of some of the tables side by side, line by line; what is blank or damaged counts with the first."""
    for batch in batches:
        parts = []
        for record in batch:
            whole = record.note or not any(cell.strip() for cell in record.cells)
            if whole and first_part == 0:
                parts.append(record)
            if whole:
                continue
            for part, start in enumerate(starts, start=first_part):
                cells = record.cells[start : start + width]
                if any(cell.strip() for cell in cells):
                    parts.append(Record(in_table(record.line, part), cells))
        yield parts


def _block_width(header: Sequence[str], blocks: Sequence[int]) -> int:
    """Columns of each table that stands side by side with others."""
    first = [bool(cell.strip()) for cell in header[blocks[0] : blocks[1]]]
    while first and not first[-1]:
        first.pop()
    return len(first)


def _width(path: Path | str, dialect: Dialect, header: Sequence[str]) -> int:
    """How many columns the table has: those of the header, or the most of the first records where there is none."""
    if dialect.has_header:
        return len(header)
    batch = next(_all(path, dialect), [])
    return max((len(record.cells) for record in batch[:100]), default=0)


def above(path: Path | str, dialect: Dialect) -> list[Record]:
    """The records above the header that are not blank; they are shown and counted, never imported."""
    return _opened(path, dialect)[0]


def headers(path: Path | str, dialect: Dialect) -> list[str]:
    """The names of the columns, all different: a blank one is "Column 4", a repeated one "Phone (column 4)"."""
    _, header, _ = _opened(path, dialect)
    if len(dialect.blocks) > 1:
        header = header[dialect.blocks[0] :][: _block_width(header, dialect.blocks)]
    return distinct(header if dialect.has_header else [""] * _width(path, dialect, header))


def distinct(names: Iterable[str]) -> list[str]:
    """Header cells as names a person can tell apart."""
    taken: dict[str, None] = {}
    for position, cell in enumerate(names, start=1):
        name = " ".join(cell.split())
        if len(name) > LONGEST_HEADER - 20:
            name = name[: LONGEST_HEADER - 20] + "…"
        name = name or f"Column {position}"
        while name in taken:
            name = f"{name} (column {position})"
        taken[name] = None
    return list(taken)


def inspect(
    path: Path | str,
    encoding: str | None = None,
    delimiter: str | None = None,
    has_header: bool | None = None,
    header_line: int | None = None,
    *,
    sample: int = 20,
) -> Inspection:
    """How a file is read and what is in it, from one pass over all of it. Raises FileRefused."""
    return survey(path, detect(path, encoding, delimiter, has_header, header_line).dialect, sample)


def survey(path: Path | str, dialect: Dialect, sample: int = 20) -> Inspection:
    """What is in a file read in one way, from one pass over all of it. Raises FileRefused."""
    names = headers(path, dialect)
    seen = Inspection(dialect.encoding, dialect.delimiter, names if dialect.has_header else [])
    seen.header_line = dialect.header_line if dialect.has_header else 0
    seen.above = len(above(path, dialect))
    apart: Counter[str] = Counter()
    for record in read(path, dialect):
        if record.note:
            apart[record.note] += 1
        elif not record.cells:
            seen.blank += 1
        else:
            seen.records += 1
            seen.ragged += len(record.cells) != len(names)
            if len(seen.sample) < sample:
                seen.sample.append({"line": file_line(record.line), "cells": record.cells})
    seen.apart = dict(apart)
    if not seen.records:
        raise no_rows(dialect)
    return seen


def no_rows(dialect: Dialect) -> FileRefused:
    """What is said of a file without a single record below its header."""
    what = "a header and no rows below it" if dialect.has_header else "no rows"
    return FileRefused("no_rows", f"The file holds {what}. Export it again and check that the contacts are in it.")
