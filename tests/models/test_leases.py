from datetime import timedelta

import pytest
from django.db.models.functions import Now

from lists.models import Import, LeaseLost

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


def due_import(**fields) -> Import:
    row = Import.objects.create(list_name="Renewals", filename="july.csv", content_hash="0" * 64, **fields)
    Import.objects.filter(pk=row.pk).update(due_at=Now())
    return row


def expire(row: Import) -> None:
    Import.objects.filter(pk=row.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_a_due_row_is_claimed_once():
    row = due_import()
    assert Import.objects.claim(row.pk, "first") == 1
    assert Import.objects.claim(row.pk, "second") is None


def test_a_row_with_nothing_to_do_is_not_claimed():
    row = Import.objects.create(list_name="Renewals", filename="july.csv", content_hash="0" * 64)
    assert Import.objects.claim(row.pk, "first") is None


def test_a_row_that_waits_is_not_claimed_before_its_time():
    row = due_import()
    token = Import.objects.claim(row.pk, "first")
    Import.objects.release(row.pk, token, after=LATER)
    assert Import.objects.claim(row.pk, "second") is None


def test_the_row_of_a_worker_that_is_gone_is_taken_over_and_counted():
    row = due_import()
    Import.objects.claim(row.pk, "first")
    expire(row)
    assert Import.objects.claim(row.pk, "second") == 2
    row.refresh_from_db()
    assert (row.leased_by, row.crashes) == ("second", 1)


def test_a_stored_step_is_progress_and_forgets_crashes():
    row = due_import()
    Import.objects.claim(row.pk, "first")
    expire(row)
    token = Import.objects.claim(row.pk, "second")
    Import.objects.store(row.pk, token, progress={"line": 5000})
    row.refresh_from_db()
    assert (row.progress, row.crashes) == ({"line": 5000}, 0)


def test_a_stale_worker_stores_renews_and_releases_nothing():
    row = due_import()
    stale = Import.objects.claim(row.pk, "first")
    expire(row)
    Import.objects.claim(row.pk, "second")
    with pytest.raises(LeaseLost):
        Import.objects.store(row.pk, stale, progress={"line": 1})
    with pytest.raises(LeaseLost):
        Import.objects.release(row.pk, stale)
    assert Import.objects.renew(row.pk, stale) is False
    row.refresh_from_db()
    assert (row.progress, row.leased_by) == ({}, "second")


def test_the_tick_wants_what_is_due_or_abandoned_and_nobody_was_woken_for():
    due, abandoned, held, waiting, woken = (due_import() for _ in range(5))
    for row in (abandoned, held):
        Import.objects.claim(row.pk, "worker")
    expire(abandoned)
    Import.objects.release(waiting.pk, Import.objects.claim(waiting.pk, "worker"), after=LATER)
    Import.objects.filter(pk=woken.pk).update(woken_at=Now())
    assert set(Import.objects.due()) == {due, abandoned}


def test_a_row_that_is_over_is_never_due_again():
    row = due_import()
    Import.objects.release(row.pk, Import.objects.claim(row.pk, "worker"), over=True)
    assert not Import.objects.due().exists()
    assert Import.objects.claim(row.pk, "worker") is None
