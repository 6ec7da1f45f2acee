"""The commands of importing: names, options, JSON keys and exit codes are stable."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from lists.models import Contact, Import, Membership, Suppression
from tests.factories import make_contact, make_list
from tests.importing.workbook_bytes import xlsx
from tests.importing.worlds import csv_bytes

pytestmark = pytest.mark.django_db

ASHA, RAVI, MINA = "+919800012345", "+919800012346", "+919800012347"
LEDGER = ["created", "updated", "unchanged", "merged", "skipped", "rejected", "suppressed"]


@pytest.fixture
def call(capsys):
    """`call("undo_import", "3")`: (the object printed with --json, the exit code)."""

    def run(*words: str) -> tuple[dict[str, Any], int]:
        code = 0
        try:
            call_command(*words, "--json")
        except SystemExit as ended:
            code = int(ended.code or 0)
        return json.loads(capsys.readouterr().out), code

    return run


def refusal(*words: str) -> str:
    """The sentence of a command that was refused; 2 is its exit code."""
    with pytest.raises(CommandError) as refused:
        call_command(*words, "--json")
    assert refused.value.returncode == 2
    return str(refused.value)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "renewals.csv"
    path.write_bytes(csv_bytes([["98000 12345", "Asha", "", "", "Pune"], ["98000 12346", "Ravi", "", "", ""]]))
    return path


# inspect_file --------------------------------------------------------------------------------------------------------


def test_inspect_file_tells_how_a_file_is_read_and_stores_nothing(call, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("Phone;Name\n1;Zoë\n\n2;Ravi;more\n".encode("utf-8-sig"))
    told, code = call("inspect_file", str(path))
    assert code == 0
    assert told == {
        "encoding": "utf-8", "delimiter": ";", "header": ["Phone", "Name"], "header_line": 1, "above": 0,
        "records": 2, "blank": 1, "ragged": 1, "apart": {},
        "sample": [{"line": 2, "cells": ["1", "Zoë"]}, {"line": 4, "cells": ["2", "Ravi", "more"]}],
    }  # fmt: skip
    assert not Import.objects.exists()


def test_inspect_file_reads_as_it_is_told(call, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("1;Zoë\n2;Ravi\n".encode("cp1252"))
    told, _ = call("inspect_file", str(path), "--encoding", "cp1252", "--delimiter", "semicolon", "--no-header")
    assert (told["encoding"], told["delimiter"], told["header"], told["records"]) == ("cp1252", ";", [], 2)


def test_inspect_file_takes_the_header_from_the_line_it_is_told(call, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Name,Mobile\nVorname,Handy\nAsha,9800000001\nTotal,1\n")
    told, _ = call("inspect_file", str(path), "--header-line", "2")
    assert (told["header"], told["header_line"], told["above"]) == (["Vorname", "Handy"], 2, 1)
    assert (told["records"], told["apart"]) == (1, {"total": 1})
    path.write_text("Asha,9800000001\nRavi,9800000002\n")
    assert call("inspect_file", str(path), "--header")[0]["records"] == 1
    assert "Line 9 cannot be the header" in refusal("inspect_file", str(path), "--header-line", "9")


def test_inspect_file_reads_the_sheet_it_is_told_and_leaves_nothing_beside_the_workbook(call, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(xlsx({"July": [["Name"], ["Asha"]], "August": [["Mobile"], [9800000001], [9800000002]]}))
    assert call("inspect_file", str(path))[0]["header"] == ["Name"]
    told, _ = call("inspect_file", str(path), "--sheet", "August")
    assert (told["header"], told["sample"][0]) == (["Mobile"], {"line": 2, "cells": ["9800000001"]})
    assert "no sheet “May”" in refusal("inspect_file", str(path), "--sheet", "May")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("content", "sentence"), [(b"", "The file is empty"), (b"%PDF-1.7", "This is a PDF document")])
def test_a_file_that_is_no_table_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert sentence in refusal("inspect_file", str(path))
    make_list("July")
    assert sentence in refusal("import_contacts", str(path), "--list", "July")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    make_list("July")
    assert "cannot be opened" in refusal("inspect_file", str(tmp_path / "none.csv"))
    assert "cannot be opened" in refusal("import_contacts", str(tmp_path / "none.csv"), "--list", "July")


# import_contacts -----------------------------------------------------------------------------------------------------


def test_import_contacts_brings_a_file_into_a_list(call, file):
    contact_list = make_list("July", default_region="IN")
    told, code = call("import_contacts", str(file), "--list", "July")
    assert code == 0
    assert list(told) == [
        "import_id", "status", "records", "blank", *LEDGER, "seconds", "mapping", "not_imported", "header_line",
        "warnings", "questions",
    ]  # fmt: skip
    assert (told["status"], told["records"], told["created"]) == ("completed", 2, 2)
    assert set(contact_list.contacts.values_list("phone", flat=True)) == {ASHA, RAVI}
    assert Import.objects.get().pk == told["import_id"]


def test_importing_twice_adds_nothing(call, file):
    make_list("July", default_region="IN")
    call("import_contacts", str(file), "--list", "July")
    told, _ = call("import_contacts", str(file), "--list", "July")
    assert (told["created"], told["unchanged"]) == (0, 2)


def test_a_dry_run_tells_the_same_and_saves_nothing(call, file):
    make_list("July", default_region="IN")
    told, code = call("import_contacts", str(file), "--list", "July", "--dry-run")
    assert (code, told["status"], told["created"]) == (0, "ready", 2)
    assert not Contact.objects.exists()
    imported = Import.objects.get()
    assert (imported.state, imported.rows.count(), bool(imported.file)) == ("discarded", 0, False)


def test_columns_are_mapped_by_header_and_by_position(call, tmp_path):
    make_list("July")
    path = tmp_path / "a.csv"
    path.write_text(f"A,B,Ward\n{ASHA},Asha,East\n")
    call("import_contacts", str(path), "--list", "July", "--map", "phone=#1", "--map", "first_name=b",
         "--map", "extra=Ward")  # fmt: skip
    asha = Contact.objects.get()
    assert (asha.phone, asha.first_name, asha.extra) == (ASHA, "Asha", {"Ward": "East"})


@pytest.mark.parametrize(
    ("options", "columns", "suppressed"),
    [
        ([], ["DND", "Unsubscribed"], {ASHA, RAVI}),
        (["--map", "do_not_contact=Ward"], ["DND", "Unsubscribed", "Ward"], {ASHA, RAVI, MINA}),
        (["--map", "ignore=Unsubscribed"], "DND", {ASHA}),
    ],
)
def test_every_opt_out_column_counts_until_it_is_given_up_by_name(call, tmp_path, options, columns, suppressed):
    make_list("July")
    path = tmp_path / "a.csv"
    path.write_text(f"Phone,DND,Unsubscribed,Ward\n{ASHA},yes,no,\n{RAVI},no,yes,\n{MINA},no,no,x\n")
    told, _ = call("import_contacts", str(path), "--list", "July", *options, "--map", "phone=Phone")
    found = told["mapping"]["do_not_contact"]
    assert (sorted(found) if isinstance(found, list) else found) == columns
    assert set(Suppression.objects.values_list("phone", flat=True)) == suppressed


def test_region_encoding_delimiter_and_policy_are_obeyed(call, tmp_path):
    make_list("July")
    make_contact(ASHA, first_name="Asha")
    path = tmp_path / "a.csv"
    path.write_bytes("9800012345|Zoë\n".encode("cp1252"))
    told, _ = call("import_contacts", str(path), "--list", "July", "--region", "India", "--encoding", "cp1252",
                   "--delimiter", "|", "--no-header", "--map", "phone=#1", "--map", "first_name=#2",
                   "--on-existing", "replace")  # fmt: skip
    assert told["updated"] == 1
    assert Contact.objects.get().first_name == "Zoë"


def test_rejected_rows_are_written_where_one_says(call, tmp_path):
    make_list("July", default_region="IN")
    path, rejected = tmp_path / "a.csv", tmp_path / "rejected.csv"
    path.write_bytes(csv_bytes([[ASHA, "Asha", "", "", ""], ["9.19877E+11", "Mina", "", "", ""]]))
    told, code = call("import_contacts", str(path), "--list", "July", "--rejected", str(rejected))
    assert (code, told["rejected"]) == (0, 1)
    header, *rows = csv.reader(rejected.read_text(encoding="utf-8-sig").splitlines())
    assert header[-6:] == ["_line", "_code", "_column", "_value", "_reason", "_suggestion"]
    assert [(row[0], row[5]) for row in rows] == [("9.19877E+11", "3")]


def test_a_file_of_which_nothing_can_be_taken_needs_a_person(call, tmp_path):
    make_list("July")
    path = tmp_path / "a.csv"
    path.write_bytes(csv_bytes([["12", "Asha", "", "", ""]]))
    told, code = call("import_contacts", str(path), "--list", "July")
    assert (code, told["rejected"]) == (1, 1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--list", "August"], "There is no list “August”"),
        (["--list", "July", "--map", "phone=Nowhere"], "The file has no column “Nowhere”"),
        (["--list", "July", "--map", "shoe_size=Phone"], "is no mapping"),
        (["--list", "July", "--map", "ignore=Phone"], "Choose the column that holds the phone number"),
        (["--list", "July", "--region", "Atlantis"], "is no country we know"),
        (["--list", "July", "--encoding", "klingon"], "is no encoding we read"),
    ],
)
def test_what_cannot_be_done_is_refused_and_leaves_nothing_open(file, options, sentence):
    make_list("July")
    assert sentence in refusal("import_contacts", str(file), *options)
    assert not Import.objects.exclude(state="discarded").exists()
    assert not Contact.objects.exists()


def test_a_file_found_broken_further_down_is_refused_whole(tmp_path):
    make_list("July", default_region="IN")
    rows = "".join(f"98000{number:05d},Asha\n" for number in range(120_000))
    path = tmp_path / "a.csv"
    path.write_text(f"Phone,Name\n{rows}98000 12345,Asha{',' * 500}\n98000 12346,Ravi\n")
    assert "a file may have 500" in refusal("import_contacts", str(path), "--list", "July")
    assert not Contact.objects.exists()
    imported = Import.objects.get()
    assert (imported.state, imported.rows.count(), bool(imported.file)) == ("discarded", 0, False)


def test_rejected_rows_that_can_be_written_nowhere_refuse_the_import_before_it_saves(file, tmp_path):
    make_list("July", default_region="IN")
    nowhere = str(tmp_path / "nowhere" / "x.csv")
    assert f"cannot be written to “{nowhere}”" in refusal(
        "import_contacts", str(file), "--list", "July", "--rejected", nowhere
    )
    assert not Contact.objects.exists()
    assert Import.objects.get().state == "discarded"


def test_a_column_nobody_has_answered_for_is_neither_kept_nor_called_left_out(call, tmp_path):
    make_list("July", default_region="IN")
    path = tmp_path / "a.csv"
    path.write_text(f"Phone,Ward,May we call you?\n{ASHA},East,yes\n{RAVI},West,no\n")
    told, code = call("import_contacts", str(path), "--list", "July", "--keep-columns")
    assert told["mapping"] == {"phone": "Phone", "extra": ["Ward"], "unsure": ["May we call you?"]}
    assert (told["not_imported"], code) == ([], 1)


def test_a_person_is_told_in_words(file, capsys):
    make_list("July", default_region="IN")
    call_command("import_contacts", str(file), "--list", "July")
    assert "2 rows = 2 created" in capsys.readouterr().out
    call_command("inspect_file", str(file))
    assert "Unicode (UTF-8), separated by comma." in capsys.readouterr().out
    call_command("undo_import", str(Import.objects.get().pk))
    assert "2 removed, 0 given their earlier values" in capsys.readouterr().out


# undo_import ---------------------------------------------------------------------------------------------------------


def test_undo_import_gives_back_what_was_there(call, file):
    make_list("July", default_region="IN")
    make_contact(RAVI, last_name="Haddad")
    told, _ = call("import_contacts", str(file), "--list", "July")
    undone, code = call("undo_import", str(told["import_id"]))
    assert (code, undone) == (0, {"removed": 1, "restored": 1, "conflicts": 0, "left": 2})
    assert list(Contact.objects.values_list("phone", "first_name", "last_name")) == [(RAVI, "", "Haddad")]
    assert not Membership.objects.exists()


def test_a_dry_run_of_undo_changes_nothing(call, file):
    make_list("July", default_region="IN")
    told, _ = call("import_contacts", str(file), "--list", "July")
    assert call("undo_import", str(told["import_id"]), "--dry-run")[0] == {
        "removed": 2,
        "restored": 0,
        "conflicts": 0,
        "left": 2,
    }
    assert Contact.objects.count() == 2


def test_contacts_somebody_has_changed_since_need_a_person(call, file):
    make_list("July", default_region="IN")
    told, _ = call("import_contacts", str(file), "--list", "July")
    Contact.objects.filter(phone=ASHA).update(first_name="Ashwini")
    undone, code = call("undo_import", str(told["import_id"]))
    assert (code, undone) == (1, {"removed": 1, "restored": 0, "conflicts": 1, "left": 1})


def test_an_import_is_undone_once(call, file):
    make_list("July", default_region="IN")
    told, _ = call("import_contacts", str(file), "--list", "July")
    call("undo_import", str(told["import_id"]))
    assert "only one that has saved rows" in refusal("undo_import", str(told["import_id"]))
    assert "There is no import 404404" in refusal("undo_import", "404404")
