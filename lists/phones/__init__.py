"""Any spelling of a phone number into E.164, or the reason why not.

A leaf: nothing else in the project knows a phone package. Only numbers that are *valid* pass, not those that merely
could be one. No repair invents a digit: what a spreadsheet has cut or worked out is refused, never guessed, and two
runs of digits are never joined unless they are written as one number.

results     what comes out: a number with the names of its repairs, or a refusal with its sentences
numbering   what the phone packages know: which numbers are valid, where, and of which kind
cells       what is written in a cell: damage, links, words, and the runs of digits between them
reading     the runs of digits into numbers
regions     a country however it is written
showing     numbers we have, for people: in groups, masked, searched for
"""

from lists.countries import REGIONS
from lists.phones.numbering import country_of, is_placeholder, is_unremarkable_in, kind_of, split
from lists.phones.reading import normalise, numbers_in
from lists.phones.regions import region_of
from lists.phones.results import MISSING, NO_COUNTRY, TWO_NUMBERS, UNKNOWN_COUNTRY, Phone, PhoneRefused
from lists.phones.showing import display, mask, search_key

__all__ = [
    "MISSING",
    "NO_COUNTRY",
    "REGIONS",
    "TWO_NUMBERS",
    "UNKNOWN_COUNTRY",
    "Phone",
    "PhoneRefused",
    "country_of",
    "display",
    "is_placeholder",
    "is_unremarkable_in",
    "kind_of",
    "mask",
    "normalise",
    "numbers_in",
    "region_of",
    "search_key",
    "split",
]
