"""Kore.ai as its documents describe it: adds are queued, lists are addressed by name, tokens are single-use.

Sources: docs.kore.ai, AI for Service, Contact Center APIs: "Add Contacts to Contact List", "Create Contact List",
"Create Bulk Contacts", "Get All Contact Lists", "Get Contacts of a Contact List", "SDK Security", "API Rate Limits".
What those pages leave open is a switch in `KoreSettings`.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import jwt

from .book import ADDRESS_BOOK, Entry
from .vendor import Call, ContactList, Refused, Route, Settings, Shelf, Unreadable, Vendor, Window, digits, iso
from .wire import Reply

CAMPAIGNS, CONFIGURATION = "Campaign Management", "Configuration"  # API scopes of a JWT app
CREDENTIALS = {
    "app_id": "st-5f0d2c1e-0000-4000-8000-00000000d3e0",
    "account_id": "65f000000000000000000001",
    "client_id": "cs-0f0e0d0c-1111-4222-8333-444455556666",
    "client_secret": "rehearsal-secret-of-the-demo-app-at-kore, as long as HS512 wants it",
}
ORGANISATION = "o-00000000-0000-4000-8000-000000000002"
USER = "u-00000000-0000-4000-8000-000000000001"
PAGE = 50
TOKEN_HOUR = 3600  # seconds a token with a jti may live
CSV_COLUMNS = (
    "firstName",
    "lastName",
    "salutation",
    "cellPhoneNumber",
    "cellPhoneCountryCode",
    "cellPhoneExtension",
)
SALUTATIONS = {"mr": "Mr", "mr.": "Mr", "mrs": "Mrs", "mrs.": "Mrs"}


@dataclass
class KoreSettings(Settings):
    per_minute: int | None = 60
    per_hour: int | None = None  # the platform's other APIs have 1,800
    throttle_status: Literal[400, 429, 503] = 429
    refusal_status: Literal[400, 412] = 412  # for a missing or bad field
    enforce_jti: bool = False
    apply_delay: float = 1.0  # seconds between accepting contacts and applying them
    apply_share: float = 1.0  # the leading part of each add that is applied; 0 is none
    unknown_list: Literal["error", "drop", "create"] = "error"
    duplicate_names: Literal["allow", "refuse"] = "allow"
    reply_shape: Literal["new", "old"] = "new"  # `message` alone, or with `status`
    batch_limit: int | None = None  # contacts in one add; more are refused with 413
    bad_number_drops_batch: bool = False
    strip_plus: bool = False  # numbers are read back without their plus
    ignore_skip: bool = False  # every page of a list is its first
    read_lists_method: Literal["both", "POST", "GET"] = "both"  # the page's table says one, its sample the other
    prevented_rows: Literal["missing", "error", "message"] = "missing"  # how an existing number is reported


@dataclass
class Member:
    """An entry of a list."""

    id: str
    phone: str
    created: float


@dataclass
class KoreList(ContactList[Member]):
    description: str = ""
    allow_duplicates: bool = False
    numbers: set[str] = field(default_factory=set)  # every number it was ever given, as digits


@dataclass
class Contact:
    """An entry of the address book."""

    id: str
    phone: str
    country_code: str
    extension: str
    first_name: str
    last_name: str
    salutation: str
    created: float
    updated: float
    status: str = "ACTIVE"


@dataclass
class KoreAccount:
    app_id: str
    account_id: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = (CAMPAIGNS, CONFIGURATION)
    lists: Shelf[KoreList] = field(default_factory=Shelf)
    contacts: Shelf[Contact] = field(default_factory=Shelf)
    active_numbers: dict[str, str] = field(default_factory=dict)  # {digits: contact id}
    tokens_seen: dict[str, float] = field(default_factory=dict)  # {jti: exp}
    minute: Window = field(default_factory=Window)
    hour: Window = field(default_factory=Window)


@dataclass(frozen=True)
class Promise:
    """Contacts that were accepted and are applied when `due` comes."""

    due: float
    account: KoreAccount
    contact_list: KoreList
    phones: list[str]
    entry: Entry


PLATFORM = "/api/1.1/public/{app_id}"
V1 = "/agentassist/api/v1/public/{app_id}"
V2 = "/campaign/api/v2/public/{app_id}"
BOTH = ("iid", "accountId")


class Kore(Vendor):
    key = "kore"
    settings_class = KoreSettings
    settings: KoreSettings
    routes = (
        Route("POST", PLATFORM + "/campaign/contactList/addContacts", "add_to_list", CAMPAIGNS, BOTH),
        Route("POST", V1 + "/campaign/contactList/createContactList", "create_list", CAMPAIGNS, BOTH),
        Route("POST", V2 + "/campaign/contactList/createContactList", "create_list", CAMPAIGNS),
        Route("POST", V1 + "/campaign/contactList/getAllListDetails", "read_lists", CAMPAIGNS, BOTH),
        Route("GET", V1 + "/campaign/contactList/getAllListDetails", "read_lists", CAMPAIGNS, BOTH),
        Route("POST", V2 + "/campaign/contactList/getAllListDetails", "read_lists", CAMPAIGNS),
        Route("GET", V2 + "/campaign/contactList/getAllListDetails", "read_lists", CAMPAIGNS),
        *(
            Route(method, base + "/campaign/contactList/" + rest, operation, CAMPAIGNS)
            for base in (V1, V2)
            for method, rest, operation in (
                ("GET", "{list_id}/getAllContacts", "read_members"),
                ("GET", "{list_id}", "read_list"),
                ("PUT", "{list_id}", "update_list"),
                ("DELETE", "{list_id}", "delete_list"),
            )
        ),
        Route("POST", V1 + "/contacts/import-contacts", "import_contacts", CONFIGURATION),
        Route("POST", V1 + "/contacts", "create_contacts", CONFIGURATION),
        Route("GET", V1 + "/contacts", "read_contacts", CONFIGURATION),
        Route("PUT", V1 + "/contacts/bulk-update", "update_contacts", CONFIGURATION),
        Route("PUT", V1 + "/contacts/{contact_id}", "update_contact", CONFIGURATION),
        Route("DELETE", V1 + "/contacts/bulk-delete", "delete_contacts", CONFIGURATION),
        Route("DELETE", V1 + "/contacts/{contact_id}", "delete_contact", CONFIGURATION),
    )

    def start_accounts(self) -> None:
        self.promises: deque[Promise] = deque()
        self.add_account(CREDENTIALS)

    def add_account(
        self, credentials: Mapping[str, str], scopes: tuple[str, ...] = (CAMPAIGNS, CONFIGURATION)
    ) -> KoreAccount:
        """A further application with a JWT app of its own; `credentials` as in CREDENTIALS."""
        account = KoreAccount(
            credentials["app_id"],
            credentials["account_id"],
            credentials["client_id"],
            credentials["client_secret"],
            scopes,
        )
        self.accounts[account.app_id] = account
        return account

    # Who calls

    def admit(self, call: Call) -> None:
        account = self.account_of(call, self.read_token(call))
        if call.route.needs not in account.scopes:
            self.refuse_token(call, f"the app lacks the scope {call.route.needs}")
        call.entry.account = account.account_id
        call.params["account"] = account.app_id
        within = account.minute.take(call.settings.per_minute, call.settings.minute)
        if not (within and account.hour.take(call.settings.per_hour, call.settings.minute * 60)):
            self.refuse(call, call.settings.throttle_status, "rate limit exceeded for this minute, retry later")

    def read_token(self, call: Call) -> dict[str, Any]:
        token = call.headers.get("auth", "")
        try:
            claimed = jwt.decode(token, options={"verify_signature": False})
            account = next(each for each in self.accounts.values() if each.client_id == claimed.get("appId"))
            payload = jwt.decode(
                token,
                account.client_secret,
                algorithms=["HS256"],
                options={"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, StopIteration):
            self.refuse_token(call, "credentials not accepted")
        self.check_times(call, account, payload)
        return payload

    def check_times(self, call: Call, account: KoreAccount, payload: dict[str, Any]) -> None:
        now = self.now()
        times = {name: payload.get(name) for name in ("iat", "exp") if name in payload}
        if not all(isinstance(value, int | float) for value in times.values()):
            self.refuse_token(call, "credentials not accepted")
        if not payload.get("sub") or payload.get("exp", now + 1) <= now or payload.get("iat", now) > now:
            self.refuse_token(call, "credentials not accepted")
        jti = payload.get("jti")
        if jti is None:
            if call.settings.enforce_jti:
                self.refuse_token(call, "jwt refused: jti is required", code=401)
            return
        if "exp" not in payload or payload["exp"] > now + TOKEN_HOUR:
            self.refuse_token(call, "jwt refused: expiry more than one hour away", code=401)
        if str(jti) in account.tokens_seen:
            self.refuse_token(call, "jwt refused: replay suspected", code=401)
        account.tokens_seen[str(jti)] = payload["exp"]
        if len(account.tokens_seen) > 50_000:
            account.tokens_seen = {each: exp for each, exp in account.tokens_seen.items() if exp > now}

    def account_of(self, call: Call, payload: dict[str, Any]) -> KoreAccount:
        """The account the token is for, provided that path, headers and query all mean the same one."""
        account: KoreAccount | None = self.accounts.get(call.params["app_id"])
        if account is None or account.client_id != payload["appId"]:
            self.refuse_token(call, "credentials not accepted for this application")
        if any(name not in call.headers for name in call.route.headers):
            self.refuse_token(call, f"the headers {' and '.join(call.route.headers)} are required")
        account_ids = [given for given in (call.headers.get("accountId"), call.query.get("accountId")) if given]
        if not account_ids or any(given != account.account_id for given in account_ids):
            self.refuse_token(call, "account does not fit the credentials")
        if call.headers.get("iid", account.app_id) != account.app_id:
            self.refuse_token(call, "iid does not fit the path")
        return account

    def account(self, call: Call) -> KoreAccount:
        account: KoreAccount = self.accounts[call.params["account"]]
        return account

    # Refusals

    def error(self, call: Call, status: int, message: str) -> Reply:
        code = 4002 if status == 401 else status
        return Reply.json({"errors": [{"msg": message, "code": code}]}, status)

    def refuse_token(self, call: Call, message: str, code: int = 4002) -> NoReturn:
        raise Refused(Reply.json({"errors": [{"msg": message, "code": code}]}, 401))

    def refuse_field(self, call: Call, message: str) -> NoReturn:
        self.refuse(call, call.settings.refusal_status, message)

    def text(self, call: Call, body: dict[str, Any], name: str, longest: int | None = None) -> str:
        value = body.get(name)
        if not isinstance(value, str) or not value.strip():
            self.refuse_field(call, f"{name} is required")
        if longest and len(str(value)) > longest:
            self.refuse_field(call, f"{name} must not be longer than {longest} characters")
        return str(value)

    # Lists

    def create_list(self, call: Call) -> Reply:
        account, body = self.account(call), call.json_object()
        name = self.text(call, body, "name", 48)
        description = self.text(call, body, "description", 256)
        if self.text(call, body, "source") != "passiveApi":
            self.refuse_field(call, "source must be passiveApi")
        allow_duplicates = body.get("allowDuplicates", False)
        if not isinstance(allow_duplicates, bool):
            self.refuse_field(call, "allowDuplicates must be a boolean")
        if call.settings.duplicate_names == "refuse" and any(each.name == name for each in account.lists):
            self.refuse(call, 400, "a contact list of this name exists")
        created = self.make_list(account, name, description, allow_duplicates=allow_duplicates)
        return self.success("list created", self.list_fields(call, account, created))

    def make_list(self, account: KoreAccount, name: str, description: str, *, allow_duplicates: bool) -> KoreList:
        uuid, now = self.uuid(), self.now()
        # The first group has seven digits in the page's sample too; whoever takes the id for a UUID is told here.
        created = KoreList(f"cl-{uuid[1:]}", name, now, now, description=description, allow_duplicates=allow_duplicates)
        account.lists.add(created.id, created)
        return created

    def read_lists(self, call: Call) -> Reply:
        if call.settings.read_lists_method not in ("both", call.method):
            self.refuse(call, 405, "method not allowed")
        account = self.account(call)
        return self.success("ok", [self.list_fields(call, account, each) for each in account.lists])

    def read_list(self, call: Call) -> Reply:
        return self.success("ok", self.list_fields(call, self.account(call), self.named_list(call)))

    def update_list(self, call: Call) -> Reply:
        account, contact_list, body = self.account(call), self.named_list(call), call.json_object()
        if "name" in body:
            contact_list.name = self.text(call, body, "name", 48)
        if "description" in body:
            contact_list.description = self.text(call, body, "description", 256)
        if "allowDuplicates" in body and not self.is_v2(call):
            if not isinstance(body["allowDuplicates"], bool):
                self.refuse_field(call, "allowDuplicates must be a boolean")
            contact_list.allow_duplicates = body["allowDuplicates"]
        contact_list.updated = self.now()
        told = {
            "name": contact_list.name,
            "orgId": ORGANISATION,
            "iId": account.app_id,
            "listType": "call",
            "accountId": account.account_id,
            "updatedBy": USER,
        }
        return self.success("list updated", {"contactListId": contact_list.id, "body": told})

    def delete_list(self, call: Call) -> Reply:
        account, contact_list = self.account(call), self.named_list(call)
        if contact_list.campaigns:
            self.refuse(call, 400, "the contact list is in use by a campaign")
        account.lists.remove(contact_list.id)
        return self.success("list deleted", self.list_fields(call, account, contact_list))

    def named_list(self, call: Call) -> KoreList:
        contact_list = self.account(call).lists.get(call.params["list_id"])
        if contact_list is None:
            self.refuse(call, 404, "contact list not found")
        return contact_list

    def is_v2(self, call: Call) -> bool:
        return call.path.startswith("/campaign/")

    def success(self, message: str, data: Any) -> Reply:
        return Reply.json({"status": "success", "message": message, "data": data})

    def list_fields(self, call: Call, account: KoreAccount, each: KoreList) -> dict[str, Any]:
        fields = {
            "_id": each.id,
            "name": each.name,
            "description": each.description,
            "isActive": True,
            "status": "Ready",
            "totalRecordCount": len(each.members),
            "source": "passiveApi",
            "listType": "call",
            "allowDuplicates": each.allow_duplicates,
            "apiConfigurations": {"dataSyncMode": "allowDuplicates" if each.allow_duplicates else "removeDuplicates"},
            "mapping": {name: name for name in ("firstName", "lastName", "phoneNumber", "timeZone", "uniqueId")},
            "isListInUse": bool(each.campaigns),
            "campaignInUse": [{"id": f"ca-{n}", "name": name} for n, name in enumerate(each.campaigns, 1)],
            "files": [],
            "createdBy": USER,
            "updatedBy": USER,
            "createdAt": iso(each.created),
            "updatedAt": iso(each.updated),
        }
        if self.is_v2(call):
            fields["mapping"] |= {"contactPriority": "contactPriority"}  # type: ignore[operator]
            return fields | {"isGlobalDNC": False, "isDefault": False, "columns": []}
        return fields | {
            "orgId": ORGANISATION,
            "lname": each.name.lower(),
            "iId": account.app_id,
            "accountId": account.account_id,
        }

    # Contacts of a list

    def add_to_list(self, call: Call) -> Reply:
        account, body = self.account(call), call.json_object()
        name = self.text(call, body, "contact_list_name")
        data = body.get("data")
        if not isinstance(data, list) or not data:
            self.refuse_field(call, "data is required")
        if not all(isinstance(each, dict) for each in data):
            self.refuse_field(call, "data must hold objects")
        phones = [self.text(call, each, "phoneNumber") for each in data]
        call.entry.contacts_sent = len(phones)
        if call.settings.batch_limit and len(phones) > call.settings.batch_limit:
            self.refuse(call, 413, "too many contacts in one request")
        contact_list = next((each for each in account.lists if each.name == name), None)
        if contact_list is None:
            if call.settings.unknown_list == "error":
                self.refuse(call, 400, "contact list not found")
            if call.settings.unknown_list == "create":
                contact_list = self.make_list(account, name, name, allow_duplicates=False)
        if contact_list is not None:
            self.promise(call, account, contact_list, phones)
        message = {"message": "contacts are being added"}
        return Reply.json(message if call.settings.reply_shape == "new" else {"status": "success", **message})

    def promise(self, call: Call, account: KoreAccount, contact_list: KoreList, phones: list[str]) -> None:
        self.book.receive(call.entry, contact_list.id, phones)
        good = [phone for phone in phones if 5 <= len(digits(phone)) <= 15]
        if call.settings.bad_number_drops_batch and len(good) < len(phones):
            return
        good = good[: round(len(good) * call.settings.apply_share)]
        due = self.now() + call.settings.apply_delay
        self.promises.append(Promise(due, account, contact_list, good, call.entry))

    def settle(self) -> None:
        now = self.now()
        due = [promise for promise in self.promises if promise.due <= now]
        if due:
            self.promises = deque(promise for promise in self.promises if promise.due > now)
        for promise in sorted(due, key=lambda each: each.due):
            self.keep(promise)

    def keep(self, promise: Promise) -> None:
        contact_list = promise.contact_list
        if contact_list.id not in promise.account.lists:
            return  # it was deleted meanwhile
        applied = []
        for phone in promise.phones:
            if contact_list.allow_duplicates or digits(phone) not in contact_list.numbers:
                self.join(contact_list, phone, promise.due)
                applied.append(phone)
        self.book.apply(self.key, contact_list.id, applied, promise.entry, promise.due - self.settings.clock_offset)

    def join(self, contact_list: KoreList, phone: str, at: float) -> None:
        member = Member(f"cc-{self.hex(24)}", phone, at)
        contact_list.numbers.add(digits(phone))
        contact_list.members.add(member.id, member)
        contact_list.updated = at

    def new_member(self, account: KoreAccount, contact_list: Any, phone: str) -> None:
        self.join(contact_list, phone, self.now())

    def read_members(self, call: Call) -> Reply:
        members = self.named_list(call).members.all()
        skip = 0 if call.settings.ignore_skip else call.number("skip", 0)
        limit = min(PAGE, call.number("limit", PAGE, least=1))
        results = [
            {
                "_id": each.id,
                "phoneNumber": each.phone.lstrip("+") if call.settings.strip_plus else each.phone,
                "createdAt": iso(each.created),
                "updatedAt": iso(each.created),
            }
            for each in members[skip : skip + limit]
        ]
        return self.success("ok", self.paged(results, skip, limit, len(members)))

    def paged(self, results: list[dict[str, Any]], skip: int, limit: int, total: int) -> dict[str, Any]:
        return {
            "results": results,
            "skip": skip,
            "limit": limit,
            "hasMore": skip + len(results) < total,
            "totalPages": -(-total // limit),
            "totalResults": total,
        }

    # The address book

    def import_contacts(self, call: Call) -> Reply:
        file = call.form().get("result_file")
        if file is None:
            self.refuse_field(call, "result_file is required")
        try:
            rows = list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""), strict=True))
        except (UnicodeDecodeError, csv.Error) as error:
            raise Unreadable("result_file is not a CSV in UTF-8") from error
        if not rows or any(column not in rows[0] for column in CSV_COLUMNS):
            self.refuse_field(call, f"result_file needs rows and the columns {', '.join(CSV_COLUMNS)}")
        return self.create_all(call, [{name: (row[name] or "").strip() for name in CSV_COLUMNS} for row in rows])

    def create_contacts(self, call: Call) -> Reply:
        body = call.json()
        if not isinstance(body, list) or not body or not all(isinstance(each, dict) for each in body):
            raise Unreadable("the body must be a JSON array of contacts")
        rows = []
        for each in body:
            phone = each.get("cellPhone")
            phone = phone if isinstance(phone, dict) else {}
            flat = {
                **each,
                "cellPhoneNumber": phone.get("phoneNumber"),
                "cellPhoneCountryCode": phone.get("countryCode"),
                "cellPhoneExtension": phone.get("extension"),
            }
            rows.append({name: str(flat.get(name) or "") for name in CSV_COLUMNS})
        return self.create_all(call, rows)

    def create_all(self, call: Call, rows: list[dict[str, str]]) -> Reply:
        """Create contacts from rows with CSV_COLUMNS; a number that exists already is prevented."""
        account = self.account(call)
        call.entry.contacts_sent = len(rows)
        for number, row in enumerate(rows, 1):
            missing = [name for name in CSV_COLUMNS if not row[name]]
            if missing:
                self.refuse_field(call, f"{missing[0]} is required in row {number}")
            if row["salutation"].lower() not in SALUTATIONS:
                self.refuse_field(call, f"salutation must be Mr. or Mrs. in row {number}")
            if not digits(row["cellPhoneNumber"]):
                self.refuse_field(call, f"cellPhoneNumber is not a number in row {number}")
        phones = ["+" + digits(row["cellPhoneCountryCode"]) + digits(row["cellPhoneNumber"]) for row in rows]
        repeated = len({*phones}) < len(phones) or any(digits(phone) in account.active_numbers for phone in phones)
        if repeated and call.settings.prevented_rows == "error":
            self.refuse(call, 400, "a contact with this number exists")
        self.book.receive(call.entry, ADDRESS_BOOK, phones)
        answers, applied = [], []
        for row, phone in zip(rows, phones, strict=True):
            if digits(phone) not in account.active_numbers:
                answers.append(self.contact_fields(account, self.create_contact(account, row, phone)))
                applied.append(phone)
            elif call.settings.prevented_rows == "message":
                answers.append({"message": f"a contact with the number {phone} exists"})
        self.book.apply(self.key, ADDRESS_BOOK, applied, call.entry)
        return Reply.json(answers)

    def create_contact(self, account: KoreAccount, row: dict[str, str], phone: str) -> Contact:
        now = self.now()
        contact = Contact(
            self.hex(24),
            phone,
            "+" + digits(row["cellPhoneCountryCode"]),
            row["cellPhoneExtension"],
            row["firstName"],
            row["lastName"],
            SALUTATIONS[row["salutation"].lower()],
            now,
            now,
        )
        account.contacts.add(contact.id, contact)
        account.active_numbers[digits(phone)] = contact.id
        return contact

    def read_contacts(self, call: Call) -> Reply:
        account = self.account(call)
        skip, limit = call.number("skip", 0), min(PAGE, call.number("limit", 10, least=1))
        contacts = account.contacts.view("active", lambda all_: (each for each in all_ if each.status == "ACTIVE"))
        results = [self.contact_fields(account, each) for each in contacts[skip : skip + limit]]
        return Reply.json(self.paged(results, skip, limit, len(contacts)))

    def update_contact(self, call: Call) -> Reply:
        account = self.account(call)
        return Reply.json(self.change_contact(call, account, call.params["contact_id"], call.json_object()))

    def update_contacts(self, call: Call) -> Reply:
        account, body = self.account(call), call.json()
        if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
            raise Unreadable("the body must be a JSON array of contacts")
        return Reply.json([self.change_contact(call, account, str(each.get("id")), each) for each in body])

    def change_contact(
        self, call: Call, account: KoreAccount, contact_id: str, changes: dict[str, Any]
    ) -> dict[str, Any]:
        contact = self.active_contact(call, account, contact_id)
        contact.first_name = str(changes.get("firstName", contact.first_name))
        contact.last_name = str(changes.get("lastName", contact.last_name))
        contact.salutation = str(changes.get("salutation", contact.salutation))
        contact.updated = self.now()
        return self.contact_fields(account, contact)

    def delete_contact(self, call: Call) -> Reply:
        account = self.account(call)
        contact = self.active_contact(call, account, call.params["contact_id"])
        self.deactivate(account, contact)
        return Reply.json(self.contact_fields(account, contact))

    def delete_contacts(self, call: Call) -> Reply:
        account, ids = self.account(call), call.json_object().get("ids")
        if not isinstance(ids, list):
            self.refuse_field(call, "ids is required")
        done, failed = [], []
        for contact_id in ids:
            contact = account.contacts.get(contact_id)
            if contact is None or contact.status != "ACTIVE":
                failed.append({"id": contact_id, "message": "contact not found"})
            else:
                self.deactivate(account, contact)
                done.append({"id": contact_id})
        return Reply.json(
            {
                "totalRequested": len(ids),
                "successful": len(done),
                "failed": len(failed),
                "successfulRecords": done,
                "failedRecords": failed,
            }
        )

    def active_contact(self, call: Call, account: KoreAccount, contact_id: str) -> Contact:
        contact = account.contacts.get(contact_id)
        if contact is None or contact.status != "ACTIVE":
            self.refuse(call, 404, "contact not found")
        return contact

    def deactivate(self, account: KoreAccount, contact: Contact) -> None:
        contact.status, contact.updated = "INACTIVE", self.now()
        account.active_numbers.pop(digits(contact.phone), None)
        account.contacts.touch()

    def contact_fields(self, account: KoreAccount, contact: Contact) -> dict[str, Any]:
        return {
            "id": contact.id,
            "status": contact.status,
            "firstName": contact.first_name,
            "lastName": contact.last_name,
            "fullName": f"{contact.first_name} {contact.last_name}",
            "salutation": contact.salutation,
            "cellPhone": {
                "phoneNumber": contact.phone,
                "countryCode": contact.country_code,
                "extension": contact.extension,
            },
            "address": [],
            "twitterDetails": [],
            "accountId": account.account_id,
            "orgId": ORGANISATION,
            "createdBy": USER,
            "createdAt": iso(contact.created),
            "updatedAt": iso(contact.updated),
        }
