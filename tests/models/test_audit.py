import pytest
from django.db import IntegrityError, transaction

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


def test_a_changed_event_is_found(unguarded_audit):
    contact_list = make_list()
    record(None, "created", contact_list)
    changed = record(None, "renamed", contact_list, name=["a", "b"])
    record(None, "archived", contact_list)
    AuditEvent.objects.filter(pk=changed.pk).update(details={"name": ["a", "c"]})
    assert first_altered() == changed


def test_a_removed_event_is_found(unguarded_audit):
    contact_list = make_list()
    record(None, "created", contact_list)
    removed = record(None, "renamed", contact_list)
    after = record(None, "archived", contact_list)
    AuditEvent.objects.filter(pk=removed.pk).delete()
    assert first_altered() == after


@pytest.mark.parametrize(
    "change",
    [
        lambda events: events.update(details={"name": ["a", "c"]}),
        lambda events: events.update(hash="0" * 64),
        lambda events: events.update(actor=make_user(ADMINISTRATOR)),
        lambda events: events.delete(),
    ],
    ids=["what it says", "its hash", "who did it", "that it is there"],
)
def test_the_database_lets_nobody_touch_an_event(change):
    event = record(None, "created", make_list())
    with pytest.raises(IntegrityError, match="The audit only grows"), transaction.atomic():
        change(AuditEvent.objects.filter(pk=event.pk))
    assert AuditEvent.objects.get() == event
    assert first_altered() is None


def test_events_outlive_the_person():
    person = make_user(ADMINISTRATOR, username="mara")
    event = record(person, "created", make_list())
    person.delete()
    event.refresh_from_db()
    assert event.actor is None and event.actor_name == "mara"
    assert first_altered() is None
