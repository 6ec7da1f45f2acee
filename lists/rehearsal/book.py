"""The book: what the rehearsal vendors received and what they applied. The only truth about delivery.

A request is entered when it arrives and completed when it is answered. Contacts are entered when they take effect,
which for a queued request is later; reading the book first applies whatever is due.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

ADDRESS_BOOK = "contacts"  # stands where a list's id stands, for contacts that are created and not yet in a list


@dataclass(slots=True)
class Entry:
    """One request as the vendor saw it. Times are Unix seconds; `status` is None when nothing was answered."""

    number: int
    time: float
    vendor: str
    operation: str
    method: str
    path: str
    account: str = ""
    fault: str = ""
    status: int | None = None
    answered: float | None = None
    contacts_sent: int = 0
    contacts_applied: int = 0
    body: bytes = field(default=b"", repr=False)

    def as_dict(self, *, with_body: bool) -> dict[str, Any]:
        plain = asdict(self)
        body = plain.pop("body")
        return plain | {"body": body.decode(errors="replace")} if with_body else plain


@dataclass(frozen=True, slots=True)
class Application:
    """Contacts that took effect together: `request` is the entry's number, 0 when the vendor did it by itself."""

    time: float
    request: int
    phones: list[str]


class Book:
    """Thread-safe. `before_reading` is called ahead of every question, so that what is due has happened."""

    def __init__(self, before_reading: Callable[[], None] = lambda: None) -> None:
        self._before_reading = before_reading
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._applied: dict[tuple[str, str], list[Application]] = {}
        self._received: dict[tuple[str, str], list[Application]] = {}

    # Written by the vendors

    def open(self, vendor: str, operation: str, *, method: str, path: str, body: bytes, fault: str) -> Entry:
        with self._lock:
            entry = Entry(len(self._entries) + 1, time.time(), vendor, operation, method, path, fault=fault, body=body)
            self._entries.append(entry)
        return entry

    def receive(self, entry: Entry, list_id: str, phones: list[str]) -> None:
        """These contacts were in a request the vendor took on, whether or not they were new to the list."""
        with self._lock:
            seen = self._received.setdefault((entry.vendor, list_id), [])
            seen.append(Application(time.time(), entry.number, phones))

    def apply(self, vendor: str, list_id: str, phones: list[str], entry: Entry | None, at: float | None = None) -> None:
        """These contacts are in the list from now on, and were not before."""
        if not phones:
            return
        with self._lock:
            done = self._applied.setdefault((vendor, list_id), [])
            done.append(Application(at or time.time(), entry.number if entry else 0, phones))
            if entry:
                entry.contacts_applied += len(phones)

    def clear(self) -> None:
        with self._lock:
            self._entries, self._applied, self._received = [], {}, {}

    # Read by the tests

    def requests(self, vendor: str = "", operation: str = "") -> list[Entry]:
        """Requests in the order they arrived; an empty argument means any."""
        self._before_reading()
        with self._lock:
            return [
                entry for entry in self._entries if vendor in ("", entry.vendor) and operation in ("", entry.operation)
            ]

    def times(self, vendor: str = "", operation: str = "") -> list[float]:
        """When those requests arrived, in Unix seconds."""
        return [entry.time for entry in self.requests(vendor, operation)]

    def applied(self, vendor: str, list_id: str = ADDRESS_BOOK) -> list[str]:
        """Phones in the order they took effect; one that took effect twice is there twice."""
        return [phone for application in self.applications(vendor, list_id) for phone in application.phones]

    def received(self, vendor: str, list_id: str = ADDRESS_BOOK) -> list[str]:
        """Phones of all requests the vendor took on, so one sent twice is there twice even if it was applied once."""
        self._before_reading()
        with self._lock:
            return [phone for batch in self._received.get((vendor, list_id), []) for phone in batch.phones]

    def sent_twice(self, vendor: str, list_id: str = ADDRESS_BOOK) -> dict[str, int]:
        """{phone: times received}, for those received more than once."""
        return {phone: times for phone, times in Counter(self.received(vendor, list_id)).items() if times > 1}

    def applications(self, vendor: str, list_id: str = ADDRESS_BOOK) -> list[Application]:
        self._before_reading()
        with self._lock:
            return list(self._applied.get((vendor, list_id), []))

    def as_dict(
        self, vendor: str = "", operation: str = "", since: int = 0, *, with_bodies: bool = False
    ) -> dict[str, Any]:
        """JSON-able: `requests` after number `since`; `applied`, `received`: {vendor: {list id: [application]}}."""
        requests = [e.as_dict(with_body=with_bodies) for e in self.requests(vendor, operation) if e.number > since]
        with self._lock:
            return {
                "requests": requests,
                "applied": _by_vendor(self._applied.items(), vendor),
                "received": _by_vendor(self._received.items(), vendor),
            }


def _by_vendor(
    records: Iterable[tuple[tuple[str, str], list[Application]]], vendor: str
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    sorted_out: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for (key, list_id), applications in records:
        if vendor in ("", key):
            sorted_out.setdefault(key, {})[list_id] = [asdict(application) for application in applications]
    return sorted_out
