"""An upload's way into a list, as far as a person goes it: all that views and commands call.

    receive → read_as → match_columns → analyse → (a person looks) → begin_commit → commit → begin_undo → undo

Each function here is a short change of state that refuses when it comes too late. What takes time (`analyse`, `commit`
and `undo` above) is the job's, in `lists.importing.job`. Nothing touches contacts before commit.
"""

import hashlib
import unicodedata
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from lists import jobs
from lists.fields import FIELDS, SUPPRESSION_FIELDS
from lists.importing import columns
from lists.importing.columns import Mapping
from lists.importing.guessing import Guess, guess
from lists.importing.opening import Table, plain_table
from lists.importing.progress import Progress
from lists.importing.reading import Dialect, FileRefused, detect, headers, no_rows, read
from lists.importing.row_warnings import KINDS, Code
from lists.importing.workbooks import Sheet
from lists.models import ContactList, Import, ImportState, OnExisting, OtherPerson, Purpose, RowOutcome
from lists.models.audit import record as record_event
from lists.services import lists

SAMPLE_ROWS = 200


DO_NOT_CONTACT = "Do not contact"
"""The name an import of suppressed numbers has in the place of a list's."""


class ImportRefused(Exception):
    """What was asked of an import cannot be done now; the text is a sentence that says why and what to do."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Target:
    """What a file is for: a list, which may not be saved yet, or the do-not-contact list with the usual reason."""

    contact_list: ContactList | None
    reason: str = ""

    @property
    def purpose(self) -> str:
        return Purpose.SUPPRESSION if self.contact_list is None else Purpose.CONTACTS

    @property
    def name(self) -> str:
        return self.contact_list.name if self.contact_list else DO_NOT_CONTACT


def receive(
    upload_chunks: Iterable[bytes], filename: str, target: Target, user: User | None, *, sheet: str | None = None
) -> Import:
    """Store an upload under our own name and propose how to read it. Raises FileRefused; then nothing is kept.

    The cap is counted while the bytes arrive, whatever the sender announced. A list that is not saved yet is made
    together with its first file; services.Refused where its name is taken.

    sheet  the sheet of a workbook to read; None takes the first that holds anything
    """
    name = f"imports/{uuid.uuid4().hex}.upload"
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    table = Table(path)
    try:
        size, content_hash = _store(upload_chunks, path)
        table = plain_table(path, path.parent, sheet=sheet)
        dialect = detect(table.path).dialect
        with transaction.atomic():  # not before: nobody else can write while SQLite is in one
            if target.contact_list is not None and target.contact_list.pk is None:
                lists.create_list(target.contact_list, user)
            imported = Import(
                purpose=target.purpose,
                reason=target.reason,
                contact_list=target.contact_list,
                list_name=target.name,
                created_by=user,
                file=name,
                filename=shown_name(filename),
                size=size,
                content_hash=content_hash,
            )
            for field, value in _as_read(imported, table, dialect).items():
                setattr(imported, field, value)
            imported.save()
            record_event(user, "uploaded", imported, list=target.name, size=size)
    except BaseException:
        path.unlink(missing_ok=True)
        table.path.unlink(missing_ok=True)
        raise
    return imported


def _as_read(imported: Import, table: Table, dialect: Dialect) -> dict[str, Any]:
    """The fields of an import that follow from how its file is read. Raises FileRefused where it has no rows."""
    if not any(record.cells for record in islice(read(table.path, dialect), 100_000)):
        raise no_rows(dialect)
    found = headers(table.path, dialect)
    return {
        "table": f"imports/{table.path.name}" if table.path.name != Path(str(imported.file)).name else "",
        "sheet": table.sheet,
        "sheets": [list(sheet) for sheet in table.sheets],
        "dialect": dialect.as_dict(),
        "headers": found,
        "header_hash": header_fingerprint(found),
        "mapping": _guess(imported, table.path, dialect, found).mapping.as_dict(),
    }


def guess_columns(imported: Import, region: str | None = None) -> Guess:
    """What the columns of a file are taken for, by its first rows.

    region  the country of numbers written without one; None takes the list's
    """
    dialect = Dialect.from_dict(imported.dialect)
    return _guess(imported, Path(imported.table_path), dialect, imported.headers, region)


def _guess(imported: Import, path: Path, dialect: Dialect, names: list[str], region: str | None = None) -> Guess:
    sample = [record.cells for record in islice(read(path, dialect), SAMPLE_ROWS) if record.cells and not record.note]
    if region is None:
        region = imported.contact_list.default_region if imported.contact_list else ""
    if imported.is_of_suppressions:
        return _every_number(guess(names, sample, region, SUPPRESSION_FIELDS))
    return guess(names, sample, region, FIELDS)


def _every_number(found: Guess) -> Guess:
    """Whoever asks not to be called means each number they give, in each column, also one that looks like nobody's."""
    asked = [at for question in found.questions if question.code == "which_phone" for at in question.columns]
    first = found.mapping.columns.get("phone")
    more = [at for at in dict.fromkeys([*found.mapping.more_phones, *asked]) if at != first]
    mapping = replace(
        found.mapping,
        more_phones=more,
        numbers="each",
        switches={code: True for code, kind in KINDS.items() if kind.is_choice},
    )
    counts: dict[str, Any] = {"field": "phone", "reason": "Every number in it counts.", "others": ()}
    suggestions = [replace(each, **counts) if each.column in more else each for each in found.suggestions]
    return Guess(suggestions, mapping, [each for each in found.questions if each.code != "which_phone"])


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


_BEFORE_SAVING = (ImportState.DRAFT, ImportState.READY, ImportState.FAILED)
BROKEN_OFF = (ImportState.FAILED,)
"""What a failed import may become depends on when it failed: before anything was saved it is like a draft."""


def read_as(imported: Import, dialect: Dialect) -> None:
    """Read the file in another way; what was matched and analysed before starts again. Raises FileRefused."""
    sheets = tuple(Sheet(*sheet) for sheet in imported.sheets)
    table = Table(Path(imported.table_path), sheets=sheets, sheet=imported.sheet)
    _move(imported, ImportState.DRAFT, failure="", **_as_read(imported, table, dialect))


def read_sheet(imported: Import, sheet: str) -> None:
    """Read another sheet of a workbook; how it is read is detected anew. Raises FileRefused."""
    if sheet not in [name for name, *_ in imported.sheets]:
        raise ImportRefused(f"The workbook has no sheet “{sheet}”. Choose one of its sheets.", "no_such_sheet")
    source, before = Path(imported.file.path), Path(imported.table.path)
    with TemporaryDirectory(dir=source.parent) as folder:  # the table in use stays until the new one can be read
        table = plain_table(source, Path(folder), sheet=sheet)
        changes = _as_read(imported, table, detect(table.path).dialect)
        kept = source.with_name(f"{source.name}.{uuid.uuid4().hex}.plain")
        table.path.rename(kept)
    try:
        _move(imported, ImportState.DRAFT, failure="", **changes | {"table": f"imports/{kept.name}"})
    except ImportRefused:
        kept.unlink()
        raise
    before.unlink(missing_ok=True)


def match_columns(
    imported: Import,
    mapping: Mapping,
    on_existing: str = OnExisting.FILL,
    other_person: str = OtherPerson.KEEP,
) -> None:
    """Say which column is what, and have the whole file analysed. Raises ImportRefused with every problem."""
    if found := columns.problems(mapping, imported.headers):
        raise ImportRefused(" ".join(found), "mapping")
    if on_existing not in OnExisting.values or other_person not in OtherPerson.values:
        raise ImportRefused("Choose what may become of the contacts that exist.", "policy")
    nothing_yet: dict[str, Any] = dict.fromkeys((*RowOutcome.values, "records", "blank", "unsaved", "joined"), 0)
    with transaction.atomic():
        _move(
            imported,
            ImportState.ANALYSING,
            mapping=mapping.as_dict(),
            on_existing=on_existing,
            other_person=other_person,
            failure="",
            progress=Progress().as_json(),
            causes=[],
            warnings=[],
            opt_outs={},
            duplicates={},
            due_at=Now(),
            **nothing_yet,
        )
        jobs.wake("import", imported.pk)


def open_questions(imported: Import) -> list[str]:
    """Headers of columns that may say who must not be contacted, as long as nobody has answered."""
    columns_asked = [imported.headers[at] for at in Mapping.from_dict(imported.mapping).unsure]
    unread = [warning["column"] for warning in imported.warnings if warning["code"] == Code.OPT_OUT_UNSURE]
    return list(dict.fromkeys([*columns_asked, *unread]))


def begin_commit(imported: Import, user: User | None, *, unanswered: bool = False) -> None:
    """Have exactly the outcomes of the preview saved. Raises ImportRefused.

    unanswered  save although a column may say who must not be contacted; their numbers then are do-not-contact until
                somebody answers
    """
    if imported.contact_list is None and not imported.is_of_suppressions:
        raise ImportRefused(
            "The list this file was meant for has been deleted. Upload the file into another list.", "no_list"
        )
    if not unanswered and (asked := open_questions(imported)):
        raise ImportRefused(
            f"First say under Match columns what “{asked[0]}” means: it may say who must not be contacted.", "opt_out"
        )
    with transaction.atomic():
        if imported.contact_list is not None:
            # Locked, so that nobody archives the list between this look and the change of state.
            current = ContactList.objects.current().select_for_update()
            if not current.filter(pk=imported.contact_list.pk).exists():
                raise ImportRefused(
                    f"“{imported.list_name}” is archived and takes no files. Restore it, or upload the file into "
                    "another.",
                    "archived",
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


def go_on(imported: Import, user: User | None) -> None:
    """Have an import that broke off part-way go on after what it has saved. Raises ImportRefused."""
    with transaction.atomic():
        _move(imported, ImportState.COMMITTING, only_from=BROKEN_OFF, failure="", unsaved=0, due_at=Now())
        record_event(user, "resumed import", imported, list=imported.list_name)
        jobs.wake("import", imported.pk)


def begin_undo(imported: Import, user: User | None) -> None:
    """Have an import taken back, or what was saved of one that broke off. Raises ImportRefused.

    Numbers that are do-not-contact by it stay so: nothing about a file ever lifts one.
    """
    if imported.is_of_suppressions:
        raise ImportRefused("Numbers are taken off the do-not-contact list one by one, with a reason.", "suppression")
    with transaction.atomic():
        _move(
            imported,
            ImportState.UNDOING,
            only_from=(ImportState.COMPLETED, *BROKEN_OFF),
            failure="",
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


def broke_off(imported: Import) -> bool:
    """Whether it ended part-way, with some of its rows saved."""
    return imported.state == ImportState.FAILED and imported.started_at is not None


def _move(imported: Import, state: str, *, only_from: tuple[str, ...] = _BEFORE_SAVING, **changes: Any) -> None:
    """Change the state, if it still is one of those it may be changed from. Raises ImportRefused."""
    failed = Q(state=ImportState.FAILED, started_at__isnull=ImportState.DRAFT in only_from)
    allowed = Import.objects.filter(Q(state__in=only_from) & ~Q(state=ImportState.FAILED) | failed, pk=imported.pk)
    if ImportState.FAILED not in only_from:
        allowed = allowed.exclude(failed)
    if not allowed.update(state=state, **changes):
        imported.refresh_from_db(fields=["state"])
        raise ImportRefused(
            f"This import is {imported.get_state_display()}; reload the page to see where it stands.", "too_late"
        )
    imported.refresh_from_db()
