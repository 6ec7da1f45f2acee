"""What a worker does with an import: analyse the whole file, save its rows, take them back, clear them away.

It works in turns (`advance`) made of committed steps. Each goes on from the rows and the stored progress alone, so a
worker may be interrupted anywhere.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from lists import db, jobs
from lists.db import BATCH
from lists.importing import matching, saving, staging
from lists.importing import undo as undoing
from lists.importing.causes import find_causes
from lists.importing.cleaning import CleanRow, cleaner
from lists.importing.columns import Mapping
from lists.importing.progress import Progress
from lists.importing.reading import Dialect, FileRefused, Record, no_rows, read
from lists.models import ContactList, Import, ImportState, RowOutcome
from lists.models.audit import record as record_event

AT_ONCE = timedelta(0)


def advance(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """One turn of a worker on an import: when to go on, or None when a person is next."""
    match imported.state:
        case ImportState.ANALYSING:
            return analyse(imported, lease)
        case ImportState.COMMITTING:
            return commit(imported, lease)
        case ImportState.UNDOING:
            return undo(imported, lease)
        case ImportState.DISCARDED:
            return _clear_away(imported, lease)
    return None


def analyse(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """Read and clean the whole file into rows, and decide what each would do."""
    progress = Progress.from_json(imported.progress)
    try:
        for name in list(PHASES)[list(PHASES).index(progress.phase) :]:
            if progress.phase != name:
                progress.begin(name)
            if not PHASES[name](imported, progress, lease):
                return AT_ONCE
    except FileRefused as refused:
        with transaction.atomic():
            lease.store(state=ImportState.FAILED, failure=refused.message)
        return None
    counts = matching.ledger(imported.pk)
    with transaction.atomic():
        lease.store(
            state=ImportState.READY,
            analysed_at=Now(),
            records=progress.rows,
            blank=progress.blank,
            causes=find_causes(imported),
            **{outcome: counts[outcome] for outcome in RowOutcome.values},
        )
    return None


def _clear_rows(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    """Rows of an earlier analysis go first; True when none are left."""
    while lease.go_on():
        with transaction.atomic():
            lease.store()
            if not staging.unstage(imported.pk):
                return True
    return False


def _stage(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    """From bytes to staged rows, batch by batch, from the line where the last worker stopped; True at the end."""
    dialect = Dialect.from_dict(imported.dialect)
    clean = cleaner(Mapping.from_dict(imported.mapping), imported.headers)

    def cleaned(records: Iterable[Record]) -> Iterator[tuple[Record, CleanRow]]:
        for record in records:
            progress.line = record.line
            if record.cells:
                progress.rows += 1
                yield record, clean(record)
            else:
                progress.blank += 1

    resumed_after = progress.line
    records = (record for record in read(imported.file.path, dialect) if record.line > resumed_after)
    while first := next(records, None):
        rows = db.ready_to_write(cleaned(chain([first], islice(records, BATCH - 1))))
        with transaction.atomic():
            lease.store()
            staging.stage(imported.pk, rows)
            lease.store(progress=progress.as_json())
        if not lease.go_on():
            return False
    if not progress.rows:
        raise no_rows(dialect)
    return True


def _mark_repeats(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    with transaction.atomic():
        lease.store(progress=progress.as_json())
        staging.finish_staging()
        progress.repeats = matching.mark_repeats(imported.pk)
        lease.store(progress=progress.as_json())
    return True


def _fold(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    def fold(first: int, last: int) -> None:
        for piece in matching.fold_repeats(imported.pk, first, last, imported.on_existing):
            matching.store_folding(imported.pk, piece)

    return not progress.repeats or _lot_by_lot(imported, progress, lease, fold)


def _decide(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    return _lot_by_lot(imported, progress, lease, partial(matching.decide, imported.pk, **_policy(imported)))


PHASES: dict[str, Callable[[Import, Progress, jobs.JobLease], bool]] = {
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


def _lot_by_lot(imported: Import, progress: Progress, lease: jobs.JobLease, work: Callable[[int, int], object]) -> bool:
    """Do `work(first, last)` for the rows after the progress's line, a lot a transaction; True when none are left."""
    while lease.go_on():
        first = progress.line
        lot = matching.end_of_lot(imported.pk, first)
        if lot is None:
            return True
        last, rows = lot
        progress.line = last
        progress.passed += rows
        with transaction.atomic():
            lease.store(progress=progress.as_json())
            db.answer_by_keys()
            work(first, last)
    return False


def commit(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """Decide and save lot by lot; what is saved stays saved, and the next worker goes on after it."""
    list_id = imported.contact_list_id
    if list_id is None:
        with transaction.atomic():
            lease.store(
                state=ImportState.FAILED,
                failure="The list was deleted while the file was being imported. Contacts saved until then are kept.",
            )
        return None
    progress = Progress.from_json(imported.progress)

    def save(first: int, last: int) -> None:
        saved = saving.save(imported.pk, first, last, list_id=list_id, **_policy(imported))
        progress.drifted += saved.drifted
        lease.store(joined=F("joined") + saved.joined, progress=progress.as_json())
        ContactList.objects.filter(pk=list_id).update(contact_count=F("contact_count") + saved.joined)

    if not _lot_by_lot(imported, progress, lease, save):
        return AT_ONCE
    counts = matching.ledger(imported.pk)
    outcomes = {outcome: counts[outcome] for outcome in RowOutcome.values}
    causes = find_causes(imported) if progress.drifted else imported.causes
    with transaction.atomic():
        lease.store(state=ImportState.COMPLETED, finished_at=Now(), joined=counts["joined"], causes=causes, **outcomes)
        record_event(None, "imported", imported, list=imported.list_name, joined=counts["joined"], **outcomes)
    return None


def undo(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """Take the import back from its last line to its first; the ledger stays as the record of what was done."""
    progress = Progress.from_json(imported.progress)
    while lot := undoing.start_of_lot(imported.pk, progress.undo.line):
        if not lease.go_on():
            return AT_ONCE
        first, last, rows = lot
        with transaction.atomic():
            lease.store()
            db.answer_by_keys()
            undone, left = undoing.take_back(
                imported.pk, first, last, list_id=imported.contact_list_id, on_existing=imported.on_existing
            )
            progress.undo.add(undone, line=first, rows=rows)
            lease.store(progress=progress.as_json())
            if left:
                lists = ContactList.objects.filter(imports=imported.pk)
                lists.update(contact_count=F("contact_count") - left)
    with transaction.atomic():
        lease.store(state=ImportState.UNDONE)
        record_event(None, "undid import", imported, list=imported.list_name, **progress.undo.undone._asdict())
    return None


def _clear_away(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """What a discarded import leaves behind: its rows and its file. That it was there stays known."""
    if not _clear_rows(imported, Progress(), lease):
        return AT_ONCE
    imported.file.delete(save=False)
    with transaction.atomic():
        lease.store(file="")
    return None
