import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertTemplateNotUsed

from lists.models import AuditEvent, ImportRow
from tests.factories import make_contact, make_import, make_list, make_suppression

PHONE = "+919800000777"


@pytest.mark.parametrize(
    "spelling",
    [
        PHONE,
        "+91 98000 00777",
        "0091 9800000777",
        "91-98000-00777",
        "98000 00777",
        "098000 00777",
        "tel:+91-9800000777",
    ],
)
def test_a_number_is_found_in_any_spelling(manager, spelling):
    make_list(default_region="IN")
    contact = make_contact(PHONE)
    make_contact("+919800000778")
    assert manager.get(reverse("contacts-index"), {"q": spelling}).context["page"].rows == [contact]


@pytest.mark.parametrize("role", ["campaign manager", "auditor"])
def test_a_contact_is_found_by_another_of_its_numbers(client_of, role):
    make_list(default_region="IN")
    asha = make_contact("+14155550101", extra={"Other numbers": f"+919800000778, {PHONE}"})
    make_contact("+14155550102", extra={"Other numbers": "+919800000779"})
    for spelling in (PHONE, "98000 00777"):
        assert client_of(role).get(reverse("contacts-index"), {"q": spelling}).context["page"].rows == [asha]


def test_only_a_whole_other_number_finds_a_contact_for_somebody_who_may_not_see_numbers(auditor):
    make_contact("+14155550101", extra={"Other numbers": PHONE})
    for part in ("00777", PHONE[:-1]):
        assert auditor.get(reverse("contacts-index"), {"q": part}).context["page"].rows == []


def test_a_part_of_a_number_and_a_part_of_a_name_are_found(manager):
    contact = make_contact(PHONE, first_name="Asha", last_name="Müller")
    make_contact("+14155550101", first_name="Ravi")
    for text in ("00777", "ash", "asha mü"):
        assert manager.get(reverse("contacts-index"), {"q": text}).context["page"].rows == [contact]


def test_a_whole_number_is_looked_up_without_reading_the_table(manager, django_assert_max_num_queries):
    make_contact(PHONE)
    manager.get(reverse("contacts-index"), {"q": PHONE})
    with django_assert_max_num_queries(20) as queries:
        manager.get(reverse("contacts-index"), {"q": PHONE})
    assert not [query for query in queries.captured_queries if "LIKE" in query["sql"] and "phone" in query["sql"]]


def test_who_may_not_see_numbers_cannot_find_them_out_bit_by_bit(auditor):
    contact = make_contact(PHONE)
    assert auditor.get(reverse("contacts-index"), {"q": "00777"}).context["page"].rows == []
    assert auditor.get(reverse("contacts-index"), {"q": PHONE}).context["page"].rows == [contact]
    assertNotContains(auditor.get(reverse("contacts-detail", args=[contact.pk])), "00777")


def test_a_search_answers_with_the_table_alone(manager):
    make_contact(PHONE, first_name="Asha")
    response = manager.get(
        reverse("contacts-index"), {"q": "ash"}, headers={"HX-Request": "true", "HX-Target": "contacts-table"}
    )
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "Asha")


def test_the_newest_contacts_come_first_and_the_others_page_by_page(manager, monkeypatch):
    monkeypatch.setattr("lists.views.contacts.PAGE_SIZE", 2)
    oldest, *newer = [make_contact() for _ in range(3)]
    first = manager.get(reverse("contacts-index"))
    assert first.context["page"].rows == newer[::-1]
    second = manager.get(reverse("contacts-index"), {"before": first.context["page"].next})
    assert second.context["page"].rows == [oldest]
    assert manager.get(reverse("contacts-index"), {"before": "x' OR 1"}).context["page"].rows == newer[::-1]


def test_a_contact_tells_its_lists_files_and_lines(manager):
    contact_list = make_list("Renewals July")
    contact = make_contact(PHONE, contact_list=contact_list, first_name="Asha", extra={"plan": "gold"})
    imported = make_import(contact_list, filename="renewals.csv")
    ImportRow.objects.create(imported=imported, line=17, raw=[], phone=PHONE, outcome="updated", contact=contact)
    response = manager.get(reverse("contacts-detail", args=[contact.pk]))
    for text in ("Asha", "+91 98000 00777", "Renewals July", "renewals.csv", "17", "gold", "Never sent to a vendor"):
        assertContains(response, text)


def test_a_suppressed_contact_says_so_and_why(manager):
    contact = make_contact(PHONE)
    make_suppression(PHONE, reason="asked on the phone")
    assertContains(manager.get(reverse("contacts-detail", args=[contact.pk])), "asked on the phone")


def test_an_uploader_sees_no_pushes(uploader):
    contact = make_contact(PHONE)
    assertNotContains(uploader.get(reverse("contacts-detail", args=[contact.pk])), "At the vendors")


def test_a_contact_is_changed_and_the_audit_names_the_fields_alone(manager):
    contact = make_contact(PHONE, first_name="Asha", company="Acme")
    response = manager.post(
        reverse("contacts-edit", args=[contact.pk]),
        {
            "first_name": "Asha",
            "last_name": "Rao",
            "email": "asha@example.org",
            "company": "",
            "time_zone": "Asia/Kolkata",
        },
    )
    contact.refresh_from_db()
    assert response.url == reverse("contacts-detail", args=[contact.pk])
    assert (contact.last_name, contact.company, contact.time_zone) == ("Rao", "", "Asia/Kolkata")
    assert AuditEvent.objects.get().details == {"fields": ["company", "email", "last_name", "time_zone"]}


@pytest.mark.parametrize(("field", "value"), [("email", "asha@"), ("time_zone", "Mars/Olympus")])
def test_what_cannot_be_is_told_beside_the_field(manager, field, value):
    contact = make_contact(PHONE, first_name="Asha")
    response = manager.post(
        reverse("contacts-edit", args=[contact.pk]),
        {"first_name": "Asha", field: value},
        headers={"HX-Request": "true", "HX-Target": "contacts-edit"},
    )
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "or leave it empty")
    contact.refresh_from_db()
    assert getattr(contact, field) == ""


def test_a_contact_that_is_not_there_is_a_404(manager):
    assert manager.get(reverse("contacts-detail", args=[999])).status_code == 404
    assert manager.get(reverse("contacts-edit", args=[999])).status_code == 404


def test_strangers_log_in_first(client, db):
    assert client.get(reverse("contacts-index")).url.startswith(reverse("account_login"))


def test_an_uploader_changes_no_contact(uploader):
    contact = make_contact(PHONE)
    assert uploader.post(reverse("contacts-edit", args=[contact.pk]), {"first_name": "X"}).status_code == 403
