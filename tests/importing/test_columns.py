"""Which column of a file holds which field: the mapping, its corrections and its checks."""

import json

import pytest

from lists.fields import SUPPRESSION_FIELDS
from lists.importing.columns import Mapping, corrected, key, problems, words

HEADERS = ["City", "Mobile", "Policy No", "Phone 2", "Full name"]
BASE = Mapping({"phone": 2, "full_name": 4}, "IN", more_phones=[3], unsure=[0])


def test_a_mapping_survives_being_stored_as_json():
    mapping = Mapping(
        {"phone": 1, "country": 0}, "IN", {"tag": "July"}, [2], [4, 5], "each", [7], {7: {"maybe": True}}, [6],
        {"placeholder": True}
    )  # fmt: skip
    assert Mapping.from_dict(json.loads(json.dumps(mapping.as_dict()))) == mapping


def test_a_mapping_that_was_stored_earlier_is_read_with_what_is_new_left_empty():
    stored = {"columns": {"phone": 1}, "region": "IN", "constants": {}, "extras": [2], "no longer known": 1}
    assert Mapping.from_dict(stored) == Mapping({"phone": 1}, "IN", {}, [2], [], "first_mobile", [], {}, [], {})
    assert Mapping.from_dict({}) == Mapping()


def test_a_mapping_is_not_changed_through_the_dict_it_came_from():
    stored = {"columns": {"phone": 1}, "more_phones": [2]}
    mapping = Mapping.from_dict(stored)
    stored["columns"]["tag"] = 5
    stored["more_phones"].append(3)
    assert (mapping.columns, mapping.more_phones) == ({"phone": 1}, [2])


def test_a_form_shows_what_is_chosen_for_each_column():
    mapping = Mapping({"phone": 1, "country": 0, "do_not_contact": 5}, extras=[2], more_phones=[4], more_opt_outs=[6])
    chosen = ["country", "phone", "extra", "", "phone", "do_not_contact", "do_not_contact"]
    assert [mapping.choice(at) for at in range(7)] == chosen
    assert (mapping.phones, mapping.opt_out_columns) == ([1, 4], [5, 6])
    assert sorted(mapping.of_fields) == [0, 1, 4, 5, 6]


@pytest.mark.parametrize(
    ("header", "compared"),
    [("What is your full name?", "what is your full name"), ("billing_first_name", "billing first name"),
     ("firstName", "first name"), ("Mob. No.", "mob no"), ("CUSTOMERNAME", "customername"), ("Phone 1 - Value",
      "phone 1 value"),
     ("Nombre (100 caracteres o menos, obligatorio)", "nombre"), ("PRÉNOM", "prenom"), ("(Mobile)", "mobile"),
     ("Mobile number with country code", "mobile number"), ("HTTPStatus", "http status"), ("", "")],
)  # fmt: skip
def test_the_words_of_a_header(header, compared):
    assert " ".join(words(header)) == compared


@pytest.mark.parametrize("header", ["Téléphone", "Mobile No.", "मोबाइल", "E-Mail", "x_y", "ÄÖ ü", "  "])
def test_comparing_a_header_twice_changes_nothing(header):
    assert key(key(header)) == key(header)


def test_options_correct_single_columns_and_keep_the_other_guesses():
    assert corrected(BASE, ["phone=Mobile"], HEADERS) == Mapping({"phone": 1, "full_name": 4}, "IN", unsure=[0])
    assert corrected(BASE, [], HEADERS) == BASE


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["tag=#1"], Mapping({"phone": 2, "full_name": 4, "tag": 0}, "IN", more_phones=[3])),
        (["phone=mobile ", "phone=Phone 2"], Mapping({"phone": 1, "full_name": 4}, "IN", more_phones=[3], unsure=[0])),
        (["extra=City"], Mapping({"phone": 2, "full_name": 4}, "IN", extras=[0], more_phones=[3])),
        (["ignore=Policy No"], Mapping({"full_name": 4, "phone": 3}, "IN", unsure=[0])),
        (["ignore=Phone 2", "ignore=City"], Mapping({"phone": 2, "full_name": 4}, "IN")),
        (["first_name=Full name"], Mapping({"phone": 2, "first_name": 4}, "IN", more_phones=[3], unsure=[0])),
        (["last_name=City"], Mapping({"phone": 2, "last_name": 0}, "IN", more_phones=[3])),
        (["do_not_contact=City"], Mapping({"phone": 2, "full_name": 4, "do_not_contact": 0}, "IN", more_phones=[3])),
    ],
)
def test_what_an_option_names_is_no_longer_what_it_was_guessed_to_be(options, wanted):
    assert corrected(BASE, options, HEADERS) == wanted


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], [0, 3]),
        (["do_not_contact=Mobile"], [0, 3, 1]),
        (["do_not_contact=Full name", "do_not_contact=Mobile"], [0, 3, 4, 1]),
        (["do_not_contact=Phone 2"], [0, 3]),
        (["ignore=City"], [3]),
        (["tag=City", "extra=Phone 2"], []),
    ],
)
def test_an_opt_out_column_is_given_up_only_by_its_own_name(options, wanted):
    base = Mapping({"phone": 2, "do_not_contact": 0}, more_opt_outs=[3])
    mapping = corrected(base, options, HEADERS)
    assert sorted(mapping.opt_out_columns) == sorted(wanted)
    assert problems(mapping, HEADERS) == []


def test_a_full_name_that_is_chosen_takes_the_place_of_first_and_last_name():
    base = Mapping({"phone": 1, "first_name": 0, "last_name": 2})
    assert corrected(base, ["full_name=Full name"], HEADERS).columns == {"phone": 1, "full_name": 4}


def test_a_column_that_is_chosen_takes_the_place_of_one_value_for_all_rows():
    assert corrected(Mapping({"phone": 1}, constants={"tag": "July"}), ["tag=City"], HEADERS).constants == {}


def test_lists_of_do_not_contact_numbers_have_fields_of_their_own():
    assert corrected(Mapping({"phone": 1}), ["reason=City"], HEADERS, SUPPRESSION_FIELDS).columns["reason"] == 0
    with pytest.raises(ValueError, match="is no mapping"):
        corrected(Mapping({"phone": 1}), ["reason=City"], HEADERS)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["phone"], "“phone” is no mapping"),
        (["fone=Mobile"], "“fone=Mobile” is no mapping"),
        (["phone=Nowhere"], "The file has no column “Nowhere”"),
        (["phone=#9"], "The file has 5 columns; there is no column #9"),
        (["phone=#0"], "there is no column #0"),
        (["tag=City", "tag=Mobile"], "Tag is mapped twice"),
        (["phone=Mobile", "extra=Mobile"], "“Mobile” is mapped twice"),
        (["tag=City", "company=City"], "“City” is mapped twice"),
    ],
)
def test_an_option_that_makes_no_sense_is_told_so(options, sentence):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        corrected(BASE, options, HEADERS)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        (Mapping({}), "Choose the column that holds the phone number."),
        (Mapping({"phone": 0, "tag": 0}), "“a” is used for more than one field."),
        (Mapping({"phone": 0}, extras=[0]), "“a” is used for more than one field."),
        (Mapping({"phone": 0}, more_phones=[0]), "“a” is used for more than one field."),
        (Mapping({"phone": 0, "do_not_contact": 1}, more_opt_outs=[1]), "“b” is used for more than one field."),
        (Mapping({"phone": 0}, more_opt_outs=[2]), "A chosen column is not in this file. Choose the columns again."),
        (Mapping({"phone": 7}), "A chosen column is not in this file. Choose the columns again."),
        (Mapping({"phone": 0}, more_phones=[2]), "A chosen column is not in this file. Choose the columns again."),
        (Mapping({"phone": 0}, unsure=[2]), "A chosen column is not in this file. Choose the columns again."),
        (Mapping({"phone": 0, "shoe": 1}), "A chosen field is not one of ours. Choose the fields again."),
        (Mapping({"phone": 0}, "XX"), "Choose the default country from the list."),
        (Mapping({"phone": 0}, numbers="all"), "Choose which of several phone numbers counts."),
        (Mapping({"phone": 0}, constants={"tag": "x" * 101}), "Tag may have 100 characters."),
        (Mapping({"phone": 0}, constants={"time_zone": "Mars"}), "“Mars” is no time zone. Write it as Asia/Kolkata."),
        (
            Mapping({"phone": 0, "full_name": 1}, constants={"full_name": "Asha"}),
            "Full name (split at the first space) has both a column and one value for all rows; choose one of them.",
        ),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_to_choose(mapping, sentence):
    assert problems(mapping, ["a", "b"]) == [sentence]


def test_a_good_mapping_has_no_problems():
    assert problems(Mapping({"phone": 0}, "IN", {"tag": "July"}, [1], [2], "each"), ["a", "b", "c"]) == []
