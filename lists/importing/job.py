"""What a worker does with an import: analyse the whole file, save its rows, take them back, clear them away.

It works in turns (`advance`) made of committed steps. Each goes on from the rows and the stored progress alone, so a
worker may be interrupted anywhere.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, dropwhile, islice

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from lists import db, jobs
from lists.db import BATCH
from lists.importing import matching, saving, staging
from lists.importing import undo as undoing
from lists.importing.causes import find_causes, find_warnings
from lists.importing.cleaning import CleanRow, cleaner
from lists.importing.columns import Mapping
from lists.importing.duplicates import count_duplicates
from lists.importing.lines import LAST_LINE
from lists.importing.policy import Policy
from lists.importing.progress import Progress
from lists.importing.reading import Dialect, FileRefused, Record, no_rows, read
from lists.importing.row_warnings import SHARED_BY, Code, is_imported
from lists.importing.saving import Source
from lists.models import ContactList, Import, ImportState, RowOutcome
from lists.models.audit import record as record_event
from lists.models.imports import NO_FILES

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
            warnings=find_warnings(imported, progress),
            opt_outs=progress.opt_outs,
            duplicates=count_duplicates(imported).as_json(),
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
            if not record.cells:
                progress.blank += 1
                continue
            row = clean(record)
            progress.count(row)
            yield record, row
            if row.further:
                for part in range(1, len(row.further) + 1):
                    further = row.for_number(part)
                    progress.count(further)
                    yield record, further

    resumed_after = progress.line
    records = dropwhile(lambda record: record.line <= resumed_after, read(imported.table_path, dialect))
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
        if progress.opted_out:
            matching.mark_opted_out(imported.pk)
        progress.repeats = matching.mark_repeats(imported.pk)
        if progress.repeats >= SHARED_BY:
            switches = Mapping.from_dict(imported.mapping).switches
            matching.mark_shared(imported.pk, are_imported=is_imported(Code.SHARED_NUMBER, switches))
        lease.store(progress=progress.as_json())
    return True


def _fold(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    policy = Policy.of(imported)

    def fold(first: int, last: int) -> None:
        for piece in matching.fold_repeats(imported.pk, first, last, policy):
            matching.store_folding(imported.pk, piece)

    return not progress.repeats or imported.is_of_suppressions or _lot_by_lot(imported, progress, lease, fold)


def _decide(imported: Import, progress: Progress, lease: jobs.JobLease) -> bool:
    if imported.is_of_suppressions:
        return _lot_by_lot(imported, progress, lease, partial(matching.decide_suppressions, imported.pk))
    return _lot_by_lot(imported, progress, lease, partial(matching.decide, imported.pk, policy=Policy.of(imported)))


PHASES: dict[str, Callable[[Import, Progress, jobs.JobLease], bool]] = {
    "clearing": _clear_rows,
    "reading": _stage,
    "repeats": _mark_repeats,
    "folding": _fold,
    "deciding": _decide,
}
"""The phases of an analysis by the names the progress shows; each may be begun again where it was interrupted."""


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
    progress = Progress.from_json(imported.progress)
    policy, source = Policy.of(imported), Source.of(imported)
    if list_id is None and not imported.is_of_suppressions:
        with transaction.atomic():
            break_off(imported, lease, "The list was deleted while the file was being imported.")
        return None

    def save_contacts(first: int, last: int) -> None:
        assert list_id is not None  # noqa: S101 - for the type checker
        saved = saving.save(imported.pk, first, last, list_id=list_id, policy=policy, source=source)
        progress.drifted += saved.drifted
        lease.store(joined=F("joined") + saved.joined, progress=progress.as_json())
        ContactList.objects.filter(pk=list_id).update(contact_count=F("contact_count") + saved.joined)

    def save_suppressions(first: int, last: int) -> None:
        progress.drifted += matching.decide_suppressions(imported.pk, first, last)
        saving.suppress(imported.pk, first, last, saving.NEW_ROWS, source)
        lease.store(progress=progress.as_json())

    save = save_suppressions if imported.is_of_suppressions else save_contacts
    if not _lot_by_lot(imported, progress, lease, save):
        return AT_ONCE
    counts = matching.ledger(imported.pk)
    outcomes = {outcome: counts[outcome] for outcome in RowOutcome.values}
    causes = find_causes(imported) if progress.drifted else imported.causes
    with transaction.atomic():
        lease.store(state=ImportState.COMPLETED, finished_at=Now(), joined=counts["joined"], causes=causes, **outcomes)
        if any(warning["code"] == Code.OPT_OUT_UNSURE for warning in imported.warnings):
            # Not lot by lot: a number that is suppressed half-way would make its later rows come out otherwise.
            saving.suppress(imported.pk, 0, LAST_LINE, saving.UNSURE_ROWS, source.unanswered())
        record_event(None, "imported", imported, list=imported.list_name, joined=counts["joined"], **outcomes)
    return None


def break_off(imported: Import, lease: jobs.JobLease, why: str) -> None:
    """End a commit part-way: the ledger counts what was saved, and the rest as not saved. Call inside a transaction."""
    progress = Progress.from_json(imported.progress)
    counts = matching.ledger(imported.pk, last=progress.line)
    outcomes = {outcome: counts[outcome] for outcome in RowOutcome.values}
    lease.store(
        state=ImportState.FAILED,
        failure=f"{why} What was saved until then is counted below, and kept.",
        unsaved=imported.records - sum(outcomes.values()),
        joined=counts["joined"],
        **outcomes,
    )


def give_up(imported: Import, lease: jobs.JobLease, why: str) -> None:
    """End the work on an import whose workers keep crashing, and let a person go on from what is stored."""
    if imported.state == ImportState.COMMITTING:
        break_off(imported, lease, why)
    elif imported.state == ImportState.UNDOING:
        lease.store(state=ImportState.COMPLETED, failure=f"{why} Undo the import once more to take back the rest.")
    else:
        lease.store(state=ImportState.FAILED, failure=why)


def undo(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """Take the import back from its last line to its first; the ledger stays as the record of what was done."""
    progress, policy = Progress.from_json(imported.progress), Policy.of(imported)
    while lot := undoing.start_of_lot(imported.pk, progress.undo.line):
        if not lease.go_on():
            return AT_ONCE
        first, last, rows = lot
        with transaction.atomic():
            lease.store()
            db.answer_by_keys()
            undone = undoing.take_back(imported.pk, first, last, list_id=imported.contact_list_id, policy=policy)
            progress.undo.add(undone, line=first, rows=rows)
            lease.store(progress=progress.as_json())
            if undone.left:
                lists = ContactList.objects.filter(imports=imported.pk)
                lists.update(contact_count=F("contact_count") - undone.left)
    with transaction.atomic():
        lease.store(state=ImportState.UNDONE)
        record_event(None, "undid import", imported, list=imported.list_name, **progress.undo.undone._asdict())
    return None


def _clear_away(imported: Import, lease: jobs.JobLease) -> timedelta | None:
    """What a discarded import leaves behind: its rows and its file. That it was there stays known."""
    if not _clear_rows(imported, Progress(), lease):
        return AT_ONCE
    imported.remove_files()
    with transaction.atomic():
        lease.store(**NO_FILES)
    return None
