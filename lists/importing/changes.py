"""What a row changes about a contact, field by field, and a row as the grid shows it."""

from typing import NamedTuple

from lists import phones
from lists.fields import TEXTS
from lists.importing.columns import Mapping
from lists.importing.matching import LABELS
from lists.models import Contact, Import, ImportRow, RowOutcome


class Change(NamedTuple):
    label: str
    old: str
    new: str


def changes_of(row: ImportRow, on_existing: str) -> list[Change]:
    """Old → new, field by field, of a row that updates a contact: as it will be, or as it was once it is saved."""
    if row.outcome != RowOutcome.UPDATED:
        return []
    if row.before is not None:
        earlier, fields = row.before, [field for field in TEXTS if field in row.before]
        old_extra = row.before.get("extra")
    else:
        try:
            contact = row.contact or Contact()
        except Contact.DoesNotExist:
            contact = Contact()  # deleted since the preview; the commit will make it anew
        earlier = {field: getattr(contact, field) for field in TEXTS}
        fields = [
            field
            for field in TEXTS
            if (new := getattr(row, field))
            and new != earlier[field]
            and (on_existing == "replace" or not earlier[field])
        ]
        old_extra = contact.extra
    found = [Change(LABELS[field], earlier[field], getattr(row, field)) for field in fields]
    if old_extra is not None:
        found += [
            Change(header, old_extra.get(header, ""), value)
            for header, value in row.extra.items()
            if old_extra.get(header) != value and (on_existing == "replace" or header not in old_extra)
        ]
    return found


class RowShown(NamedTuple):
    """A row as the grid shows it: the number's cell and what repaired it, then what the row would change."""

    row: ImportRow
    written: str
    rule: str
    changes: list[Change]

    @property
    def more(self) -> str:
        return " · ".join(filter(None, (self.row.email, self.row.company, self.row.tag)))


def shown(imported: Import, row: ImportRow) -> RowShown:
    mapping = Mapping.from_dict(imported.mapping)
    written = row.raw[mapping.columns["phone"]] if mapping.columns["phone"] < len(row.raw) else ""
    rule = ""
    if row.phone and written != row.phone:
        country_at = mapping.columns.get("country")
        country = row.raw[country_at] if country_at is not None and country_at < len(row.raw) else ""
        found = phones.normalise(written, phones.region_of(country) or mapping.region or None)
        rule = found.rule if isinstance(found, phones.Phone) else ""
    return RowShown(row, written, rule, changes_of(row, imported.on_existing))
