"""The three vendors, played on loopback over real HTTP: for the demo, for tests, and for people who try the product.

    with Rehearsal() as rehearsal:
        rehearsal.url                                             http://127.0.0.1:…; the vendors are below it
        rehearsal.leadlex.faults.next("add_to_list", status=429, retry_after=2)
        rehearsal.exotel.set(readd="409")
        rehearsal.book.applied("kore", list_id)                   phones that took effect

They are as strict as the vendors' documents, keep everything in memory, and share no code with the adapters.
"""

from . import exotel, kore, leadlex
from .book import ADDRESS_BOOK, Application, Book, Entry
from .faults import BAD_DAYS, KINDS, Fault
from .server import Rehearsal

# {vendor: what a connection to the demo account needs, beside its base URL}
CREDENTIALS: dict[str, dict[str, str]] = {
    "kore": kore.CREDENTIALS,
    "leadlex": leadlex.CREDENTIALS,
    "exotel": exotel.CREDENTIALS,
}

__all__ = [
    "ADDRESS_BOOK",
    "BAD_DAYS",
    "CREDENTIALS",
    "KINDS",
    "Application",
    "Book",
    "Entry",
    "Fault",
    "Rehearsal",
]
