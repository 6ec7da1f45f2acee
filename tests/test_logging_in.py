"""Logging in: slowed for whoever tries too often and for nobody else; with a second factor for whoever wants one."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.test import Client, override_settings
from django.urls import reverse
from pytest_django.asserts import assertContains

from lists.login import SecondFactorAdapter
from lists.management.base import Refused
from lists.models import AuditEvent
from lists.permissions import ADMINISTRATOR, UPLOADER
from tests.factories import authenticator_code, make_connection, make_user

pytestmark = pytest.mark.django_db


def tries(client: Client, forwarded: str, times: int = 1):
    """The last answer to so many empty log-ins that our proxy has passed on."""
    for _ in range(times):
        response = client.post(reverse("account_login"), headers={"X-Forwarded-For": forwarded})
    return response


def test_who_tries_too_often_is_told_to_wait(client):
    assertContains(tries(client, "203.0.113.5", times=31), "wait a minute", status_code=429)


def test_others_behind_the_same_proxy_still_get_in(client):
    tries(client, "203.0.113.5", times=31)
    assert tries(client, "203.0.113.6").status_code == 200


def test_a_made_up_address_does_not_get_round_the_limit(client):
    tries(client, "198.51.100.1, 203.0.113.5", times=30)
    assert tries(client, "198.51.100.2, 203.0.113.5").status_code == 429


# The second factor


def log_in(username: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": username, "password": username})
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("dashboard")).status_code == 200


def activate(username: str) -> str:
    """Set up an authenticator app as the pages ask for it; its secret."""
    client = log_in(username)
    client.post(reverse("account_reauthenticate"), {"password": username})
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'value="([A-Z2-7]{32})"', page)[1]
    client.post(reverse("mfa_activate_totp"), {"code": authenticator_code(secret)})
    return secret


def test_a_second_factor_is_asked_for_once_it_is_set_up():
    asha = make_user(UPLOADER)
    # nobody writes letters to verify an address, so the second factor must not wait for that
    EmailAddress.objects.create(user=asha, email="asha@example.org", primary=True, verified=False)
    secret = activate(asha.username)
    client = log_in(asha.username)
    assert not is_in(client)
    client.post(reverse("mfa_authenticate"), {"code": authenticator_code(secret)})
    assert is_in(client)


def test_a_second_factor_is_stored_encrypted(settings):
    asha = make_user(UPLOADER)
    secret = activate(asha.username)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    call_command("rotate_credentials")
    settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS[:1]
    codes = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()
    client = log_in(asha.username)
    client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    assert is_in(client)


def test_second_factors_and_credentials_are_turned_together_or_not_at_all(settings):
    asha, connection = make_user(UPLOADER), make_connection("leadlex", secrets={"api_key": "wbk_1"})
    activate(asha.username)
    before = connection.credentials
    lost = Fernet.generate_key().decode()
    with override_settings(CREDENTIAL_KEYS=[lost]):
        Authenticator.objects.filter(type=Authenticator.Type.TOTP).update(
            data={"secret": SecondFactorAdapter().encrypt("JBSWY3DPEHPK3PXP")}
        )
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode(), *settings.CREDENTIAL_KEYS]
    with pytest.raises(Refused, match="second factor"):
        call_command("rotate_credentials")
    connection.refresh_from_db()
    assert connection.credentials == before


def take_away(by, person) -> None:
    client = Client()
    client.force_login(by)
    action = {"action": "take_second_factor_away", "_selected_action": [person.pk]}
    client.post(reverse("admin:auth_user_changelist"), action)


def test_an_administrator_helps_who_has_lost_the_second_factor():
    asha = make_user(UPLOADER)
    activate(asha.username)
    take_away(make_user(ADMINISTRATOR, is_staff=True), asha)
    assert is_in(log_in(asha.username))
    event = AuditEvent.objects.get(action="second_factor_taken_away")
    assert event.object_name == asha.username


def test_nobody_but_a_superuser_takes_a_superusers_second_factor_away():
    chief = make_user("", is_superuser=True)
    activate(chief.username)
    take_away(make_user(ADMINISTRATOR, is_staff=True), chief)
    assert not is_in(log_in(chief.username))


def test_an_address_of_ones_own_choice_cannot_be_entered(client):
    client.force_login(make_user(UPLOADER))
    assertContains(client.get("/accounts/email/"), "nothing at this address", status_code=404)
    assertContains(client.post("/accounts/email/", {"email": "mara@example.org"}), "nothing at", status_code=404)
