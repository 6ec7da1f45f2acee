"""An upload's way into a list, as far as a person goes it: all that views and commands call.

    receive → read_as → match_columns → analyse → (a person looks) → begin_commit → commit → begin_undo → undo

Each function here is a short change of state that refuses when it comes too late. What takes time (`analyse`, `commit`
and `undo` above) is the job's, in `lists.importing.job`. Nothing touches contacts before commit.
"""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from lists import jobs
from lists.importing import columns
from lists.importing.columns import Mapping
from lists.importing.progress import Progress, UndoProgress
from lists.importing.reading import Dialect, FileRefused, detect, headers, no_rows, read
from lists.models import ContactList, Import, ImportState, OnExisting, RowOutcome
from lists.models.audit import record as record_event
from lists.services import lists

SAMPLE_ROWS = 200


class ImportRefused(Exception):
    """What was asked of an import cannot be done now; the text is a sentence that says why and what to do."""


def receive(upload_chunks: Iterable[bytes], filename: str, contact_list: ContactList, user: User | None) -> Import:
    """Store an upload under our own name and propose how to read it. Raises FileRefused; then nothing is kept.

    The cap is counted while the bytes arrive, whatever the sender announced. A list that is not saved yet is made
    together with its first file; services.Refused where its name is taken.
    """
    name = f"imports/{uuid.uuid4().hex}.upload"
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        size, content_hash = _store(upload_chunks, path)
        dialect = detect(path).dialect
        if not any(record.cells for record in islice(read(path, dialect), 100_000)):
            raise no_rows(dialect)
        found = headers(path, dialect)
        with transaction.atomic():  # not before: nobody else can write while SQLite is in one
            if contact_list.pk is None:
                lists.create_list(contact_list, user)
            imported = Import.objects.create(
                contact_list=contact_list,
                list_name=contact_list.name,
                created_by=user,
                file=name,
                filename=shown_name(filename),
                size=size,
                content_hash=content_hash,
                header_hash=header_fingerprint(found),
                dialect=dialect.as_dict(),
                headers=found,
                mapping=_suggested(path, dialect, found, contact_list).as_dict(),
            )
            record_event(user, "uploaded", imported, list=contact_list.name, size=size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return imported


def _store(chunks: Iterable[bytes], path: Path) -> tuple[int, str]:
    """(bytes, SHA-256) of what was written. Raises FileRefused when it is over the cap."""
    size, digest = 0, hashlib.sha256()
    with path.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > settings.MAX_UPLOAD_MB * 1024 * 1024:
                raise FileRefused(
                    "too_large",
                    f"The file is over {settings.MAX_UPLOAD_MB} MB. Choose a file under that size, or split it into "
                    "several.",
                )
            digest.update(chunk)
            file.write(chunk)
    return size, digest.hexdigest()


def shown_name(filename: str) -> str:
    """A file's name as we may show it: without folders, control characters and marks that turn its direction."""
    name = PureWindowsPath(PurePosixPath(filename).name).name
    name = "".join(char for char in name if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}).strip()
    return name[:255] or "upload.csv"


def header_fingerprint(names: Iterable[str]) -> str:
    """The same for the same columns in any order, case and punctuation."""
    return hashlib.sha256("\n".join(sorted(map(columns.key, names))).encode()).hexdigest()


def _suggested(path: Path, dialect: Dialect, names: list[str], contact_list: ContactList | None) -> Mapping:
    sample = [record.cells for record in islice(read(path, dialect), SAMPLE_ROWS) if record.cells]
    return columns.suggested(names, sample, contact_list.default_region if contact_list else "")


_BEFORE_SAVING = (ImportState.DRAFT, ImportState.READY)


def read_as(imported: Import, dialect: Dialect) -> None:
    """Read the file in another way; what was matched and analysed before starts again. Raises FileRefused."""
    path = Path(imported.file.path)
    found = headers(path, dialect)
    if not any(record.cells for record in islice(read(path, dialect), 100_000)):
        raise no_rows(dialect)
    mapping = _suggested(path, dialect, found, imported.contact_list)
    _move(
        imported,
        ImportState.DRAFT,
        failure="",
        dialect=dialect.as_dict(),
        headers=found,
        header_hash=header_fingerprint(found),
        mapping=mapping.as_dict(),
    )


def match_columns(imported: Import, mapping: Mapping, on_existing: str = OnExisting.FILL) -> None:
    """Say which column is what, and have the whole file analysed. Raises ImportRefused with every problem."""
    if found := columns.problems(mapping, imported.headers):
        raise ImportRefused(" ".join(found))
    if on_existing not in OnExisting.values:
        raise ImportRefused("Choose whether to keep, fill or replace what exists.")
    nothing_yet: dict[str, Any] = dict.fromkeys((*RowOutcome.values, "records", "blank", "joined"), 0)
    with transaction.atomic():
        _move(
            imported,
            ImportState.ANALYSING,
            mapping=mapping.as_dict(),
            on_existing=on_existing,
            failure="",
            progress=Progress().as_json(),
            causes=[],
            due_at=Now(),
            **nothing_yet,
        )
        jobs.wake("import", imported.pk)


def begin_commit(imported: Import, user: User | None) -> None:
    """Have exactly the outcomes of the preview saved. Raises ImportRefused."""
    if imported.contact_list is None:
        raise ImportRefused("The list this file was meant for has been deleted. Upload the file into another list.")
    with transaction.atomic():
        # Locked, so that nobody archives the list between this look and the change of state.
        if not ContactList.objects.current().select_for_update().filter(pk=imported.contact_list.pk).exists():
            raise ImportRefused(
                f"“{imported.list_name}” is archived and takes no files. Restore it, or upload the file into another."
            )
        preview = imported.ledger
        _move(
            imported,
            ImportState.COMMITTING,
            only_from=(ImportState.READY,),
            started_at=timezone.now(),
            progress=Progress(preview=preview).as_json(),
            due_at=Now(),
        )
        record_event(user, "started import", imported, list=imported.list_name, **preview)
        jobs.wake("import", imported.pk)


def begin_undo(imported: Import, user: User | None) -> None:
    """Have an import taken back. Raises ImportRefused."""
    with transaction.atomic():
        _move(
            imported,
            ImportState.UNDOING,
            only_from=(ImportState.COMPLETED,),
            progress=replace(Progress.from_json(imported.progress), undo=UndoProgress()).as_json(),
            due_at=Now(),
        )
        record_event(user, "started undo", imported, list=imported.list_name)
        jobs.wake("import", imported.pk)


def discard(imported: Import, user: User | None) -> None:
    """Throw away a draft or a preview; nothing of it was saved. Raises ImportRefused."""
    with transaction.atomic():
        _move(imported, ImportState.DISCARDED, due_at=Now())
        record_event(user, "discarded import", imported)
        jobs.wake("import", imported.pk)


def is_open(imported: Import) -> bool:
    """Whether it may still be read and matched in another way."""
    return imported.state in (ImportState.DRAFT, ImportState.READY) or failed_before_saving(imported)


def failed_before_saving(imported: Import) -> bool:
    """Whether the check failed, so that nothing was saved."""
    return imported.state == ImportState.FAILED and imported.started_at is None


def _move(imported: Import, state: str, *, only_from: tuple[str, ...] = _BEFORE_SAVING, **changes: Any) -> None:
    """Change the state, if it still is one of those it may be changed from. Raises ImportRefused."""
    allowed = Import.objects.filter(pk=imported.pk, state__in=only_from)
    if only_from == _BEFORE_SAVING:  # also after a failed analysis: nothing was saved
        allowed = allowed | Import.objects.filter(pk=imported.pk, state=ImportState.FAILED, started_at=None)
    if not allowed.update(state=state, **changes):
        imported.refresh_from_db(fields=["state"])
        raise ImportRefused(f"This import is {imported.get_state_display()}; reload the page to see where it stands.")
    imported.refresh_from_db()
