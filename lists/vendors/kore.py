"""Kore.ai: contacts are queued into a list addressed by its name; an address book stands beside the lists.

Source: docs.kore.ai, section ai-for-service: "Add Contacts to Contact List", "Create Contact List", "Create Bulk
Contacts", "Get Contacts of a Contact List", "Using AI for Service Platform APIs". Where the pages contradict each
other the safest reading is taken: `name` and `source: passiveApi` on create (the sample says otherwise), a multipart
body for the import (the table says JSON), POST before GET for the lists (the sample has neither).
"""

from __future__ import annotations

import csv
import io
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import jwt

from lists import phones

from . import http
from .base import (
    Complaint,
    HttpVendor,
    Limits,
    Operation,
    Setting,
    http_date,
    list_count,
    pace_settings,
    segment,
)
from .errors import (
    ListGone,
    OutcomeUnknown,
    RequestRefused,
    Told,
    UnreadableReply,
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
    Outcome,
    Problem,
    PushResult,
    RemoteListInfo,
    Request,
    digits,
)

TOKEN_LIFE = 300  # seconds; with a `jti` Kore.ai takes at most an hour
TOKEN_BACKDATED = 30  # seconds, for clocks that are a little apart
CLOCKS_APART = 20  # seconds from which on the difference of the clocks is worth a word
MEMBER_PAGE = 50
BOOK_PAGE = 50
BOOK_PAGES = 200  # how far the address book is searched: the whole minute rate for four minutes
THROTTLE_WAIT = 60.0  # seconds: Kore.ai counts by the minute and never says how long
API_SOURCES = ("passiveApi", "passiveApiIntegration")  # both spellings are seen for one thing
SALUTATIONS = {"mr": "Mr.", "mrs": "Mrs."}
BOOK_COLUMNS = (
    "firstName",
    "lastName",
    "salutation",
    "cellPhoneNumber",
    "cellPhoneCountryCode",
    "cellPhoneExtension",
)

_RATE_WORDS = re.compile(
    r"rate.{0,3}limit|too many (?:requests|calls)|limit.{0,40}\bminute|\bminute.{0,40}limit", re.IGNORECASE
)
_SIZE_WORDS = re.compile(r"too (?:large|big|many|long)|payload|\bsize\b|maximum|at most|exceed", re.IGNORECASE)


# Contacts of a list


def list_entry(record: ContactRecord) -> dict[str, str]:
    return {"phoneNumber": record.phone}


def list_entry_with_names(record: ContactRecord) -> dict[str, str]:
    """With the keys a list is mapped by. The page names the number alone, so this is a setting."""
    entry = {
        "phoneNumber": record.phone,
        "firstName": record.first_name,
        "lastName": record.last_name,
        "timeZone": record.time_zone,
    }
    return {name: value for name, value in entry.items() if value}


def add_contacts(vendor: Kore, target: RemoteListInfo | None, entries: list[Any]) -> Request:
    if target is None:
        raise ValueError("Adding contacts needs the list they go into.")
    if vendor.options["strip_plus"]:
        entries = [{**entry, "phoneNumber": entry["phoneNumber"].removeprefix("+")} for entry in entries]
    return Request(
        "add_contacts",
        "POST",
        f"{vendor.api_path}/campaign/contactList/addContacts",
        json={"contact_list_name": target.name, "data": entries},
        on_list=True,
    )


def read_accepted(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    """Any 2xx means that the batch is queued, in whatever words; which contacts arrive is only seen by reading back."""
    reply = answer.json()
    if not isinstance(reply, dict):
        raise UnreadableReply("Kore.ai answered something else than an object.", status=answer.status)
    return BatchReading([PushResult(record.key, Outcome.ACCEPTED) for record in records])


ADD_CONTACTS = Operation(
    name="add_contacts",
    label="Add contacts to the list",
    batch=5000,
    default_batch=500,
    repeat_is_harmless=False,
    needs=("remote_list",),
    confirms=False,
    entry=list_entry,
    request=add_contacts,
    read=read_accepted,
)


# Address book


def book_entry(record: ContactRecord) -> list[str]:
    """One line of the file, in the order of `BOOK_COLUMNS` but for the extension, which the connection knows."""
    country_code, national = phones.split(record.phone)
    salutation = record.salutation.strip()
    return [
        record.first_name,
        record.last_name,
        SALUTATIONS.get(salutation.rstrip(".").lower(), salutation),
        national,
        f"+{country_code}",
    ]


def import_contacts(vendor: Kore, _target: RemoteListInfo | None, entries: list[Any]) -> Request:
    file = io.StringIO(newline="")
    # everything quoted: some cells begin with a plus sign
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(BOOK_COLUMNS)
    writer.writerows([*entry, vendor.options["extension"]] for entry in entries)
    return Request(
        "import_contacts",
        "POST",
        f"{vendor.service_path}/contacts/import-contacts",
        csv=file.getvalue(),
        csv_field="result_file",
    )


def read_imported(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    """One result per record, matched by number: neither order nor id can be relied on.

    A record that does not come back was not created, for a reason Kore.ai does not tell (its number may be in the
    book already): UNKNOWN, to be looked up.
    """
    created = answer.json()
    if isinstance(created, dict):
        created = created.get("data")
    if not isinstance(created, list):
        raise UnreadableReply("Kore.ai answered something else than the created contacts.", status=answer.status)
    ids: dict[str, str] = {}
    for contact in created:
        for number in numbers_of(contact):
            ids.setdefault(number, str(contact.get("id") or contact.get("_id") or ""))
    results = []
    for record in records:
        remote_id = ids.get(digits(record.phone))
        if remote_id is None:
            results.append(PushResult(record.key, Outcome.UNKNOWN, message="Kore.ai did not return this contact."))
        else:
            results.append(PushResult(record.key, Outcome.ADDED, remote_id=remote_id))
    sent = {digits(record.phone) for record in records}
    strangers = sum(not sent.intersection(numbers_of(contact)) for contact in created)
    warnings = (f"Kore.ai returned {strangers} contacts that were not sent.",) if strangers else ()
    return BatchReading(results, warnings=warnings)


def numbers_of(contact: Any) -> tuple[str, ...]:
    """The digits a contact of the address book may be known by: with the country code, however it came."""
    phone = contact.get("cellPhone") if isinstance(contact, dict) else None
    if not isinstance(phone, dict):
        return ()
    number = digits(str(phone.get("phoneNumber") or ""))
    return (number, digits(str(phone.get("countryCode") or "")) + number) if number else ()


IMPORT_CONTACTS = Operation(
    name="import_contacts",
    label="Import contacts into the address book",
    batch=5000,
    default_batch=500,
    repeat_is_harmless=False,
    gives_ids=True,
    required_fields=("phone", "first_name", "last_name", "salutation"),
    carries=("phone", "first_name", "last_name", "salutation"),
    resolves=True,
    entry=book_entry,
    request=import_contacts,
    read=read_imported,
)


class Kore(HttpVendor):
    key = "kore"
    label = "Kore.ai"
    hosts = ("platform.kore.ai", "*.kore.ai")  # one host per environment
    default_base_url = "https://platform.kore.ai"
    limits = Limits(
        batch=500,  # nothing is documented
        per_minute=50,  # 60 a minute and account, shared with everything else that calls it
        per_hour=1800,  # sibling APIs look back over an hour too
        page=MEMBER_PAGE,
        list_name=48,
        list_description=256,
        description_required=True,
    )
    settings = (
        Setting("base_url", "Base URL", "The address of your Kore.ai environment.", default_base_url),
        Setting("app_id", "App id", "The application's id; it begins with st-.", required=True),
        Setting("account_id", "Account id", "24 letters and digits.", required=True),
        Setting("client_id", "Client id", "Of the JWT app; it begins with cs-.", required=True),
        Setting("client_secret", "Client secret", "Of the same JWT app.", secret=True, required=True),
        Setting(
            "strip_plus",
            "Send numbers without the plus sign",
            "Only if Kore.ai tells you so.",
            kind="flag",
            advanced=True,
        ),
        Setting(
            "extra_keys",
            "Send names and time zones along with the numbers",
            "Kore.ai documents the number alone; try it with one contact first.",
            kind="flag",
            advanced=True,
        ),
        Setting(
            "extension",
            "Extension",
            "The address book asks for an extension with every number; this is sent.",
            "+",
            advanced=True,
        ),
        Setting("subject", "Token subject", "Names us in Kore.ai's logs.", "contactadmin", advanced=True),
        Setting("issuer", "Token issuer", "Only if your JWT app asks for one.", advanced=True),
        Setting("audience", "Token audience", "Only if your JWT app asks for one.", advanced=True),
        Setting("api_prefix", "Path of the API", "", "/api/1.1/public", advanced=True),
        Setting("service_prefix", "Path of AI for Service", "", "/agentassist/api/v1/public", advanced=True),
        *pace_settings(limits, "Kore.ai takes 60 from one account, all its users together."),
    )
    operations = {"list": (ADD_CONTACTS,), "address_book": (IMPORT_CONTACTS,)}
    can = frozenset({"update_list", "delete_list", "read_members", "find_contacts"})
    takes_repeats = True
    names_its_lists = True
    throttles_with_503 = True

    def __init__(self, settings: Mapping[str, Any], secrets: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(settings, secrets, **kwargs)
        app = segment(self.options["app_id"])
        self.api_path = self._prefix("api_prefix") + f"/{app}"
        self.service_path = self._prefix("service_prefix") + f"/{app}"
        self.lists_path = f"{self.service_path}/campaign/contactList"
        if self.options["extra_keys"]:
            carries = ("phone", "first_name", "last_name", "time_zone")
            richer = replace(ADD_CONTACTS, entry=list_entry_with_names, carries=carries)
            self.operations = {**self.operations, "list": (richer,)}
        self.clock_ahead = 0.0  # seconds our clock is ahead of Kore.ai's, once a refused token has shown it
        self._lists_by_get = False

    @classmethod
    def judge_record(cls, record: ContactRecord, kind: str = "list") -> Problem | None:
        if problem := super().judge_record(record, kind):
            return problem
        if kind == "address_book" and record.salutation.strip().rstrip(".").lower() not in SALUTATIONS:
            return Problem(
                "salutation",
                f"salutation is “{record.salutation}”, Kore.ai speaks of Mr. and Mrs. only and may refuse it",
                blocks=False,
            )
        return None

    # Signing

    def account(self) -> tuple[str, ...]:
        return (self.options["account_id"],)

    def headers(self, request: Request) -> dict[str, str]:
        return {"auth": self.token(), "iid": self.options["app_id"], "accountId": self.options["account_id"]}

    def token(self) -> str:
        """A token for one attempt: Kore.ai takes a second use for a replay."""
        now = int(time.time() - self.clock_ahead)
        claims = {
            "sub": self.options["subject"],
            "appId": self.options["client_id"],
            "iat": now - TOKEN_BACKDATED,
            "exp": now + TOKEN_LIFE,
            "jti": uuid.uuid4().hex,
        }
        for claim, setting in (("iss", "issuer"), ("aud", "audience")):
            if self.options[setting]:
                claims[claim] = self.options[setting]
        return jwt.encode(claims, self.options["client_secret"], algorithm="HS256")

    def attempt(self, request: Request) -> Answer:
        """As everywhere, but a refused token is minted anew once, by Kore.ai's clock if ours is wrong."""
        answer = super().attempt(request)
        if answer.status != 401 or self.is_throttled(answer, self.complaint(answer)):
            return answer
        self.clock_ahead = clock_ahead(answer)
        if self.before_call:
            self.before_call()
        try:
            return replace(super().attempt(request), attempts=2)
        except VendorError as error:
            error.attempts += 1
            raise

    def refused_credentials(self, answer: Answer) -> str:
        if answer.status == 401 and self.clock_ahead:
            return (
                f"Kore.ai refused the token (HTTP 401). {self.clock_sentence()} Correct the clock; if that does not "
                f"help, check the client id and secret."
            )
        return (
            f"Kore.ai refused the token (HTTP {answer.status}). Check client id, client secret, app id and account id, "
            f"that the JWT app has the scopes Campaign Management and Configuration, and that the app was published "
            f"after they were given."
        )

    def clock_sentence(self) -> str:
        if not self.clock_ahead:
            return ""
        side = "ahead of" if self.clock_ahead > 0 else "behind"
        return f"This machine's clock is {abs(round(self.clock_ahead))} seconds {side} Kore.ai's."

    # What an answer means

    def judge(self, answer: Answer, request: Request) -> None:
        super().judge(answer, request)
        if not self._is_refusal(answer):
            return
        message = f"Kore.ai answered HTTP {answer.status} and yet named an error."
        complaint = self.complaint(answer)
        told = self.told(answer, complaint)
        if request.reads:
            raise RequestRefused(message + self.words(complaint), **told)
        raise OutcomeUnknown(message + " Whether anything was applied is not known." + self.words(complaint), **told)

    @staticmethod
    def _is_refusal(answer: Answer) -> bool:
        """A refusal may come under a 2xx as well."""
        if not re.search(rb'"(?:errors?|fail(?:ed|ure)?)"', answer.body[:2000]):
            return False
        try:
            reply = answer.json()
        except UnreadableReply:
            return False
        return isinstance(reply, dict) and bool(
            reply.get("errors") or reply.get("error") or reply.get("status") in ("error", "fail", "failed", "failure")
        )

    def complaint(self, answer: Answer) -> Complaint:
        try:
            reply = answer.json()
        except UnreadableReply:
            return Complaint(answer.text(300))  # perhaps a gateway's page
        if not isinstance(reply, dict):
            return Complaint()
        errors = reply.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else errors
        if isinstance(first, dict):
            return Complaint(str(first.get("msg") or first.get("message") or first), str(first.get("code") or ""))
        error = reply.get("error")
        if isinstance(error, dict):
            return Complaint(str(error.get("message") or error.get("msg") or error), str(error.get("code") or ""))
        return Complaint(str(first or reply.get("message") or error or ""))

    def is_throttled(self, answer: Answer, complaint: Complaint) -> bool:
        return super().is_throttled(answer, complaint) or bool(_RATE_WORDS.search(complaint.message))

    def wait(self, answer: Answer) -> float:
        return super().wait(answer) or THROTTLE_WAIT

    def refusal(self, answer: Answer, request: Request, message: str, told: Told) -> RequestRefused:
        too_large = answer.status == 413 or (
            answer.status in (400, 412) and bool(_SIZE_WORDS.search(self.complaint(answer).message))
        )
        return RequestRefused(message, too_large=too_large, **told)

    # Lists

    def check(self) -> str:
        found = len(self.all_lists())
        return (
            f"Connected: Kore.ai shows {found} contact list{'' if found == 1 else 's'}. {self.clock_sentence()}".strip()
        )

    def all_lists(self) -> list[dict[str, Any]]:
        """Every list of the application; the call has no pages. POST by the page's table, GET by its sample."""
        path = f"{self.lists_path}/getAllListDetails"
        if not self._lists_by_get:
            try:
                answer = self.call(Request("find_lists", "POST", path, json={}, params={"type": "call"}, reads=True))
                return self._objects(answer)
            except (RequestRefused, VendorNotConfigured) as error:
                if error.status not in (404, 405):
                    raise
        answer = self.call(Request("find_lists", "GET", path, params={"type": "call"}, reads=True))
        self._lists_by_get = True
        return self._objects(answer)

    def find_lists(self, name: str) -> list[RemoteListInfo]:
        return [self._info(told) for told in self.all_lists() if told.get("name") == name]

    def create_list(self, new_list: NewList) -> RemoteListInfo:
        body = {
            "name": new_list.name,
            "description": new_list.description,
            "source": "passiveApi",
            "allowDuplicates": new_list.allow_duplicates,
        }
        answer = self.call(Request("create_list", "POST", f"{self.lists_path}/createContactList", json=body))
        told = self._object(answer)
        if not told.get("_id"):
            raise self.unreadable(answer, "without the id of the new list")
        if told.get("name", new_list.name) != new_list.name:
            raise self.unreadable(answer, "with another list than the one that was to be created")
        if bool(told.get("allowDuplicates", new_list.allow_duplicates)) != new_list.allow_duplicates:
            raise RequestRefused(
                "Kore.ai created the list with the opposite of our setting about duplicates. Delete it in Kore.ai or "
                "change the setting of the list here, then try again.",
                status=answer.status,
                excerpt=self.masked(answer),
            )
        info = self._info(told)
        if info.problem:
            raise RequestRefused(
                f"Kore.ai created the list differently: {info.problem}",
                status=answer.status,
                excerpt=self.masked(answer),
            )
        return info

    def list_info(self, remote: RemoteListInfo) -> RemoteListInfo:
        return self._info(self._object(self.call(self._on_list("list_info", "GET", remote, reads=True))))

    def update_list(self, remote: RemoteListInfo, new_list: NewList) -> RemoteListInfo:
        body = {
            "name": new_list.name,
            "description": new_list.description,
            "allowDuplicates": new_list.allow_duplicates,
        }
        self.call(self._on_list("update_list", "PUT", remote, json=body))
        return replace(remote, name=new_list.name)

    def delete_list(self, remote: RemoteListInfo) -> None:
        try:
            self.call(self._on_list("delete_list", "DELETE", remote))
        except ListGone:
            return

    def read_members(self, remote: RemoteListInfo, start: int = 0) -> Iterator[list[Member]]:
        def page(skip: int) -> tuple[list[Member], bool | None]:
            answer = self.call(self._on_list("read_members", "GET", remote, "/getAllContacts", skip=skip, reads=True))
            data = self._object(answer)
            results = data.get("results")
            if not isinstance(results, list):
                raise self.unreadable(answer, "without the contacts of the list")
            more = data.get("hasMore")
            return [self._member(entry) for entry in results if isinstance(entry, dict)], (
                more if isinstance(more, bool) else None
            )

        yield from self.walk(page, start)

    def find_contacts(self, records: Sequence[ContactRecord], since: datetime | None = None) -> LookUp:
        """Looked for in the address book, whose order is not documented; at most `BOOK_PAGES` pages are read."""
        wanted = {digits(record.phone): record.key for record in records}
        found: dict[str, str] = {}
        complete = False
        skip = 0
        for _ in range(BOOK_PAGES):
            params = {"skip": str(skip), "limit": str(BOOK_PAGE)}
            answer = self.call(
                Request("find_contacts", "GET", f"{self.service_path}/contacts", params=params, reads=True)
            )
            reply = answer.json()
            reply = reply.get("data", reply) if isinstance(reply, dict) else reply
            contacts = reply.get("results") if isinstance(reply, dict) else None
            if not isinstance(contacts, list):
                raise self.unreadable(answer, "without the contacts of the address book")
            for contact in contacts:
                # a deleted contact stays in the book as an inactive one
                if isinstance(contact, dict) and contact.get("status") != "INACTIVE":
                    for number in numbers_of(contact):
                        if number in wanted:
                            found[wanted[number]] = str(contact.get("id") or contact.get("_id") or "")
            skip += len(contacts)
            complete = not contacts or reply.get("hasMore") is False or len(found) == len(wanted)
            if complete or not reply.get("hasMore"):
                break
        return LookUp(found, complete)

    # Pieces

    def _on_list(
        self,
        operation: str,
        method: str,
        remote: RemoteListInfo,
        below: str = "",
        skip: int | None = None,
        **kwargs: Any,
    ) -> Request:
        params = {"accountId": self.options["account_id"]}
        if skip is not None:
            params |= {"skip": str(skip), "limit": str(MEMBER_PAGE)}
        path = f"{self.lists_path}/{segment(remote.remote_id)}{below}"
        return Request(operation, method, path, params=params, on_list=True, **kwargs)

    def _object(self, answer: Answer) -> dict[str, Any]:
        reply = answer.json()
        data = reply.get("data", reply) if isinstance(reply, dict) else None
        if isinstance(data, list) and len(data) == 1:
            data = data[0]
        if not isinstance(data, dict):
            raise self.unreadable(answer, "something else than was promised")
        return data

    def _objects(self, answer: Answer) -> list[dict[str, Any]]:
        reply = answer.json()
        data = reply.get("data") if isinstance(reply, dict) else reply
        if not isinstance(data, list):
            raise self.unreadable(answer, "something else than its lists")
        return [told for told in data if isinstance(told, dict)]

    @staticmethod
    def _info(told: dict[str, Any]) -> RemoteListInfo:
        source = told.get("source") or API_SOURCES[0]
        return RemoteListInfo(
            remote_id=str(told.get("_id") or ""),
            name=str(told.get("name") or ""),
            count=list_count(told.get("totalRecordCount")),
            in_use=bool(told.get("isListInUse") or told.get("campaignInUse")),
            problem=""
            if source in API_SOURCES
            else f"it is filled from “{source}” in Kore.ai, and only a list made for the API takes contacts.",
        )

    @staticmethod
    def _member(entry: dict[str, Any]) -> Member:
        phone = str(entry.get("phoneNumber") or "")
        return Member(str(entry.get("_id") or phone), phone)

    def _prefix(self, setting: str) -> str:
        prefix = "/" + self.options[setting].strip("/")
        if problem := http.judge_base_url(f"{self.default_base_url}{prefix}", self.label, self.hosts):
            raise VendorNotConfigured(problem)
        return prefix


def clock_ahead(answer: Answer) -> float:
    """Seconds our clock is ahead of the vendor's; 0 when they agree or the answer does not tell."""
    theirs = http_date(answer.headers.get("Date", ""))
    if theirs is None:
        return 0.0
    apart = (datetime.now(UTC) - theirs).total_seconds()
    return apart if abs(apart) >= CLOCKS_APART else 0.0
