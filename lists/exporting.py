"""CSV files that are safe to open in a spreadsheet: a list, which is the same contacts when it is imported again, the
rows an import rejected, and a template to fill in."""

import csv
import io
import re
from collections.abc import Iterable, Iterator

from django.db.models import Exists, OuterRef

from lists.fields import BY_NAME, FIELDS, OF_CONTACT
from lists.importing.columns import ATTRIBUTE, key
from lists.importing.lines import file_line
from lists.importing.progress import last_counted
from lists.models import ContactList, Import, Membership, RowOutcome, Suppression

REJECTED_COLUMNS = ("_line", "_code", "_column", "_value", "_reason", "_suggestion")
PIECE = 64 * 1024
_is_formula = re.compile(r"'*[=+@\t\r\0-]").match
_is_number = re.compile(r"\+\d{5,15}").fullmatch


def safe_cell(text: str) -> str:
    """A cell a spreadsheet will not run. `cleaning.tidy` takes the apostrophe off again; a plain number gets none."""
    return f"'{text}" if _is_formula(text) and not _is_number(text) else text


def safe_csv(rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Rows, the header first, as the pieces of a CSV file. UTF-8 with BOM."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer)
    for row in rows:
        writer.writerow([safe_cell(str(cell)) for cell in row])
        if buffer.tell() > PIECE:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


DO_NOT_CONTACT = "do_not_contact"
"""The column that says "yes" of a number nobody may call; a file with it can only suppress, never lift."""


def export(contact_list: ContactList) -> Iterator[str]:
    """The file in pieces, a row a membership, extra attributes behind the known columns."""
    return safe_csv(_memberships(contact_list))


def _memberships(contact_list: ContactList) -> Iterator[Iterable[object]]:
    memberships = Membership.objects.filter(contact_list=contact_list).order_by("contact_id", "occurrence")
    attributes = _attributes(contact_list)
    yield (*OF_CONTACT, DO_NOT_CONTACT, *map(attribute_header, attributes))
    suppressed = Exists(Suppression.objects.active().filter(phone=OuterRef("contact__phone")))
    of_contact = (f"contact__{name}" for name in OF_CONTACT)
    rows = memberships.values_list(*of_contact, suppressed, "contact__extra", "extra")
    for *values, is_suppressed, extra_of_contact, extra_of_row in rows.iterator(chunk_size=2_000):
        extra = extra_of_contact | extra_of_row
        yield (*values, "yes" if is_suppressed else "", *(extra.get(name, "") for name in attributes))


_FIELD_WORDS = {key(word) for known in FIELDS for word in (known.name, known.label, *known.aliases)}


def attribute_header(name: str) -> str:
    """The header an attribute has in an export: marked where it would be read as a field of ours.

    The importer takes the mark off again, so a name that ends in it is marked once more.
    """
    return name + ATTRIBUTE if key(name) in _FIELD_WORDS or name.endswith(ATTRIBUTE) else name


def _attributes(contact_list: ContactList) -> list[str]:
    """Names of all extra attributes in the list, in order."""
    memberships = Membership.objects.filter(contact_list=contact_list)
    names: set[str] = set()
    for column in ("contact__extra", "extra"):
        for extra in memberships.exclude(**{column: {}}).values_list(column, flat=True).iterator(chunk_size=2_000):
            names.update(extra)
    return sorted(names)


def rejected_rows(imported: Import) -> Iterator[str]:
    """The rejected rows of an import in pieces: the file's own columns, then where, why, and what to do."""
    return safe_csv(_rejected(imported))


def _rejected(imported: Import) -> Iterator[Iterable[object]]:
    width = len(imported.headers)
    yield (*imported.headers, *REJECTED_COLUMNS)
    rows = imported.rows.filter(outcome=RowOutcome.REJECTED, line__lte=last_counted(imported)).order_by("line")
    said = rows.values_list("raw", "line", "code", "column", "value", "reason", "suggestion")
    for raw, line, *rest in said.iterator(chunk_size=2_000):
        # A row with more cells than the header keeps them behind everything else, where no column is shifted by them.
        yield (*raw[:width], *[""] * (width - len(raw)), file_line(line), *rest, *raw[width:])


def template() -> Iterator[str]:
    """A table with our own columns and one row that passes every check."""
    known = [BY_NAME[name] for name in OF_CONTACT]
    return safe_csv([[field.label for field in known], [field.example for field in known]])
