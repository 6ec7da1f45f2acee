"""LeadLex: contacts are created first, then put on a list by their ids.

Source: docs.leadlex.com, "Add Contacts to List", "Lists", "Contacts", "Authentication". Salutations and time zones
have no field there and stay here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from . import masking
from .base import (
    DAY,
    Complaint,
    HttpVendor,
    Limits,
    Operation,
    Setting,
    http_date,
    list_count,
    pace_settings,
    retry_after,
    segment,
    whole_number,
)
from .errors import ListGone, NameTaken, RequestRefused, Told, UnreadableReply
from .records import (
    ID_SLOT,
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

PAGE = 100
SEARCHES = 50  # at most this many contacts are looked for one by one: each costs a request of a small daily quota
NEWEST_PAGES = 20
MINUTE = 60.0


# Contacts


def name_of(record: ContactRecord) -> str:
    """LeadLex demands a name of everyone. Who has none goes by company, e-mail address or, at last, number."""
    return record.full_name or record.company or record.email or record.phone


def contact_entry(record: ContactRecord) -> dict[str, Any]:
    entry = {
        "full_name": name_of(record),
        "first_name": record.first_name,
        "last_name": record.last_name,
        "email": record.email,
        "phone": record.phone,
        "company": record.company,
        "tags": [record.tag] if record.tag else [],
    }
    return {name: value for name, value in entry.items() if value}


def create_contacts(_vendor: LeadLex, _target: RemoteListInfo | None, entries: list[Any]) -> Request:
    return Request("create_contacts", "POST", "/v1/contacts/bulk", json={"contacts": entries})


def read_created(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    """The ids, by position where name and e-mail address agree, otherwise by a pair of both that occurs only once.

    What fits neither way is UNKNOWN, never guessed: a wrong id would put the wrong person on a list.
    """
    data = _data(answer)
    created = data.get("contacts")
    if not isinstance(created, list):
        raise UnreadableReply("LeadLex answered without the created contacts.", status=answer.status)
    warnings = []
    if data.get("created", len(created)) != len(created):
        warnings.append(f"LeadLex counts {data['created']} contacts as created and names {len(created)}.")
    if len(created) == len(records):
        pairs: list[Any] = list(created)
    else:
        warnings.append(
            f"LeadLex names {len(created)} of {len(records)} contacts; they were matched by name and e-mail."
        )
        ours, theirs = Counter(map(_person, records)), Counter(map(_stranger, created))
        by_person = {_stranger(contact): contact for contact in created if theirs[_stranger(contact)] == 1}
        pairs = [by_person.get(_person(record)) if ours[_person(record)] == 1 else None for record in records]
    results = []
    owners: dict[str, str] = {}
    for record, contact in zip(records, pairs, strict=True):
        remote_id = str(contact.get("id") or "") if isinstance(contact, dict) else ""
        if not remote_id or not _is_same(record, contact):
            results.append(PushResult(record.key, Outcome.UNKNOWN, message="LeadLex did not name this contact."))
        elif remote_id in owners:
            results.append(
                PushResult(
                    record.key,
                    Outcome.REJECTED,
                    "same_contact",
                    "LeadLex takes this contact for another one of the same batch, by its e-mail address.",
                )
            )
        else:
            owners[remote_id] = record.key
            results.append(PushResult(record.key, Outcome.ADDED, remote_id=remote_id))
    return BatchReading(results, warnings=tuple(warnings))


def _person(record: ContactRecord) -> tuple[str, str]:
    return _plain(name_of(record)), _plain(record.email)


def _stranger(contact: Any) -> tuple[str, str]:
    if not isinstance(contact, dict):
        return "", ""
    return _plain(contact.get("full_name")), _plain(contact.get("email"))


def _is_same(record: ContactRecord, contact: dict[str, Any]) -> bool:
    """Name and address agree, as far as the answer tells them."""
    if contact.get("full_name") == name_of(record) and (contact.get("email") or "") == record.email:
        return True  # nearly all of them
    name, email = _stranger(contact)
    our_name, our_email = _person(record)
    return (name or email) != "" and name in ("", our_name) and email in ("", our_email)


def _plain(text: Any) -> str:
    return " ".join(str(text or "").split()).casefold()


CREATE_CONTACTS = Operation(
    name="create_contacts",
    label="Create the contacts",
    batch=500,
    default_batch=500,
    repeat_is_harmless=False,
    gives_ids=True,
    resolves=True,
    carries=("phone", "first_name", "last_name", "email", "company", "tag"),
    entry=contact_entry,
    request=create_contacts,
    read=read_created,
)


# Members of a list


def member_entry(record: ContactRecord) -> str:
    return record.remote_id or ID_SLOT


def add_to_list(_vendor: LeadLex, target: RemoteListInfo | None, entries: list[Any]) -> Request:
    if target is None:
        raise ValueError("Adding contacts needs the list they go into.")
    path = f"/v1/lists/{segment(target.remote_id)}/contacts"
    return Request("add_to_list", "POST", path, json={"contact_ids": entries}, on_list=True)


def read_added(answer: Answer, records: Sequence[ContactRecord]) -> BatchReading:
    """A 2xx means that all of them are in the list now. How many were before is a number only, never names.

    After a repeat that number includes those whom our own lost attempt had added.
    """
    data = _data(answer)
    added, sent = whole_number(data.get("added")), len(records)
    warnings = []
    if added is None or added > sent:
        told = "does not say how many contacts it added" if added is None else f"says it added {added} of {sent}"
        warnings.append(f"LeadLex {told}; all {sent} are taken as added, for it refused none.")
        added = sent
    outcome = Outcome.ADDED if added else Outcome.ALREADY_PRESENT
    return BatchReading(
        [PushResult(record.key, outcome, remote_id=record.remote_id) for record in records],
        already_present=sent - added if added else 0,
        list_count=list_count(data.get("contact_count")),
        warnings=tuple(warnings),
    )


ADD_TO_LIST = Operation(
    name="add_to_list",
    label="Put the contacts on the list",
    batch=100,
    default_batch=100,
    repeat_is_harmless=True,
    needs=("remote_list", "remote_id"),
    entry=member_entry,
    request=add_to_list,
    read=read_added,
)


class LeadLex(HttpVendor):
    key = "leadlex"
    label = "LeadLex"
    hosts = ("data.leadlex.com",)
    default_base_url = "https://data.leadlex.com/functions/v1/api-gateway"
    limits = Limits(batch=100, per_minute=10, per_day=100, page=PAGE)  # the smallest plan
    settings = (
        Setting("base_url", "Base URL", "", default_base_url, advanced=True),
        Setting("api_key", "API key", "With write permission; it begins with wbk_.", secret=True, required=True),
        *pace_settings(limits, "Starter 10 (100 a day), Pro 50 (1,000 a day), Organisation 200 (10,000 a day)."),
    )
    operations = {"list": (CREATE_CONTACTS, ADD_TO_LIST)}
    can = frozenset({"delete_list", "remove_member", "read_members", "find_contacts"})

    @classmethod
    def judge_record(cls, record: ContactRecord, kind: str = "list") -> Problem | None:
        if problem := super().judge_record(record, kind):
            return problem
        if record.full_name:
            return None
        told = name_of(record)
        what = "number" if told == record.phone else "e-mail address" if told == record.email else "company"
        return Problem("full_name", f"name is empty, LeadLex gets the {what} in its place", blocks=False)

    def account(self) -> tuple[str, ...]:
        return (self.options["api_key"],)

    def headers(self, request: Request) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options['api_key']}"}

    # What an answer means

    def complaint(self, answer: Answer) -> Complaint:
        request_id = answer.headers.get("X-Request-ID", "")
        error = _error(answer)
        if error is None:
            return Complaint(answer.text(300), request_id=request_id)
        message = str(error.get("message") or "")
        if fields := _details(error).get("fields"):
            message += f" ({'; '.join(f'{k}: {v}' for k, v in fields.items())})" if isinstance(fields, dict) else ""
        return Complaint(message, str(error.get("code") or ""), request_id)

    def refusal(self, answer: Answer, request: Request, message: str, told: Told) -> RequestRefused:
        named = _details(_error(answer) or {}).get("invalid_ids")
        named = [str(bad) for bad in named] if isinstance(named, list) else []
        sent = set(request.json["contact_ids"]) if request.operation == "add_to_list" else set()
        return RequestRefused(
            message,
            invalid_keys=[bad for bad in dict.fromkeys(named) if bad in sent],
            strangers=[bad for bad in dict.fromkeys(named) if bad not in sent],
            too_large=answer.status == 413,
            **told,
        )

    def wait(self, answer: Answer) -> float:
        """Retry-After if there is one; otherwise the minute has run out, or the day and it resets when it says."""
        asked = retry_after(answer.headers)
        if asked is not None:
            return asked
        remaining = whole_number(answer.headers.get("X-RateLimit-Remaining"))
        reset = whole_number(answer.headers.get("X-RateLimit-Reset"))
        if remaining != 0 or reset is None:
            return MINUTE
        now = http_date(answer.headers.get("Date", "")) or datetime.now(UTC)
        return min(max(reset - now.timestamp(), MINUTE), float(DAY))

    # Lists

    def check(self) -> str:
        lists, _more = self._lists(1)
        shown = f"{PAGE} lists or more" if len(lists) >= PAGE else f"{len(lists)} list{'' if len(lists) == 1 else 's'}"
        return f"Connected: LeadLex shows {shown}."

    def find_lists(self, name: str) -> list[RemoteListInfo]:
        return [info for info in self._all_lists() if info.name == name]

    def create_list(self, new_list: NewList) -> RemoteListInfo:
        body = {"name": new_list.name}
        if new_list.description:
            body["description"] = new_list.description
        try:
            answer = self.call(Request("create_list", "POST", "/v1/lists", json=body))
        except RequestRefused as error:
            # "taken" has neither a status nor a code of its own
            if error.status not in (400, 409) or not (found := self.find_lists(new_list.name)):
                raise
            raise NameTaken(
                f"LeadLex has a list named “{new_list.name}” already.",
                found=found,
                status=error.status,
                code=error.code,
                request_id=error.request_id,
                excerpt=error.excerpt,
                attempts=error.attempts,
            ) from error
        info = _info(_data(answer))
        if not info.remote_id or info.name not in ("", new_list.name):
            raise self.unreadable(answer, "without the id of the new list")
        return info

    def list_info(self, remote: RemoteListInfo) -> RemoteListInfo:
        """Found among all lists: a call for a single one is not documented."""
        for info in self._all_lists():
            if info.remote_id == remote.remote_id:
                return info
        raise ListGone(f"LeadLex does not show the list “{remote.name}” any more. Check whether it was deleted there.")

    def delete_list(self, remote: RemoteListInfo) -> None:
        try:
            self.call(
                Request("delete_list", "DELETE", f"/v1/lists/{segment(remote.remote_id)}", on_list=True),
            )
        except ListGone:
            return

    def remove_member(self, remote: RemoteListInfo, remote_id: str) -> None:
        path = f"/v1/lists/{segment(remote.remote_id)}/contacts/{segment(remote_id)}"
        try:
            self.call(Request("remove_member", "DELETE", path, on_list=True))
        except ListGone as error:
            if error.code != "membership_not_found":
                raise

    def read_members(self, remote: RemoteListInfo, start: int = 0) -> Iterator[list[Member]]:
        # oldest first, so that what is added meanwhile does not shift the pages
        query = {"list_id": remote.remote_id, "sort": "created_at"}

        pages = count(start // PAGE + 1)

        def page(_read: int) -> tuple[list[Member], bool | None]:
            contacts, more = self._contacts("read_members", query, next(pages))
            return [Member(str(contact.get("id") or ""), str(contact.get("phone") or "")) for contact in contacts], more

        yield from self.walk(page, start)

    def find_contacts(self, records: Sequence[ContactRecord], since: datetime | None = None) -> LookUp:
        """There is no look-up by number: the newest contacts are read, then the rest searched by e-mail address.

        A contact counts as found only when its number is the same. At most `SEARCHES` are searched for.
        """
        wanted = {digits(record.phone): record for record in records}
        found: dict[str, str] = {}
        complete = False

        def keep(contacts: list[dict[str, Any]]) -> None:
            for contact in contacts:
                record = wanted.get(digits(str(contact.get("phone") or "")))
                if record and contact.get("id"):
                    found.setdefault(record.key, str(contact["id"]))

        if since is not None:
            # a margin for clocks that are apart
            query = {"created_after": (since - timedelta(minutes=10)).isoformat(), "sort": "created_at"}
            for page in range(1, NEWEST_PAGES + 1):
                contacts, more = self._contacts("find_contacts", query, page)
                keep(contacts)
                complete = not more or len(found) == len(records)
                if complete:
                    break
        rest = [record for record in records if record.key not in found and record.email]
        for record in rest[:SEARCHES]:
            keep(self._contacts("find_contacts", {"search": record.email}, 1)[0])
        return LookUp(found, complete)

    # Pieces

    def _contacts(self, operation: str, query: dict[str, str], page: int) -> tuple[list[dict[str, Any]], bool]:
        params = {**query, "page": str(page), "per_page": str(PAGE)}
        return self._page(
            self.call(Request(operation, "GET", "/v1/contacts", params=params, reads=True)), "contacts", page
        )

    def _lists(self, page: int) -> tuple[list[dict[str, Any]], bool]:
        params = {"page": str(page), "per_page": str(PAGE)}
        return self._page(
            self.call(Request("find_lists", "GET", "/v1/lists", params=params, reads=True)), "lists", page
        )

    def _all_lists(self) -> Iterator[RemoteListInfo]:
        """The reply's shape is not published: pages are read until one brings no new list."""
        seen: set[str] = set()
        page, more = 1, True
        while more:
            told, more = self._lists(page)
            fresh = [info for info in map(_info, told) if info.remote_id not in seen]
            if not fresh:
                return
            yield from fresh
            seen.update(info.remote_id for info in fresh)
            page += 1

    def _page(self, answer: Answer, what: str, page: int) -> tuple[list[dict[str, Any]], bool]:
        """The objects of a page, under `data.<what>` or `data` itself, and whether more follow."""
        reply = answer.json()
        data = reply.get("data") if isinstance(reply, dict) else reply
        found = data.get(what) if isinstance(data, dict) else data
        if not isinstance(found, list):
            raise self.unreadable(answer, f"without its {what}")
        objects = [entry for entry in found if isinstance(entry, dict)]
        meta = reply.get("meta") if isinstance(reply, dict) else None
        meta = meta if isinstance(meta, dict) else {}
        total, per_page = whole_number(meta.get("total")), whole_number(meta.get("per_page")) or PAGE
        more = len(objects) >= per_page if total is None else page * per_page < total
        return objects, more and bool(objects)


def _data(answer: Answer) -> dict[str, Any]:
    reply = answer.json()
    data = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(data, dict):
        raise UnreadableReply("LeadLex answered without data.", status=answer.status, excerpt=masking.excerpt(answer))
    return data


def _error(answer: Answer) -> dict[str, Any] | None:
    try:
        reply = answer.json()
    except UnreadableReply:
        return None
    error = reply.get("error") if isinstance(reply, dict) else None
    return error if isinstance(error, dict) else {"message": error} if isinstance(error, str) else None


def _details(error: dict[str, Any]) -> dict[str, Any]:
    details = error.get("details")
    return details if isinstance(details, dict) else {}


def _info(told: dict[str, Any]) -> RemoteListInfo:
    return RemoteListInfo(
        str(told.get("id") or ""), str(told.get("name") or ""), count=list_count(told.get("contact_count"))
    )
