"""The same thing asked for several times in one moment: one object, and no fault of ours."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lists.importing import flow, reading
from lists.models import Connection, ContactList, Import, ImportState
from tests.factories import make_list
from tests.importing.worlds import csv_bytes, preview

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [("phone", "name"), ("+919800012345", "Asha")]
TOGETHER = 6


@pytest.fixture
def somebody() -> User:
    return User.objects.create_superuser("mara")  # roles come with migrations, which real transactions flush


def together(user: User, act: Callable[[Client], HttpResponse]) -> list[int]:
    """The answers' statuses when several browsers of one person do the same at once."""
    statuses: list[int] = []
    ready = Barrier(TOGETHER)

    def run() -> None:
        client = Client(raise_request_exception=False)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        ready.wait()
        try:
            statuses.append(act(client).status_code)
        finally:
            connections.close_all()

    threads = [Thread(target=run) for _ in range(TOGETHER)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(statuses)


def test_a_list_made_several_times_at_once_is_one_list(somebody):
    fields = {"name": "Renewals July", "description": "People whose contract ends", "default_region": "IN"}
    statuses = together(somebody, lambda client: client.post(reverse("lists-create"), fields))
    assert statuses == [200] * (TOGETHER - 1) + [302]
    assert ContactList.objects.count() == 1


def test_a_file_for_a_new_list_sent_several_times_at_once_makes_one_list(somebody):
    def send(client: Client) -> HttpResponse:
        file = SimpleUploadedFile("renewals.csv", csv_bytes(ROWS))
        fields = {"target": "new", "new_name": "Renewals July", "new_description": "People", "new_region": "IN"}
        return client.post(reverse("imports-new"), {"file": file, **fields})

    assert set(together(somebody, send)) <= {200, 302}
    assert ContactList.objects.count() == 1
    assert Import.objects.filter(state=ImportState.DRAFT).count() == 1


def test_a_connection_made_several_times_at_once_is_one_connection(somebody, settings):
    settings.VENDOR_HOSTS = ["127.0.0.1"]
    fields = {"name": "LeadLex", "api_key": "a-key-of-the-rehearsal", "base_url": "http://127.0.0.1:1/leadlex"}
    address = reverse("connections-create", args=["leadlex"])
    first = Client()
    first.force_login(somebody, backend="allauth.account.auth_backends.AuthenticationBackend")
    form = first.get(address).context["form"]
    shown = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    statuses = together(somebody, lambda client: client.post(address, {**shown, **fields}))
    assert statuses == [200] * (TOGETHER - 1) + [302]
    assert Connection.objects.count() == 1


def test_a_commit_clicked_several_times_leads_to_the_result_every_time(somebody):
    imported = preview(ROWS, make_list(default_region="IN"))
    seen: list[str] = []

    def commit(client: Client) -> HttpResponse:
        response = client.post(reverse("imports-commit", args=[imported.pk]))
        seen.append(response.url)
        return response

    together(somebody, commit)
    assert set(seen) == {reverse("imports-detail", args=[imported.pk])}


def test_nothing_is_imported_into_a_list_that_was_archived_meanwhile(somebody):
    contact_list = make_list(default_region="IN")
    imported = preview(ROWS, contact_list)
    ContactList.objects.update(archived_at=timezone.now())
    with pytest.raises(flow.ImportRefused, match="is archived"):
        flow.begin_commit(imported, somebody)
    imported.refresh_from_db()
    assert imported.state == ImportState.READY


def test_a_file_is_looked_at_before_the_database_is_written_to(somebody, monkeypatch):
    """SQLite has one writer: who reads a large file inside a transaction keeps everybody else waiting."""
    inside = []
    detect = reading.detect
    monkeypatch.setattr(flow, "detect", lambda path: inside.append(connection.in_atomic_block) or detect(path))
    client = Client()
    client.force_login(somebody, backend="allauth.account.auth_backends.AuthenticationBackend")
    file = SimpleUploadedFile("renewals.csv", csv_bytes(ROWS))
    client.post(reverse("imports-new"), {"file": file, "target": "new", "new_name": "July", "new_description": "x"})
    assert inside == [False]
    assert ContactList.objects.get().imports.count() == 1
