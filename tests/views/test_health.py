from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lists import jobs


def test_a_process_that_answers_is_alive(client, db):
    assert client.get(reverse("healthz")).json() == {"status": "ok"}


@pytest.mark.parametrize("silent_for", [timedelta(seconds=90), None])
def test_without_a_worker_the_product_is_not_ready(client, db, monkeypatch, silent_for):
    monkeypatch.setattr(jobs, "last_check_in", lambda: silent_for and timezone.now() - silent_for)
    response = client.get(reverse("readyz"))
    assert (response.status_code, response.json()) == (503, {"database": "ok", "worker": "silent"})


def test_the_product_is_ready_while_a_worker_checks_in(client, db, monkeypatch):
    monkeypatch.setattr(jobs, "last_check_in", timezone.now)
    response = client.get(reverse("readyz"))
    assert (response.status_code, response.json()) == (200, {"database": "ok", "worker": "ok"})
