"""Numbers we have, for people: shown in groups, masked, and searched for however they are typed."""

from lists.phones import numbering
from lists.phones.cells import NOT_DIGITS, ONE_NUMBER, TRUNK, in_plain_characters
from lists.phones.results import LONGEST_CELL

_SCHEMES = ("tel:", "callto:", "sms:")


def mask(e164: str) -> str:
    """The number for logs and for people who may not see it: "+9198•••••345"."""
    code, national = numbering.split(e164)
    shown_first = 2 if len(national) >= 9 else 0
    shown_last = 3 if len(national) >= 7 else min(2, len(national) // 3)
    hidden = len(national) - shown_first - shown_last
    return f"+{code}{national[:shown_first]}{'•' * hidden}{national[len(national) - shown_last :]}"


def display(e164: str) -> str:
    """The number as people write it internationally, in groups: "+91 98000 12345"."""
    library = numbering.library
    try:
        return library.format_number(library.parse(e164, None), 1)  # 1 is INTERNATIONAL in both libraries
    except library.NumberParseException:
        return e164


def search_key(text: str) -> str:
    """The digits to look for inside stored numbers, from any spelling typed into a search field; "" when it is not one.

    Zeros in front are dropped: whether 00, a trunk zero or nothing was typed, the rest stands in the E.164.
    """
    plain = in_plain_characters(text[:LONGEST_CELL].strip(), [])
    for scheme in _SCHEMES:
        if plain[: len(scheme)].casefold() == scheme:
            plain = plain[len(scheme) :].removeprefix("//")
    if not ONE_NUMBER(plain):
        return ""
    return NOT_DIGITS.sub("", TRUNK.sub("", plain)).lstrip("0")
