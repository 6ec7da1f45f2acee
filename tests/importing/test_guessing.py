"""What the columns of a file probably hold, with the reason, and what only a person can say."""

import time
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lists.fields import FIELDS, SUPPRESSION_FIELDS
from lists.importing.columns import problems
from lists.importing.guessing import guess, suggested
from lists.phones import region_of

HEADERS = ["Handynummer", "Vorname", "Nachname", "E-Mail-Adresse", "Firma", "Geburtstag"]
ROWS = [
    ["+4915123456789", "Asha", "Rao", "asha@example.org", "Acme", "1990-01-02"],
    ["+4915123456780", "Asha", "", "ravi@example.org", "", "1991-01-02"],
]
NAMES = ["Asha Rao", "Ravi Iyer", "Meena Das", "Anil Roy", "Joy Sen", "Amar Gill"]
MOBILES = ["9800000017", "9800000093", "9800000005", "9800000051", "9800000038", "9800000002"]
LANDLINES = ["080-33923819", "080-33923847", "080-33923802", "080-33923866", "080-33923831", "080-33923814"]
FIRST, LAST = [name.split()[0] for name in NAMES], [name.split()[1] for name in NAMES]
EMAILS = [f"{first.lower()}@example.org" for first in FIRST]
IDS = ["7000000001", "7000000002", "7000000003", "7000000004", "7000000005", "7000000006"]
BLANK = [""] * 6


def table(columns: dict[str, list[str]]) -> tuple[list[str], list[list[str]]]:
    """Headers and rows, from what each column holds."""
    return list(columns), [list(row) for row in zip(*columns.values(), strict=True)]


def found(columns: dict[str, list[str]], region: str = "IN") -> dict[str, list[str]]:
    """{field: headers of the columns suggested for it}, of a mapping that has no problems."""
    headers, rows = table(columns)
    guessed = guess(headers, rows, region)
    assert problems(guessed.mapping, headers) == []
    fields: dict[str, list[str]] = {}
    for suggestion in guessed.suggestions:
        if suggestion.field:
            fields.setdefault(suggestion.field, []).append(suggestion.header)
    return fields


def field_of(header: str, values: list[str], region: str = "IN") -> str | None:
    """What a column is suggested for beside a column of phone numbers."""
    headers, rows = table({"Mobile": MOBILES, header: values})
    return guess(headers, rows, region).suggestions[1].field


# Headers -------------------------------------------------------------------------------------------------------------


def test_headers_in_another_language_find_their_fields():
    assert suggested(HEADERS, ROWS).columns == {
        "phone": 0, "first_name": 1, "last_name": 2, "email": 3, "company": 4,
    }  # fmt: skip


def test_every_suggestion_has_a_reason_samples_and_a_fill_rate():
    first, vorname, nachname, *_, birthday = guess(HEADERS, ROWS).suggestions
    assert "Handynummer" in first.reason
    assert vorname.samples == ("Asha",)
    assert nachname.fill == 0.5
    assert birthday.field is None and birthday.reason


@pytest.mark.parametrize(
    "header",
    ["MOBILE NO.", "phone_number", "Contact No", "msisdn", "Teléfono", "WhatsApp", "मोबाइल", "Телефон", "MobileNo",
     "Mob. No.", "Registered Mobile No", "What is your mobile number?", "Mobile number (10 digits)", "Phone 1 - Value",
     "Default Address Phone", "billing_phone", "CONTACTNUMBER", "Contact Details", "Contact numbers",
     "Policy holder mobile", "Telefonnummer", "Mobile number with country code", "Cust Mobile", "Primary Phone",
     "number", "Número", "No HP", "Nomor Telepon", "GSM No", "Cep Telefonu"],
)  # fmt: skip
def test_phone_headers_are_known(header):
    assert found({header: MOBILES, "Name": NAMES})["phone"] == [header]


@pytest.mark.parametrize(
    ("header", "values", "field"),
    [
        ("Surname", LAST, "last_name"), ("PRÉNOM", FIRST, "first_name"), ("billing_first_name", FIRST, "first_name"),
        ("FN", FIRST, "first_name"), ("firstName", FIRST, "first_name"), ("Nombre (obligatorio)", FIRST, "first_name"),
        ("Name", NAMES, "full_name"), ("What is your full name?", NAMES, "full_name"),
        ("Your name", NAMES, "full_name"),
        ("CUSTOMERNAME", FIRST, "full_name"), ("Cust Name", NAMES, "full_name"), ("Customer", NAMES, "full_name"),
        ("Student Name", NAMES, "full_name"), ("Display Name", NAMES, "full_name"), ("Nombre", NAMES, "full_name"),
        ("e_mail", EMAILS, "email"), ("Emailid", EMAILS, "email"), ("E-mail 1 - Value", EMAILS, "email"),
        ("Organisation", ["Acme"] * 6, "company"), ("Organization 1 - Name", ["Acme"] * 6, "company"),
        ("Primary Company", ["Acme"] * 6, "company"), ("Tags", ["vip"] * 6, "tag"),
        ("TimeZone", ["IST"] * 6, "time_zone"),
        ("Anrede", ["Herr", "Frau"] * 3, "salutation"), ("Name Prefix", ["Mrs", "", "", "", "", ""], "salutation"),
        ("Do Not Call", ["Yes", "No"] * 3, "do_not_contact"), ("Country", ["India"] * 6, "country"),
    ],
)  # fmt: skip
def test_other_headers_are_known_by_their_words(header, values, field):
    assert field_of(header, values) == field


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Father Name", NAMES), ("Nominee name", NAMES), ("Branch Name", FIRST), ("File As", NAMES),
        ("Nickname", FIRST),
        ("Phonetic First Name", FIRST), ("User Name", FIRST), ("Company size", ["10", "50"] * 3),
        ("City", ["Pune"] * 6),
        ("Company ID", ["C1", "C2"] * 3), ("Email Status", ["valid", "bounced"] * 3), ("Email", ["Yes", "No"] * 3),
        ("Account Name", IDS), ("Phone type", ["iPhone"] * 6), ("Phone 1 - Label", ["Mobile", "Work"] * 3),
        ("Job Title", ["CEO"] * 6), ("Gender", ["M", "F"] * 3), ("Fax", LANDLINES),
        ("Timestamp", ["2026/07/01 10:22"] * 6),
    ],
)  # fmt: skip
def test_headers_that_speak_of_something_else_are_left_alone(header, values):
    assert field_of(header, values) is None


def test_nothing_but_headers_is_enough_for_what_they_say():
    assert suggested(["Mobile", "First name", "Surname", "Phone 2"], []).as_dict() | {"region": "IN"} == {
        **suggested(["Mobile", "First name", "Surname", "Phone 2"], [], "IN").as_dict(),
        "columns": {"phone": 0, "first_name": 1, "last_name": 2},
        "more_phones": [3],
    }


# Phone numbers -------------------------------------------------------------------------------------------------------


def test_a_column_without_a_telling_header_is_known_by_its_content():
    guessed = guess(["a", "b", "c"], [["x", "+91 98000 12345", "asha@example.org"]] * 2 + [["x", "+919800012346", ""]])
    assert [suggestion.field for suggestion in guessed.suggestions] == [None, "phone", "email"]
    assert "100 % of its values are mobile numbers" in guessed.suggestions[1].reason


@pytest.mark.parametrize(
    "header",
    ["Policy No", "POLICYNO", "Aadhaar", "A/c No", "Account Number", "Order ID", "Lead Id", "Record ID", "Loan No.",
     "CIF Number", "Kundennummer", "Sr No", "Application Number", "Invoice", "PIN Code", "Customer ID", "Reg. No",
     "UID", "Date", "Last Activity Date", "Timestamp", "Amount", "Due amount", "Total Spent", "Fax Number", "Folio",
     "IMEI", "Member No"],
)  # fmt: skip
def test_numbers_of_other_things_never_bid_whatever_their_digits(header):
    assert found({header: IDS, "Name": NAMES, "Contact Details": MOBILES})["phone"] == ["Contact Details"]
    headers, rows = table({header: MOBILES})
    assert guess(headers, rows, "IN").mapping.columns.get("phone") is None


def test_dates_are_no_phone_numbers_under_any_header():
    dates = [f"01/07/2026 10:2{minute}:33" for minute in range(6)]
    assert found({"When": dates, "What is it": MOBILES})["phone"] == ["What is it"]


def test_a_column_of_mobiles_beats_one_of_landlines_and_the_other_is_asked_after_it():
    columns = {"Residence Phone": LANDLINES, "Name": NAMES, "Registered Mobile No": MOBILES}
    headers, rows = table(columns)
    assert suggested(headers, rows, "IN").phones == [2, 0]


@pytest.mark.parametrize(
    ("columns", "phones"),
    [
        ({"WhatsApp No": [MOBILES[0], *BLANK[1:]], "Mobile No": MOBILES}, ["Mobile No", "WhatsApp No"]),
        ({"Phone": LANDLINES, "Mobile": MOBILES}, ["Mobile", "Phone"]),
        ({"Phone 1": [MOBILES[0], *BLANK[1:]], "Phone 10": BLANK, "Phone 2": MOBILES}, ["Phone 1", "Phone 2",
         "Phone 10"]),
        ({"Alternate Mobile": MOBILES, "Primary Mobile": [MOBILES[5], *BLANK[1:]]},
         ["Primary Mobile", "Alternate Mobile"]),
        ({"Alternate Mobile": MOBILES, "Mobile": MOBILES[::-1]}, ["Mobile", "Alternate Mobile"]),
        ({"Secondary Phone": LANDLINES, "Primary Phone": MOBILES}, ["Primary Phone", "Secondary Phone"]),
        ({"Phone 1 - Label": ["Work"] * 6, "Phone 1 - Value": LANDLINES, "Phone 2 - Value": MOBILES},
         ["Phone 1 - Value", "Phone 2 - Value"]),
        ({"Number": IDS, "Mobile": MOBILES}, ["Mobile"]),
        ({"Nominee Mobile": MOBILES[::-1], "Mobile": [*MOBILES[:3], *BLANK[3:]]}, ["Mobile"]),
        ({"Agent phone": MOBILES[::-1], "Contact": MOBILES}, ["Contact"]),
        ({"Cust": ["7000000017", *IDS[1:3], "7000000093", *IDS[4:]], "Mobile": [*MOBILES[:2], *BLANK[2:]]}, ["Mobile"]),
        ({"Fax": LANDLINES, "Telephone": LANDLINES}, ["Telephone"]),
        ({"Owner Phone": MOBILES}, ["Owner Phone"]),
        ({"Registered Mobile Nos": [f"{one} / {two}" for one, two in zip(MOBILES, MOBILES[::-1], strict=True)]},
         ["Registered Mobile Nos"]),
    ],
)  # fmt: skip
def test_the_phone_columns_in_the_order_in_which_they_are_asked(columns, phones):
    headers, rows = table(columns)
    assert [headers[at] for at in suggested(headers, rows, "IN").phones] == phones


def test_further_phone_columns_are_suggested_as_phone_with_their_reason():
    headers, rows = table({"Phone": LANDLINES, "Mobile": MOBILES})
    phone, mobile = guess(headers, rows, "IN").suggestions
    assert (phone.field, mobile.field) == ("phone", "phone")
    assert phone.reason.endswith("Asked where those before hold no number.")


def test_a_close_call_between_two_phone_columns_is_a_question_with_a_proposal():
    headers, rows = table({"Contact one": MOBILES, "Contact two": MOBILES[::-1], "Name": NAMES})
    guessed = guess(headers, rows, "IN")
    (question,) = guessed.questions
    assert (question.code, set(question.columns)) == ("which_phone", {0, 1})
    assert question.columns[0] == guessed.mapping.columns["phone"]
    first, second = (headers[at] for at in question.columns)
    assert question.sentence == (
        f"“{first}” is proposed as the phone number, but other numbers stand in “{second}”. "
        "Choose which column comes first."
    )


@pytest.mark.parametrize(
    "columns",
    [
        {"Raw Number": [f"0{number}" for number in MOBILES],
         "Normalized Number": [f"+91{number}" for number in MOBILES]},
        {"Phone 1": MOBILES, "Phone 2": MOBILES[::-1]},
        {"Mobile": MOBILES, "Phone": LANDLINES},
        {"Mobile": [*MOBILES[:3], *BLANK[3:]], "WhatsApp": [*BLANK[:3], *MOBILES[3:]]},
    ],
)  # fmt: skip
def test_no_question_where_it_makes_no_difference_or_is_plain(columns):
    assert guess(*table(columns), "IN").questions == []


# Countries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("State", ["MP", "BR"] * 3), ("State", ["IN", "DE", "IL", "GA", "IN", "IN"]),
        ("Language", ["kn", "ml", "mr"] * 2),
        ("DND", ["NO", "NO", "YES"] * 2), ("Region", ["North", "South"] * 3), ("Region", ["India", "Germany"] * 3),
        ("Default Address Province Code", ["MH", "KA"] * 3), ("Location", ["India"] * 6),
        ("Column 2", ["Mr", "Ms"] * 3),
        ("Country", ["North", "South"] * 3), ("Land", ["No"] * 6),
        ("Land", ["4 acres", "2 acres"] * 3), ("x", ["IN", "DE"] * 3),
        ("Country Manager", ["India"] * 6), ("Country of birth", ["India"] * 6), ("Country", BLANK),
    ],
)  # fmt: skip
def test_a_column_is_not_the_country_unless_its_header_says_so_and_its_values_are_countries(header, values):
    assert "country" not in found({"Mobile": MOBILES, header: values})


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Country", ["India", "Germany"] * 3), ("Country ISO", ["IN"] * 6), ("Country Code", ["91", "1", "N/A"] * 2),
        ("Dial Code", ["91", "1", "971"] * 2), ("ISD", ["+91"] * 6), ("Nation", ["IND"] * 6),
        ("Land", ["Deutschland"] * 6),
        ("Default Address Country Code", ["IN"] * 6), ("Country/Region", ["India"] * 6),
        ("Home Country", ["India", *BLANK[1:]]),
    ],
)  # fmt: skip
def test_the_country_is_known_by_header_and_values_and_read_together_with_the_phone(header, values):
    headers, rows = table({"Mobile": MOBILES, header: values})
    country = guess(headers, rows, "IN").suggestions[1]
    assert country.field == "country"
    assert country.reason.endswith("It is read together with “Mobile”.")


def test_of_a_country_and_a_dial_code_the_dial_code_is_read_with_the_number():
    columns = {"Country": ["India"] * 6, "Dial Code": ["91"] * 6, "Mobile": MOBILES}
    assert found(columns)["country"] == ["Dial Code"]


# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"Name": FIRST, "Surname": LAST}, {"first_name": "Name", "last_name": "Surname"}),
        ({"Vorname": FIRST, "Name": LAST}, {"first_name": "Vorname", "last_name": "Name"}),
        ({"Name": NAMES, "First Name": FIRST}, {"full_name": "Name"}),
        ({"Full name": NAMES, "Surname": LAST}, {"full_name": "Full name"}),
        ({"Name": NAMES, "Given Name": FIRST, "Family Name": LAST}, {"first_name": "Given Name",
         "last_name": "Family Name"}),
        ({"Customer Name": NAMES, "Last Name": LAST, "First Name": FIRST}, {"first_name": "First Name",
         "last_name": "Last Name"}),
        ({"Nom": LAST, "Prénom": FIRST}, {"first_name": "Prénom", "last_name": "Nom"}),
        ({"Nombre": FIRST, "Apellidos": LAST}, {"first_name": "Nombre", "last_name": "Apellidos"}),
        ({"Nom": NAMES}, {"full_name": "Nom"}),
        ({"First Name": FIRST, "Customer": LAST}, {"first_name": "First Name"}),
        ({"First Name": FIRST}, {"first_name": "First Name"}),
        ({"Surname": LAST, "Other Names": FIRST}, {"last_name": "Surname", "first_name": "Other Names"}),
    ],
)  # fmt: skip
def test_columns_of_names_are_resolved_to_a_mapping_that_can_be_used(columns, wanted):
    fields = found(columns | {"Mobile": MOBILES})
    assert {name: header for name, (header,) in fields.items() if name != "phone"} == wanted


def test_a_title_is_the_salutation_only_where_its_values_are_salutations():
    assert field_of("Title", ["Mr", "Ms", "Dr"] * 2) == "salutation"
    headers, rows = table({"Mobile": MOBILES, "Title": ["CEO", "Senior Manager - Claims"] * 3})
    title = guess(headers, rows, "IN").suggestions[1]
    assert (title.field, title.reason) == (None, "Its values are no salutations such as Mr or Mrs.")


def test_without_headers_salutations_and_clear_names_are_known_and_told():
    columns = {"Column 1": ["Mr", "Ms"] * 3, "Column 2": NAMES, "Column 3": MOBILES}
    assert found(columns) == {"salutation": ["Column 1"], "full_name": ["Column 2"], "phone": ["Column 3"]}
    assert "names of people" in guess(*table(columns), "IN").suggestions[1].reason


@pytest.mark.parametrize("values", [["New Delhi", "Navi Mumbai"] * 3, FIRST, ["Plan A2", "Plan B2"] * 3])
def test_without_headers_other_text_is_no_name(values):
    assert field_of("Column 1", values) is None


# Do not contact ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"DND": ["NO", "YES"] * 3}, "DND"), ({"Accepts SMS Marketing": ["yes", "no"] * 3}, "Accepts SMS Marketing"),
        ({"Status": ["Active", "Unsubscribed"] * 3}, "Status"), ({"Opted out": ["", "x"] * 3}, "Opted out"),
        ({"Status": ["Active", "New"] * 3}, None), ({"DND": ["checked on 1 July", "?"] * 3}, None),
        ({"May we call you?": ["Yes", "No"] * 3}, None), ({"Accepts Email Marketing": ["yes", "no"] * 3}, None),
        ({"Marketing contact status": ["Marketing contact", "Non-marketing contact"] * 3}, None),
    ],
)  # fmt: skip
def test_a_column_says_who_must_not_be_contacted_where_header_and_values_leave_no_doubt(columns, wanted):
    assert found({"Mobile": MOBILES} | columns).get("do_not_contact", [None]) == [wanted]


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ({"DND": ["NO", "YES"] * 3, "Unsubscribed": ["", "x"] * 3}, ["DND", "Unsubscribed"]),
        ({"do_not_contact": ["yes", *BLANK[1:]], "DND": ["N", "Y"] * 3}, ["do_not_contact", "DND"]),
        ({"Accepts Marketing": ["yes", "no"] * 3, "Accepts SMS Marketing": ["no", "no"] * 3},
         ["Accepts Marketing", "Accepts SMS Marketing"]),
        ({"Do not call": ["y", "n"] * 3, "Consent": ["given", "revoked"] * 3, "Status": ["Active", "DND"] * 3},
         ["Do not call", "Consent", "Status"]),
        ({"DND": ["NO", "YES"] * 3, "May we call you?": ["Yes", "No"] * 3}, ["DND"]),
        ({"DND": ["NO", "YES"] * 3, "Status": ["Active", "New"] * 3}, ["DND"]),
    ],
)  # fmt: skip
def test_every_column_that_leaves_no_doubt_says_who_must_not_be_contacted(columns, wanted):
    assert found({"Mobile": MOBILES} | columns)["do_not_contact"] == wanted


def test_a_further_column_says_that_one_of_them_is_enough():
    headers, rows = table({"Mobile": MOBILES, "DND": ["NO", "YES"] * 3, "Unsubscribed": ["", "x"] * 3})
    guessed = guess(headers, rows, "IN")
    first, *further = guessed.mapping.opt_out_columns
    assert (len(further), guessed.questions) == (1, [])
    reason = guessed.suggestions[further[0]].reason
    assert reason.endswith(f"It counts beside “{headers[first]}”: one of them is enough.")


@pytest.mark.parametrize(
    ("columns", "unsure"),
    [
        ({"May we call you?": ["Yes", "No"] * 3}, ["May we call you?"]),
        ({"DND": ["checked on 1 July", ""] * 3}, ["DND"]),
        ({"DND": ["NO", "YES"] * 3, "Do not call": ["Y", "N"] * 3}, []),
        ({"DND": ["NO", "YES"] * 3, "Do not call": ["ask", "later"] * 3}, ["Do not call"]),
        ({"Marketing contact status": ["Marketing contact", "Non-marketing contact"] * 3},
         ["Marketing contact status"]),
        ({"Remarks": ["called twice", *BLANK[2:], "DND"]}, ["Remarks"]),
        ({"Accepts Email Marketing": ["yes", "no"] * 3}, ["Accepts Email Marketing"]),
        ({"Accepts Email Marketing": ["yes", "no"] * 3, "Accepts SMS Marketing": ["yes", "no"] * 3}, []),
        ({"DND": ["NO", "YES"] * 3}, []), ({"Tax Exempt": ["no", "yes"] * 3}, []),
    ],
)  # fmt: skip
def test_what_may_say_it_is_asked_and_not_mapped(columns, unsure):
    headers, rows = table({"Mobile": MOBILES} | columns)
    guessed = guess(headers, rows, "IN")
    assert [headers[at] for at in guessed.mapping.unsure] == unsure
    assert [question.columns for question in guessed.questions] == [(at,) for at in guessed.mapping.unsure]
    assert all(guessed.suggestions[at].field in (None, "tag") for at in guessed.mapping.unsure)


def test_a_file_of_do_not_contact_numbers_is_read_with_its_own_fields():
    headers, rows = table({"Number": MOBILES, "Date": ["2026-07-01"] * 6, "Remarks": ["asked", "DND"] * 3})
    guessed = guess(headers, rows, "IN", SUPPRESSION_FIELDS)
    assert guessed.mapping.columns == {"phone": 0, "since": 1, "reason": 2}
    assert guessed.questions == []


# What is told --------------------------------------------------------------------------------------------------------


def test_what_a_column_could_also_have_been_is_told():
    headers, rows = table({"Name": FIRST, "Full name": NAMES, "Mobile": MOBILES})
    name = guess(headers, rows, "IN").suggestions[0]
    assert (name.field, name.others) == (None, ("full_name",))
    assert name.reason == "It could be full name, but another column fits better."


@pytest.mark.parametrize(
    ("header", "values", "reason"),
    [
        ("Policy No", IDS, "The header says that its values are something else than phone numbers."),
        ("Country", ["North"] * 6, "The header speaks of countries, but its values are none."),
        ("Notes", BLANK, "No values in the rows looked at."),
        ("Notes", ["x"] * 6, "No field of ours by this name."),
        ("Consent?", ["x"] * 6, "It may say who must not be contacted; only you can tell."),
    ],
)
def test_why_a_column_is_not_suggested_is_told(header, values, reason):
    headers, rows = table({"Mobile": MOBILES, header: values})
    assert guess(headers, rows, "IN").suggestions[1].reason == reason


# What always holds ---------------------------------------------------------------------------------------------------

KINDS = [MOBILES, LANDLINES, IDS, NAMES, FIRST, LAST, EMAILS, BLANK, ["Mr", "Ms"] * 3, ["India"] * 6, ["MP", "BR"] * 3,
         ["91"] * 6, ["Yes", "No"] * 3, ["DND", ""] * 3, ["2026-07-01"] * 6, ["1,200.00"] * 6, ["Asia/Kolkata"] * 6,
         ["North", "South", "Mars"] * 2]  # fmt: skip
A_HEADER = st.one_of(
    st.sampled_from([alias for field in FIELDS for alias in (field.label, *field.aliases)]),
    st.lists(
        st.sampled_from(["Phone", "Country", "Name", "First", "Last", "Code", "Policy", "No", "E-mail", "2", "Alt",
        "DND", "State"]),
        max_size=3,
    ).map(" ".join),
    st.text(max_size=12),
)  # fmt: skip
TABLES = st.lists(st.tuples(A_HEADER, st.sampled_from(KINDS)), min_size=1, max_size=7)
REGIONS_OF_LISTS = st.sampled_from(["IN", "US", "DE", ""])


@given(TABLES, REGIONS_OF_LISTS)
@settings(max_examples=200, deadline=None)
def test_every_suggested_mapping_can_be_used(columns, region):
    headers, rows = [header for header, _ in columns], list(zip(*(values for _, values in columns), strict=True))
    guessed = guess(headers, rows, region)
    assert problems(guessed.mapping, headers) in ([], ["Choose the column that holds the phone number."])
    assert [guessed.mapping.choice(at) or None for at in range(len(headers))] == [
        suggestion.field for suggestion in guessed.suggestions
    ]
    assert all(suggestion.reason.endswith(".") for suggestion in guessed.suggestions)


@given(TABLES, REGIONS_OF_LISTS, st.randoms())
@settings(max_examples=200, deadline=None)
def test_the_order_of_columns_changes_nothing_where_headers_differ(columns, region, random):
    columns = list({header: (header, values) for header, values in columns}.values())

    def fields(shuffled):
        headers, rows = [header for header, _ in shuffled], list(zip(*(values for _, values in shuffled), strict=True))
        guessed = guess(headers, rows, region)
        ranks = {headers[at]: rank for rank, at in enumerate(guessed.mapping.phones)}
        return {(each.header, each.field, ranks.get(each.header)) for each in guessed.suggestions}

    shuffled = list(columns)
    random.shuffle(shuffled)
    assert fields(shuffled) == fields(columns)


@given(A_HEADER, st.lists(st.text(max_size=8).filter(lambda text: region_of(text) is None), min_size=1, max_size=9))
@settings(deadline=None)
def test_no_column_of_other_values_becomes_the_country(header, values):
    assert "country" not in suggested(["Mobile", header], [["+919800000001", value] for value in values], "IN").columns


@given(
    st.sampled_from(
        ["Policy", "Account", "Aadhaar", "Order", "Lead", "Invoice", "Customer ID", "Record ID", "Date of"]
    ),
    st.sampled_from(["", " No", " Number", " no.", "_number", " ID", " Date", "Nummer"]),
    st.sampled_from(["", "Your ", "Registered ", "Primary ", "New "]),
    st.sampled_from([MOBILES, IDS, LANDLINES]),
)
def test_no_column_named_for_an_id_or_a_date_becomes_the_phone(thing, ending, before, values):
    headers, rows = table({f"{before}{thing}{ending}": values, "Name": NAMES})
    assert suggested(headers, rows, "IN").phones == []


@pytest.mark.parametrize("zone", sorted(available_timezones())[::150])
def test_time_zones_are_known_by_their_values(zone):
    assert field_of("Where", [zone] * 6) == ("time_zone" if "/" in zone else None)


def test_wide_files_are_guessed_in_about_half_a_second():
    headers = [f"Q{at}" for at in range(300)]
    rows = [[f"some text {at * 7919 % 997}" for at in range(line, line + 300)] for line in range(200)]
    begun = time.process_time()
    guess(headers, rows, "IN")
    assert time.process_time() - begun < 2  # with room for a slow machine


def test_a_header_of_strange_digits_is_a_header_like_others():
    assert suggested(["Phone ፩", "Phone ²", "Phone ٣"], [MOBILES[:3]], "IN").more_phones
