"""What a person has said of the contacts we have, as SQL over a row `r` and a contact `c`, and as plain Python.

Both say the same: what goes row by row through the database (`matching`, `saving`, `undo`) is SQL, and what is folded
inside a file is Python.
"""

import string
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from lists import db
from lists.fields import TEXTS
from lists.importing.columns import Mapping
from lists.models import Import, OtherPerson

FOLDED = (*TEXTS, "extra")
"""What a row says about its contact, and a policy decides."""


@dataclass(frozen=True)
class Policy:
    """What a person has said of the contacts we have.

    on_existing       keep, fill or replace: `OnExisting`
    other_person      keep, take or leave_out: `OtherPerson`
    allow_duplicates  whether the list takes a contact more than once
    by_full_name      whether the names of the file came as one; then they are replaced together or not at all
    """

    on_existing: str
    other_person: str = OtherPerson.KEEP
    allow_duplicates: bool = False
    by_full_name: bool = False

    @classmethod
    def of(cls, imported: Import) -> "Policy":
        contact_list = imported.contact_list
        return cls(
            imported.on_existing,
            imported.other_person,
            contact_list is not None and contact_list.allow_duplicates,
            "full_name" in Mapping.from_dict(imported.mapping).columns,
        )


def is_other_person(policy: Policy) -> str:
    """SQL: whether row `r` and contact `c` are different people: another first and another last name.

    A missing name proves nothing, except that a full name of one word is all there is of it. First and last name in
    the other order are the same person.
    """
    first, last, our_first, our_last = map(
        db.ascii_lower, ("r.first_name", "r.last_name", "c.first_name", "c.last_name")
    )
    # Follows from what comes after it, and is compared first because most rows need no more than that.
    is_different = "r.first_name <> c.first_name AND r.last_name <> c.last_name"
    has_last = "1 = 1" if policy.by_full_name else "r.last_name <> ''"
    return (
        f"({is_different} AND r.first_name <> '' AND c.first_name <> '' AND c.last_name <> '' AND {has_last}"
        f" AND {first} <> {our_first} AND {last} <> {our_last} AND {first} <> {our_last} AND {last} <> {our_first})"
    )


def new_extra(policy: Policy, older: str = "c.extra") -> str:
    """SQL: the extra attributes of contact `c`, or of another object, after row `r` under the policy."""
    replaced = db.newer_over_older(older, "r.extra")
    return replaced if policy.on_existing == "replace" else db.newer_over_older(replaced, older)


def new_value(field: str, policy: Policy) -> str:
    """SQL: a field of contact `c`, or its extra attributes, after row `r` under the policy.

    A blank cell clears nothing, unless the file's person takes the place of ours.
    """
    if field == "extra":
        theirs = f"CASE WHEN {is_other_person(policy)} THEN r.extra ELSE {new_extra(policy)} END"
    else:
        theirs = f"r.{field}"
    return f"CASE WHEN {is_changed(field, policy)} THEN {theirs} ELSE c.{field} END"


def is_changed(field: str, policy: Policy) -> str:
    """SQL: whether the policy changes a field of contact `c`, or its extra attributes, by row `r`."""
    other, same_person = is_other_person(policy), is_changed_of_same_person(field, policy)
    if policy.other_person != "take":
        return f"({same_person} AND NOT {other})"
    theirs, ours = (
        (db.comparable("r.extra"), db.comparable("c.extra")) if field == "extra" else (f"r.{field}", f"c.{field}")
    )
    is_different = f"{theirs} <> {ours}"
    return f"CASE WHEN {other} THEN {is_different} ELSE {same_person} END"


def changes_contact(policy: Policy) -> str:
    """SQL: whether the policy changes anything about contact `c` by row `r`."""
    if policy.other_person == "take":
        return f"({' OR '.join(is_changed(field, policy) for field in FOLDED)})"
    return f"({changes_same_person(policy)} AND NOT {is_other_person(policy)})"


def changes_same_person(policy: Policy) -> str:
    """SQL: the same, where row and contact are known to be one person."""
    return f"({' OR '.join(is_changed_of_same_person(field, policy) for field in FOLDED)})"


def is_changed_of_same_person(field: str, policy: Policy) -> str:
    if policy.on_existing == "keep":
        return "1 = 0"
    if field == "extra":
        # The same attributes change nothing, and to compare two texts is quicker than to merge them.
        return f"(r.extra <> '{{}}' AND r.extra <> c.extra AND {new_extra(policy)} <> {db.comparable('c.extra')})"
    if policy.by_full_name and field in NAMES:
        return f"({_takes_full_name(policy)} AND r.{field} <> c.{field})"
    if policy.on_existing == "fill":
        return f"(c.{field} = '' AND r.{field} <> '')"
    return f"(r.{field} <> '' AND r.{field} <> c.{field})"


NAMES = ("first_name", "last_name")


def _takes_full_name(policy: Policy) -> str:
    """SQL: whether first and last name of row `r`, which came as one, take the place of those of contact `c`."""
    if policy.on_existing == "replace":
        return "(r.first_name <> '' AND (r.last_name <> '' OR c.last_name = ''))"
    same_first = f"{db.ascii_lower('c.first_name')} = {db.ascii_lower('r.first_name')}"
    return f"(r.first_name <> '' AND c.last_name = '' AND (c.first_name = '' OR (r.last_name <> '' AND {same_first})))"


# --- the same, in Python ---------------------------------------------------------------------------------------------

_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def are_other_people(ours: dict[str, Any], theirs: dict[str, Any], *, by_full_name: bool) -> bool:
    """As `is_other_person` says it in SQL."""
    names = (ours["first_name"], ours["last_name"], theirs["first_name"], theirs["last_name"])
    our_first, our_last, first, last = (name.translate(_ASCII_LOWER) for name in names)
    if not (first and our_first and our_last and (last or by_full_name)):
        return False
    return first not in (our_first, our_last) and last not in (our_first, our_last)


def fold(rows: Iterable[dict[str, Any]], policy: Policy) -> dict[str, Any]:
    """One row out of several with the same number, in file order: what importing them one by one would leave.

    keep     the first row's values
    fill     the first value of each field that is not blank
    replace  the last value of each field that is not blank

    Another person's row adds nothing, or takes the place of all that was there.
    """
    folded: dict[str, Any] = {}
    for row in rows:
        if not folded:
            folded = dict(row)
        elif are_other_people(folded, row, by_full_name=policy.by_full_name):
            if policy.other_person == "take":
                folded = dict(row)
        elif policy.on_existing != "keep":
            _fold_in(folded, row, policy)
    return folded


def _fold_in(folded: dict[str, Any], row: dict[str, Any], policy: Policy) -> None:
    """Put a row of the same person into what is there."""
    replaces = policy.on_existing == "replace"
    texts = TEXTS
    if policy.by_full_name:
        texts = tuple(field for field in TEXTS if field not in NAMES)
        if _takes_names(folded, row, replaces=replaces):
            folded.update({field: row[field] for field in NAMES})
    for field in texts:
        if row[field] and (replaces or not folded[field]):
            folded[field] = row[field]
    if row["extra"]:
        older, newer = folded["extra"], row["extra"]
        folded["extra"] = {**older, **newer} if replaces else {**older, **newer, **older}


def _takes_names(folded: dict[str, Any], row: dict[str, Any], *, replaces: bool) -> bool:
    """As `_takes_full_name` says it in SQL."""
    if replaces:
        return bool(row["first_name"]) and bool(row["last_name"] or not folded["last_name"])
    same_first = folded["first_name"].translate(_ASCII_LOWER) == row["first_name"].translate(_ASCII_LOWER)
    fits = not folded["first_name"] or (bool(row["last_name"]) and same_first)
    return bool(row["first_name"]) and not folded["last_name"] and fits
