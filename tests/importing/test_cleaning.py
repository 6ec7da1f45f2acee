"""A raw record into clean values, warnings, or the reason why there is no number."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.importing.cleaning import OTHER_NUMBERS, cleaner, first_address, read_date, tidy
from lists.importing.columns import Mapping, first_of
from lists.importing.reading import Record
from lists.importing.row_warnings import KINDS, Code

HEADERS = ["Phone", "First", "Last", "Title", "Mail", "Firm", "Tag", "Zone", "Land", "City", "Phone 2", "DND", "Name"]
COLUMNS = {
    "phone": 0, "first_name": 1, "last_name": 2, "salutation": 3, "email": 4, "company": 5, "tag": 6, "time_zone": 7,
    "country": 8,
}  # fmt: skip
MAPPING = Mapping(COLUMNS, region="IN", extras=[9])


def clean(mapping=MAPPING, headers=HEADERS, line=2, note="", **cells):
    values = {"Phone": "+919800012345", **{name.replace("_", " "): cell for name, cell in cells.items()}}
    return cleaner(mapping, headers)(Record(line, [values.get(header, "") for header in headers], note))


def warned(row):
    return [(warning.code, warning.column, warning.value, warning.after) for warning in row.warnings]


def test_a_good_row_is_stored_as_it_is_outer_white_space_aside():
    row = clean(First=" Asha ", Last="O’Neil", Title="Dr.", Mail="Asha@Example.org", Firm="A & B", Tag="vip",
                Zone="asia/kolkata", City="Pune")  # fmt: skip
    assert (row.phone, row.first_name, row.last_name, row.salutation) == ("+919800012345", "Asha", "O’Neil", "Dr.")
    assert (row.email, row.company, row.tag, row.time_zone) == ("Asha@Example.org", "A & B", "vip", "Asia/Kolkata")
    assert row.extra == {"City": "Pune"}
    assert (row.line, row.code, row.warnings) == (2, "", ())


@pytest.mark.parametrize("name", ["O'Neil", "<script>", "=cmd|x", "{{7*7}}", "محمد", "李", "Nan", "Na", "İbrahim"])
def test_names_that_trouble_other_programs_are_kept(name):
    assert clean(First=name).first_name == name


@pytest.mark.parametrize("word", ["NULL", "nan", "None", "N/A", "\\N", "-", "#REF!", "#N/A"])
def test_words_that_stand_for_nothing_are_blanks_in_every_field(word):
    row = clean(First=word, Last=word, Title=word, Mail=word, Firm=word, Tag=word, Zone=word, Land=word, City=word)
    assert (row.first_name, row.last_name, row.salutation, row.email, row.company) == ("", "", "", "", "")
    assert (row.tag, row.time_zone, row.extra, row.code, row.warnings) == ("", "", {}, "", ())


def test_control_characters_and_steering_marks_are_removed_and_text_is_composed():
    assert tidy("A\x07sha\tRao\x1b") == "Asha Rao"
    assert tidy("\u202eAsha\ufeff") == "Asha"
    assert tidy("Jose\u0301") == "José"
    assert tidy("Asha\u00a0Rao") == "Asha Rao"


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        ({"Phone": "12"}, "too_short", "Phone"),
        ({"Phone": "9.19877E+11"}, "cut_by_spreadsheet", "Phone"),
        ({"Phone": "9800012345", "Land": "XX"}, "unknown_country", "Land"),
    ],
)
def test_only_the_number_refuses_a_row_with_column_value_and_advice(cells, code, column):
    row = clean(Mail="nonsense", **cells)
    assert (row.code, row.column, row.outcome, row.warnings) == (code, column, "rejected", ())
    assert row.value and row.reason.endswith(".") and row.suggestion.endswith(".")


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"First": "x" * 101}, Code.TOO_LONG_LEFT_OUT),
        ({"Title": "Assistant General Manager"}, Code.TOO_LONG_LEFT_OUT),
        ({"Mail": "x" * 250 + "@a.example"}, Code.TOO_LONG_LEFT_OUT),
        ({"Mail": "not an address"}, Code.EMAIL_LEFT_OUT),
        ({"Mail": "joy@example"}, Code.EMAIL_LEFT_OUT),
        ({"Zone": "IST"}, Code.TIME_ZONE_LEFT_OUT),
        ({"City": "x" * 1001}, Code.TOO_LONG_LEFT_OUT),
        ({"Firm": "Caf\u00c3\u00a9 Rio"}, Code.GARBLED),
    ],
)
def test_any_other_value_that_cannot_be_used_is_left_out_and_warned_of(cells, code):
    row = clean(**cells)
    assert (row.code, row.phone) == ("", "+919800012345")
    [warning] = row.warnings
    assert (warning.code, warning.column) == (code, next(iter(cells)))
    assert code in KINDS


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("mailto:ved@example.com", "ved@example.com"),
        ("Asha Rao <asha@example.com>", "asha@example.com"),
        ("anil@example.com; anil@example.org", "anil@example.com"),
        ("tara@example.com.", "tara@example.com"),
        ("(uma@example.com)", "uma@example.com"),
        ("mailto:a@example.com?subject=x", "a@example.com"),
        ("work: a@example.com ::: home: b@example.com", "a@example.com"),
        ("@example.com", ""),
        ("asha at example.com", ""),
    ],
)
def test_the_first_address_of_a_cell_is_found(cell, address):
    assert first_address(cell) == address


def test_the_country_column_reads_national_numbers_row_by_row():
    assert clean(Phone="020 7946 0000", Land="United Kingdom").phone == "+442079460000"
    assert clean(Phone="98000 12345").phone == "+919800012345"
    assert clean(Phone="98000 12345", Land="N/A").phone == "+919800012345"
    assert clean(Phone="+442079460000", Land="Narnia").code == ""


def test_a_short_row_is_filled_with_blanks_and_a_long_one_is_refused():
    run = cleaner(MAPPING, HEADERS)
    assert run(Record(2, ["+919800012345", "Asha"])).first_name == "Asha"
    assert run(Record(3, ["+919800012345", *[""] * 15])).code == ""
    refused = run(Record(4, ["+919800012345", *[""] * 12, "surplus"]))
    assert (refused.code, refused.value, refused.phone) == ("too_many_cells", "surplus", "")


@pytest.mark.parametrize(
    ("note", "outcome"),
    [("total", "skipped"), ("footer", "skipped"), ("repeated_header", "skipped"), ("damaged", "rejected")],
)
def test_what_is_no_record_is_set_apart_by_what_it_is(note, outcome):
    row = clean(note=note)
    assert (row.code, row.outcome, row.phone) == (note, outcome, "")


# names ---------------------------------------------------------------------------------------------------------------


def test_one_value_for_all_rows_and_a_full_name_that_is_split():
    mapping = Mapping({"phone": 0, "full_name": 12}, constants={"tag": " July "})
    row = clean(mapping, Name="Asha Devi Rao")
    assert (row.first_name, row.last_name, row.tag) == ("Asha", "Devi Rao", "July")
    row = clean(mapping, Name="Iyer, Ravi K")
    assert (row.first_name, row.last_name) == ("Ravi K", "Iyer")
    row = clean(mapping, Name="Smt. Lakshmi Devi")
    assert (row.salutation, row.first_name, row.last_name) == ("Smt.", "Lakshmi", "Devi")


def test_a_salutation_in_front_of_a_first_name_fills_only_a_blank_one():
    row = clean(First="Mrs Asha")
    assert (row.salutation, row.first_name) == ("Mrs", "Asha")
    assert clean(First="Mrs Asha", Title="Dr").salutation == "Dr"


def test_labels_an_address_book_gives_by_itself_are_no_tags():
    assert clean(Tag="* myContacts ::: Renewals").tag == "Renewals"
    assert clean(Tag="* myContacts").tag == ""


# several numbers -----------------------------------------------------------------------------------------------------

TWO_COLUMNS = Mapping({"phone": 0}, region="IN", more_phones=[10])


@pytest.mark.parametrize(
    ("numbers", "phone", "others"),
    [
        ("first_mobile", "+919800012346", ("+918033923819",)),
        ("first", "+918033923819", ("+919800012346",)),
    ],
)
def test_one_of_several_numbers_is_the_contacts_and_the_others_are_kept(numbers, phone, others):
    mapping = Mapping({"phone": 0}, region="IN", more_phones=[10], numbers=numbers)
    row = clean(mapping, Phone="080-33923819", Phone_2="98000 12346")
    assert (row.phone, row.others, row.extra) == (phone, others, {OTHER_NUMBERS: ", ".join(others)})
    assert [code for code, *_ in warned(row)] == [Code.SEVERAL_NUMBERS]


def test_a_further_phone_column_counts_where_the_first_holds_no_number():
    for first in ("", "NA", "12"):
        row = clean(TWO_COLUMNS, Phone=first, Phone_2="98000 12346")
        assert (row.phone, row.others, row.code) == ("+919800012346", (), "")
    refused = clean(TWO_COLUMNS, Phone="", Phone_2="12")
    assert (refused.code, refused.column) == ("too_short", "Phone 2")
    assert clean(TWO_COLUMNS, Phone="", Phone_2="").code == "missing"


def test_the_same_number_in_two_columns_is_one():
    row = clean(TWO_COLUMNS, Phone="098000 12346", Phone_2="+919800012346")
    assert (row.phone, row.others, row.warnings) == ("+919800012346", (), ())


def test_each_number_may_become_a_row_of_its_own():
    mapping = Mapping({"phone": 0, "first_name": 1}, region="IN", more_phones=[10], numbers="each")
    row = clean(mapping, line=7, Phone="98000 12345", Phone_2="98000 12346", First="Asha")
    further = row.for_number(1)
    assert (row.phone, further.phone, further.first_name) == ("+919800012345", "+919800012346", "Asha")
    assert further.line > 1_000_000_000


def test_a_placeholder_is_taken_only_where_there_is_no_other_number():
    assert clean(TWO_COLUMNS, Phone="9999999999", Phone_2="98000 12346").phone == "+919800012346"
    row = clean(TWO_COLUMNS, Phone="9999999999")
    assert (row.code, row.outcome) == (Code.PLACEHOLDER, "skipped")
    let_in = Mapping({"phone": 0}, region="IN", switches={"placeholder": True})
    row = clean(let_in, Phone="9999999999")
    assert (row.code, row.warning_codes) == ("", [Code.PLACEHOLDER])


def test_a_number_of_another_country_is_warned_of_and_can_be_left_out():
    row = clean(Phone="+442079460000")
    assert (row.code, warned(row)) == ("", [(Code.OTHER_COUNTRY, "Phone", "+442079460000", "+442079460000")])
    assert clean(Phone="+442079460000", Land="GB").warnings == ()
    assert clean(Mapping({"phone": 0}), Phone="+442079460000").warnings == ()
    left_out = Mapping({"phone": 0}, region="IN", switches={"other_country": False})
    assert clean(left_out, Phone="+442079460000").outcome == "skipped"


# do not contact ------------------------------------------------------------------------------------------------------

OPT_OUT = Mapping({"phone": 0, "do_not_contact": 11}, region="IN")


@pytest.mark.parametrize(("cell", "code"), [("Yes", "opted_out"), ("NO", ""), ("", ""), ("N/A", "")])
def test_a_row_that_opts_out_is_suppressed(cell, code):
    row = clean(OPT_OUT, DND=cell)
    assert (row.code, row.warnings) == (code, ())
    assert row.outcome == "suppressed" if code else True


def test_a_word_nobody_can_read_is_warned_of_until_a_person_says_what_it_means():
    assert clean(OPT_OUT, DND="perhaps").warning_codes == [Code.OPT_OUT_UNSURE]
    answered = Mapping({"phone": 0, "do_not_contact": 11}, region="IN", opt_out={11: {"perhaps": True}})
    assert clean(answered, DND="Perhaps").code == "opted_out"


OPT_OUT_HEADERS = ["Phone", "DND", "May we call you?", "Status", "Consent"]
ANSWERS = {2: {"yes": False, "no": True}, 4: {"yes": True}}
SAYS = {
    1: {"yes": True, "no": False, "": False, "perhaps": False},
    2: {"yes": False, "no": True, "": False, "perhaps": False},
    3: {"yes": False, "no": False, "": False, "unsubscribed": True, "active": False},
    4: {"yes": True, "no": True, "": False, "revoked": True},
}
"""{column: {value: whether it says do not contact, by its header or by the answer of a person}}"""


@given(
    phone=st.sampled_from(["+919800012345", "9999999999", "+442079460000", "12", ""]),
    said=st.fixed_dictionaries({at: st.sampled_from(sorted(values)) for at, values in SAYS.items()}),
    columns=st.lists(st.sampled_from(sorted(SAYS)), unique=True),
)
def test_a_row_with_a_number_is_suppressed_when_any_opt_out_column_says_so_and_only_then(phone, said, columns):
    mapping = Mapping(
        {"phone": 0} | first_of(do_not_contact=columns), "IN", more_opt_outs=columns[1:], opt_out=ANSWERS,
        switches={"other_country": False},
    )  # fmt: skip
    row = cleaner(mapping, OPT_OUT_HEADERS)(Record(2, [phone, *(said[at] for at in sorted(said))]))
    opted_out = [OPT_OUT_HEADERS[at] for at in columns if SAYS[at][said[at]]]
    assert (row.code == "opted_out") == (bool(opted_out) and row.phone != "")
    if row.code == "opted_out":
        assert (row.column, row.outcome) == (opted_out[0], "suppressed")
    assert dict(row.opt_outs) == {OPT_OUT_HEADERS[at]: said[at] for at in columns if said[at]}


def test_the_same_word_means_in_each_column_what_was_said_of_that_column():
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN", more_opt_outs=[2], opt_out={2: {"yes": False}})
    clean_row = cleaner(mapping, OPT_OUT_HEADERS)
    assert clean_row(Record(2, ["+919800012345", "no", "yes", "", ""])).code == ""
    assert clean_row(Record(3, ["+919800012345", "yes", "yes", "", ""])).code == "opted_out"


def test_a_row_that_opts_out_without_a_number_is_rejected_so_that_somebody_finds_it():
    assert clean(OPT_OUT, Phone="12", DND="Yes").outcome == "rejected"


def test_an_opt_out_counts_whatever_else_leaves_the_row_out():
    mapping = Mapping({"phone": 0, "do_not_contact": 11}, region="IN", switches={"other_country": False})
    assert clean(mapping, Phone="+442079460000", DND="Yes").code == "opted_out"
    assert clean(mapping, Phone="+442079460000", DND="No").code == Code.OTHER_COUNTRY


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-07-31", date(2026, 7, 31)), ("2026-07-31 10:22:33", date(2026, 7, 31)),
        ("31/07/2026", date(2026, 7, 31)),
        ("07/31/2026", date(2026, 7, 31)), ("31.07.2026", date(2026, 7, 31)), ("1 Feb 2026", date(2026, 2, 1)),
        ("03/04/2026", None), ("04/04/2026", date(2026, 4, 4)), ("31/02/2026", None), ("soon", None),
    ],
)  # fmt: skip
def test_a_date_is_read_unless_it_can_mean_two_days(text, found):
    assert read_date(text) == found
