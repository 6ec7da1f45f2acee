"""Bytes into records with their line numbers: encoding, delimiter, header and limits.

Streaming throughout: memory is bounded by one record, whatever the file, also when it holds no line end at all. What is
detected is a proposal a person can change; only a byte order mark and valid UTF-8 are facts.
"""

import codecs
import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from charset_normalizer import from_bytes

from lists.phones import Phone, normalise

LONGEST_CELL = 131_072
"""Characters; also what Python's csv module allows in one field."""
LONGEST_RECORD = 1_000_000
"""Characters of one record, however many lines it spans."""
MOST_COLUMNS = 500
LONGEST_HEADER = 100
"""Characters kept of a header; it is only a name."""
SAMPLE_BYTES = 64 * 1024
BLOCK_BYTES = 1024 * 1024

DELIMITERS: dict[str, str] = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}

ENCODINGS: dict[str, str] = {
    "utf-8": "Unicode (UTF-8)",
    "utf-16-le": "Unicode (UTF-16)",
    "utf-16-be": "Unicode (UTF-16, big-endian)",
    "utf-32-le": "Unicode (UTF-32)",
    "utf-32-be": "Unicode (UTF-32, big-endian)",
    "cp1252": "Western European (Windows)",
    "iso8859-1": "Western European (Latin-1)",
    "iso8859-15": "Western European (Latin-9)",
    "mac-roman": "Western European (Mac)",
    "cp850": "Western European (DOS)",
    "cp1250": "Central European (Windows)",
    "iso8859-2": "Central European (Latin-2)",
    "cp1251": "Cyrillic (Windows)",
    "koi8-r": "Cyrillic (KOI8-R)",
    "iso8859-5": "Cyrillic (ISO)",
    "cp866": "Cyrillic (DOS)",
    "cp1253": "Greek (Windows)",
    "iso8859-7": "Greek (ISO)",
    "cp1254": "Turkish (Windows)",
    "cp1255": "Hebrew (Windows)",
    "cp1256": "Arabic (Windows)",
    "cp1257": "Baltic (Windows)",
    "cp1258": "Vietnamese (Windows)",
    "tis-620": "Thai",
    "cp932": "Japanese (Shift-JIS)",
    "euc_jp": "Japanese (EUC)",
    "iso2022_jp": "Japanese (ISO-2022)",
    "gb18030": "Simplified Chinese",
    "big5": "Traditional Chinese",
    "cp949": "Korean",
}
"""Codec name -> what people call it; the encodings a file may be read in."""

csv.field_size_limit(LONGEST_CELL)


class FileRefused(Exception):
    """The file as a whole cannot be read; `message` says what is wrong, where, and what to do."""

    def __init__(self, code: str, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.line = code, message, line


@dataclass(frozen=True)
class Dialect:
    """How a file is read. `bom` says that it began with a byte order mark."""

    encoding: str = "utf-8"
    delimiter: str = ","
    has_header: bool = True
    bom: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Dialect":
        return cls(**values)


@dataclass(frozen=True)
class Reading:
    """A dialect and how each part of it was found, as sentences; not `certain` means a person should look."""

    dialect: Dialect
    found: tuple[str, ...]
    certain: bool


class Record(NamedTuple):
    """One record; `line` is the physical line where it began, the first line of the file being 1. Blank: no cells."""

    line: int
    cells: list[str]


@dataclass
class Inspection:
    """How a file is read, and what a first look at all of it shows. `ragged` records have fewer or more cells."""

    encoding: str
    delimiter: str
    header: list[str]
    records: int = 0
    blank: int = 0
    ragged: int = 0
    sample: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


# --- what kind of file is it ------------------------------------------------------------------------------------------

_SAVE_AS_CSV = "Open it in its program, save it as CSV (UTF-8), and upload that file."
_SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF-", "a PDF document", "Ask for the table it was made from, saved as CSV."),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _SAVE_AS_CSV),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and upload the CSV file inside."),
    (b"BZh", "a bzip2 archive", "Unpack it and upload the CSV file inside."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and upload the CSV file inside."),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it and upload the CSV file inside."),
    (b"\xfd7zXZ\x00", "an xz archive", "Unpack it and upload the CSV file inside."),
    (b"\x89PNG\r\n\x1a\n", "a picture (PNG)", "Upload the table itself, saved as CSV."),
    (b"\xff\xd8\xff", "a picture (JPEG)", "Upload the table itself, saved as CSV."),
    (b"GIF8", "a picture (GIF)", "Upload the table itself, saved as CSV."),
    (b"{\\rtf", "a text document (RTF)", _SAVE_AS_CSV),
    (b"SQLite format 3\x00", "a database file", "Export the table as CSV and upload that file."),
    (b"BEGIN:VCARD", "a set of contact cards (vCard)", "Export the address book as CSV and upload that file."),
)
_ZIP = b"PK\x03\x04"
_MARKUP = re.compile(rb"\s*<(?:!doctype\b|html\b|head\b|body\b|\?xml\b|!--|table\b)", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\{\s*(?:\"|\})|\[\s*(?:[\[{\"]|\]))")


def _refuse_what_is_no_table(head: bytes) -> None:
    """Raise FileRefused with what the content is; the name of the file plays no part."""
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            raise FileRefused("not_a_table", f"This is {what}, not a CSV file. {advice}")
    if head.startswith(_ZIP):
        if b"xl/" in head or b"[Content_Types].xml" in head:
            raise FileRefused("not_a_table", f"This is an Excel workbook, not a CSV file. {_SAVE_AS_CSV}")
        if b"opendocument" in head[:200]:
            raise FileRefused("not_a_table", f"This is an OpenDocument file, not a CSV file. {_SAVE_AS_CSV}")
        raise FileRefused("not_a_table", "This is a ZIP archive. Unpack it and upload the CSV file inside.")
    text = head.removeprefix(codecs.BOM_UTF8)
    if _MARKUP.match(text):
        raise FileRefused(
            "not_a_table",
            "This is a web page, not a CSV file; a download that asks to log in first often ends like this. "
            "Download the file again while logged in.",
        )
    if _JSON.match(text) and _looks_like_json(text):
        raise FileRefused("not_a_table", "This is a JSON file, not a CSV file. Export the contacts as CSV.")


def _looks_like_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        # The head of a long file is cut off somewhere; keys and colons tell it from a table that begins with a bracket.
        return bool(re.search(rb"\"\s*:\s*[\[{\"0-9tfn-]", text[:4096]))
    return True


def _refuse_binary(head: bytes) -> None:
    control = sum(head.count(bytes([code])) for code in (*range(1, 9), *range(14, 27), *range(28, 32), 127))
    if control > len(head) * 0.02:
        raise FileRefused("not_a_table", f"This file is not text, so it is not a CSV file. {_SAVE_AS_CSV}")


# --- encoding ---------------------------------------------------------------------------------------------------------

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class _Encoding(NamedTuple):
    name: str
    bom: bool
    certain: bool
    sentence: str


def _encoding(path: Path, head: bytes) -> _Encoding:
    """The encoding of a file, by mark, by strict reading of all of it, or as a proposal."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return _Encoding(name, True, True, f"{ENCODINGS[name]}, by its byte order mark.")
    if unmarked := _unicode_without_mark(head):
        return _Encoding(unmarked, False, True, f"{ENCODINGS[unmarked]}, by the pattern of its bytes.")
    _refuse_binary(head)
    if b"\x1b$" in head:
        return _Encoding("iso2022_jp", False, False, f"{ENCODINGS['iso2022_jp']}, by its escape marks.")
    good, bad, sample = _utf8_census(path)
    if not bad:
        return _Encoding("utf-8", False, True, f"{ENCODINGS['utf-8']}: all of the file reads as such.")
    if good > 9 * bad:
        line = _first_unreadable_line(path, "utf-8")
        return _Encoding("utf-8", False, False, f"{ENCODINGS['utf-8']}, but line {line} holds bytes that are not.")
    name = _proposed(sample)
    return _Encoding(name, False, False, f"Not UTF-8; {ENCODINGS[name]} is the likeliest. Check the names below.")


def _unicode_without_mark(head: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark betrays itself by NUL bytes that keep to their places."""
    zeros = [head[place::4].count(0) for place in range(4)]
    quarter = len(head) // 4
    if quarter and min(zeros[1:]) > 0.9 * quarter and zeros[0] == 0:
        return "utf-32-le"
    if quarter and min(zeros[:3]) > 0.9 * quarter and zeros[3] == 0:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if even + odd < 0.04 * len(head):
        return None
    if odd > 20 * even and (b"\n\0" in head or b"\r\0" in head):
        return "utf-16-le"
    return "utf-16-be" if even > 20 * odd and (b"\0\n" in head or b"\0\r" in head) else None


def _utf8_census(path: Path) -> tuple[int, int, bytes]:
    """(lines whose non-ASCII characters are UTF-8, lines where they are not, a bounded sample of the latter)."""
    good = bad = 0
    sample: list[bytes] = []
    room = SAMPLE_BYTES
    with path.open("rb") as file:
        while line := file.readline(BLOCK_BYTES):
            if line.isascii():
                continue
            try:
                line.decode()
                good += 1
            except UnicodeDecodeError as error:
                # A block of an over-long line may end inside a character; that is no fault.
                if len(line) == BLOCK_BYTES and error.start > len(line) - 4:
                    continue
                bad += 1
                if room > 0:
                    sample.append(line[:room])
                    room -= len(line)
    return good, bad, b"".join(sample)


def _proposed(sample: bytes) -> str:
    """The likeliest encoding of bytes that are not UTF-8; Western European unless another is clearly better."""
    names = {codecs.lookup(name).name: name for name in ENCODINGS}
    candidates = [name for name in ENCODINGS if not name.startswith("utf")]
    best = from_bytes(sample, cp_isolation=candidates, enable_fallback=False).best()
    guessed = names.get(codecs.lookup(best.encoding).name) if best else None
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return guessed or "iso8859-1"
    western = {"iso8859-1", "iso8859-15", "mac-roman", "cp850", "cp1250", "iso8859-2", "cp1254", "cp1257", "cp1258"}
    return "cp1252" if guessed is None or guessed in western else guessed


def _known_encoding(name: str) -> str:
    """The entry of ENCODINGS for any spelling of it; raises FileRefused."""
    try:
        wanted = codecs.lookup(name).name
    except (LookupError, ValueError):
        wanted = ""
    wanted = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le", "ascii": "utf-8"}.get(wanted, wanted)
    for known in ENCODINGS:
        if codecs.lookup(known).name == wanted:
            return known
    raise FileRefused("unknown_encoding", f"“{name}” is no encoding we read. Choose one of: {', '.join(ENCODINGS)}.")


def _mark(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - the only kind a reader raises
    return _UNREADABLE, error.end


_UNREADABLE = "\ud800"  # half a character: no decoder ever yields it
codecs.register_error("contactadmin-mark", _mark)


def _first_unreadable_line(path: Path, encoding: str) -> int:
    with path.open(encoding=encoding, errors="contactadmin-mark", newline="") as file:
        number = 1
        while line := file.readline(LONGEST_RECORD):
            if _UNREADABLE in line:
                return number
            number += line.endswith(("\n", "\r"))
    return number


# --- delimiter and header ---------------------------------------------------------------------------------------------

_SEP_LINE = re.compile(r"\"?sep=(.)\"?\s*", re.IGNORECASE).fullmatch


def _delimiter(lines: list[str]) -> tuple[str, str]:
    """(delimiter, how it was found): the one that cuts the first lines into the most columns most evenly."""
    if lines and (match := _SEP_LINE(lines[0])):
        return match[1], f"Columns are separated by {DELIMITERS.get(match[1], match[1])}, as the first line says."

    def score(delimiter: str) -> float:
        try:
            widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if any(cells))
        except csv.Error:
            return 0
        width, records = max(widths.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
        return math.log2(width) * records / max(widths.total(), 1) if width > 1 else 0

    best = max(DELIMITERS, key=score)  # the first of equals, so comma when nothing separates
    if score(best) == 0:
        return ",", "One column."
    return best, f"Columns are separated by {DELIMITERS[best]}."


def _first_record(lines: list[str], delimiter: str) -> tuple[int, list[str]]:
    """(line, cells) of the first record of the sample that is not blank."""
    began = 1 + bool(_SEP_LINE(lines[0]))
    reader = csv.reader(lines[began - 1 :], delimiter=delimiter, skipinitialspace=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                return began, cells
            began += 1
    except csv.Error:
        pass  # a cell beyond all limits; reading the file says which
    return began, []


def _has_header(first: list[str]) -> bool:
    """Whether the first record names columns: it holds words, and neither a phone number nor an e-mail address."""
    filled = [cell.strip() for cell in first if cell.strip()]
    if any("@" in cell or re.fullmatch(r"[\d\s.,/+-]{5,}", cell) for cell in filled):
        return False
    if any(isinstance(normalise(cell, None), Phone) for cell in filled):
        return False
    return any(any(char.isalpha() for char in cell) for cell in filled)


def _chosen_delimiter(written: str) -> str:
    """One character from what a person wrote ("tab", "\\t", ";"); raises FileRefused."""
    names = {name: char for char, name in DELIMITERS.items()} | {"\\t": "\t"}
    delimiter = names.get(written.strip().lower() if len(written) > 1 else written, written)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '"\r\n\0\ufeff ' or not delimiter.isascii():
        raise FileRefused(
            "unknown_delimiter", f"“{written}” cannot separate columns. Choose comma, semicolon, tab or pipe."
        )
    return delimiter


def detect(
    path: Path | str, encoding: str | None = None, delimiter: str | None = None, has_header: bool | None = None
) -> Reading:
    """How a file is best read; what the caller says already is not guessed. Raises FileRefused when it is no table."""
    path = Path(path)
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    if not head:
        raise FileRefused("empty", "The file is empty. Export it again and check that it has rows.")
    _refuse_what_is_no_table(head)
    if encoding is None:
        chosen = _encoding(path, head)
    else:
        name = _known_encoding(encoding)
        bom = next((mark_name for mark, mark_name in _BOMS if head.startswith(mark)), None)
        name = bom if bom and encoding.lower().replace("_", "-") in {"utf-16", "utf-32"} else name
        chosen = _Encoding(name, bom == name, True, f"{ENCODINGS[name]}, as chosen.")
    lines = _first_lines(path, chosen.name)
    if not any(line.strip() for line in lines):
        raise FileRefused("empty", "The file holds no text. Export it again and check that it has rows.")
    if delimiter is None:
        separator, separator_found = _delimiter(lines)
    else:
        separator = _chosen_delimiter(delimiter)
        separator_found = f"Columns are separated by {DELIMITERS.get(separator, separator)}, as chosen."
    if has_header is None:
        line, cells = _first_record(lines, separator)
        header = _has_header(cells)
        header_found = f"The header is on line {line}." if header else "There is no header row."
    else:
        header, header_found = has_header, "Header row as chosen."
    dialect = Dialect(chosen.name, separator, header, chosen.bom)
    return Reading(dialect, (chosen.sentence, separator_found, header_found), chosen.certain)


def _first_lines(path: Path, encoding: str) -> list[str]:
    """Up to 200 lines of a bounded sample, the last one left out when the sample cuts it."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
        more = bool(file.read(1))
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", decoder.decode(head).lstrip("\ufeff"))
    return lines[: -1 if more and len(lines) > 1 else None][:200]


# --- records ----------------------------------------------------------------------------------------------------------


class _Lines:
    """The physical lines of an open text file, counted, and measured since the record they belong to began."""

    def __init__(self, file: TextIO) -> None:
        self.readline = file.readline
        self.number = 0  # of the line read last
        self.began = 1
        self.size = 0  # characters of the record so far
        self.last = ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.readline(LONGEST_RECORD + 1)
        if not line:
            raise StopIteration
        self.number += 1
        if self.number == 1:
            line = line.lstrip("\ufeff")  # some programs write the mark twice
        if "\0" in line:
            raise FileRefused(
                "nul",
                f"Line {self.number} holds a NUL character, which is not text: the file is damaged or was not saved as "
                "text. Save it again as CSV (UTF-8).",
                self.number,
            )
        self.size += len(line)
        if self.size > LONGEST_RECORD:
            raise FileRefused(
                "record_too_long",
                f"The record that begins on line {self.began} is longer than {LONGEST_RECORD:,} characters. "
                "Check that the delimiter is right and that every quote in it is closed.",
                self.began,
            )
        self.last = line
        return line

    def begin(self) -> None:
        self.began = self.number + 1
        self.size = 0


def read(path: Path | str, dialect: Dialect) -> Iterator[Record]:
    """The records after the header, in file order, blank ones included (no cells). Raises FileRefused on the way."""
    rows = _rows(Path(path), dialect)
    if dialect.has_header:
        next((row for row in rows if row.cells), None)
    return rows


def _rows(path: Path, dialect: Dialect) -> Iterator[Record]:
    """Every record of the file; the header, where there is one, is the first that is not blank."""
    try:
        with path.open(encoding=dialect.encoding, newline="") as file:
            lines = _Lines(file)
            reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
            while True:
                lines.begin()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    cells = _read_leniently(lines, dialect, error)
                    reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
                if len(cells) > MOST_COLUMNS:
                    raise FileRefused(
                        "too_many_columns",
                        f"Line {lines.began} has {len(cells):,} columns; a file may have {MOST_COLUMNS}. "
                        "Check the delimiter, or delete the columns you do not need.",
                        lines.began,
                    )
                if lines.began == 1 and _SEP_LINE(lines.last):
                    continue
                if not any(cells) or not any(cell.strip() for cell in cells):
                    cells = []
                yield Record(lines.began, cells)
    except UnicodeError:
        line = _first_unreadable_line(path, dialect.encoding)
        raise FileRefused(
            "encoding",
            f"Line {line} cannot be read as {ENCODINGS[dialect.encoding]}. Choose another encoding, or save the file "
            "again as CSV (UTF-8).",
            line,
        ) from None


def _read_leniently(lines: _Lines, dialect: Dialect, error: csv.Error) -> list[str]:
    """The cells of a record the strict reader refused; raises FileRefused where that would swallow other lines.

    Text after a closing quote (`"5" pipe`) is common and harmless while the record stays on its line. Where it
    does not, some quote before was never closed, and reading on would hide whole rows inside one cell.
    """
    if "field limit" in str(error) and lines.number == lines.began:
        raise FileRefused(
            "cell_too_long",
            f"A cell on line {lines.began} has more than {LONGEST_CELL:,} characters. Shorten it in the file.",
            lines.began,
        ) from error
    if lines.number == lines.began:
        records = list(csv.reader([lines.last, "\0"], delimiter=dialect.delimiter, skipinitialspace=True))
        if len(records) == 2:
            return records[0]
    raise FileRefused(
        "unclosed_quote",
        f'The record that begins on line {lines.began} opens a quote (") that is never properly closed. '
        "Close it in the file, or delete it.",
        lines.began,
    ) from error


def headers(path: Path | str, dialect: Dialect) -> list[str]:
    """The names of the columns, all different: a blank one is "Column 4", a repeated one "Phone (column 4)"."""
    rows = (row for row in _rows(Path(path), dialect) if row.cells)
    if dialect.has_header:
        first = next(rows, None)
        return distinct(first.cells if first else [])
    width = max((len(row.cells) for row, _ in zip(rows, range(100), strict=False)), default=0)
    return distinct([""] * width)


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
    sample: int = 20,
) -> Inspection:
    """How a file is read and what is in it, from one pass over all of it. Raises FileRefused."""
    dialect = detect(path, encoding, delimiter, has_header).dialect
    names = headers(path, dialect)
    seen = Inspection(dialect.encoding, dialect.delimiter, names if dialect.has_header else [])
    for record in read(path, dialect):
        if not record.cells:
            seen.blank += 1
            continue
        seen.records += 1
        seen.ragged += len(record.cells) != len(names)
        if len(seen.sample) < sample:
            seen.sample.append({"line": record.line, "cells": record.cells})
    if not seen.records:
        raise no_rows(dialect)
    return seen


def no_rows(dialect: Dialect) -> FileRefused:
    """What is said of a file without a single record below its header."""
    what = "a header and no rows below it" if dialect.has_header else "no rows"
    return FileRefused("no_rows", f"The file holds {what}. Export it again and check that the contacts are in it.")
