import pytest
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertTemplateNotUsed

from lists.models import AuditEvent, Suppression
from tests.factories import make_contact, make_suppression

PHONE = "+919800000777"
PART = {"HX-Request": "true"}


def test_numbers_are_added_in_any_spelling(manager):
    response = manager.post(
        reverse("suppressions-add"),
        {
            "numbers": "+91 98000 00777\n\n098000 00778\n0091 98000 00777",
            "region": "IN",
            "reason": "asked on the phone",
        },
        follow=True,
    )
    assertContains(response, "2 numbers added.")
    assert set(Suppression.objects.values_list("phone", "reason")) == {
        (PHONE, "asked on the phone"), ("+919800000778", "asked on the phone"),
    }  # fmt: skip
    assert Suppression.objects.get(phone=PHONE).created_by == manager.user


def test_what_is_there_already_stays_as_it_is(manager):
    make_suppression(PHONE, reason="asked in May")
    response = manager.post(reverse("suppressions-add"), {"numbers": PHONE, "reason": "again"}, follow=True)
    assertContains(response, "0 numbers added, 1 there already.")
    assert Suppression.objects.get().reason == "asked in May"


def test_lines_that_cannot_be_read_are_told_and_the_others_count(manager):
    response = manager.post(
        reverse("suppressions-add"),
        {"numbers": f"{PHONE}\n9.19877E+11\nnobody", "reason": "asked"},
        headers={**PART, "HX-Target": "suppressions-add"},
    )
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, "1 number added. 2 lines could not be read.")
    assertContains(response, "has cut this number")
    assert [unread.line for unread in response.context["result"].unread] == [2, 3]
    assert Suppression.objects.count() == 1


def test_a_reason_is_asked_for(manager):
    response = manager.post(reverse("suppressions-add"), {"numbers": PHONE, "reason": " "})
    assertContains(response, "Say why these numbers must not be contacted.")
    assert not Suppression.objects.exists()


def test_the_form_knows_the_contact_one_came_from(manager):
    contact = make_contact(PHONE)
    assertContains(manager.get(reverse("suppressions-add"), {"contact": contact.pk}), PHONE)
    assert manager.get(reverse("suppressions-add"), {"contact": "9" * 40}).status_code == 200


def test_a_suppression_is_found_by_number_and_by_reason(manager):
    wanted = make_suppression(PHONE, reason="asked in May")
    make_suppression("+919800000778", reason="wrong person")
    for text in ("+91 98000 00777", "00777", "may"):
        response = manager.get(
            reverse("suppressions-index"), {"q": text}, headers={**PART, "HX-Target": "suppressions-table"}
        )
        assertTemplateNotUsed(response, "base.html")
        assert response.context["page"].rows == [wanted]


def test_an_administrator_lifts_with_a_reason(administrator):
    suppression = make_suppression(PHONE)
    administrator.post(reverse("suppressions-lift", args=[suppression.pk]), {"reason": "it was a typing error"})
    suppression.refresh_from_db()
    assert (suppression.lifted_by, suppression.lift_reason) == (administrator.user, "it was a typing error")
    assert AuditEvent.objects.get().action == "lifted"
    assertNotContains(administrator.get(reverse("suppressions-index")), "00777")
    assertContains(administrator.get(reverse("suppressions-index"), {"lifted": ""}), "it was a typing error")


def test_nothing_is_lifted_without_a_reason(administrator):
    suppression = make_suppression(PHONE)
    response = administrator.post(reverse("suppressions-lift", args=[suppression.pk]), {"reason": ""})
    assert response.status_code == 200
    suppression.refresh_from_db()
    assert suppression.lifted_at is None


def test_a_lifted_number_can_be_suppressed_again(administrator):
    suppression = make_suppression(PHONE)
    administrator.post(reverse("suppressions-lift", args=[suppression.pk]), {"reason": "it was a typing error"})
    administrator.post(reverse("suppressions-add"), {"numbers": PHONE, "reason": "it was none"})
    suppression.refresh_from_db()
    assert (suppression.lifted_at, suppression.reason) == (None, "it was none")


def test_what_was_lifted_cannot_be_lifted_again(administrator):
    suppression = make_suppression(PHONE)
    for expected in (302, 404):
        response = administrator.post(reverse("suppressions-lift", args=[suppression.pk]), {"reason": "typing error"})
        assert response.status_code == expected


@pytest.mark.parametrize("query", [{}, {"lifted": ""}])
def test_only_an_administrator_lifts_and_sees_what_was_lifted(manager, query):
    suppression = make_suppression(PHONE)
    response = manager.get(reverse("suppressions-index"), query)
    if query:
        assert response.status_code == 403
    else:
        assertNotContains(response, ">Lift")
        assert manager.get(reverse("suppressions-lift", args=[suppression.pk])).status_code == 403


def test_an_uploader_looks_and_adds_nothing(uploader):
    assert uploader.get(reverse("suppressions-index")).status_code == 200
    assert uploader.post(reverse("suppressions-add"), {"numbers": PHONE, "reason": "x"}).status_code == 403
    assert not Suppression.objects.exists()


def test_an_auditor_sees_numbers_masked(auditor):
    make_suppression(PHONE)
    assertNotContains(auditor.get(reverse("suppressions-index")), "00777")


def test_strangers_log_in_first(client, db):
    assert client.get(reverse("suppressions-index")).url.startswith(reverse("account_login"))
