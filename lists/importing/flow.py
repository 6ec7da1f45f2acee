"""An upload's way into a list: all that views, commands and jobs call.

    receive → read_as → match_columns → analyse → (a person looks) → begin_commit → commit → begin_undo → undo

What a person does is a short change of state that refuses when it comes too late; what takes time is done by a job
in committed steps (`advance`), from the rows alone, and may be interrupted anywhere. Nothing touches contacts before
commit.
"""

import hashlib
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from lists import jobs, services
from lists.importing import columns, matching, reviewing, saving, staging
from lists.importing import undo as undoing
from lists.importing.cleaning import CleanRow, cleaner
from lists.importing.columns import Mapping
from lists.importing.reading import Dialect, FileRefused, Record, detect, headers, no_rows, read
from lists.importing.staging import BATCH
from lists.models import ContactList, Import, ImportState, OnExisting, RowOutcome
from lists.models.audit import record as record_event

SAMPLE_ROWS = 200
AT_ONCE = timedelta(0)


class ImportRefused(Exception):
    """What was asked of an import cannot be done now; the text is a sentence that says why and what to do."""


# --- what a person does ----------------------------------------------------------------------------------------------


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
                services.create_list(contact_list, user)
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
            progress={},
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
            progress={"preview": preview, "drifted": 0, "line": 0, "passed": 0},
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
            progress={**imported.progress, "undo": {}},
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


def _move(imported: Import, state: str, *, only_from: tuple[str, ...] = _BEFORE_SAVING, **changes: Any) -> None:
    """Change the state, if it still is one of those it may be changed from. Raises ImportRefused."""
    allowed = Import.objects.filter(pk=imported.pk, state__in=only_from)
    if only_from == _BEFORE_SAVING:  # also after a failed analysis: nothing was saved
        allowed = allowed | Import.objects.filter(pk=imported.pk, state=ImportState.FAILED, started_at=None)
    if not allowed.update(state=state, **changes):
        imported.refresh_from_db(fields=["state"])
        raise ImportRefused(f"This import is {imported.get_state_display()}; reload the page to see where it stands.")
    imported.refresh_from_db()


# --- what a job does -------------------------------------------------------------------------------------------------


def advance(imported: Import, step: jobs.Step) -> timedelta | None:
    """One turn of a worker on an import: when to go on, or None when a person is next."""
    match imported.state:
        case ImportState.ANALYSING:
            return analyse(imported, step)
        case ImportState.COMMITTING:
            return commit(imported, step)
        case ImportState.UNDOING:
            return undo(imported, step)
        case ImportState.DISCARDED:
            return _clear_away(imported, step)
    return None


def analyse(imported: Import, step: jobs.Step) -> timedelta | None:
    """Read and clean the whole file into rows, and decide what each would do."""
    begun = list(PHASES).index(imported.progress.get("phase", "clearing"))
    try:
        for name, phase in list(PHASES.items())[begun:]:
            if imported.progress.get("phase") != name:
                imported.progress = {**imported.progress, "phase": name, "line": 0, "passed": 0}
            if not phase(imported, step):
                return AT_ONCE
    except FileRefused as refused:
        with transaction.atomic():
            step.store(state=ImportState.FAILED, failure=refused.message)
        return None
    counts = matching.ledger(imported.pk)
    with transaction.atomic():
        step.store(
            state=ImportState.READY,
            analysed_at=Now(),
            records=imported.progress["rows"],
            blank=imported.progress["blank"],
            causes=reviewing.find_causes(imported),
            **{outcome: counts[outcome] for outcome in RowOutcome.values},
        )
    return None


def _clear_rows(imported: Import, step: jobs.Step) -> bool:
    """Rows of an earlier analysis go first; True when none are left."""
    while step.go_on():
        with transaction.atomic():
            step.store()
            if not staging.unstage(imported.pk):
                return True
    return False


def _stage(imported: Import, step: jobs.Step) -> bool:
    """From bytes to staged rows, batch by batch, from the line where the last worker stopped; True at the end."""
    progress = imported.progress = {"rows": 0, "blank": 0} | imported.progress
    dialect = Dialect.from_dict(imported.dialect)
    clean = cleaner(Mapping.from_dict(imported.mapping), imported.headers)

    def cleaned(records: Iterable[Record]) -> Iterator[tuple[Record, CleanRow]]:
        for record in records:
            progress["line"] = record.line
            if record.cells:
                progress["rows"] += 1
                yield record, clean(record)
            else:
                progress["blank"] += 1

    resumed_after = progress["line"]
    records = (record for record in read(imported.file.path, dialect) if record.line > resumed_after)
    while first := next(records, None):
        rows = staging.ready(cleaned(chain([first], islice(records, BATCH - 1))))
        with transaction.atomic():
            step.store()
            staging.stage(imported.pk, rows)
            step.store(progress=progress)
        if not step.go_on():
            return False
    if not progress["rows"]:
        raise no_rows(dialect)
    return True


def _mark_repeats(imported: Import, step: jobs.Step) -> bool:
    with transaction.atomic():
        step.store(progress=imported.progress)
        staging.finish_staging()
        imported.progress["repeats"] = matching.mark_repeats(imported.pk)
        step.store(progress=imported.progress)
    return True


def _fold(imported: Import, step: jobs.Step) -> bool:
    def fold(first: int, last: int) -> None:
        for piece in matching.fold_repeats(imported.pk, first, last, imported.on_existing):
            matching.store_folding(imported.pk, piece)

    return not imported.progress["repeats"] or _lot_by_lot(imported, step, fold)


def _decide(imported: Import, step: jobs.Step) -> bool:
    return _lot_by_lot(imported, step, partial(matching.decide, imported.pk, **_policy(imported)))


PHASES: dict[str, Callable[[Import, jobs.Step], bool]] = {
    "clearing": _clear_rows,
    "reading": _stage,
    "repeats": _mark_repeats,
    "folding": _fold,
    "deciding": _decide,
}
"""The phases of an analysis by the names the progress shows; each may be begun again where it was interrupted."""


def _policy(imported: Import) -> dict[str, Any]:
    allow_duplicates = imported.contact_list is not None and imported.contact_list.allow_duplicates
    return {"on_existing": imported.on_existing, "allow_duplicates": allow_duplicates}


def _lot_by_lot(imported: Import, step: jobs.Step, work: Callable[[int, int], object]) -> bool:
    """Do `work(first, last)` for the rows after the progress's line, a lot a transaction; True when none are left."""
    while step.go_on():
        first = imported.progress["line"]
        lot = matching.end_of_lot(imported.pk, first)
        if lot is None:
            return True
        last, rows = lot
        imported.progress["line"] = last
        imported.progress["passed"] += rows
        with transaction.atomic():
            step.store(progress=imported.progress)
            matching.by_keys()
            work(first, last)
    return False


def commit(imported: Import, step: jobs.Step) -> timedelta | None:
    """Decide and save lot by lot; what is saved stays saved, and the next worker goes on after it."""
    list_id = imported.contact_list_id
    if list_id is None:
        with transaction.atomic():
            step.store(
                state=ImportState.FAILED,
                failure="The list was deleted while the file was being imported. Contacts saved until then are kept.",
            )
        return None
    progress = imported.progress

    def save(first: int, last: int) -> None:
        saved = saving.save(imported.pk, first, last, list_id=list_id, **_policy(imported))
        progress["drifted"] += saved.drifted
        step.store(joined=F("joined") + saved.joined, progress=progress)
        ContactList.objects.filter(pk=list_id).update(contact_count=F("contact_count") + saved.joined)

    if not _lot_by_lot(imported, step, save):
        return AT_ONCE
    counts = matching.ledger(imported.pk)
    outcomes = {outcome: counts[outcome] for outcome in RowOutcome.values}
    causes = reviewing.find_causes(imported) if progress["drifted"] else imported.causes
    with transaction.atomic():
        step.store(state=ImportState.COMPLETED, finished_at=Now(), joined=counts["joined"], causes=causes, **outcomes)
        record_event(None, "imported", imported, list=imported.list_name, joined=counts["joined"], **outcomes)
    return None


def undo(imported: Import, step: jobs.Step) -> timedelta | None:
    """Take the import back from its last line to its first; the ledger stays as the record of what was done."""
    done = imported.progress["undo"]
    while lot := undoing.start_of_lot(imported.pk, done.get("line")):
        if not step.go_on():
            return AT_ONCE
        first, last, rows = lot
        with transaction.atomic():
            step.store()
            matching.by_keys()
            undone, left = undoing.take_back(
                imported.pk, first, last, list_id=imported.contact_list_id, on_existing=imported.on_existing
            )
            for name, count in undone._asdict().items():
                done[name] = done.get(name, 0) + count
            done["line"] = first
            done["passed"] = done.get("passed", 0) + rows
            step.store(progress=imported.progress)
            if left:
                lists = ContactList.objects.filter(imports=imported.pk)
                lists.update(contact_count=F("contact_count") - left)
    with transaction.atomic():
        step.store(state=ImportState.UNDONE)
        record_event(None, "undid import", imported, list=imported.list_name, **reviewing.undo_result(imported))
    return None


def _clear_away(imported: Import, step: jobs.Step) -> timedelta | None:
    """What a discarded import leaves behind: its rows and its file. That it was there stays known."""
    if not _clear_rows(imported, step):
        return AT_ONCE
    imported.file.delete(save=False)
    with transaction.atomic():
        step.store(file="")
    return None
