"""Any spelling of a phone number into E.164, or the reason why not.

A leaf: nothing else in the project knows a phone package. phonenumberslite is the truth; rphonenumbers, the same rules
compiled, is about ten times faster and is used where it is installed (`CONTACTADMIN_PHONES=python` forces the other
road; a differential test holds them together). Only numbers that are *valid* pass, not those that merely could be one.

No repair invents a digit. What a spreadsheet has cut is refused, never guessed.
"""

import os
import re
import unicodedata
from typing import Any, NamedTuple

import phonenumbers

from lists.countries import ISO_3, OTHER_NAMES, REGIONS

try:
    import rphonenumbers
except ImportError:
    rphonenumbers = None

__all__ = ["REGIONS", "Phone", "PhoneRefused", "display", "mask", "normalise", "region_of", "search_key", "split"]

library: Any = phonenumbers
if rphonenumbers is not None and os.environ.get("CONTACTADMIN_PHONES") != "python":
    library = rphonenumbers

LONGEST_E164 = 16
"""Characters: the plus sign and fifteen digits. A few national plans reach beyond what any vendor takes."""

LONGEST_CELL = 100
"""Characters. The longest honest spelling of one number is about half of it; beyond it nothing is even looked at."""


class Phone(NamedTuple):
    """A valid number; `rule` names the repairs that led to it, "" when the cell held E.164 already."""

    e164: str
    rule: str = ""


class PhoneRefused(NamedTuple):
    """Why a cell holds no number we may use: a stable code, a sentence, and what to do about it."""

    code: str
    reason: str
    suggestion: str


# The names of the repairs, as people read them.
COUNTRY_ADDED = "country code added"
PLUS_PUT_BACK = "plus sign put back"
ZERO_ZERO = "00 → +"
TRUNK_ZERO = "trunk zero after the country code"
PUNCTUATION = "spaces and brackets removed"
INVISIBLE = "invisible marks removed"
OTHER_SCRIPT = "other scripts’ digits and dashes"
APOSTROPHE = "leading apostrophe"
FORMULA = "formula quotes removed"
POINT_ZERO = "trailing .0"
THOUSANDS = "thousands separators removed"
WRITTEN_OUT = "scientific notation written out"
LINK = "telephone link"
EXTENSION = "extension split off"
WORDS = "words around the number removed"
INTERNATIONAL = "written the international way"

# What is refused before any phone rule is asked.
MISSING = PhoneRefused("missing", "There is no phone number in this row.", "Fill in the number, or leave the row out.")
TOO_MUCH_TEXT = PhoneRefused(
    "too_much_text",
    f"This cell holds more than {LONGEST_CELL} characters; a phone number has at most 15 digits.",
    "Check that the right column is chosen, and that no quote is missing in the file.",
)
CUT = PhoneRefused(
    "cut_by_spreadsheet",
    "In this cell the spreadsheet has cut this number: its last digits are gone.",
    "Open the original in the spreadsheet, format the column as text (or number without decimals), and export again.",
)
SPREADSHEET_ERROR = PhoneRefused(
    "spreadsheet_error",
    "The spreadsheet exported its own error mark instead of a number.",
    "Widen the column or repair the formula in the spreadsheet, and export again.",
)
DATE = PhoneRefused(
    "date",
    "This is a date, not a phone number.",
    "Check that the right column is chosen; if the spreadsheet made a date of a number, format the column as text.",
)
TWO_NUMBERS = PhoneRefused(
    "two_numbers",
    "This cell holds more than one phone number.",
    "Keep one number in the cell and put the other in a row of its own.",
)
LETTERS = PhoneRefused(
    "letters",
    "This cell holds letters where digits are expected.",
    "Write the number in digits only.",
)
NOT_A_NUMBER = PhoneRefused(
    "not_a_number",
    "This is not a phone number.",
    "Check the cell, and that the right column is chosen.",
)
NO_COUNTRY = PhoneRefused(
    "no_country",
    "The number has no country code, and no country is set for it.",
    "Choose the default country for phone numbers, or a column that holds the country.",
)
UNKNOWN_COUNTRY = PhoneRefused(
    "unknown_country",
    "The country of this row is not known.",
    "Write the country as a name, or as a code such as IN or GB.",
)
UNKNOWN_COUNTRY_CODE = PhoneRefused(
    "unknown_country_code",
    "No country has the country code this number begins with.",
    "Check the digits after the plus sign.",
)

_IS_E164 = re.compile(r"\+[1-9][0-9]{6,14}").fullmatch
_IS_PLAIN_NATIONAL = re.compile(r"(?!00)[0-9]{5,15}").fullmatch
# No "(0)", which only some countries drop, and no ".0" at the end, which is no digit of the number.
_IS_SPACED = re.compile(
    r"(?!.*\(\s*0\s*\))(?:\+[1-9][0-9 ().-]{6,24}(?<!\.0)(?<!\.00)|(?!00)[0-9(][0-9 ()-]{5,24})"
).fullmatch
_WITHOUT_PUNCTUATION = str.maketrans("", "", " ().-")


def normalise(raw: str, region: str | None) -> Phone | PhoneRefused:
    """The valid number a cell holds, in E.164, or the reason why there is none.

    region  ISO 3166 two-letter code read into numbers without a country code; None when there is none to assume
    """
    text = raw.strip()
    if _IS_E164(text):
        found = _valid(text, None)
        if found:
            return Phone(found, "" if found == text else _difference(found, text))
    elif _IS_PLAIN_NATIONAL(text):
        found = region and _valid(text, region)
        if found:
            return Phone(found, PLUS_PUT_BACK if found[1:] == text else COUNTRY_ADDED)
    elif _IS_SPACED(text) and (text[0] == "+" or (region and not ("-" in text and _DATE(text)))):
        bare = text.translate(_WITHOUT_PUNCTUATION)
        found = _valid(bare, region) if bare[:2] != "00" else None
        if found:
            return Phone(found, ", ".join([PUNCTUATION, *_country_rules(bare, found)]))
    return _repair(text, region)


def _valid(text: str, region: str | None) -> str | None:
    """E.164 of a valid number, or None."""
    try:
        number = library.parse(text, region)
    except library.NumberParseException:
        return None
    if not library.is_valid_number(number):
        return None
    e164 = library.format_number(number, 0)  # 0 is E164 in both libraries
    return e164 if len(e164) <= LONGEST_E164 else None


def _difference(found: str, text: str) -> str:
    """The name of what the library itself did to an international number."""
    code, national = split(found)
    return TRUNK_ZERO if text == f"+{code}0{national}" else INTERNATIONAL


# --- the long way: a cell that is not simply a number -----------------------------------------------------------------

_LOOKALIKES = {
    "−": "-",  # U+2212, the mathematical minus
    "ー": "-",
    "～": "-",
    "＋": "+",
    "﹢": "+",
    "⁺": "+",
    "／": "/",
    "⁄": "/",
    "（": "(",
    "）": ")",
    "．": ".",
    "·": ".",
    "•": ".",
    "，": ",",
    "；": ";",
    "：": ":",
}
_FORMULA = re.compile(r"""=\s*"([^"]*)"|=\s*\+?([0-9]+)|"([^"]*)\"""").fullmatch
_ERROR_MARK = re.compile(r"#+|#(?:REF|NAME|DIV/0|VALUE|NUM|NULL|SPILL|CALC)[!?]?|#N/?A", re.IGNORECASE).fullmatch
_SCIENTIFIC = re.compile(r"\+?([0-9]+)(?:[.,]([0-9]*))?[eE]\+?([0-9]{1,3})").fullmatch
_POINT_ZERO = re.compile(r"(\+?[0-9]{5,})[.,]0{1,2}").fullmatch
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}(?:,[0-9]{3}){2,}").fullmatch
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"""(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?(?:[T ][\d:.]+Z?)?   # 2026-02-01, with or without a time
    | \d\d?[-/.]\d\d?[-/.](?:19|20)\d\d(?:\ [\d:]+)?           # 01/02/2026
    | \d\d?/\d\d?/\d\d                                         # 1/2/26
    | \d\d?[-\ /.]{_MONTH}(?:[-\ /.,]*\d\d(?:\d\d)?)?          # 01-Feb, 1 Feb 2026
    | {_MONTH}[-\ /.]\d\d?(?:\d\d)?                            # Feb-26
    """,
    re.IGNORECASE | re.VERBOSE,
).fullmatch
_LINK = re.compile(r"(?:tel|callto|sms):(?://)?", re.IGNORECASE).match
_EXTENSION = re.compile(
    r"(?<=[0-9)])\s*,?\s*(?:;\s*ext\s*=|\(?\s*(?:extension|extn|ext|x|доб)\b\.?\s*[:.#]?|\(?\s*(?:x|ext)|#)\s*[0-9]{1,7}\s*\)?$",
    re.IGNORECASE,
)
_WORDS_BEFORE = re.compile(
    r"^\(?(?:(?:telephone|telefono|teléfono|telefon|telefone|tél|tel|phone|ph|mobile|mobil|mob|móvil|movil|celular|cell|handy|"
    r"whatsapp|contact|number|num|no|nr|home|work|office|call|[mtphwoc])\b[\s.:#=)-]*)+(?=[+(0-9])",
    re.IGNORECASE,
)
_WORDS_AFTER = re.compile(
    r"[\s,(\[-]+(?:telephone|phone|mobile|mobil|mob|cell|home|work|office|personal|private|privat|main|primary|whatsapp|"
    r"[mhwoc])[\s.)\]]*$",
    re.IGNORECASE,
)
_BETWEEN_NUMBERS = re.compile(r"[,;/|&\n\r]+|\s(?:or|and|oder|und|ou|et|o|y)\s", re.IGNORECASE)
_TWO_PLUS_SIGNS = re.compile(r"\+[^+]*[0-9][^+]*\+").match
_SIDE_BY_SIDE = re.compile(r"\+?[0-9().-]{8,}\s+\+?[0-9().-]{8,}").fullmatch
_TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")
_ONE_NUMBER = re.compile(r"[\s(\[]*\+?[\s0-9()\[\]./-]+").fullmatch
_NOT_DIGITS = re.compile(r"[^0-9]+")


def _repair(text: str, region: str | None) -> Phone | PhoneRefused:
    """What `normalise` does with everything but the plain cases: repairs by name, then refusals by name."""
    if not text:
        return MISSING
    if len(text) > LONGEST_CELL:
        return TOO_MUCH_TEXT
    if region is not None and region not in library.SUPPORTED_REGIONS:
        return UNKNOWN_COUNTRY

    rules: list[str] = []
    text = _in_plain_characters(text, rules)
    text = _without_spreadsheet_marks(text, rules)
    if not text:
        return MISSING
    if refused := _damage(text):
        return refused
    text = _number_alone(text, rules)
    if several := _several_numbers(text):
        return several
    if not _ONE_NUMBER(text):
        return LETTERS if any(c.isalpha() for c in text) and any(c.isdigit() for c in text) else NOT_A_NUMBER

    digits = _NOT_DIGITS.sub("", text)
    if not digits:
        return NOT_A_NUMBER
    bare = ("+" if "+" in text else "") + digits
    if bare != text:
        rules.append(PUNCTUATION)
    for candidate, candidate_rules in _readings(text, bare):
        if found := _valid(candidate, region):
            return Phone(found, ", ".join([*rules, *candidate_rules, *_country_rules(candidate, found)]))
    return _why_not(bare, region)


def _in_plain_characters(text: str, rules: list[str]) -> str:
    """Digits, dashes, spaces and brackets of any script as ASCII; marks nobody sees removed."""
    if text.isascii():
        return text
    plain = []
    for char in text:
        if char.isascii():
            plain.append(char)
        elif (digit := unicodedata.decimal(char, None)) is not None:
            plain.append(str(digit))
        elif char in _LOOKALIKES:
            plain.append(_LOOKALIKES[char])
        else:
            kind = unicodedata.category(char)
            plain.append({"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n", "Cf": ""}.get(kind, char))
    result = "".join(plain)
    if any(unicodedata.category(char) == "Cf" for char in text):
        rules.append(INVISIBLE)
    if any(not char.isascii() and unicodedata.category(char) in {"Nd", "Pd", "Sm", "Ps", "Pe", "Po"} for char in text):
        rules.append(OTHER_SCRIPT)
    return result.strip()


def _without_spreadsheet_marks(text: str, rules: list[str]) -> str:
    """The cell without what spreadsheets put around a number to keep it text, or into it when they did not."""
    if text[:1] in {"'", "’", "`"}:
        text = text[1:].strip()
        rules.append(APOSTROPHE)
    if match := _FORMULA(text):
        plus = "+" if match[2] and "+" in text else ""
        text = plus + next(group for group in match.groups() if group is not None).strip()
        rules.append(FORMULA)
    if match := _POINT_ZERO(text):
        text = match[1]
        rules.append(POINT_ZERO)
    elif _THOUSANDS(text):
        text = text.replace(",", "")
        rules.append(THOUSANDS)
    elif (match := _SCIENTIFIC(text)) and (written := _written_out(match[1], match[2] or "", int(match[3]))):
        text = written
        rules.append(WRITTEN_OUT)
    return text


def _written_out(whole: str, fraction: str, exponent: int) -> str | None:
    """The integer a scientific notation spells in full (9.19876543210E+11); None when digits are missing."""
    if len(whole) != 1 or len(fraction) < exponent or fraction[exponent:].strip("0") or exponent < 5:
        return None
    return whole + fraction[:exponent]


def _damage(text: str) -> PhoneRefused | None:
    """The refusal of a cell a spreadsheet or a hasty hand has spoilt."""
    if _SCIENTIFIC(text):
        return CUT
    if _ERROR_MARK(text):
        return SPREADSHEET_ERROR
    if _DATE(text):
        return DATE
    return None


def _number_alone(text: str, rules: list[str]) -> str:
    """The number alone: without tel:, label words and extension."""
    if match := _LINK(text):
        head, *parameters = text[match.end() :].split(";")
        values = dict(parameter.partition("=")[::2] for parameter in parameters)
        context = values.get("phone-context", "")
        text = context + head if context.startswith("+") and not head.startswith("+") else head
        rules.append(LINK)
        if "ext" in values:
            rules.append(EXTENSION)
    stripped = _WORDS_AFTER.sub("", _WORDS_BEFORE.sub("", text))
    if stripped != text:
        rules.append(WORDS)
    without_extension = _EXTENSION.sub("", stripped)
    if without_extension != stripped and len(_NOT_DIGITS.sub("", without_extension)) >= 6:
        rules.append(EXTENSION)
        stripped = without_extension
    return stripped.strip()


def _several_numbers(text: str) -> PhoneRefused | None:
    """TWO_NUMBERS when the cell holds more than one; a slash after an area code (0171/2345678) is no second number."""
    if _TWO_PLUS_SIGNS(text) or _SIDE_BY_SIDE(text):
        return TWO_NUMBERS
    lengths = [len(digits) for part in _BETWEEN_NUMBERS.split(text) if (digits := _NOT_DIGITS.sub("", part))]
    if len(lengths) < 2:
        return None
    area_code_and_number = len(lengths) == 2 and lengths[0] <= 6 and lengths[1] >= 5 and "/" in text
    return None if area_code_and_number else TWO_NUMBERS


def _readings(text: str, bare: str) -> list[tuple[str, list[str]]]:
    """The ways to read one number, most likely first, each with the names of its repairs."""
    readings: list[tuple[str, list[str]]] = []
    if bare.startswith("00") and not bare.startswith("000"):
        bare_plus = "+" + bare[2:]
        readings.append((bare_plus, [ZERO_ZERO]))
    else:
        bare_plus = bare if bare.startswith("+") else ""
    if bare_plus and _TRUNK.search(text):
        without = _NOT_DIGITS.sub("", _TRUNK.sub("", text))
        without = "+" + (without if bare.startswith("+") else without[2:])
        readings.insert(0, (without, [TRUNK_ZERO] if bare.startswith("+") else [ZERO_ZERO, TRUNK_ZERO]))
    return [*readings, (bare, [])]


def _country_rules(candidate: str, found: str) -> list[str]:
    """The names of what the library added to, or took from, the number it was given."""
    if candidate == found:
        return []
    if candidate.startswith("+"):
        return [_difference(found, candidate)]
    return [PLUS_PUT_BACK] if candidate == found[1:] else [COUNTRY_ADDED]


def _why_not(bare: str, region: str | None) -> PhoneRefused:
    """The reason a well-written number is not one."""
    international = bare.startswith(("+", "00"))
    if not international and region is None:
        if len(bare) > 15:
            return _too_long("")
        return _too_short("") if len(bare) < 5 else NO_COUNTRY
    asked = "+" + bare[2:] if bare.startswith("00") else bare
    try:
        number = library.parse(asked, region)
    except library.NumberParseException as error:
        exception = library.NumberParseException
        if error.error_type == exception.INVALID_COUNTRY_CODE:
            return UNKNOWN_COUNTRY_CODE
        if error.error_type == exception.TOO_LONG:
            return _too_long("")
        return _too_short("") if error.error_type != exception.NOT_A_NUMBER or len(bare) < 5 else NOT_A_NUMBER
    place = REGIONS.get(library.region_code_for_country_code(number.country_code) or "", "")
    if region and not international:
        place = REGIONS[region]
    where = f" in {place}" if place else ""
    verdict = library.is_possible_number_with_reason(number)
    result = library.ValidationResult
    if verdict in (result.TOO_SHORT, result.IS_POSSIBLE_LOCAL_ONLY):
        return _too_short(where)
    if verdict == result.TOO_LONG:
        return _too_long(where)
    if verdict == result.INVALID_LENGTH:
        return PhoneRefused(
            "wrong_length", f"No number{where} has this many digits.", "Compare the number with its source."
        )
    return PhoneRefused(
        "not_valid",
        f"The number has a possible length, but no number{where} begins like this.",
        "Compare the digits with their source, and check the country.",
    )


def _too_short(where: str) -> PhoneRefused:
    return PhoneRefused(
        "too_short",
        f"The number has too few digits for a phone number{where}.",
        "Add the missing digits; an area code or a leading zero may have been lost.",
    )


def _too_long(where: str) -> PhoneRefused:
    return PhoneRefused(
        "too_long",
        f"The number has too many digits for a phone number{where}.",
        "Check for a digit typed twice, or for two numbers written as one.",
    )


# --- numbers we already have -----------------------------------------------------------------------------------------

_CALLING_CODES = frozenset(str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def split(e164: str) -> tuple[str, str]:
    """("91", "9800012345") from "+919800012345"; ("", digits) when no country code fits."""
    digits = e164.removeprefix("+")
    for length in (1, 2, 3):
        if digits[:length] in _CALLING_CODES:
            return digits[:length], digits[length:]
    return "", digits


def mask(e164: str) -> str:
    """The number for logs and for people who may not see it: "+9198•••••345"."""
    code, national = split(e164)
    shown_first = 2 if len(national) >= 9 else 0
    shown_last = 3 if len(national) >= 7 else min(2, len(national) // 3)
    hidden = len(national) - shown_first - shown_last
    return f"+{code}{national[:shown_first]}{'•' * hidden}{national[len(national) - shown_last :]}"


def display(e164: str) -> str:
    """The number as people write it internationally, in groups: "+91 98000 12345"."""
    try:
        return library.format_number(library.parse(e164, None), 1)  # 1 is INTERNATIONAL in both libraries
    except library.NumberParseException:
        return e164


def search_key(text: str) -> str:
    """The digits to look for inside stored numbers, from any spelling typed into a search field; "" when it is not one.

    Zeros in front are dropped: whether 00, a trunk zero or nothing was typed, the rest stands in the E.164.
    """
    plain = _in_plain_characters(text[:LONGEST_CELL].strip(), [])
    if match := _LINK(plain):
        plain = plain[match.end() :]
    if not _ONE_NUMBER(plain):
        return ""
    return _NOT_DIGITS.sub("", _TRUNK.sub("", plain)).lstrip("0")


_NAMES = {name.casefold(): code for code, name in REGIONS.items()} | OTHER_NAMES


def region_of(text: str) -> str | None:
    """The two-letter code of a country written as code, ISO-3 code, English name or dial code; None when unknown."""
    word = text.strip()
    if not word or len(word) > LONGEST_CELL:
        return None
    upper = word.upper()
    if upper in REGIONS:
        return upper
    if upper in ISO_3:
        return ISO_3[upper]
    digits = word.removeprefix("+").removeprefix("00").strip()
    if digits.isascii() and digits.isdigit() and digits in _CALLING_CODES:
        region = phonenumbers.region_code_for_country_code(int(digits))
        return region if region in REGIONS else None
    return _NAMES.get(word.casefold().replace("'", "’"))
