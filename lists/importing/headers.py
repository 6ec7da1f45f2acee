"""Which line of a file is its header, if any is, and how its table lies: upright, on its side, or several side by side.

A header is known by its words and by the values below it: a column of phone numbers under a cell that is none. Every
candidate is scored by the same table; lines that are themselves like those below them are records, and end the search.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from lists.blanks import is_blank
from lists.fields import FIELDS, headers
from lists.importing.lines import MOST_TABLES

LAST_LINE = 30
"""The header stands on one of the lines up to this."""
ROWS_BELOW = 50
"""Records below a candidate that are looked at."""


class Line(NamedTuple):
    """A record of the sample; `line` is the physical line where it begins."""

    line: int
    cells: list[str]


_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=4096)
def key(header: str) -> str:
    """A header as it is compared: without case, accents and punctuation."""
    if header.isascii():
        return _NOT_ALPHANUMERIC.sub(" ", header.lower()).strip()
    decomposed = unicodedata.normalize("NFKD", header.casefold())
    plain = (char for char in decomposed if unicodedata.category(char) != "Mn")  # accents
    kept = (char if char.isalnum() or unicodedata.category(char) == "Mc" else " " for char in plain)
    return " ".join("".join(kept).split())


FIELD_OF: dict[str, str] = {key(alias): known.name for known in FIELDS for alias in (known.label, *known.aliases)}
FIELD_OF |= {key(known.name): known.name for known in FIELDS}
"""{header as compared: field}"""

_OTHER_COLUMNS = {
    key(header)
    for header in headers("""
    address, amount, account no, account number, age, agent, area, branch, birthday, city, client, code,
    comment, comments, contact, contact details, contact person, course, created, customer id, date, date of
    birth, department, description, designation, district, dnd, dob, do not call, due amount, due date, expiry
    date, father name, gender, id, job title, landline, language, lead id, loan no, location, middle name, no,
    notes, note, occupation, opt out, owner, pan, aadhaar, phone 1, phone 2, pin, pincode, pin code, plan,
    policy, policy no, policy number, postal code, premium, product, province, quantity, reference, remark,
    remarks, role, s no, serial no, sex, sl no, sno, source, sr, sr no, state, status, street, subject, time,
    timestamp, type, website, year, zip, zip code, zipcode, adresse, anmerkung, betrag, bemerkung, datum,
    geburtsdatum, kunde, kundennummer, ort, plz, strasse, stadt, ciudad, codigo postal, dirección, estado,
    fecha, notas, observaciones, ville, adresse postale, code postal, date de naissance, remarques, cidade,
    endereço, data, observações, город, адрес, дата
    """)
}
_WORDS = {word for text in (*FIELD_OF, *_OTHER_COLUMNS) for word in text.split() if len(word) > 2 or not word.isascii()}

# What a cell tells of its line: the table of evidence.
IS_A_HEADER = 3
HOLDS_A_WORD = 2
STANDS_OVER_VALUES = 1
STANDS_AMONG_VALUES = -2
IS_A_NUMBER_OR_ADDRESS = -4
ENOUGH = 3
"""A line with at least this is a header; below it, only the first line may be one, by what stands under it."""


# --- kinds of values --------------------------------------------------------------------------------------------------

_IS_EMAIL = re.compile(r"(?:mailto:)?[^@\s,;]+@[^@\s,;]+\.[^@\s,;]+").fullmatch
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_DATE = rf"(?:{_DAY}[-/.]{_DAY}[-/.](?:{_YEAR}|\d\d)|{_YEAR}[-/.]{_DAY}[-/.]{_DAY})"
_IS_DATE = re.compile(rf"{_DATE}(?:[\sT].*)?").fullmatch
_IS_YEARS = re.compile(rf"{_YEAR}\s?[-/–]\s?(?:{_YEAR}|\d\d)").fullmatch
_IS_DIGITS = re.compile(r"'?\+?[\d(][\d\s().,/-]*(?:[eE]\+\d+)?").fullmatch
_LONG_NUMBER = re.compile(r"\d(?:[\s().,/-]*\d){6}").search
_NO_NUMBERS = re.compile(rf"\b(?:{_DATE}|{_YEAR}\s?[-/–]\s?{_YEAR}|\d{{1,2}}:\d\d(?::\d\d)?)(?!\d)")


def value_kind(cell: str) -> str:
    """ "blank", "email", "date", "phone" (seven digits or more), "number" or "text"."""
    text = cell.strip()
    if is_blank(text):
        return "blank"
    if "@" in text and _IS_EMAIL(text):
        return "email"
    if not text[-1].isdigit() and not text[0].isdigit():
        return "text"
    if _IS_YEARS(text):
        return "text"
    if _IS_DATE(text):
        return "date"
    if _IS_DIGITS(text):
        return "phone" if sum(map(str.isdigit, text)) >= 7 else "number"
    return "text"


def holds_number_or_address(cell: str) -> bool:
    """Whether a cell holds anything like a phone number or an e-mail address, also among words."""
    if "@" in cell and not cell.strip().startswith("@"):
        return True
    return bool(_LONG_NUMBER(cell) and _LONG_NUMBER(_NO_NUMBERS.sub(" ", cell)))


# --- the header -------------------------------------------------------------------------------------------------------


class Header(NamedTuple):
    """The header found; `words` is how much of it is in words we know, from 0."""

    line: int
    cells: list[str]
    words: int


def words_known(cells: Sequence[str]) -> int:
    """How much of a line is in words that headers are made of; a word said twice counts once."""
    return sum(map(_weight, {compared: cell for cell in cells if (compared := key(cell))}.values()))


def _weight(cell: str) -> int:
    compared = key(cell)
    if compared in FIELD_OF or compared in _OTHER_COLUMNS:
        return IS_A_HEADER
    if cell.count("(") != cell.count(")"):
        return 0  # half a cell, cut by a delimiter that is none
    return HOLDS_A_WORD if not _WORDS.isdisjoint(compared.split()) and value_kind(cell) == "text" else 0


def find(records: Sequence[Line]) -> Header | None:
    """The header among the first lines of a file, None when its first line is a record already.

    records  the first of the file that are not blank
    """
    sample = _Sample([record.cells for record in records[: LAST_LINE + ROWS_BELOW]])
    best: tuple[int, Header] | None = None
    for at, record in enumerate(records[: len(sample.rows)]):
        if record.line > LAST_LINE:
            break
        columns = sample.columns_below(at)
        if sample.is_wide_enough(at):
            strength, words = _strength(sample, at, columns)
            if strength >= ENOUGH and (best is None or strength > best[0]):
                best = strength, Header(record.line, record.cells, words)
        if _is_like_those_below(sample.kinds[at], columns):
            break
    if best is not None:
        return best[1]
    at = next((at for at in range(len(sample.rows)) if sample.is_wide_enough(at)), 0)
    contacts_above = {"phone", "email"} & {kind for kinds in sample.kinds[:at] for kind in kinds}
    if records and records[at].line <= LAST_LINE and not contacts_above and _names_columns(sample, at):
        return Header(records[at].line, records[at].cells, 0)
    return None


def at_line(records: Sequence[Line], line: int) -> Header | None:
    """The header a person chose: the first record that is not blank from that line on."""
    chosen = next((record for record in records if record.line >= line), None)
    return Header(*chosen, words_known(chosen.cells)) if chosen else None


@dataclass(frozen=True)
class _Sample:
    """The first records of a file, and the kind of each of their values."""

    rows: list[list[str]]

    @cached_property
    def kinds(self) -> list[list[str]]:
        return [[value_kind(cell) for cell in row] for row in self.rows]

    @cached_property
    def filled(self) -> list[int]:
        return [sum(1 for cell in row if cell.strip()) for row in self.rows]

    def is_wide_enough(self, at: int) -> bool:
        """Whether a line fills at least half as many columns as those below it usually do; a title does not."""
        below = sorted(self.filled[at + 1 : at + 1 + ROWS_BELOW])
        return not below or 2 * self.filled[at] >= below[len(below) // 2]

    def columns_below(self, at: int) -> list[str]:
        """The kind that most values of each column have below a line; "" where there is none."""
        counts = [Counter[str]() for _ in range(max(map(len, self.rows)))]
        for kinds in self.kinds[at + 1 : at + 1 + ROWS_BELOW]:
            for column, kind in enumerate(kinds):
                counts[column][kind] += kind != "blank"
        usual = []
        for count in counts:
            kind, times = max(count.items(), key=lambda item: (item[1], item[0] != "text"), default=("", 0))
            usual.append(kind if times and 2 * times >= count.total() else "")
        return usual

    def values_below(self, at: int) -> set[tuple[int, str]]:
        """{(column, value as compared)} below a line, the line's own repetitions aside."""
        own = [key(cell) for cell in self.rows[at]]
        below = ([key(cell) for cell in row] for row in self.rows[at + 1 : at + 1 + ROWS_BELOW])
        return {(column, value) for row in below if row != own for column, value in enumerate(row)}


def _strength(sample: _Sample, at: int, columns: Sequence[str]) -> tuple[int, int]:
    """(all the evidence that a line is a header, the part of it that is words)."""
    among = sample.values_below(at)
    words = {}
    shape = 0
    for column, (cell, kind) in enumerate(zip(sample.rows[at], sample.kinds[at], strict=True)):
        if kind == "blank":
            continue
        if kind in ("phone", "email"):
            shape += IS_A_NUMBER_OR_ADDRESS
        elif (column, key(cell)) in among:
            shape += STANDS_AMONG_VALUES
        else:
            words[key(cell)] = _weight(cell)
            shape += STANDS_OVER_VALUES * (kind == "text" and columns[column] not in ("", "text"))
    known = sum(words.values())
    return (known + shape if known else 0), known


def _is_like_those_below(kinds: Sequence[str], columns: Sequence[str]) -> bool:
    return any(kind in ("phone", "email") and kind == usual for kind, usual in zip(kinds, columns, strict=False))


def _names_columns(sample: _Sample, at: int) -> bool:
    """Whether the first full line names columns although no word of it is known: another language, say.

    It holds words and neither number nor address, none of its cells stands among the values below, and one stands over
    numbers or addresses, unless there are none at all.
    """
    kinds, columns = sample.kinds[at], sample.columns_below(at)
    if {"phone", "email"} & set(kinds) or "text" not in kinds:
        return False
    telling = [kind == "text" for kind, usual in zip(kinds, columns, strict=False) if usual in ("phone", "email")]
    among = sample.values_below(at)
    recurs = any(key(cell) and (column, key(cell)) in among for column, cell in enumerate(sample.rows[at]))
    return not recurs and (any(telling) or not {"phone", "email"} & set(columns))


# --- how the table lies -----------------------------------------------------------------------------------------------


def lies_on_its_side(records: Sequence[Line]) -> bool:
    """Whether the first column holds the names of fields and the contacts run across."""
    named = [(FIELD_OF.get(key(record.cells[0]), key(record.cells[0])), record.cells[1:]) for record in records]
    known = [(field, cells) for field, cells in named if field in FIELD_OF.values() or field in _OTHER_COLUMNS]
    if len(known) < 2 or 5 * len(known) < 4 * len(named) or len({field for field, _ in known}) < 2:
        return False
    numbers = [value_kind(cell) for field, cells in known if field == "phone" for cell in cells if cell.strip()]
    return 2 * numbers.count("phone") > len(numbers) and not words_known(records[0].cells[1:])


def tables_beside(header: Sequence[str], below: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """The first columns of equal tables that stand side by side, blank columns between them; () when there is one."""
    groups: list[tuple[int, list[str]]] = []
    gap = True
    for column, cell in enumerate(header):
        if not cell.strip() and all(len(row) <= column or not row[column].strip() for row in below):
            gap = True
            continue
        if gap:
            groups.append((column, []))
            gap = False
        compared = key(cell)
        groups[-1][1].append(FIELD_OF.get(compared, compared))
    if not groups or not {"phone", "email"} & set(groups[0][1]) or len(groups[0][1]) < 2:
        return ()
    equal = tuple(column for column, fields in groups if fields == groups[0][1])[:MOST_TABLES]
    return equal if len(equal) > 1 else ()
