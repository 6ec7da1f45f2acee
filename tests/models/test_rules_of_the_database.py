"""What the database itself refuses, whatever the code above it does."""

import threading
import time

import pytest
from django.db import IntegrityError, connection, transaction

from lists.models import (
    Contact,
    Import,
    ImportRow,
    ImportState,
    Membership,
    RemoteList,
    RunState,
    Suppression,
    SyncItem,
    SyncRun,
)
from tests.factories import join, make_connection, make_contact, make_list

pytestmark = pytest.mark.django_db


def refused(act) -> bool:
    try:
        with transaction.atomic():
            act()
    except IntegrityError:
        return True
    return False


def make_import(**fields) -> Import:
    return Import.objects.create(list_name="Renewals", filename="july.csv", content_hash="0" * 64, **fields)


def make_run(contact_list, connection, **fields) -> SyncRun:
    return SyncRun.objects.create(
        contact_list=contact_list, connection=connection, list_name=contact_list.name,
        connection_name=connection.name, vendor=connection.vendor, **fields,
    )  # fmt: skip


def test_one_number_is_one_contact():
    make_contact("+12125550100")
    assert refused(lambda: make_contact("+12125550100"))


def test_a_number_that_is_not_e164_never_enters():
    assert refused(lambda: Contact.objects.create(phone="02125550100"))


def test_a_contact_is_in_a_list_once_per_occurrence():
    contact_list = make_list(allow_duplicates=True)
    contact = make_contact(contact_list=contact_list)
    join(contact_list, contact, occurrence=2)
    assert refused(lambda: Membership.objects.create(contact_list=contact_list, contact=contact, occurrence=2))


def test_a_number_is_suppressed_once():
    Suppression.objects.create(phone="+12125550100", reason="asked")
    assert refused(lambda: Suppression.objects.create(phone="+12125550100", reason="asked again"))


@pytest.mark.parametrize("state", [ImportState.READY, ImportState.COMPLETED, ImportState.UNDONE])
def test_an_import_with_one_row_missing_is_refused(state):
    ledger = {"created": 3, "updated": 2, "unchanged": 1, "merged": 1, "rejected": 1, "suppressed": 1, "skipped": 1}
    assert refused(lambda: make_import(state=state, records=11, **ledger))
    assert not refused(lambda: make_import(state=state, records=10, **ledger))


def test_an_import_under_way_may_still_be_open():
    assert not refused(lambda: make_import(state=ImportState.ANALYSING, records=11))


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.COMPLETED_WITH_PROBLEMS, RunState.STOPPED])
def test_a_run_that_lost_a_contact_is_refused(state):
    contact_list, connection = make_list(), make_connection()
    assert refused(lambda: make_run(contact_list, connection, state=state, total=3, added=1, unknown=1))
    assert refused(lambda: make_run(contact_list, connection, state=state, total=3, added=2, sending=1))
    assert not refused(lambda: make_run(contact_list, connection, state=state, total=3, added=1, unknown=1, not_sent=1))


def test_a_list_has_one_active_run_per_connection():
    contact_list, connection = make_list(), make_connection()
    make_run(contact_list, connection, state=RunState.STALLED)
    assert refused(lambda: make_run(contact_list, connection, state=RunState.PLANNED))
    assert not refused(lambda: make_run(contact_list, connection, state=RunState.FAILED))
    assert not refused(lambda: make_run(contact_list, make_connection(), state=RunState.QUEUED))


def test_two_lists_never_share_one_remote_name():
    connection = make_connection("kore")
    RemoteList.objects.create(contact_list=make_list(), connection=connection, remote_id="cl-1", name="renewals")
    second = make_list()
    assert refused(
        lambda: RemoteList.objects.create(contact_list=second, connection=connection, remote_id="cl-2", name="renewals")
    )


def test_a_membership_stands_in_a_run_once():
    contact_list, connection = make_list(), make_connection()
    contact = make_contact(contact_list=contact_list)
    run = make_run(contact_list, connection)
    SyncItem.objects.create(run=run, position=1, contact=contact)
    assert refused(lambda: SyncItem.objects.create(run=run, position=2, contact=contact))
    assert not refused(lambda: SyncItem.objects.create(run=run, position=3, contact=contact, occurrence=2))


@pytest.mark.django_db(transaction=True)
def test_rows_added_while_their_import_is_deleted_go_with_it():
    imported = make_import()
    adding = threading.Event()

    def add_rows():
        with transaction.atomic():
            Import.objects.filter(pk=imported.pk).update(progress={"line": 2})  # as every step of a job begins
            adding.set()
            time.sleep(0.2)
            ImportRow.objects.create(imported=imported, line=2, raw=[])
        connection.close()

    worker = threading.Thread(target=add_rows)
    worker.start()
    assert adding.wait(60)
    imported.delete()
    worker.join()
    assert (Import.objects.count(), ImportRow.objects.count()) == (0, 0)


def test_history_outlives_the_list_and_the_connection():
    contact_list, connection = make_list("Renewals"), make_connection(name="LeadLex live")
    run = make_run(contact_list, connection, state=RunState.FAILED)
    contact_list.delete()
    connection.delete()
    run.refresh_from_db()
    assert (run.contact_list, run.connection) == (None, None)
    assert str(run) == "Renewals → LeadLex live"
