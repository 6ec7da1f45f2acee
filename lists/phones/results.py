"""What comes out of a cell: a number with the names of its repairs, or a refusal with its sentences."""

from typing import NamedTuple

LONGEST_CELL = 200
"""Characters. The longest honest cell of several numbers is about half of it; beyond it nothing is even looked at."""


class Phone(NamedTuple):
    """A valid number.

    rule   the names of the repairs that led to it, ", " between them; "" when the cell held E.164 already
    other  the E.164 of the other valid reading, when the cell can be read in two ways; `e164` then is the proposed one
    """

    e164: str
    rule: str = ""
    other: str = ""


class PhoneRefused(NamedTuple):
    """Why a cell holds no number we may use: a stable code, a sentence, and what to do about it."""

    code: str
    reason: str
    suggestion: str


# The names of the repairs, as people read them.
COUNTRY_ADDED = "country code added"
PLUS_PUT_BACK = "plus sign put back"
ZERO_ZERO = "00 → +"
ZERO_BEFORE_CODE = "zero before the country code removed"
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
MARKS = "marks around the number removed"
PLUS_ONCE = "doubled plus sign"
INTERNATIONAL = "written the international way"
SEVERAL = "one of several numbers in the cell"
SAME_TWICE = "same number written twice"
OTHER_DIGITS = "other digits in the cell left out"

# The refusals that need no number to be known.
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
SUBTRACTION = PhoneRefused(
    "subtraction",
    "This is a negative number: a spreadsheet has most likely taken +91-98… for a sum and written its result.",
    "Take the number from the original, and format the column as text before typing it in.",
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
TIME = PhoneRefused("time", "This is a time of day, not a phone number.", "Check that the right column is chosen.")
AMOUNT = PhoneRefused(
    "amount",
    "This is an amount of money, a percentage or a number with decimals, not a phone number.",
    "Check that the right column is chosen.",
)
ADDRESS = PhoneRefused(
    "network_address",
    "This is the network address of a computer, not a phone number.",
    "Check that the right column is chosen.",
)
HIDDEN = PhoneRefused(
    "hidden_digits",
    "Some digits of this number are hidden or left out.",
    "Export the numbers in full; the program that made the file may need a right to show them.",
)
RANGE = PhoneRefused(
    "range",
    "This cell holds a range of numbers, not one number.",
    "Write each number in full.",
)
OTHER_KIND = PhoneRefused(
    "other_number",
    "The words in this cell say that its digits are another kind of number, not a phone number.",
    "Check that the right column is chosen; if it is a phone number, keep only the number in the cell.",
)
INSTRUCTIONS = PhoneRefused(
    "instructions",
    "This cell explains how to fill in the column and holds no number of its own.",
    "Leave this row out.",
)
TWO_NUMBERS = PhoneRefused(
    "two_numbers",
    "This cell holds more than one phone number.",
    "Keep one number in the cell and put the other in a row of its own.",
)
PLACEHOLDER = PhoneRefused(
    "placeholder",
    "These digits are typed in to fill the field; they are nobody’s number.",
    "Fill in the real number, or leave the row out.",
)
SHORT_NUMBER = PhoneRefused(
    "short_number",
    "A number of three to six digits is a service or an extension inside one country or company.",
    "Write the full number with its area code.",
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


# The refusals that name a place: `where` is " in India", or "" when the country is not known.
def too_short(where: str = "") -> PhoneRefused:
    return PhoneRefused(
        "too_short",
        f"The number has too few digits for a phone number{where}.",
        "Add the missing digits; an area code or a leading zero may have been lost.",
    )


def too_long(where: str = "") -> PhoneRefused:
    return PhoneRefused(
        "too_long",
        f"The number has too many digits for a phone number{where}.",
        "Check for a digit typed twice, or for two numbers written as one.",
    )


def wrong_length(where: str) -> PhoneRefused:
    return PhoneRefused(
        "wrong_length", f"No number{where} has this many digits.", "Compare the number with its source."
    )


def not_valid(where: str) -> PhoneRefused:
    return PhoneRefused(
        "not_valid",
        f"The number has a possible length, but no number{where} begins like this.",
        "Compare the digits with their source, and check the country.",
    )
