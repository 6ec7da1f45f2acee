"""Files on their way into lists, for the tests of importing: plain functions with sensible defaults."""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from lists import jobs
from lists.importing import flow
from lists.importing.columns import Mapping
from lists.importing.flow import Target
from lists.importing.guessing import suggested
from lists.models import Contact, ContactList, Import, Membership
from tests.factories import make_list

HEADER = ["Phone", "First name", "Last name", "Email", "City"]
MAPPING = Mapping({"phone": 0, "first_name": 1, "last_name": 2, "email": 3}, "IN", {}, [4])


def csv_bytes(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return text.getvalue().encode()


def upload(rows: Sequence[Sequence[str]] | bytes, contact_list: ContactList | None = None) -> Import:
    content = rows if isinstance(rows, bytes) else csv_bytes(rows)
    return flow.receive([content], "renewals.csv", Target(contact_list or make_list()), None)


def preview(
    rows: Sequence[Sequence[str]] | bytes,
    contact_list: ContactList | None = None,
    on_existing: str = "fill",
    other_person: str = "keep",
) -> Import:
    """An import that has been analysed and waits for a person."""
    imported = upload(rows, contact_list)
    mapping = MAPPING if imported.headers == HEADER else suggested(imported.headers, [], "IN")
    flow.match_columns(imported, mapping, on_existing, other_person)
    return work(imported)


def commit(imported: Import, *, unanswered: bool = False) -> Import:
    flow.begin_commit(imported, None, unanswered=unanswered)
    return work(imported)


def run(
    rows: Sequence[Sequence[str]] | bytes,
    contact_list: ContactList,
    on_existing: str = "fill",
    other_person: str = "keep",
) -> Import:
    return commit(preview(rows, contact_list, on_existing, other_person))


def undo(imported: Import) -> Import:
    flow.begin_undo(imported, None)
    return work(imported)


def work(imported: Import) -> Import:
    jobs.work_to_end("import", imported.pk)
    imported.refresh_from_db()
    return imported


def state() -> dict[str, Any]:
    """Everything an import may change, as plain data."""
    numbers = dict(Contact.objects.values_list("pk", "phone"))
    fields = ("first_name", "last_name", "salutation", "email", "company", "tag", "time_zone", "extra")
    return {
        "contacts": {row["phone"]: {field: row[field] for field in fields} for row in Contact.objects.values()},
        "memberships": sorted(
            (list_id, numbers[contact_id], occurrence)
            for list_id, contact_id, occurrence in Membership.objects.values_list(
                "contact_list_id", "contact_id", "occurrence"
            )
        ),
        "counts": dict(ContactList.objects.values_list("pk", "contact_count")),
    }


@contextmanager
def rolled_back() -> Iterator[None]:
    """A world that is gone afterwards, for tests that build many."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
