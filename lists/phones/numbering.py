"""What the phone packages know: which numbers are valid, in which country, and of which kind.

phonenumberslite is the truth; rphonenumbers, the same rules compiled, is about ten times faster and is used where it
is installed (`CONTACTADMIN_PHONES=python` forces the other road; a differential test holds them together).
"""

import os
import re
from collections.abc import Callable
from typing import Any

import phonenumbers

from lists.countries import REGIONS
from lists.phones import results
from lists.phones.results import PhoneRefused

try:
    import rphonenumbers
except ImportError:
    rphonenumbers = None

library: Any = phonenumbers
if rphonenumbers is not None and os.environ.get("CONTACTADMIN_PHONES") != "python":
    library = rphonenumbers

LONGEST_E164 = 16
"""Characters: the plus sign and fifteen digits. A few national plans reach beyond what any vendor takes."""

CALLING_CODES: dict[str, tuple[str, ...]] = {
    str(code): tuple(region for region in regions if region in REGIONS)
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
}
"""Digits -> the regions that share the code, the main one first; none for a code of no country (800, 870, …)."""

CODE_OF_REGION: dict[str, str] = {region: code for code, regions in CALLING_CODES.items() for region in regions}


def valid(text: str, region: str | None) -> str | None:
    """E.164 of a valid number, or None."""
    try:
        number = library.parse(text, region)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(number):
        return None
    if number.italian_leading_zero:
        e164 = library.format_number(number, 0)  # 0 is E164 in both libraries
    else:  # nothing but the two parts, at half the time of asking the library
        e164 = f"+{number.country_code}{number.national_number}"
    return e164 if len(e164) <= LONGEST_E164 else None


def split(e164: str) -> tuple[str, str]:
    """("91", "9800012345") from "+919800012345"; ("", digits) when no country code fits."""
    digits = e164.removeprefix("+")
    for length in (1, 2, 3):
        if digits[:length] in CALLING_CODES:
            return digits[:length], digits[length:]
    return "", digits


def country_of(e164: str) -> str:
    """The two-letter code of the country a number belongs to; "" when it belongs to none (satellites, +800)."""
    regions = CALLING_CODES.get(split(e164)[0], ())
    if len(regions) < 2:
        return regions[0] if regions else ""
    try:
        found = library.region_code_for_number(library.parse(e164, None))
    except library.NumberParseException:
        return ""
    return found if found in REGIONS else ""


_KINDS = {0: "fixed", 1: "mobile", 2: "mobile_or_fixed", 3: "toll_free", 4: "premium"}


def kind_of(e164: str) -> str:
    """mobile · fixed · mobile_or_fixed (where the digits do not tell, as in the US) · toll_free · premium · other."""
    try:
        return _KINDS.get(library.number_type(library.parse(e164, None)), "other")
    except library.NumberParseException:
        return "other"


def _service_numbers(code: str) -> re.Pattern[str]:
    """Finds all national numbers of a calling code that may be toll-free or premium, and a few that are not."""
    patterns = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]:
        metadata = phonenumbers.PhoneMetadata.metadata_for_region_or_calling_code(int(code), region)
        for kind in (metadata.toll_free, metadata.premium_rate) if metadata else ():
            if kind and kind.national_number_pattern:
                patterns.append(kind.national_number_pattern)
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or "(?!)")


_COUNTING_UP = "01234567890"
_SHORTEST_PLACEHOLDER = 7
_ENDS = {
    *(str(digit) * _SHORTEST_PLACEHOLDER for digit in range(10)),
    *(_COUNTING_UP[at : at + _SHORTEST_PLACEHOLDER] for at in range(len(_COUNTING_UP) - _SHORTEST_PLACEHOLDER + 1)),
}
"""What every placeholder ends with: one look for the million numbers that are none."""


def is_placeholder(e164: str) -> bool:
    """True for nobody's number: one digit repeated, or digits counting up, after the country code."""
    return e164[-_SHORTEST_PLACEHOLDER:] in _ENDS and typed_to_fill(split(e164)[1])


def is_unremarkable_in(region: str | None) -> Callable[[str], bool]:
    """The function that tells of a number, quickly, that nothing need be said of it.

    It is one of the region (of any, where there is none), no placeholder, and neither toll-free nor premium. Of some
    numbers it says no where a closer look finds nothing.
    """
    code = CODE_OF_REGION.get(region or "", "")
    if len(CALLING_CODES.get(code, ())) != 1:
        return lambda e164: False
    prefix, start, is_service = f"+{code}", len(code) + 1, _service_numbers(code).fullmatch

    def is_unremarkable(e164: str) -> bool:
        return e164.startswith(prefix) and e164[-_SHORTEST_PLACEHOLDER:] not in _ENDS and not is_service(e164, start)

    return is_unremarkable


def typed_to_fill(digits: str) -> bool:
    """True for one digit repeated or digits counting up (0000000000, 1234567890)."""
    return len(digits) >= _SHORTEST_PLACEHOLDER and (len(set(digits)) == 1 or digits in _COUNTING_UP)


def why_not(bare: str, region: str | None) -> PhoneRefused:
    """The reason why digits, with or without a plus sign, are no valid number."""
    digits = bare.lstrip("+")
    if typed_to_fill(digits) or (bare != digits and typed_to_fill(split(bare)[1])):
        return results.PLACEHOLDER
    international = bare.startswith(("+", "00"))
    if not international and region is None:
        if len(bare) > LONGEST_E164 - 1:
            return results.too_long()
        return _few_digits(bare) or results.NO_COUNTRY
    if not international and (few := _few_digits(bare)):
        return few
    asked = "+" + bare[2:] if bare.startswith("00") else bare
    refused = _verdict(asked, region, international)
    if not international and (elsewhere := valid("+" + bare, None)):
        return refused._replace(suggestion=_plus_lost(elsewhere))
    return refused


def _few_digits(bare: str) -> PhoneRefused | None:
    if len(bare) < 3:
        return results.too_short()
    return results.SHORT_NUMBER if len(bare) <= 6 else None


def _plus_lost(e164: str) -> str:
    """The suggestion for a number that would be one of another country if a plus sign were put in front."""
    place = REGIONS.get(country_of(e164), "another one")
    return f"If the country is {place}, put the plus sign in front: +{split(e164)[0]}…"


_TAKES_AN_ARTICLE = re.compile(
    r"United |.+ (?:Republic|Islands|Territory)$|(?:Netherlands|Philippines|Bahamas|Maldives|Gambia|Comoros)$"
).match


def _verdict(asked: str, region: str | None, international: bool) -> PhoneRefused:
    """What the library has against a number."""
    exception, result = library.NumberParseException, library.ValidationResult
    try:
        number = library.parse(asked, region)
    except exception as error:
        if error.error_type == exception.INVALID_COUNTRY_CODE:
            return results.UNKNOWN_COUNTRY_CODE
        if error.error_type == exception.TOO_LONG:
            return results.too_long()
        return results.NOT_A_NUMBER if error.error_type == exception.NOT_A_NUMBER else results.too_short()
    place = REGIONS.get(library.region_code_for_country_code(number.country_code) or "", "")
    if region and not international:
        place = REGIONS[region]
    where = f" in {'the ' if _TAKES_AN_ARTICLE(place) else ''}{place}" if place else ""
    verdict = library.is_possible_number_with_reason(number)
    if verdict in (result.TOO_SHORT, result.IS_POSSIBLE_LOCAL_ONLY):
        return results.too_short(where)
    if verdict == result.TOO_LONG:
        return results.too_long(where)
    if verdict == result.INVALID_LENGTH:
        return results.wrong_length(where)
    return results.not_valid(where)
