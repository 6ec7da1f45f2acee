"""Exotel Campaigns: contacts are created first, then put on a list by their SIDs; every bulk call answers item by item.

Source: developer.exotel.com, "Add contacts to a list", "Create contacts", "Campaign lists", "Add contacts via CSV",
"HTTP status codes", "Rate limiting". The published sample of the add call is not valid JSON and counts wrongly: items
are read tolerantly and the counts beside them serve as a warning only. Salutations and time zones have no field there.
"""

from __future__ import annotations

import csv
import io
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, NamedTuple

from . import masking
from .base import Complaint, HttpVendor, Limits, Operation, Setting, list_count, pace_settings, segment, whole_number
from .errors import ListGone, NameTaken, NotSent, RequestRefused, UnreadableReply, VendorBusy
from .records import (
    ID_SLOT,
    Answer,
    BatchReading,
    ContactRecord,
    LookUp,
    Member,
    NewList,
    Outcome,
    PushResult,
    RemoteListInfo,
    Request,
    digits,
)

REGIONS = {"singapore": "https://api.exotel.com", "mumbai": "https://api.in.exotel.com"}
PAGE = 20  # Exotel shows no more at once
NEWEST_PAGES = 50  # how far the newest contacts are searched
CSV_COLUMNS = ("number", "first_name", "last_name", "company_name", "email", "tag")
CSV_POLL = (15.0, 30.0, 60.0)  # seconds before each look at an upload; the last one repeats
CSV_CEILING = 1800.0  # seconds after which an upload that is not finished counts as unconfirmed

_ALREADY = re.compile(r"\balready\b|\bduplicate\b", re.IGNORECASE)
_FRACTION = re.compile(r"\.(\d{6})\d+")


# Items of a bulk answer


class Item(NamedTuple):
    """One entry of `response`, wrapped in code, status and data or bare.

    ok  True or False where the item says so itself; None for a bare one, which is good if it names what was sent
    """

    code: int | None
    ok: bool | None
    data: dict[str, Any]
    words: str
    error_code: str

    @property
    def sid(self) -> str:
        return str(self.data.get("sid") or self.data.get("contact_sid") or "")


def read_item(entry: Any) -> Item:
    told = _lower(entry)
    if told.get("code") == 200 and told.get("status") == "success" and not told.get("error_data") and "data" in told:
        return Item(200, True, _lower(told["data"]), "", "200")  # nearly all of them
    error = _lower(told.get("error_data"))
    wrapped = "data" in told or "error_data" in told or "code" in told or "status" in told
    data = _lower(told.get("data")) if wrapped else told
    code = whole_number(told.get("code")) if wrapped else None
    ok: bool | None = None
    if wrapped:
        failed = str(told.get("status") or "").lower() in ("failure", "failed", "error") or bool(error)
        ok = not failed and (code is None or 200 <= code < 300)
    texts = (error.get("message"), error.get("description"), told.get("message"))
    words = ": ".join(dict.fromkeys(str(text) for text in texts if text))
    return Item(code, ok, data, words and masking.sentence(words), str(error.get("code") or code or ""))


def _lower(value: Any) -> dict[str, Any]:
    """An object with its keys in lower case (`Sid` is seen beside `sid`); empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return value if "".join(value).islower() else {name.lower(): inner for name, inner in value.items()}


def read_usual(response: list[Any], records: Sequence[ContactRecord], sent: str, echo: str) -> list[PushResult] | None:
    """The results of an answer that says plainly, in order, that all went well, as nearly all do; None for any other.

    sent  the field of a record that its item repeats under the name `echo`
    """
    if len(response) != len(records):
        return None
    results = []
    names = set()
    for record, entry in zip(records, response, strict=True):
        try:
            data, name = entry["data"], getattr(record, sent)
            plain = entry["code"] == 200 and entry["status"] == "success" and not entry["error_data"]
            if not (plain and name and data[echo] == name and data["sid"]):
                return None
            results.append(PushResult(record.key, Outcome.ADDED, "", "", str(data["sid"])))
        except (KeyError, TypeError):
            return None
        names.add(name)
    return results if len(names) == len(records) else None


def read_items(
    answer: Answer,
    records: Sequence[ContactRecord],
    usual: tuple[str, str],
    names: Callable[[ContactRecord], tuple[str, ...]],
    named: Callable[[Item], tuple[str, ...]],
) -> BatchReading:
    """One result per record, taken from the item that names it.

    usual  as `read_usual` wants it
    names  by what a record may be named in an answer; named: what an item names. Best first; they meet when equal.

    An item that names nothing (a failure has no data) belongs to the record of its position, provided there are as many
    items as records and those that do name one stand at their own. Otherwise nameless failures are believed only where
    all of them say the same about exactly the records left over. The rest is UNKNOWN.
    """
    reply = answer.json()
    response = reply.get("response") if isinstance(reply, dict) else None
    if not isinstance(response, list):
        raise UnreadableReply("Exotel answered without its items.", status=answer.status)
    if results := read_usual(response, records, *usual):
        return BatchReading(results, warnings=tuple(_wrong_counts(reply, len(results), len(results))))
    items = [read_item(entry) for entry in response]
    owners: dict[str, int | None] = {}
    for index, record in enumerate(records):
        for name in names(record):
            # a name that fits two records names neither
            owners[name] = None if owners.get(name, index) != index else index
    verdicts: dict[int, Item] = {}
    disputed: set[int] = set()  # told twice, and differently
    nameless: list[tuple[int, Item]] = []
    in_place, strangers, repeated = True, 0, 0
    for position, item in enumerate(items):
        known = named(item)
        owner = next((owners[name] for name in known if owners.get(name) is not None), None)
        if owner is not None:
            in_place = in_place and owner == position
            repeated += owner in verdicts
            if verdicts.setdefault(owner, item).ok != item.ok:
                disputed.add(owner)
        elif known and item.ok is not False:
            strangers += 1
            in_place = False
        else:
            nameless.append((position, item))
    left = [index for index in range(len(records)) if index not in verdicts]
    if len(items) == len(records) and in_place:
        verdicts.update((position, item) for position, item in nameless if position not in verdicts)
    elif left and len(left) == len(nameless):
        said = {(item.ok, item.code, item.words) for _, item in nameless}
        if len(said) == 1 and nameless[0][1].ok is False:
            verdicts.update((index, nameless[0][1]) for index in left)
    for index in disputed:
        del verdicts[index]
    warnings = []
    if strangers:
        warnings.append(f"Exotel answered about {strangers} contacts that were not sent.")
    if repeated:
        warnings.append(f"Exotel answered {repeated} times more than once about the same contact.")
    results = [read_verdict(record.key, verdicts.get(index)) for index, record in enumerate(records)]
    if missing := sum(index not in verdicts for index in range(len(records))):
        warnings.append(f"Exotel's answer does not say what became of {missing} of {len(records)} contacts.")
    warnings.extend(_wrong_counts(reply, len(items), sum(item.ok is not False for item in items)))
    return BatchReading(results, warnings=tuple(warnings))


def read_verdict(key: str, item: Item | None) -> PushResult:
    if item is None:
        return PushResult(key, Outcome.UNKNOWN, message="Exotel's answer does not say what became of this contact.")
    if item.ok:
        return PushResult(key, Outcome.ADDED, remote_id=item.sid)
    if item.ok is None:
        # bare: good as far as it names a SID, worth nothing otherwise
        return PushResult(key, Outcome.ADDED if item.sid else Outcome.UNKNOWN, remote_id=item.sid)
    if item.code == 409 or _ALREADY.search(item.words):
        return PushResult(key, Outcome.ALREADY_PRESENT, item.error_code, item.words, item.sid)
    if item.code is not None and item.code >= 500:
        return PushResult(key, Outcome.UNKNOWN, item.error_code, item.words, again=True)
    return PushResult(key, Outcome.REJECTED, item.error_code, item.words, again=item.code == 429)


def _wrong_counts(reply: dict[str, Any], total: int, good: int) -> list[str]:
    told = reply.get("metadata")
    if not isinstance(told, dict):
        return []
    true = {"total": total, "success": good, "failed": total - good}
    wrong = {name: whole_number(told[name]) for name in true if name in told and whole_number(told[name]) != true[name]}
    if not wrong:
        return []
    counted = ", ".join(f"{name} {true[name]}" for name in wrong)
    claimed = ", ".join(f"{name} {number}" for name, number in wrong.items())
    return [f"Exotel's summary ({claimed}) does not fit its items ({counted}); the items count."]


# Contacts


def contact_entry(record: ContactRecord) -> dict[str, str]:
    entry = {
        "number": record.phone,
        "first_name": record.first_name,
        "last_name": record.last_name,
        "company_name": record.company,
        "email": record.email,
        "tag": record.tag,
    }
    return {name: value for name, value in entry.items() if value}


def create_contacts(vendor: Exotel, _target: RemoteListInfo | None, entries: list[Any]) -> Request:
    return Request("create_contacts", "POST", f"{vendor.account_path}/contacts", json={"contacts": entries})


def read_created(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    """The SIDs, found by number.

    A number that exists is ALREADY_PRESENT, with its SID where Exotel tells it. Created without a SID is UNKNOWN.
    """
    reading = read_items(
        answer,
        records,
        ("phone", "number"),
        lambda record: _spellings(record.phone),
        lambda item: _number_in(item.data),
    )
    results = [
        result._replace(outcome=Outcome.UNKNOWN, message="Exotel created this contact without telling its SID.")
        if result.outcome is Outcome.ADDED and not result.remote_id
        else result
        for result in reading.results
    ]
    return replace(reading, results=results)


def _spellings(phone: str) -> tuple[str, ...]:
    """A number's digits, and its last ten for an answer in national spelling."""
    number = digits(phone)
    return (number, f"…{number[-10:]}") if len(number) >= 10 else (number,) if number else ()


def _number_in(data: dict[str, Any]) -> tuple[str, ...]:
    return _spellings(str(data.get("number") or ""))


CREATE_CONTACTS = Operation(
    name="create_contacts",
    label="Create the contacts",
    batch=5000,
    default_batch=500,
    repeat_is_harmless=False,
    gives_ids=True,
    resolves=True,
    carries=("phone", "first_name", "last_name", "company", "email", "tag"),
    entry=contact_entry,
    request=create_contacts,
    read=read_created,
)


# Members of a list


def member_entry(record: ContactRecord) -> dict[str, str]:
    return {"contact_sid": record.remote_id or ID_SLOT}


def add_to_list(vendor: Exotel, target: RemoteListInfo | None, entries: list[Any]) -> Request:
    if target is None:
        raise ValueError("Adding contacts needs the list they go into.")
    path = f"{vendor.account_path}/lists/{segment(target.remote_id)}/contacts"
    return Request("add_to_list", "POST", path, json={"contact_references": entries}, on_list=True)


def read_added(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    return read_items(
        answer,
        records,
        ("remote_id", "sid"),
        lambda record: (record.remote_id.lower(),) if record.remote_id else (),
        lambda item: (item.sid.lower(),) if item.sid else (),
    )


ADD_TO_LIST = Operation(
    name="add_to_list",
    label="Put the contacts on the list",
    batch=5000,
    default_batch=500,  # though 5,000 are taken: 5,000 entries cost 250 requests to read back
    repeat_is_harmless=False,
    needs=("remote_list", "remote_id"),
    entry=member_entry,
    request=add_to_list,
    read=read_added,
)


# Contacts as a file


@dataclass(frozen=True, slots=True)
class CsvUpload:
    upload_id: str
    list_sid: str


@dataclass(frozen=True, slots=True)
class CsvStatus:
    """How far an upload is. Numbers that were in the list already are duplicates, and a success too."""

    state: str
    total: int | None = None
    success: int | None = None
    duplicate: int | None = None
    failed: int | None = None

    @property
    def is_finished(self) -> bool:
        """Words we do not know mean that it is still running."""
        return self.state in ("completed", "failed")


class Exotel(HttpVendor):
    key = "exotel"
    label = "Exotel"
    hosts = ("api.exotel.com", "api.in.exotel.com")
    default_base_url = REGIONS["singapore"]
    limits = Limits(
        batch=500,
        per_minute=25,  # 30 for campaigns by one page, 200 by another
        page=PAGE,
        list_size=100_000,  # of a static list
    )
    settings = (
        Setting(
            "region",
            "Region",
            "Fixed when the account was opened; the other one refuses its credentials.",
            "singapore",
            kind="choice",
            choices=(("singapore", "Singapore"), ("mumbai", "Mumbai")),
        ),
        Setting("base_url", "Base URL", "Goes before the region.", advanced=True),
        Setting("account_sid", "Account SID", required=True),
        Setting("api_key", "API key", secret=True, required=True),
        Setting("api_token", "API token", secret=True, required=True),
        *pace_settings(limits, "Exotel takes 30 on its usual accounts."),
    )
    operations = {"list": (CREATE_CONTACTS, ADD_TO_LIST)}
    can = frozenset({"update_list", "delete_list", "remove_member", "read_members", "find_contacts"})
    throttles_with_503 = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account_path = f"/v2/accounts/{segment(self.options['account_sid'])}"
        basic = b64encode(f"{self.options['api_key']}:{self.options['api_token']}".encode()).decode()
        self._authorization = f"Basic {basic}"
        self._secrets += (basic,)

    def choose_base_url(self) -> str:
        return self.options["base_url"] or REGIONS.get(self.options["region"], self.default_base_url)

    def account(self) -> tuple[str, ...]:
        return (self.options["account_sid"],)

    def headers(self, request: Request) -> dict[str, str]:
        return {"Authorization": self._authorization}

    # What an answer means

    def judge(self, answer: Answer, request: Request) -> None:
        # when all items fail the whole answer may be a 400 or the like; the items say more than the status
        if answer.status in (400, 409, 412, 422) and self._has_items(answer, request):
            return
        super().judge(answer, request)

    @staticmethod
    def _has_items(answer: Answer, request: Request) -> bool:
        if not isinstance(request.json, dict) or b'"response"' not in answer.body:
            return False
        sent = next((value for value in request.json.values() if isinstance(value, list)), [])
        try:
            reply = answer.json()
        except UnreadableReply:
            return False
        response = reply.get("response") if isinstance(reply, dict) else None
        return (
            isinstance(response, list)
            and len(response) == len(sent)
            and all(isinstance(entry, dict) and ("code" in entry or "status" in entry) for entry in response)
        )

    def complaint(self, answer: Answer) -> Complaint:
        """Both envelopes, and the third place where a text is seen."""
        try:
            reply = answer.json()
        except UnreadableReply:
            return Complaint(answer.text(300))
        if not isinstance(reply, dict):
            return Complaint()
        request_id = str(reply.get("request_id") or "")
        older = _lower(reply.get("RestException"))
        if older:
            return Complaint(str(older.get("message") or ""), str(older.get("code") or ""), request_id)
        response = reply.get("response")
        first = response[0] if isinstance(response, list) and response else response
        item = read_item(first)
        return Complaint(item.words, item.error_code, request_id)

    def refused_credentials(self, answer: Answer) -> str:
        if answer.status == 401:
            return "Exotel refused key or token (HTTP 401). Check both, the account SID, and the region of the account."
        return super().refused_credentials(answer)

    # Lists

    def check(self) -> str:
        self.call(self._reading("find_lists", "/lists", limit="1", offset="0"))
        return "Connected: Exotel took the credentials and showed its lists."

    def find_lists(self, name: str) -> list[RemoteListInfo]:
        """The name filter may be partial, so only exact matches are kept."""
        found: list[RemoteListInfo] = []
        seen: set[str] = set()
        offset = 0
        while True:
            answer = self.call(self._reading("find_lists", "/lists", name=name, limit=str(PAGE), offset=str(offset)))
            page = self._objects(answer)
            fresh = [info for info in map(_info, page) if info.remote_id not in seen]
            found += [info for info in fresh if info.name == name]
            seen.update(info.remote_id for info in fresh)
            offset += len(page)
            if not fresh or len(page) < PAGE:
                return found

    def create_list(self, new_list: NewList) -> RemoteListInfo:
        request = Request(
            "create_list", "POST", f"{self.account_path}/lists", json={"lists": [{"name": new_list.name}]}
        )
        answer = self.call(request)
        reply = answer.json()
        response = reply.get("response") if isinstance(reply, dict) else None
        entries = response if isinstance(response, list) else [response]
        if len(entries) != 1 or not isinstance(entries[0], dict):
            raise self.unreadable(answer, "without the new list")
        item = read_item(entries[0])
        if item.ok is False:
            told = self.told(answer, Complaint(item.words, item.error_code, str(reply.get("request_id") or "")))
            said = f" It said: {item.words}" if item.words else ""
            if item.code == 409 or _ALREADY.search(item.words):
                found = self.find_lists(new_list.name)
                raise NameTaken(f"Exotel has a list named “{new_list.name}” already.{said}", found=found, **told)
            if item.code is not None and item.code >= 500:
                self.not_known(f"Exotel met a fault of its own (item {item.code}).{said}", request, told)
            raise RequestRefused(f"Exotel refused to create the list.{said}", **told)
        info = _info(item.data)
        if not info.remote_id or info.name not in ("", new_list.name):
            raise self.unreadable(answer, "without the SID of the new list")
        return info

    def list_info(self, remote: RemoteListInfo) -> RemoteListInfo:
        answer = self.call(self._reading("list_info", f"/lists/{segment(remote.remote_id)}", on_list=True))
        objects = self._objects(answer)
        if len(objects) != 1 or not _info(objects[0]).remote_id:
            raise self.unreadable(answer, "without the list")
        return _info(objects[0])

    def update_list(self, remote: RemoteListInfo, new_list: NewList) -> RemoteListInfo:
        path = f"{self.account_path}/lists/{segment(remote.remote_id)}"
        self.call(Request("update_list", "PUT", path, json={"name": new_list.name}, on_list=True))
        return RemoteListInfo(remote.remote_id, new_list.name, remote.count, remote.in_use)

    def delete_list(self, remote: RemoteListInfo) -> None:
        try:
            path = f"{self.account_path}/lists/{segment(remote.remote_id)}"
            self.call(Request("delete_list", "DELETE", path, on_list=True))
        except ListGone:
            return

    def remove_member(self, remote: RemoteListInfo, remote_id: str) -> None:
        """A 404 may mean the list or the contact; either way the contact is not on it."""
        path = f"{self.account_path}/lists/{segment(remote.remote_id)}/contacts/{segment(remote_id)}"
        try:
            self.call(Request("remove_member", "DELETE", path, on_list=True))
        except ListGone:
            return

    def read_members(self, remote: RemoteListInfo, start: int = 0) -> Iterator[list[Member]]:
        path = f"/lists/{segment(remote.remote_id)}/contacts"

        def page(offset: int) -> tuple[list[Member], bool | None]:
            params = {"offset": str(offset), "limit": str(PAGE)}
            answer = self.call(self._reading("read_members", path, on_list=True, **params))
            found = self._objects(answer)
            members = [Member(str(told.get("sid") or ""), str(told.get("number") or "")) for told in found]
            # totals cannot be trusted, and pages may be shorter than asked for: only an empty one surely is the end
            return members, None if members else False

        yield from self.walk(page, start)

    def find_contacts(self, records: Sequence[ContactRecord], since: datetime | None = None) -> LookUp:
        """There is no look-up by number: the newest contacts are paged, at most `NEWEST_PAGES` more than needed."""
        wanted = {name: record.key for record in records for name in _spellings(record.phone)[:1]}
        found: dict[str, str] = {}
        complete = False
        seen: set[str] = set()
        offset = 0
        for _ in range(NEWEST_PAGES + 2 * len(records) // PAGE):
            answer = self.call(
                self._reading(
                    "find_contacts", "/contacts", sort_by="date_created:desc", limit=str(PAGE), offset=str(offset)
                )
            )
            page = self._objects(answer)
            fresh = [contact for contact in page if str(contact.get("sid") or "") not in seen]
            for contact in fresh:
                key = wanted.get(digits(str(contact.get("number") or "")))
                if key is not None:
                    found.setdefault(key, str(contact.get("sid") or ""))
            seen.update(str(contact.get("sid") or "") for contact in fresh)
            offset += len(page)
            complete = not page or len(found) == len(records) or _all_older(page, since)
            if complete or not fresh:
                break
        return LookUp(found, complete)

    # Contacts as a file

    def upload_csv(self, list_name: str, records: Sequence[ContactRecord]) -> CsvUpload:
        """Create the list or add to the one of that name; queued. Repeating is safe: a number is only taken once."""
        file = io.StringIO(newline="")
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows((r.phone, r.first_name, r.last_name, r.company, r.email, r.tag) for r in records)
        answer = self.call(
            Request(
                "upload_csv",
                "POST",
                f"{self.account_path}/contacts/csv-upload",
                csv=file.getvalue(),
                csv_field="file_name",
                form={"list_name": list_name, "type": "static"},
            )
        )
        data = self._csv_data(answer)
        summary, made = _lower(data.get("summary")), _lower(data.get("list"))
        upload_id = summary.get("upload_id") or data.get("upload_id")
        list_sid = summary.get("list_sid") or data.get("list_sid") or made.get("sid")
        if not upload_id:
            raise self.unreadable(answer, "without the id of the upload")
        return CsvUpload(str(upload_id), str(list_sid or ""))

    def follow_csv(
        self, upload: CsvUpload, *, gaps: Sequence[float] = CSV_POLL, ceiling: float = CSV_CEILING
    ) -> Iterator[CsvStatus]:
        """Every look at an upload until it is finished; one that is not at the last look is unconfirmed, not failed.

        gaps     seconds before each look, the last one repeating; a busy Exotel is given the time it asks for
        ceiling  seconds after which the last look is taken

        Raises VendorError; where Exotel is busy or out of reach only if it still is at the last look.
        """
        end = time.monotonic() + ceiling
        asked = 0.0
        for gap in chain(gaps, repeat(gaps[-1])):
            left = max(end - time.monotonic(), 0.0)
            wait = max(gap, asked)
            time.sleep(min(wait, left))
            try:
                status = self.csv_status(upload.upload_id)
            except (NotSent, VendorBusy) as error:
                if wait >= left:
                    raise
                asked = getattr(error, "retry_after", None) or 0.0
                continue
            asked = 0.0
            yield status
            if status.is_finished or wait >= left:
                return

    def csv_status(self, upload_id: str) -> CsvStatus:
        data = self._csv_data(self.call(self._reading("csv_status", f"/csv-status/{segment(upload_id)}")))
        stats = _lower(data.get("stats"))

        def number(name: str, flat: str) -> int | None:
            return whole_number(stats.get(name, data.get(flat)))

        return CsvStatus(
            state=str(data.get("status") or "").lower(),
            total=number("total", "total_records"),
            success=number("success", "success_count"),
            duplicate=number("duplicate", "duplicate_count"),
            failed=number("failed", "failure_count"),
        )

    # Pieces

    def _reading(self, operation: str, path: str, *, on_list: bool = False, **params: str) -> Request:
        return Request(
            operation, "GET", f"{self.account_path}{path}", params=params or None, reads=True, on_list=on_list
        )

    def _objects(self, answer: Answer) -> list[dict[str, Any]]:
        """The objects of a read, one or many, wrapped or bare, keys in lower case."""
        reply = answer.json()
        response = reply.get("response") if isinstance(reply, dict) else None
        if isinstance(response, dict):
            response = [response]
        if not isinstance(response, list):
            raise self.unreadable(answer, "without what was asked for")
        objects: list[dict[str, Any]] = []
        for item in map(read_item, response):
            inner = item.data
            if item.ok is False:
                raise self.unreadable(answer, f"with a failure inside ({item.words or item.code})")
            objects.append(inner)
        return [told for told in objects if told]

    def _csv_data(self, answer: Answer) -> dict[str, Any]:
        objects = self._objects(answer)
        if not objects:
            raise self.unreadable(answer, "without data about the upload")
        return objects[0]


def _info(told: dict[str, Any]) -> RemoteListInfo:
    told = _lower(told)
    counts = (list_count(told.get(name)) for name in ("contact_count", "contacts_count", "total_contacts", "count"))
    return RemoteListInfo(
        str(told.get("sid") or ""),
        str(told.get("name") or told.get("list_name") or ""),
        next((count for count in counts if count is not None), None),
    )


def _all_older(page: list[dict[str, Any]], since: datetime | None) -> bool:
    """Whether a page, read newest first, lies before `since`, and so all further ones do. False when not so sorted."""
    moments = [moment for moment in (_moment(contact.get("date_created")) for contact in page) if moment]
    if since is None or not moments or moments != sorted(moments, reverse=True):
        return False
    return moments[0] < since - timedelta(minutes=10) and moments[0] > moments[-1]


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r".\1", str(text or "")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
