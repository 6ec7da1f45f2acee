"""Changes of several objects together, for pages and commands alike. Each is one transaction with its audit event."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from lists import phones
from lists.models import (
    FINAL_STATES,
    Connection,
    Contact,
    ContactList,
    ImportState,
    Suppression,
    SyncRun,
)
from lists.models.audit import record as audit
from lists.sync import accounts
from lists.vendors.base import HttpVendor
from lists.vendors.errors import VendorError

LOT = 500
"""Numbers of one statement."""


class Refused(Exception):
    """What was asked is not done; a sentence that says why and what to do."""


@contextmanager
def _name_still_free(name: str) -> Iterator[None]:
    """Around a save. Raises Refused: a name may be taken after its form was checked, as by the same form sent twice."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Refused(f"There is one named “{name}” already. Choose it, or take another name.") from error


# Contacts -----------------------------------------------------------------------------------------------------------


def find_contacts(text: str, *, by_part: bool) -> QuerySet[Contact]:
    """Contacts by a number in any spelling, or by name, e-mail or company; all of them when `text` is empty.

    A whole number is looked up by itself, so it answers at once however many contacts there are.

    by_part  whether digits in the middle of a number count: whoever may not see numbers must not find them out so
    """
    digits = phones.search_key(text)
    if not digits:
        return Contact.objects.matching(text)
    whole = Contact.objects.filter(phone__in=whole_numbers(text))
    if not by_part or whole.exists():
        return whole
    return Contact.objects.matching(text)


def whole_numbers(text: str) -> set[str]:
    """What a spelling may stand for, in E.164: as it is, its plus sign forgotten, in each country our lists know."""
    regions = ContactList.objects.exclude(default_region="").values_list("default_region", flat=True).distinct()
    spellings = [(text, None), (f"+{phones.search_key(text)}", None), *((text, region) for region in regions)]
    found = (phones.normalise(spelling, region) for spelling, region in spellings)
    return {number.e164 for number in found if isinstance(number, phones.Phone)}


def changes(instance: Any, names: Iterable[str], before: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{field: [before, after]} of what differs, as the audit keeps it."""
    return {name: [before[name], getattr(instance, name)] for name in names if before[name] != getattr(instance, name)}


@transaction.atomic
def change_contact(contact: Contact, names: Iterable[str], by: User) -> None:
    """Save the fields named; the audit tells which, never what a person is called."""
    contact.save(update_fields=[*names, "updated_at"])
    audit(by, "changed", contact, fields=sorted(names))


# Lists --------------------------------------------------------------------------------------------------------------


@transaction.atomic
def create_list(contact_list: ContactList, by: User | None) -> ContactList:
    """Raises Refused where the name is taken."""
    contact_list.owner = by
    with _name_still_free(contact_list.name):
        contact_list.save()
    audit(by, "created", contact_list)
    return contact_list


@transaction.atomic
def change_list(contact_list: ContactList, changed: Mapping[str, list[Any]], by: User) -> None:
    """Save the fields of `changed` ({field: [before, after]}). Raises Refused where the name is taken."""
    with _name_still_free(contact_list.name):
        contact_list.save(update_fields=[*changed, "updated_at"])
    audit(by, "changed", contact_list, **changed)


@transaction.atomic
def archive_list(contact_list: ContactList, by: User) -> None:
    """Put a list away: it stays readable and takes no more files and pushes. Raises Refused while work is under way."""
    ContactList.objects.select_for_update().get(pk=contact_list.pk)  # an import that begins now waits and sees it
    if contact_list.runs.exclude(state__in=FINAL_STATES).exists():
        raise Refused("A push of this list is under way. Stop it or wait for its end, then archive the list.")
    if contact_list.imports.filter(state__in=[ImportState.ANALYSING, ImportState.COMMITTING]).exists():
        raise Refused("A file is being imported into this list. Wait for its end, then archive the list.")
    contact_list.archived_at = timezone.now()
    contact_list.save(update_fields=["archived_at", "updated_at"])
    audit(by, "archived", contact_list)


@transaction.atomic
def restore_list(contact_list: ContactList, by: User) -> None:
    contact_list.archived_at = None
    contact_list.save(update_fields=["archived_at", "updated_at"])
    audit(by, "restored", contact_list)


# Do not contact -----------------------------------------------------------------------------------------------------


class Unread(NamedTuple):
    """A line that holds no number we may use, and why."""

    line: int
    text: str
    reason: str
    suggestion: str


@dataclass
class Suppressed:
    """What became of numbers that were to be suppressed; a number given twice counts once."""

    added: int = 0
    already: int = 0
    unread: list[Unread] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        numbers = "1 number" if self.added == 1 else f"{self.added:,} numbers"
        return f"{numbers} added, {self.already:,} there already." if self.already else f"{numbers} added."


def suppress(
    spellings: Iterable[tuple[int, str]], *, reason: str, region: str = "", source: str = "", by: User | None = None
) -> Suppressed:
    """Make numbers do-not-contact, now and for every later import and push. A lifted one is suppressed again.

    spellings  (line, the number in any spelling); what is not readable is told, and the others count all the same
    region     ISO 3166 code of numbers without a country code
    """
    result = Suppressed()
    numbers: dict[str, None] = {}
    for line, text in spellings:
        found = phones.normalise(text, region or None)
        if isinstance(found, phones.Phone):
            numbers[found.e164] = None
        else:
            result.unread.append(Unread(line, text, found.reason, found.suggestion))
    with transaction.atomic():
        every = list(numbers)
        for start in range(0, len(every), LOT):
            lot = every[start : start + LOT]
            added = _suppress_lot(lot, reason, source, by)
            result.added += added
            result.already += len(lot) - added
    return result


def _suppress_lot(numbers: list[str], reason: str, source: str, by: User | None) -> int:
    known = dict(Suppression.objects.filter(phone__in=numbers).values_list("phone", "lifted_at"))
    lifted = [phone for phone, lifted_at in known.items() if lifted_at]
    Suppression.objects.filter(phone__in=lifted).update(
        reason=reason, source=source, created_by=by, created_at=timezone.now(),
        lifted_at=None, lifted_by=None, lift_reason="",
    )  # fmt: skip
    new = [phone for phone in numbers if phone not in known]
    Suppression.objects.bulk_create(
        [Suppression(phone=phone, reason=reason, source=source, created_by=by) for phone in new], ignore_conflicts=True
    )
    if new or lifted:
        first = Suppression.objects.get(phone=(new or lifted)[0])
        audit(by, "suppressed", first, numbers=len(new) + len(lifted), reason=reason, source=source)
    return len(new) + len(lifted)


@transaction.atomic
def lift(suppression: Suppression, reason: str, by: User) -> None:
    """Let a number be contacted again. The row stays, with who lifted it and why."""
    suppression.lifted_at = timezone.now()
    suppression.lifted_by = by
    suppression.lift_reason = reason
    suppression.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    audit(by, "lifted", suppression, reason=reason, was_suppressed_for=suppression.reason)


# Connections --------------------------------------------------------------------------------------------------------


DECIDE_THE_ADDRESS = ("base_url", "region")


def moves(connection: Connection, vendor: type[HttpVendor], settings: Mapping[str, str]) -> bool:
    """Whether these settings send a stored connection's requests to another address than now."""
    if connection.pk is None:
        return False
    usual = {setting.name: setting.default for setting in vendor.settings}
    return any(
        (settings[name] or usual.get(name)) != (connection.settings.get(name) or usual.get(name))
        for name in DECIDE_THE_ADDRESS
        if name in settings
    )


@transaction.atomic
def save_connection(
    connection: Connection,
    vendor: type[HttpVendor],
    settings: dict[str, str],
    secrets: dict[str, str],
    by: User | None,
) -> Connection:
    """Store a connection with its settings; of the secrets those given, the others stay. Raises Refused.

    The name and vendor are set on `connection` already. Nothing is asked of the vendor.
    """
    wanted = {setting.name for setting in vendor.settings if setting.secret}
    if moves(connection, vendor, settings) and wanted - set(secrets):
        # Otherwise whoever may change the address could have the old credentials sent to it.
        raise Refused(f"The address changes, so give all secrets again: {', '.join(sorted(wanted))}.")
    is_new = connection.pk is None
    before = {} if is_new else connection.settings
    connection.settings = before | settings
    connection.rehearsal = accounts.is_rehearsal(connection.settings.get("base_url", ""))
    if secrets or is_new or before != connection.settings:
        connection.health, connection.health_text = Connection.Health.UNKNOWN, ""
    with _name_still_free(connection.name):
        connection.save()
    if secrets:
        connection.set_secrets(secrets)
        connection.save(update_fields=["credentials"])
    try:
        accounts.pacer(accounts.connected(connection))
    except VendorError as error:
        raise Refused(error.message) from error
    changed = sorted(name for name, value in settings.items() if before.get(name) != value)
    audit(by, "created" if is_new else "changed", connection, settings=changed, secrets=sorted(secrets))
    return connection


@transaction.atomic
def archive_connection(connection: Connection, by: User) -> None:
    """Put a connection away; its history stays. Raises Refused while a push over it is under way."""
    if SyncRun.objects.filter(connection=connection).exclude(state__in=FINAL_STATES).exists():
        raise Refused("A push over this connection is under way. Stop it or wait for its end, then archive it.")
    connection.archived_at = timezone.now()
    connection.save(update_fields=["archived_at", "updated_at"])
    audit(by, "archived", connection)


@transaction.atomic
def restore_connection(connection: Connection, by: User) -> None:
    connection.archived_at = None
    connection.save(update_fields=["archived_at", "updated_at"])
    audit(by, "restored", connection)


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(line, text) of the lines that hold something; the first line is 1."""
    return ((number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip())
