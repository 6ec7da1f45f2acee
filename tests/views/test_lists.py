import csv
import io

import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists.models import HELD_OUTCOMES, AuditEvent, ContactList, RemoteList, SyncRun
from lists.models.sync import RunState
from lists.sync import planning
from tests.factories import join, make_connection, make_contact, make_list, make_run, make_suppression

PART = {"HX-Request": "true"}


def test_the_lists_are_shown_with_their_contacts(manager):
    make_list("Renewals July", contacts=2)
    response = manager.get(reverse("lists-index"))
    assertContains(response, "Renewals July")
    assert [row.contact_count for row in response.context["page"].rows] == [2]


def test_a_search_answers_with_the_table_alone(manager):
    wanted = make_list("Renewals July")
    make_list("Autumn callbacks", description="")
    response = manager.get(reverse("lists-index"), {"q": "july"}, headers={**PART, "HX-Target": "lists-table"})
    assertTemplateNotUsed(response, "base.html")
    assert response.context["page"].rows == [wanted]


@pytest.mark.parametrize(
    ("sort", "names"),
    [("-name", ["B", "A"]), ("contacts", ["B", "A"]), ("-contacts", ["A", "B"]), ("nonsense", ["A", "B"])],
)
def test_lists_are_sorted_by_what_the_address_says(manager, sort, names):
    make_list("A", contacts=2)
    make_list("B", contacts=1)
    response = manager.get(reverse("lists-index"), {"sort": sort})
    assert [row.name for row in response.context["page"].rows] == names


def test_archived_lists_stand_on_a_page_of_their_own(manager):
    contact_list = make_list("Renewals July")
    manager.post(reverse("lists-archive", args=[contact_list.pk]))
    assertNotContains(manager.get(reverse("lists-index")), 'href="/lists/1/"')
    assert manager.get(reverse("lists-index")).context["page"].rows == []
    assert manager.get(reverse("lists-index"), {"archived": ""}).context["page"].rows == [contact_list]


def test_a_new_list_belongs_to_whoever_makes_it(manager):
    response = manager.post(reverse("lists-create"), {"name": " Renewals  July ", "description": "Contracts"})
    contact_list = ContactList.objects.get()
    assert response.url == reverse("lists-detail", args=[contact_list.pk])
    assert (contact_list.name, contact_list.owner) == ("Renewals July", manager.user)
    assert AuditEvent.objects.get().action == "created"


def test_the_dialog_gets_its_errors_as_a_part(manager):
    make_list("Renewals July")
    response = manager.post(
        reverse("lists-create"), {"name": "Renewals July"}, headers={**PART, "HX-Target": "lists-create"}
    )
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "There is a list of this name already")
    assert ContactList.objects.count() == 1


def test_what_is_wrong_with_a_list_is_said_with_what_to_do(manager):
    response = manager.post(reverse("lists-create"), {"name": " ", "description": "x" * 2100})
    assertContains(response, "Give the list a name.")
    assertContains(response, "Shorten it to 2000 characters; it has 2100.")


def test_the_form_tells_what_each_vendor_takes(manager):
    response = manager.get(reverse("lists-create"))
    assertContains(response, "Kore.ai takes at most 48 characters")
    assertContains(response, "&quot;Kore.ai&quot;: 256")


def test_a_list_shows_its_contacts_page_by_page(manager, monkeypatch):
    monkeypatch.setattr("lists.views.lists.PAGE_SIZE", 2)
    contact_list = make_list(contacts=3)
    first = manager.get(reverse("lists-detail", args=[contact_list.pk]))
    second = manager.get(reverse("lists-detail", args=[contact_list.pk]), {"after": first.context["page"].next})
    assert [len(first.context["page"].rows), len(second.context["page"].rows)] == [2, 1]
    assertContains(second, "From the beginning")


def test_a_contact_that_is_in_the_list_twice_is_one_row(manager):
    contact_list = make_list(allow_duplicates=True)
    contact = make_contact(contact_list=contact_list)
    join(contact_list, contact, occurrence=2)
    assert len(manager.get(reverse("lists-detail", args=[contact_list.pk])).context["page"].rows) == 1


def test_the_contacts_of_a_list_are_found_by_number(manager):
    contact_list = make_list(contacts=1)
    make_contact("+919800000777", contact_list=contact_list)
    make_contact("+919800000778")
    response = manager.get(
        reverse("lists-detail", args=[contact_list.pk]),
        {"q": "+91 98000 00777"},
        headers={**PART, "HX-Target": "lists-contacts"},
    )
    assertTemplateNotUsed(response, "base.html")
    assert [entry.contact.phone for entry in response.context["page"].rows] == ["+919800000777"]


def test_a_suppressed_contact_is_marked(manager):
    contact_list = make_list()
    make_suppression(make_contact(contact_list=contact_list).phone)
    assertContains(manager.get(reverse("lists-detail", args=[contact_list.pk])), "do not contact")


def test_an_auditor_sees_numbers_masked_and_no_export(auditor):
    contact_list = make_list()
    make_contact("+919800000777", contact_list=contact_list)
    response = auditor.get(reverse("lists-detail", args=[contact_list.pk]))
    assertNotContains(response, "00777")
    assertNotContains(response, "Export")


def test_each_connection_says_whether_the_list_suits_it(manager):
    make_connection("kore", "Kore live")
    contact_list = make_list("x" * 53, contacts=1)
    response = manager.get(reverse("lists-vendors", args=[contact_list.pk]))
    assertContains(response, "53 characters, 48 allowed")
    assertNotContains(response, "Send 1 to Kore live")


def test_a_list_that_suits_a_connection_can_be_sent_there(manager, connect):
    connection, contact_list = connect("leadlex", "LeadLex"), make_list(contacts=3)
    page = manager.get(reverse("lists-vendors", args=[contact_list.pk]))
    assertContains(page, "Send to LeadLex")  # how many is asked apart, and without scripts not at all
    assertContains(page, reverse("lists-wanting", args=[contact_list.pk, connection.pk]))
    assertContains(offer(manager, contact_list, connection), "Send 3 to LeadLex")


def offer(client, contact_list, connection):
    """The part with the button, as htmx gets it."""
    address = reverse("lists-wanting", args=[contact_list.pk, connection.pk])
    return client.get(address, headers={"HX-Request": "true", "HX-Target": f"lists-send-{connection.pk}"})


def test_without_htmx_the_offer_leads_to_the_page_it_is_part_of(manager, connect):
    connection, contact_list = connect("leadlex"), make_list(contacts=3)
    response = manager.get(reverse("lists-wanting", args=[contact_list.pk, connection.pk]))
    assertRedirects(response, reverse("lists-vendors", args=[contact_list.pk]))


@pytest.mark.parametrize("outcome", HELD_OUTCOMES)
def test_what_a_vendor_holds_or_may_hold_is_not_offered_again(manager, connect, outcome):
    connection = connect("exotel", "Exotel")
    contact_list = make_list(contacts=3)
    run = planning.plan(contact_list, connection)
    remote = RemoteList.objects.create(contact_list=contact_list, connection=connection, remote_id="9", name="Renewals")
    run.items.filter(position__lte=2).update(outcome=outcome)
    run.items.filter(position=3).update(outcome="rejected")
    SyncRun.objects.update(state="failed", remote_list=remote)
    assertContains(offer(manager, contact_list, connection), "Send 1 to Exotel")
    run.items.update(outcome=outcome)
    response = offer(manager, contact_list, connection)
    assertContains(response, "Exotel holds all 3 contacts of")
    assertNotContains(response, "<button")


def test_do_not_contact_numbers_are_not_offered_for_sending(manager, connect):
    connection, contact_list = connect("leadlex", "LeadLex"), make_list(contacts=2)
    make_suppression(make_contact(contact_list=contact_list).phone)
    assertContains(offer(manager, contact_list, connection), "Send 2 to LeadLex")
    for contact in contact_list.contacts.all()[:2]:
        make_suppression(contact.phone)
    response = offer(manager, contact_list, connection)
    assertContains(response, "3 cannot be sent: This number is do-not-contact.")
    assertNotContains(response, "<button")


def test_a_connection_that_cannot_be_used_says_so_instead_of_offering(manager):
    connection = make_connection("leadlex", "LeadLex live")
    assertContains(offer(manager, make_list(contacts=1), connection), "LeadLex needs the api key")


def test_a_list_that_is_there_already_is_not_kept_back_by_what_was_settled_when_it_was_made(manager, connect):
    connection = connect("kore", "Kore")
    contact_list = make_list("x" * 60, contacts=1)
    assertContains(manager.get(reverse("lists-vendors", args=[contact_list.pk])), "alert-danger")
    RemoteList.objects.create(contact_list=contact_list, connection=connection, remote_id="9", name="x")
    page = manager.get(reverse("lists-vendors", args=[contact_list.pk]))
    assertContains(page, "60 characters, 48 allowed")
    assertContains(page, "Send to Kore")
    assertContains(offer(manager, contact_list, connection), "Send 1 to Kore")


def test_looking_at_the_offer_changes_nothing_of_a_list_that_is_gone_there(manager, connect):
    connection, contact_list = connect("leadlex", "LeadLex"), make_list(contacts=2)
    run = make_run({"added": 2}, contact_list=contact_list, connection=connection, state="failed")
    remote = RemoteList.objects.create(contact_list=contact_list, connection=connection, remote_id="9", name="Renewals")
    SyncRun.objects.filter(pk=run.pk).update(remote_list=remote, progress={"list_gone": True})
    assertContains(offer(manager, contact_list, connection), "Send 2 to LeadLex")
    assert RemoteList.objects.exists()
    assert planning.plan(contact_list, connection).planned == 2
    assert not RemoteList.objects.exists()


def test_renaming_a_synced_list_is_warned_about(manager):
    contact_list = make_list("Renewals July")
    RemoteList.objects.create(
        contact_list=contact_list, connection=make_connection("kore", "Kore live"), remote_id="9", name="Renewals July"
    )
    page = manager.get(reverse("lists-settings", args=[contact_list.pk]))
    assertContains(page, "A new name here does not rename it there")
    manager.post(reverse("lists-settings", args=[contact_list.pk]), {"name": "Renewals August", "description": ""})
    assert RemoteList.objects.get().name == "Renewals July"
    assert AuditEvent.objects.get().details["name"] == ["Renewals July", "Renewals August"]


def test_saving_without_a_change_writes_nothing_down(manager):
    contact_list = make_list("Renewals July", description="Contracts")
    manager.post(
        reverse("lists-settings", args=[contact_list.pk]), {"name": "Renewals July", "description": "Contracts"}
    )
    assert not AuditEvent.objects.exists()


def test_a_list_is_not_archived_under_a_push(manager):
    run = make_run(state=RunState.RUNNING)
    response = manager.post(reverse("lists-archive", args=[run.contact_list_id]), follow=True)
    assertContains(response, "A push of this list is under way")
    run.contact_list.refresh_from_db()
    assert run.contact_list.archived_at is None


def test_an_archived_list_comes_back(manager):
    contact_list = make_list()
    manager.post(reverse("lists-archive", args=[contact_list.pk]))
    manager.post(reverse("lists-restore", args=[contact_list.pk]))
    contact_list.refresh_from_db()
    assert contact_list.archived_at is None


def test_an_export_is_safe_in_a_spreadsheet_and_written_down(manager):
    contact_list = make_list("Renewals July")
    make_contact("+919800000777", contact_list=contact_list, first_name="=1+1", extra={"plan": "gold", "age": "@7"})
    response = manager.post(reverse("lists-export", args=[contact_list.pk]))
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(text))) == [
        {
            "phone": "+919800000777", "first_name": "'=1+1", "last_name": "", "salutation": "", "email": "",
            "company": "", "tag": "", "time_zone": "", "do_not_contact": "", "age": "'@7", "plan": "gold",
        }
    ]  # fmt: skip
    assert AuditEvent.objects.get().action == "exported"


@pytest.mark.parametrize("route", ["lists-detail", "lists-imports", "lists-vendors", "lists-settings"])
def test_a_list_that_is_not_there_is_a_404(manager, route):
    assert manager.get(reverse(route, args=[999])).status_code == 404


@pytest.mark.parametrize("route", ["lists-index", "lists-create"])
def test_strangers_log_in_first(client, db, route):
    assert client.get(reverse(route)).url.startswith(reverse("account_login"))


@pytest.mark.parametrize(
    ("route", "is_post"),
    [("lists-settings", False), ("lists-vendors", False), ("lists-archive", True), ("lists-export", True)],
)
def test_an_uploader_may_only_look(uploader, route, is_post):
    address = reverse(route, args=[make_list().pk])
    assert (uploader.post(address) if is_post else uploader.get(address)).status_code == 403


def test_an_uploader_is_not_offered_what_they_may_not_do(uploader):
    response = uploader.get(reverse("lists-index"))
    assertNotContains(response, "New list")
    assert uploader.get(reverse("lists-create")).status_code == 403
