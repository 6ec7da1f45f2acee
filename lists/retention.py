"""What is forgotten with age: rows and files of imports, and what requests of pushes said.

Ledgers, counts, causes and the audit chain stay for ever. The outcome of a contact in a push stays as well: forgetting
that a contact was sent would send it again.
"""

import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from lists.models import FINAL_STATES, Import, ImportRow, ImportState, SyncAttempt, SyncBatch, SyncRun
from lists.models.imports import NO_FILES, UNDER_WAY

CUT_OFF = timedelta(days=1)
"""After this long an upload that no import knows of is one whose process was killed."""
LOT = 5_000  # rows in one transaction, so that pages can write in between
AT_ONCE = 50  # imports and runs in one go; the next one goes on


def thin() -> int:
    """Forget the details that are older than ROW_DETAIL_DAYS; how many imports and runs were thinned."""
    now = timezone.now()
    old = Q(created_at__lt=now - timedelta(days=settings.ROW_DETAIL_DAYS), thinned_at=None)
    imports = Import.objects.filter(old).exclude(state__in=UNDER_WAY)[:AT_ONCE]
    runs = SyncRun.objects.filter(old, state__in=FINAL_STATES)[:AT_ONCE]
    for imported in imports:
        thin_import(imported)
    for run in runs:
        with transaction.atomic():
            SyncAttempt.objects.filter(run=run).update(request_excerpt="", answer_excerpt="")
            SyncBatch.objects.filter(run=run).update(entries=[])
            SyncRun.objects.filter(pk=run.pk).update(thinned_at=now)
    return len(imports) + len(runs)


def thin_import(imported: Import) -> None:
    """Remove its file and rows. A draft or preview nobody came back to is discarded by it."""
    imported.remove_files()
    while lines := ImportRow.objects.filter(imported=imported).order_by("line").values_list("line", flat=True)[:LOT]:
        ImportRow.objects.filter(imported=imported, line__lte=max(lines)).delete()
    Import.objects.filter(pk=imported.pk).update(thinned_at=timezone.now(), opt_outs={}, **NO_FILES)
    Import.objects.filter(pk=imported.pk, state__in=[ImportState.DRAFT, ImportState.READY]).update(
        state=ImportState.DISCARDED, token=F("token") + 1
    )


def sweep() -> int:
    """Remove uploads that were cut off before an import knew of them; how many there were."""
    known = {name for names in Import.objects.values_list("file", "table") for name in names if name}
    long_ago = time.time() - CUT_OFF.total_seconds()
    swept = 0
    for folder in (Path(settings.FILE_UPLOAD_TEMP_DIR), Path(settings.MEDIA_ROOT) / "imports"):
        for file in folder.glob("*.upload*"):
            with suppress(FileNotFoundError):  # another worker sweeps as well, and uploads come and go
                if f"imports/{file.name}" not in known and file.stat().st_mtime < long_ago:
                    file.unlink()
                    swept += 1
    return swept
