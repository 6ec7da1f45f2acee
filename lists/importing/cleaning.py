"""A raw record and a mapping into clean values, or the reason they are not.

The mapping is compiled once into a function that runs for every row of the file. Values are kept as they are, outer
white space and control characters aside; what is too long is refused, never cut.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import available_timezones

from lists.importing.columns import BY_NAME, Mapping
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


def cleaner(mapping: Mapping, headers: Sequence[str]) -> Callable[[Record], CleanRow]:
    """The function that cleans the records of one file. The mapping must have no `columns.problems`."""
    width = len(headers)
    phone_at = mapping.columns["phone"]
    country_at = mapping.columns.get("country")
    default_region = mapping.region or None
    if "country" in mapping.constants:
        default_region = region_of(mapping.constants["country"]) or default_region
    texts = [
        (name, at, BY_NAME[name].limit)
        for name, at in mapping.columns.items()
        if name not in {"phone", "country", "full_name", "email", "time_zone"}
    ]
    full_name_at = mapping.columns.get("full_name")
    email_at = mapping.columns.get("email")
    zone_at = mapping.columns.get("time_zone")
    extras = [(headers[at], at) for at in mapping.extras]
    constants = {name: tidy(value) for name, value in mapping.constants.items() if name in CleanRow.__slots__}
    regions: dict[str, str | None] = {}

    def region_for(cell: str) -> str | None:
        """The region of a country cell, remembered; a file names few countries, and a hostile one not more than fit."""
        if cell not in regions:
            if len(regions) > 1000:
                regions.clear()
            regions[cell] = region_of(cell)
        return regions[cell]

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
        for name, value in constants.items():
            setattr(row, name, value)

        region, country_unknown = default_region, False
        if country_at is not None and (country := cells[country_at].strip()):
            region = region_for(country)
            country_unknown = region is None
        raw = cells[phone_at]
        found = normalise(raw, region)
        if isinstance(found, Phone):
            row.phone = found.e164
        elif found is NO_COUNTRY and country_unknown:
            assert country_at is not None  # noqa: S101 - only such a column makes a country unknown
            row.refuse(UNKNOWN_COUNTRY.code, headers[country_at], cells[country_at], *UNKNOWN_COUNTRY[1:])
        else:
            row.refuse(found.code, headers[phone_at], raw, found.reason, found.suggestion)

        for name, at, limit in texts:
            if value := cells[at]:
                value = tidy(value)
                if len(value) > limit:
                    _refuse_length(row, headers[at], value, limit)
                else:
                    setattr(row, name, value)
        if full_name_at is not None and (value := tidy(cells[full_name_at])):
            row.first_name, _, rest = value.partition(" ")
            row.last_name = rest.lstrip()
            if len(row.first_name) > 100 or len(row.last_name) > 100:
                row.first_name = row.last_name = ""
                _refuse_length(row, headers[full_name_at], value, 100)
        if email_at is not None and (value := tidy(cells[email_at])):
            if len(value) > 254:
                _refuse_length(row, headers[email_at], value, 254)
            elif _is_email(value):
                row.email = value
            else:
                row.refuse(
                    "not_an_email", headers[email_at], value, "This is not an e-mail address.",
                    "Write one address, as name@example.org, or leave the cell empty.",
                )  # fmt: skip
        if zone_at is not None and (value := tidy(cells[zone_at])):
            if zone := _ZONES.get(value.casefold()):
                row.time_zone = zone
            else:
                row.refuse(
                    "unknown_time_zone", headers[zone_at], value, "This time zone is not known.",
                    "Write it as Asia/Kolkata or Europe/London, or leave the cell empty.",
                )  # fmt: skip
        for header, at in extras:
            if value := tidy(cells[at]):
                if len(value) > LONGEST_EXTRA:
                    _refuse_length(row, header, value, LONGEST_EXTRA)
                else:
                    row.extra[header] = value
        return row

    return clean


def _refuse_length(row: CleanRow, header: str, value: str, limit: int) -> None:
    row.refuse(
        "too_long_text", header, value, f"The value has {len(value):,} characters; {limit:,} are allowed.",
        "Shorten it in the file, or do not import this column.",
    )  # fmt: skip
