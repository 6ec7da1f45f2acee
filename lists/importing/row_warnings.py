"""What a row may be warned of: it is imported, but something about it was left out, chosen or is doubtful.

Only the phone number can refuse a row. Everything else that is not as it should be is one of these, counted and shown
with its rows. Some of them leave the row out until a person says otherwise, and some can be left out by a person.
"""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """The stable names, as `ImportRow.warned` and the answers of commands keep them."""

    OTHER_COUNTRY = "other_country"
    TWO_READINGS = "two_readings"
    PLACEHOLDER = "placeholder"
    SHARED_NUMBER = "shared_number"
    SERVICE_NUMBER = "service_number"
    SEVERAL_NUMBERS = "several_numbers"
    EMAIL_LEFT_OUT = "email_left_out"
    TIME_ZONE_LEFT_OUT = "time_zone_left_out"
    DATE_LEFT_OUT = "date_left_out"
    TOO_LONG_LEFT_OUT = "too_long_left_out"
    GARBLED = "garbled"
    OPT_OUT_UNSURE = "opt_out_unsure"
    OTHER_PERSON = "other_person"


@dataclass(frozen=True)
class Kind:
    """What a page says of one warning.

    title      what is the matter, as a sentence
    advice     what was done with such rows, and what a person can do
    imported   whether such rows are imported unless a person says otherwise
    is_choice  whether a person may say otherwise for all rows of the kind
    """

    title: str
    advice: str
    imported: bool = True
    is_choice: bool = False


KINDS: dict[Code, Kind] = {
    Code.OTHER_COUNTRY: Kind(
        "The number belongs to another country than expected.",
        "Expected is the country chosen for numbers written without one, or the one the row itself names. Compare a "
        "few with their source: a wrong country makes a stranger’s number.",
        is_choice=True,
    ),
    Code.TWO_READINGS: Kind(
        "The number can be read in two ways: as a national number, or with its country code and the plus sign lost.",
        "It was read with its country code. Put a plus sign in front of such numbers in the file to be certain.",
        is_choice=True,
    ),
    Code.PLACEHOLDER: Kind(
        "The number is a placeholder: one digit repeated, or digits counting up.",
        "People type such numbers where they know none.",
        imported=False,
        is_choice=True,
    ),
    Code.SHARED_NUMBER: Kind(
        "Many people with different names share this number.",
        "It is probably a switchboard, or stands for “unknown”.",
        imported=False,
        is_choice=True,
    ),
    Code.SERVICE_NUMBER: Kind(
        "This is a toll-free or premium number, not a person’s own.",
        "Calling it reaches a company, or costs extra.",
        is_choice=True,
    ),
    Code.SEVERAL_NUMBERS: Kind(
        "The row holds several phone numbers.",
        "One is the contact’s number; the others are kept in the attribute “Other numbers”. Which one is chosen can be "
        "changed under Match columns.",
    ),
    Code.EMAIL_LEFT_OUT: Kind(
        "This is not an e-mail address.",
        "The contact is imported without it. Write one address, as name@example.org, to have it.",
    ),
    Code.TIME_ZONE_LEFT_OUT: Kind(
        "This time zone is not known.",
        "The contact is imported without it. Write it as Asia/Kolkata or Europe/London.",
    ),
    Code.DATE_LEFT_OUT: Kind(
        "This is not a date, or it can be read in two ways.",
        "The number counts without it. Write the date as 2026-07-31.",
    ),
    Code.TOO_LONG_LEFT_OUT: Kind(
        "The text is longer than the field allows.",
        "It is left out, never cut; the number counts without it.",
    ),
    Code.GARBLED: Kind(
        "The text looks garbled: its accents were damaged before the file was made.",
        "It is imported as it is. Export the file again as UTF-8, or choose another encoding under Read.",
    ),
    Code.OPT_OUT_UNSURE: Kind(
        "Nobody has said whether this means that the person must not be contacted.",
        "Until somebody does, the number is on the do-not-contact list.",
    ),
    Code.OTHER_PERSON: Kind(
        "Another person has this number: first and last name are different.",
        "One number is one contact. Nothing of the two is mixed.",
    ),
}

SHARED_BY = 5
"""Different names that may share a number, as families do; beyond them nobody in particular answers it."""


def is_imported(code: str, switches: dict[str, bool]) -> bool:
    """Whether rows with this warning are imported, by a person's choice or else as usual."""
    return switches.get(code, KINDS[Code(code)].imported)
