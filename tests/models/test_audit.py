import pytest

from lists.models import AuditEvent
from lists.models.audit import first_altered, record
from lists.permissions import ADMINISTRATOR
from tests.factories import make_list, make_user

pytestmark = pytest.mark.django_db


def test_events_follow_each_other():
    person, contact_list = make_user(ADMINISTRATOR), make_list("Renewals")
    first = record(person, "created", contact_list)
    second = record(None, "renamed", contact_list, name=["Renewals", "Renewals July"])
    assert second.previous_hash == first.hash
    assert first_altered() is None
    assert str(first) == f"{person.username} created Renewals"


def test_a_changed_event_is_found():
    contact_list = make_list()
    record(None, "created", contact_list)
    changed = record(None, "renamed", contact_list, name=["a", "b"])
    record(None, "archived", contact_list)
    AuditEvent.objects.filter(pk=changed.pk).update(details={"name": ["a", "c"]})
    assert first_altered() == changed


def test_a_removed_event_is_found():
    contact_list = make_list()
    record(None, "created", contact_list)
    removed = record(None, "renamed", contact_list)
    after = record(None, "archived", contact_list)
    AuditEvent.objects.filter(pk=removed.pk).delete()
    assert first_altered() == after


def test_events_outlive_the_person():
    person = make_user(ADMINISTRATOR, username="mara")
    event = record(person, "created", make_list())
    person.delete()
    event.refresh_from_db()
    assert event.actor is None and event.actor_name == "mara"
    assert first_altered() is None
