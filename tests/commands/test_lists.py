"""create_list, suppress and export_contacts, as a script meets them."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from lists.models import ContactList, Suppression
from tests.factories import join, make_contact, make_list, make_suppression

pytestmark = pytest.mark.django_db


def answer(capsys):
    return json.loads(capsys.readouterr().out)


def refusal(*command, **options):
    with pytest.raises(CommandError) as caught:
        call_command(*command, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


def test_a_list_is_created(capsys):
    call_command("create_list", "Renewals July", description="Contracts", region="in", allow_duplicates=True, json=True)
    contact_list = ContactList.objects.get()
    assert answer(capsys) == {"list_id": contact_list.pk, "name": "Renewals July"}
    assert (contact_list.default_region, contact_list.allow_duplicates) == ("IN", True)


def test_a_name_that_is_taken_is_refused():
    make_list("Renewals July")
    assert "There is a list of this name already" in refusal("create_list", "Renewals July")


def test_a_country_that_is_none_is_refused():
    assert "XX" in refusal("create_list", "Renewals July", region="XX")
    assert not ContactList.objects.exists()


def test_numbers_are_suppressed_in_any_spelling(capsys):
    make_suppression("+919800000001")
    call_command("suppress", "0091 98000 00001", "98000 00002", region="IN", reason="asked", json=True)
    assert answer(capsys) == {"added": 1, "already": 1}
    assert Suppression.objects.get(phone="+919800000002").reason == "asked"


def test_a_file_of_numbers_is_suppressed_and_its_heading_left_out(capsys, tmp_path):
    file = tmp_path / "opted_out.txt"
    file.write_text("\ufeffPhone\n+91 98000 00001\n\n+91 98000 00002\n", encoding="utf-8")
    call_command("suppress", file=file, json=True)
    told = answer(capsys)
    assert (told["added"], told["already"], told["records"]) == (2, 0, 2)
    assert Suppression.objects.first().source == "opted_out.txt, line 2"


def test_what_cannot_be_read_is_told_by_line_and_the_rest_is_stored(capsys):
    with pytest.raises(SystemExit) as ended:
        call_command("suppress", "+919800000001", "9.19877E+11", reason="asked", json=True)
    assert ended.value.code == 1
    told = capsys.readouterr()
    assert json.loads(told.out) == {"added": 1, "already": 0}
    assert told.err.startswith("Line 2: In this cell the spreadsheet has cut this number")


def test_numbers_without_a_reason_and_files_that_are_not_there_are_refused(tmp_path):
    assert "--reason" in refusal("suppress", "+919800000001")
    assert "--file" in refusal("suppress")
    assert "cannot be opened" in refusal("suppress", file=tmp_path / "nowhere.txt")


def test_an_export_has_the_columns_then_the_extras(capsys, tmp_path):
    contact_list = make_list("Renewals July", allow_duplicates=True)
    contact = make_contact(
        "+919800000001", contact_list=contact_list, first_name="Zoë", company="-Acme", extra={"plan": "gold"}
    )
    join(contact_list, contact, occurrence=2)
    out = tmp_path / "renewals.csv"
    call_command("export_contacts", "Renewals July", out=out, json=True)
    assert answer(capsys) == {"rows": 2}
    header, *rows = csv.reader(io.StringIO(out.read_text(encoding="utf-8-sig")))
    assert header == [
        "phone", "first_name", "last_name", "salutation", "email", "company", "tag", "time_zone", "do_not_contact",
        "plan",
    ]  # fmt: skip
    assert rows == [["+919800000001", "Zoë", "", "", "", "'-Acme", "", "", "", "gold"]] * 2


def test_an_export_without_a_file_goes_to_standard_output(capsys):
    make_contact("+919800000001", contact_list=make_list("Renewals July"))
    call_command("export_contacts", "Renewals July")
    assert capsys.readouterr().out.splitlines()[1].startswith("+919800000001")


def test_a_list_that_is_not_there_cannot_be_exported(tmp_path):
    assert "There is no list named" in refusal("export_contacts", "Nowhere", out=tmp_path / "x.csv")
    assert "--out" in refusal("export_contacts", "Nowhere", json=True)
