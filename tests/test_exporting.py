import csv
import io
import json

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from lists.exporting import attribute_header, export
from lists.fields import OF_CONTACT
from lists.importing.columns import ATTRIBUTE
from lists.models import Contact, Suppression
from tests.factories import make_contact, make_list, make_suppression


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("policy", ["keep", "fill", "replace"])
def test_importing_an_export_again_changes_nothing(tmp_path, capsys, policy):
    contact_list = make_list("Renewals July")
    make_contact(
        "+919800000001",
        contact_list=contact_list,
        first_name="=1+1",
        last_name='Rao, "the elder"',
        company="-Acme",
        tag="'@vip",
        email="asha@example.org",
        time_zone="Asia/Kolkata",
        extra={"plan": "gold", "Ref.": "+49", "Group": "vip", "Mobile": "+919800000003"},
    )
    make_contact("+919800000002", contact_list=contact_list)
    before = list(Contact.objects.order_by("pk").values(*OF_CONTACT, "extra"))
    file = tmp_path / "renewals.csv"
    call_command("export_contacts", "Renewals July", out=file)
    capsys.readouterr()
    call_command("import_contacts", file, list_name="Renewals July", on_existing=policy, json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["unchanged"], told["created"], told["updated"]) == (2, 0, 0)
    assert list(Contact.objects.order_by("pk").values(*OF_CONTACT, "extra")) == before


def test_a_large_list_comes_in_pieces(db, monkeypatch):
    monkeypatch.setattr("lists.exporting.PIECE", 50)
    pieces = list(export(make_list(contacts=10)))
    assert len(pieces) > 4
    assert "".join(pieces).count("\r\n") == 11


def rows_of(contact_list):
    """The export as {header: cell} of each row."""
    return list(csv.DictReader(io.StringIO("".join(export(contact_list)).removeprefix("\ufeff"))))


def test_numbers_nobody_may_call_are_marked_in_a_column_of_their_own(db):
    contact_list = make_list()
    for position, phone in enumerate(["+919800000001", "+919800000002", "+919800000003"]):
        make_contact(phone, contact_list=contact_list, first_name=f"Asha {position}")
    make_suppression("+919800000002")
    make_suppression("+919800000003", lifted_at=timezone.now())
    rows = rows_of(contact_list)
    assert list(rows[0]) == [*OF_CONTACT, "do_not_contact"]
    assert {row["phone"]: row["do_not_contact"] for row in rows} == {
        "+919800000001": "", "+919800000002": "yes", "+919800000003": "",
    }  # fmt: skip


def test_every_attribute_is_exported_also_one_that_is_called_like_a_field(db):
    contact_list = make_list()
    extra = {"phone": "080-33923819", "Mobile": "none", "do_not_contact": "maybe", "plan": "gold"}
    make_contact("+919800000001", contact_list=contact_list, extra=extra)
    [row] = rows_of(contact_list)
    assert {header: cell for header, cell in row.items() if header not in OF_CONTACT} == {
        "do_not_contact": "",
        "phone (attribute)": "080-33923819",
        "Mobile (attribute)": "none",
        "do_not_contact (attribute)": "maybe",
        "plan": "gold",
    }


@given(st.sampled_from(["phone", "E-Mail", "plan", "", "Telefon"]), st.integers(0, 2))
def test_the_mark_of_an_attribute_comes_off_again(name, marks):
    name += " (attribute)" * marks
    assert attribute_header(name).removesuffix(ATTRIBUTE) == name


@pytest.mark.django_db
def test_an_export_with_do_not_contact_lifts_nothing_when_it_is_imported_again(tmp_path):
    contact_list = make_list("Renewals July")
    make_contact("+919800000001", contact_list=contact_list)
    make_contact("+919800000002", contact_list=contact_list)
    make_suppression("+919800000002", reason="asked in May")
    file = tmp_path / "renewals.csv"
    file.write_text("".join(export(contact_list)), encoding="utf-8")
    before = list(Suppression.objects.values())
    call_command("import_contacts", file, list_name="Renewals July", on_existing="replace")
    assert list(Suppression.objects.values()) == before


@pytest.mark.django_db
def test_an_export_with_another_opt_out_column_loses_neither(tmp_path):
    contact_list = make_list("Renewals July")
    for number in ("+919800000001", "+919800000002", "+919800000003"):
        make_contact(number, contact_list=contact_list)
    make_suppression("+919800000002", reason="asked in May")
    header, *rows = "".join(export(contact_list)).splitlines()
    file = tmp_path / "renewals.csv"
    marked = [f"{row},{'Y' if '+919800000003' in row else 'N'}" for row in rows]
    file.write_text("\n".join([f"{header},DND", *marked]), encoding="utf-8")
    Suppression.objects.all().delete()
    call_command("import_contacts", file, list_name="Renewals July")
    assert set(Suppression.objects.values_list("phone", flat=True)) == {"+919800000002", "+919800000003"}
