"""Which column of a file holds which field, and why we think so."""

import json

import pytest

from lists.importing.columns import Mapping, from_options, guess, problems, suggested

HEADERS = ["Handynummer", "Vorname", "Nachname", "E-Mail-Adresse", "Firma", "Geburtstag"]
ROWS = [
    ["+4915123456789", "Asha", "Rao", "asha@example.org", "Acme", "1990-01-02"],
    ["+4915123456780", "Asha", "", "ravi@example.org", "", "1991-01-02"],
]


def test_headers_in_another_language_find_their_fields():
    assert suggested(HEADERS, ROWS).columns == {
        "phone": 0, "first_name": 1, "last_name": 2, "email": 3, "company": 4,
    }  # fmt: skip


def test_every_suggestion_has_a_reason_samples_and_a_fill_rate():
    first, vorname, nachname, *_, birthday = guess(HEADERS, ROWS)
    assert "Handynummer" in first.reason
    assert vorname.samples == ("Asha",)
    assert nachname.fill == 0.5
    assert birthday.field is None and birthday.reason


@pytest.mark.parametrize(
    ("header", "field"),
    [("MOBILE NO.", "phone"), ("phone_number", "phone"), ("Contact No", "phone"), ("msisdn", "phone"),
     ("Teléfono", "phone"), ("WhatsApp", "phone"), ("मोबाइल", "phone"), ("Телефон", "phone"), ("Surname", "last_name"),
     ("PRÉNOM", "first_name"), ("e_mail", "email"), ("Organisation", "company"), ("Anrede", "salutation"),
     ("TimeZone", "time_zone"), ("Country", "country"), ("Name", "full_name"), ("Tags", "tag")],
)  # fmt: skip
def test_a_header_is_known_by_its_other_names(header, field):
    assert guess([header], [["x"]])[0].field == field


def test_a_column_without_a_telling_header_is_known_by_its_content():
    found = guess(["a", "b", "c"], [["x", "+91 98000 12345", "asha@example.org"]] * 30 + [["x", "?", ""]])
    assert [suggestion.field for suggestion in found] == [None, "phone", "email"]
    assert "97 % of its values look like phone numbers" in found[1].reason


def test_a_field_takes_one_column_and_the_exact_name_wins():
    found = guess(["Mobile", "Phone", "Telephone"], [["+919800012345"] * 3])
    assert [suggestion.field for suggestion in found] == [None, "phone", None] or found[1].field == "phone"
    assert sum(suggestion.field == "phone" for suggestion in found) == 1


def test_a_mapping_survives_being_stored_as_json():
    mapping = Mapping({"phone": 1, "country": 0}, "IN", {"tag": "July"}, [2])
    assert Mapping.from_dict(json.loads(json.dumps(mapping.as_dict()))) == mapping
    assert [mapping.choice(at) for at in range(4)] == ["country", "phone", "extra", ""]


def test_options_map_by_header_by_position_and_to_extras():
    mapping = from_options(["phone=Mobile", "tag=#3", "extra=City"], ["City", "Mobile", "x"], "IN")
    assert mapping == Mapping({"phone": 1, "tag": 2}, "IN", {}, [0])
    assert from_options(["phone=MOBILE "], ["City", "Mobile"]).columns == {"phone": 1}


@pytest.mark.parametrize("option", ["phone", "fone=Mobile", "phone=Nowhere", "phone=#9", "phone=#0"])
def test_an_option_that_makes_no_sense_is_told_so(option):
    with pytest.raises(ValueError, match=r"\.$"):
        from_options([option], ["City", "Mobile"])


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (Mapping({}), "Choose the column that holds the phone number."),
        (Mapping({"phone": 0, "tag": 0}), "“a” is used for more than one field."),
        (Mapping({"phone": 0}, extras=[0]), "“a” is used for more than one field."),
        (Mapping({"phone": 7}), "A chosen column is not in this file. Choose the columns again."),
        (Mapping({"phone": 0, "shoe": 1}), "A chosen field is not one of ours. Choose the fields again."),
        (Mapping({"phone": 0}, "XX"), "Choose the default country from the list."),
        (Mapping({"phone": 0}, constants={"tag": "x" * 101}), "Tag may have 100 characters."),
        (Mapping({"phone": 0}, constants={"time_zone": "Mars"}), "“Mars” is no time zone. Write it as Asia/Kolkata."),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_choose(mapping, sentence):
    assert problems(mapping, ["a", "b"]) == [sentence]


def test_a_good_mapping_has_no_problems():
    assert problems(Mapping({"phone": 0}, "IN", {"tag": "July"}, [1]), ["a", "b"]) == []
