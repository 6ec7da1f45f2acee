"""Small worlds for tests: plain functions with sensible defaults."""

import base64
import hmac
import struct
import time
from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.utils import timezone

from lists.models import (
    FINAL_STATES,
    Connection,
    Contact,
    ContactList,
    Import,
    Membership,
    Suppression,
    SyncAttempt,
    SyncBatch,
    SyncItem,
    SyncRun,
)
from lists.permissions import ROLES

_numbers = count(1)


def make_user(role: str, **fields: Any) -> User:
    """A person with one role of `lists.permissions.ROLES`, or with none for `""`; the password is the user name."""
    assert role in {*ROLES, ""}
    username = fields.pop("username", f"{role.replace(' ', '-') or 'nobody'}-{next(_numbers)}")
    user = get_user_model().objects.create_user(username, password=username, **fields)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def authenticator_code(secret: str) -> str:
    """What an authenticator app shows now (RFC 6238: SHA-1, 30 s, six digits)."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def example_number(position: int) -> str:
    """A valid number that is like those of our documents, by position: E.164, up to position 99,999,999."""
    return f"+9198{position:08d}"


def make_contact(phone: str = "", *, contact_list: ContactList | None = None, **fields: Any) -> Contact:
    contact = Contact.objects.create(phone=phone or example_number(next(_numbers)), **fields)
    if contact_list:
        join(contact_list, contact)
    return contact


def make_list(name: str = "", *, contacts: int = 0, **fields: Any) -> ContactList:
    """A list, with as many contacts as asked for."""
    fields.setdefault("description", "People whose contract ends in July")
    contact_list = ContactList.objects.create(name=name or f"Renewals {next(_numbers)}", **fields)
    for _ in range(contacts):
        make_contact(contact_list=contact_list)
    return contact_list


def join(contact_list: ContactList, contact: Contact, *, occurrence: int = 1) -> Membership:
    contact_list.contact_count += 1
    contact_list.save(update_fields=["contact_count"])
    return Membership.objects.create(contact_list=contact_list, contact=contact, occurrence=occurrence)


def make_connection(vendor: str = "leadlex", name: str = "", *, secrets: dict[str, str] | None = None, **fields: Any):
    """A connection to a vendor, with its secrets stored as the product stores them."""
    connection = Connection.objects.create(vendor=vendor, name=name or f"{vendor} {next(_numbers)}", **fields)
    if secrets:
        connection.set_secrets(secrets)
        connection.save(update_fields=["credentials"])
    return connection


def make_run(
    outcomes: dict[str, int] | None = None,
    *,
    contact_list: ContactList | None = None,
    connection: Connection | None = None,
    state: str = "completed",
    batch: int = 100,
    **fields: Any,
) -> SyncRun:
    """A run as the engine leaves it: an item per contact, batches of `batch`, one attempt for each batch answered.

    outcomes  {outcome: contacts}, in the order of their positions; three added where none is given
    """
    outcomes = {"added": 3} if outcomes is None else outcomes
    contact_list = contact_list or make_list()
    connection = connection or make_connection()
    begun = fields.get("created_at") or timezone.now() - timedelta(minutes=5)
    is_sent = state not in {"planned", "awaiting_approval", "queued"}
    fields.setdefault("started_at", begun if is_sent else None)
    fields.setdefault("finished_at", begun + timedelta(seconds=94) if state in FINAL_STATES else None)
    created_at = fields.pop("created_at", begun)
    run = SyncRun.objects.create(
        contact_list=contact_list,
        connection=connection,
        list_name=contact_list.name,
        connection_name=connection.name,
        vendor=connection.vendor,
        rehearsal=connection.rehearsal,
        state=state,
        plan_hash=fields.pop("plan_hash", "3f1c" * 16),
        total=sum(outcomes.values()),
        **{**outcomes, **fields},
    )
    SyncRun.objects.filter(pk=run.pk).update(created_at=created_at)  # auto_now_add has its own idea
    run.refresh_from_db()
    said = [outcome for outcome, contacts in outcomes.items() for _ in range(contacts)]
    people = Contact.objects.bulk_create(
        Contact(phone=example_number(next(_numbers)), first_name="Asha", last_name=f"Rao {position}")
        for position in range(1, len(said) + 1)
    )
    batches = [
        make_batch(run, sequence, first, min(first + batch - 1, len(said)), people[first - 1 : first + batch - 1])
        for sequence, first in enumerate(range(1, len(said) + 1, batch), 1)
    ]
    SyncItem.objects.bulk_create(
        SyncItem(
            run=run,
            position=position,
            contact=person,
            outcome=outcome,
            batch=batches[(position - 1) // batch],
            changed_at=begun,
        )
        for position, (person, outcome) in enumerate(zip(people, said, strict=True), 1)
    )
    if is_sent:
        for number, sent in enumerate(batches):
            make_attempt(run, batch=sent, started_at=begun + timedelta(seconds=number))
    run.batch_count, run.request_count = len(batches), len(batches) if is_sent else 0
    run.save(update_fields=["batch_count", "request_count"])
    return run


def make_batch(run: SyncRun, sequence: int, first: int, last: int, people: list[Contact]) -> SyncBatch:
    return SyncBatch.objects.create(
        run=run,
        sequence=sequence,
        operation="add_to_list",
        first=first,
        last=last,
        entries=[{"phone": person.phone, "first_name": person.first_name} for person in people],
        state="planned" if run.is_plan else "answered",
    )


def make_attempt(run: SyncRun, *, batch: SyncBatch | None = None, **fields: Any) -> SyncAttempt:
    """One request of a run and its answer, as the history keeps them."""
    return SyncAttempt.objects.create(
        run=run,
        batch=batch,
        **{
            "operation": "add_to_list",
            "method": "POST",
            "path": "/v1/lists/9a1f/contacts",
            "contacts": batch.last - batch.first + 1 if batch else 0,
            "started_at": timezone.now(),
            "latency_ms": 240,
            "status": 200,
            "request_excerpt": 'POST /v1/lists/9a1f/contacts\n{"contact_ids": ["c-1", "c-2"]}',
            "answer_excerpt": 'HTTP 200\n{"added": 2, "contact_count": 2}',
            **fields,
        },
    )


def make_suppression(phone: str = "", **fields: Any) -> Suppression:
    fields.setdefault("reason", "Asked not to be called")
    return Suppression.objects.create(phone=phone or example_number(next(_numbers)), **fields)


def make_import(contact_list: ContactList | None = None, **fields: Any) -> Import:
    """An import as the database alone knows it; the file and its rows are the business of `lists.importing`."""
    contact_list = contact_list or make_list()
    fields.setdefault("filename", "renewals.csv")
    return Import.objects.create(contact_list=contact_list, list_name=contact_list.name, **fields)
