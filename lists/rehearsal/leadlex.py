"""LeadLex as its documents describe it: lists take a hundred contact ids at once, and one bad id refuses them all.

Sources: docs.leadlex.com, API reference: "Add Contacts to List" and the pages of lists, contacts, bulk and import
beside it, "Authentication" (keys and plans), "Data integrity". What they leave open is a switch in `LeadLexSettings`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import floor
from operator import attrgetter
from typing import Any, Literal, NoReturn

from .book import ADDRESS_BOOK
from .vendor import Call, ContactList, Refused, Route, Settings, Shelf, Vendor, Window, digits, iso
from .wire import Reply

CREDENTIALS = {"api_key": "wbk_live_rehearsal_0d9f4a1000c0ffee"}
READ_ONLY_KEY = "wbk_live_rehearsal_read_only"
EXPIRED_KEY = "wbk_live_rehearsal_expired"
WRITE = "write"
DAY, HOUR = 86_400, 3_600
ADD_LIMIT, BULK_LIMIT, MERGE_LIMIT = 100, 500, 20
PAGE, LARGEST_PAGE = 50, 100
IMPORT_BYTES = 20_000_000
CODES = {
    400: "validation_error",
    401: "invalid_key",
    403: "insufficient_permissions",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    429: "rate_limited",
}
PRIORITIES = {"high": 1, "medium": 2, "low": 3, "1": 1, "2": 2, "3": 3}
SORTS = {"created_at": "serial", "updated_date": "updated", "full_name": "full_name"}


@dataclass
class LeadLexSettings(Settings):
    per_minute: int | None = 200  # with per_day the Organisation plan; Pro has 50 and 1,000, Starter 10 and 100
    per_day: int | None = 10_000
    exports_per_hour: int | None = 10
    retry_after: int | None = None  # seconds told with 429; the documents do not mention the header
    store_valid_ids: bool = False  # of a request refused for other ids
    stray_invalid_ids: int = 0  # ids named as invalid that were never sent
    name_invalid_ids: bool = True
    merged_every: int = 0  # each n-th contact counts as merged away, so its id is invalid in an add
    created_status: Literal[200, 201] = 201
    lists_shape: Literal["named", "bare"] = "named"  # `data.lists` or `data` itself
    list_gone_code: Literal["not_found", "list_not_found"] = "not_found"  # of the add
    create_duplicate: Literal["existing", "create", "refuse"] = "existing"  # one contact whose e-mail is known
    bulk_duplicate: Literal["existing", "create"] = "create"
    import_delay: float = 1.0  # seconds until an import of more than 500 rows is applied


@dataclass
class Contact:
    id: str
    serial: int
    created: float
    updated: float
    full_name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    job_title: str = ""
    company: str = ""
    linkedin_url: str = ""
    priority: int | None = None
    tags: list[str] = field(default_factory=list)
    custom_fields: dict[str, Any] = field(default_factory=dict)


@dataclass
class LeadLexList(ContactList[Contact]):
    description: str = ""


@dataclass
class ApiKey:
    """`expires` in Unix seconds, None for never. Permissions may be spelled as any of the pages spells them."""

    workspace: str
    permissions: tuple[str, ...] = (WRITE,)
    expires: float | None = None

    @property
    def may_write(self) -> bool:
        return bool({WRITE, "contacts:write", "write:contacts"} & set(self.permissions))


@dataclass(frozen=True)
class QueuedImport:
    due: float
    call: Call
    rows: list[dict[str, Any]]


@dataclass
class Workspace:
    lists: Shelf[LeadLexList] = field(default_factory=Shelf)
    contacts: Shelf[Contact] = field(default_factory=Shelf)
    by_email: dict[str, Contact] = field(default_factory=dict)
    by_phone: dict[str, Contact] = field(default_factory=dict)
    remembered: dict[tuple[str, str], tuple[float, Reply]] = field(default_factory=dict)  # by Idempotency-Key
    edits: int = 0  # contacts changed where they stand; part of the key of sorted views
    minute: Window = field(default_factory=Window)
    exports: Window = field(default_factory=Window)
    day: int = 0
    used_today: int = 0


class LeadLex(Vendor):
    key = "leadlex"
    settings_class = LeadLexSettings
    settings: LeadLexSettings
    routes = (
        Route("POST", "/v1/lists/{list_id}/contacts", "add_to_list", WRITE),
        Route("DELETE", "/v1/lists/{list_id}/contacts/{contact_id}", "remove_from_list", WRITE),
        Route("POST", "/v1/lists", "create_list", WRITE),
        Route("GET", "/v1/lists", "read_lists"),
        Route("DELETE", "/v1/lists/{list_id}", "delete_list", WRITE),
        Route("POST", "/v1/contacts", "create_contact", WRITE),
        Route("POST", "/v1/contacts/bulk", "create_contacts", WRITE),
        Route("POST", "/v1/import/contacts", "import_contacts", WRITE),
        Route("POST", "/v1/contacts/bulk-delete", "delete_contacts", WRITE),
        Route("POST", "/v1/contacts/merge", "merge_contacts", WRITE),
        Route("GET", "/v1/contacts", "read_contacts"),
        Route("GET", "/v1/contacts/export", "export_contacts"),
        Route("GET", "/v1/contacts/{contact_id}", "read_contact"),
    )

    def start_accounts(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.queued: list[QueuedImport] = []
        self.serial = 0
        self.add_key(CREDENTIALS["api_key"])
        self.add_key(READ_ONLY_KEY, permissions=("read",))
        self.add_key(EXPIRED_KEY, expires=0.0)

    def add_key(
        self,
        key: str,
        workspace: str = "demo",
        permissions: tuple[str, ...] = (WRITE,),
        expires: float | None = None,
    ) -> Workspace:
        """A further key, of this workspace or a new one."""
        self.keys[key] = ApiKey(workspace, permissions, expires)
        made: Workspace = self.accounts.setdefault(workspace, Workspace())
        return made

    # Who calls: key, then rate, then permission

    def handle(self, call: Call) -> Reply:
        reply = super().handle(call)
        reply.headers["X-Request-ID"] = f"req_{self.hex(16)}"
        if call.entry.account:
            with self.lock:
                reply.headers |= self.rate_headers(call)
        return reply

    def admit(self, call: Call) -> None:
        scheme, _, secret = call.headers.get("Authorization", "").partition(" ")
        key = self.keys.get(secret)
        if scheme != "Bearer" or key is None or (key.expires is not None and key.expires <= self.now()):
            self.refuse(call, 401, "the API key is not valid")
        call.entry.account = key.workspace
        self.take_from_quota(call)
        if call.route.needs == WRITE and not key.may_write:
            self.refuse(call, 403, "the API key lacks the write permission")

    def take_from_quota(self, call: Call) -> None:
        workspace, today = self.workspace(call), floor(self.now() / DAY)
        if workspace.day != today:
            workspace.day, workspace.used_today = today, 0
        if call.settings.per_day and workspace.used_today >= call.settings.per_day:
            self.refuse_rate(call, "the daily limit is used up")
        if not workspace.minute.take(call.settings.per_minute, call.settings.minute):
            self.refuse_rate(call, "too many requests in this minute")
        workspace.used_today += 1

    def refuse_rate(self, call: Call, message: str) -> None:
        reply = self.error(call, 429, message)
        if call.settings.retry_after is not None:
            reply.headers["Retry-After"] = str(call.settings.retry_after)
        raise Refused(reply)

    def rate_headers(self, call: Call) -> dict[str, str]:
        """The day's quota, as the quickstart shows it; the minute's where there is none for the day."""
        workspace, settings = self.workspace(call), call.settings
        if settings.per_day:
            limit, left = settings.per_day, max(0, settings.per_day - workspace.used_today)
            reset = (floor(self.now() / DAY) + 1) * DAY
        elif settings.per_minute:
            limit, left = settings.per_minute, workspace.minute.left(settings.per_minute)
            reset = floor(self.now() + workspace.minute.frees_in(settings.minute)) + 1
        else:
            return {}
        return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(left), "X-RateLimit-Reset": str(reset)}

    def workspace(self, call: Call) -> Workspace:
        workspace: Workspace = self.accounts[call.entry.account]
        return workspace

    # Refusals

    def error(self, call: Call, status: int, message: str, **details: Any) -> Reply:
        return self.coded(status, CODES.get(status, "internal_error"), message, **details)

    def coded(self, status: int, code: str, message: str, **details: Any) -> Reply:
        return Reply.json(
            {"error": {"code": code, "message": message} | ({"details": details} if details else {})}, status
        )

    def invalid(self, call: Call, message: str, **details: Any) -> NoReturn:
        raise Refused(self.error(call, 400, message, **details))

    # Lists

    def create_list(self, call: Call) -> Reply:
        workspace, body = self.workspace(call), call.json_object()
        name, description = body.get("name"), body.get("description") or ""
        if not isinstance(name, str) or not name.strip():
            self.invalid(call, "check the fields", fields={"name": "required"})
        if any(each.name == name for each in workspace.lists):
            self.invalid(call, "check the fields", fields={"name": "already taken"})
        now = self.now()
        created = LeadLexList(self.uuid(), str(name), now, now, description=str(description))
        workspace.lists.add(created.id, created)
        return Reply.json({"data": self.list_fields(created)}, call.settings.created_status)

    def read_lists(self, call: Call) -> Reply:
        every = self.workspace(call).lists.all()
        page, per_page = self.page_of(call)
        lists = [self.list_fields(each) for each in every[(page - 1) * per_page : page * per_page]]
        data = {"lists": lists} if call.settings.lists_shape == "named" else lists
        return Reply.json({"data": data, "meta": {"page": page, "per_page": per_page, "total": len(every)}})

    def delete_list(self, call: Call) -> Reply:
        gone = self.named_list(call, "list_not_found")
        self.workspace(call).lists.remove(gone.id)
        return Reply.json({"data": {"deleted": True, "id": gone.id, "memberships_removed": len(gone.members)}})

    def named_list(self, call: Call, code: str) -> LeadLexList:
        contact_list = self.workspace(call).lists.get(call.params["list_id"])
        if contact_list is None:
            raise Refused(self.coded(404, code, "list not found or not in your workspace"))
        return contact_list

    def list_fields(self, each: LeadLexList) -> dict[str, Any]:
        return {
            "id": each.id,
            "name": each.name,
            "description": each.description,
            "contact_count": len(each.members),
            "created_at": iso(each.created, "seconds"),
        }

    # Members

    def add_to_list(self, call: Call) -> Reply:
        contact_list = self.named_list(call, call.settings.list_gone_code)
        ids = call.json_object().get("contact_ids")
        if not isinstance(ids, list) or not ids:
            self.invalid(call, "contact_ids must be an array with at least one id")
        call.entry.contacts_sent = len(ids)
        if len(ids) > ADD_LIMIT:
            self.invalid(call, f"at most {ADD_LIMIT} contact ids are accepted")
        known = self.workspace(call).contacts
        every = call.settings.merged_every
        named = (contact for contact in map(known.get, ids) if contact)
        found = {contact.id: contact for contact in named if not (every and contact.serial % every == 0)}
        invalid = list(dict.fromkeys(str(each) for each in ids if not isinstance(each, str) or each not in found))
        if invalid and not call.settings.store_valid_ids:
            raise Refused(self.invalid_ids(call, invalid))
        added = self.join(call, contact_list, found.values())
        if invalid:
            raise Refused(self.invalid_ids(call, invalid))
        data = {"added": added, "list_id": contact_list.id, "contact_count": len(contact_list.members)}
        return Reply.json({"data": data})

    def invalid_ids(self, call: Call, invalid: list[str]) -> Reply:
        if not call.settings.name_invalid_ids:
            return self.error(call, 400, "some ids were not accepted")
        named = invalid + [self.uuid() for _ in range(call.settings.stray_invalid_ids)]
        return self.error(call, 400, "some ids were not accepted", invalid_ids=named)

    def join(self, call: Call, contact_list: LeadLexList, contacts: Iterable[Contact]) -> int:
        contacts = list(contacts)
        new = [each for each in contacts if each.id not in contact_list.members]
        for each in new:
            contact_list.members.add(each.id, each)
        self.book.receive(call.entry, contact_list.id, [each.phone for each in contacts])
        self.book.apply(self.key, contact_list.id, [each.phone for each in new], call.entry)
        return len(new)

    def remove_from_list(self, call: Call) -> Reply:
        contact_list = self.named_list(call, "list_not_found")
        contact_id = call.params["contact_id"]
        if contact_id not in contact_list.members:
            raise Refused(self.coded(404, "membership_not_found", "the contact is not in the list"))
        contact_list.members.remove(contact_id)
        return Reply.json({"data": {"removed": True, "list_id": contact_list.id, "contact_id": contact_id}})

    def new_member(self, account: Workspace, contact_list: Any, phone: str) -> None:
        contact = account.by_phone.get(digits(phone)) or self.store(account, {"phone": phone, "full_name": phone})
        contact_list.members.add(contact.id, contact)

    # Reading contacts

    def read_contacts(self, call: Call) -> Reply:
        contacts = self.selected(call)
        page, per_page = self.page_of(call)
        shown = [self.contact_fields(each) for each in contacts[(page - 1) * per_page : page * per_page]]
        meta = {"page": page, "per_page": per_page, "total": len(contacts)}
        return Reply.json({"data": {"contacts": shown}, "meta": meta})

    def selected(self, call: Call) -> list[Contact]:
        workspace, query = self.workspace(call), call.query
        shelf, list_id = workspace.contacts, query.get("list_id")
        if list_id:
            shelf = self.named_list_of(call, list_id).members
        sort, search, after = query.get("sort") or "created_at", query.get("search", "").lower(), 0.0
        if sort.lstrip("-") not in SORTS:
            self.invalid(call, "check the query", fields={"sort": "not a field to sort by"})
        if query.get("created_after"):
            after = self.moment(call, query["created_after"])

        def build(contacts: Iterable[Contact]) -> Iterable[Contact]:
            if search:
                contacts = (each for each in contacts if search in f"{each.full_name}\n{each.email}".lower())
            if after:
                contacts = (each for each in contacts if each.created > after)
            return sorted(contacts, key=attrgetter(SORTS[sort.lstrip("-")]), reverse=sort.startswith("-"))

        return shelf.view((sort, search, after, workspace.edits), build)

    def named_list_of(self, call: Call, list_id: str) -> LeadLexList:
        call.params["list_id"] = list_id
        return self.named_list(call, "not_found")

    def moment(self, call: Call, text: str) -> float:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.invalid(call, "check the query", fields={"created_after": "not an ISO time"})
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def page_of(self, call: Call) -> tuple[int, int]:
        per_page = call.number("per_page", PAGE, least=1)
        return call.number("page", 1, least=1), min(per_page, LARGEST_PAGE)

    def read_contact(self, call: Call) -> Reply:
        contact = self.workspace(call).contacts.get(call.params["contact_id"])
        if contact is None:
            self.refuse(call, 404, "contact not found")
        included = call.query.get("include", "")
        wanted = ("notes", "tasks", "deals") if included == "*" else tuple(filter(None, included.split(",")))
        return Reply.json({"data": self.contact_fields(contact) | {name: [] for name in wanted}})

    def export_contacts(self, call: Call) -> Reply:
        if not self.workspace(call).exports.take(call.settings.exports_per_hour, HOUR):
            self.refuse_rate(call, "too many exports in this hour")
        rows = self.selected(call)[: min(50_000, call.number("limit", 10_000, least=1))]
        text = io.StringIO()
        columns = ("id", "full_name", "email", "phone", "job_title", "company_name", "created_at", "updated_date")
        writer = csv.DictWriter(text, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self.contact_fields(each) for each in rows)
        return Reply(200, text.getvalue().encode(), {"Content-Type": "text/csv; charset=utf-8"})

    def contact_fields(self, contact: Contact) -> dict[str, Any]:
        return {
            "id": contact.id,
            "full_name": contact.full_name,
            "email": contact.email or None,
            "phone": contact.phone or None,
            "job_title": contact.job_title or None,
            "company_name": contact.company or None,
            "linkedin_url": contact.linkedin_url or None,
            "created_at": iso(contact.created),
            "updated_date": iso(contact.updated),
        }

    # Creating and changing contacts

    def create_contact(self, call: Call) -> Reply:
        workspace, fields = self.workspace(call), call.json_object()
        if not any(fields.get(name) for name in ("full_name", "first_name", "last_name", "email")):
            self.invalid(call, "a name or an e-mail is required")
        call.entry.contacts_sent = 1
        twin = workspace.by_email.get(str(fields.get("email") or "").lower())
        if twin and call.settings.create_duplicate == "refuse":
            self.invalid(call, "check the fields", fields={"email": "already taken"})
        if twin and call.settings.create_duplicate == "existing":
            return Reply.json({"data": self.created_fields(twin)})
        contact = self.store(workspace, fields)
        self.write_down(call, [contact], [contact])
        return Reply.json({"data": self.created_fields(contact)}, call.settings.created_status)

    def created_fields(self, contact: Contact) -> dict[str, Any]:
        names = ("id", "first_name", "last_name", "full_name", "email", "priority")
        return {name: getattr(contact, name) for name in names} | {"created_date": iso(contact.created)}

    def create_contacts(self, call: Call) -> Reply:
        workspace, rows = self.workspace(call), call.json_object().get("contacts")
        if not isinstance(rows, list) or not rows:
            self.invalid(call, "contacts must be an array")
        call.entry.contacts_sent = len(rows)
        if len(rows) > BULK_LIMIT:
            self.invalid(call, f"at most {BULK_LIMIT} contacts are accepted")
        for number, row in enumerate(rows):
            if not isinstance(row, dict) or not str(row.get("full_name") or "").strip():
                self.invalid(call, "check the fields", fields={f"contacts[{number}].full_name": "required"})
        contacts, new = [], []
        for row in rows:
            twin = workspace.by_email.get(str(row.get("email") or "").lower())
            if twin is None or call.settings.bulk_duplicate == "create":
                new.append(twin := self.store(workspace, row))
            contacts.append(twin)
        self.write_down(call, contacts, new)
        told = [{"id": each.id, "full_name": each.full_name, "email": each.email or None} for each in contacts]
        return Reply.json({"data": {"created": len(new), "contacts": told}}, call.settings.created_status)

    def store(self, workspace: Workspace, fields: dict[str, Any]) -> Contact:
        now = self.now()
        self.serial += 1
        contact = Contact(self.uuid(), self.serial, self.created_date(fields.get("created_date"), now), now)
        workspace.contacts.add(contact.id, contact)
        self.overwrite(workspace, contact, fields)
        return contact

    def created_date(self, given: Any, now: float) -> float:
        """A date given is kept when it is valid and not absurd, else it is now."""
        try:
            moment = datetime.fromisoformat(given) if isinstance(given, str) else None
        except ValueError:
            moment = None
        if moment is None:
            return now
        when = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return when if now - timedelta(days=5 * 365).total_seconds() <= when <= now + DAY else now

    def overwrite(self, workspace: Workspace, contact: Contact, fields: dict[str, Any]) -> None:
        """Write the fields that hold something; names are derived from each other."""
        first, last, full = (str(fields.get(name) or "").strip() for name in ("first_name", "last_name", "full_name"))
        if full and not (first or last):
            if "," in full:
                last, _, first = (part.strip() for part in full.partition(","))
                full = f"{first} {last}"
            else:
                first, _, last = full.rpartition(" ") if " " in full else (full, "", "")
        if first or last or full:
            contact.first_name, contact.last_name = first, last
            contact.full_name = full or f"{first} {last}".strip()
        contact.email = str(fields.get("email") or contact.email)
        contact.phone = str(fields.get("phone") or contact.phone)
        contact.job_title = str(fields.get("job_title") or contact.job_title)
        contact.company = str(fields.get("company") or contact.company)
        contact.linkedin_url = str(fields.get("linkedin_url") or contact.linkedin_url)
        contact.priority = PRIORITIES.get(str(fields.get("priority")).lower(), contact.priority)
        contact.tags = fields.get("tags") or contact.tags
        contact.custom_fields = fields.get("custom_fields") or contact.custom_fields
        contact.full_name = contact.full_name or contact.email
        if contact.email:
            workspace.by_email.setdefault(contact.email.lower(), contact)
        if digits(contact.phone):
            workspace.by_phone.setdefault(digits(contact.phone), contact)

    def write_down(self, call: Call, contacts: list[Contact], new: list[Contact]) -> None:
        self.book.receive(call.entry, ADDRESS_BOOK, [each.phone for each in contacts])
        self.book.apply(self.key, ADDRESS_BOOK, [each.phone for each in new], call.entry)

    # Import

    def import_contacts(self, call: Call) -> Reply:
        if len(call.body) > IMPORT_BYTES:
            self.refuse(call, 413, "an import may have 20 MB")
        if earlier := self.remembered(call):
            return earlier
        body = call.json_object()
        rows = self.import_rows(call, body)
        call.entry.contacts_sent = len(rows)
        if len(rows) > BULK_LIMIT:
            self.queued.append(QueuedImport(self.now() + call.settings.import_delay, call, rows))
            result = {"status": "queued", "created_count": 0, "updated_count": 0, "skipped_count": 0, "errors": []}
        else:
            result = {"status": "completed", **self.import_now(call, rows)}
        return self.remember(call, Reply.json({"data": {"job_id": self.uuid(), **result}}))

    def import_rows(self, call: Call, body: dict[str, Any]) -> list[dict[str, Any]]:
        rows, text, mapping = body.get("rows"), body.get("csv"), body.get("mapping") or {}
        if isinstance(text, str):
            table = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
            has_header = body.get("has_header", True)
            names = table.pop(0) if has_header and table else [str(n) for n in range(len(table[0]) if table else 0)]
            rows = [dict(zip(names, row, strict=False)) for row in table]
        if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
            self.invalid(call, "rows or csv is required")
        if not isinstance(mapping, dict):
            self.invalid(call, "mapping must be an object of column to field")
        tags = body.get("tags") or []
        return [{mapping.get(name, name): value for name, value in row.items()} | {"tags": tags} for row in rows]

    def import_now(self, call: Call, rows: list[dict[str, Any]]) -> dict[str, Any]:
        workspace, update = self.workspace(call), bool(json.loads(call.body).get("update_existing"))
        created, updated, skipped, errors, contacts = [], 0, 0, [], []
        for number, row in enumerate(rows, 1):
            if not any(row.get(name) for name in ("full_name", "first_name", "last_name", "email")):
                message = "a name or an e-mail is required"
                errors.append({"row_number": number, "code": "validation_error", "message": message})
                continue
            twin = workspace.by_email.get(str(row.get("email") or "").lower())
            twin = twin or workspace.by_phone.get(digits(str(row.get("phone") or "")))
            if twin is None:
                created.append(twin := self.store(workspace, row))
            elif update:
                updated += 1
                self.overwrite(workspace, twin, row)
                twin.updated = self.now()
                workspace.edits += 1
            else:
                skipped += 1
            contacts.append(twin)
        self.write_down(call, contacts, created)
        return {
            "created_count": len(created),
            "updated_count": updated,
            "skipped_count": skipped,
            "errors": errors,
        }

    def settle(self) -> None:
        now = self.now()
        due = [each for each in self.queued if each.due <= now]
        if due:
            self.queued = [each for each in self.queued if each.due > now]
        for each in due:
            self.import_now(each.call, each.rows)

    def remembered(self, call: Call) -> Reply | None:
        """The first answer given to this Idempotency-Key in the last 24 hours."""
        when, reply = self.workspace(call).remembered.get(self.idempotency(call), (0.0, None))
        if reply is None or self.now() - when > DAY:
            return None
        return Reply(reply.status, reply.body, dict(reply.headers))

    def remember(self, call: Call, reply: Reply) -> Reply:
        if call.headers.get("Idempotency-Key"):
            kept = Reply(reply.status, reply.body, dict(reply.headers))
            self.workspace(call).remembered[self.idempotency(call)] = (self.now(), kept)
        return reply

    def idempotency(self, call: Call) -> tuple[str, str]:
        return call.entry.operation, call.headers.get("Idempotency-Key", "")

    # Bulk

    def delete_contacts(self, call: Call) -> Reply:
        if earlier := self.remembered(call):
            return earlier
        workspace, body = self.workspace(call), call.json_object()
        ids = body.get("contact_ids")
        if not isinstance(ids, list) or not ids or len(ids) > BULK_LIMIT:
            self.invalid(call, f"contact_ids must be an array of at most {BULK_LIMIT}")
        gone = [contact for contact in map(workspace.contacts.get, dict.fromkeys(map(str, ids))) if contact]
        if not body.get("dry_run"):
            for contact in gone:
                self.discard(workspace, contact)
        data = {"deleted_count": len(gone), "not_found_count": len(ids) - len(gone), "errors": []}
        return self.remember(call, Reply.json({"data": data}))

    def merge_contacts(self, call: Call) -> Reply:
        if earlier := self.remembered(call):
            return earlier
        workspace, body = self.workspace(call), call.json_object()
        primary, ids = workspace.contacts.get(body.get("primary_id")), body.get("duplicate_ids")
        if not isinstance(ids, list) or not 1 <= len(ids) <= MERGE_LIMIT:
            self.invalid(call, f"duplicate_ids must be an array of at most {MERGE_LIMIT}")
        twins = [contact for contact in map(workspace.contacts.get, ids) if contact and contact is not primary]
        if primary is None or len(twins) < len(ids):
            self.refuse(call, 404, "contact not found")
        for twin in twins:
            for contact_list in workspace.lists:
                if twin.id in contact_list.members and primary.id not in contact_list.members:
                    contact_list.members.add(primary.id, primary)
            self.discard(workspace, twin)
        data = {"primary_id": primary.id, "merged_count": len(twins)}
        return self.remember(call, Reply.json({"data": data}))

    def discard(self, workspace: Workspace, contact: Contact) -> None:
        workspace.contacts.remove(contact.id)
        for contact_list in workspace.lists:
            if contact.id in contact_list.members:
                contact_list.members.remove(contact.id)
        for index, key in ((workspace.by_email, contact.email.lower()), (workspace.by_phone, digits(contact.phone))):
            if index.get(key) is contact:
                del index[key]
