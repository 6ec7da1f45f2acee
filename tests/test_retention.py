import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from lists.models import Import, ImportRow, ImportState, RunState, SyncAttempt, SyncBatch, SyncItem, SyncRun
from lists.retention import sweep, thin
from tests.factories import make_connection, make_contact, make_list

pytestmark = pytest.mark.django_db


def make_import(days: int, **fields) -> Import:
    imported = Import.objects.create(
        list_name="Renewals", filename="july.csv", content_hash="0" * 64, records=1, created=1, **fields
    )
    imported.file.save("july.csv", ContentFile(b"Phone\n+12125550100\n"))
    ImportRow.objects.create(imported=imported, line=2, raw=["+12125550100"], phone="+12125550100", outcome="created")
    Import.objects.filter(pk=imported.pk).update(created_at=timezone.now() - timedelta(days=days))
    return imported


def make_run(days: int) -> SyncRun:
    contact_list, connection = make_list(), make_connection()
    run = SyncRun.objects.create(
        contact_list=contact_list, connection=connection, list_name=contact_list.name,
        connection_name=connection.name, vendor=connection.vendor, state=RunState.COMPLETED, total=1, added=1,
    )  # fmt: skip
    batch = SyncBatch.objects.create(run=run, sequence=1, operation="add_to_list", first=1, last=1, entries=["c-1"])
    SyncAttempt.objects.create(
        run=run, batch=batch, operation="add_to_list", method="POST", path="/v1", started_at=timezone.now(),
        request_excerpt="what was sent", answer_excerpt="what came back", status=200,
    )  # fmt: skip
    SyncItem.objects.create(run=run, position=1, contact=make_contact(), outcome="added", batch=batch)
    SyncRun.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(days=days))
    return run


def test_rows_and_file_of_an_old_import_go_and_its_ledger_stays(settings):
    settings.ROW_DETAIL_DAYS = 30
    old, recent = make_import(31, state=ImportState.COMPLETED), make_import(29, state=ImportState.COMPLETED)
    assert thin() == 1
    assert list(ImportRow.objects.values_list("imported_id", flat=True)) == [recent.pk]
    path = old.file.path
    old.refresh_from_db()
    assert (old.state, old.created, bool(old.file)) == (ImportState.COMPLETED, 1, False)
    assert old.thinned_at is not None
    assert not Path(path).exists()
    assert thin() == 0


def test_a_preview_nobody_came_back_to_is_discarded(settings):
    settings.ROW_DETAIL_DAYS = 30
    forgotten = make_import(31, state=ImportState.READY)
    thin()
    forgotten.refresh_from_db()
    assert forgotten.state == ImportState.DISCARDED


def test_an_import_under_way_is_left_alone(settings):
    settings.ROW_DETAIL_DAYS = 30
    make_import(31, state=ImportState.COMMITTING)
    assert thin() == 0
    assert ImportRow.objects.exists()


def test_an_old_run_forgets_what_it_said_but_not_to_whom(settings):
    settings.ROW_DETAIL_DAYS = 30
    run = make_run(31)
    assert thin() == 1
    attempt = SyncAttempt.objects.get(run=run)
    assert (attempt.request_excerpt, attempt.answer_excerpt, attempt.status) == ("", "", 200)
    assert SyncBatch.objects.get(run=run).entries == []
    assert SyncItem.objects.get(run=run).outcome == "added"


def test_an_upload_that_was_cut_off_is_swept_up_after_a_day(settings, uploads):
    settings.FILE_UPLOAD_TEMP_DIR = uploads / "arriving"
    kept = make_import(0)
    kept.file.save("kept.upload", ContentFile(b"Phone\n+12125550100\n"))
    left = [uploads / "arriving" / "tmp1.upload.csv", uploads / "imports" / "orphan.upload"]
    arriving = uploads / "arriving" / "tmp2.upload.csv"
    arriving.parent.mkdir()
    for file in (*left, arriving):
        file.write_bytes(b"Phone\n+12125550100\n")
    two_days_ago = time.time() - 2 * 24 * 3600
    for file in (*left, Path(kept.file.path)):
        os.utime(file, (two_days_ago, two_days_ago))
    assert sweep() == 2
    assert [file.exists() for file in (*left, arriving, Path(kept.file.path))] == [False, False, True, True]


def test_there_is_a_folder_for_uploads_to_arrive_in(settings):
    assert settings.FILE_UPLOAD_TEMP_DIR.is_dir()
    assert settings.FILE_UPLOAD_TEMP_DIR.name == "arriving"
