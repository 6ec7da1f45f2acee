import json

import pytest
from django.core.management import call_command

from lists.exporting import export
from lists.fields import OF_CONTACT
from lists.models import Contact
from tests.factories import make_contact, make_list


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
        extra={"plan": "gold", "Ref.": "+49"},
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
