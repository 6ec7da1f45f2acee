"""What the vendors would make of a list once a file is imported into it, told before anything is saved.

Vendors' rules are their declarations (`lists.vendors.base`). Rows are not judged one by one: what a vendor requires
depends on which fields are blank, so rows are counted by that and one record of each kind is judged.
"""

from collections import Counter
from dataclasses import dataclass, field

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When

from lists.fields import TEXTS
from lists.models import (
    Connection,
    ContactList,
    Import,
    ImportRow,
    Membership,
    OnExisting,
    RemoteContact,
    RowOutcome,
    RunKind,
)
from lists.sync import accounts
from lists.sync.costing import cost
from lists.sync.translating import new_list
from lists.vendors.base import HttpVendor
from lists.vendors.records import ContactRecord
from lists.vendors.registry import vendor_class

IMPORTED = (RowOutcome.CREATED, RowOutcome.UPDATED, RowOutcome.UNCHANGED)
EXAMPLE = ContactRecord("example", "+12025550100")


@dataclass
class Readiness:
    """How ready one connection is for the list.

    ready     contacts of the file the vendor would take
    list_size contacts of the list after the import
    problems  (sentence, does it stand in the way) each, the worst first
    notes     what is worth knowing: requests, contacts that are made there first
    """

    connection: Connection
    vendor: str
    ready: int
    list_size: int
    problems: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def is_blocked(self) -> bool:
        return any(blocks for _, blocks in self.problems)

    @property
    def state(self) -> str:
        return "rejected" if self.is_blocked else "unknown" if self.problems else "confirmed"


def connections_of(contact_list: ContactList | None) -> QuerySet[Connection]:
    """The connections this list goes to already; every connection in use where it goes to none yet."""
    current = Connection.objects.current().order_by("name")
    synced = current.filter(remote_lists__contact_list=contact_list)
    return synced if contact_list and synced.exists() else current


def judge_list(imp: Import) -> list[Readiness]:
    """Each connection against the list alone, quick whatever the size of the file.

    The list will have at least what it has and what is created; `judge_import` counts exactly.
    """
    if imp.contact_list is None:
        return []
    return _judged(imp, imp.contact_list, imp.contact_list.contact_count + imp.created)


def judge_import(imp: Import) -> list[Readiness]:
    """`judge_list`, and each connection against the contacts of the file, with what a push of them would cost."""
    if imp.contact_list is None:
        return []
    found = _judged(imp, imp.contact_list, imp.contact_list.contact_count + imp.created + _joining(imp))
    kinds = blank_fields(imp) if found else {}
    for readiness in found:
        vendor = vendor_class(readiness.connection.vendor)
        _judge_contacts(readiness, vendor, kinds)
        _count_requests(readiness, vendor, imp)
        readiness.problems.sort(key=lambda problem: not problem[1])
    return found


def _imported(imp: Import) -> int:
    return imp.created + imp.updated + imp.unchanged


def _judged(imp: Import, contact_list: ContactList, size: int) -> list[Readiness]:
    told, found = new_list(contact_list), []
    for connection in connections_of(contact_list):
        vendor = vendor_class(connection.vendor)
        problems = [(_sentence(problem.message), problem.blocks) for problem in vendor.judge_list(told, size)]
        found.append(Readiness(connection, vendor.label, _imported(imp), size, problems))
    return found


def _joining(imp: Import) -> int:
    """Rows of contacts we have that would be new to the list."""
    there = Membership.objects.filter(
        contact_list=imp.contact_list, contact=OuterRef("contact"), occurrence=OuterRef("occurrence")
    )
    rows = ImportRow.objects.filter(imported=imp, outcome__in=[RowOutcome.UPDATED, RowOutcome.UNCHANGED])
    return rows.filter(~Exists(there)).count()


def blank_fields(imp: Import) -> dict[frozenset[str], int]:
    """{the judged fields a contact would have: contacts}, over the rows that are imported.

    What a contact of ours has counts as well: a file clears nothing, and under `keep` it adds nothing either.
    """
    rows = ImportRow.objects.filter(imported=imp, outcome__in=IMPORTED, same_as=None)
    has = {}
    for name in TEXTS:
        ours, theirs = Q(**{f"contact__{name}__gt": ""}), Q(**{f"{name}__gt": ""})
        if imp.on_existing == OnExisting.KEEP:
            theirs &= Q(outcome=RowOutcome.CREATED)
        there = ours | theirs
        has[f"has_{name}"] = Case(When(there, then=Value(1)), default=Value(0))
    kinds: Counter[frozenset[str]] = Counter()
    for *flags, count in rows.annotate(**has).values_list(*has).annotate(count=Count("line")).order_by():
        kinds[frozenset(name for name, flag in zip(TEXTS, flags, strict=True) if flag)] += count
    return kinds


def _judge_contacts(readiness: Readiness, vendor: type[HttpVendor], kinds: dict[frozenset[str], int]) -> None:
    refused: Counter[tuple[str, bool]] = Counter()
    for present, count in kinds.items():
        record = ContactRecord(EXAMPLE.key, EXAMPLE.phone, **dict.fromkeys(present, "x"))
        if problem := vendor.judge_record(record):
            refused[problem.message, problem.blocks] += count
            readiness.ready -= count if problem.blocks else 0
    readiness.problems += [
        (_sentence(f"{count:,} of the contacts: {message}"), blocks)
        for (message, blocks), count in refused.most_common()
    ]


def _count_requests(readiness: Readiness, vendor: type[HttpVendor], imp: Import) -> None:
    connection, batches = readiness.connection, 0
    for operation in vendor.operations[RunKind.LIST]:
        size = accounts.batch_size(connection, operation)
        contacts = readiness.ready
        if operation.gives_ids:
            contacts = min(contacts, imp.created + _without_id(connection, imp))
            if contacts:
                readiness.notes.append(
                    f"{contacts:,} have no {vendor.label} id yet; they are made there first "
                    f"({_requests(-(-contacts // size))})."
                )
        batches += -(-contacts // size)
    told = cost(connection, RunKind.LIST, batches, readiness.list_size)
    read_back = f", and {told.reading:,} more to read the list back" if told.reading else ""
    time = f": {told.time_in_words} at {told.pace}" if told.pace else ""
    readiness.notes.append(f"Sending all of them takes {_requests(told.sending)}{read_back}{time}.")
    if not told.fits_today:
        readiness.problems.append((
            f"Of the {_requests(told.quota)} a day, {told.left_today:,} are left today; the rest goes out after "
            "00:00 UTC.", False,
        ))  # fmt: skip


def _without_id(connection: Connection, imp: Import) -> int:
    """Contacts of ours among the rows that this vendor has not given an id."""
    known = RemoteContact.objects.filter(connection=connection, contact=OuterRef("contact"))
    rows = ImportRow.objects.filter(imported=imp, outcome__in=[RowOutcome.UPDATED, RowOutcome.UNCHANGED], same_as=None)
    return rows.filter(~Exists(known)).count()


def _requests(count: int) -> str:
    return f"{count:,} {'request' if count == 1 else 'requests'}"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
