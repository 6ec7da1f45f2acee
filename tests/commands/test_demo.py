"""`demo`: everything to try the product with, and never into a real installation."""

import json

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from lists.management.base import Refused
from lists.models import Connection, ContactList, Suppression

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def memory(settings, tmp_path):
    settings.REHEARSAL_MEMORY = tmp_path / "rehearsal.memory"
    settings.REHEARSAL_MEMORY.write_text("what an earlier database had made there")
    return settings.REHEARSAL_MEMORY


def demo(capsys) -> dict:
    capsys.readouterr()
    call_command("demo", "--json")
    return json.loads(capsys.readouterr().out)


def world() -> tuple:
    return (
        sorted(User.objects.values_list("username", "password")),
        sorted(Connection.objects.values_list("name", "vendor", "rehearsal", "credentials")),
        sorted(ContactList.objects.values_list("name", "contact_count")),
        Suppression.objects.count(),
    )


def test_demo_makes_a_person_of_each_role_a_connection_of_each_vendor_and_lists(client, capsys):
    told = demo(capsys)
    assert {each["role"] for each in told["users"]} == {"uploader", "campaign manager", "administrator", "auditor"}
    assert all(client.login(username=each["username"], password=each["password"]) for each in told["users"])
    assert set(Connection.objects.values_list("vendor", "rehearsal")) == {
        ("kore", True), ("leadlex", True), ("exotel", True),
    }  # fmt: skip
    assert all(
        contact_list.contact_count == contact_list.contacts.count() for contact_list in ContactList.objects.all()
    )


def test_a_second_demo_keeps_what_is_there_and_what_the_vendors_hold(memory, capsys):
    demo(capsys)
    memory.write_text("lists of ours")
    before = world()
    demo(capsys)
    assert world() == before
    assert memory.read_text() == "lists of ours"


def test_in_a_new_database_the_rehearsal_vendors_hold_nothing_either(memory, capsys):
    demo(capsys)
    assert not memory.exists()


def test_demo_refuses_what_looks_like_production(settings, memory):
    settings.DEBUG = settings.REHEARSAL = False
    with pytest.raises(Refused, match="production"):
        call_command("demo")
    assert not User.objects.exists()
    assert memory.exists()
