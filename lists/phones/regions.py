"""A country however it is written: as code, name, flag or dial code, or as a name and a dial code together."""

import re

from lists.countries import NORTH_AMERICAN_AREAS, country_named
from lists.phones.cells import TRUNK, in_plain_characters
from lists.phones.numbering import CALLING_CODES

_LONGEST = 100
"""Characters. The longest name of a country is about half of it."""

_QUOTES = " \t'’`\"="
_DIAL_CODE = re.compile(r"[(\[]?\s*(?:\+|00)?\s*(1[ -]?[0-9]{3}|[1-9][0-9]{0,2})(?![0-9])(?:\.0+)?\s*[)\]]?")
_BETWEEN_NAMES = re.compile(r"\s*[(),/|:;\[\]]\s*|\s+[-–]\s+")


def region_of(text: str) -> str | None:
    """The two-letter code of a country, written in any of those ways; None when unknown or when the parts disagree.

    "NA" is Namibia here: ask `is_blank` first where a word for nothing is as likely.
    """
    word = text.strip(_QUOTES)
    if not word or len(word) > _LONGEST:
        return None
    if found := country_named(word):
        return found
    word = TRUNK.sub("", in_plain_characters(word, []))
    if dial_code := _DIAL_CODE.search(word):
        regions = _regions_of_dial_code(dial_code[1])
        name = (word[: dial_code.start()] + " " + word[dial_code.end() :]).strip(" -–:,/()[]")
        if not name:
            return regions[0] if regions else None
        named = region_of(name) if not any(char.isdigit() for char in name) else None
        return named if named in regions else None
    names = {country_named(name) for name in _BETWEEN_NAMES.split(word) if name}
    return names.pop() if len(names) == 1 else None


def _regions_of_dial_code(digits: str) -> tuple[str, ...]:
    """("GB", "GG", "IM", "JE") for "44", the main one first; +1 242 is the Bahamas alone; none for no code."""
    digits = digits.replace(" ", "").replace("-", "")
    if digits[0] == "1" and digits[1:] in NORTH_AMERICAN_AREAS:
        return (NORTH_AMERICAN_AREAS[digits[1:]],)
    return CALLING_CODES.get(digits, ())
