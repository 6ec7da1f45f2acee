"""Every address of the product × every role. A new address fails here until it says who may open it."""

from typing import NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from lists import urls
from lists.models import Suppression
from lists.permissions import ADMINISTRATOR, AUDITOR, CAMPAIGN_MANAGER, ROLES, UPLOADER
from tests.factories import (
    make_attempt,
    make_connection,
    make_contact,
    make_import,
    make_list,
    make_run,
    make_user,
)  # fmt: skip

pytestmark = pytest.mark.django_db

EVERYBODY = set(ROLES)
UPLOADERS = {UPLOADER, CAMPAIGN_MANAGER, ADMINISTRATOR}
MANAGERS = {CAMPAIGN_MANAGER, ADMINISTRATOR}
SYNC_READERS = {CAMPAIGN_MANAGER, ADMINISTRATOR, AUDITOR}
ADMINISTRATORS = {ADMINISTRATOR}
AUDIT_READERS = {ADMINISTRATOR, AUDITOR}


class Rule(NamedTuple):
    method: str
    may: set[str]


RULES = {
    "healthz": Rule("GET", EVERYBODY),
    "readyz": Rule("GET", EVERYBODY),
    "dashboard": Rule("GET", EVERYBODY),
    "lists-index": Rule("GET", EVERYBODY),
    "lists-create": Rule("GET", MANAGERS),
    "lists-detail": Rule("GET", EVERYBODY),
    "lists-imports": Rule("GET", EVERYBODY),
    "lists-vendors": Rule("GET", SYNC_READERS),
    "lists-wanting": Rule("GET", MANAGERS),
    "lists-settings": Rule("GET", MANAGERS),
    "lists-archive": Rule("POST", MANAGERS),
    "lists-restore": Rule("POST", MANAGERS),
    "lists-export": Rule("POST", MANAGERS),
    "contacts-index": Rule("GET", EVERYBODY),
    "contacts-detail": Rule("GET", EVERYBODY),
    "contacts-edit": Rule("GET", MANAGERS),
    "suppressions-index": Rule("GET", EVERYBODY),
    "suppressions-add": Rule("GET", MANAGERS),
    "suppressions-upload": Rule("GET", MANAGERS),
    "suppressions-lift": Rule("GET", ADMINISTRATORS),
    "connections-index": Rule("GET", SYNC_READERS),
    "connections-new": Rule("GET", ADMINISTRATORS),
    "connections-create": Rule("GET", ADMINISTRATORS),
    "connections-detail": Rule("GET", SYNC_READERS),
    "connections-edit": Rule("GET", ADMINISTRATORS),
    "connections-check": Rule("POST", ADMINISTRATORS),
    "connections-archive": Rule("POST", ADMINISTRATORS),
    "connections-restore": Rule("POST", ADMINISTRATORS),
    "imports-index": Rule("GET", EVERYBODY),
    "imports-new": Rule("GET", UPLOADERS),
    "imports-template": Rule("GET", UPLOADERS),
    "imports-detail": Rule("GET", EVERYBODY),
    "imports-read": Rule("GET", UPLOADERS),
    "imports-columns": Rule("GET", UPLOADERS),
    "imports-check": Rule("GET", EVERYBODY),
    "imports-policy": Rule("POST", UPLOADERS),
    "imports-switch": Rule("POST", UPLOADERS),
    "imports-keep": Rule("POST", UPLOADERS),
    "imports-go-on": Rule("POST", UPLOADERS),
    "imports-commit": Rule("POST", UPLOADERS),
    "imports-discard": Rule("POST", UPLOADERS),
    "imports-rejected": Rule("POST", UPLOADERS),
    "imports-undo": Rule("GET", ADMINISTRATORS),  # and whoever made the import
    "runs-index": Rule("GET", SYNC_READERS),
    "runs-plan": Rule("POST", MANAGERS),
    "runs-again": Rule("POST", MANAGERS),
    "runs-detail": Rule("GET", SYNC_READERS),
    "runs-row": Rule("GET", SYNC_READERS),
    "runs-fresh": Rule("GET", SYNC_READERS),
    "runs-contacts": Rule("GET", SYNC_READERS),
    "runs-export": Rule("POST", MANAGERS),
    "runs-requests": Rule("GET", SYNC_READERS),
    "runs-attempt": Rule("GET", SYNC_READERS),
    "runs-batches": Rule("GET", SYNC_READERS),
    "runs-timeline": Rule("GET", SYNC_READERS),
    "runs-settings": Rule("GET", SYNC_READERS),
    "runs-send": Rule("POST", MANAGERS),
    "runs-ask": Rule("POST", MANAGERS),
    "runs-approve": Rule("POST", MANAGERS),
    "runs-discard": Rule("POST", MANAGERS),
    "runs-stop": Rule("POST", MANAGERS),
    "runs-resume": Rule("POST", MANAGERS),
    "runs-settle": Rule("POST", MANAGERS),
    "runs-decide": Rule("POST", MANAGERS),
    "audit-index": Rule("GET", AUDIT_READERS),
    "audit-verify": Rule("POST", AUDIT_READERS),
}
PUBLIC = {"healthz", "readyz"}
PATTERNS = {pattern.name: pattern for pattern in urls.urlpatterns}


@pytest.fixture
def addresses() -> dict[str, str]:
    """{route: an address of it that leads to something}."""
    contact_list = make_list(contacts=1)
    connection = make_connection()
    run = make_run(contact_list=contact_list, connection=connection)
    attempt = make_attempt(run)
    values = {
        "list_id": contact_list.pk,
        "contact_id": make_contact().pk,
        "suppression_id": Suppression.objects.create(phone="+12025550123", reason="asked").pk,
        "connection_id": connection.pk,
        "vendor": "kore",
        "import_id": make_import(contact_list).pk,
        "run_id": run.pk,
        "attempt_id": attempt.pk,
    }
    return {
        name: reverse(name, kwargs={key: values[key] for key in pattern.pattern.converters})
        for name, pattern in PATTERNS.items()
    }


def ask(client: Client, route: str, address: str, **headers: str):
    return client.generic(RULES[route].method, address, headers=headers)


def test_every_address_says_who_may_open_it():
    assert set(RULES) == set(PATTERNS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_may_and_nothing_else(role, client_of, addresses):
    client = client_of(role)
    wrong = []
    for route, rule in RULES.items():
        for headers in ({}, {"HX-Request": "true", "HX-Target": f"{route}-part"}):
            status = ask(client, route, addresses[route], **headers).status_code
            if (status == 403) == (role in rule.may) or status == 500:
                wrong.append(f"{rule.method} {route} answers {status}{' to htmx' if headers else ''}")
    assert not wrong


def test_somebody_without_a_role_opens_nothing(addresses):
    client = Client()
    client.force_login(make_user(""), backend="allauth.account.auth_backends.AuthenticationBackend")
    opened = [
        route
        for route, rule in RULES.items()
        if route not in PUBLIC and ask(client, route, addresses[route]).status_code != 403
    ]
    assert not opened


def test_nobody_gets_past_the_log_in(addresses):
    for route, address in addresses.items():
        if route in PUBLIC:
            continue
        response = ask(Client(), route, address)
        assert response.status_code == 302 and "/accounts/login/" in response["Location"], route


def test_what_changes_something_refuses_a_get_and_a_post_without_its_token(addresses, administrator):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(administrator.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    for route, rule in RULES.items():
        if rule.method == "POST":
            assert administrator.get(addresses[route]).status_code == 405, route
            assert strict.post(addresses[route]).status_code == 403, route


@pytest.mark.django_db(transaction=True)
def test_the_roles_are_there_for_whatever_test_comes_after_one_that_commits():
    rights = {group.name: group.permissions.count() for group in Group.objects.all()}
    call_command("flush", verbosity=0, interactive=False)
    assert {group.name: group.permissions.count() for group in Group.objects.all()} == rights
    assert set(rights) == set(ROLES)
