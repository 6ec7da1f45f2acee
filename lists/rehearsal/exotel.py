"""Exotel as its documents describe it: bulk calls answer 207 with a result per item, pages hold twenty.

Sources: developer.exotel.com, Campaigns: "Add contacts to a list", "Create Contacts", "Manage Lists", "Get contacts
in a list", "Add contacts to a list via CSV", "Rate limiting". What they leave open is a switch in `ExotelSettings`.
"""

from __future__ import annotations

import base64
import csv
import io
import itertools
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Any, Literal

from .book import ADDRESS_BOOK, Entry
from .vendor import Call, ContactList, Refused, Route, Settings, Shelf, Unreadable, Vendor, Window, digits
from .wire import Reply

CREDENTIALS = {
    "account_sid": "rehearsal1",
    "api_key": "rehearsal-key-0123456789",
    "api_token": "rehearsal-token-9876543210",
}
INDIA = timezone(timedelta(hours=5, minutes=30))
BULK_LIMIT = 5_000
PAGE = 20
DYNAMIC_VARIABLES = 5
CSV_BYTES = 60_000_000
CSV_COLUMNS = ("number", "first_name", "last_name", "company_name", "email", "tag")
BAD_PARAMETER, NOT_AUTHORISED = 1002, 1010
SUCCESS, CONFLICT = 200, 409
SORTS = {
    "date_created:asc": ("serial", False),
    "date_created:desc": ("serial", True),
    "name:asc": ("name", False),
    "name:desc": ("name", True),
}
OTHER_REASONS = {
    409: "already exists",
    429: "too many requests, try this one again",
    500: "server error",
    503: "server busy, try this one again",
}
WORDS = {
    400: "bad parameter",
    401: "not authorised",
    402: "plan limit reached",
    403: "no access",
    404: "not found",
    409: "conflict",
    429: "too many requests",
}


@dataclass
class ExotelSettings(Settings):
    per_minute: int | None = 30
    throttle_status: Literal[429, 503] = 429
    retry_after: int | None = 30
    envelope: Literal["documented", "v2", "rest"] = "documented"  # documented: RestException for throttling, else v2
    wrong_region: bool = False  # the account lives on the other host, so every credential is refused
    readd: Literal["200", "409", "skip"] = "200"  # what is said of a contact that is in the list already
    known_number: Literal["existing", "409", "new"] = "existing"  # what creating a known number does
    item_codes: list[int] = field(default_factory=list)  # codes dealt out to items in turn; empty is the truth
    all_failed_status: Literal[207, 400, 200] = 207
    sid_key: bool = False  # every second item says Sid
    bare_items: bool = False  # every second success has no code, status and data around it
    code_as_text: bool = False
    wrong_metadata: bool = False  # total 1, success 1, whatever happened
    reorder_items: bool = False
    items_missing: int = 0  # from the end
    items_extra: int = 0  # about contacts nobody sent
    items_doubled: int = 0  # from the beginning
    list_limit: int = 100_000  # contacts in a static list
    dynamic_list_limit: int = 500_000
    csv_delay: float = 1.0  # seconds until an uploaded file is worked through
    csv_reply: Literal["summary", "list", "array"] = "summary"
    csv_stats: Literal["nested", "flat"] = "nested"
    csv_running: Literal["in-progress", "processing"] = "in-progress"
    csv_fails: bool = False


@dataclass
class Contact:
    id: str
    serial: int
    phone: str
    created: float
    updated: float
    first_name: str = ""
    last_name: str = ""
    company_name: str = ""
    email: str = ""
    tag: str = ""
    custom: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class ExotelList(ContactList[Contact]):
    serial: int = 0
    tag: str = ""
    type: str = "static"


@dataclass
class Upload:
    """A CSV file on its way into a list; `due` is when it is worked through, in the vendor's Unix seconds."""

    id: str
    list_id: str
    due: float
    rows: list[dict[str, str]]
    entry: Entry
    fails: bool
    limit: int
    status: str = ""  # empty until it is done
    total: int = 0
    success: int = 0
    duplicate: int = 0
    failed: int = 0


@dataclass
class ExotelAccount:
    sid: str
    api_key: str
    api_token: str
    lists: Shelf[ExotelList] = field(default_factory=Shelf)
    contacts: Shelf[Contact] = field(default_factory=Shelf)
    by_number: dict[str, Contact] = field(default_factory=dict)  # {digits: the first contact with them}
    uploads: dict[str, Upload] = field(default_factory=dict)
    minute: Window = field(default_factory=Window)


@dataclass
class Item:
    """The result of one thing in a bulk call. `data` is there on success, `description` otherwise."""

    code: int
    data: dict[str, Any] | None = None
    description: str = ""

    @property
    def is_success(self) -> bool:
        return self.code == SUCCESS

    def as_dict(self) -> dict[str, Any]:
        error = None if self.is_success else error_data(self.code, self.description)
        status = "success" if self.is_success else "failure"
        return {"code": self.code, "error_data": error, "status": status, "data": self.data}


def failed_item(code: int, reason: str) -> Item:
    """A failure for this reason, unless its code speaks of another."""
    return Item(code, None, OTHER_REASONS.get(code, reason))


ACCOUNT = "/v2/accounts/{account_sid}"


class Exotel(Vendor):
    key = "exotel"
    settings_class = ExotelSettings
    settings: ExotelSettings
    routes = (
        Route("POST", ACCOUNT + "/lists/{list_sid}/contacts", "add_to_list"),
        Route("GET", ACCOUNT + "/lists/{list_sid}/contacts", "read_members"),
        Route("DELETE", ACCOUNT + "/lists/{list_sid}/contacts/{contact_sid}", "remove_from_list"),
        Route("POST", ACCOUNT + "/lists", "create_list"),
        Route("GET", ACCOUNT + "/lists", "read_lists"),
        Route("PUT", ACCOUNT + "/lists", "update_lists"),
        Route("GET", ACCOUNT + "/lists/{list_sid}", "read_list"),
        Route("PUT", ACCOUNT + "/lists/{list_sid}", "update_list"),
        Route("DELETE", ACCOUNT + "/lists/{list_sid}", "delete_list"),
        Route("POST", ACCOUNT + "/contacts/csv-upload", "upload_csv"),
        Route("PUT", ACCOUNT + "/contacts/csv-upload/{list_sid}", "upload_csv"),
        Route("GET", ACCOUNT + "/csv-status/{upload_id}", "read_upload"),
        Route("POST", ACCOUNT + "/contacts", "create_contacts"),
        Route("GET", ACCOUNT + "/contacts", "read_contacts"),
        Route("PUT", ACCOUNT + "/contacts", "update_contacts"),
        Route("GET", ACCOUNT + "/contacts/{contact_sid}", "read_contact"),
        Route("PUT", ACCOUNT + "/contacts/{contact_sid}", "update_contact"),
        Route("DELETE", ACCOUNT + "/contacts/{contact_sid}", "delete_contact"),
    )

    def start_accounts(self) -> None:
        self.serial = itertools.count(1)
        self.add_account(CREDENTIALS)

    def add_account(self, credentials: Mapping[str, str]) -> ExotelAccount:
        """A further account; `credentials` as in CREDENTIALS."""
        account = ExotelAccount(credentials["account_sid"], credentials["api_key"], credentials["api_token"])
        self.accounts[account.sid] = account
        return account

    # Who calls

    def handle(self, call: Call) -> Reply:
        reply = super().handle(call)
        if call.entry.account and call.settings.per_minute:
            with self.lock:
                minute = self.account(call).minute
                reply.headers |= {
                    "X-RateLimit-Limit": str(call.settings.per_minute),
                    "X-RateLimit-Remaining": str(minute.left(call.settings.per_minute)),
                    "X-RateLimit-Reset": str(int(self.now() + minute.frees_in(call.settings.minute)) + 1),
                }
        return reply

    def admit(self, call: Call) -> None:
        account = next((each for each in self.accounts.values() if self.is_from(call, each)), None)
        if account is None or call.settings.wrong_region:
            self.refuse(call, 401, "key or token wrong")
        if call.params["account_sid"] != account.sid:
            self.refuse(call, 403, "the key belongs to another account")
        call.entry.account = account.sid
        if not account.minute.take(call.settings.per_minute, call.settings.minute):
            reply = self.error(call, call.settings.throttle_status, "too many requests")
            if call.settings.retry_after is not None:
                reply.headers["Retry-After"] = str(call.settings.retry_after)
            raise Refused(reply)

    def is_from(self, call: Call, account: ExotelAccount) -> bool:
        secret = base64.b64encode(f"{account.api_key}:{account.api_token}".encode()).decode()
        return call.headers.get("Authorization") == f"Basic {secret}"

    def account(self, call: Call) -> ExotelAccount:
        account: ExotelAccount = self.accounts[call.params["account_sid"]]
        return account

    # Envelopes

    def error(self, call: Call, status: int, message: str) -> Reply:
        throttled = status in (429, 503)
        if call.settings.envelope == "rest" or (call.settings.envelope == "documented" and throttled):
            code = "RATE_LIMITED" if throttled else WORDS.get(status, "server error").upper().replace(" ", "_")
            return Reply.json({"RestException": {"Status": status, "Message": message, "Code": code}}, status)
        return self.envelope(call, Item(status, None, message).as_dict(), status)

    def envelope(
        self, call: Call, response: Any, status: int = SUCCESS, metadata: dict[str, int] | None = None
    ) -> Reply:
        told = {"request_id": self.hex(32), "method": call.method, "http_code": status}
        return Reply.json(told | ({"metadata": metadata} if metadata else {}) | {"response": response}, status)

    def single(self, call: Call, data: dict[str, Any], status: int = SUCCESS) -> Reply:
        return self.envelope(call, Item(SUCCESS, data).as_dict(), status)

    def bulk(self, call: Call, items: list[Item], status: int = 207) -> Reply:
        """The answer of a bulk call, with whatever muddle is switched on. Totals are of what truly happened."""
        good = sum(item.is_success for item in items)
        metadata = {"failed": len(items) - good, "total": len(items), "success": good}
        told = [item.as_dict() for item in items]
        if call.method != "GET":
            told = self.muddled(call, told)
            status = status if good else call.settings.all_failed_status
        if call.settings.wrong_metadata:
            metadata = {"failed": 0, "total": 1, "success": 1}
        return self.envelope(call, told, status, metadata)

    def muddled(self, call: Call, told: list[dict[str, Any]]) -> list[dict[str, Any]]:
        settings: ExotelSettings = call.settings
        doubled = told[: settings.items_doubled]
        told = told[: max(0, len(told) - settings.items_missing)] + doubled
        for _ in range(settings.items_extra):
            stranger = {"sid": self.hex(32), "number": "+12025550100", "account_sid": self.account(call).sid}
            told.append(Item(SUCCESS, stranger).as_dict())
        if settings.reorder_items:
            told.reverse()
        for position, item in enumerate(told):
            if settings.sid_key and position % 2 and item["data"] and "sid" in item["data"]:
                item["data"] = {"Sid": item["data"]["sid"], **item["data"]}
                del item["data"]["sid"]
            if settings.code_as_text:
                item["code"] = str(item["code"])
        if settings.bare_items:
            return [item["data"] if n % 2 and item["data"] else item for n, item in enumerate(told)]
        return told

    def many(self, call: Call, name: str) -> list[dict[str, Any]]:
        """The objects a bulk call is about."""
        things = call.json_object().get(name)
        if not isinstance(things, list) or not things or not all(isinstance(each, dict) for each in things):
            raise Unreadable(f"{name} must be an array of objects")
        call.entry.contacts_sent = len(things)
        if len(things) > BULK_LIMIT:
            raise Unreadable(f"at most {BULK_LIMIT} {name} are accepted")
        return things

    def dealt(self, call: Call, position: int) -> int:
        """The code a switch deals to this item, SUCCESS when the truth may decide."""
        codes = call.settings.item_codes
        return codes[position % len(codes)] if codes else SUCCESS

    # Members of a list

    def add_to_list(self, call: Call) -> Reply:
        account, contact_list = self.account(call), self.named_list(call)
        references = self.many(call, "contact_references")
        items: list[Item | None] = []
        named, joined = [], []
        moment = stamp(self.now())
        for position, reference in enumerate(references):
            code, contact = self.dealt(call, position), account.contacts.get(reference.get("contact_sid"))
            if code != SUCCESS or contact is None:
                items.append(failed_item(code if code != SUCCESS else 404, "no such contact"))
                continue
            named.append(contact.phone)
            if contact.id in contact_list.members:
                items.append(self.readded(call, account, contact_list, contact, moment))
            elif len(contact_list.members) >= self.limit_of(call, contact_list):
                items.append(Item(400, None, "the list is full"))
            else:
                contact_list.members.add(contact.id, contact)
                joined.append(contact.phone)
                items.append(Item(SUCCESS, self.membership(account, contact_list, contact, moment)))
        contact_list.updated = self.now()
        self.book.receive(call.entry, contact_list.id, named)
        self.book.apply(self.key, contact_list.id, joined, call.entry)
        return self.bulk(call, [item for item in items if item])

    def readded(
        self, call: Call, account: ExotelAccount, contact_list: ExotelList, contact: Contact, moment: str
    ) -> Item | None:
        if call.settings.readd == "skip":
            return None
        if call.settings.readd == "409":
            return Item(CONFLICT, None, "contact already in the list")
        return Item(SUCCESS, self.membership(account, contact_list, contact, moment))

    def membership(
        self, account: ExotelAccount, contact_list: ExotelList, contact: Contact, moment: str
    ) -> dict[str, Any]:
        return {
            "sid": contact.id,
            "date_created": moment,
            "date_updated": moment,
            "account_sid": account.sid,
            "list_id": contact_list.id,
            "uri": f"/v2/Accounts/{account.sid}/contacts/{contact.id}",
        }

    def limit_of(self, call: Call, contact_list: ExotelList) -> int:
        limit: int = call.settings.list_limit if contact_list.type == "static" else call.settings.dynamic_list_limit
        return limit

    def read_members(self, call: Call) -> Reply:
        account, contact_list = self.account(call), self.named_list(call)
        shown = self.page_of(call, contact_list.members.all())
        items = [Item(SUCCESS, self.contact_fields(account, each) | {"list_id": contact_list.id}) for each in shown]
        return self.bulk(call, items, SUCCESS)

    def remove_from_list(self, call: Call) -> Reply:
        contact_list, contact_sid = self.named_list(call), call.params["contact_sid"]
        contact = contact_list.members.remove(contact_sid)
        if contact is None:
            self.refuse(call, 404, "the contact is not in the list")
        return self.single(call, self.membership(self.account(call), contact_list, contact, stamp(self.now())))

    def new_member(self, account: ExotelAccount, contact_list: Any, phone: str) -> None:
        contact = account.by_number.get(digits(phone)) or self.make_contact(account, phone, {})
        contact_list.members.add(contact.id, contact)

    # Contacts

    def create_contacts(self, call: Call) -> Reply:
        account, rows = self.account(call), self.many(call, "contacts")
        items, named, created = [], [], []
        for position, row in enumerate(rows):
            code, phone = self.dealt(call, position), as_e164(str(row.get("number") or ""))
            if code != SUCCESS or not phone:
                items.append(failed_item(code if code != SUCCESS else 400, "number is missing or not a number"))
                continue
            named.append(phone)
            contact = account.by_number.get(digits(phone))
            if contact is not None and call.settings.known_number == "409":
                items.append(Item(CONFLICT, None, "a contact with this number already exists"))
                continue
            if contact is None or call.settings.known_number == "new":
                contact = self.make_contact(account, phone, row)
                created.append(phone)
            items.append(Item(SUCCESS, self.contact_fields(account, contact)))
        self.book.receive(call.entry, ADDRESS_BOOK, named)
        self.book.apply(self.key, ADDRESS_BOOK, created, call.entry)
        return self.bulk(call, items)

    def make_contact(self, account: ExotelAccount, phone: str, fields: dict[str, Any]) -> Contact:
        now = self.now()
        contact = Contact(self.hex(32), next(self.serial), phone, now, now)
        self.write_fields(contact, fields)
        account.contacts.add(contact.id, contact)
        account.by_number.setdefault(digits(phone), contact)
        return contact

    def write_fields(self, contact: Contact, fields: dict[str, Any]) -> None:
        for name in CSV_COLUMNS[1:]:
            if fields.get(name):
                setattr(contact, name, str(fields[name]))
        contact.custom = fields.get("custom") or contact.custom

    def read_contacts(self, call: Call) -> Reply:
        account, query = self.account(call), call.query
        sort, name, wanted = query.get("sort_by", "date_created:asc"), query.get("name", ""), query.get("list_sids", "")
        lists = [each for each in map(account.lists.get, filter(None, wanted.split(","))) if each]

        def build(contacts: Iterable[Contact]) -> Iterable[Contact]:
            if wanted:
                contacts = (each for each in contacts if any(each.id in each_list.members for each_list in lists))
            return self.ordered(contacts, sort, name)

        # Members come and go without the address book changing, so what depends on them is not kept.
        every = list(build(account.contacts)) if wanted else account.contacts.view((sort, name), build)
        shown = [self.contact_fields(account, each) for each in self.page_of(call, every)]
        if query.get("filter") == "show_list":
            for fields in shown:
                fields["lists"] = [each.id for each in account.lists if fields["sid"] in each.members]
        return self.bulk(call, [Item(SUCCESS, fields) for fields in shown], SUCCESS)

    def read_contact(self, call: Call) -> Reply:
        return self.single(call, self.contact_fields(self.account(call), self.named_contact(call)))

    def update_contact(self, call: Call) -> Reply:
        account, contact = self.account(call), self.named_contact(call)
        self.change_contact(account, contact, call.json_object())
        return self.single(call, self.contact_fields(account, contact))

    def update_contacts(self, call: Call) -> Reply:
        account, items = self.account(call), []
        for row in self.many(call, "contacts"):
            contact = account.contacts.get(row.get("sid"))
            if contact is None:
                items.append(Item(404, None, "no such contact"))
                continue
            self.change_contact(account, contact, row)
            items.append(Item(SUCCESS, self.contact_fields(account, contact)))
        return self.bulk(call, items)

    def change_contact(self, account: ExotelAccount, contact: Contact, fields: dict[str, Any]) -> None:
        self.write_fields(contact, fields)
        contact.updated = self.now()
        account.contacts.touch()

    def delete_contact(self, call: Call) -> Reply:
        account, contact = self.account(call), self.named_contact(call)
        account.contacts.remove(contact.id)
        if account.by_number.get(digits(contact.phone)) is contact:
            del account.by_number[digits(contact.phone)]
        for contact_list in account.lists:
            if contact.id in contact_list.members:
                contact_list.members.remove(contact.id)
        return self.single(call, self.contact_fields(account, contact))

    def named_contact(self, call: Call) -> Contact:
        contact = self.account(call).contacts.get(call.params["contact_sid"])
        if contact is None:
            self.refuse(call, 404, "no such contact")
        return contact

    def contact_fields(self, account: ExotelAccount, contact: Contact) -> dict[str, Any]:
        return {
            "sid": contact.id,
            "number": contact.phone,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "company_name": contact.company_name,
            "email": contact.email,
            "tag": contact.tag,
            "custom": contact.custom,
            "status": "active",
            "account_sid": account.sid,
            "date_created": stamp(contact.created),
            "date_updated": stamp(contact.updated),
            "uri": f"/v2/Accounts/{account.sid}/contacts/{contact.id}",
        }

    def page_of(self, call: Call, things: list[Any]) -> list[Any]:
        """At most twenty, however many are asked for."""
        offset, limit = call.number("offset", 0), min(PAGE, call.number("limit", PAGE, least=1))
        return things[offset : offset + limit]

    def ordered(self, things: Iterable[Any], sort: str, name: str) -> Iterable[Any]:
        attribute, descending = SORTS.get(sort, SORTS["date_created:asc"])
        named = (each for each in things if name.lower() in each.name.lower())
        return sorted(named, key=attrgetter(attribute), reverse=descending)

    # Lists

    def create_list(self, call: Call) -> Reply:
        account = self.account(call)
        wanted = self.many(call, "lists")
        call.entry.contacts_sent = 0
        items = [self.create_one(call, account, each, self.dealt(call, n)) for n, each in enumerate(wanted)]
        return self.bulk(call, items)

    def create_one(self, call: Call, account: ExotelAccount, wanted: dict[str, Any], code: int) -> Item:
        name = str(wanted.get("name") or "").strip()
        if code != SUCCESS:
            return failed_item(code, "the list was not created")
        if not name:
            return Item(400, None, "name is required")
        if any(each.name == name for each in account.lists):
            return Item(CONFLICT, None, "a list of this name already exists")
        return Item(SUCCESS, self.list_fields(account, self.make_list(account, name, str(wanted.get("tag") or ""))))

    def make_list(self, account: ExotelAccount, name: str, tag: str = "", kind: str = "static") -> ExotelList:
        now = self.now()
        created = ExotelList(self.hex(32), name, now, now, serial=next(self.serial), tag=tag, type=kind)
        account.lists.add(created.id, created)
        return created

    def read_lists(self, call: Call) -> Reply:
        account, query = self.account(call), call.query
        every = self.ordered(account.lists, query.get("sort_by", "date_created:asc"), query.get("name", ""))
        shown = self.page_of(call, list(every))
        return self.bulk(call, [Item(SUCCESS, self.list_fields(account, each)) for each in shown], SUCCESS)

    def read_list(self, call: Call) -> Reply:
        return self.single(call, self.list_fields(self.account(call), self.named_list(call)))

    def update_list(self, call: Call) -> Reply:
        item = self.rename(self.account(call), self.named_list(call), call.json_object())
        if not item.is_success:
            self.refuse(call, item.code, item.description)
        return self.envelope(call, item.as_dict())

    def update_lists(self, call: Call) -> Reply:
        account, items = self.account(call), []
        for row in self.many(call, "lists"):
            contact_list = account.lists.get(row.get("sid"))
            items.append(self.rename(account, contact_list, row) if contact_list else Item(404, None, "no such list"))
        call.entry.contacts_sent = 0
        return self.bulk(call, items)

    def rename(self, account: ExotelAccount, contact_list: ExotelList, wanted: dict[str, Any]) -> Item:
        name = str(wanted.get("name") or "").strip()
        if not name:
            return Item(400, None, "name is required")
        if any(each.name == name and each is not contact_list for each in account.lists):
            return Item(CONFLICT, None, "a list of this name already exists")
        contact_list.name, contact_list.tag = name, str(wanted.get("tag") or contact_list.tag)
        contact_list.updated = self.now()
        return Item(SUCCESS, self.list_fields(account, contact_list))

    def delete_list(self, call: Call) -> Reply:
        account, contact_list = self.account(call), self.named_list(call)
        if contact_list.campaigns:
            self.refuse(call, CONFLICT, "the list is attached to an active or paused campaign")
        account.lists.remove(contact_list.id)
        return self.single(call, self.list_fields(account, contact_list))

    def named_list(self, call: Call) -> ExotelList:
        contact_list = self.account(call).lists.get(call.params["list_sid"])
        if contact_list is None:
            self.refuse(call, 404, "no such list")
        return contact_list

    def list_fields(self, account: ExotelAccount, each: ExotelList) -> dict[str, Any]:
        return {
            "sid": each.id,
            "name": each.name,
            "tag": each.tag,
            "type": each.type,
            "contact_count": len(each.members),
            "account_sid": account.sid,
            "date_created": stamp(each.created),
            "date_updated": stamp(each.updated),
            "uri": f"/v2/Accounts/{account.sid}/lists/{each.id}",
        }

    # CSV

    def upload_csv(self, call: Call) -> Reply:
        account, form = self.account(call), call.form()
        if len(call.body) > CSV_BYTES:
            raise Unreadable("a file may have 60 MB")
        if "file_name" not in form:
            raise Unreadable("file_name is required")
        kind = form.get("type", b"static").decode(errors="replace")
        if kind not in ("static", "dynamic"):
            raise Unreadable("type must be static or dynamic")
        rows = self.csv_rows(form["file_name"], kind)
        contact_list = self.list_for_csv(call, account, form, kind)
        call.entry.contacts_sent = len(rows)
        settings = call.settings
        upload = Upload(
            f"u{self.hex(12)}",
            contact_list.id,
            self.now() + settings.csv_delay,
            rows,
            call.entry,
            settings.csv_fails,
            self.limit_of(call, contact_list),
        )
        account.uploads[upload.id] = upload
        return self.upload_started(call, account, upload)

    def csv_rows(self, file: bytes, kind: str) -> list[dict[str, str]]:
        try:
            reader = csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""))
            rows = [{name: value or "" for name, value in row.items() if isinstance(name, str)} for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise Unreadable("the file is not a CSV in UTF-8") from error
        columns = reader.fieldnames or []
        if "number" not in columns:
            raise Unreadable("the file needs a header row with the column number")
        if kind == "dynamic" and len(set(columns) - set(CSV_COLUMNS)) > DYNAMIC_VARIABLES:
            raise Unreadable(f"a dynamic list has at most {DYNAMIC_VARIABLES} variables")
        return rows

    def list_for_csv(self, call: Call, account: ExotelAccount, form: dict[str, bytes], kind: str) -> ExotelList:
        if "list_sid" in call.params:
            return self.named_list(call)
        name = form.get("list_name", b"").decode(errors="replace").strip()
        if not name:
            raise Unreadable("list_name is required")
        named = next((each for each in account.lists if each.name == name), None)
        return named or self.make_list(account, name, kind=kind)

    def upload_started(self, call: Call, account: ExotelAccount, upload: Upload) -> Reply:
        url = f"/v2/accounts/{account.sid}/csv-status/{upload.id}"
        summary = {"upload_id": upload.id, "list_sid": upload.list_id, "url": url}
        if call.settings.csv_reply == "array":
            data = {"upload_id": upload.id, "list_sid": upload.list_id, "status": call.settings.csv_running}
            return self.envelope(call, [Item(SUCCESS, data).as_dict()], 202)
        if call.settings.csv_reply == "list":
            return self.single(call, {"list": {"sid": upload.list_id}, "summary": summary}, 202)
        return self.single(call, {"summary": summary}, 202)

    def read_upload(self, call: Call) -> Reply:
        upload = self.account(call).uploads.get(call.params["upload_id"])
        if upload is None:
            self.refuse(call, 404, "no such upload")
        data: dict[str, Any] = {
            "upload_id": upload.id,
            "list_sid": upload.list_id,
            "status": upload.status or call.settings.csv_running,
        }
        if call.settings.csv_stats == "nested":
            names = ("duplicate", "total", "success", "failed")
            return self.single(call, data | {"stats": {name: getattr(upload, name) for name in names}})
        flat = {
            "total_records": upload.total,
            "success_count": upload.success,
            "duplicate_count": upload.duplicate,
            "failure_count": upload.failed,
        }
        return self.single(call, data | flat)

    def settle(self) -> None:
        now = self.now()
        for account in self.accounts.values():
            for upload in account.uploads.values():
                if not upload.status and upload.due <= now:
                    self.work_through(account, upload)

    def work_through(self, account: ExotelAccount, upload: Upload) -> None:
        contact_list = account.lists.get(upload.list_id)
        if upload.fails or contact_list is None:
            upload.status = "failed"
            return
        named, joined = [], []
        for row in upload.rows:
            upload.total += 1
            phone = as_e164(row["number"])
            contact = account.by_number.get(digits(phone)) if phone else None
            if not phone:
                upload.failed += 1
                continue
            named.append(phone)
            if contact is not None and contact.id in contact_list.members:
                upload.duplicate += 1
            elif len(contact_list.members) >= upload.limit:
                upload.failed += 1
            else:
                contact = contact or self.make_contact(account, phone, row)
                contact_list.members.add(contact.id, contact)
                joined.append(phone)
                upload.success += 1
        upload.status = "completed"
        at = time.time() - (self.now() - upload.due)
        self.book.receive(upload.entry, contact_list.id, named)
        self.book.apply(self.key, contact_list.id, joined, upload.entry, at)


def error_data(code: int, description: str) -> dict[str, Any]:
    number = NOT_AUTHORISED if code in (401, 403) else BAD_PARAMETER
    return {"code": number, "message": WORDS.get(code, "server error"), "description": description}


def as_e164(text: str) -> str:
    """What the vendor makes of a number: no spaces or brackets, a ten-digit one is Indian; empty when refused."""
    number = text.strip()
    figures = number.removeprefix("+")
    if not figures.isascii() or not figures.isdigit() or not 7 <= len(figures) <= 15:
        return ""
    if number.startswith("+"):
        return number
    national = figures.lstrip("0")
    return f"+91{national}" if len(national) == 10 else f"+{national}"


@lru_cache(maxsize=256)  # thousands of items of one answer share a moment
def stamp(moment: float) -> str:
    """Unix seconds with nine fractional digits in Indian time: 2031-02-03T09:35:06.123456789+05:30."""
    local = datetime.fromtimestamp(moment, INDIA).isoformat(timespec="microseconds")
    return f"{local[:26]}{int(moment * 1e9) % 1000:03d}{local[26:]}"
