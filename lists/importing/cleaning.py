"""A raw record and a mapping into clean values, or the reason they are not.

The mapping is compiled once into a function that runs for every row of the file. Values are kept as they are, outer
white space and control characters aside; what is too long is refused, never cut.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from lists.fields import BY_NAME, Kind
from lists.importing.columns import Mapping
from lists.importing.reading import Record
from lists.phones import NO_COUNTRY, UNKNOWN_COUNTRY, Phone, normalise, region_of

LONGEST_EXTRA = 1000
LONGEST_SHOWN = 200
"""Characters of a refused value kept beside its reason; the cells themselves are kept whole."""


@dataclass(slots=True)
class CleanRow:
    """One record as we would store it; `code` is "" when it is clean, else the first problem found is described."""

    line: int
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    salutation: str = ""
    email: str = ""
    company: str = ""
    tag: str = ""
    time_zone: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    code: str = ""
    column: str = ""
    value: str = ""
    reason: str = ""
    suggestion: str = ""

    def refuse(self, code: str, column: str, value: str, reason: str, suggestion: str) -> None:
        if not self.code:
            self.code, self.column, self.reason, self.suggestion = code, column, reason, suggestion
            self.value = tidy(value)[:LONGEST_SHOWN]


_STEERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFEFF])
_is_email = re.compile(r"[^@\s,;<>]+@[^@\s.,;<>]+(?:\.[^@\s.,;<>]+)+").fullmatch
_is_guarded = re.compile(r"'+[=+@-]").match
_ZONES = {zone.casefold(): zone for zone in available_timezones()}


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
            " " if char in "\t\n\r\v\f\x85" else "" if unicodedata.category(char) in {"Cc", "Cs"} else char
            for char in value
        )
    return value.strip()


Setter = Callable[[CleanRow, list[str]], None]
"""Puts what some cells say into a row, or refuses them; the cells are as many as the headers."""


def cleaner(mapping: Mapping, headers: Sequence[str]) -> Callable[[Record], CleanRow]:
    """The function that cleans the records of one file. The mapping must have no `columns.problems`."""
    width = len(headers)
    constants = [(name, tidy(value)) for name, value in mapping.constants.items() if name in CleanRow.__slots__]
    setters = list(_setters(mapping, headers))

    def clean(record: Record) -> CleanRow:
        line, cells = record
        row = CleanRow(line)
        if len(cells) != width:
            surplus = [cell for cell in cells[width:] if cell.strip()]
            if surplus:
                row.refuse(
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
        return row

    return clean


def _setters(mapping: Mapping, headers: Sequence[str]) -> Iterator[Setter]:
    """In the order in which problems are told: of several in a row, the first is."""
    at = mapping.columns
    yield _phone(mapping, headers)
    plain = [name for name in at if BY_NAME[name].kind in (Kind.NAME, Kind.TEXT)]
    if plain:
        yield _texts([(headers[at[name]], at[name], name, BY_NAME[name].longest) for name in plain])
    if "full_name" in at:
        yield _full_name(headers[at["full_name"]], at["full_name"])
    if "email" in at:
        yield _email(headers[at["email"]], at["email"])
    if "time_zone" in at:
        yield _time_zone(headers[at["time_zone"]], at["time_zone"])
    if mapping.extras:
        yield _extras([(headers[column], column) for column in mapping.extras])


def _phone(mapping: Mapping, headers: Sequence[str]) -> Setter:
    at = mapping.columns["phone"]
    header = headers[at]
    usual = mapping.region or None
    if "country" in mapping.constants:
        usual = region_of(mapping.constants["country"]) or usual

    def number(row: CleanRow, cells: list[str]) -> None:
        found = normalise(cells[at], usual)
        if isinstance(found, Phone):
            row.phone = found.e164
        else:
            row.refuse(found.code, header, cells[at], found.reason, found.suggestion)

    country_at = mapping.columns.get("country")
    if country_at is None:
        return number
    region_for = _remembered_regions()

    def number_of_country(row: CleanRow, cells: list[str]) -> None:
        country = cells[country_at].strip()
        region = region_for(country) if country else usual
        found = normalise(cells[at], region)
        if isinstance(found, Phone):
            row.phone = found.e164
        elif found is NO_COUNTRY and country and region is None:
            row.refuse(UNKNOWN_COUNTRY.code, headers[country_at], cells[country_at], *UNKNOWN_COUNTRY[1:])
        else:
            row.refuse(found.code, header, cells[at], found.reason, found.suggestion)

    return number_of_country


def _remembered_regions() -> Callable[[str], str | None]:
    """`region_of` that remembers; a file names few countries, and a hostile one not more than fit."""
    regions: dict[str, str | None] = {}

    def region_for(cell: str) -> str | None:
        if cell not in regions:
            if len(regions) > 1000:
                regions.clear()
            regions[cell] = region_of(cell)
        return regions[cell]

    return region_for


def _texts(columns: Sequence[tuple[str, int, str, int]]) -> Setter:
    """columns  (header, position, field, limit in characters); one setter for all, because every row has most"""

    def texts(row: CleanRow, cells: list[str]) -> None:
        for header, at, name, limit in columns:
            if value := cells[at]:
                value = tidy(value)
                if len(value) > limit:
                    _refuse_length(row, header, value, limit)
                else:
                    setattr(row, name, value)

    return texts


def _full_name(header: str, at: int) -> Setter:
    longest = BY_NAME["first_name"].longest

    def full_name(row: CleanRow, cells: list[str]) -> None:
        if value := tidy(cells[at]):
            first, _, rest = value.partition(" ")
            last = rest.lstrip()
            if len(first) > longest or len(last) > longest:
                _refuse_length(row, header, value, longest)
            else:
                row.first_name, row.last_name = first, last

    return full_name


def _email(header: str, at: int) -> Setter:
    longest = BY_NAME["email"].longest

    def email(row: CleanRow, cells: list[str]) -> None:
        if value := tidy(cells[at]):
            if len(value) > longest:
                _refuse_length(row, header, value, longest)
            elif _is_email(value):
                row.email = value
            else:
                row.refuse(
                    "not_an_email", header, value, "This is not an e-mail address.",
                    "Write one address, as name@example.org, or leave the cell empty.",
                )  # fmt: skip

    return email


def _time_zone(header: str, at: int) -> Setter:
    def time_zone(row: CleanRow, cells: list[str]) -> None:
        if value := tidy(cells[at]):
            if zone := _ZONES.get(value.casefold()):
                row.time_zone = zone
            else:
                row.refuse(
                    "unknown_time_zone", header, value, "This time zone is not known.",
                    "Write it as Asia/Kolkata or Europe/London, or leave the cell empty.",
                )  # fmt: skip

    return time_zone


def _extras(columns: Sequence[tuple[str, int]]) -> Setter:
    def extras(row: CleanRow, cells: list[str]) -> None:
        for header, at in columns:
            if value := tidy(cells[at]):
                if len(value) > LONGEST_EXTRA:
                    _refuse_length(row, header, value, LONGEST_EXTRA)
                else:
                    row.extra[header] = value

    return extras


def _refuse_length(row: CleanRow, header: str, value: str, limit: int) -> None:
    row.refuse(
        "too_long_text", header, value, f"The value has {len(value):,} characters; {limit:,} are allowed.",
        "Shorten it in the file, or do not import this column.",
    )  # fmt: skip
