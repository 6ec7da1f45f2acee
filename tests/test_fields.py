"""The fields of a contact are said once, in `lists.fields`; what has to repeat them is held to it here."""

import pytest

from lists.fields import BY_NAME, FIELDS, OF_CONTACT, TEXTS
from lists.importing.cleaning import CleanRow
from lists.importing.columns import key
from lists.models import Contact, ImportRow
from lists.vendors.base import FIELD_LABELS
from lists.vendors.records import ContactRecord


@pytest.mark.parametrize("model", [Contact, ImportRow])
def test_the_models_have_every_field_at_its_length(model):
    assert {name: model._meta.get_field(name).max_length for name in TEXTS} == {
        name: BY_NAME[name].longest for name in TEXTS
    }


def test_records_of_vendors_carry_the_fields_in_their_order():
    assert ContactRecord._fields == ("key", *OF_CONTACT, "remote_id")


def test_vendors_have_a_word_for_every_field():
    assert set(FIELD_LABELS) == {*OF_CONTACT, "full_name"}


def test_a_clean_row_has_room_for_every_field():
    assert all(hasattr(CleanRow(2), name) for name in OF_CONTACT)


def test_no_header_is_an_alias_of_two_fields():
    known = [key(alias) for field in FIELDS for alias in {key(field.label), *map(key, field.aliases)}]
    assert sorted({alias for alias in known if known.count(alias) > 1}) == []


def test_every_field_of_a_contact_has_an_example_for_the_template():
    assert all(BY_NAME[name].example for name in OF_CONTACT)
