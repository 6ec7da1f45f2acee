"""Any spelling of a number: read, repaired by name, or refused by name."""

import os
import subprocess
import sys
import time
from importlib import import_module

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists import phones
from lists.phones import Phone, PhoneRefused, normalise, numbering

INDIAN = "+919800012345"
LONDON = "+442079460000"


@pytest.fixture(params=["rphonenumbers", "phonenumbers"])
def either_library(request, monkeypatch):
    """Runs the test on the compiled road and on the reference."""
    monkeypatch.setattr(numbering, "library", import_module(request.param))


READ = [
    # raw, region, E.164, rules
    ("+919800012345", None, INDIAN, ""),
    ("  +919800012345\t", None, INDIAN, ""),
    ("+91 98000 12345", None, INDIAN, "spaces and brackets removed"),
    ("+91-98000-12345", None, INDIAN, "spaces and brackets removed"),
    ("+91.98000.12345", None, INDIAN, "spaces and brackets removed"),
    ("(+91) 98000 12345", None, INDIAN, "spaces and brackets removed"),
    ("+91 (98000) 12345", None, INDIAN, "spaces and brackets removed"),
    ("9800012345", "IN", INDIAN, "country code added"),
    ("09800012345", "IN", INDIAN, "country code added"),
    ("98000-12345", "IN", INDIAN, "spaces and brackets removed, country code added"),
    ("0612345678", "FR", "+33612345678", "country code added"),
    ("06.12.34.56.78", "FR", "+33612345678", "spaces and brackets removed, country code added"),
    ("(202) 555-0123", "US", "+12025550123", "spaces and brackets removed, country code added"),
    ("030/23125000", "DE", "+493023125000", "spaces and brackets removed, country code added"),
    ("919800012345", "IN", INDIAN, "plus sign put back"),
    ("+44 20 7946 0000", "IN", LONDON, "spaces and brackets removed"),
    ("00919800012345", None, INDIAN, "00 → +"),
    ("0044 20 7946 0000", "US", LONDON, "spaces and brackets removed, 00 → +"),
    ("011 44 20 7946 0000", "US", LONDON, "spaces and brackets removed, country code added"),
    ("+44 (0)20 7946 0000", None, LONDON, "spaces and brackets removed, trunk zero after the country code"),
    ("+44 020 7946 0000", None, LONDON, "spaces and brackets removed, trunk zero after the country code"),
    ("+4402079460000", None, LONDON, "trunk zero after the country code"),
    ("0044 (0) 20 7946 0000", None, LONDON, "spaces and brackets removed, 00 → +, trunk zero after the country code"),
    ("+39 (0)6 69812345", None, "+390669812345", "spaces and brackets removed"),  # in Italy the zero is dialled
    ("tel:+91-98000-12345", None, INDIAN, "telephone link, spaces and brackets removed"),
    ("tel:+919800012345;ext=5", None, INDIAN, "telephone link, extension split off"),
    ("tel:98000-12345;phone-context=+91", None, INDIAN, "telephone link, spaces and brackets removed"),
    ("(202) 555-0123 ext. 4", "US", "+12025550123",
     "extension split off, spaces and brackets removed, country code added"),
    ("+12025550123x42", None, "+12025550123", "extension split off"),
    ("+12025550123 #42", None, "+12025550123", "extension split off"),
    ("Mobile: +919800012345", None, INDIAN, "words around the number removed"),
    ("+919800012345 (home)", None, INDIAN, "words around the number removed"),
    ("+91\u00a098000\u00a012345", None, INDIAN, "spaces and brackets removed"),
    ("+91 98000\u201112345", None, INDIAN, "other scripts’ digits and dashes, spaces and brackets removed"),
    ("\u202a+919800012345\u202c", None, INDIAN, "invisible marks removed"),
    ("\ufeff+919800012345", None, INDIAN, "invisible marks removed"),
    ("٩٨٠٠٠١٢٣٤٥", "IN", INDIAN, "other scripts’ digits and dashes, country code added"),
    ("९८०००१२३४५", "IN", INDIAN, "other scripts’ digits and dashes, country code added"),
    ("＋９１９８０００１２３４５", None, INDIAN, "other scripts’ digits and dashes"),
    ("'+919800012345", None, INDIAN, "leading apostrophe"),
    ('="+919800012345"', None, INDIAN, "formula quotes removed"),
    ("=+919800012345", None, INDIAN, "formula quotes removed"),
    ("919800012345.0", "IN", INDIAN, "trailing .0, plus sign put back"),
    ("9800012345,00", "IN", INDIAN, "trailing .0, country code added"),
    ("919,800,012,345", "IN", INDIAN, "thousands separators removed, plus sign put back"),
    ("9.19800012345E+11", "IN", INDIAN, "scientific notation written out, plus sign put back"),
]  # fmt: skip

REFUSED = [
    ("", "IN", "missing"),
    (" \t\u00a0", "IN", "missing"),
    ("'", "IN", "missing"),
    ("9.19877E+11", "IN", "cut_by_spreadsheet"),
    ("9,19877E+11", "IN", "cut_by_spreadsheet"),
    ("9.2E+11", None, "cut_by_spreadsheet"),
    ("9.19876543E11", "IN", "cut_by_spreadsheet"),
    ("########", "IN", "spreadsheet_error"),
    ("#REF!", "IN", "spreadsheet_error"),
    ("#N/A", "IN", "spreadsheet_error"),
    ("#NAME?", "IN", "spreadsheet_error"),
    ("01-Feb", "IN", "date"),
    ("1 February 2026", "IN", "date"),
    ("2026-02-01", "IN", "date"),
    ("2026-02-01 00:00:00", "IN", "date"),
    ("01/02/2026", "IN", "date"),
    ("01-02-2026", "IN", "date"),
    ("TRUE", "IN", "not_a_number"),
    ("None", "IN", "missing"),
    ("+(((", "IN", "not_a_number"),
    ("-", "IN", "missing"),
    ("98000abc12", "IN", "letters"),
    ("1-800-FLOWERS", "US", "letters"),
    ("98000 12345 / 98000 12346", "IN", "two_numbers"),
    ("9800012345;9800012346", "IN", "two_numbers"),
    ("9800012345 9800012346", "IN", "two_numbers"),
    ("9800012345\n9800012346", "IN", "two_numbers"),
    ("+919800012345 +919800012346", None, "two_numbers"),
    ("020 7946 0000 or 020 7946 0001", "GB", "two_numbers"),
    ("12", None, "too_short"),
    ("12345", "IN", "short_number"),
    ("980001234", "IN", "not_valid"),
    ("+91 98000", None, "too_short"),
    ("98000123456789", "IN", "too_long"),
    ("12345678901234567890", None, "too_long"),
    ("9800012345", None, "no_country"),
    ("9800012345", "XX", "unknown_country"),
    ("+9991234567", None, "unknown_country_code"),
    ("0099 91234567", None, "unknown_country_code"),
    ("+1 202 055 0123", None, "not_valid"),
    ("x" * 201, "IN", "too_much_text"),
]


@pytest.mark.parametrize(("raw", "region", "e164", "rule"), READ)
def test_every_spelling_of_a_number_is_read_and_its_repair_is_named(either_library, raw, region, e164, rule):
    assert normalise(raw, region) == Phone(e164, rule)


@pytest.mark.parametrize(("raw", "region", "code"), REFUSED)
def test_what_is_not_a_number_is_refused_with_its_own_reason_and_advice(either_library, raw, region, code):
    refused = normalise(raw, region)
    assert isinstance(refused, PhoneRefused), refused
    assert refused.code == code
    assert refused.reason.endswith(".") and refused.suggestion.endswith(".")


def test_a_number_the_spreadsheet_has_cut_is_told_so_and_never_guessed():
    refused = normalise("9.19877E+11", "IN")
    assert isinstance(refused, PhoneRefused)
    assert "the spreadsheet has cut this number" in refused.reason
    assert "export again" in refused.suggestion


def examples():
    """(region, number) for every region and type the library has an example of."""
    types = sorted(phonenumbers.PhoneNumberType.values())
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in types:
            number = phonenumbers.example_number_for_type(region, kind)
            if number and phonenumbers.is_valid_number(number):
                yield region, number


def test_both_libraries_judge_every_example_number_of_every_region_alike(monkeypatch):
    rphonenumbers = import_module("rphonenumbers")
    asked = 0
    for region, number in examples():
        written = {phonenumbers.format_number(number, style) for style in range(4)}
        written |= {text[:-1] for text in written} | {text + "0" for text in written}
        for text in written:
            answers = []
            for library in (phonenumbers, rphonenumbers):
                monkeypatch.setattr(numbering, "library", library)
                answers.append((normalise(text, region), normalise(text, None)))
            assert answers[0] == answers[1], (text, region)
            asked += 1
    assert asked > 5000


def test_every_example_number_is_stored_as_the_reference_library_writes_it():
    for region, number in examples():
        wanted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for style in range(4):
            found = normalise(phonenumbers.format_number(number, style), region)
            assert isinstance(found, Phone), (region, number, found)
            assert found.e164 == wanted


@given(
    st.text(max_size=30) | st.from_regex(r"[+0-9 ()./xE-]{0,30}", fullmatch=True), st.sampled_from([None, "IN", "DE"])
)
def test_whatever_the_cell_holds_the_answer_is_valid_and_final_or_a_refusal(raw, region):
    answer = normalise(raw, region)
    if isinstance(answer, Phone):
        assert phonenumbers.is_valid_number(phonenumbers.parse(answer.e164))
        assert normalise(answer.e164, None) == Phone(answer.e164, "")
    else:
        assert answer.code and answer.reason and answer.suggestion


@given(st.from_regex(r"\+?[0-9][0-9 ().-]{4,20}", fullmatch=True))
def test_no_repair_invents_a_digit(raw):
    answer = normalise(raw, None)
    if isinstance(answer, Phone):
        digits = "".join(c for c in raw if c.isdigit())
        assert all(digits.count(d) >= answer.e164.count(d) for d in "123456789")


def test_a_megabyte_of_brackets_is_refused_at_once():
    began = time.perf_counter()
    assert isinstance(normalise("+(((" * 250_000, "IN"), PhoneRefused)
    for _ in range(10_000):
        normalise("+(((" * 25, "IN")
    assert time.perf_counter() - began < 30


def test_the_environment_forces_the_reference_library():
    code = (
        "from lists.phones import normalise, numbering;"
        "print(numbering.library.__name__, normalise('+919800012345', None).e164)"
    )
    environment = {**os.environ, "CONTACTADMIN_PHONES": "python"}
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["phonenumbers", INDIAN]


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("+91 98000-12345", "919800012345"),
        ("00 91 98000", "9198000"),
        ("098000 123", "98000123"),
        ("+44 (0)20 7946", "44207946"),
        ("tel:+9198000", "9198000"),
        ("९८०००", "98000"),
        ("asha", ""),
        ("asha 2", ""),
        ("", ""),
    ],
)
def test_a_search_finds_a_number_however_it_is_typed(typed, key):
    assert phones.search_key(typed) == key


def test_a_masked_number_shows_only_its_edges():
    assert phones.mask("+919800012345") == "+9198•••••345"
    assert phones.mask("+2908000") == "+290•••0"


def test_numbers_are_shown_in_groups_and_split_at_the_country_code():
    assert phones.display("+919800012345") == "+91 98000 12345"
    assert phones.display("nonsense") == "nonsense"
    assert phones.split("+919800012345") == ("91", "9800012345")
    assert phones.split("+12025550123") == ("1", "2025550123")


@pytest.mark.parametrize(
    ("e164", "country", "kind"),
    [
        ("+919800012345", "IN", "mobile"),
        ("+918033923819", "IN", "fixed"),
        ("+911800112345", "IN", "toll_free"),
        ("+12025550123", "US", "mobile_or_fixed"),
        ("+18005550100", "US", "toll_free"),
        ("+19002345678", "US", "premium"),
        ("+12423591234", "BS", "mobile"),
        ("+14165550123", "CA", "mobile_or_fixed"),
        ("+447400123456", "GB", "mobile"),
        ("+441481256789", "GG", "fixed"),
        ("+491712345678", "DE", "mobile"),
        ("+77710009998", "KZ", "mobile"),
        ("+79123456789", "RU", "mobile"),
        ("+80012345678", "", "toll_free"),
        ("+870773111632", "", "mobile"),
        ("+9991234567", "", "other"),
        ("", "", "other"),
    ],
)
def test_a_number_tells_its_country_and_its_kind(either_library, e164, country, kind):
    assert (phones.country_of(e164), phones.kind_of(e164)) == (country, kind)


@pytest.mark.parametrize("e164", ["+919999999999", "+911234567890", "+4912345678", "+12222222222", "+9123456789"])
def test_one_digit_repeated_or_digits_counting_up_are_nobodys_number(e164):
    assert phones.is_placeholder(e164)


@pytest.mark.parametrize("e164", ["+919876543210", "+919800000001", "+12025550123", "+919999999998", "+9111", ""])
def test_other_numbers_are_no_placeholders(e164):
    assert not phones.is_placeholder(e164)


def test_every_region_of_the_library_is_the_country_of_its_own_example():
    for region, number in examples():
        assert phones.country_of(phonenumbers.format_number(number, 0)) == (
            phonenumbers.region_code_for_number(number) or ""
        ), region


def test_every_region_the_library_knows_has_a_name():
    assert set(phones.REGIONS) == set(phonenumbers.SUPPORTED_REGIONS)
    assert phones.REGIONS["IN"] == "India"


@pytest.mark.parametrize(
    ("number", "where"),
    [("+44 20 7946", "in the United Kingdom"), ("+31 20 794", "in the Netherlands"), ("+91 12345", "in India")],
)
def test_a_refusal_names_the_country_as_people_say_it(number, where):
    assert where in phones.normalise(number, None).reason
