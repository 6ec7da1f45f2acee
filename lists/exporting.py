"""A list as a CSV file: safe to open in a spreadsheet, and the same contacts when it is imported again."""

import csv
import io
from collections.abc import Iterator

from lists.importing.flow import safe_cell
from lists.models import ContactList, Membership

COLUMNS = ("phone", "first_name", "last_name", "salutation", "email", "company", "tag", "time_zone")
PIECE = 64 * 1024


def export(contact_list: ContactList) -> Iterator[str]:
    """The file in pieces, a row a membership, extra attributes behind the known columns. UTF-8 with BOM."""
    memberships = Membership.objects.filter(contact_list=contact_list).order_by("contact_id", "occurrence")
    extras = _extra_columns(contact_list)
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    writer.writerow([safe_cell(name) for name in (*COLUMNS, *extras)])
    rows = memberships.values_list(*(f"contact__{name}" for name in COLUMNS), "contact__extra", "extra")
    for *values, of_contact, of_row in rows.iterator(chunk_size=2_000):
        further = of_contact | of_row
        writer.writerow([safe_cell(str(value)) for value in (*values, *(further.get(name, "") for name in extras))])
        if buffer.tell() > PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _extra_columns(contact_list: ContactList) -> list[str]:
    """Names of all extra attributes in the list, by name."""
    memberships = Membership.objects.filter(contact_list=contact_list)
    names: set[str] = set()
    for column in ("contact__extra", "extra"):
        for extra in memberships.exclude(**{column: {}}).values_list(column, flat=True).iterator(chunk_size=2_000):
            names.update(extra)
    return sorted(names - set(COLUMNS))
