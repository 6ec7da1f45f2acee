"""Match columns, Check, Result and Undo: what is asked, what is warned of, what can be switched, what went wrong."""

import csv
import io
import re
from collections.abc import Sequence

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from lists import db, jobs
from lists.importing import flow, job, matching, remembering
from lists.importing.columns import Mapping
from lists.importing.flow import Target
from lists.importing.row_warnings import Code
from lists.importing.undo import Undone
from lists.models import Contact, ContactList, Import, Suppression
from tests.factories import join, make_contact, make_import, make_list
from tests.importing.worlds import HEADER, commit, csv_bytes, undo, work

pytestmark = pytest.mark.django_db

ASHA, RAVI, MINA = "+919800012345", "+919800012346", "+919800012347"
PLAIN = Mapping({"phone": 0, "first_name": 1, "last_name": 2, "email": 3}, "IN", {}, [4])


def url(step: str, imported: Import) -> str:
    return reverse(f"imports-{step}", args=[imported.pk])


def draft(client: Client, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, into=None) -> Import:
    """A file this person has uploaded, and nobody has matched."""
    contact_list = into or make_list(default_region="IN")
    return flow.receive([csv_bytes(rows, header)], "renewals.csv", Target(contact_list), client.user)


def checked(
    client: Client,
    rows: Sequence[Sequence[str]],
    mapping: Mapping = PLAIN,
    header: Sequence[str] = HEADER,
    into: ContactList | None = None,
    **policy: str,
) -> Import:
    imported = draft(client, rows, header, into)
    flow.match_columns(imported, mapping, **policy)
    return work(imported)


def done(client: Client, *args, **kwargs) -> Import:
    return commit(checked(client, *args, **kwargs))


def proposing(imported: Import, mapping: Mapping) -> Import:
    """The draft with a guess of the test's own."""
    imported.mapping = mapping.as_dict()
    imported.save(update_fields=["mapping"])
    return imported


def form_of(response) -> dict[str, str]:
    """What a browser would post back of the form on a page, unchanged."""
    form = response.context["form"]
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


def shown_lines(client: Client, address: str) -> list[int]:
    return [shown.row.line for shown in client.get(address).context["page"].rows]


# Match columns -------------------------------------------------------------------------------------------------------

CONSENT = ["Phone", "May we call you?"]
ASKED = Mapping({"phone": 0}, "IN", unsure=[1])


def test_a_column_that_may_say_who_must_not_be_contacted_has_no_answer_until_a_person_gives_it(uploader):
    imported = proposing(draft(uploader, [[ASHA, "yes"], [RAVI, "no"]], CONSENT), ASKED)
    page = uploader.get(url("columns", imported))
    given = form_of(page)
    assert "column_1" not in given or given["column_1"] == ""
    response = uploader.post(url("columns", imported), given)
    assertContains(response, "Choose what “May we call you?” is: it may say who must not be contacted.")
    imported.refresh_from_db()
    assert imported.state == "draft"


@pytest.mark.parametrize(
    ("answer", "extras"), [("extra", [1]), ("ignore", [])], ids=["kept as an attribute", "not imported"]
)
def test_the_question_can_be_answered_with_something_else(uploader, answer, extras):
    imported = proposing(draft(uploader, [[ASHA, "yes"], [RAVI, "no"]], CONSENT), ASKED)
    given = form_of(uploader.get(url("columns", imported)))
    assertRedirects(
        uploader.post(url("columns", imported), given | {"column_1": answer, "keep_rest": "on"}),
        url("check", imported),
        fetch_redirect_response=False,
    )
    mapping = Mapping.from_dict(work(imported).mapping)
    assert (mapping.extras, mapping.unsure) == (extras, [])
    assert flow.open_questions(imported) == []


def test_what_its_values_mean_is_said_before_they_count(uploader):
    rows = [[ASHA, "Yes"], [RAVI, "No"], [MINA, ""]]
    imported = proposing(draft(uploader, rows, CONSENT), ASKED)
    page = uploader.get(url("columns", imported))
    given = form_of(page) | {"column_1": "do_not_contact"}
    values = [reading.value for reading in page.context["matches"][1].readings]
    assert values == ["yes", "no"]

    response = uploader.post(url("columns", imported), given)
    assertContains(response, "What “yes” means: Choose one of the two.")
    names = [reading.field.name for reading in response.context["matches"][1].readings]
    assert names == ["opt_out_1", "opt_out_2"]

    uploader.post(url("columns", imported), given | {"opt_out_1": "no", "opt_out_2": "yes"})
    imported = work(imported)
    assert Mapping.from_dict(imported.mapping).opt_out == {1: {"yes": False, "no": True}}
    assert (imported.created, imported.suppressed) == (2, 1)
    page = uploader.get(url("check", imported), {"tab": "problems"})
    readings = [(said.value, said.words, said.rows) for said in page.context["opt_outs"]["May we call you?"]]
    assert readings == [("no", "do not contact", 1), ("yes", "may be contacted", 1)]
    commit(imported)
    assert list(Suppression.objects.values_list("phone", flat=True)) == [RAVI]


def test_values_that_say_it_themselves_are_told_and_only_others_are_asked_for(uploader):
    rows = [[ASHA, "Yes"], [RAVI, "No"], [MINA, "Maybe"]]
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN")
    imported = proposing(draft(uploader, rows, ["Phone", "Do not call"]), mapping)
    page = uploader.get(url("columns", imported))
    readings = page.context["matches"][1].readings
    assert [(reading.value, reading.means, reading.field is not None) for reading in readings] == [
        ("yes", True, False),
        ("no", False, False),
        ("maybe", None, True),
    ]
    assertContains(uploader.post(url("columns", imported), form_of(page)), "What “maybe” means: Choose one of the two.")
    uploader.post(url("columns", imported), form_of(page) | {"opt_out_3": "yes"})
    assert work(imported).suppressed == 2


def test_a_column_somebody_else_picks_as_do_not_contact_is_asked_about_too(uploader):
    imported = draft(uploader, [[ASHA, "ja, gern"]], ["Phone", "Notiz"])
    page = uploader.get(url("columns", imported))
    assert page.context["matches"][1].note
    given = form_of(page) | {"column_1": "do_not_contact"}
    response = uploader.post(url("columns", imported), given)
    assert not response.context["matches"][1].note  # it was the reason for another choice
    assertContains(response, "What “ja gern” means: Choose one of the two.")
    uploader.post(url("columns", imported), given | {"opt_out_1": "no"})
    assert work(imported).created == 1


TWO_OPT_OUTS = ["Phone", "Do not call", "May we call you?"]


def test_several_columns_may_say_who_must_not_be_contacted_each_with_its_own_answers(uploader):
    rows = [[ASHA, "Yes", "Yes"], [RAVI, "No", "No"], [MINA, "No", "Yes"]]
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN", unsure=[2])
    imported = proposing(draft(uploader, rows, TWO_OPT_OUTS), mapping)
    given = form_of(uploader.get(url("columns", imported))) | {"column_2": "do_not_contact"}
    response = uploader.post(url("columns", imported), given)
    fields = {reading.value: reading.field.name for reading in response.context["matches"][2].readings}
    uploader.post(url("columns", imported), given | {fields["yes"]: "no", fields["no"]: "yes"})

    imported = work(imported)
    mapping = Mapping.from_dict(imported.mapping)
    assert (mapping.opt_out_columns, mapping.opt_out) == ([1, 2], {2: {"yes": False, "no": True}})
    assert {row.phone: row.outcome for row in imported.rows.all()} == {
        ASHA: "suppressed",
        RAVI: "suppressed",
        MINA: "created",
    }
    page = uploader.get(url("check", imported), {"tab": "problems"})
    readings = {
        column: [(said.value, said.means, said.rows) for said in readings]
        for column, readings in page.context["opt_outs"].items()
    }
    assert readings == {
        "Do not call": [("no", False, 2), ("yes", True, 1)],
        "May we call you?": [("yes", False, 2), ("no", True, 1)],
    }
    assertContains(page, "<h3>May we call you?</h3>")
    again = form_of(uploader.get(url("columns", imported)))
    assert [again["column_1"], again["column_2"]] == ["do_not_contact", "do_not_contact"]
    assert [again[fields["yes"]], again[fields["no"]]] == ["no", "yes"]


def test_an_opt_out_column_that_is_taken_out_takes_its_answers_with_it(uploader):
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN", more_opt_outs=[2], opt_out={1: {"maybe": True}})
    imported = proposing(draft(uploader, [[ASHA, "maybe", "revoked"]], ["Phone", "DND", "Consent"]), mapping)
    given = form_of(uploader.get(url("columns", imported))) | {"column_1": ""}
    uploader.post(url("columns", imported), given)
    mapping = Mapping.from_dict(work(imported).mapping)
    assert (mapping.opt_out_columns, mapping.opt_out) == ([2], {})


def test_a_value_only_the_check_has_found_can_be_answered_under_match_columns(uploader, monkeypatch):
    monkeypatch.setattr(flow, "SAMPLE_ROWS", 1)
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN")
    imported = checked(uploader, [[ASHA, "No"], [RAVI, "Maybe"]], mapping, ["Phone", "Do not call"])
    assert flow.open_questions(imported) == ["Do not call"]
    page = uploader.get(url("columns", imported))
    uploader.post(url("columns", imported), form_of(page) | {"opt_out_2": "yes"})
    assert flow.open_questions(work(imported)) == []
    assert imported.suppressed == 1


def test_several_phone_columns_keep_the_order_of_the_guess_and_new_ones_come_behind(uploader):
    header = ["Home", "Mobile", "Office"]
    imported = proposing(
        draft(uploader, [["080 4000 0001", ASHA, RAVI]], header), Mapping({"phone": 1}, "IN", more_phones=[0])
    )
    page = uploader.get(url("columns", imported))
    assert [match.place for match in page.context["matches"]] == ["2nd choice", "1st choice", ""]
    uploader.post(url("columns", imported), form_of(page) | {"column_2": "phone"})
    assert Mapping.from_dict(work(imported).mapping).phones == [1, 0, 2]


def test_a_person_says_which_phone_column_comes_first(uploader):
    imported = proposing(
        draft(uploader, [[ASHA, RAVI]], ["Home", "Mobile"]), Mapping({"phone": 1}, "IN", more_phones=[0])
    )
    page = uploader.get(url("columns", imported))
    uploader.post(url("columns", imported), form_of(page) | {"first_phone": "0"})
    assert Mapping.from_dict(work(imported).mapping).phones == [0, 1]
    assert imported.rows.get().phone == ASHA


def test_a_phone_column_that_is_taken_out_stays_out_though_it_stood_first(uploader):
    imported = proposing(
        draft(uploader, [[ASHA, RAVI]], ["Home", "Mobile"]), Mapping({"phone": 0}, "IN", more_phones=[1])
    )
    page = uploader.get(url("columns", imported))
    uploader.post(url("columns", imported), form_of(page) | {"column_0": ""})
    assert Mapping.from_dict(work(imported).mapping).phones == [1]


@pytest.mark.parametrize(
    ("numbers", "stored"),
    [("first_mobile", {ASHA}), ("first", {ASHA}), ("each", {ASHA, RAVI})],
)
def test_which_of_several_numbers_count_is_chosen(uploader, numbers, stored):
    mapping = Mapping({"phone": 0}, "IN", more_phones=[1])
    imported = proposing(draft(uploader, [[ASHA, RAVI]], ["Mobile", "Phone"]), mapping)
    uploader.post(url("columns", imported), form_of(uploader.get(url("columns", imported))) | {"numbers": numbers})
    commit(work(imported))
    assert set(Contact.objects.values_list("phone", flat=True)) == stored


def test_one_tick_keeps_every_column_that_is_not_matched(uploader):
    header = ["Phone", "Vehicle", "Premium"]
    imported = proposing(draft(uploader, [[ASHA, "Swift", "4,000"]], header), Mapping({"phone": 0}, "IN"))
    page = uploader.get(url("columns", imported))
    assertContains(page, "Keep all 2 columns that are not matched as attributes")
    uploader.post(url("columns", imported), form_of(page) | {"keep_rest": "on"})
    commit(work(imported))
    assert Contact.objects.get().extra == {"Vehicle": "Swift", "Premium": "4,000"}


def test_a_file_of_numbers_nobody_may_call_is_asked_nothing_about_contacts(administrator):
    imported = flow.receive(
        [b"Phone,Reason\n+919800012345,asked\n"], "dnd.csv", Target(None, "asked"), administrator.user
    )
    page = administrator.get(url("columns", imported))
    assert {"numbers", "on_existing", "other_person"}.isdisjoint(page.context["form"].fields)
    assertContains(page, "Numbers that nobody may call")
    administrator.post(url("columns", imported), form_of(page))
    imported = work(imported)
    assert Mapping.from_dict(imported.mapping).numbers == "each"
    assertContains(administrator.get(url("check", imported)), "Make 1 number do-not-contact")


# What is remembered --------------------------------------------------------------------------------------------------

TWO_PHONES = ["Mobile", "Office", "Do not call", "Ward"]
CHOSEN = Mapping(
    {"phone": 1, "do_not_contact": 2}, "IN", extras=[3], more_phones=[0], numbers="first", opt_out={2: {"maybe": True}},
    switches={"other_country": False},
)  # fmt: skip
ROWS = [[ASHA, RAVI, "no", "East"]]


def test_everything_a_person_chose_is_proposed_again_wherever_its_columns_stand(uploader):
    done(uploader, ROWS, CHOSEN, TWO_PHONES)
    again = draft(uploader, [["West", "no", MINA, ASHA]], ["Ward", "Do not call", "Mobile", "Office"])
    mapping = remembering.remembered(again).mapping
    assert (mapping.columns, mapping.phones, mapping.extras) == ({"phone": 3, "do_not_contact": 1}, [3, 2], [0])
    assert (mapping.numbers, mapping.switches) == ("first", {"other_country": False})
    assert mapping.opt_out == {1: {"maybe": True}}
    assertContains(uploader.get(url("columns", again)), "Matched as for renewals.csv")


@pytest.mark.parametrize("how", ["undone", "failed", "by a command"])
def test_what_was_undone_or_failed_or_guessed_by_a_command_is_no_example(uploader, how):
    earlier = done(uploader, ROWS, CHOSEN, TWO_PHONES)
    if how == "undone":
        undo(earlier)
    elif how == "failed":
        Import.objects.update(state="failed")
    else:
        Import.objects.update(created_by=None)
    assert remembering.remembered(draft(uploader, ROWS, TWO_PHONES)) is None


def test_a_column_the_last_file_did_not_have_gets_the_guess(uploader):
    contact_list = make_list(default_region="IN")
    header = ["Line", "Ward", "Branch", "Firm"]
    done(uploader, [[ASHA, "East", "1", "Heron"]], Mapping({"phone": 0, "tag": 1}, "IN"), header, contact_list)
    again = draft(uploader, [[RAVI, "West", "2", "Heron", "Asha"]], [*header, "First name"], contact_list)
    proposing(again, Mapping({"first_name": 4}, "IN"))
    found = remembering.remembered(again)
    assert found.mapping.columns == {"phone": 0, "tag": 1, "first_name": 4}
    assert found.new == ["First name"]
    assertContains(uploader.get(url("columns", again)), "New in this file: First name.")


def test_a_file_matched_before_opt_outs_were_asked_about_does_not_answer_for_them(uploader):
    earlier = done(uploader, [[ASHA, "no"]], Mapping({"phone": 0}, "IN", {}, [1]), ["Phone", "Do not call"])
    Import.objects.filter(pk=earlier.pk).update(mapping={"columns": {"phone": 0}, "region": "IN", "extras": [1]})
    again = draft(uploader, [[RAVI, "yes"]], ["Phone", "Do not call"])
    proposing(again, Mapping({"phone": 0, "do_not_contact": 1}, "IN"))
    mapping = remembering.remembered(again).mapping
    assert (mapping.columns, mapping.extras) == ({"phone": 0, "do_not_contact": 1}, [])


def test_answers_go_with_their_column_and_new_opt_out_columns_come_beside_those_of_last_time(uploader):
    contact_list = make_list(default_region="IN")
    header = ["Phone", "DND", "Remark", "Ward", "Branch", "Firm", "City", "Vehicle"]
    mapping = Mapping(
        {"phone": 0, "do_not_contact": 1}, "IN", more_opt_outs=[2], opt_out={1: {"ok": False}, 2: {"ok": True}}
    )
    done(uploader, [[ASHA, "ok", "", "", "", "", "", ""]], mapping, header, contact_list)
    moved = [*reversed(header), "Unsubscribed", "Do we call?"]
    again = draft(uploader, [["", "", "", "", "", "", "ok", RAVI, "no", "yes"]], moved, contact_list)
    proposing(again, Mapping({"phone": 7, "do_not_contact": 8}, "IN", unsure=[9]))
    mapping = remembering.remembered(again).mapping
    assert (mapping.opt_out_columns, mapping.unsure) == ([6, 5, 8], [9])
    assert mapping.opt_out == {6: {"ok": False}, 5: {"ok": True}}


# Check: errors, warnings, what was set apart --------------------------------------------------------------------------


def test_errors_warnings_and_what_is_no_contact_are_three_groups(uploader):
    imported = checked(
        uploader,
        [[ASHA, "Asha", "Rao", "at home", ""], ["12", "", "", "", ""], ["9999999999", "Mina", "", "", ""]],
    )
    page = uploader.get(url("check", imported))
    assert page.context["tab"] == "problems"
    assert [card["count"] for card in page.context["errors"]] == [1]
    titles = {card["title"]: card["count"] for card in page.context["warnings"]}
    assert titles["This is not an e-mail address."] == 1
    assert not page.context["apart"]
    assert imported.skipped == 1  # the placeholder, which is told among the warnings


def test_a_warning_opens_its_rows_and_shows_what_it_is_about(uploader):
    imported = checked(
        uploader, [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "at home", ""], [MINA, "Mina", "", "none yet", ""]]
    )
    (card,) = uploader.get(url("check", imported)).context["warnings"]
    assert (card["samples"], card["action"]) == ([("at home", ""), ("none yet", "")], "See 2 rows")
    assert shown_lines(uploader, card["href"]) == [3, 4]
    page = uploader.get(card["href"])
    (warning,) = page.context["page"].rows[0].warnings
    assert tuple(warning) == ("Email", "at home", "This is not an e-mail address.")


def test_rows_of_a_warning_are_left_out_and_let_in_by_a_switch(uploader):
    imported = checked(uploader, [[ASHA, "Asha", "", "", ""], ["+12025550123", "Ravi", "", "", ""]])
    (card,) = uploader.get(url("check", imported)).context["warnings"]
    assert card["switch"]["label"] == "Leave this row out"
    for outcomes in ((1, 1), (2, 0)):
        assertRedirects(
            uploader.post(card["switch"]["url"], card["switch"]["fields"]),
            url("check", imported),
            fetch_redirect_response=False,
        )
        work(imported)
        assert (imported.created, imported.skipped) == outcomes
        (card,) = uploader.get(url("check", imported)).context["warnings"]
    assert imported.other_person == "keep"


def test_placeholders_are_left_out_until_somebody_lets_them_in(uploader):
    imported = checked(
        uploader, [[ASHA, "Asha", "", "", ""], ["9999999999", "", "", "", ""], ["9999999999", "M", "", "", ""]]
    )
    (card,) = uploader.get(url("check", imported)).context["warnings"]
    assert (card["state"], card["switch"]["label"]) == ("skipped", "Import these 2 rows all the same")
    assert shown_lines(uploader, card["href"]) == [3, 4]
    uploader.post(url("switch", imported), card["switch"]["fields"])
    assert work(imported).skipped == 0


@pytest.mark.parametrize("given", [{}, {"code": "garbled", "imported": "no"}, {"code": "placeholder", "imported": "?"}])
def test_what_leaves_no_choice_cannot_be_switched(uploader, given):
    imported = checked(uploader, [[ASHA, "Asha", "", "", ""]])
    assertContains(uploader.post(url("switch", imported), given, follow=True), "That warning leaves no choice.")
    imported.refresh_from_db()
    assert imported.state == "ready"


def test_somebody_who_only_reads_is_offered_no_switch(uploader, auditor):
    imported = checked(uploader, [["+12025550123", "Ravi", "", "", ""]])
    page = auditor.get(url("check", imported))
    assert all("switch" not in card for card in page.context["warnings"])
    for route in ("switch", "keep", "go-on"):
        assertNotContains(page, url(route, imported))
        assert auditor.post(url(route, imported)).status_code == 403


def test_a_number_in_a_warning_is_hidden_from_those_who_may_not_see_it(uploader, auditor):
    imported = checked(uploader, [["202-555-0123", "Ravi", "", "", ""]], Mapping({"phone": 0}, "US"))
    imported = checked(uploader, [["+1 202-555-0123", "Ravi", "", "", ""]])
    told = re.compile(r"202-555|2025550")
    assert told.search(uploader.get(url("check", imported)).content.decode())
    assert not told.search(auditor.get(url("check", imported)).content.decode())
    assert not told.search(auditor.get(url("check", imported), {"warning": Code.OTHER_COUNTRY}).content.decode())


def test_problems_are_shown_without_counting_rows(uploader):
    imported = checked(uploader, [["12", "", "", "", ""], [ASHA, "Asha", "", "at home", ""]])
    for tab in ("problems", "duplicates"):
        with CaptureQueriesContext(database) as asked:
            uploader.get(url("check", imported), {"tab": tab})
        assert not [query["sql"] for query in asked if "GROUP BY" in query["sql"] or "COUNT(" in query["sql"]]


# Check: columns ------------------------------------------------------------------------------------------------------


def test_columns_that_are_left_out_are_named_and_kept_by_one_button(uploader):
    header = ["Phone", "Vehicle", "Premium"]
    imported = checked(uploader, [[ASHA, "Swift", "4,000"]], Mapping({"phone": 0}, "IN"), header)
    page = uploader.get(url("check", imported))
    assertContains(page, "2 columns not imported: Vehicle, Premium")
    assertContains(page, "Keep all 2 as attributes")
    uploader.post(url("keep", imported))
    assert work(imported).rows.get().extra == {"Vehicle": "Swift", "Premium": "4,000"}
    assertNotContains(uploader.get(url("check", imported)), "not imported")


def test_many_columns_that_are_left_out_are_folded_but_all_named(uploader):
    header = ["Phone", *(f"Part {number}" for number in range(1, 31))]
    page = uploader.get(url("check", checked(uploader, [[ASHA]], Mapping({"phone": 0}, "IN"), header)))
    assertContains(page, "30 columns not imported: Part 1, Part 2, Part 3, Part 4, Part 5 and 25 more")
    assertContains(page, ", ".join(header[6:]))
    assertContains(page, "Keep all 30 as attributes")


def test_what_was_left_out_is_still_named_when_it_is_done(uploader):
    imported = done(uploader, [[ASHA, "Swift"]], Mapping({"phone": 0}, "IN"), ["Phone", "Vehicle"])
    page = uploader.get(url("detail", imported))
    assertContains(page, "1 column not imported: Vehicle")
    assertNotContains(page, url("keep", imported))


def test_every_column_is_told_with_what_it_became(uploader):
    mapping = Mapping({"phone": 1, "do_not_contact": 2}, "IN", {"tag": "july"}, [3], more_phones=[0])
    header = ["Office", "Mobile", "Do not call", "Ward", "Vehicle"]
    imported = checked(uploader, [["", ASHA, "no", "East", "Swift"]], mapping, header)
    page = uploader.get(url("check", imported), {"tab": "columns"})
    assert page.context["mapped"] == [
        ("Column “Office”", "Phone number, 2nd choice"),
        ("Column “Mobile”", "Phone number, 1st choice"),
        ("Column “Do not call”", "Do not contact"),
        ("Column “Ward”", "Attribute under its own name"),
        ("Column “Vehicle”", "Not imported"),
        ("“july” for all rows", "Tag"),
    ]


def test_the_result_tells_every_choice(uploader):
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN", numbers="first", switches={"other_country": False})
    imported = done(uploader, [[ASHA, "no"]], mapping, ["Phone", "Do not call"], other_person="leave_out")
    settings = dict(uploader.get(url("detail", imported), {"tab": "settings"}).context["settings"])
    assert settings["Of several numbers"] == "the first valid number"
    assert settings["Same number, other person"] == "Leave such rows out"
    assert settings["The number belongs to another country than expected."] == "such rows are left out"
    assert settings["“no” in “Do not call”"] == "may be contacted (1 row)"


# Check: importing ----------------------------------------------------------------------------------------------------


def test_nothing_to_import_is_not_called_ready_and_says_what_to_change(uploader):
    imported = checked(uploader, [["12", "Asha", "", "", ""]])
    page = uploader.get(url("check", imported))
    assertNotContains(page, "ready to import")
    assertNotContains(page, url("commit", imported))
    assertContains(page, "nothing to import")
    for step in ("columns", "read"):
        assertContains(page, f'href="{url(step, imported)}"')
    assertContains(uploader.get(reverse("imports-index")), "nothing to import")


def test_nothing_is_imported_while_a_column_may_say_who_must_not_be_contacted(uploader):
    imported = checked(uploader, [[ASHA, "sometimes"]], ASKED, CONSENT)
    page = uploader.get(url("check", imported))
    assertContains(page, "First say who must not be contacted")
    assertContains(page, "waiting for an answer")
    assertContains(page, "“May we call you?” may say it")
    assertNotContains(page, url("commit", imported))
    response = uploader.post(url("commit", imported), follow=True)
    assertContains(response, "First say under Match columns what “May we call you?” means")
    assert not Contact.objects.exists()


# Duplicates ----------------------------------------------------------------------------------------------------------


def other_people(client: Client, **policy: str) -> Import:
    contact_list = make_list(default_region="IN")
    make_contact(RAVI, first_name="Ravi", last_name="Haddad", contact_list=contact_list)
    rows = [
        [ASHA, "Asha", "Rao", "", ""],
        [ASHA, "Mina", "Iyer", "", ""],
        [ASHA, "Asha", "Rao", "", "Pune"],
        [RAVI, "Lena", "Vogt", "", ""],
    ]
    return checked(client, rows, into=contact_list, **policy)


def test_the_number_on_the_tab_is_the_sum_of_its_groups(uploader, monkeypatch):
    monkeypatch.setattr("lists.pages.imports.PATTERNS_SHOWN", 1)
    rows = [[ASHA, "Asha", "", "", ""], [ASHA, "Asha", "", "a@example.org", ""], [ASHA, "Asha", "Rao", "", ""],
            [ASHA, "Asha", "", "", ""]]  # fmt: skip
    imported = checked(uploader, rows)
    page = uploader.get(url("check", imported), {"tab": "duplicates"})
    (count,) = [count for label, _, count, _ in page.context["tabs"] if label == "Duplicates"]
    group = page.context["in_file"]
    assert count == sum(pattern.rows for pattern, _ in group.patterns) + group.further[1] == 3
    assertContains(page, f"And {group.further[1]} rows in {group.further[0]} further patterns")


def test_another_person_with_the_same_number_comes_first_with_a_decision_of_its_own(uploader):
    imported = other_people(uploader)
    page = uploader.get(url("check", imported), {"tab": "duplicates"})
    assertContains(page, "2 rows give a number another first and last name")
    text = page.content.decode()
    assert text.index("Same number, other person") < text.index("What may the file change?")
    assert shown_lines(uploader, f"{url('check', imported)}?warning=other_person") == [3, 5]


@pytest.mark.parametrize(
    ("decision", "names"),
    [
        ("keep", {ASHA: "Asha Rao", RAVI: "Ravi Haddad"}),
        ("take", {ASHA: "Asha Rao", RAVI: "Lena Vogt"}),
        ("leave_out", {ASHA: "Asha Rao", RAVI: "Ravi Haddad"}),
    ],
)
def test_the_decision_is_posted_and_nothing_of_two_people_is_mixed(uploader, decision, names):
    imported = other_people(uploader, on_existing="replace")
    uploader.post(url("policy", imported), {"other_person": decision})
    imported = work(imported)
    assert (imported.other_person, imported.on_existing) == (decision, "replace")
    if decision == "take":
        (shown,) = uploader.get(url("check", imported), {"outcome": "updated"}).context["page"].rows
        assert {tuple(change) for change in shown.changes} == {
            ("first name", "Ravi", "Lena"), ("last name", "Haddad", "Vogt"),
        }  # fmt: skip
    commit(imported)
    assert {contact.phone: contact.name for contact in Contact.objects.all()} == names


# Rows ----------------------------------------------------------------------------------------------------------------


def test_a_row_shows_the_cell_its_number_came_from(uploader):
    mapping = Mapping({"phone": 0}, "IN", more_phones=[1])
    imported = checked(uploader, [["NA", "0091 98000 12345"]], mapping, ["Mobile", "Office"])
    (shown,) = uploader.get(url("check", imported), {"tab": "rows"}).context["page"].rows
    assert shown.written == "0091 98000 12345"
    assert "00 → +" in shown.rule


def test_a_further_row_of_a_line_is_told_in_words(uploader):
    mapping = Mapping({"phone": 0}, "IN", more_phones=[1], numbers="each")
    imported = checked(uploader, [[ASHA, RAVI], [RAVI, ""]], mapping, ["Mobile", "Office"])
    shown = uploader.get(url("check", imported), {"tab": "rows"}).context["page"].rows
    assert [row.line for row in shown] == ["2", "3", "2 (number 2)"]


def test_skipped_rows_say_why(uploader):
    imported = checked(uploader, [[ASHA, "Asha", "", "", ""], ["9999999999", "", "", "", ""]])
    page = uploader.get(url("check", imported), {"outcome": "skipped"})
    assertContains(page, "The number is a placeholder")


# Result and undo -----------------------------------------------------------------------------------------------------


THREE = [[number, "Asha", "", "", ""] for number in (ASHA, RAVI, MINA)]


def broken_off(client: Client, monkeypatch: pytest.MonkeyPatch, rows: Sequence[Sequence[str]] = THREE) -> Import:
    """An import that ended after its first row, because the disk was full."""
    imported = checked(client, rows)
    flow.begin_commit(imported, client.user)
    with monkeypatch.context() as patch:
        turns = iter([True])
        patch.setattr(matching.end_of_lot, "__defaults__", (1,))
        patch.setattr(jobs.JobLease, "go_on", lambda lease: next(turns, False))
        jobs.work("import", imported.pk)
        patch.setattr(job, "commit", lambda imported, lease: job.break_off(imported, lease, "The disk is full."))
        jobs.work("import", imported.pk)
    imported.refresh_from_db()
    return imported


def rejected_rows(client: Client, imported: Import) -> list[dict[str, str]]:
    content = b"".join(client.post(url("rejected", imported)).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_an_import_that_broke_off_tells_what_was_saved_and_what_was_not(uploader, monkeypatch):
    imported = broken_off(uploader, monkeypatch)
    page = uploader.get(url("detail", imported))
    assert page.context["ledger"] | {"created": 1, "not_saved": 2} == page.context["ledger"]
    assertContains(page, "The disk is full.")
    assertContains(page, "Go on with 2 rows")
    assertContains(page, "Undo what was saved")
    assert shown_lines(uploader, f"{url('detail', imported)}?outcome=created") == [2]
    assert shown_lines(uploader, f"{url('detail', imported)}?outcome=not_saved") == [3, 4]
    states = [shown.state for shown in uploader.get(url("detail", imported), {"tab": "rows"}).context["page"].rows]
    assert states == ["created", "not_saved", "not_saved"]
    assertContains(uploader.get(reverse("imports-index")), "ended part-way")


def test_the_rejected_rows_of_an_import_that_broke_off_are_those_it_reached(uploader, monkeypatch):
    imported = broken_off(uploader, monkeypatch, [["12", "Asha", "", "", ""], [RAVI] + [""] * 4, ["13"] + [""] * 4])
    assertContains(uploader.get(url("detail", imported)), "Download 1 rejected row")
    assert [row["Phone"] for row in rejected_rows(uploader, imported)] == ["12"]


def test_the_rejected_rows_of_tables_side_by_side_stand_with_their_line_of_the_file(uploader):
    content = "Name,Mobile,,Name,Mobile\n" + "".join(
        f"A,{98000_12300 + at},,B,{98000_12400 + at if at else 12}\n" for at in range(6)
    )
    imported = flow.receive([content.encode()], "two.csv", Target(make_list(default_region="IN")), uploader.user)
    flow.match_columns(imported, Mapping.from_dict(imported.mapping))
    imported = work(imported)
    assert (imported.records, imported.rejected) == (12, 1)
    assert [(row["Mobile"], row["_line"]) for row in rejected_rows(uploader, imported)] == [("12", "2")]


@pytest.mark.parametrize("state", ["analysing", "committing", "undoing"])
def test_an_import_that_waits_for_what_passes_says_so(uploader, state):
    imported = make_import(state=state, held_up_by=db.DISK_FULL, records=3, created=3)
    page = uploader.get(url("check" if state == "analysing" else "detail", imported))
    assertContains(page, "Waiting: the disk is full. It is tried again every half minute; nothing is lost.")


def test_an_import_that_broke_off_goes_on(uploader, monkeypatch):
    imported = broken_off(uploader, monkeypatch)
    for _ in range(2):
        assertRedirects(uploader.post(url("go-on", imported)), url("detail", imported), fetch_redirect_response=False)
    assert work(imported).state == "completed"
    assert (Contact.objects.count(), imported.created, imported.unsaved) == (3, 3, 0)


def test_what_an_import_that_broke_off_has_saved_is_taken_back(uploader, monkeypatch):
    imported = broken_off(uploader, monkeypatch)
    page = uploader.get(url("undo", imported))
    assert page.context["plan"].left == 1
    assertContains(page, "Undo what was saved")
    uploader.post(url("undo", imported))
    assert work(imported).state == "undone"
    assert not Contact.objects.exists()


def test_a_finished_import_does_not_go_on(uploader):
    imported = done(uploader, [[ASHA, "Asha", "", "", ""]])
    uploader.post(url("go-on", imported))
    imported.refresh_from_db()
    assert imported.state == "completed"


def test_undo_counts_everybody_who_leaves_the_list(uploader):
    contact_list = make_list(default_region="IN")
    make_contact(RAVI, first_name="Ravi")
    join(contact_list, make_contact(MINA, first_name="Mina"))
    rows = [[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "Haddad", "", ""], [MINA, "Mina", "", "", ""]]
    imported = done(uploader, rows, into=contact_list)
    page = uploader.get(url("undo", imported))
    assert page.context["plan"] == Undone(removed=1, restored=1, conflicts=0, left=2)
    assertContains(page, "2 contacts, whichever way the file had put them there")
    uploader.post(url("undo", imported))
    work(imported)
    assertContains(uploader.get(url("detail", imported)), f"2 left “{contact_list.name}”")
    assert list(contact_list.contacts.values_list("phone", flat=True)) == [MINA]


def test_undo_says_that_do_not_contact_stays(uploader):
    mapping = Mapping({"phone": 0, "do_not_contact": 1}, "IN", more_opt_outs=[2])
    header = ["Phone", "Do not call", "Unsubscribed"]
    imported = done(uploader, [[ASHA, "no", ""], [RAVI, "yes", "yes"], ["12", "yes", ""]], mapping, header)
    assertContains(uploader.get(url("undo", imported)), "1 row, by what the file says; undoing never lifts it")
    undo(imported)
    assert list(Suppression.objects.active().values_list("phone", flat=True)) == [RAVI]


def test_a_line_that_is_no_contact_is_shown_as_it_stands(uploader):
    rows = [["Asha Rao", ASHA, "Pune"], ["Ravi Iyer", RAVI, "Delhi"], ["Total", "2", ""]]
    imported = checked(uploader, rows, Mapping({"full_name": 0, "phone": 1}, "IN"), ["Name", "Phone", "City"])
    page = uploader.get(url("check", imported), {"tab": "rows"})
    assert [row.as_it_stands for row in page.context["page"].rows] == ["", "", "Total · 2"]
    assertContains(page, "Total · 2", count=1)


def test_the_tab_counts_as_many_problems_as_it_shows(uploader):
    rows = [[ASHA, "at home"], [RAVI, "nobody"], ["12", ""], ["13", ""]]
    imported = checked(uploader, rows, Mapping({"phone": 0, "email": 1}, "IN"), ["Phone", "Email"])
    page = uploader.get(url("check", imported), {"tab": "problems"})
    shown = [*page.context["errors"], *page.context["warnings"]]
    assert [card["count"] for card in shown] == [2, 2]
    assert next(count for label, _, count, _ in page.context["tabs"] if label == "Problems") == len(shown)
