"""The fields we know, what files call them, and which column of a file holds which.

A guess always carries its reason. A field takes one column; a column feeds one field, is kept as an extra attribute
under its own header, or is not imported.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingABC
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from lists.fields import BY_NAME, FIELDS
from lists.phones import REGIONS, Phone, normalise, region_of

EXTRA = "extra"
"""What a form chooses for a column that is kept under its own header."""


@dataclass
class Mapping:
    """Which column feeds which field.

    columns    {field name: position of the column, from 0}; the column of `country` gives the region row by row
    region     two letters: the country of numbers written without one; "" when none is assumed
    constants  {field name: one value for all rows}, for fields without a column
    extras     positions of the columns kept as extra attributes
    """

    columns: dict[str, int] = field(default_factory=dict)
    region: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    extras: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "columns": dict(self.columns),
            "region": self.region,
            "constants": dict(self.constants),
            "extras": list(self.extras),
        }

    @classmethod
    def from_dict(cls, values: MappingABC[str, Any]) -> "Mapping":
        return cls(
            dict(values.get("columns", {})),
            values.get("region", ""),
            dict(values.get("constants", {})),
            list(values.get("extras", [])),
        )

    def choice(self, column: int) -> str:
        """What a form shows as chosen for a column: a field's name, EXTRA, or "" for a column not imported."""
        for name, position in self.columns.items():
            if position == column:
                return name
        return EXTRA if column in self.extras else ""


@dataclass(frozen=True)
class Suggestion:
    """What one column of a file probably holds; `fill` is the share of rows with a value, from 0 to 1."""

    column: int
    header: str
    field: str | None
    reason: str
    samples: tuple[str, ...]
    fill: float


def key(header: str) -> str:
    """A header as it is compared: without case, accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", header.casefold())
    plain = (char for char in decomposed if unicodedata.category(char) != "Mn")  # accents
    kept = (char if char.isalnum() or unicodedata.category(char) == "Mc" else " " for char in plain)
    return " ".join("".join(kept).split())


_NAMES = {key(known.name): known.name for known in FIELDS}
_ALIASES = {key(alias): known.name for known in FIELDS for alias in (known.label, *known.aliases)}


def guess(headers: Sequence[str], sample_rows: Sequence[Sequence[str]], region: str | None = None) -> list[Suggestion]:
    """One suggestion for each column, in file order; a field is suggested once, for the column with the best reason."""
    values = [
        [row[at].strip() for row in sample_rows if at < len(row) and row[at].strip()] for at in range(len(headers))
    ]
    bids = sorted(
        (strength, -at, name, reason)
        for at, header in enumerate(headers)
        for strength, name, reason in _bids(header, values[at], region)
    )
    taken: dict[int, tuple[str, str]] = {}
    for _, minus_at, name, reason in reversed(bids):
        if -minus_at not in taken and all(name != other for other, _ in taken.values()):
            taken[-minus_at] = (name, reason)
    rows = max(len(sample_rows), 1)
    suggestions = []
    for at, header in enumerate(headers):
        nothing = "No field of ours by this name." if values[at] else "No values in the rows looked at."
        found, reason = taken.get(at, (None, nothing))
        samples = tuple(dict.fromkeys(values[at]))[:3]
        suggestions.append(Suggestion(at, header, found, reason, samples, len(values[at]) / rows))
    return suggestions


def _bids(header: str, values: list[str], region: str | None) -> Iterable[tuple[float, str, str]]:
    """(strength, field, reason) for everything a column could be."""
    compared = key(header)
    if compared in _NAMES:
        yield 4, _NAMES[compared], "The header is the field’s name."
    elif compared in _ALIASES:
        yield 3, _ALIASES[compared], f"“{header}” is another name for {BY_NAME[_ALIASES[compared]].label.lower()}."
    if not values:
        return
    for name, looks_right, what in (
        ("phone", lambda value: _looks_like_phone(value, region), "phone numbers"),
        ("email", lambda value: "@" in value and "." in value.rpartition("@")[2], "e-mail addresses"),
        ("time_zone", lambda value: value in _ZONES and "/" in value, "time zones"),
        ("country", lambda value: value.isalpha() and len(value) > 1 and region_of(value) is not None, "countries"),
    ):
        share = sum(map(looks_right, values)) / len(values)
        if share >= 0.7:
            yield 1 + share, name, f"{share:.0%} of its values look like {what}.".replace("%", " %")


_ZONES = available_timezones()


def _looks_like_phone(value: str, region: str | None) -> bool:
    if isinstance(normalise(value, region), Phone):
        return True
    digits = sum(char.isdigit() for char in value)
    return 9 <= digits <= 15 and len(value) - digits <= 6 and not any(char.isalpha() for char in value)


def suggested(headers: Sequence[str], sample_rows: Sequence[Sequence[str]], region: str = "") -> Mapping:
    """The mapping a person would get by accepting every suggestion."""
    suggestions = guess(headers, sample_rows, region or None)
    columns = {suggestion.field: suggestion.column for suggestion in suggestions if suggestion.field}
    if "full_name" in columns and "first_name" in columns:
        del columns["full_name"]  # a file with both says the same thing twice
    return Mapping(columns, region)


def from_options(options: Iterable[str], headers: Sequence[str], region: str = "") -> Mapping:
    """A mapping from `field=Header`, `field=#3` (by position, from 1) and `extra=Header`. Raises ValueError."""
    mapping = Mapping(region=region)
    for option in options:
        name, equals, header = option.partition("=")
        if not equals or (name not in BY_NAME and name != EXTRA):
            raise ValueError(
                f"“{option}” is no mapping; write field=Header with one of: {', '.join([*BY_NAME, EXTRA])}."
            )
        column = _column(header, headers)
        if name == EXTRA:
            mapping.extras.append(column)
        elif name in mapping.columns:
            raise ValueError(f"{BY_NAME[name].label} is mapped twice.")
        else:
            mapping.columns[name] = column
    return mapping


def _column(header: str, headers: Sequence[str]) -> int:
    if header in headers:
        return headers.index(header)
    if header.startswith("#") and header[1:].isdecimal():
        if 1 <= int(header[1:]) <= len(headers):
            return int(header[1:]) - 1
        raise ValueError(f"The file has {len(headers)} columns; there is no column {header}.")
    alike = [at for at, known in enumerate(headers) if key(known) == key(header)]
    if len(alike) == 1:
        return alike[0]
    raise ValueError(f"The file has no column “{header}”. Its columns are: {', '.join(headers)}.")


def problems(mapping: Mapping, headers: Sequence[str]) -> list[str]:
    """What has to be put right before a mapping can be used, as sentences; empty when nothing."""
    found = [] if "phone" in mapping.columns else ["Choose the column that holds the phone number."]
    used = [*mapping.columns.values(), *mapping.extras]
    for column in sorted({at for at in used if used.count(at) > 1}):
        name = headers[column] if column < len(headers) else f"Column {column + 1}"
        found.append(f"“{name}” is used for more than one field.")
    if any(not 0 <= at < len(headers) for at in used):
        found.append("A chosen column is not in this file. Choose the columns again.")
    if any(name not in BY_NAME for name in (*mapping.columns, *mapping.constants)):
        found.append("A chosen field is not one of ours. Choose the fields again.")
    if mapping.region and mapping.region not in REGIONS:
        found.append("Choose the default country from the list.")
    if "full_name" in mapping.columns and {"first_name", "last_name"} & set(mapping.columns):
        found.append("Choose either the full name or first and last name, not both.")
    for name, value in mapping.constants.items():
        if name in mapping.columns:
            found.append(f"{BY_NAME[name].label} has both a column and one value for all rows; choose one of them.")
        elif name == "phone":
            found.append("One phone number for all rows would make them one contact. Choose a column.")
        elif name in BY_NAME and len(value.strip()) > BY_NAME[name].longest:
            found.append(f"{BY_NAME[name].label} may have {BY_NAME[name].longest} characters.")
        elif name == "time_zone" and value not in _ZONES:
            found.append(f"“{value}” is no time zone. Write it as Asia/Kolkata.")
    return found
