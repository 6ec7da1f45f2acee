"""A raw record and a mapping into clean values, warnings, or the reason there is no number.

The mapping is compiled once into a function that runs for every row of the file. Only the phone number can refuse a
row: another value that cannot be used is left out, the row says so, and the cell stays in its raw cells. Values are
kept as they are, outer white space, control characters and words that stand for nothing aside; nothing is ever cut.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import available_timezones

from lists import phones
from lists.blanks import FIRST_OF_BLANKS, is_blank
from lists.fields import BY_NAME, OTHER_NUMBERS
from lists.importing import names, opt_outs
from lists.importing.columns import ATTRIBUTE, Mapping
from lists.importing.lines import MOST_NUMBERS, of_number
from lists.importing.reading import Record
from lists.importing.row_warnings import KINDS, Code, is_imported
from lists.phones import MISSING, NO_COUNTRY, UNKNOWN_COUNTRY, Phone, PhoneRefused

LONGEST_EXTRA = 1000
LONGEST_SHOWN = 200
"""Characters of a refused value kept beside its reason; the cells themselves are kept whole."""

OPTED_OUT = "opted_out"


class RowWarning(NamedTuple):
    """One thing to know about a row: the column it is about, what the file says, and what became of that."""

    code: Code
    column: str
    value: str
    after: str = ""


class Apart(NamedTuple):
    """What is said of a record that is no contact."""

    reason: str
    suggestion: str = ""


SKIPPED: dict[str, Apart] = {
    "repeated_header": Apart("This is the header once more."),
    "total": Apart("This is a total, not a contact."),
    "footer": Apart("This is a note below the table, not a contact."),
}
"""Records that are skipped for what they are, by the note the reader gave them."""
DAMAGED = Apart(
    "This line is damaged: a quote is never closed, or it holds bytes that are not text.",
    "Mend the line in the file, and upload the rejected rows again.",
)
SKIPS = (*SKIPPED, *(code for code, kind in KINDS.items() if kind.is_choice))
"""Codes of rows that a rule leaves out."""


class CleanRow:
    """One record as we would store it. A million are made, so only what a row has is set; the rest is the class's.

    code      "" for a contact; else why it is none, with column, value, reason and suggestion told
    others    further numbers of the row, in E.164, that are no contact of their own
    further   further numbers of the row that each become a row of their own
    warnings  what a person should know of it; none where it is rejected
    opt_outs  ((header of a do-not-contact column, what it says, as it was compared), …); not of those that say nothing
    """

    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    salutation: str = ""
    email: str = ""
    company: str = ""
    tag: str = ""
    time_zone: str = ""
    others: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    warnings: tuple[RowWarning, ...] = ()
    opt_outs: tuple[tuple[str, str], ...] = ()
    rule: str = ""
    code: str = ""
    column: str = ""
    value: str = ""
    reason: str = ""
    suggestion: str = ""

    def __init__(self, line: int) -> None:
        self.line = line
        self.extra: dict[str, str] = {}

    def set_apart(self, code: str, column: str, value: str, reason: str, suggestion: str = "") -> None:
        """Say why the row is no contact; of several reasons the first is told."""
        if not self.code:
            self.code, self.column, self.reason, self.suggestion = code, column, reason, suggestion
            self.value = tidy(value)[:LONGEST_SHOWN]

    def warn(self, code: Code, column: str, value: str, after: str = "") -> None:
        self.warnings = (*self.warnings, RowWarning(code, column, tidy(value)[:LONGEST_SHOWN], after))

    @property
    def outcome(self) -> str:
        """What becomes of a row with a `code`, before anything is known of its number."""
        return "suppressed" if self.code == OPTED_OUT else "skipped" if self.code in SKIPS else "rejected"

    @property
    def warning_codes(self) -> list[str]:
        return list(dict.fromkeys(warning.code for warning in self.warnings))

    def for_number(self, part: int) -> "CleanRow":
        """A row of its own for one of the `further` numbers, counted from 1."""
        row = copy(self)
        row.line, row.phone, row.further = of_number(self.line, part), self.further[part - 1], ()
        return row


_STEERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])
_is_guarded = re.compile(r"'+[=+@-]").match


def tidy(value: str) -> str:
    """The text without outer white space, control characters and marks that turn its direction, in composed form.

    One apostrophe before what a spreadsheet would run as a formula goes too: `exporting.safe_cell` puts it there.
    """
    value = value.strip()
    if value[:1] == "'" and _is_guarded(value):
        value = value[1:]
    if value.isascii() and value.isprintable():
        return value
    value = unicodedata.normalize("NFC", value).translate(_STEERING)
    if not value.isprintable():
        value = "".join(
            " " if char in "\t\n\r\v\f\x85\u2028\u00a0" else "" if unicodedata.category(char) in {"Cc", "Cs"} else char
            for char in value
        )
    return value.strip()


def said(cell: str) -> str:
    """What a cell says: its text, tidied, or "" where it only says that there is nothing."""
    if cell.isascii() and cell.isprintable() and cell[:1] not in FIRST_OF_BLANKS and cell[-1:] != " ":
        return cell  # most cells are plain, and this is asked of every one of them
    value = tidy(cell)
    return "" if is_blank(value) else value


Setter = Callable[[CleanRow, list[str]], None]
"""Puts what some cells say into a row, or warns of them; the cells are as many as the headers."""


def cleaner(mapping: Mapping, headers: Sequence[str]) -> Callable[[Record], CleanRow]:
    """The function that cleans the records of one file. The mapping must have no `columns.problems`."""
    width = len(headers)
    constants = [(name, tidy(value)) for name, value in mapping.constants.items() if BY_NAME[name].stored]
    setters = list(_setters(mapping, headers))

    def clean(record: Record) -> CleanRow:
        line, cells, note = record
        row = CleanRow(line)
        if note:
            apart = SKIPPED.get(note, DAMAGED)
            row.set_apart(note, "", next(filter(str.strip, cells), ""), apart.reason, apart.suggestion)
            return row
        if len(cells) != width:
            surplus = [cell for cell in cells[width:] if cell.strip()]
            if surplus:
                row.set_apart(
                    "too_many_cells", "", surplus[0],
                    "The row has more cells than the header, so it is not certain which value belongs to which column.",
                    "Look for a delimiter inside a value that is not in quotes.",
                )  # fmt: skip
                return row
            cells = cells + [""] * (width - len(cells))
        for name, value in constants:
            setattr(row, name, value)
        for put in setters:
            put(row, cells)
        if row.code and row.outcome == "rejected":
            row.warnings = ()
        return row

    return clean


def _setters(mapping: Mapping, headers: Sequence[str]) -> Iterator[Setter]:
    """In the order in which problems are told: of several in a row, the first is."""
    at = mapping.columns
    yield _phone(mapping, headers)
    for column in mapping.opt_out_columns:
        yield _opt_out(headers[column], column, mapping.opt_out.get(column, {}))
    for column in mapping.unsure:
        yield _unsure(headers[column], column)
    plain = [name for name in at if BY_NAME[name].stored and name not in ("phone", *_BY_FIELD)]
    if plain:
        yield _texts([(headers[at[name]], at[name], name, BY_NAME[name].longest) for name in plain])
    for name, setter in _BY_FIELD.items():
        if name in at:
            yield setter(headers[at[name]], at[name])
    attributes = [(headers[at[name]], at[name], name) for name in ("reason",) if name in at]
    attributes += [(headers[column], column, headers[column].removesuffix(ATTRIBUTE)) for column in mapping.extras]
    if attributes:
        yield _attributes(attributes)


# --- the number ------------------------------------------------------------------------------------------------------


def _phone(mapping: Mapping, headers: Sequence[str]) -> Setter:
    """The number of a row out of its phone columns, and what has to be said of it."""
    columns = mapping.phones
    region_of_row = _region_of_row(mapping, headers)
    checks = _checks_of_number(mapping.switches)
    want_each, want_mobile = mapping.numbers == "each", mapping.numbers == "first_mobile"
    first_column = columns[0]
    unremarkable: dict[str | None, Callable[[str], bool]] = {}

    def number(row: CleanRow, cells: list[str]) -> None:
        region = region_of_row(cells)
        if len(columns) == 1 or not any(cells[column] for column in columns[1:]):
            found = phones.numbers_in(cells[first_column], region)
            column = first_column
        else:
            found, column = _numbers_of_row(cells, columns, region)
        if isinstance(found, PhoneRefused):
            _refuse_number(row, cells, column, found)
            return
        numbers = found
        chosen = numbers[0]
        if len(numbers) > 1:
            chosen = _chosen(numbers, want_mobile=want_mobile)
            rest = tuple(dict.fromkeys(other.e164 for other in numbers if other.e164 != chosen.e164))[
                : MOST_NUMBERS - 1
            ]
            if want_each:
                row.further = rest
            elif rest:
                row.others = rest
                row.extra[OTHER_NUMBERS] = ", ".join(rest)
                row.warn(Code.SEVERAL_NUMBERS, headers[column], cells[column], chosen.e164)
        row.phone, row.rule = chosen.e164, chosen.rule
        if region not in unremarkable:
            unremarkable[region] = phones.is_unremarkable_in(region)
        if chosen.other or not unremarkable[region](chosen.e164):
            checks(row, chosen, region, headers[column], cells[column])

    def _refuse_number(row: CleanRow, cells: list[str], column: int, refused: PhoneRefused) -> None:
        country_at = mapping.columns.get("country")
        if refused is NO_COUNTRY and country_at is not None and not is_blank(cells[country_at]):
            row.set_apart(UNKNOWN_COUNTRY.code, headers[country_at], cells[country_at], *UNKNOWN_COUNTRY[1:])
            return
        if refused.code == Code.PLACEHOLDER:  # zeros, say: nobody's number either, though no country has it
            row.warn(Code.PLACEHOLDER, headers[column], cells[column])
        row.set_apart(refused.code, headers[column], cells[column], refused.reason, refused.suggestion)

    return number


def _numbers_of_row(
    cells: list[str], columns: Sequence[int], region: str | None
) -> tuple[tuple[Phone, ...] | PhoneRefused, int]:
    """Every number of the row and the column of the first, or why there is none: a blank cell says least of it."""
    numbers: dict[str, Phone] = {}
    first_at = columns[0]
    refused = MISSING
    for column in columns:
        found = phones.numbers_in(cells[column], region)
        if isinstance(found, PhoneRefused):
            if not numbers and refused is MISSING and found is not MISSING:
                refused, first_at = found, column
            continue
        if not numbers:
            first_at = column
        for number in found:
            numbers.setdefault(number.e164, number)
    return (tuple(numbers.values()) or refused), first_at


def _chosen(numbers: Sequence[Phone], *, want_mobile: bool) -> Phone:
    """The number of the contact among several: nobody's number only where there is no other."""
    real = [number for number in numbers if not phones.is_placeholder(number.e164)] or numbers
    if want_mobile:
        for number in real:
            if phones.kind_of(number.e164) in ("mobile", "mobile_or_fixed"):
                return number
    return real[0]


def _checks_of_number(switches: dict[str, bool]) -> Callable[[CleanRow, Phone, str | None, str, str], None]:
    """What is said of a valid number, and whether it leaves its row out."""

    def warn(row: CleanRow, code: Code, header: str, cell: str, after: str) -> None:
        row.warn(code, header, cell, after)
        if not is_imported(code, switches):
            row.set_apart(code, header, cell, *_left_out(code))

    def checks(row: CleanRow, number: Phone, region: str | None, header: str, cell: str) -> None:
        if phones.is_placeholder(number.e164):
            warn(row, Code.PLACEHOLDER, header, cell, number.e164)
        if number.other:
            warn(row, Code.TWO_READINGS, header, cell, number.e164)
        if region is not None and phones.country_of(number.e164) != region:
            warn(row, Code.OTHER_COUNTRY, header, cell, number.e164)
        if phones.kind_of(number.e164) in ("toll_free", "premium"):
            warn(row, Code.SERVICE_NUMBER, header, cell, number.e164)

    return checks


def _region_of_row(mapping: Mapping, headers: Sequence[str]) -> Callable[[list[str]], str | None]:
    """The country that numbers of a row are read in: its own column's, one for all rows, or the list's."""
    usual = mapping.region or None
    if "country" in mapping.constants:
        usual = phones.region_of(mapping.constants["country"]) or usual
    country_at = mapping.columns.get("country")
    if country_at is None:
        return lambda cells: usual
    regions: dict[str, str | None] = {}

    def region_of_row(cells: list[str]) -> str | None:
        cell = cells[country_at]
        if cell not in regions:
            if len(regions) > 1000:  # a file names few countries; a hostile one not more than fit
                regions.clear()
            regions[cell] = usual if is_blank(cell) else phones.region_of(cell)
        return regions[cell]

    return region_of_row


def _left_out(code: Code) -> tuple[str, str]:
    return KINDS[code].title, "The row is left out. It can be imported all the same, under Check."


# --- do not contact --------------------------------------------------------------------------------------------------


def _opt_out(header: str, at: int, answers: dict[str, bool]) -> Setter:
    """A row of which a do-not-contact column says so is suppressed, whatever else says or would leave it out.

    Only a row without a number stays rejected, so that somebody finds the number to protect. A word nobody can read is
    warned of, and protects until it is answered.
    """
    sense = opt_outs.sense(header)
    readings: dict[str, bool | None] = {}

    def reading(value: str) -> bool | None:
        if value not in readings:
            if len(readings) > 1000:
                readings.clear()
            readings[value] = answers.get(value, opt_outs.reading(value, sense))
        return readings[value]

    def opt_out(row: CleanRow, cells: list[str]) -> None:
        value = opt_outs.compared(said(cells[at]))
        if not value:
            return
        row.opt_outs = (*row.opt_outs, (header, value))
        match reading(value):
            case True if row.phone and row.code != OPTED_OUT:
                row.code = ""
                row.set_apart(OPTED_OUT, header, cells[at], "The file says that this person must not be contacted.")
            case None:
                row.warn(Code.OPT_OUT_UNSURE, header, cells[at])

    return opt_out


def _unsure(header: str, at: int) -> Setter:
    def unsure(row: CleanRow, cells: list[str]) -> None:
        if opt_outs.may_mean_opt_out(header, said(cells[at])):
            row.warn(Code.OPT_OUT_UNSURE, header, cells[at])

    return unsure


# --- everything else -------------------------------------------------------------------------------------------------


def _texts(columns: Sequence[tuple[str, int, str, int]]) -> Setter:
    """columns  (header, position, field, limit in characters); one setter for all, because every row has most"""
    readers = [(*column, _name_of if column[2] == "last_name" else said) for column in columns]

    def texts(row: CleanRow, cells: list[str]) -> None:
        for header, at, name, longest, read in readers:
            if (cell := cells[at]) and (value := read(cell)):
                if len(value) > longest or not value.isascii():
                    _put(row, header, name, value, longest)
                else:
                    setattr(row, name, value)

    return texts


def _put(row: CleanRow, header: str, name: str, value: str, longest: int) -> None:
    if len(value) > longest:
        row.warn(Code.TOO_LONG_LEFT_OUT, header, value)
        return
    setattr(row, name, value)
    if not value.isascii() and names.looks_garbled(value):
        row.warn(Code.GARBLED, header, value, value)


_NAMES_LIKE_BLANKS = {"Na", "Nan"}
"""Names of people that are otherwise read as words for nothing; in capitals or small letters they are no names."""


def _name_of(cell: str) -> str:
    value = said(cell)
    return value or (tidy(cell) if tidy(cell) in _NAMES_LIKE_BLANKS else "")


@lru_cache(maxsize=10_000)  # they are few, and every row of a file has one
def _first_name_of(cell: str) -> tuple[str, str]:
    return names.split_salutation(_name_of(cell))


def _first_name(header: str, at: int) -> Setter:
    longest = BY_NAME["first_name"].longest

    def first_name(row: CleanRow, cells: list[str]) -> None:
        salutation, value = _first_name_of(cells[at])
        if salutation and not row.salutation:
            row.salutation = salutation
        if value.isascii() and len(value) <= longest:
            row.first_name = value or row.first_name
        else:
            _put(row, header, "first_name", value, longest)

    return first_name


def _full_name(header: str, at: int) -> Setter:
    longest = BY_NAME["first_name"].longest

    def full_name(row: CleanRow, cells: list[str]) -> None:
        if not cells[at] or not (value := _name_of(cells[at])):
            return
        name = names.split_full_name(value)
        if len(name.first) > longest or len(name.last) > longest:
            row.warn(Code.TOO_LONG_LEFT_OUT, header, value)
            return
        row.first_name, row.last_name = name.first, name.last
        row.salutation = row.salutation or name.salutation
        if not value.isascii() and names.looks_garbled(value):
            row.warn(Code.GARBLED, header, value, value)

    return full_name


_is_email = re.compile(r"[^@\s,;<>]+@[^@\s.,;<>]+(?:\.[^@\s.,;<>]+)+").fullmatch
_BETWEEN_ADDRESSES = re.compile(r"[,;|/\s<>()\[\]]+|:::")


def _email(header: str, at: int) -> Setter:
    longest = BY_NAME["email"].longest

    def email(row: CleanRow, cells: list[str]) -> None:
        value = cells[at]
        if value.isascii() and len(value) <= longest and ":" not in value and _is_email(value):
            row.email = value
            return
        if not (value := said(value)):
            return
        found = value if _is_email(value) and ":" not in value else first_address(value)
        if not found:
            row.warn(Code.EMAIL_LEFT_OUT, header, value)
        elif len(found) > longest:
            row.warn(Code.TOO_LONG_LEFT_OUT, header, value)
        else:
            row.email = found

    return email


def first_address(text: str) -> str:
    """The first e-mail address in a cell that holds more: a name, "mailto:", several addresses; "" when none."""
    for piece in _BETWEEN_ADDRESSES.split(text):
        candidate = piece.removeprefix("mailto:").partition("?")[0].strip("\"'.:")
        if _is_email(candidate):
            return candidate
    return ""


_ZONES = {zone.casefold(): zone for zone in available_timezones()}


def _time_zone(header: str, at: int) -> Setter:
    def time_zone(row: CleanRow, cells: list[str]) -> None:
        if value := said(cells[at]):
            if zone := _ZONES.get(value.casefold()):
                row.time_zone = zone
            else:
                row.warn(Code.TIME_ZONE_LEFT_OUT, header, value)

    return time_zone


def _tag(header: str, at: int) -> Setter:
    """Labels of an address book come joined by “:::”, and those its program gives by itself begin with a star."""
    longest = BY_NAME["tag"].longest

    def tag(row: CleanRow, cells: list[str]) -> None:
        if value := said(cells[at]):
            if value.startswith("* ") or ":::" in value:
                labels = (label.strip() for label in value.split(":::"))
                value = ", ".join(label for label in labels if not label.startswith("*"))
            _put(row, header, "tag", value, longest)

    return tag


_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%B %d, %Y")
_DAY_AND_MONTH = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_TIME_OF_DAY = re.compile(r"[T ]\d{1,2}:\d\d.*$")


def read_date(text: str) -> date | None:
    """The day a cell names; None when it names none, or 03/04/2026 leaves open which number is the month."""
    text = _TIME_OF_DAY.sub("", text.strip())
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no time zone
        except ValueError:
            continue
    if not (match := _DAY_AND_MONTH.fullmatch(text)):
        return None
    one, other, year = map(int, match.groups())
    if one != other and one <= 12 and other <= 12:
        return None
    day, month = (one, other) if other <= 12 else (other, one)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _since(header: str, at: int) -> Setter:
    def since(row: CleanRow, cells: list[str]) -> None:
        if value := said(cells[at]):
            if found := read_date(value):
                row.extra["since"] = found.isoformat()
            else:
                row.warn(Code.DATE_LEFT_OUT, header, value)

    return since


_BY_FIELD: dict[str, Callable[[str, int], Setter]] = {
    "first_name": _first_name,
    "full_name": _full_name,
    "email": _email,
    "tag": _tag,
    "time_zone": _time_zone,
    "since": _since,
}
"""Fields with a reader of their own."""


def _attributes(columns: Sequence[tuple[str, int, str]]) -> Setter:
    """columns  (header, position, name of the attribute)"""

    def attributes(row: CleanRow, cells: list[str]) -> None:
        for header, at, name in columns:
            if cells[at] and (value := said(cells[at])):
                if len(value) > LONGEST_EXTRA:
                    row.warn(Code.TOO_LONG_LEFT_OUT, header, value)
                else:
                    row.extra[name] = value

    return attributes
