"""Logging in is slowed for whoever tries too often, and for nobody else."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains

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
