"""Names of people as files have them: salutations, “Rao, Asha”, and a full name in one cell."""

import re
import unicodedata
from typing import NamedTuple


class Name(NamedTuple):
    salutation: str
    first: str
    last: str


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_SALUTATIONS = _listed("""
    mr mrs ms miss mx dr prof professor smt shri shrimati shree sri. sh. km. kum. kumari. er. adv. ca. capt col. maj.
    lt. gen. brig. rev. hon. fr. sr master mstr madam sir herr frau hr. dipl.-ing. mme mlle sra srta señor señora
    señorita doctor sig. signor signora dott dott.ssa dhr mevr mw. mevrouw meneer senhor senhora श्री श्रीमती डॉ г-н г-жа
""")
"""A dot at the end: the word is a salutation only where the file writes the dot too, because it is a name as well."""
_PAIRS = ("mr/mrs", "mr/ms", "mr./mrs", "mr./ms", "mr & mrs", "mr and mrs", "mr. & mrs", "mr. and mrs")
_OF_FIRMS = ("m/s", "messrs")

_WITH_DOT = "|".join(re.escape(word) for word in _SALUTATIONS if word.endswith("."))
_ALONE = "|".join(re.escape(word) for word in (*_PAIRS, *_SALUTATIONS) if not word.endswith("."))
_SALUTATION = re.compile(rf"(?:(?:(?:{_WITH_DOT})|(?:{_ALONE})(?:\.|(?=\s|$)))\s*)+", re.IGNORECASE).match
_FIRM = re.compile(rf"(?:{'|'.join(map(re.escape, _OF_FIRMS))})(?:\.\s*|\s+)", re.IGNORECASE).match
_WRITTEN_BEHIND = _listed("""
    jr sr ii iii iv phd md mba esq ca cpa bcom mcom btech mtech mbbs bds ba ma bsc msc llb inc ltd llc llp gmbh ag co
    pvt plc corp limited
""")
"""What follows a comma without being a first name, without its dots."""


def split_full_name(text: str) -> Name:
    """A full name taken apart: at its comma where it has one (“Rao, Asha”), else behind its first word."""
    name = _plain(text)
    if firm := _FIRM(name):
        return Name(name[: firm.end()].strip(), name[firm.end() :], "")
    salutation, name = split_salutation(name)
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and last and first and "," not in first and first.replace(".", "").casefold() not in _WRITTEN_BEHIND:
        if not salutation:
            salutation, first = split_salutation(first)
        return Name(salutation, first, last)
    first, _, last = name.partition(" ")
    return Name(salutation, first, last)


def split_salutation(text: str) -> tuple[str, str]:
    """("Mrs", "Asha") from “Mrs Asha”; ("", the text) where it begins with no salutation."""
    name = _plain(text)
    found = _SALUTATION(name)
    return (name[: found.end()].strip(), name[found.end() :]) if found else ("", name)


def is_salutation(text: str) -> bool:
    """Whether a text is a salutation and nothing else; “Manager” and “CEO” are titles, but not of this kind."""
    name = _plain(text)
    if name.casefold().rstrip(".") in _OF_FIRMS or f"{name.casefold()}." in _SALUTATIONS:
        return True
    found = _SALUTATION(name)
    return found is not None and found.end() == len(name)


def is_name(text: str) -> bool:
    """Whether a text looks like the whole name of a person: two to five words of letters."""
    parts = _plain(text).replace(",", " ").split()
    return 2 <= len(parts) <= 5 and all(map(_is_word, parts))


def _is_word(part: str) -> bool:
    return part[0].isalpha() and all(
        char.isalpha() or char in ".'’-" or unicodedata.category(char)[0] == "M" for char in part
    )


_MAY_BE_UTF8 = re.compile(r"[\u00c2-\u00f4][^\x00-\x7f]").search
"""The first byte of a letter beyond ASCII and the next one, as a reader of a Western encoding sees them."""


def looks_garbled(text: str) -> bool:
    """Whether a text was UTF-8 and has been read as Western, like “RenÃ©”, or holds marks of bytes that were lost."""
    if "\N{REPLACEMENT CHARACTER}" in text:
        return True
    if not _MAY_BE_UTF8(text):
        return False
    try:
        _western_bytes(text).decode()
    except UnicodeError:
        return False
    return True


def _western_bytes(text: str) -> bytes:
    """The bytes a reader of Windows-1252 saw; it leaves the five bytes that stand for nothing as they are."""
    try:
        return text.encode("cp1252")
    except UnicodeEncodeError:
        return b"".join(char.encode("latin-1" if char < "\xa0" else "cp1252") for char in text)


def _plain(text: str) -> str:
    """The name with single ordinary spaces, without the tilde and the symbols with which phones decorate names."""
    if text.isascii() and "~" not in text:
        return " ".join(text.split())
    kept = [part for part in text.split() if not all(map(_is_decoration, part))]
    return " ".join(kept).lstrip("~ ")


def _is_decoration(char: str) -> bool:
    return char == "~" or unicodedata.category(char) in ("So", "Sk", "Cf", "Mn")
