"""Our rows in the vendors' words: a contact as a record, a list as a new list."""

from collections.abc import Sequence

from lists.models import ContactList
from lists.vendors.records import ContactRecord, NewList


def record(position: int, values: Sequence[str], remote_id: str = "") -> ContactRecord:
    """values: in the order of `fields.OF_CONTACT`."""
    return ContactRecord._make((str(position), *values, remote_id))


def new_list(contact_list: ContactList) -> NewList:
    return NewList(contact_list.name, contact_list.description, contact_list.allow_duplicates)
