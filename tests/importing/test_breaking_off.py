"""An import that cannot go on tells what was saved, and goes on or is taken back from there."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now

from lists import db, jobs
from lists.importing import flow, job, matching, saving
from lists.importing import undo as undoing
from lists.models import Contact, Import, Membership
from tests.factories import make_list
from tests.importing.worlds import preview, state, undo, work

pytestmark = pytest.mark.django_db

ROWS = [[f"+9198000123{at:02d}", f"A{at}", "", "", ""] for at in range(30)] + [["12", "", "", "", ""]]


@pytest.fixture(autouse=True)
def small_lots(monkeypatch) -> None:
    monkeypatch.setattr(matching.end_of_lot, "__defaults__", (10,))
    monkeypatch.setattr(undoing, "BATCH", 10)


@pytest.fixture
def break_at(monkeypatch) -> Callable[..., None]:
    """`break_at(line, error)`: saving the lot that begins after this line fails; `break_at(None)`: no more."""
    save = saving.save

    def set_up(line: int | None, error: Exception | None = None) -> None:
        def breaking(import_id: int, first: int, last: int, **kwargs: object) -> saving.Saved:
            if line is not None and first >= line:
                raise error or RuntimeError("a fault of ours")
            return save(import_id, first, last, **kwargs)

        monkeypatch.setattr(saving, "save", breaking)

    return set_up


def full_disk() -> OperationalError:
    """The error as Django gives it on the database at hand."""
    error = OperationalError("disk full")
    if connection.vendor == "postgresql":
        error.__cause__ = psycopg.errors.DiskFull("could not extend file")
        return error
    with pytest.raises(OperationalError) as caught, really_full_disk(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filling AS SELECT randomblob(1000000) AS bytes")
    return caught.value


@contextmanager
def really_full_disk() -> Iterator[None]:
    """SQLite with no page left."""
    with connection.cursor() as cursor:
        usual = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        cursor.execute("PRAGMA max_page_count = 1")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA max_page_count = {usual}")


def begun(imported: Import) -> Import:
    flow.begin_commit(imported, None)
    return imported


def turn(imported: Import) -> Import:
    """A turn of a worker, the one before being gone and the wait for what passes over."""
    Import.objects.filter(pk=imported.pk, lease_until__isnull=False).update(lease_until=Now() - timedelta(seconds=1))
    Import.objects.filter(pk=imported.pk, due_at__isnull=False).update(due_at=Now())
    jobs.work("import", imported.pk, share=1000)
    imported.refresh_from_db()
    return imported


def test_a_full_disk_is_waited_for_and_counts_as_no_crash(break_at):
    imported = begun(preview(ROWS, contact_list := make_list()))
    break_at(11, full_disk())
    for _ in range(5):
        turn(imported)
        assert (imported.state, imported.held_up_by, imported.crashes) == ("committing", db.DISK_FULL, 0)
        assert imported.due_at is not None and imported.lease_until is None
        assert Contact.objects.count() == 10
    break_at(None)
    turn(imported)
    assert (imported.state, imported.held_up_by, imported.created, imported.rejected) == ("completed", "", 30, 1)
    assert contact_list.memberships.count() == 30


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (psycopg.errors.AdminShutdown("terminating connection"), db.UNREACHABLE),
        (psycopg.OperationalError("connection refused"), db.UNREACHABLE),
        (psycopg.errors.DeadlockDetected("deadlock"), db.BUSY),
        (psycopg.errors.UniqueViolation("twice"), ""),
        (OSError(28, "No space left on device"), db.DISK_FULL),
        (OSError(2, "No such file"), ""),
        (ValueError("ours"), ""),
    ],
)
def test_what_passes_is_told_from_a_fault_of_ours(cause, words):
    wrapped = RuntimeError("as Django wraps it")
    wrapped.__cause__ = cause
    assert db.passing_cause(wrapped) == db.passing_cause(cause) == words


def crashed(imported: Import, break_at: Callable[..., None], line: int) -> Import:
    break_at(line)
    for _ in range(4):
        turn(imported)
    return imported


def test_an_import_given_up_part_way_counts_what_was_saved(break_at):
    imported = crashed(begun(preview(ROWS)), break_at, 11)
    assert (imported.state, imported.created, imported.rejected, imported.unsaved) == ("failed", 10, 0, 21)
    assert imported.records == sum(imported.ledger.values()) + imported.unsaved
    assert Contact.objects.count() == Membership.objects.count() == imported.joined == 10
    assert "What was saved until then is counted below" in imported.failure


def test_it_goes_on_after_what_was_saved(break_at):
    imported = crashed(begun(preview(ROWS, contact_list := make_list())), break_at, 11)
    break_at(None)
    flow.go_on(imported, None)
    work(imported)
    assert (imported.state, imported.created, imported.rejected, imported.unsaved) == ("completed", 30, 1, 0)
    contact_list.refresh_from_db()
    assert contact_list.contact_count == contact_list.memberships.count() == 30


def test_what_was_saved_can_be_taken_back(break_at):
    contact_list = make_list()
    before = state()
    imported = crashed(begun(preview(ROWS, contact_list)), break_at, 11)
    break_at(None)
    undo(imported)
    assert (imported.state, imported.created, imported.unsaved) == ("undone", 10, 21)
    assert state() == before


def test_an_undo_given_up_part_way_is_taken_up_again(monkeypatch):
    contact_list = make_list()
    before = state()
    imported = work(begun(preview(ROWS, contact_list)))
    flow.begin_undo(imported, None)
    take_back = undoing.take_back

    def breaking(import_id: int, first: int, last: int, **kwargs: object) -> undoing.Undone:
        if first < 11:
            raise RuntimeError
        return take_back(import_id, first, last, **kwargs)

    monkeypatch.setattr(job.undoing, "take_back", breaking)
    for _ in range(4):
        turn(imported)
    assert imported.state == "completed"
    assert "Undo the import once more" in imported.failure
    monkeypatch.setattr(job.undoing, "take_back", take_back)
    undo(imported)
    assert imported.state == "undone"
    assert state() == before


def test_an_import_that_failed_before_saving_does_not_go_on():
    imported = preview(ROWS)
    Import.objects.filter(pk=imported.pk).update(state="failed")
    for act in (flow.go_on, flow.begin_undo):
        with pytest.raises(flow.ImportRefused) as refused:
            act(imported, None)
        assert refused.value.code == "too_late"
