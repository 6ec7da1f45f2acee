"""Contacts: found by a person, and changed by one."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from lists import phones
from lists.models import Contact, ContactList
from lists.models.audit import record as audit


def find_contacts(text: str, *, by_part: bool) -> QuerySet[Contact]:
    """Contacts by a number in any spelling, or by name, e-mail or company; all of them when `text` is empty.

    A whole number is looked up by itself, so it answers at once however many contacts there are.

    by_part  whether digits in the middle of a number count: whoever may not see numbers must not find them out so
    """
    digits = phones.search_key(text)
    if not digits:
        return Contact.objects.matching(text)
    numbers = whole_numbers(text)
    whole = Contact.objects.filter(phone__in=numbers)
    if whole.exists():
        return whole
    others = Contact.objects.with_other_number(numbers)
    return others if not by_part or others.exists() else Contact.objects.matching(text)


def whole_numbers(text: str) -> set[str]:
    """What a spelling may stand for, in E.164: as it is, its plus sign forgotten, in each country our lists know."""
    regions = ContactList.objects.exclude(default_region="").values_list("default_region", flat=True).distinct()
    spellings = [(text, None), (f"+{phones.search_key(text)}", None), *((text, region) for region in regions)]
    found = (phones.normalise(spelling, region) for spelling, region in spellings)
    return {number.e164 for number in found if isinstance(number, phones.Phone)}


@transaction.atomic
def change_contact(contact: Contact, names: Iterable[str], by: User) -> None:
    """Save the fields named; the audit tells which, never what a person is called."""
    contact.save(update_fields=[*names, "updated_at"])
    audit(by, "changed", contact, fields=sorted(names))
