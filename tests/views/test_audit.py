"""Who did what: the page, its filters, and the check of the chain."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists.models import AuditEvent
from lists.models.audit import record
from tests.factories import make_connection, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(administrator) -> list[AuditEvent]:
    """What happened, oldest first: a list created by the administrator, a connection checked by a job."""
    return [
        record(administrator.user, "created", make_list("Renewals July")),
        record(None, "checked", make_connection(name="Exotel"), per_minute=[60, 30]),
    ]


def shown(response) -> list[AuditEvent]:
    return response.context["page"].rows


def test_events_are_shown_newest_first_with_what_was_and_what_is(administrator, events):
    response = administrator.get(reverse("audit-index"))
    assert shown(response) == events[::-1]
    assertContains(response, "60 → 30")
    assertContains(response, "contactadmin")


def test_names_of_fields_are_not_told_as_what_was_and_what_is(administrator):
    record(administrator.user, "changed", make_list(), fields=["company", "first_name"], settings=[], size=10_030_713)
    response = administrator.get(reverse("audit-index"))
    assertContains(response, "fields: company, first name")
    assertContains(response, "size: 9.6")
    assertNotContains(response, "settings:")
    assertNotContains(response, "→")


def test_without_events_the_page_says_what_it_is_for(auditor):
    assertContains(auditor.get(reverse("audit-index")), "Nothing has happened yet")


@pytest.mark.parametrize(
    ("filters", "kept"), [({"action": "creat"}, 0), ({"subject": "renewals"}, 0), ({"subject": "connection"}, 1)]
)
def test_each_filter_keeps_what_it_says(administrator, events, filters, kept):
    assert shown(administrator.get(reverse("audit-index"), filters)) == [events[kept]]


def test_events_are_found_by_who_did_them(administrator, events):
    response = administrator.get(reverse("audit-index"), {"actor": administrator.user.pk})
    assert shown(response) == [events[0]]


def test_a_filter_that_hides_everything_can_be_cleared(administrator, events):
    assertContains(administrator.get(reverse("audit-index"), {"action": "flew"}), "Clear all filters")


def test_htmx_gets_the_table_alone(administrator, events):
    response = administrator.get(reverse("audit-index"), headers={"HX-Request": "true", "HX-Target": "audit-table"})
    assertTemplateNotUsed(response, "base.html")


def test_the_deepest_page_costs_what_the_first_costs(administrator):
    subject = make_list()
    for _ in range(110):
        record(None, "changed", subject)
    with CaptureQueriesContext(database) as first:
        page = administrator.get(reverse("audit-index")).context["page"]
    while page.next:
        with CaptureQueriesContext(database) as deepest:
            page = administrator.get(reverse("audit-index"), {"before": page.next}).context["page"]
    assert len(page.rows) == 10
    assert len(deepest) == len(first) <= 10


def test_a_chain_that_holds_is_told(auditor, events):
    response = auditor.post(reverse("audit-verify"), follow=True)
    assertRedirects(response, reverse("audit-index"))
    assertContains(response, f"The chain is verified up to event {events[-1].pk}")
    assertContains(response, "Should newer ones have been removed, only a backup can tell.")


def test_a_chain_of_nothing_is_not_called_verified(auditor):
    response = auditor.post(reverse("audit-verify"), follow=True)
    assertContains(response, "There is no event to verify yet.")
    assertNotContains(response, "chain is verified")


def test_an_altered_event_is_named(unguarded_audit, administrator, events):
    AuditEvent.objects.filter(pk=events[0].pk).update(object_name="Renewals August")
    response = administrator.post(reverse("audit-verify"), follow=True)
    assertContains(response, f"Event {events[0].pk} is not as it was written")


def test_verifying_is_a_post(administrator):
    assert administrator.get(reverse("audit-verify")).status_code == 405


@pytest.mark.parametrize("role", ["uploader", "campaign manager"])
def test_the_audit_is_closed_to_those_without_the_right(client_of, role):
    browser = client_of(role)
    assert browser.get(reverse("audit-index")).status_code == 403
    assert browser.post(reverse("audit-verify")).status_code == 403


def test_the_audit_is_for_people_who_are_logged_in(client):
    assert client.get(reverse("audit-index")).url.startswith(reverse("account_login"))
