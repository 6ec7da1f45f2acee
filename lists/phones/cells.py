"""What is written in a cell that is not simply a number: damage, links, words, and the runs of digits between them.

Nothing here knows which numbers exist. A cell becomes runs of digits, each with the marks of its own spelling, or a
refusal; what the runs are is decided in `reading`. Runs that something other than punctuation keeps apart stay apart.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lists.blanks import is_blank
from lists.phones import results
from lists.phones.results import PhoneRefused

NOT_DIGITS = re.compile(r"[^0-9]+")
TRUNK = re.compile(r"[(\[]\s*0\s*[)\]]")
ONE_NUMBER = re.compile(r"[\s(\[]*\+?[\s0-9()\[\]./-]+").fullmatch
_is_digits = re.compile(r"\+?[0-9]+").fullmatch


class Run(NamedTuple):
    """Digits that belong together as far as their spelling tells.

    text  as written, from the first digit or plus sign to the last digit
    bare  its digits alone, with the plus sign when it has one
    """

    text: str
    bare: str


class Cell(NamedTuple):
    """What `read_cell` finds.

    runs   at least one, in the order of the cell
    rules  the names of the repairs that all runs share
    words  whether letters stood beside the digits
    """

    runs: list[Run]
    rules: list[str]
    words: bool


def read_cell(text: str) -> Cell | PhoneRefused:
    """The runs of digits in a cell, or why it holds none that could be a number. `text` is stripped and not empty."""
    rules: list[str] = []
    text = in_plain_characters(text, rules)
    text = _without_spreadsheet_marks(text, rules)
    if _is_digits(text):
        return Cell([Run(text, text)], rules, False)
    if refused := _first_that_fits(text, _IS_SOMETHING_ELSE):
        return refused
    text = _without_links(text, rules)
    words = _has_letters(text) is not None
    if words or "#" in text:
        text = _without_extension(text, rules)
    if refused := _first_that_fits(text, _HOLDS_SOMETHING_ELSE):
        return refused
    if words:
        text = _OR.sub(";", text)
        if not _has_digits(text):
            return results.NOT_A_NUMBER
        if refused := _said_in_words(text):
            return refused
        unglued = _LABEL_GLUED.sub(" ", text)
        if _GLUED(unglued):
            return results.LETTERS
        words = _has_letters(text) is not None
        text = unglued.strip()
    return _runs(text, rules, words)


# --- characters -------------------------------------------------------------------------------------------------------

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
    "、": ",",
    "；": ";",
    "：": ":",
    "’": "'",
    "‘": "'",
    "\ufe0f": "",  # the marks that turn a digit into the picture of a key
    "\u20e3": "",
}
_AS_PLAIN = {"Pd": "-", "Zs": " ", "Zl": "\n", "Zp": "\n", "Cf": ""}


def in_plain_characters(text: str, rules: list[str]) -> str:
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
            plain.append(_AS_PLAIN.get(unicodedata.category(char), char))
    result = "".join(plain)
    if any(unicodedata.category(char) == "Cf" for char in text):
        rules.append(results.INVISIBLE)
    if any(not char.isascii() and unicodedata.category(char) in {"Nd", "Pd", "Sm", "Ps", "Pe", "Po"} for char in text):
        rules.append(results.OTHER_SCRIPT)
    return result.strip()


# --- spreadsheets -----------------------------------------------------------------------------------------------------

_FORMULA = re.compile(r"""=\s*"([^"]*)"|=\s*(\+?[0-9][0-9 ()-]*)|"([^"]*)\"""").fullmatch
_SCIENTIFIC = re.compile(r"\+?([0-9]+)(?:[.,]([0-9]*))?[eE]\+?([0-9]{1,3})").fullmatch
_POINT_ZERO = re.compile(r"(\+?[0-9]{5,})[.,]0{1,2}").fullmatch
# 919,800,012,345 · 9,80,00,00,001 · 9'800'000'001
_THOUSANDS = re.compile(r"\+?[0-9]{1,3}([,'])[0-9]{2,3}(?:\1[0-9]{2,3})+").fullmatch
_SLASHED_PAIRS = re.compile(r"\+?[0-9]{2,3}(?:/[0-9]{2,3}){3,}").fullmatch
_LINE_BREAK = re.compile(r"_x000[ad]_|<br\s*/?>", re.IGNORECASE)


def _without_spreadsheet_marks(text: str, rules: list[str]) -> str:
    """The cell without what spreadsheets put around a number to keep it text, or into it when they did not."""
    if text[:1] in {"'", "’", "`"}:
        text = text[1:].strip()
        rules.append(results.APOSTROPHE)
    if match := _FORMULA(text):
        text = next(group for group in match.groups() if group is not None).strip()
        rules.append(results.FORMULA)
    if match := _POINT_ZERO(text):
        text = match[1]
        rules.append(results.POINT_ZERO)
    elif _THOUSANDS(text):
        text = text.replace(",", "").replace("'", "")
        rules.append(results.THOUSANDS)
    elif (match := _SCIENTIFIC(text)) and (written := _written_out(match[1], match[2] or "", int(match[3]))):
        text = written
        rules.append(results.WRITTEN_OUT)
    elif _SLASHED_PAIRS(text):
        text = text.replace("/", " ")
    return _LINE_BREAK.sub("\n", text).strip() if "_x000" in text or "<" in text else text


def _written_out(whole: str, fraction: str, exponent: int) -> str | None:
    """The integer a scientific notation spells in full (9.19876543210E+11); None when digits are missing."""
    if len(whole) != 1 or len(fraction) < exponent or fraction[exponent:].strip("0") or exponent < 5:
        return None
    return whole + fraction[:exponent]


# --- what is no phone number ------------------------------------------------------------------------------------------

_has_letters = re.compile(r"[^\W\d_]").search
_has_digits = re.compile(r"[0-9]").search

_ZONE = r"(?:\s*(?:Z|[A-Z]{3,4}))?(?:\s*[+-]\d\d?(?::?\d\d)?)?"
_CLOCK = rf"\d\d?[:.]\d\d(?:[:.]\d\d(?:[.,]\d+)?)?(?:\s*[ap]\.?m\.?)?{_ZONE}"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
is_date = re.compile(
    rf"""(?:
      (?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?                         # 2026-02-01
    | \d\d?[-/.]\d\d?[-/.](?:19|20)\d\d                         # 01/02/2026
    | \d\d?/\d\d?/\d\d                                          # 1/2/26
    | \d\d?[-\ /.]{_MONTH}(?:[-\ /.,]*\d\d(?:\d\d)?)?           # 01-Feb, 1 Feb 2026
    | {_MONTH}[-\ /.]\d\d?(?:\d\d)?(?:,?\ \d\d\d\d)?            # Feb-26, February 1, 2026
    )(?:(?:T|,?\s+){_CLOCK})?""",
    re.IGNORECASE | re.VERBOSE,
).fullmatch
_IS_TIME = re.compile(rf"\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?(?:\s*[ap]\.?m\.?)?{_ZONE}", re.IGNORECASE).fullmatch
_IS_ERROR_MARK = re.compile(
    r"#+|#(?:REF|NAME|DIV/0|VALUE|NUM|NULL|SPILL|CALC|ERROR)[!?]?|#N/?A", re.IGNORECASE
).fullmatch
# A minus in front, or the brackets that accountants put around a negative number with its thousands.
_IS_NEGATIVE = re.compile(r"=?\(?\s*-\s*[0-9(].*|\([0-9]{1,3}(?:,[0-9]{2,3})+(?:\.[0-9]+)?\)", re.DOTALL).fullmatch
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IS_NETWORK_ADDRESS = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}(?::[0-9]+)?").fullmatch
_IS_DECIMAL = re.compile(  # 1,200.00 · 1.200,00 · 12345.5 · 12.9716
    r"\+?[0-9]{1,3}(?:,[0-9]{2,3})+\.[0-9]{1,2}|\+?[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,2}|[0-9]{5,}[.,][0-9]{1,2}"
    r"|(?=[0-9.,]{3,7}$)[0-9]+[.,][0-9]+"
).fullmatch
# 5000/- is how India ends an amount; behind as many digits as a number has, it is a second number nobody filled in.
_HAS_MONEY = re.compile(r"[₹$€£¥₨%]|(?<![0-9])[0-9]{1,7}/-").search
_HAS_HIDDEN_DIGITS = re.compile(
    r"\*{2,}|[*xX#?█_]{2,}[0-9]|[0-9][*xX#?█]{2,}|[0-9](?:\.{2,}|…)|(?:\.{2,}|…)[0-9]"
).search
_HAS_RANGE = re.compile(
    r"[0-9]\s+(?:to|till|until|thru|through|bis|hasta|à|до)\s+\+?[0-9]|[0-9]{7,}\s*-\s*\+?[0-9]{7,}", re.IGNORECASE
).search
_WORDS_OF_SOMETHING_ELSE = [
    (
        results.INSTRUCTIONS,
        "digit digits ziffer ziffern chiffres dígitos digitos format example beispiel ejemplo exemple sample "
        "without ohne optional mandatory required pflichtfeld obligatorio obligatoire enter",
    ),
    (results.AMOUNT, "rs inr rupees usd eur euro gbp aed"),
    (
        results.OTHER_KIND,
        "policy police loan invoice voucher receipt aadhaar aadhar uidai pan gst gstin vat imei iban ifsc upi otp "
        "ticket transaction txn utr reference ref serial token acc acct pincode zipcode plz postcode "
        "kundennr kundennummer vertragsnr rechnung rechnungsnr konto kontonummer passport cpf cnpj dni nif",
    ),
]
_REFUSAL_OF_WORD = {word: refusal for refusal, words in _WORDS_OF_SOMETHING_ELSE for word in words.split()}
# "Order no", "customer id": together they say it, alone neither does.
_NUMBERED = re.compile(
    r"(?<![^\W_])(?:account|order|bill|lead|case|employee|emp|customer|cust|member|client|contract|registration|reg|roll|"
    r"pin|zip)\s(?:no|nr|number|id|code)(?![^\W_])|(?<![^\W_])a/c(?![^\W_])",
    re.IGNORECASE,
).search
_words_of = re.compile(r"[^\W\d_]+").findall
# LN-7000000001: capitals tied to digits are how ids are written, apart from the labels of phones.
_HAS_ID = re.compile(
    r"(?<![^\W_])(?!(?:MOB|PH|TEL|CELL|CEL|HP|WA|FAX|NO|NR|FON|GSM|MBL|M|P|T|H|W|O|C|R)[-/_#])[A-Z]{1,4}[-/_#][0-9]"
).search

Judgements = Sequence[tuple[Callable[[str], object], PhoneRefused]]

# In each of the two a cell is refused for the first that fits.
_IS_SOMETHING_ELSE: Judgements = [
    (_SCIENTIFIC, results.CUT),
    (_IS_ERROR_MARK, results.SPREADSHEET_ERROR),
    (is_blank, results.MISSING),
    (_IS_NEGATIVE, results.SUBTRACTION),
    (is_date, results.DATE),
    (_IS_TIME, results.TIME),
    (_IS_NETWORK_ADDRESS, results.ADDRESS),
    (_IS_DECIMAL, results.AMOUNT),
]
_HOLDS_SOMETHING_ELSE: Judgements = [
    (_HAS_MONEY, results.AMOUNT),
    (_HAS_HIDDEN_DIGITS, results.HIDDEN),
    (_HAS_RANGE, results.RANGE),
]


def _first_that_fits(text: str, judgements: Judgements) -> PhoneRefused | None:
    return next((refusal for fits, refusal in judgements if fits(text)), None)


def _said_in_words(text: str) -> PhoneRefused | None:
    """The refusal of digits whose words say that they are no phone number, or explain how to write one."""
    for word in _words_of(text):
        if refusal := _REFUSAL_OF_WORD.get(word.casefold()):
            return refusal
    return results.OTHER_KIND if _NUMBERED(text) or _HAS_ID(text) else None


# --- what stands around numbers ---------------------------------------------------------------------------------------

_CHAT_LINK = re.compile(
    r"(?:https?://)?(?:www\.|api\.|web\.)?(?:wa\.me/|whatsapp\.com/send/?\?(?:[^\s,;|]*?&)?phone=|t\.me/(?=\+)|"
    r"signal\.me/#p/)|whatsapp://send/?\?phone=",
    re.IGNORECASE,
)
_CHAT_NUMBER = re.compile(rf"(?:{_CHAT_LINK.pattern})(?:\+|%2B)?([0-9]+)(?:[?&/#][^\s,;|]*)?", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![^\W\d_])(?:tel|callto|sms|whatsapp|skype):(?://)?(?=\s*[+(0-9])", re.IGNORECASE)
_PARAMETER = re.compile(r";\s*([a-z-]+)=([^;\s]*)", re.IGNORECASE)
_PAGE_OR_MAIL = re.compile(r"[^\s,;|<>()]*(?:://|@)[^\s,;|<>()]*|www\.\S*", re.IGNORECASE)
_EXTENSION = re.compile(
    r"(?<=[0-9)])\s*,?\s*"
    r"(?:;\s*ext\s*=|\(?\s*(?:extension|extn|ext|x|доб)\b\.?\s*[:.#]?|\(?\s*(?:x|ext)|#)\s*[0-9]{1,7}\s*\)?"
    r"(?=\s*(?:$|[,;/|&\n]))",
    re.IGNORECASE,
)
_LABEL_GLUED = re.compile(
    r"(?<![^\W_])(?:telephone|telefon|tel|phone|ph|mobile|mobil|mob|cell|cel|handy|whatsapp|wa)(?=[+0-9])",
    re.IGNORECASE,
)
# Letters that have capitals. Scripts without them (中文, हिन्दी) are written against digits as a matter of course.
_CASED = "A-Za-zÀ-ɏͰ-ԯ"
_GLUED = re.compile(rf"[{_CASED}][0-9]|[0-9][{_CASED}]").search


def _without_links(text: str, rules: list[str]) -> str:
    """Links to a number as that number, their parameters and all other addresses taken off."""
    plain = _CHAT_NUMBER.sub(r" +\1 ", text) if "/" in text else text
    parameters: dict[str, str] = {}
    if ":" in plain:
        plain = _SCHEME.sub("", plain)
        if plain != text:
            parameters = dict(_PARAMETER.findall(plain))
            plain = _with_context(_PARAMETER.sub("", plain), parameters)
    if plain != text:
        rules.append(results.LINK)
    if "ext" in parameters:
        rules.append(results.EXTENSION)
    if "@" in plain or "://" in plain or "www." in plain:
        text, plain = plain, _PAGE_OR_MAIL.sub(" ", plain)
        if plain != text:
            rules.append(results.WORDS)
    return plain.strip()


def _with_context(number: str, parameters: dict[str, str]) -> str:
    """98000-12345 with {"phone-context": "+91"} as +9198000-12345."""
    context = parameters.get("phone-context", "")
    return context + number if context.startswith("+") and "+" not in number else number


def _without_extension(text: str, rules: list[str]) -> str:
    stripped = _EXTENSION.sub("", text)
    if stripped == text or len(NOT_DIGITS.sub("", stripped)) < 6:
        return text
    rules.append(results.EXTENSION)
    return stripped


# --- the runs of digits -----------------------------------------------------------------------------------------------

_OR = re.compile(r"\s(?:or|and|oder|und|ou|et|o|y|или|и|या|और)\s", re.IGNORECASE)
_AREA_CODE_SLASH = re.compile(
    r"((?:^|[^0-9+(). \-])\s*(?:\(?(?:\+|00)[0-9]{1,3}\)?[ .-]*)?(?:\(0\)[ .-]*)?\(?[0-9]{2,6}\)?)\s*/\s*"
    r"(?=[0-9](?:[ .-]?[0-9]){4})"
)
_BETWEEN = re.compile(r"[^0-9+()\[\] \t.\-_:']+|:{2,}|(?<=[0-9)])[ \t(\[]*(?=\+)")
# 1) … 2. … and (1), as lists are numbered.
_LIST_MARK = re.compile(r"(?:^|(?<=[\s,;/|]))[1-9][.)]\s+(?=[+(]?[0-9])|\s\([1-9]\)(?=\s*(?:$|[,;/|&\n]))")
_IS_DIAL_CODE = re.compile(r"\+[0-9]{1,3}").fullmatch
_DOUBLED_PLUS = re.compile(r"\+[\s+]*\+")
_OUTER = " \t.-_:'"


def run_of(text: str) -> Run:
    digits = NOT_DIGITS.sub("", text)
    return Run(text, "+" + digits if "+" in text else digits)


def _runs(text: str, rules: list[str], words: bool) -> Cell | PhoneRefused:
    """The text cut wherever something stands that no spelling of one number holds."""
    if "/" in text:
        text = _AREA_CODE_SLASH.sub(r"\1 ", text)
    pieces = _BETWEEN.split(_LIST_MARK.sub(";", text))
    with_digits = [piece for piece in pieces if _has_digits(piece)]
    if not with_digits:
        return results.NOT_A_NUMBER
    runs: list[Run] = []
    for piece in with_digits:
        alone = piece.strip() == text
        outer = text.strip(_OUTER) if alone else piece.strip(_OUTER + "()[]").rstrip("+")
        single = _DOUBLED_PLUS.sub("+", outer)
        if single != outer and results.PLUS_ONCE not in rules:
            rules.append(results.PLUS_ONCE)
        if runs and _IS_DIAL_CODE(runs[-1].text) and "+" not in single:
            single = f"{runs.pop().text} {single}"
        runs.append(run_of(single))
    if words:
        if results.WORDS not in rules:
            rules.append(results.WORDS)
    elif len(runs) == 1 and runs[0].text != _DOUBLED_PLUS.sub("+", text):
        rules.append(results.MARKS)
    return Cell(runs, rules, words)
