"""The whole road of a file: what is previewed is saved, the ledger closes, and undo gives back what was there."""

import csv
import io
import random
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction

from lists import exporting, jobs
from lists.importing import changes, describing, flow, job, staging
from lists.importing import undo as undoing
from lists.importing.causes import read_causes, read_warnings, with_warning
from lists.importing.columns import Mapping
from lists.importing.duplicates import Duplicates
from lists.importing.flow import Target
from lists.importing.guessing import suggested
from lists.importing.policy import Policy
from lists.importing.progress import Progress
from lists.importing.reading import Dialect, FileRefused
from lists.importing.undo import Undone
from lists.models import AuditEvent, Contact, Import, ImportRow, Membership, Suppression
from tests.factories import join, make_contact, make_list
from tests.importing.worlds import MAPPING, commit, preview, run, state, undo, upload, work

pytestmark = pytest.mark.django_db

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
ASHA, RAVI, MINA, OMAR = "+919800012345", "+919800012346", "+919800012347", "+919800012348"


def undo_plan(imported):
    return undoing.plan(imported.pk, Policy.of(imported), list_id=imported.contact_list_id)


def ledger(imported):
    return {outcome: count for outcome, count in imported.ledger.items() if count}


def lines(imported):
    return dict(imported.rows.order_by("line").values_list("line", "outcome"))


def test_a_file_goes_all_the_way_into_a_list():
    imported = run(
        [[ASHA, "Asha", "Rao", "asha@example.org", "Pune"], ["98000 12346", "Ravi", "", "", ""]], make_list()
    )
    assert (imported.state, imported.records, imported.joined) == ("completed", 2, 2)
    assert ledger(imported) == {"created": 2}
    assert imported.contact_list.contact_count == 2
    asha = Contact.objects.get(phone=ASHA)
    assert (asha.first_name, asha.email, asha.extra) == ("Asha", "asha@example.org", {"City": "Pune"})
    assert imported.rows.get(line=2).contact == asha


def test_nothing_touches_contacts_before_commit():
    before = state()
    imported = preview([[ASHA, "Asha", "", "", ""]], contact_list := make_list())
    before["counts"][contact_list.pk] = 0
    assert imported.state == "ready"
    assert state() == before


def test_every_outcome_is_told_with_its_line_and_reason():
    contact_list = make_list()
    make_contact(ASHA, first_name="Asha", contact_list=contact_list)
    make_contact(RAVI, first_name="Ravi")
    Suppression.objects.create(phone=OMAR, reason="asked to")
    imported = preview(
        [[ASHA, "Asha", "Rao", "", ""], [RAVI, "Ravi", "", "", ""], [MINA, "Mina", "", "", ""], ["12", "", "", "", ""],
         [MINA, "Mina", "Iyer", "", ""], [OMAR, "Omar", "", "bad mail", ""], ["", "", "", "", ""]],
        contact_list,
    )  # fmt: skip
    assert lines(imported) == {
        2: "updated", 3: "unchanged", 4: "created", 5: "rejected", 6: "merged", 7: "suppressed",
    }  # fmt: skip
    assert (imported.records, imported.blank, sum(imported.ledger.values())) == (6, 1, 6)
    rejected = imported.rows.get(line=5)
    assert (rejected.code, rejected.column, rejected.value) == ("too_short", "Phone", "12")
    merged = imported.rows.get(line=6)
    assert (merged.same_as, merged.reason) == (4, "Same number as line 4; other: last name.")
    [change] = changes.changes_of(imported.rows.get(line=2), Policy.of(imported))
    assert change == ("last name", "", "Rao")
    preview_ledger = imported.ledger
    commit(imported)
    assert imported.ledger == preview_ledger
    assert describing.drift(imported) == ""
    assert Contact.objects.get(phone=MINA).last_name == "Iyer"
    assert not Contact.objects.filter(phone=OMAR).exists()
    assert changes.changes_of(imported.rows.get(line=2), Policy.of(imported)) == [change]


@pytest.mark.parametrize(
    ("policy", "last_name", "email", "extra"),
    [
        ("keep", "", "old@example.org", {"City": "Pune"}),
        ("fill", "Rao", "old@example.org", {"City": "Pune"}),
        ("replace", "Rao", "new@example.org", {"City": "Goa"}),
    ],
)
def test_the_policy_says_what_happens_to_what_exists(policy, last_name, email, extra):
    make_contact(ASHA, email="old@example.org", extra={"City": "Pune"}, first_name="Asha")
    imported = run([[ASHA, "", "Rao", "new@example.org", "Goa"]], make_list(), policy)
    asha = Contact.objects.get(phone=ASHA)
    assert (asha.first_name, asha.last_name, asha.email, asha.extra) == ("Asha", last_name, email, extra)
    assert ledger(imported) == ({"unchanged": 1} if policy == "keep" else {"updated": 1})
    assert imported.joined == 1


def test_a_new_attribute_joins_those_that_are_there():
    make_contact(ASHA, extra={"b": "ü", "a": "1"})
    run([[ASHA, "", "", "", "Goa"]], make_list())
    assert Contact.objects.get(phone=ASHA).extra == {"b": "ü", "a": "1", "City": "Goa"}
    assert ledger(run([[ASHA, "", "", "", "Goa"]], make_list())) == {"unchanged": 1}


def test_the_same_file_twice_adds_nothing():
    contact_list, rows = (
        make_list(),
        [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "", "X"], [ASHA, "A", "R", "", ""]],
    )
    run(rows, contact_list)
    before = state()
    again = run(rows, contact_list)
    assert ledger(again) == {"unchanged": 2, "merged": 1}
    assert again.joined == 0
    assert state() == before


def test_a_list_that_allows_duplicates_keeps_every_row_as_a_membership():
    contact_list = make_list(allow_duplicates=True)
    rows = [[ASHA, "Asha", "", "", "Pune"], [RAVI, "", "", "", ""], [ASHA, "", "Rao", "", "Goa"]]
    imported = run(rows, contact_list)
    assert lines(imported) == {2: "created", 3: "created", 4: "unchanged"}
    members = Membership.objects.filter(contact__phone=ASHA).order_by("occurrence")
    assert [(member.occurrence, member.extra) for member in members] == [(1, {"City": "Pune"}), (2, {"City": "Goa"})]
    assert Contact.objects.get(phone=ASHA).last_name == "Rao"
    again = run(rows, contact_list)
    assert (ledger(again), again.joined) == ({"unchanged": 3}, 0)
    undo(imported)
    assert not Membership.objects.exists()
    assert not Contact.objects.exists()


def test_undo_gives_back_what_was_there():
    contact_list = make_list()
    make_contact(ASHA, first_name="Asha", extra={"City": "Pune", "n": "1"})
    make_contact(RAVI, contact_list=contact_list)
    before = state()
    imported = run(
        [[ASHA, "Aisha", "Rao", "", "Goa"], [RAVI, "Ravi", "", "", ""], [MINA, "Mina", "", "", ""]],
        contact_list,
        "replace",
    )
    assert imported.rows.get(line=2).before == {
        "first_name": "Asha", "last_name": "", "extra": {"City": "Pune", "n": "1"},
    }  # fmt: skip
    assert undo_plan(imported) == Undone(removed=1, restored=2, conflicts=0, left=2)
    undo(imported)
    assert imported.state == "undone"
    assert Progress.from_json(imported.progress).undo.undone == Undone(removed=1, restored=2, conflicts=0, left=2)
    assert state() == before
    assert ledger(imported) == {"created": 1, "updated": 2}


def test_undo_leaves_what_somebody_changed_since():
    contact_list, other = make_list(), make_list()
    make_contact(ASHA, first_name="Asha")
    imported = run([[ASHA, "", "Rao", "", ""], [RAVI, "Ravi", "", "", ""], [MINA, "Mina", "", "", ""]], contact_list)
    Contact.objects.filter(phone=ASHA).update(last_name="Roy")
    Contact.objects.filter(phone=RAVI).update(company="Acme")
    join(other, Contact.objects.get(phone=MINA))
    assert undo_plan(imported) == Undone(removed=1, restored=0, conflicts=2, left=2)
    undo(imported)
    assert Contact.objects.get(phone=ASHA).last_name == "Roy"
    assert list(contact_list.memberships.values_list("contact__phone", flat=True)) == [RAVI]
    assert list(other.memberships.values_list("contact__phone", flat=True)) == [MINA]
    contact_list.refresh_from_db()
    assert contact_list.contact_count == 1


def test_a_list_that_moved_between_preview_and_commit_is_told_and_nothing_is_overwritten():
    contact_list = make_list()
    imported = preview([[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "", ""]], contact_list)
    make_contact(ASHA, first_name="Aisha")
    commit(imported)
    assert ledger(imported) == {"created": 1, "unchanged": 1}
    assert Contact.objects.get(phone=ASHA).first_name == "Aisha"
    assert "created 2 → 1" in describing.drift(imported)


def test_a_contact_gone_since_the_preview_is_created_anew_and_can_be_taken_back():
    for phone in (ASHA, RAVI):
        make_contact(phone)
    imported = preview([[ASHA, "", "", "", ""], [RAVI, "", "", "", ""], [MINA, "", "", "", ""]])
    Contact.objects.get(phone=ASHA).delete()
    Contact.objects.filter(phone=RAVI).update(phone=OMAR)
    commit(imported)
    assert ledger(imported) == {"created": 3}
    assert list(imported.rows.order_by("line").values_list("contact__phone", flat=True)) == [ASHA, RAVI, MINA]
    undo(imported)
    assert list(Contact.objects.values_list("phone", flat=True)) == [OMAR]


def test_contacts_made_after_the_preview_never_take_the_place_of_those_to_come():
    imported = preview([[ASHA, "", "", "", ""]])
    others = [make_contact(phone) for phone in (RAVI, MINA)]
    commit(imported)
    row = imported.rows.get()
    assert row.contact.phone == ASHA
    assert row.contact_id not in {other.pk for other in others}
    assert Contact.objects.count() == 3


def test_a_number_suppressed_after_the_preview_is_not_imported_and_one_lifted_is():
    suppression = Suppression.objects.create(phone=RAVI, reason="asked to")
    imported = preview([[ASHA, "", "", "", ""], [RAVI, "", "", "", ""]])
    assert lines(imported) == {2: "created", 3: "suppressed"}
    Suppression.objects.create(phone=ASHA, reason="asked to")
    suppression.lifted_at = imported.created_at
    suppression.save()
    commit(imported)
    assert list(imported.rows.order_by("line").values_list("outcome", "code")) == [
        ("suppressed", "do_not_contact"), ("created", ""),
    ]  # fmt: skip
    assert list(Contact.objects.values_list("phone", flat=True)) == [RAVI]


def test_an_import_with_a_row_missing_cannot_be_called_finished():
    imported = run([[ASHA, "", "", "", ""], [RAVI, "", "", "", ""]], make_list())
    with pytest.raises(IntegrityError), transaction.atomic():
        Import.objects.filter(pk=imported.pk).update(created=1)


def test_rejected_rows_come_back_with_original_columns_and_reasons():
    imported = preview([["12", "=cmd|x", "", "", "Pune"], ["9.19877E+11", "", "", "", ""], [ASHA, "", "", "", ""]])
    text = "".join(exporting.rejected_rows(imported))
    assert text.startswith("\ufeff")
    header, first, second = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert header == [*imported.headers, "_line", "_code", "_column", "_value", "_reason", "_suggestion"]
    assert first[:9] == ["12", "'=cmd|x", "", "", "Pune", "2", "too_short", "Phone", "12"]
    assert second[0] == "9.19877E+11"
    assert imported.rejected == 2


def test_causes_are_grouped_with_samples():
    imported = preview([["12", "", "", "", ""], ["13", "", "", "", ""], ["9.19877E+11", "", "", "x", ""]])
    short, cut = read_causes(imported)
    assert (short.code, short.column, short.rows, short.first_line, short.samples) == (
        "too_short",
        "Phone",
        2,
        2,
        ["12", "13"],
    )
    assert (cut.code, cut.rows) == ("cut_by_spreadsheet", 1)
    assert imported.warnings == []


def test_warnings_are_grouped_with_before_and_after():
    imported = preview([[ASHA, "Asha", "", "x", ""], [RAVI, "Ravi", "", "y", ""], ["+442079460000", "Ann", "", "", ""]])
    mail, other_country = read_warnings(imported)
    assert (mail.code, mail.column, mail.rows, mail.samples) == ("email_left_out", "Email", 2, [("x", ""), ("y", "")])
    assert (other_country.code, other_country.samples) == ("other_country", [("+442079460000", "+442079460000")])
    assert ledger(imported) == {"created": 3}
    for warning in (mail, other_country):
        assert imported.rows.filter(with_warning(warning.code)).count() == warning.rows


def test_repeats_and_matches_are_grouped_by_how_they_differ():
    make_contact(RAVI, first_name="Ravi", last_name="Iyer")
    make_contact(OMAR, first_name="Omar", last_name="Aziz")
    imported = preview(
        [[ASHA, "Asha", "Rao", "", ""], [ASHA, "Asha", "Rao", "", ""], [ASHA, "Asha", "Roy", "", ""],
         [ASHA, "Mina", "Das", "", ""], [RAVI, "Ravi", "Shah", "ravi@example.org", ""], [OMAR, "Uma", "Pai", "", ""]]
    )  # fmt: skip
    found = Duplicates.of(imported)
    assert [(pattern.sentence, pattern.rows, pattern.first_line) for pattern in found.in_file] == [
        ("Same number, nothing new", 1, 3),
        ("Same number, other last name", 1, 4),
        ("Same number, other person", 1, 5),
    ]
    assert [(pattern.sentence, pattern.rows, pattern.first_line) for pattern in found.known] == [
        ("Same number, other last name; fills in e-mail", 1, 6),
        ("Same number, other person", 1, 7),
    ]
    assert (found.rows, found.known_rows, found.other_people) == (5, 2, 2)


def test_causes_count_what_somebody_made_do_not_contact_since():
    imported = preview([["9999999999", "", "", "", ""], ["8888888888", "", "", "", ""]])
    Suppression.objects.create(phone="+919999999999", reason="asked")
    commit(imported)
    [cause] = read_causes(imported)
    assert (cause.rows, cause.samples, imported.skipped, imported.suppressed) == (1, ["8888888888"], 1, 1)


def test_causes_outlive_the_rows_and_keep_none_of_their_values():
    imported = preview([["12", "", "", "", ""]])
    imported.rows.all().delete()
    [cause] = read_causes(imported)
    assert (cause.rows, cause.first_line, cause.samples) == (1, 2, [])
    assert "12" not in str(imported.causes)


def test_progress_is_told_from_the_import_alone(monkeypatch, django_assert_num_queries):
    for module in (staging, job, undoing):
        monkeypatch.setattr(module, "BATCH", 10)
    monkeypatch.setattr(job.matching.end_of_lot, "__defaults__", (10,))
    imported = preview([[f"+91980000{at:04d}", "", "", "", ""] for at in range(25)])
    for begin, under_way in ((flow.begin_commit, "committing"), (flow.begin_undo, "undoing")):
        begin(imported, None)
        told = []
        for _ in range(2):
            one_step(monkeypatch, imported)
            imported.refresh_from_db()
            assert imported.state == under_way
            with django_assert_num_queries(0):
                told.append(describing.progress(imported))
        assert [(progress.done, progress.of) for progress in told] == [(10, 25), (20, 25)]
        work(imported)


def one_step(monkeypatch, imported):
    """A turn of a worker that has time for one lot."""
    looks = iter([True, False])
    with monkeypatch.context() as patch:
        patch.setattr(jobs.JobLease, "go_on", lambda lease: next(looks))
        jobs.work("import", imported.pk)


def test_a_file_over_the_cap_is_refused_while_it_arrives(settings):
    settings.MAX_UPLOAD_MB = 1
    taken = []

    def chunks():
        for number in range(100):
            taken.append(number)
            yield b"x" * 100_000

    with pytest.raises(FileRefused, match="over 1 MB"):
        flow.receive(chunks(), "big.csv", Target(make_list()), None)
    assert len(taken) < 12
    assert not Import.objects.exists()


def test_a_refused_upload_leaves_nothing_behind():
    before = set(default_storage.listdir("imports")[1]) if default_storage.exists("imports") else set()
    with pytest.raises(FileRefused, match="PDF"):
        upload(b"%PDF-1.7")
    assert not Import.objects.exists()
    assert set(default_storage.listdir("imports")[1]) == before


@pytest.mark.parametrize(
    ("given", "shown"),
    [("../../etc/passwd", "passwd"), ("C:\\x\\CON.csv", "CON.csv"), ("a\r\nb\u202e.csv", "ab.csv"), ("", "upload.csv")],
)
def test_a_hostile_file_name_is_only_a_name(given, shown):
    assert flow.shown_name(given) == shown
    assert len(flow.shown_name("x" * 300)) == 255


def test_a_mapping_without_phone_is_refused_in_words():
    with pytest.raises(flow.ImportRefused, match="Choose the column that holds the phone number"):
        flow.match_columns(upload([[ASHA, "", "", "", ""]]), Mapping({}))


def test_what_comes_too_late_is_refused():
    imported = run([[ASHA, "", "", "", ""]], make_list())
    for act in (
        lambda: flow.begin_commit(imported, None),
        lambda: flow.match_columns(imported, MAPPING),
        lambda: flow.discard(imported, None),
        lambda: flow.read_as(imported, Dialect()),
    ):
        with pytest.raises(flow.ImportRefused, match="completed"):
            act()


def test_reading_in_another_way_starts_the_matching_again():
    imported = preview("Phone;Name\n+919800012345;Ž\n".encode("cp1250"))
    flow.read_as(imported, Dialect("cp1250", ";", has_header=True))
    assert (imported.state, imported.headers) == ("draft", ["Phone", "Name"])
    flow.match_columns(imported, suggested(imported.headers, []))
    work(imported)
    assert imported.rows.get().first_name == "Ž"


def test_a_file_that_breaks_half_way_fails_with_a_sentence_and_can_be_read_otherwise():
    rows = b"".join(b"+9198000%05d,A\n" % n for n in range(12_000))
    imported = preview(b"Phone,Name\n" + rows + b"+919800099999" + b",x" * 500 + b"\n")
    assert imported.state == "failed"
    assert "Line 12002" in imported.failure
    flow.read_as(imported, Dialect(delimiter=";", has_header=False))
    assert imported.state == "draft"


def test_discarding_removes_rows_and_file_and_keeps_the_memory():
    imported = preview([[ASHA, "", "", "", ""]])
    name = imported.file.name
    flow.discard(imported, None)
    work(imported)
    assert (imported.state, imported.rows.count(), imported.file.name) == ("discarded", 0, "")
    assert not default_storage.exists(name)


def test_what_was_done_is_in_the_audit():
    undo(run([[ASHA, "", "", "", ""]], make_list()))
    actions = AuditEvent.objects.filter(object_type="import").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["uploaded", "started import", "imported", "started undo", "undid import"]


class Interrupted(Exception):
    """Stands for a worker killed between two steps."""


@pytest.mark.parametrize("die_after", range(0, 14, 2))
def test_an_import_killed_between_any_two_steps_ends_as_if_undisturbed(monkeypatch, die_after):
    chaos = random.Random(1)
    numbers = [f"+9198000{chaos.randrange(60):05d}" for _ in range(95)]
    rows = [[number, "A", f"L{at}" if at % 3 else "", "", ""] for at, number in enumerate(numbers)] + [
        ["1", "", "", "", ""]
    ]
    for module, size in ((staging, 10), (job, 10)):
        monkeypatch.setattr(module, "BATCH", size)
    monkeypatch.setattr(job.matching.end_of_lot, "__defaults__", (10,))
    monkeypatch.setattr(undoing, "BATCH", 10)
    calm = run(rows, make_list(), "replace")
    wanted = (state()["contacts"], calm.ledger, calm.joined, lines(calm))
    undo(calm)
    assert not Contact.objects.exists()

    imported = upload(rows)
    flow.match_columns(imported, MAPPING, "replace")
    interrupt(monkeypatch, imported, die_after)
    flow.begin_commit(imported, None)
    interrupt(monkeypatch, imported, die_after)
    assert (state()["contacts"], imported.ledger, imported.joined, lines(imported)) == wanted
    flow.begin_undo(imported, None)
    interrupt(monkeypatch, imported, die_after)
    assert not Contact.objects.exists()
    assert not Membership.objects.exists()


def interrupt(monkeypatch, imported, die_after):
    """Let the worker die at its n-th look at the clock, take its lease away, and let another finish."""
    looks = iter(range(1000))

    def go_on(lease):
        if next(looks) == die_after:
            raise Interrupted
        return True

    with monkeypatch.context() as patch:
        patch.setattr(jobs.JobLease, "go_on", go_on)
        try:
            jobs.work("import", imported.pk)
        except Interrupted:
            Import.objects.filter(pk=imported.pk).update(lease_until=None)
    work(imported)


def test_a_worker_that_lost_its_lease_stores_nothing(monkeypatch):
    imported = upload([[ASHA, "", "", "", ""]])
    flow.match_columns(imported, MAPPING)
    stage = staging.stage

    def overtaken(*args):
        Import.objects.filter(pk=imported.pk).update(token=99)
        stage(*args)

    monkeypatch.setattr(staging, "stage", overtaken)
    assert jobs.work("import", imported.pk)
    imported.refresh_from_db()
    assert imported.state == "analysing"


def test_rows_of_a_number_are_kept_as_the_file_had_them():
    imported = preview([[" '+91 98000-12345 ", "  Asha ", "", "", ""]])
    row = ImportRow.objects.get(imported=imported)
    assert [cell.strip() for cell in row.raw] == ["'+91 98000-12345", "Asha", "", "", ""]
    assert (row.phone, row.first_name) == (ASHA, "Asha")


def test_an_upload_comes_with_a_proposal_for_reading_and_matching():
    imported = upload(b"Mobile,Vorname\n9800012345,Asha\n", make_list(default_region="IN"))
    assert Mapping.from_dict(imported.mapping) == Mapping({"phone": 0, "first_name": 1}, "IN")
    assert Dialect.from_dict(imported.dialect) == Dialect("utf-8", ",", has_header=True, header_line=1)


def test_the_messy_sample_is_read_repaired_and_explained():
    imported = upload((SAMPLES / "messy-utf8-bom-semicolon.csv").read_bytes(), make_list(default_region="IN"))
    assert Dialect.from_dict(imported.dialect) == Dialect("utf-8", ";", has_header=True, bom=True, header_line=1)
    flow.match_columns(imported, Mapping.from_dict(imported.mapping))
    work(imported)
    assert list(imported.rows.order_by("line").values_list("line", "outcome", "phone", "code")) == [
        (2, "created", ASHA, ""),
        (3, "created", "+442079460000", ""),
        (4, "rejected", "", "cut_by_spreadsheet"),
        (5, "created", MINA, ""),
        (7, "merged", ASHA, ""),
        (9, "created", OMAR, ""),
        (10, "created", "+919800012349", ""),
        (11, "rejected", "", "spreadsheet_error"),
        (12, "created", "+919800012351", ""),
    ]
    assert imported.blank == 1
    assert {(warning["code"], warning["rows"]) for warning in imported.warnings} == {
        ("email_left_out", 1), ("other_country", 1), ("several_numbers", 1),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "names"), [("names-cp1252.csv", ["José", "François"]), ("names-utf16-tab.txt", ["नेहा", "李"])]
)
def test_names_of_the_samples_arrive_as_they_were_written(name, names):
    imported = upload((SAMPLES / name).read_bytes())
    flow.match_columns(imported, Mapping.from_dict(imported.mapping))
    commit(work(imported))
    assert list(imported.rows.order_by("line").values_list("contact__first_name", flat=True)) == names
