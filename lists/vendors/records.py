"""Our words for what travels to a vendor and what comes back. Plain values: no Django, no HTTP library."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

import orjson

from .errors import UnreadableReply

# Stands in an entry where the vendor's own id of the contact goes and is not known yet: it is
# learned by an earlier operation of the same run and put in by `filled` just before sending.
ID_SLOT = "{{remote id}}"

_NOT_DIGITS = re.compile(r"[^0-9]+")


class Outcome(StrEnum):
    """What became of one contact in one batch. Never folded into each other."""

    ADDED = "added"
    ALREADY_PRESENT = "already_present"
    ACCEPTED = "accepted"  # taken into a queue; says nothing about the list yet
    CONFIRMED = "confirmed"  # accepted before, and now read back
    REJECTED = "rejected"
    UNKNOWN = "unknown"  # the vendor may or may not have applied it


# A push makes millions of this and of `PushResult`: named tuples cost a third of frozen dataclasses.
class ContactRecord(NamedTuple):
    """One contact on its way out.

    key        our reference, unique in the batch
    phone      E.164
    remote_id  the vendor's id of this contact; empty while unknown
    """

    key: str
    phone: str
    first_name: str = ""
    last_name: str = ""
    salutation: str = ""
    email: str = ""
    company: str = ""
    tag: str = ""
    time_zone: str = ""
    remote_id: str = ""

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True)
class NewList:
    name: str
    description: str = ""
    allow_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class RemoteListInfo:
    """A contact list as the vendor tells of it.

    count    entries, as last told by the vendor; None when it did not say
    in_use   tied to a campaign, so that the vendor refuses to delete it
    problem  why contacts cannot be pushed into it, as a sentence; empty when they can
    """

    remote_id: str
    name: str
    count: int | None = None
    in_use: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a list, read back. The phone is spelled as the vendor spells it: compare with `digits`."""

    remote_id: str
    phone: str


class PushResult(NamedTuple):
    """What the vendor said about one contact.

    code, message  the vendor's own, numbers masked; empty when it had nothing to say
    remote_id      the vendor's id of the contact or the entry, where the answer tells it
    again          this one may be sent again as it is (its item was throttled or met a fault there)
    """

    key: str
    outcome: Outcome
    code: str = ""
    message: str = ""
    remote_id: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class BatchReading:
    """An answer to a batch, read.

    results          one per record, same order; what the answer does not name is UNKNOWN
    already_present  how many of the results that say ADDED were in the list before, where the vendor tells
                     only that number and not which ones (LeadLex). Results that say ALREADY_PRESENT
                     themselves are not in it, so: truly new = count(ADDED) − already_present
    list_count       size of the remote list after the batch, when told
    warnings         what the answer says that does not fit, as sentences; nothing in them is fatal
    """

    results: list[PushResult]
    already_present: int = 0
    list_count: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def added(self) -> int:
        """Contacts that are in the list now and were not before."""
        return sum(result.outcome is Outcome.ADDED for result in self.results) - self.already_present


@dataclass(frozen=True, slots=True)
class LookUp:
    """What a vendor was found to hold of the contacts asked for.

    ids       {key: the vendor's id}
    complete  all was read where the others could be: what is not among the ids is not there
    """

    ids: dict[str, str]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a list or a contact does not suit a vendor, before anything is sent.

    blocks  the vendor would refuse it; otherwise it is worth telling and goes out all the same
    """

    field: str
    message: str
    blocks: bool = True


@dataclass(frozen=True)
class Request:
    """One HTTP request without its credentials: those are added while sending and never kept.

    path     below the connection's base URL, ids already encoded as one segment each
    json     body as JSON, unless `csv` is given
    params   query
    csv      content of the file of a multipart body, in the field `csv_field`, beside the fields of `form`
    headers  further headers that belong to the call (an idempotency key)
    reads    changes nothing at the vendor, so repeating it is always harmless
    on_list  a 404 means that the list of the path is gone
    """

    operation: str
    method: str
    path: str
    json: Any = None
    params: dict[str, str] | None = None
    csv: str | None = None
    csv_field: str = ""
    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    reads: bool = False
    on_list: bool = False

    @cached_property
    def body(self) -> bytes:
        """The JSON as it is sent and as an excerpt shows it; empty where there is none."""
        if self.json is None:
            return b""
        return orjson.dumps(self.json)


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it came, read to its end.

    seconds   from the first byte we wrote to the last we read
    attempts  HTTP requests it took: 2 where a refused Kore.ai token was minted anew
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0
    attempts: int = 1

    def json(self) -> Any:
        """The body as JSON. Raises UnreadableReply."""
        with suppress(ValueError):
            return orjson.loads(self.body)
        try:
            return json.loads(self.body)  # takes what is not quite JSON: another encoding, NaN, half a surrogate pair
        except (ValueError, RecursionError) as error:
            raise UnreadableReply(
                f"The answer (HTTP {self.status}) is not JSON.", status=self.status, attempts=self.attempts
            ) from error

    def text(self, limit: int = 4096) -> str:
        return self.body[:limit].decode("utf-8", "replace")


def digits(phone: str) -> str:
    """The digits alone: how numbers of two systems are compared."""
    number = phone.removeprefix("+")
    return number if number.isascii() and number.isdigit() else _NOT_DIGITS.sub("", phone)


def filled(entries: Sequence[Any], remote_ids: Sequence[str]) -> list[Any]:
    """The entries with the i-th remote id put where the i-th entry has its slot.

    A missing id is a mistake of the caller: an entry with an empty id must not be sent. Raises ValueError.
    """
    return [_fill(entry, remote_id) for entry, remote_id in zip(entries, remote_ids, strict=True)]


def _fill(value: Any, remote_id: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _fill(inner, remote_id) if inner == ID_SLOT or isinstance(inner, dict) else inner
            for name, inner in value.items()
        }
    if value == ID_SLOT:
        if not remote_id:
            raise ValueError("An entry was to be sent before the vendor's id of its contact was known.")
        return remote_id
    return value
