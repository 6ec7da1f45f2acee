"""A raw record into clean values, or the reason with its column."""

import pytest

from lists.importing.cleaning import cleaner, tidy
from lists.importing.columns import Mapping
from lists.importing.reading import Record

HEADERS = ["Phone", "First", "Last", "Title", "Mail", "Firm", "Tag", "Zone", "Land", "City"]
MAPPING = Mapping(
    {"phone": 0, "first_name": 1, "last_name": 2, "salutation": 3, "email": 4, "company": 5, "tag": 6, "time_zone": 7,
     "country": 8},
    region="IN",
    extras=[9],
)  # fmt: skip


def clean(mapping=MAPPING, headers=HEADERS, line=2, **cells):
    values = {"Phone": "+919800012345", **cells}
    return cleaner(mapping, headers)(Record(line, [values.get(header, "") for header in headers]))


def test_a_good_row_is_stored_as_it_is_outer_white_space_aside():
    row = clean(First=" Asha ", Last="O’Neil", Title="Dr.", Mail="Asha@Example.org", Firm="A & B", Tag="vip",
                Zone="asia/kolkata", City="Pune")  # fmt: skip
    assert (row.phone, row.first_name, row.last_name, row.salutation) == ("+919800012345", "Asha", "O’Neil", "Dr.")
    assert (row.email, row.company, row.tag, row.time_zone) == ("Asha@Example.org", "A & B", "vip", "Asia/Kolkata")
    assert row.extra == {"City": "Pune"}
    assert (row.line, row.code) == (2, "")


@pytest.mark.parametrize(
    "name", ["Null", "None", "O'Neil", "<script>", "=cmd|x", "{{7*7}}", "محمد", "李", "👩‍👩‍👧", "İbrahim"]
)
def test_names_that_trouble_other_programs_are_kept(name):
    assert clean(First=name).first_name == name


def test_control_characters_and_steering_marks_are_removed_and_text_is_composed():
    assert tidy("A\x07sha\tRao\x1b") == "Asha Rao"
    assert tidy("\u202eAsha\ufeff") == "Asha"
    assert tidy("Jose\u0301") == "José"


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"Phone": "12"}, "too_short", "Phone"),
        ({"Phone": "9.19877E+11"}, "cut_by_spreadsheet", "Phone"),
        ({"First": "x" * 101}, "too_long_text", "First"),
        ({"Title": "x" * 21}, "too_long_text", "Title"),
        ({"Mail": "x" * 250 + "@a.example"}, "too_long_text", "Mail"),
        ({"Mail": "not an address"}, "not_an_email", "Mail"),
        ({"Mail": "a@example.org, b@example.org"}, "not_an_email", "Mail"),
        ({"Zone": "Mars/Base"}, "unknown_time_zone", "Zone"),
        ({"City": "x" * 1001}, "too_long_text", "City"),
        ({"Phone": "9800012345", "Land": "XX"}, "unknown_country", "Land"),
    ],
)
def test_a_bad_value_refuses_the_row_with_column_value_and_advice(cells, code, column):
    row = clean(**cells)
    assert (row.code, row.column) == (code, column)
    assert row.value and row.reason.endswith(".") and row.suggestion.endswith(".")


def test_a_refused_row_keeps_the_number_it_has():
    assert clean(Mail="nonsense").phone == "+919800012345"


def test_the_country_column_reads_national_numbers_row_by_row():
    assert clean(Phone="020 7946 0000", Land="United Kingdom").phone == "+442079460000"
    assert clean(Phone="98000 12345").phone == "+919800012345"
    assert clean(Phone="+442079460000", Land="Narnia").code == ""


def test_a_short_row_is_filled_with_blanks_and_a_long_one_is_refused():
    run = cleaner(MAPPING, HEADERS)
    assert run(Record(2, ["+919800012345", "Asha"])).first_name == "Asha"
    assert run(Record(3, ["+919800012345", *[""] * 12])).code == ""
    refused = run(Record(4, ["+919800012345", *[""] * 9, "surplus"]))
    assert (refused.code, refused.value, refused.phone) == ("too_many_cells", "surplus", "")


def test_one_value_for_all_rows_and_a_full_name_that_is_split():
    mapping = Mapping({"phone": 0, "full_name": 1}, constants={"tag": " July "})
    row = clean(mapping, First="Asha Devi Rao")
    assert (row.first_name, row.last_name, row.tag) == ("Asha", "Devi Rao", "July")
