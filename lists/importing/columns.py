"""Which column of a file holds which field: the mapping, how it is checked, and how a header is compared.

A field takes one column; the phone number, and who must not be contacted, as many as the file has for it. A column
feeds one field, is kept as an extra attribute under its own header, or is not imported. What a column probably holds is
guessed in `guessing`.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as MappingABC
from copy import deepcopy
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any
from zoneinfo import available_timezones

from lists.fields import BY_NAME, FIELDS, Field
from lists.importing.headers import key
from lists.phones import REGIONS

EXTRA = "extra"
"""What a form chooses for a column that is kept under its own header."""
IGNORE = "ignore"
"""What an option says of a column that is not imported."""

ATTRIBUTE = " (attribute)"
"""What an export puts behind the name of an attribute that is called like a field of ours."""
SEVERAL = ("phone", "do_not_contact")
"""Fields that may have several columns."""
NUMBERS = ("first_mobile", "first", "each")
"""Which number of a row counts: the first mobile, else the first valid; the first valid; each, as a row of its own."""


@dataclass
class Mapping:
    """Which column feeds which field, as `Import.mapping` stores it.

    columns        {field name: position of the column, from 0}; the column of `country` gives the region row by row
    region         two letters: the country of numbers written without one; "" when none is assumed
    constants      {field name: one value for all rows}, for fields without a column
    extras         positions of the columns kept as extra attributes
    more_phones    positions of further phone columns, asked in this order where those before hold no number
    numbers        one of NUMBERS
    more_opt_outs  positions of further do-not-contact columns; a row is opted out if any of them says so
    opt_out        {position of a do-not-contact column: {value, as `opt_outs.compared`: whether it means do not
                   contact}}, where a person has said so
    unsure         positions of columns that may say who must not be contacted, which nobody has answered for
    switches       {code of a warning: whether rows with it are imported}, where a person has said so
    """

    columns: dict[str, int] = field(default_factory=dict)
    region: str = ""
    constants: dict[str, str] = field(default_factory=dict)
    extras: list[int] = field(default_factory=list)
    more_phones: list[int] = field(default_factory=list)
    numbers: str = NUMBERS[0]
    more_opt_outs: list[int] = field(default_factory=list)
    opt_out: dict[int, dict[str, bool]] = field(default_factory=dict)
    unsure: list[int] = field(default_factory=list)
    switches: dict[str, bool] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: MappingABC[str, Any]) -> "Mapping":
        """The mapping of a stored dict, which may be older and know fewer keys."""
        mapping = cls()
        for each in fields(cls):
            if each.name in values:
                setattr(mapping, each.name, deepcopy(values[each.name]))
        mapping.opt_out = {int(at): answers for at, answers in mapping.opt_out.items()}  # keys of JSON are texts
        return mapping

    @property
    def phones(self) -> list[int]:
        """Positions of the phone columns, in the order in which they are asked."""
        return [*self._first("phone"), *self.more_phones]

    @property
    def opt_out_columns(self) -> list[int]:
        """Positions of the do-not-contact columns."""
        return [*self._first("do_not_contact"), *self.more_opt_outs]

    @property
    def of_fields(self) -> list[int]:
        """Positions of the columns that feed a field; one that feeds two stands there twice."""
        return [*self.columns.values(), *self.more_phones, *self.more_opt_outs]

    def _first(self, name: str) -> list[int]:
        return [self.columns[name]] if name in self.columns else []

    def not_imported(self, headers: Sequence[str]) -> list[int]:
        """Positions of the columns that are neither a field nor an attribute, nor asked about."""
        used = {*self.of_fields, *self.extras, *self.unsure}
        return [at for at in range(len(headers)) if at not in used]

    def choice(self, column: int) -> str:
        """What a form shows as chosen for a column: a field's name, EXTRA, or "" for a column not imported."""
        if column in self.more_phones:
            return "phone"
        if column in self.more_opt_outs:
            return "do_not_contact"
        for name, position in self.columns.items():
            if position == column:
                return name
        return EXTRA if column in self.extras else ""


def first_of(**columns: Sequence[int]) -> dict[str, int]:
    """{field: the first of its columns}, without the fields that have none: what `Mapping.columns` holds of SEVERAL."""
    return {name: positions[0] for name, positions in columns.items() if positions}


# Headers -------------------------------------------------------------------------------------------------------------


_INSIDE_CAMEL_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETED = re.compile(r"[(\[{（【][^)\]}）】]*(?:[)\]}）】]|$)")
_EXPLAINED = re.compile(r" (?:with|without|incl|including|excl|excluding|mit|ohne|avec|sans|com|sem) .*")
LONGEST_HEADER = 200
"""Characters of a header that are looked at; what is longer is a paragraph."""


def words(header: str) -> list[str]:
    """The words of a header as they are compared: camel case taken apart, what stands in brackets left out."""
    header = header[:LONGEST_HEADER]
    bare = key(_INSIDE_CAMEL_CASE.sub(" ", _BRACKETED.sub(" ", header)))
    return (_EXPLAINED.sub("", bare) or key(header)).split()


# Options of a command ------------------------------------------------------------------------------------------------


def corrected(
    base: Mapping, options: Iterable[str], headers: Sequence[str], known: Sequence[Field] = FIELDS
) -> Mapping:
    """`base` with single columns corrected; what no option names stays as it was guessed.

    options  `field=Header`, `field=#3` (by position, from 1), `extra=Header` or `ignore=Header`. `phone` may be given
             several times, in the order in which the columns are to be asked, and takes the place of those guessed.
             `do_not_contact` may be too, and comes beside those guessed: only `ignore` and the like give one up.

    Raises ValueError with a sentence.
    """
    chosen = _chosen(options, headers, known)
    named = [at for columns in chosen.values() for at in columns]
    if twice := [at for at in named if named.count(at) > 1]:
        raise ValueError(f"“{headers[twice[0]]}” is mapped twice.")

    phones = chosen.pop("phone", []) or [at for at in base.phones if at not in named]
    opt_outs = [*(at for at in base.opt_out_columns if at not in named), *chosen.pop("do_not_contact", [])]
    extras = [*(at for at in base.extras if at not in named), *chosen.pop(EXTRA, [])]
    chosen.pop(IGNORE, None)
    given_up = {*chosen, *SEVERAL, *_SAID_BY_OTHERS.get(frozenset(chosen) & _NAMES, ())}
    columns = {name: at for name, at in base.columns.items() if name not in given_up and at not in named}
    columns |= first_of(**chosen, phone=phones, do_not_contact=opt_outs)
    return replace(
        base,
        columns=columns,
        more_phones=phones[1:],
        more_opt_outs=opt_outs[1:],
        extras=extras,
        constants={name: value for name, value in base.constants.items() if name not in columns},
        unsure=[at for at in base.unsure if at not in named],
    )


_NAMES = frozenset({"first_name", "last_name", "full_name"})
_SAID_BY_OTHERS = {
    frozenset({"full_name"}): ("first_name", "last_name"),
    frozenset({"first_name"}): ("full_name",),
    frozenset({"last_name"}): ("full_name",),
    frozenset({"first_name", "last_name"}): ("full_name",),
}
"""{fields of names that a person chose: those a guess chose that would say the same twice}"""


def _chosen(options: Iterable[str], headers: Sequence[str], known: Sequence[Field]) -> dict[str, list[int]]:
    """{field, EXTRA or IGNORE: the columns that options name for it}"""
    names = [*(each.name for each in known), EXTRA, IGNORE]
    chosen: dict[str, list[int]] = {}
    for option in options:
        name, equals, header = option.partition("=")
        if not equals or name not in names:
            raise ValueError(f"“{option}” is no mapping; write field=Header with one of: {', '.join(names)}.")
        columns = chosen.setdefault(name, [])
        columns.append(_column(header, headers))
        if len(columns) > 1 and name not in (*SEVERAL, EXTRA, IGNORE):
            raise ValueError(f"{BY_NAME[name].label} is mapped twice.")
    return chosen


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


# Checks --------------------------------------------------------------------------------------------------------------

_ZONES = available_timezones()


def problems(mapping: Mapping, headers: Sequence[str]) -> list[str]:
    """What has to be put right before a mapping can be used, as sentences; empty when nothing."""
    found = [] if "phone" in mapping.columns else ["Choose the column that holds the phone number."]
    used = [*mapping.of_fields, *mapping.extras]
    for column in sorted({at for at in used if used.count(at) > 1}):
        name = headers[column] if 0 <= column < len(headers) else f"Column {column + 1}"
        found.append(f"“{name}” is used for more than one field.")
    if any(not 0 <= at < len(headers) for at in (*used, *mapping.unsure)):
        found.append("A chosen column is not in this file. Choose the columns again.")
    if any(name not in BY_NAME for name in (*mapping.columns, *mapping.constants)):
        found.append("A chosen field is not one of ours. Choose the fields again.")
    if mapping.region and mapping.region not in REGIONS:
        found.append("Choose the default country from the list.")
    if mapping.numbers not in NUMBERS:
        found.append("Choose which of several phone numbers counts.")
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
