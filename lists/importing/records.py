"""Physical lines into records, streaming: memory is bounded by one record or one block, whatever the file.

A record that cannot be read (a quote never closed, a NUL, bytes of another encoding) costs its own line, not the file.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TextIO

from lists.importing.decoding import ENCODINGS, UNREADABLE
from lists.importing.headers import value_kind
from lists.importing.refusals import FileRefused

LONGEST_CELL = 131_072
"""Characters; also what Python's csv module allows in one field."""
LONGEST_RECORD = 1_000_000
"""Characters of one line, and of one record, however many lines it spans."""
MOST_COLUMNS = 500
BLOCK_CHARACTERS = 16 * 1024
"""Read at once; larger blocks keep more records alive at a time, which the garbage collector then walks over."""

csv.field_size_limit(LONGEST_CELL)


NOTES: dict[str, str] = {
    "above_header": "Lines above the header",
    "repeated_header": "The header once more",
    "total": "Totals",
    "footer": "Footers and separating lines",
    "damaged": "Damaged rows",
}
"""{note of a record: what people call such}"""


class Record(NamedTuple):
    """One record; `line` is the physical line where it began, the first line of the file being 1. Blank: no cells.

    line  of a second table beside the first: `lines.in_table`
    note  "" for a record; else why it is no contact, one of NOTES; the cells of a damaged one are what could be read
          of its line
    """

    line: int
    cells: list[str]
    note: str = ""


class Lines:
    """The physical lines of a text, a block of them at a time."""

    def __init__(self, text: TextIO, encoding: str) -> None:
        self.text, self.encoding = text, encoding
        self.number = 0  # of the line given out last
        self.unreadable = 0  # lines so far with undecodable bytes
        self.readable = 0  # lines beside them whose characters beyond ASCII can be decoded
        self.rest = ""  # the beginning of a line whose end has not been read

    def block(self, characters: int = BLOCK_CHARACTERS) -> tuple[list[str], bool]:
        """(the next lines, about so many characters; whether any holds a NUL or an undecodable byte); none at the end.

        Raises FileRefused for a line beyond all limits, and where so many cannot be decoded that the encoding is wrong.
        """
        lines: list[str] = []
        while not lines:
            new = self.text.read(characters)
            text = self.rest + new
            lines = io.StringIO(text, newline="").readlines()
            # A carriage return at the end may be half of a line end.
            self.rest = lines.pop() if new and lines and not lines[-1].endswith("\n") else ""
            if len(text) > LONGEST_RECORD and max(map(len, [*lines, self.rest])) > LONGEST_RECORD:
                raise self._too_long([*lines, self.rest])
            if not new:
                break
        if lines and self.number == 0:
            lines[0] = lines[0].lstrip("\ufeff")  # some programs write the mark twice
        self.number += len(lines)
        return lines, self._is_damaged(lines, text)

    def _is_damaged(self, lines: list[str], text: str) -> bool:
        if UNREADABLE in text:
            unreadable = [at for at, line in enumerate(lines) if UNREADABLE in line]
            self.unreadable += len(unreadable)
            self.readable += sum(1 for line in lines if not line.isascii() and UNREADABLE not in line)
            if self.unreadable > self.number // 10 and 2 * self.unreadable > self.readable:
                raise _wrong_encoding(self.encoding, self.number - len(lines) + unreadable[0] + 1)
            return True
        return "\0" in text

    def _too_long(self, lines: list[str]) -> FileRefused:
        line = self.number + 1 + next(at for at, line in enumerate(lines) if len(line) > LONGEST_RECORD)
        return FileRefused(
            "record_too_long",
            f"The record on line {line} is longer than {LONGEST_RECORD:,} characters. Check that the file is right.",
            line,
        )


def _wrong_encoding(encoding: str, line: int) -> FileRefused:
    return FileRefused(
        "encoding",
        f"Line {line} cannot be read as {ENCODINGS[encoding]}. Choose another encoding, or save the file again as CSV "
        "(UTF-8).",
        line,
    )


SEP_LINE = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE).fullmatch
_WITHOUT_DAMAGE = str.maketrans({"\0": None, UNREADABLE: "\N{REPLACEMENT CHARACTER}"})


def _reader(lines: Iterable[str], delimiter: str, strict: bool = True) -> Any:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)


def batches(lines: Lines, delimiter: str) -> Iterator[list[Record]]:
    """All records of a file, a block of lines at a time.

    A record the strict reader refuses is read again more leniently; one whose quote is never closed costs its first
    line only, marked as damaged, and reading goes on with the next.
    """
    width = 0  # cells of the last record that stood on one line
    while True:
        block, holds_damage = lines.block()
        if not block:
            return
        before = lines.number - len(block)  # lines of the file before the block
        records: list[Record] = []
        at = 0  # lines of the block that are done with
        source = iter(block)
        while at < len(block):
            reader, start = _reader(source, delimiter), at
            try:
                for cells in reader:
                    end = start + reader.line_num
                    if end - at > 1 and _are_records(block[at:end], delimiter, width):
                        raise csv.Error("a quote swallowed records")
                    width = len(cells)
                    if width > MOST_COLUMNS:
                        raise _too_many_columns(before + at + 1, width)
                    records.append(Record(before + at + 1, cells))
                    at = end
            except csv.Error as error:
                taken = block[at : start + reader.line_num]
                size = sum(map(len, taken))
                if "unexpected end" in str(error) and size < LONGEST_RECORD:
                    more, more_damage = lines.block(max(3 * size, BLOCK_CHARACTERS))
                    block += more
                    holds_damage |= more_damage
                    if more:
                        source = iter(block[at:])
                        continue
                if any('\\"' in line for line in taken):
                    # Quotes inside quotes are written \" in this file, and not doubled.
                    block[at:] = [line.replace('\\"', '""') for line in block[at:]]
                    source = iter(block[at:])
                    continue
                records.append(_read_leniently(taken, before + at + 1, delimiter, error))
                at += 1
                if len(taken) > 1:
                    source = iter(block[at:])
        if records and records[0].line == 1 and SEP_LINE(block[0]):
            del records[0]
        yield list(map(_told_damaged, records)) if holds_damage else records


def _are_records(lines: list[str], delimiter: str, width: int) -> bool:
    """Whether the lines of one record are each a record of its own, swallowed by a quote that was never closed.

    Such a line has as many cells as the records before, and a number or an address; of the lines of an honest record
    one has fewer.
    """
    each = [line.replace('"', "").split(delimiter) for line in lines]
    return width > 1 and all(
        len(cells) == width and any(value_kind(cell) in ("phone", "email") for cell in cells) for cells in each
    )


def _read_leniently(taken: list[str], number: int, delimiter: str, error: csv.Error) -> Record:
    """The record that begins on line `number`, out of the lines the strict reader took before it gave up.

    Text after a closing quote (`"5" pipe`) is common and harmless while the record stays on its line. Where it
    does not, some quote before was never closed, and reading on would hide whole rows inside one cell.
    """
    if len(taken) == 1:
        if "field limit" in str(error):
            raise FileRefused(
                "cell_too_long",
                f"A cell on line {number} has more than {LONGEST_CELL:,} characters. Shorten it in the file.",
                number,
            ) from error
        records = list(_reader([*taken, "\0"], delimiter, strict=False))
        if len(records) == 2:
            return Record(number, records[0])
    cells = taken[0].replace('"', "").rstrip("\r\n").split(delimiter)
    return Record(number, [cell.strip() for cell in cells[:MOST_COLUMNS]], "damaged")


def _told_damaged(record: Record) -> Record:
    """The record, with a note when it holds a NUL or an undecodable byte; such a one may be blank without it."""
    text = "".join(record.cells)
    if "\0" not in text and UNREADABLE not in text:
        return record
    cells = [cell.translate(_WITHOUT_DAMAGE) for cell in record.cells]
    return Record(record.line, cells, "damaged") if any(cell.strip() for cell in cells) else Record(record.line, [])


def _too_many_columns(line: int, columns: int) -> FileRefused:
    return FileRefused(
        "too_many_columns",
        f"Line {line} has {columns:,} columns; a file may have {MOST_COLUMNS}. "
        "Check the delimiter, or delete the columns you do not need.",
        line,
    )


def unwrapped(batches: Iterable[list[Record]], delimiter: str) -> Iterator[list[Record]]:
    """Records whose one cell is a record of its own are read once more inside."""
    for batch in batches:
        yield [
            record._replace(cells=_inner(record.cells[0], delimiter))
            if len(record.cells) == 1 and delimiter in record.cells[0]
            else record
            for record in batch
        ]


def _inner(cell: str, delimiter: str) -> list[str]:
    return next(iter(_reader([cell], delimiter, strict=False)), [])
