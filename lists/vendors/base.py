"""What every vendor has: declarations that planner, wizard and forms read, and one way to make a request.

An adapter declares its `settings`, `limits` and `operations` and says how a request is signed (`headers`) and how a
refusal reads (`complaint`). Nothing here repeats a request; whoever calls decides that, by what the error says.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, NamedTuple, NoReturn, Protocol
from urllib.parse import quote

from . import http, masking
from .errors import (
    CredentialsRefused,
    ListGone,
    OutcomeUnknown,
    QuotaExhausted,
    RequestRefused,
    Told,
    UnreadableReply,
    VendorBusy,
    VendorCannot,
    VendorError,
    VendorNotConfigured,
)
from .records import (
    Answer,
    BatchReading,
    ContactRecord,
    LookUp,
    Member,
    NewList,
    Problem,
    RemoteListInfo,
    Request,
)

DAY = 86_400
SHORTEST_WAIT = 1.0  # seconds, whatever a vendor asks for
MOST_CONTACTS = 2**31  # of a list; no vendor has that many, and no column of ours takes more

FIELD_LABELS = {
    "phone": "phone number",
    "first_name": "first name",
    "last_name": "last name",
    "full_name": "name",
    "salutation": "salutation",
    "email": "e-mail address",
    "company": "company",
    "tag": "tag",
    "time_zone": "time zone",
}


@dataclass(frozen=True)
class Setting:
    """One setting or credential of a connection, as forms and `connect` ask for it.

    kind      text, number, flag ("1" or "") or choice
    choices   of a choice: (value, label)
    advanced  has a default nearly everyone keeps
    """

    name: str
    label: str
    help: str = ""
    default: str = ""
    secret: bool = False
    required: bool = False
    kind: str = "text"
    choices: tuple[tuple[str, str], ...] = ()
    advanced: bool = False


@dataclass(frozen=True)
class Limits:
    """What the vendor allows; None where it names no limit. Lengths are characters.

    batch        contacts in the batches that fill a list, unless the connection says otherwise
    per_minute   requests of one vendor account, a margin below what the vendor tolerates
    per_hour     requests in any hour, where the vendor looks back over an hour too
    per_day      requests of a day, UTC
    page         entries of one page of a read-back: what confirming costs
    in_flight    requests of one account under way at the same time
    """

    batch: int
    per_minute: int
    page: int
    per_hour: int | None = None
    per_day: int | None = None
    list_size: int | None = None
    list_name: int | None = None
    list_description: int | None = None
    description_required: bool = False
    in_flight: int = 1


@dataclass(frozen=True)
class Operation:
    """One kind of batch: a phase of a push.

    batch               contacts the vendor takes at most in one request, default_batch those we send
    repeat_is_harmless  after an unknown outcome the same batch may simply be sent again
    needs               what must be known first: "remote_list", "remote_id" of every contact
    gives_ids           its results carry the vendor's ids, which a later operation needs
    required_fields     of `ContactRecord` ("full_name" is either name): without them the vendor refuses the contact
    carries             the fields of `ContactRecord` that reach the vendor; the others stay here
    confirms            the answer tells the end of it; otherwise results are ACCEPTED and need reading back
    resolves            ids of contacts whose outcome is unknown can be looked for with `find_contacts`
    entry               one contact in the vendor's words, JSON-able; ID_SLOT where an id is not known yet
    request             the exact request of a batch; the same for the same entries
    read                the answer to it; raises UnreadableReply
    """

    name: str
    label: str
    batch: int
    default_batch: int
    repeat_is_harmless: bool
    entry: Callable[[ContactRecord], Any]
    request: Callable[[Any, RemoteListInfo | None, list[Any]], Request]
    read: Callable[[Answer, Sequence[ContactRecord]], BatchReading]
    needs: tuple[str, ...] = ()
    gives_ids: bool = False
    required_fields: tuple[str, ...] = ("phone",)
    carries: tuple[str, ...] = ("phone",)
    confirms: bool = True
    resolves: bool = False


class Complaint(NamedTuple):
    """What a refusal says: the vendor's own words, code and support handle."""

    message: str = ""
    code: str = ""
    request_id: str = ""


class Journal(Protocol):
    """Told of every request that is not a batch, before its bytes leave and after."""

    def sending(self, request: Request) -> Any: ...
    def answered(self, ref: Any, answer: Answer) -> None: ...
    def failed(self, ref: Any, error: VendorError) -> None: ...


def pace_settings(limits: Limits, plans: str = "") -> tuple[Setting, ...]:
    """The settings of the pace, with the vendor's own defaults. plans: a sentence for the help text.

    An hourly quota is asked for only where the vendor declares one.
    """
    hourly = Setting(
        "per_hour",
        "Requests in any hour",
        "0 means that no hourly quota is kept.",
        str(limits.per_hour or 0),
        kind="number",
    )
    return (
        Setting(
            "per_minute",
            "Requests a minute",
            f"{plans} 0 switches our pacing off.".strip(),
            str(limits.per_minute),
            kind="number",
        ),
        *((hourly,) if limits.per_hour else ()),
        Setting(
            "per_day",
            "Requests a day",
            "0 means that no daily quota is kept.",
            str(limits.per_day or 0),
            kind="number",
        ),
        Setting("in_flight", "Requests under way at once", "", str(limits.in_flight), kind="number", advanced=True),
        Setting(
            "batch_size",
            "Contacts in one request",
            "Empty: the usual size of each call. Never more than the vendor takes.",
            kind="number",
            advanced=True,
        ),
    )


def segment(value: str) -> str:
    """An id as exactly one segment of a path. Raises RequestRefused for what could not be one."""
    if not value or value in (".", "..") or any(ord(char) < 0x21 or ord(char) == 0x7F for char in value):
        raise RequestRefused("An id that belongs into the address of a call is empty or has characters ids never have.")
    return quote(value, safe="")


class HttpVendor:
    """A vendor, connected by one connection's settings and secrets. Safe to share among threads.

    settings, secrets   {name: value}, the names declared in `settings`
    allowed_hosts       hosts beside the vendor's own that a base URL may name
    transport           what carries the requests; a `http.Transport` unless a test says otherwise
    Raises VendorNotConfigured.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]  # "*.example.com" stands for every host below it
    limits: ClassVar[Limits]
    settings: ClassVar[tuple[Setting, ...]]
    # {kind of push: its phases in order}. The class tells the usual ones, an instance those of its own settings.
    operations: dict[str, tuple[Operation, ...]]
    can: ClassVar[frozenset[str]]  # of: update_list delete_list remove_member read_members find_contacts
    takes_repeats: ClassVar[bool] = False  # a list may hold one number several times
    names_its_lists: ClassVar[bool] = False  # contacts go into the list of a name, not of an id
    throttles_with_503: ClassVar[bool] = False
    default_base_url: ClassVar[str]

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        *,
        transport: http.Transport | None = None,
        allowed_hosts: Sequence[str] = (),
    ) -> None:
        self.options = {setting.name: self.given(setting, settings, secrets) for setting in self.settings}
        self.base_url = self.choose_base_url().rstrip("/")
        if problem := self.judge_base_url(self.base_url, allowed_hosts):
            raise VendorNotConfigured(problem)
        self.transport = transport or http.Transport()
        self.before_call: Callable[[], None] | None = None
        self.journal: Journal | None = None
        self.read_again: Callable[[VendorError], bool] | None = None  # has waited, and a failed read may be repeated
        secrets_given = (self.options[setting.name] for setting in self.settings if setting.secret)
        self._secrets = tuple(spelling for secret in secrets_given for spelling in masking.spellings(secret))

    # Declarations, asked before anything is sent

    @classmethod
    def judge_list(cls, new_list: NewList, size: int = 0) -> list[Problem]:
        """What stands against this list with `size` contacts; empty when nothing does."""
        limits = cls.limits
        problems = []
        if limits.list_name and len(new_list.name) > limits.list_name:
            problems.append(
                Problem("name", f"list name is {len(new_list.name)} characters, {limits.list_name} allowed")
            )
        if not new_list.name.strip():
            problems.append(Problem("name", "list name is empty"))
        if limits.list_description and len(new_list.description) > limits.list_description:
            length = len(new_list.description)
            problems.append(
                Problem("description", f"description is {length} characters, {limits.list_description} allowed")
            )
        if limits.description_required and not new_list.description.strip():
            problems.append(Problem("description", f"description is empty, {cls.label} requires one"))
        if limits.list_size and size > limits.list_size:
            problems.append(Problem("size", f"list has {size:,} contacts, {limits.list_size:,} allowed"))
        if new_list.allow_duplicates and not cls.takes_repeats:
            problems.append(
                Problem(
                    "allow_duplicates", f"{cls.label} keeps one entry per contact, repeats are sent once", blocks=False
                )
            )
        return problems

    @classmethod
    def judge_record(cls, record: ContactRecord, kind: str = "list") -> Problem | None:
        """The first thing that stands against this contact in a push of this kind."""
        for operation in cls.operations[kind]:
            for name in operation.required_fields:
                if not getattr(record, name):
                    return Problem(name, f"{FIELD_LABELS[name]} is empty, {cls.label} requires it")
        return None

    @classmethod
    def judge_base_url(cls, base_url: str, allowed_hosts: Sequence[str] = ()) -> str:
        """Why this base URL must not be called, as a sentence; empty when it may."""
        return http.judge_base_url(base_url, cls.label, cls.hosts, allowed_hosts)

    # Requests

    def send(self, request: Request) -> Answer:
        """One request, one answer of 2xx. Raises VendorError."""
        answer = self.attempt(request)
        self.judge(answer, request)
        return answer

    def call(self, request: Request) -> Answer:
        """As `send`, at the account's pace and written into the journal: for all that is not a batch."""
        while True:
            try:
                return self._call(request)
            except VendorError as error:
                if not (request.reads and error.retry and self.read_again and self.read_again(error)):
                    raise

    def _call(self, request: Request) -> Answer:
        if self.before_call:
            self.before_call()
        ref = self.journal.sending(request) if self.journal else None
        try:
            answer = self.send(request)
        except VendorError as error:
            if self.journal:
                self.journal.failed(ref, error)
            raise
        if self.journal:
            self.journal.answered(ref, answer)
        return answer

    def attempt(self, request: Request) -> Answer:
        """The answer whatever its status. Raises NotSent, VendorBusy (reads) and OutcomeUnknown."""
        return self.transport.send(self.base_url, request, self.headers(request), label=self.label)

    def masked(self, what: Request | Answer, limit: int = masking.LIMIT) -> str:
        """An excerpt for the history: secrets as dots, numbers and addresses masked, at most `limit` bytes."""
        return masking.excerpt(what, self._secrets, limit)

    @property
    def account_key(self) -> str:
        """Names the vendor account whose pace is shared; equal for two connections of one account."""
        return hashlib.sha256("\n".join((self.key, self.base_url, *self.account())).encode()).hexdigest()[:32]

    # For the adapter to say

    def account(self) -> tuple[str, ...]:
        """What tells one vendor account from another."""
        raise NotImplementedError

    def choose_base_url(self) -> str:
        return self.options["base_url"] or self.default_base_url

    def headers(self, request: Request) -> dict[str, str]:
        """Credentials for one attempt."""
        raise NotImplementedError

    def complaint(self, answer: Answer) -> Complaint:
        """The vendor's words of a refusal. Never raises."""
        raise NotImplementedError

    def refusal(self, answer: Answer, request: Request, message: str, told: Told) -> RequestRefused:
        """The error of a 4xx that means neither credentials, list, quota nor pace."""
        return RequestRefused(message, too_large=answer.status == 413, **told)

    def wait(self, answer: Answer) -> float | None:
        """Seconds a throttled answer asks us to wait; None when it does not say."""
        return retry_after(answer.headers)

    def is_throttled(self, answer: Answer, complaint: Complaint) -> bool:
        if answer.status == 503:
            return self.throttles_with_503 or "Retry-After" in answer.headers
        return answer.status == 429

    # Vendor calls. `VendorCannot` where the vendor has none.

    def check(self) -> str:
        """One harmless call that proves address and credentials; a sentence about what was found."""
        raise NotImplementedError

    def find_lists(self, name: str) -> list[RemoteListInfo]:
        """The lists of exactly this name, case included."""
        raise NotImplementedError

    def create_list(self, new_list: NewList) -> RemoteListInfo:
        """Raises NameTaken where the vendor keeps names unique and this one is."""
        raise NotImplementedError

    def list_info(self, remote: RemoteListInfo) -> RemoteListInfo:
        """The list as the vendor tells of it now. Raises ListGone."""
        raise NotImplementedError

    def read_members(self, remote: RemoteListInfo, start: int = 0) -> Iterator[list[Member]]:
        """The entries of a list, a page at a time; ends by itself even if the vendor repeats pages for ever.

        start  entries an earlier reading came to; perhaps some of them come once more
        """
        self._cannot("read_members", "tell which contacts a list has")

    def update_list(self, remote: RemoteListInfo, new_list: NewList) -> RemoteListInfo:
        self._cannot("update_list", "rename a list")

    def delete_list(self, remote: RemoteListInfo) -> None:
        """A list that is gone already counts as deleted."""
        self._cannot("delete_list", "delete a list")

    def remove_member(self, remote: RemoteListInfo, remote_id: str) -> None:
        """Takes one contact off a list; one that is not on it counts as removed."""
        self._cannot("remove_member", "take a single contact off a list")

    def find_contacts(self, records: Sequence[ContactRecord], since: datetime | None = None) -> LookUp:
        """Those the vendor holds, after a create whose answer was lost.

        since  when the first of the lost requests went out; narrows the search where the vendor can, and what was
               made before it then counts as not found
        """
        self._cannot("find_contacts", "look contacts up")

    def walk(self, fetch: Callable[[int], tuple[list[Member], bool | None]], start: int = 0) -> Iterator[list[Member]]:
        """The pages of a read-back without repeats.

        fetch  entries read so far -> (the entries of the next page, whether more follow; None when not told)
        start  entries an earlier reading came to
        Raises UnreadableReply where the vendor repeats itself instead of going on: what such a reading does not
        show may be there all the same, and must not be taken for missing.
        """
        seen: set[str] = set()
        read = start
        while True:
            members, more = fetch(read)
            fresh = [member for member in members if member.remote_id not in seen]
            if fresh:
                yield fresh
            elif members and more is not False:
                raise UnreadableReply(
                    f"{self.label} repeats a page instead of showing the next one: the list cannot be read to its end."
                )
            if not members or more is False:
                return
            seen.update(member.remote_id for member in fresh)
            read += len(members)

    def _cannot(self, _call: str, words: str) -> NoReturn:
        raise VendorCannot(f"{self.label} has no way to {words} from outside; do it in {self.label} itself.")

    # What a status means

    def judge(self, answer: Answer, request: Request) -> None:
        """Silent for a 2xx; otherwise raises what follows from the status."""
        status = answer.status
        if 200 <= status < 300:
            return
        complaint = self.complaint(answer)
        told, said = self.told(answer, complaint), self.words(complaint)
        if self.is_throttled(answer, complaint):
            raise VendorBusy(
                f"{self.label} asks for fewer requests (HTTP {status}).{said}", retry_after=self.wait(answer), **told
            )
        if status in (401, 403):
            raise CredentialsRefused(self.refused_credentials(answer) + said, **told)
        if status == 402:
            raise QuotaExhausted(
                f"The {self.label} plan is used up (HTTP 402). Ask {self.label} to extend it, then resume.{said}",
                **told,
            )
        if status == 404 and request.on_list:
            raise ListGone(
                f"{self.label} does not know the list (HTTP 404). Check whether it was deleted or renamed there.{said}",
                **told,
            )
        if status == 404:
            raise VendorNotConfigured(
                f"{self.label} does not know the address that was called (HTTP 404). Check the base URL and the ids "
                f"in the connection.{said}",
                **told,
            )
        if status >= 500 or status == 408:
            self.not_known(f"{self.label} met a fault of its own (HTTP {status}).{said}", request, told)
        if status < 400:
            raise VendorNotConfigured(
                f"{self.label} answered with a redirect (HTTP {status}), which is not followed. Check the base URL.",
                **told,
            )
        raise self.refusal(answer, request, f"{self.label} refused the request (HTTP {status}).{said}", told)

    def told(self, answer: Answer, complaint: Complaint) -> Told:
        return {
            "status": answer.status,
            "code": masking.sentence(complaint.code, self._secrets),
            "request_id": masking.sentence(complaint.request_id, self._secrets),
            "excerpt": self.masked(answer),
            "attempts": answer.attempts,
        }

    def words(self, complaint: Complaint) -> str:
        """The vendor's own words as a further sentence; empty when it had none."""
        words = masking.sentence(complaint.message, self._secrets)
        return f" It said: {words}" if words else ""

    def refused_credentials(self, answer: Answer) -> str:
        what = "the credentials" if answer.status == 401 else "this call for these credentials"
        return f"{self.label} refused {what} (HTTP {answer.status}). Fix the connection, then resume."

    def not_known(self, message: str, request: Request, told: Told) -> NoReturn:
        """Raises what a request without a usable answer means: a failed read may simply be repeated."""
        if request.reads:
            raise VendorBusy(message, **told)
        raise OutcomeUnknown(f"{message} Whether it was applied is not known.", **told)

    def unreadable(self, answer: Answer, what: str) -> UnreadableReply:
        return UnreadableReply(
            f"{self.label} answered {what} (HTTP {answer.status}).",
            status=answer.status,
            excerpt=self.masked(answer),
            attempts=answer.attempts,
        )

    @classmethod
    def given(cls, setting: Setting, settings: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
        """What stands there, or the default. Raises VendorNotConfigured."""
        raw = (secrets if setting.secret else settings).get(setting.name)
        value = setting.default if raw is None or raw == "" else str(raw).strip()
        if setting.required and not value:
            raise VendorNotConfigured(f"{cls.label} needs the {setting.label.lower()}; enter it in the connection.")
        if any(ord(char) < 0x20 or ord(char) == 0x7F for char in value):
            raise VendorNotConfigured(
                f"The {setting.label.lower()} of the {cls.label} connection contains a line break."
            )
        return value


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds asked for by Retry-After, as number or date, between 1 second and a day; None when unreadable."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = http_date(text)
        if moment is None:
            return None
        # measured on the vendor's clock where it tells it, so that a wrong clock here does not matter
        now = http_date(headers.get("Date", "")) or datetime.now(UTC)
        seconds = (moment - now).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(seconds, SHORTEST_WAIT), float(DAY))


def list_count(value: Any) -> int | None:
    """The size of a list; None for what cannot be one."""
    count = whole_number(value)
    return count if count is None or count < MOST_CONTACTS else None


def whole_number(value: Any) -> int | None:
    """A count, which may come as text; None for anything that is none, a negative one too."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


def http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
