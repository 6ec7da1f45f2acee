"""Which columns say who must not be contacted, and what their values say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.importing.opt_outs import may_be_opt_out, may_mean_opt_out, reading, sense


@pytest.mark.parametrize(
    "header",
    ["Do Not Call", "DoNotCall", "do_not_contact", "DND", "DND Flag", "DNC", "Don't call", "Opt out", "Opted Out",
     "optout",
     "Unsubscribed", "Blacklisted", "SMS opt-out", "Do not call (DND)?", "Is DND", "Nicht anrufen", "No llamar",
     "Ne pas appeler", "Désinscrit", "Não ligar", "कॉल न करें"],
)  # fmt: skip
def test_headers_under_which_yes_means_do_not_contact(header):
    assert sense(header) == "opt_out"


@pytest.mark.parametrize(
    "header",
    ["Consent", "Marketing consent", "consent_to_call", "Accepts Marketing", "Accepts SMS Marketing", "Opt in",
     "Opted In",
     "Subscribed", "SMS Consent", "OK to call", "Einwilligung", "Consentimiento", "Consentement", "सहमति"],
)  # fmt: skip
def test_headers_under_which_no_means_do_not_contact(header):
    assert sense(header) == "consent"


@pytest.mark.parametrize("header", ["Status", "Subscription Status", "Marketing contact status", "Lead Status"])
def test_headers_under_which_the_values_say_it_themselves(header):
    assert sense(header) == "status"


@pytest.mark.parametrize(
    "header",
    ["Name", "Mobile", "City", "", "May we call you?", "Accepts Email Marketing", "HasOptedOutOfEmail", "Email opt out",
     "Consent withdrawn", "No consent", "Not on DND", "Opt-out date", "Unsubscribed at", "DND removal",
     "Opt-out reason",
     "Consent?", "Calls made", "Blocked amount", "Contact owner"],
)  # fmt: skip
def test_headers_that_do_not_settle_it(header):
    assert sense(header) == ""


@pytest.mark.parametrize(
    ("value", "opt_out", "consent", "status"),
    [
        ("Yes", True, False, None), ("Y", True, False, None), ("TRUE", True, False, None), ("1", True, False, None),
        ("1.0", True, False, None), ("x", True, False, None), ("✓", True, False, None), ("ja", True, False, None),
        ("Sí", True, False, None), ("हाँ", True, False, None), ("No", False, True, None), ("0", False, True, None),
        ("false", False, True, None), ("Nein", False, True, None), ("não", False, True, None),
        ("❌", False, True, None),
        ("DND", True, True, True), ("Do not call", True, True, True), ("Opted-out", True, True, True),
        ("unsubscribed", True, True, True), ("Blacklisted", True, True, True), ("dado de baja", True, True, True),
        ("Subscribed", False, False, False), ("Opted in", False, False, False), ("Not DND", False, False, False),
        ("blocked", True, None, True), ("Active", None, False, False), ("granted", None, False, None),
        ("Withdrawn", None, True, None), ("not_subscribed", None, True, None),
        ("Non-marketing contact", None, None, None), ("Inactive", None, None, None), ("maybe", None, None, None),
        ("", None, None, None), ("2026-07-01", None, None, None), ("Bounced", None, None, None),
    ],
)  # fmt: skip
def test_a_value_is_read_by_the_sense_of_its_header(value, opt_out, consent, status):
    assert [reading(value, how) for how in ("opt_out", "consent", "status")] == [opt_out, consent, status]


def test_yes_and_no_say_nothing_under_an_unknown_header():
    assert [reading(value, "") for value in ("Yes", "No", "DND")] == [None, None, True]


@given(st.text(max_size=12))
def test_what_is_a_yes_to_opting_out_is_never_a_no_to_consent_the_other_way_round(value):
    opt_out, consent = reading(value, "opt_out"), reading(value, "consent")
    if opt_out is not None and consent is not None:
        plain = reading(value, "")
        assert (opt_out == consent) if plain is not None else (opt_out != consent)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("May we call you?", ["Yes", "No"]), ("Can we contact you by phone", ["yes", "no"]), ("Flag", ["Y", "N"]),
        ("Column 4", ["Yes", "No", "No"]), ("Accepts Email Marketing", ["yes", "no"]), ("Email opt out", ["1", "0"]),
        ("Consent withdrawn", ["yes", ""]), ("Remarks", ["called twice", "DND"]), ("Opt-out date", ["2026-07-01"]),
        ("Do not call", ["on the list", "-"]), ("GDPR", ["true", "false"]),
        ("Marketing contact status", ["Marketing contact", "Non-marketing contact"]),
        ("May we call you?", ["Yes", "No", "ask me later"]), ("Can we contact you", ["no", "after 6 pm", "mornings"]),
    ],
)  # fmt: skip
def test_a_column_that_may_say_it_is_asked_about(header, values):
    assert may_be_opt_out(header, values)


@pytest.mark.parametrize(
    ("header", "values"),
    [
        ("Tax Exempt", ["no", "yes"]), ("Mobile", ["+919800012345"]), ("May we call you?", []), ("DND", ["", "NA"]),
        ("Remarks", ["called twice", "asked for a discount"]), ("Lead Status", ["New", "Open"]),
        ("Contact owner", ["Mara"]),
        ("Status", ["Active", "New"]), ("Calls", ["3", "5"]), ("May we call you?", ["after 6 pm"]),
        ("Is customer", ["Y", "N"]),
    ],
)  # fmt: skip
def test_other_columns_are_not(header, values):
    assert not may_be_opt_out(header, values)


@pytest.mark.parametrize(
    ("header", "value", "answer"),
    [("May we call you?", "No", True), ("May we call you?", "Yes", False), ("Flag", "Y", True), ("Flag", "N", True),
     ("Remarks", "DND", True), ("Remarks", "called twice", False), ("Opt-out date", "2026-07-01", True),
     ("Marketing contact status", "Non-marketing contact", True), ("GDPR", "refused", True), ("GDPR", "NA", False),
     ("Marketing contact status", "Subscribed", False)],
)  # fmt: skip
def test_the_rows_of_an_unanswered_column_that_may_mean_it(header, value, answer):
    assert may_mean_opt_out(header, value) is answer
