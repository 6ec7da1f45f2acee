"""suppress, as a script meets it: numbers given by hand, and files on the road of every import."""

import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from lists.models import AuditEvent, Contact, Import, Suppression
from tests.factories import make_list, make_suppression

ASHA, RAVI, MEERA = "+919800000001", "+919800000002", "+919800000003"

pytestmark = pytest.mark.django_db


def run(capsys, *numbers, **options):
    """(what the command answers, its exit code, what it says of problems)."""
    code = 0
    try:
        call_command("suppress", *numbers, json=True, **options)
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = capsys.readouterr()
    return json.loads(told.out), code, told.err


def refusal(*numbers, **options):
    with pytest.raises(CommandError) as caught:
        call_command("suppress", *numbers, **options)
    assert caught.value.returncode == 2
    return str(caught.value)


@pytest.fixture
def opted_out(tmp_path):
    def write(text, name="opted_out.csv"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_a_file_is_suppressed_with_reason_source_and_date(capsys, opted_out):
    make_suppression(RAVI, reason="asked in May")
    file = opted_out(
        "Name,Phone,Reason,Date\n"
        "Asha,98000 00001,asked by e-mail,2026-03-02\n"
        "Ravi,+91 98000 00002,again,\n"
        "Meera,098000-00003,,1 March 2026\n"
    )
    told, code, _ = run(capsys, file=file, region="IN")
    assert (told["added"], told["already"], told["records"], told["rejected"], code) == (2, 1, 3, 0, 0)
    asha, ravi, meera = Suppression.objects.order_by("phone")
    assert (asha.reason, asha.source, asha.asked_on) == (
        "asked by e-mail", "opted_out.csv, line 2", date(2026, 3, 2),
    )  # fmt: skip
    assert (ravi.reason, ravi.source) == ("asked in May", "")
    assert (meera.reason, meera.asked_on) == ("Said so in opted_out.csv", date(2026, 3, 1))


def test_the_reason_given_holds_where_the_file_has_none(capsys, opted_out):
    run(capsys, file=opted_out(f"Phone,Reason\n{ASHA},wrong person\n{RAVI},\n"), reason="Register of March")
    reasons = dict(Suppression.objects.values_list("phone", "reason"))
    assert reasons == {ASHA: "wrong person", RAVI: "Register of March"}


def test_every_number_of_a_cell_counts(capsys, opted_out):
    told, code, _ = run(capsys, file=opted_out(f"Phone,Reason\n{ASHA} / {RAVI},asked\n"))
    assert (told["added"], code) == (2, 0)
    assert set(Suppression.objects.values_list("phone", "source")) == {
        (ASHA, "opted_out.csv, line 2"), (RAVI, "opted_out.csv, line 2"),
    }  # fmt: skip


def test_every_phone_column_counts(capsys, opted_out):
    file = opted_out(f"Home,Mobile\n{ASHA},{RAVI}\n,{MEERA}\n")
    told, code, _ = run(capsys, file=file, mapped=["phone=Mobile", "phone=Home"])
    assert (told["added"], told["mapping"], code) == (3, {"phone": ["Mobile", "Home"]}, 0)
    assert set(Suppression.objects.values_list("phone", "source")) == {
        (ASHA, "opted_out.csv, line 2"), (RAVI, "opted_out.csv, line 2"), (MEERA, "opted_out.csv, line 3"),
    }  # fmt: skip


def test_a_phone_column_that_is_about_as_good_as_another_counts_too(capsys, opted_out):
    rows = "".join(f"+9198000000{at},+9198000001{at}\n" for at in range(10, 16))
    told, code, _ = run(capsys, file=opted_out(f"Contact one,Contact two\n{rows}"))
    assert (told["added"], told["not_imported"], code) == (12, [], 0)


def test_a_number_like_nobodys_counts_too(capsys, opted_out):
    told, _, _ = run(capsys, file=opted_out("Phone\n+919999999999\n"))
    assert (told["added"], told["rejected"]) == (1, 0)


def test_a_number_given_twice_counts_once(capsys, opted_out):
    told, _, _ = run(capsys, file=opted_out(f"Phone\n{ASHA}\n98000 00001\n"), region="IN")
    assert (told["added"], told["already"], told["merged"], told["records"]) == (1, 0, 1, 2)


def test_every_row_of_a_file_is_counted_once(capsys, opted_out):
    make_suppression(RAVI)
    told, _, _ = run(capsys, file=opted_out(f"Phone\n{ASHA}\n{RAVI}\n{ASHA}\n{MEERA}\n9.19877E+11\n"))
    outcomes = [told[outcome] for outcome in ("added", "already", "merged", "skipped", "rejected")]
    assert (outcomes, told["records"]) == ([2, 1, 1, 0, 1], 5)


def test_a_number_that_was_lifted_is_suppressed_again(capsys, opted_out):
    make_suppression(ASHA, reason="asked in May", lifted_at=timezone.now(), lift_reason="typing error")
    told, _, _ = run(capsys, file=opted_out(f"Phone\n{ASHA}\n"), reason="asked again")
    assert (told["added"], told["already"]) == (1, 0)
    suppression = Suppression.objects.get()
    assert (suppression.lifted_at, suppression.reason, suppression.lift_reason) == (None, "asked again", "")


def test_the_same_file_again_changes_nothing(capsys, opted_out):
    file = opted_out(f"Phone,Reason,Date\n{ASHA},asked,2026-03-02\n{RAVI},asked,2026-03-02\n")
    run(capsys, file=file)
    before = list(Suppression.objects.order_by("pk").values())
    told, code, _ = run(capsys, file=file)
    assert (told["added"], told["already"], code) == (0, 2, 0)
    assert list(Suppression.objects.order_by("pk").values()) == before


def test_rows_without_a_number_need_a_person_and_the_others_count(capsys, opted_out):
    file = opted_out("".join(["Phone,Reason\n", f"{ASHA},asked\n", *["9.19877E+11,asked\n"] * 22]))
    told, code, said = run(capsys, file=file, mapped=["phone=Phone"])
    assert (told["added"], told["rejected"], code) == (1, 22, 1)
    assert said.startswith("Line 3: ")
    assert said.count("Line ") == 20
    assert "And 2 lines more." in said


def test_what_a_column_became_and_what_was_left_out_is_answered(capsys, opted_out):
    file = opted_out(f"Phone,Reason,Date,Agent\n{ASHA},asked,03/04/2026,Ravi\n")
    told, _, _ = run(capsys, file=file)
    assert told["mapping"] == {"phone": "Phone", "reason": "Reason", "since": "Date"}
    assert (told["not_imported"], told["header_line"]) == (["Agent"], 1)
    assert told["warnings"] == {"date_left_out": 1}


def test_a_column_is_corrected_by_hand(capsys, opted_out):
    file = opted_out(f"Phone,Why we stopped\n{ASHA},moved abroad\n")
    run(capsys, file=file, mapped=["reason=Why we stopped"])
    assert Suppression.objects.get().reason == "moved abroad"
    assert "reason" in refusal(file=file, mapped=["first_name=Phone"])


def test_a_file_makes_no_contacts_and_no_list(capsys, opted_out):
    make_list("Renewals July")
    told, _, _ = run(capsys, file=opted_out(f"Phone,First name\n{ASHA},Asha\n"))
    assert not Contact.objects.exists()
    imported = Import.objects.get()
    assert (imported.pk, imported.list_name, imported.contact_list) == (told["import_id"], "Do not contact", None)
    assert [event.action for event in AuditEvent.objects.order_by("id")] == [
        "uploaded", "started import", "imported",
    ]  # fmt: skip


def test_a_person_is_told_in_words(capsys, opted_out):
    call_command("suppress", file=opted_out(f"Phone,Agent\n{ASHA},Ravi\n"))
    said = capsys.readouterr().out
    assert said.splitlines() == ["1 number added.", "  phone: Phone", "Not imported: Agent"]


@pytest.mark.parametrize(
    ("numbers", "options", "why"),
    [
        ([], {}, "--file"),
        ([ASHA], {"file": "opted_out.csv"}, "--file"),
        ([ASHA], {}, "--reason"),
        ([ASHA], {"reason": "x" * 201}, "201 characters"),
        ([ASHA], {"reason": "asked", "region": "XX"}, "“XX” is no country"),
    ],
)
def test_what_is_not_enough_is_refused(numbers, options, why):
    assert why in refusal(*numbers, **options)
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("", {}, "empty"),
        ("Name,City\nAsha,Pune\n", {}, "Choose the column that holds the phone number"),
        (f"Phone\n{ASHA}\n", {"region": "Atlantis"}, "“Atlantis” is no country"),
        (f"Phone\n{ASHA}\n", {"mapped": ["phone=Mobile"]}, "no column “Mobile”"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_leaves_nothing_open(opted_out, uploads, text, options, why):
    assert why in refusal(file=opted_out(text), **options)
    assert not Suppression.objects.exists()
    assert not Import.objects.unfinished().exists()
    assert not [file for file in uploads.rglob("*") if file.is_file()]


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert "cannot be opened" in refusal(file=tmp_path / "nowhere.csv")
