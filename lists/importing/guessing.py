"""What the columns of a file probably hold, why we think so, and what only a person can say.

For every column and field the evidence is added up (`evidence`). Fields get columns by the best whole assignment, names
are settled, and the other phone and do-not-contact columns follow the first. A close call between phone columns, and a
column that may say who must not be contacted, are questions. Where headers differ, the order of the columns plays no
part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lists.blanks import is_blank
from lists.fields import BY_NAME, FIELDS, Field
from lists.importing import opt_outs
from lists.importing.columns import ATTRIBUTE, Mapping, first_of, key
from lists.importing.evidence import MOSTLY, Bid, Column, bid, is_of_somebody_else, is_spare, refusal, says

CLOSE = 10
"""Points between two phone columns below which a person is asked."""
BIDS = 4
"""Columns that are considered for a field: the best ones."""


@dataclass(frozen=True)
class Suggestion:
    """What one column of a file probably holds.

    field   the name of a field, also for the further columns of one that may have several; None where nothing is
            suggested
    fill    the share of rows with a value, from 0 to 1
    others  names of other fields it could have been, the likeliest first
    """

    column: int
    header: str
    field: str | None
    reason: str
    samples: tuple[str, ...]
    fill: float
    others: tuple[str, ...] = ()


class Question(NamedTuple):
    """What only a person can say: "which_phone" (the proposed column comes first) or "opt_out"."""

    code: str
    columns: tuple[int, ...]
    sentence: str


class Guess(NamedTuple):
    suggestions: list[Suggestion]
    mapping: Mapping
    questions: list[Question]


Bids = dict[int, dict[str, Bid]]
"""{position of a column: {name of a field: what speaks for it}}"""
Reasons = dict[int, str]
"""{position of a column: what the person is told of it}"""


def guess(
    headers: Sequence[str],
    sample_rows: Sequence[Sequence[str]],
    region: str | None = None,
    fields: Sequence[Field] = FIELDS,
) -> Guess:
    """A suggestion for each column in file order, the mapping they make, and what a person has to say first.

    region  two letters of the list's country, if it has one
    """
    columns = [Column(at, header, _cells(sample_rows, at), region or "") for at, header in enumerate(headers)]
    attributes = [column.at for column in columns if column.header.endswith(ATTRIBUTE)]
    bids: Bids = {
        column.at: {known.name: found for known in fields if (found := bid(column, known))}
        if column.at not in attributes
        else {}
        for column in columns
    }
    assigned = _best_assignment(columns, bids, fields)
    assigned, reasons = _settle_names(assigned, columns)
    phones, sure = _phones(assigned, columns, bids), _opt_outs(assigned, columns, bids)
    assigned = {name: at for name, at in assigned.items() if at not in sure}
    assigned |= first_of(phone=phones, do_not_contact=sure)
    mapping = Mapping(assigned, region or "", extras=attributes, more_phones=phones[1:], more_opt_outs=sure[1:])
    if "do_not_contact" in {known.name for known in fields}:
        mapping.unsure = _unsure(mapping, columns)

    reasons |= dict.fromkeys(attributes, "An export of ours marked it as an attribute.")
    reasons |= {at: bids[at][name].reason for name, at in assigned.items() if at not in reasons}
    reasons |= {at: f"{bids[at]['phone'].reason} Asked where those before hold no number." for at in phones[1:]}
    reasons |= {
        at: f"{bids[at]['do_not_contact'].reason} It counts beside “{headers[sure[0]]}”: one of them is enough."
        for at in sure[1:]
    }
    if "country" in assigned and "phone" in assigned:
        at = assigned["country"]
        reasons[at] += f" It is read together with “{headers[assigned['phone']]}”."
    suggestions = [_suggestion(column, mapping, bids[column.at], reasons, fields) for column in columns]
    return Guess(suggestions, mapping, [*_which_phone(mapping, columns, bids), *_opt_out_questions(mapping, headers)])


def suggested(
    headers: Sequence[str],
    sample_rows: Sequence[Sequence[str]],
    region: str = "",
    fields: Sequence[Field] = FIELDS,
) -> Mapping:
    """The mapping a person would get by accepting every suggestion."""
    return guess(headers, sample_rows, region, fields).mapping


def _cells(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    cells = [row[at].strip() if at < len(row) else "" for row in rows]
    return ["" if is_blank(cell) else cell for cell in cells]


# The best whole assignment -------------------------------------------------------------------------------------------

_DIGITS = re.compile(r"(\d+)")


def _natural(header: str) -> list[tuple[int, str]]:
    """Puts “Phone 2” before “Phone 10”: what orders columns that are equally good."""
    parts = _DIGITS.split(key(header))
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _best_assignment(columns: Sequence[Column], bids: Bids, fields: Sequence[Field]) -> dict[str, int]:
    """{field: column} with the most points together, each field and column once at most."""
    candidates = {known.name: _ranked(columns, bids, known.name)[:BIDS] for known in fields}
    names = [name for name, offers in candidates.items() if offers]
    hopes = [0.0]  # the points that fields from the last one on could bring at most
    for name in reversed(names):
        hopes.insert(0, hopes[0] + candidates[name][0][0])
    best = 0.0, dict[str, int]()

    def choose(nth: int, points: float, taken: dict[str, int]) -> None:
        nonlocal best
        if points > best[0]:
            best = points, taken
        if nth == len(names) or points + hopes[nth] <= best[0]:
            return
        for offered, at in candidates[names[nth]]:
            if at not in taken.values():
                choose(nth + 1, points + offered, taken | {names[nth]: at})
        choose(nth + 1, points, taken)

    choose(0, 0.0, {})
    return best[1]


def _ranked(columns: Sequence[Column], bids: Bids, name: str) -> list[tuple[float, int]]:
    """(points, column) of a field, the best first."""
    offers = [(bids[column.at][name].points, column) for column in columns if name in bids[column.at]]
    offers.sort(key=lambda offer: (-offer[0], _natural(offer[1].header), offer[1].header, offer[1].at))
    return [(points, column.at) for points, column in offers]


# Names ---------------------------------------------------------------------------------------------------------------

_ONE_NAME = {"name", "nombre", "nom", "nome", "naam", "नाम"}
"""Headers that mean a whole name alone, and one part of it beside the other."""


def _settle_names(assigned: dict[str, int], columns: Sequence[Column]) -> tuple[dict[str, int], Reasons]:
    """Either first and last name or the full name: both say the same twice.

    Name + Surname are first and last, Vorname + Name too; Name + First name, where the one holds the other, is the
    full name.
    """
    parts = [name for name in ("first_name", "last_name") if name in assigned]
    whole = assigned.get("full_name")
    rest = {name: at for name, at in assigned.items() if name not in (*parts, "full_name")}
    if not parts:
        return assigned, {}
    if whole is None:
        alone = assigned[parts[0]]
        if len(parts) == 1 and _is_one_name(columns[alone]) and columns[alone].names >= MOSTLY:
            return rest | {"full_name": alone}, {alone: "Its values are whole names, and no other column has one."}
        return assigned, {}
    header = columns[whole].header
    if len(parts) == 2:
        by_parts = {name: assigned[name] for name in parts}
        return rest | by_parts, {whole: "The name is taken from the columns of first and last name."}
    part = assigned[parts[0]]
    if _holds(columns[whole], columns[part]):
        return rest | {"full_name": whole}, {part: f"“{header}” holds this name and the rest of it."}
    if not _is_one_name(columns[whole]):
        return rest | {parts[0]: part}, {whole: f"The name is taken from “{columns[part].header}”."}
    other = "last_name" if parts[0] == "first_name" else "first_name"
    reason = f"Beside “{columns[part].header}” it is the {BY_NAME[other].words}."
    return rest | {parts[0]: part, other: whole}, {whole: reason}


def _is_one_name(column: Column) -> bool:
    return " ".join(column.words) in _ONE_NAME


def _holds(whole: Column, part: Column) -> bool:
    """Whether the names of a column hold those of another, and more, in most rows that have both."""
    pairs = [
        (set(key(name).split()), set(key(piece).split()))
        for name, piece in zip(whole.cells, part.cells, strict=True)
        if name and piece
    ]
    return bool(pairs) and sum(piece < name for name, piece in pairs) >= MOSTLY * len(pairs)


# Phone columns -------------------------------------------------------------------------------------------------------


def _phones(assigned: dict[str, int], columns: Sequence[Column], bids: Bids) -> list[int]:
    """The phone columns in the order in which they are asked: the best, then those whose headers speak of one too.

    Columns that differ in a number only, like Phone 1 and Phone 2, are as good as the best of them, in that order; an
    “Alternate Mobile” comes last, however many rows have one.
    """
    elsewhere = {at for name, at in assigned.items() if name != "phone"}
    ranked = [at for _, at in _ranked(columns, bids, "phone") if at not in elsewhere]
    called_so = [at for at in ranked if says(columns[at], BY_NAME["phone"]) and not is_of_somebody_else(columns[at])]
    if not called_so or ranked[0] != called_so[0]:
        return [*ranked[:1], *called_so]
    alike = [columns[at].words for at in called_so]

    def place(at: int) -> tuple[bool, int, list[tuple[int, str]]]:
        return is_spare(columns[at]), alike.index(columns[at].words), _natural(columns[at].header)

    return sorted(called_so, key=place)


def _which_phone(mapping: Mapping, columns: Sequence[Column], bids: Bids) -> list[Question]:
    """The question which phone column comes first, where another is about as good and holds other numbers."""
    first = mapping.columns.get("phone")
    if first is None:
        return []
    taken = set(mapping.columns.values())
    rivals = [
        at
        for points, at in _ranked(columns, bids, "phone")
        if at not in taken
        and bids[first]["phone"].points - points < CLOSE
        and columns[at].words != columns[first].words  # Phone 1 and Phone 2 say themselves which is first
        and _hold_other_numbers(columns[first], columns[at])
    ]
    if not rivals:
        return []
    others = ", ".join(f"“{columns[at].header}”" for at in rivals[:BIDS])
    sentence = (
        f"“{columns[first].header}” is proposed as the phone number, but other numbers stand in {others}. "
        "Choose which column comes first."
    )
    return [Question("which_phone", (first, *rivals[:BIDS]), sentence)]


def _hold_other_numbers(column: Column, other: Column) -> bool:
    return any(
        (number := column.number(cell)) and (second := other.number(further)) and number != second
        for cell, further in zip(column.cells, other.cells, strict=True)
        if cell and further
    )


# Do not contact ------------------------------------------------------------------------------------------------------


def _opt_outs(assigned: dict[str, int], columns: Sequence[Column], bids: Bids) -> list[int]:
    """The columns that leave no doubt about who must not be contacted, the best first; a tag that says it is one."""
    elsewhere = {at for name, at in assigned.items() if name not in ("do_not_contact", "tag")}
    return [at for _, at in _ranked(columns, bids, "do_not_contact") if at not in elsewhere]


def _unsure(mapping: Mapping, columns: Sequence[Column]) -> list[int]:
    """Columns that may say who must not be contacted. One about e-mail counts only where no other speaks of it."""
    sure = {at for at in mapping.of_fields if at != mapping.columns.get("tag")}
    found = [
        column
        for column in columns
        if column.at not in sure and opt_outs.may_be_opt_out(column.header, list(dict.fromkeys(column.filled)))
    ]
    of_calls = [column for column in found if not opt_outs.is_by_other_ways(column.header)]
    return [column.at for column in (of_calls if of_calls or mapping.opt_out_columns else found)]


def _opt_out_questions(mapping: Mapping, headers: Sequence[str]) -> list[Question]:
    return [
        Question(
            "opt_out",
            (at,),
            f"“{headers[at]}” may say who must not be contacted. Choose “Do not contact” for it and look at what its "
            "values mean, or choose what else it is.",
        )
        for at in mapping.unsure
    ]


# What the person is told ---------------------------------------------------------------------------------------------


def _suggestion(
    column: Column, mapping: Mapping, bids: dict[str, Bid], reasons: Reasons, fields: Sequence[Field]
) -> Suggestion:
    found = mapping.choice(column.at) or None
    others = sorted((name for name in bids if name != found), key=lambda name: -bids[name].points)
    return Suggestion(
        column.at,
        column.header,
        found,
        reasons.get(column.at) or _why_not(column, mapping, others, fields),
        tuple(dict.fromkeys(column.filled))[:3],
        column.fill,
        tuple(others),
    )


def _why_not(column: Column, mapping: Mapping, others: Sequence[str], fields: Sequence[Field]) -> str:
    if column.at in mapping.unsure:
        return "It may say who must not be contacted; only you can tell."
    if not column.filled:
        return "No values in the rows looked at."
    if others:
        return f"It could be {BY_NAME[others[0]].words.partition(' (')[0]}, but another column fits better."
    for known in fields:
        if says(column, known) and (sentence := refusal(column, known)):
            return sentence
    if column.phone_like >= MOSTLY and (sentence := refusal(column, BY_NAME["phone"])):
        return sentence
    return "No field of ours by this name."
