"""Our rows in the vendors' words: a contact as a record, a list as a new list."""

from collections.abc import Sequence

from lists.models import ContactList
from lists.vendors.records import ContactRecord, NewList

# The columns of a contact a record is made of, in its own order.
FIELDS = ("phone", "first_name", "last_name", "salutation", "email", "company", "tag", "time_zone")


def record(position: int, values: Sequence[str], remote_id: str = "") -> ContactRecord:
    """values: in the order of FIELDS."""
    return ContactRecord._make((str(position), *values, remote_id))


def new_list(contact_list: ContactList) -> NewList:
    return NewList(contact_list.name, contact_list.description, contact_list.allow_duplicates)
