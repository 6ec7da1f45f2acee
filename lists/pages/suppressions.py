"""What the do-not-contact pages need, prepared for their templates."""

from lists.fields import SUPPRESSION_FIELDS

_MEANINGS = {
    "phone": "In any spelling. Of several in a cell, every one counts.",
    "country": "Where numbers are written without their country code.",
    "reason": "Kept with the number, in place of the one for the whole file.",
    "since": "The day of the wish, as 2026-07-31.",
}

EXPECTED = tuple((known.label, _MEANINGS[known.name], known.name == "phone") for known in SUPPRESSION_FIELDS)
"""(column, what it is for, whether it is required) of a file of numbers nobody may call."""
