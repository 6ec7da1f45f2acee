"""What every page has: the frame, the login, the refusals."""

from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertTemplateUsed

from tests.factories import make_connection, make_user


def test_a_person_logs_in_and_lands_on_the_first_page(client, db):
    make_user("uploader", username="asha")
    response = client.post(reverse("account_login"), {"login": "asha", "password": "asha"})
    assert response.url == reverse("dashboard")


def test_a_wrong_password_says_so_and_keeps_the_name(client, db):
    make_user("uploader", username="asha")
    response = client.post(reverse("account_login"), {"login": "asha", "password": "wrong"})
    assertContains(response, 'role="alert"')
    assertContains(response, 'value="asha"')


@pytest.mark.parametrize("route", ["account_login", "account_reset_password"])
def test_pages_before_the_login_have_no_menu(client, db, route):
    response = client.get(reverse(route))
    assertTemplateUsed(response, "entrance.html")
    assertNotContains(response, 'id="menu"')


@pytest.mark.parametrize("route", ["account_change_password", "mfa_index", "account_logout"])
def test_the_account_has_its_pages_in_the_frame(uploader, route):
    response = uploader.get(reverse(route), follow=True)
    assert response.status_code == 200
    assertContains(response, 'id="main"')


def test_nobody_signs_up_by_themselves(client, db):
    assertNotContains(client.get(reverse("account_login")), "sign up")
    assertTemplateUsed(client.get(reverse("account_signup")), "account/signup_closed.html")


def test_the_menu_shows_what_a_role_may_open(uploader, administrator):
    page = reverse("lists-index")
    assertNotContains(uploader.get(page), reverse("connections-index"))
    assertContains(administrator.get(page), reverse("connections-index"))


def test_people_are_kept_by_administrators_who_are_staff(administrator, uploader):
    people = reverse("admin:auth_user_changelist")
    assertNotContains(administrator.get(reverse("lists-index")), people)
    for client in (administrator, uploader):
        client.user.is_staff = True
        client.user.save()
    assertContains(administrator.get(reverse("lists-index")), people)
    assert administrator.get(people).status_code == 200
    assert uploader.get(people).status_code == 403


def test_the_admin_site_has_no_login_of_its_own(client, db):
    response = client.get(reverse("admin:index"), follow=True)
    assertTemplateUsed(response, "account/login.html")


def test_an_administrator_cannot_take_over_a_superuser(administrator):
    administrator.user.is_staff = True
    administrator.user.save()
    root = User.objects.create_superuser("root", password="root")
    response = administrator.post(
        reverse("admin:auth_user_password_change", args=[root.pk]), {"password1": "x" * 12, "password2": "x" * 12}
    )
    assert response.status_code == 403
    root.refresh_from_db()
    assert root.check_password("root")


def test_a_rehearsal_is_marked_on_every_page(uploader):
    page = reverse("lists-index")
    assertNotContains(uploader.get(page), "rehearsal-edge")
    make_connection(rehearsal=True)
    assertContains(uploader.get(page), "rehearsal-edge")


def test_pages_carry_no_inline_script_or_style(administrator):
    for route in ("lists-index", "contacts-index", "suppressions-add", "connections-new", "lists-create"):
        html = administrator.get(reverse(route)).content.decode()
        assert "<style" not in html
        assert " style=" not in html
        assert " onclick=" not in html
        assert all("src=" in tag for tag in html.split("<script")[1:])


def test_there_is_one_heading_and_one_title(manager):
    html = manager.get(reverse("lists-index")).content.decode()
    assert html.count("<h1") == 1
    assert "<title>Lists · contactadmin</title>" in html


def test_refusals_are_pages_that_say_what_to_do(uploader, settings):
    assertContains(uploader.get(reverse("connections-index")), "Your role does not include it", status_code=403)
    assertContains(uploader.get("/nowhere/"), "There is nothing at this address", status_code=404)


@pytest.mark.parametrize("template", ["400.html", "403.html", "403_csrf.html", "404.html", "413.html", "500.html"])
def test_pages_of_refusals_need_no_request(template):
    assert "<h1>" in render_to_string(template)


def test_the_page_of_a_fault_asks_for_no_file_with_a_hashed_name():
    html = Path(settings.BASE_DIR, "templates/500.html").read_text()
    assert "{%" not in html
    assert Path(settings.BASE_DIR, "static/css/broken.css").is_file()


def test_refusals_before_any_view_carry_the_policy_too(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    for answer in (client.get("/lists/", headers={"Host": "evil.example"}), client.get("/lists/")):
        assert answer.status_code in (400, 301)
        assert "default-src 'self'" in answer["Content-Security-Policy"]


def test_a_form_that_is_too_large_says_so(manager):
    answer = manager.post(reverse("suppressions-add"), {"numbers": "+919800012345\n" * 200_000, "reason": "Asked"})
    assertContains(answer, "This is more than we take at once", status_code=413)
    assertContains(manager.post(reverse("lists-create"), {str(n): "" for n in range(2000)}), "be read", status_code=400)
