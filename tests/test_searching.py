"""Searches: what people look for is readable in no address, and the page found can be reloaded, paged and filtered."""

import re
from urllib.parse import unquote

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from lists.models import Contact
from lists.searching import opened, sealed
from tests.factories import make_contact, make_list, make_run, make_suppression

pytestmark = pytest.mark.django_db

PHONE = "+919800000777"


def found(client: Client, address: str, **fields: str):
    """Post a search as the form does; (the address one arrives at, the page there)."""
    response = client.post(address, fields, follow=True)
    [(arrived, status)] = response.redirect_chain
    assert status == 302
    return arrived, response


@pytest.mark.parametrize("text", [PHONE, "00777", "Müller", "x" * 500, "% &?=#", "\udc80"])
def test_a_sealed_text_says_nothing_and_is_opened_again(text):
    assert text not in sealed(text)
    assert opened(sealed(text)) == text[:200].encode(errors="replace").decode()


@pytest.mark.parametrize("text", ["", "ash", "९८००", "gAAAAA", "\udc80"])
def test_what_was_never_sealed_is_taken_as_it_is(text):
    assert opened(text) == text


@pytest.mark.parametrize("route", ["contacts-index", "lists-detail", "suppressions-index", "runs-contacts"])
def test_a_number_searched_for_stands_in_no_address(manager, route):
    contact_list = make_list()
    contact = make_contact(PHONE, contact_list=contact_list)
    make_suppression(PHONE)
    run = make_run({"added": 3}, contact_list=contact_list)
    run.items.filter(position=2).update(contact=contact)
    ids = {"lists-detail": [contact_list.pk], "runs-contacts": [run.pk]}.get(route, [])
    address, page = found(manager, reverse(route, args=ids), q=PHONE)
    assert "777" not in unquote(address)
    assert len(page.context["page"].rows) == 1
    assertContains(page, f'value="{PHONE}"')  # in the field it stays, for whoever typed it
    assert not [link for link in re.findall(r'(?:href|action|hx-\w+)="([^"]*)"', page.text) if "00777" in link]
    assertContains(manager.get(address), f'value="{PHONE}"')


def test_a_search_keeps_the_filters_and_begins_at_the_first_row(manager):
    make_list("Renewals July", archived_at="2026-01-01T00:00:00Z")
    make_list("Renewals June")
    address, page = found(manager, reverse("lists-index") + "?archived&sort=-name&page=7", q="renewals")
    assert [row.name for row in page.context["page"].rows] == ["Renewals July"]
    assert "sort=-name" in address and "page=7" not in address


def test_an_empty_search_is_the_page_itself(manager):
    assertRedirects(manager.post(reverse("contacts-index") + "?q=ash", {"q": " "}), reverse("contacts-index"))


def test_no_page_offers_a_search_that_would_be_sent_in_the_address(manager):
    for address in (reverse("dashboard"), reverse("contacts-index"), reverse("lists-detail", args=[make_list().pk])):
        assertNotContains(manager.get(address), 'role="search" method="get"')
        assert not re.search(r'<form[^>]*role="search"[^>]*method="get"', manager.get(address).text)


def test_a_search_without_a_token_is_refused(manager):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = manager.cookies
    assert strict.post(reverse("contacts-index"), {"q": PHONE}).status_code == 403
    assert Contact.objects.count() == 0
