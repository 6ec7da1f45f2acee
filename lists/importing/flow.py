"""An upload's way into a list: all that views, commands and jobs call.

    receive → read_as → match_columns → analyse → (a person looks) → begin_commit → commit → begin_undo → undo

What a person does is a short change of state that refuses when it comes too late; what takes time is done by a job
in committed steps (`advance`), from the rows alone, and may be interrupted anywhere. Nothing touches contacts before
commit.
"""

import csv
import hashlib
import io
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import Count, F, Min
from django.db.models.functions import Now
from django.utils import timezone

from lists import jobs, services
from lists.importing import columns, matching, saving, staging
from lists.importing import undo as undoing
from lists.importing.cleaning import CleanRow, cleaner
from lists.importing.columns import Mapping
from lists.importing.matching import LABELS
from lists.importing.reading import Dialect, FileRefused, Record, detect, headers, no_rows, read
from lists.importing.staging import BATCH, VALUES
from lists.models import Contact, ContactList, Import, ImportRow, ImportState, OnExisting, RowOutcome
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
            progress={"preview": preview, "drifted": 0, "line": 0, "rows": 0},
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
                imported.progress = {**imported.progress, "phase": name, "line": 0}
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
        last = matching.end_of_lot(imported.pk, first)
        if last is None:
            return True
        imported.progress["line"] = last
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
    with transaction.atomic():
        step.store(state=ImportState.COMPLETED, finished_at=Now(), joined=counts["joined"], **outcomes)
        record_event(None, "imported", imported, list=imported.list_name, joined=counts["joined"], **outcomes)
    return None


def undo(imported: Import, step: jobs.Step) -> timedelta | None:
    """Take the import back from its last line to its first; the ledger stays as the record of what was done."""
    done = imported.progress["undo"]
    while lot := undoing.start_of_lot(imported.pk, done.get("line")):
        if not step.go_on():
            return AT_ONCE
        first, last = lot
        with transaction.atomic():
            step.store()
            matching.by_keys()
            undone, left = undoing.take_back(
                imported.pk, first, last, list_id=imported.contact_list_id, on_existing=imported.on_existing
            )
            for name, count in undone._asdict().items():
                done[name] = done.get(name, 0) + count
            done["line"] = first
            step.store(progress=imported.progress)
            if left:
                lists = ContactList.objects.filter(imports=imported.pk)
                lists.update(contact_count=F("contact_count") - left)
    with transaction.atomic():
        step.store(state=ImportState.UNDONE)
        record_event(None, "undid import", imported, list=imported.list_name, **undo_result(imported))
    return None


def _clear_away(imported: Import, step: jobs.Step) -> timedelta | None:
    """What a discarded import leaves behind: its rows and its file. That it was there stays known."""
    if not _clear_rows(imported, step):
        return AT_ONCE
    imported.file.delete(save=False)
    with transaction.atomic():
        step.store(file="")
    return None


# --- what a page shows -----------------------------------------------------------------------------------------------


def undo_plan(imported: Import) -> dict[str, int]:
    """What undoing would do now: {"removed", "restored", "conflicts"}, in rows."""
    return undoing.plan(imported.pk, imported.on_existing)._asdict()


def undo_result(imported: Import) -> dict[str, int]:
    """What undoing has done: {"removed", "restored", "conflicts"}, in rows."""
    done = imported.progress.get("undo", {})
    return {name: done.get(name, 0) for name in undoing.Undone._fields}


def drift(imported: Import) -> str:
    """How the commit differs from the preview, as a sentence; "" when it does not."""
    preview = imported.progress.get("preview")
    if imported.state != ImportState.COMPLETED or not preview or not imported.progress.get("drifted"):
        return ""
    differing = [
        f"{outcome} {preview[outcome]:,} → {count:,}"
        for outcome, count in imported.ledger.items()
        if preview[outcome] != count
    ]
    if not differing:
        return ""
    return f"Contacts changed between the preview and the import, so it came out differently: {', '.join(differing)}."


class Cause(NamedTuple):
    """Rejected rows with the same problem in the same column."""

    code: str
    column: str
    reason: str
    suggestion: str
    rows: int
    first_line: int
    samples: list[str]


def causes(imported: Import) -> list[Cause]:
    """Why rows were rejected, most rows first, each with up to three of the values."""
    rejected = imported.rows.filter(outcome=RowOutcome.REJECTED)
    groups = (
        rejected.values("code", "column")
        .annotate(rows=Count("line"), first_line=Min("line"), said=Min("reason"), advice=Min("suggestion"))
        .order_by("-rows", "code", "column")
    )
    return [
        Cause(
            group["code"],
            group["column"],
            group["said"],
            group["advice"],
            group["rows"],
            group["first_line"],
            list(rejected.filter(code=group["code"], column=group["column"]).values_list("value", flat=True)[:3]),
        )
        for group in groups
    ]


class Pattern(NamedTuple):
    """Repeats that differ in the same fields: `fields` are their names, none when they are alike."""

    fields: tuple[str, ...]
    sentence: str
    rows: int
    first_line: int


def repeats_in_file(imported: Import) -> list[Pattern]:
    """Lines whose number an earlier line had, grouped by what they say differently, most rows first."""
    groups = (
        imported.rows.exclude(same_as=None)
        .values("column")
        .annotate(rows=Count("line"), first_line=Min("line"))
        .order_by("-rows", "column")
    )
    patterns = []
    for group in groups:
        fields = tuple(filter(None, group["column"].split(",")))
        said = f"other {_listed(fields)}" if fields else "nothing new"
        patterns.append(Pattern(fields, f"Same number, {said}", group["rows"], group["first_line"]))
    return patterns


def matches_with_existing(imported: Import) -> list[Pattern]:
    """Lines whose number a contact has already, grouped by where they differ from it as it is now, most rows first."""
    states = [
        f"CASE WHEN r.{field} = '' OR r.{field} = c.{field} THEN '' WHEN c.{field} = '' THEN 'new' ELSE 'other' END"
        for field in VALUES
    ]
    names = [f"state_{field}" for field in VALUES]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {", ".join(names)}, COUNT(*), MIN(line) FROM (
                SELECT r.line, {", ".join(f"{state} AS {name}" for state, name in zip(states, names, strict=True))}
                FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
                WHERE r.imported_id = %(import_id)s AND r.outcome IN ('updated', 'unchanged') AND r.same_as IS NULL
            ) AS compared
            GROUP BY {", ".join(names)} ORDER BY COUNT(*) DESC, MIN(line)
            """,
            {"import_id": imported.pk},
        )
        groups = cursor.fetchall()
    patterns = []
    for *found, rows, first_line in groups:
        by_state = {
            state: tuple(field for field, here in zip(VALUES, found, strict=True) if here == state)
            for state in ("other", "new")
        }
        parts = [
            *([f"other {_listed(by_state['other'])}"] if by_state["other"] else []),
            *([f"fills in {_listed(by_state['new'])}"] if by_state["new"] else []),
        ]
        sentence = f"Same number, {'; '.join(parts) or 'nothing new'}"
        patterns.append(Pattern((*by_state["other"], *by_state["new"]), sentence, rows, first_line))
    return patterns


def _listed(fields: Iterable[str]) -> str:
    return ", ".join(LABELS[field] for field in fields)


class Change(NamedTuple):
    label: str
    old: str
    new: str


def changes(row: ImportRow, on_existing: str) -> list[Change]:
    """Old → new, field by field, of a row that updates a contact: as it will be, or as it was once it is saved."""
    if row.outcome != RowOutcome.UPDATED:
        return []
    if row.before is not None:
        earlier, fields = row.before, [field for field in VALUES if field in row.before]
        old_extra = row.before.get("extra")
    else:
        try:
            contact = row.contact or Contact()
        except Contact.DoesNotExist:
            contact = Contact()  # deleted since the preview; the commit will make it anew
        earlier = {field: getattr(contact, field) for field in VALUES}
        fields = [
            field
            for field in VALUES
            if (new := getattr(row, field))
            and new != earlier[field]
            and (on_existing == "replace" or not earlier[field])
        ]
        old_extra = contact.extra
    found = [Change(LABELS[field], earlier[field], getattr(row, field)) for field in fields]
    if old_extra is not None:
        found += [
            Change(header, old_extra.get(header, ""), value)
            for header, value in row.extra.items()
            if old_extra.get(header) != value and (on_existing == "replace" or header not in old_extra)
        ]
    return found


REJECTED_COLUMNS = ("_line", "_code", "_column", "_value", "_reason", "_suggestion")
_is_formula = re.compile(r"'*[=+@\t\r\0-]").match
_is_number = re.compile(r"\+\d{5,15}").fullmatch


def safe_cell(text: str) -> str:
    """A cell a spreadsheet will not run. `cleaning.tidy` takes the apostrophe off again; a plain number gets none."""
    return f"'{text}" if _is_formula(text) and not _is_number(text) else text


def rejected_rows(imported: Import) -> Iterator[str]:
    """The rejected rows as CSV, in pieces: the file's own columns, then where, why, and what to do. UTF-8 with BOM."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    width = len(imported.headers)
    writer.writerow([safe_cell(name) for name in (*imported.headers, *REJECTED_COLUMNS)])
    rows = imported.rows.filter(outcome=RowOutcome.REJECTED).order_by("line")
    said = rows.values_list("raw", "line", "code", "column", "value", "reason", "suggestion")
    for raw, *rest in said.iterator(chunk_size=2_000):
        # A row with more cells than the header keeps them behind everything else, where no column is shifted by them.
        cells = [*raw[:width], *[""] * (width - len(raw))]
        writer.writerow([safe_cell(str(cell)) for cell in (*cells, *rest, *raw[width:])])
        if buffer.tell() > 64 * 1024:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
