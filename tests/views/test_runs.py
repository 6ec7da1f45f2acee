"""The history, the plan before a push, and the page of a run."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists import jobs
from lists.models import AuditEvent, Contact, RunState, SyncRun
from lists.pages.figures import folded, strips, waterfall
from lists.sync import history, planning
from tests.factories import (
    make_attempt,
    make_connection,
    make_contact,
    make_list,
    make_run,
    make_user,
)

pytestmark = pytest.mark.django_db

PAGES = [
    "runs-detail", "runs-contacts", "runs-requests", "runs-batches", "runs-timeline", "runs-settings", "runs-fresh",
]  # fmt: skip
POSTS = [
    "runs-send", "runs-ask", "runs-discard", "runs-stop", "runs-resume", "runs-settle", "runs-decide", "runs-again",
]  # fmt: skip


def part(target: str) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Target": target}


def rows(response) -> list[SyncRun]:
    return response.context["page"].rows


# The list of runs ----------------------------------------------------------------------------------------------------


def test_the_history_shows_the_newest_run_first(manager):
    older, newer = make_run(), make_run()
    assert rows(manager.get(reverse("runs-index"))) == [newer, older]


def test_without_runs_the_history_says_how_to_begin(manager):
    assertContains(manager.get(reverse("runs-index")), "Nothing has been sent yet")


def test_a_filter_that_hides_everything_names_itself_and_can_be_cleared(manager):
    make_run()
    response = manager.get(reverse("runs-index"), {"state": "failed"})
    assertContains(response, "No run matches these filters")
    assertContains(response, "State: Failed")
    assertContains(response, f'href="{reverse("runs-index")}">Clear all filters')


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"vendor": "exotel"}, "theirs"),
        ({"state": "failed"}, "theirs"),
        ({"problems": "on"}, "theirs"),
        ({"trigger": "command"}, "theirs"),
        ({"rehearsal": "only"}, "theirs"),
        ({"rehearsal": "without"}, "ours"),
        ({"until": "2026-01-31"}, "theirs"),
        ({"since": "2026-02-01"}, "ours"),
    ],
)
def test_each_filter_keeps_what_it_says(manager, filters, kept):
    runs = {
        "ours": make_run(connection=make_connection("leadlex")),
        "theirs": make_run(
            connection=make_connection("exotel", rehearsal=True),
            state="failed",
            trigger="command",
            created_at=timezone.now().replace(year=2026, month=1, day=31),
        ),
    }
    assert rows(manager.get(reverse("runs-index"), filters)) == [runs[kept]]


def test_runs_are_found_by_connection_list_and_person(manager):
    run = make_run(created_by=manager.user)
    make_run()
    for filters in ({"connection": run.connection_id}, {"contact_list": run.contact_list_id}, {"by": manager.user.pk}):
        assert rows(manager.get(reverse("runs-index"), filters)) == [run]


def test_a_chip_leads_to_the_same_page_without_its_filter(manager):
    make_run()
    response = manager.get(reverse("runs-index"), {"vendor": "leadlex", "state": "completed", "before": "99"})
    without_vendor, without_state = [chip.without for chip in response.context["form"].chips()]
    assert without_vendor == "state=completed"
    assert without_state == "vendor=leadlex"


def test_a_filter_that_cannot_be_read_hides_nothing_and_says_so(manager):
    run = make_run()
    response = manager.get(reverse("runs-index"), {"state": "exploded", "since": "yesterday"})
    assert rows(response) == [run]
    assertContains(response, "need another look")


def test_htmx_gets_the_table_alone(manager):
    make_run()
    response = manager.get(reverse("runs-index"), headers=part("runs-table"))
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, 'id="runs-table"')


def test_the_deepest_page_costs_what_the_first_costs(manager):
    contact_list, connection = make_list(), make_connection()
    SyncRun.objects.bulk_create(
        SyncRun(contact_list=contact_list, connection=connection, list_name="L", connection_name="C", vendor="leadlex",
                state="completed", plan_hash="")
        for _ in range(120)
    )  # fmt: skip
    with CaptureQueriesContext(database) as first:
        page = manager.get(reverse("runs-index")).context["page"]
    seen = len(page.rows)
    while page.next:
        with CaptureQueriesContext(database) as deepest:
            page = manager.get(reverse("runs-index"), {"before": page.next}).context["page"]
        seen += len(page.rows)
    assert seen == 120
    assert len(deepest) == len(first) <= 14
    assert not [
        query for query in first.captured_queries if "COUNT(" in query["sql"] and "lists_syncrun" in query["sql"]
    ]


@pytest.mark.parametrize("before", ["", "0", "minus one", "9" * 40])
def test_an_edited_cursor_is_no_error(manager, before):
    run = make_run()
    assert rows(manager.get(reverse("runs-index"), {"before": before})) == [run]


def test_only_rows_under_way_ask_for_themselves_again(manager):
    running, done = make_run(state="running"), make_run()
    html = manager.get(reverse("runs-index")).content.decode()
    assert f'hx-get="{reverse("runs-row", args=[running.pk])}"' in html
    assert reverse("runs-row", args=[done.pk]) not in html
    SyncRun.objects.filter(pk=running.pk).update(state="completed")
    again = manager.get(reverse("runs-row", args=[running.pk]), headers=part(f"runs-row-{running.pk}"))
    assert "hx-trigger" not in again.content.decode()


def test_a_row_opened_as_a_page_leads_to_its_run(manager):
    run = make_run()
    assertRedirects(manager.get(reverse("runs-row", args=[run.pk])), reverse("runs-detail", args=[run.pk]))


def test_a_connections_line_counts_the_problems_since_its_last_good_run():
    connection = make_connection()
    for state in ("failed", "completed", "completed_with_problems", "failed", "stopped"):
        make_run(connection=connection, state=state)
    (strip,) = strips()
    assert (strip.problems, len(strip.bars)) == (2, 5)
    assert strip.last_good is not None


def test_a_plan_that_was_never_sent_is_no_bar_in_a_strip():
    make_run({"planned": 3}, state="planned")
    assert strips() == []


# A run ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", PAGES)
@pytest.mark.parametrize("state", ["planned", "running", "completed_with_problems", "failed"])
def test_every_page_of_a_run_stands_in_every_state(manager, route, state):
    outcomes = {"planned": 2} if state == "planned" else {"added": 2, "unknown": 1, "rejected": 1}
    run = make_run(outcomes, state=state)
    response = manager.get(reverse(route, args=[run.pk]))
    assertContains(response, f"<h1>{run.list_name} → {run.connection_name}</h1>")


@pytest.mark.parametrize("tab", ["contacts", "requests", "batches", "timeline", "settings"])
def test_each_tab_can_be_had_alone(manager, tab):
    response = manager.get(reverse(f"runs-{tab}", args=[make_run().pk]), headers=part(f"runs-{tab}"))
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, f'id="runs-{tab}"')


def test_the_head_asks_for_itself_only_while_there_is_more_to_come(manager):
    run = make_run({"added": 1, "planned": 2}, state="running")
    url = reverse("runs-contacts", args=[run.pk])
    assertContains(manager.get(url, headers=part("runs-head")), "every 2s")
    SyncRun.objects.filter(pk=run.pk).update(state="failed")
    response = manager.get(url, headers=part("runs-head"))
    assertNotContains(response, "every 2s")
    assertTemplateNotUsed(response, "base.html")


def test_every_term_of_the_equation_opens_exactly_its_contacts(manager):
    run = make_run({"added": 3, "rejected": 2, "unknown": 1}, state="completed_with_problems")
    html = manager.get(reverse("runs-detail", args=[run.pk])).content.decode()
    links = set(re.findall(r'href="([^"]*\?outcome=\w+)"', html))
    assert len(links) == 3
    for link in links:
        outcome = link.partition("outcome=")[2]
        assert len(rows(manager.get(link))) == run.ledger[outcome]


def test_a_cause_says_what_to_do_and_opens_its_contacts(manager):
    run = make_run({"added": 1, "unknown": 2}, state="completed_with_problems")
    run.items.filter(outcome="unknown").update(code="no_answer", words="No answer within 30 s.")
    SyncRun.objects.filter(pk=run.pk).update(causes=history.causes(run))
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, "No answer within 30 s.")
    assertContains(response, "Open these 2 contacts")
    (cause,) = response.context["causes"]()
    assert [item.position for item in rows(manager.get(cause.href))] == [2, 3]


@pytest.mark.parametrize(
    ("outcome", "code", "words", "told"),
    [
        ("rejected", "1002", "no such contact", "Put right what LeadLex says below"),
        ("not_sent", "suppressed", "", "stay out of every run until somebody lifts them"),
        ("not_sent", "unready_email", "It needs an e-mail address.", "Complete these contacts, then plan again."),
    ],
)
def test_each_cause_says_what_is_left_to_do(manager, outcome, code, words, told):
    run = make_run({"added": 1, outcome: 2}, state="completed_with_problems")
    run.items.filter(outcome=outcome).update(code=code, words=words)
    SyncRun.objects.filter(pk=run.pk).update(causes=history.causes(run))
    assertContains(manager.get(reverse("runs-detail", args=[run.pk])), told)


def test_a_contact_tells_why_in_words_and_only_the_vendors_code(manager):
    run = make_run({"rejected": 1, "unknown": 1}, state="completed_with_problems")
    run.items.filter(outcome="unknown").update(code="no_answer", words="")
    run.items.filter(outcome="rejected").update(code="E1002", words="no such contact")
    response = manager.get(reverse("runs-contacts", args=[run.pk]))
    assertContains(response, "The request may have arrived; no usable answer came back.")
    assertContains(response, "E1002")
    assertNotContains(response, "no_answer")


def test_a_cause_of_ours_is_not_quoted_as_the_vendors_words(manager):
    run = make_run({"added": 1, "not_sent": 2}, state="stopped")
    run.items.filter(outcome="not_sent").update(code="stopped", words="The run was stopped before this contact's turn.")
    SyncRun.objects.filter(pk=run.pk).update(causes=history.causes(run))
    assert [cause.quote for cause in manager.get(reverse("runs-detail", args=[run.pk])).context["causes"]()] == [""]


@pytest.mark.parametrize(
    ("state", "told"), [("running", "3 requests made so far; the plan has 7"), ("stopping", "It stops as soon as")]
)
def test_a_run_under_way_tells_its_requests_and_asks_again_without_scripts_too(manager, state, told):
    run = make_run({"planned": 2}, state=state)
    SyncRun.objects.filter(pk=run.pk).update(request_count=3, batch_count=7)
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, told)
    assertContains(response, '<noscript><meta http-equiv="refresh"')


def test_a_run_whose_list_is_gone_is_planned_again_not_resumed(manager):
    run = make_run({"planned": 2}, state="failed", progress={"list_gone": True})
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, reverse("runs-again", args=[run.pk]))
    assertNotContains(response, reverse("runs-resume", args=[run.pk]))


def test_a_run_that_failed_part_way_can_be_resumed_or_planned_again(manager):
    run = make_run({"added": 1, "planned": 2}, state="failed", failure="LeadLex refused the credentials.")
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, reverse("runs-again", args=[run.pk]))
    assertContains(response, reverse("runs-resume", args=[run.pk]))
    assertContains(response, "2 contacts wait to be sent: resume once this is mended.")


@pytest.mark.parametrize("spelling", ["+91 98000 55555", "098000 55555", "55555"])
def test_a_contact_of_a_run_is_found_by_any_spelling_of_its_number(manager, spelling):
    run = make_run({"added": 3})
    Contact.objects.filter(pk=run.items.get(position=2).contact_id).update(phone="+919800055555")
    response = manager.get(reverse("runs-contacts", args=[run.pk]), {"q": spelling})
    assert [item.position for item in rows(response)] == [2]


def test_the_contacts_are_paged_by_their_place(manager):
    run = make_run({"added": 60})
    first = manager.get(reverse("runs-contacts", args=[run.pk])).context["page"]
    second = manager.get(reverse("runs-contacts", args=[run.pk]), {"after": first.next}).context["page"]
    assert [item.position for item in (*first.rows, *second.rows)] == list(range(1, 61))
    assert second.next is None


def test_more_contacts_cost_no_more_queries(manager):
    with CaptureQueriesContext(database) as few:
        manager.get(reverse("runs-contacts", args=[make_run({"added": 2}).pk]))
    run = make_run({"added": 50})
    with CaptureQueriesContext(database) as many:
        manager.get(reverse("runs-contacts", args=[run.pk]))
    assert len(many) <= len(few)
    assert len(many) <= 14


def test_a_contact_deleted_since_leaves_its_place_in_the_history(manager):
    run = make_run({"added": 2})
    Contact.objects.filter(pk=run.items.get(position=1).contact_id).delete()
    assertContains(manager.get(reverse("runs-contacts", args=[run.pk])), "deleted since")


def test_numbers_are_masked_for_those_who_may_not_see_them(auditor):
    run = make_run({"unknown": 1}, state="completed_with_problems")
    Contact.objects.filter(pk=run.items.get().contact_id).update(phone="+919800055555")
    SyncRun.objects.filter(pk=run.pk).update(causes=history.causes(run))
    batch = run.batches.get()
    batch.entries = [{"phone": "+919800055555"}]
    batch.save()
    for route in ("runs-detail", "runs-contacts", "runs-batches"):
        html = auditor.get(reverse(route, args=[run.pk])).content.decode()
        assert "55555" not in re.sub(r"\s", "", html)


def test_the_csv_holds_what_the_filter_shows_and_no_formula(manager):
    run = make_run({"added": 2, "rejected": 1}, state="completed_with_problems")
    Contact.objects.filter(pk=run.items.get(position=3).contact_id).update(first_name="=HYPERLINK(1)")
    response = manager.post(reverse("runs-export", args=[run.pk]) + "?outcome=rejected")
    text = b"".join(response.streaming_content).decode()
    head, row = csv.reader(io.StringIO(text.removeprefix("\ufeff")))
    assert head == ["phone", "first_name", "last_name", "email", "outcome", "code", "words", "since"]
    assert row[1].startswith("'=")
    assert row[4] == "rejected"
    assert "run-" in response["Content-Disposition"]
    assert AuditEvent.objects.get().action == "exported"


def test_requests_name_the_attempt_and_open_side_by_side(manager):
    run = make_run({"unknown": 2}, state="completed_with_problems")
    again = make_attempt(
        run, batch=run.batches.get(), status=503, problem="VendorBusy", words="Busy", request_id="req-7"
    )
    assertContains(manager.get(reverse("runs-requests", args=[run.pk])), "attempt 2")
    response = manager.get(reverse("runs-attempt", args=[run.pk, again.pk]))
    assertContains(response, "503 not applied")
    assertContains(response, "req-7")
    assertContains(response, "&quot;contact_ids&quot;: [")
    in_plan = re.search(r'href="([^"]+#batch-\d+)"', response.content.decode())[1]
    assertContains(manager.get(in_plan), f'id="batch-{again.batch_id}"')


def test_a_request_of_another_run_is_not_found_under_this_one(manager):
    run, other = make_run(), make_run()
    url = reverse("runs-attempt", args=[run.pk, other.attempts.get().pk])
    assert manager.get(url).status_code == 404


def test_the_waterfall_places_waits_before_calls_on_one_axis():
    run = make_run({"added": 1})
    begun = timezone.now()
    attempts = [
        make_attempt(run, started_at=begun + timedelta(seconds=1), waited_ms=1000, latency_ms=1000),
        make_attempt(run, started_at=begun + timedelta(seconds=3), waited_ms=1000, latency_ms=1000),
    ]
    first, second = waterfall(attempts, {})
    assert (first.wait_from, first.call_from, first.call) == (0, 250, 250)
    assert (second.wait_from, second.call_from, second.call) == (500, 750, 250)


@pytest.mark.parametrize(
    ("stored", "line", "body"),
    [
        ('POST /x\n{"a": [1]}', "POST /x", '{\n  "a": [\n    1\n  ]\n}'),
        ("HTTP 502\n<html>Bad gateway", "HTTP 502", "<html>Bad gateway"),
        ('POST /x\n{"cut": "here', "POST /x", '{"cut": "here'),
        ("", "", ""),
    ],
)
def test_an_excerpt_is_folded_where_it_is_json(stored, line, body):
    assert folded(stored) == (line, body)


def test_the_timeline_tells_who_did_what_and_what_went_wrong(manager):
    run = make_run({"unknown": 1}, state="planned", created_by=manager.user)
    planning.discard(run, manager.user)
    make_attempt(run, problem="OutcomeUnknown", status=None, words="No answer within 30 s.")
    response = manager.get(reverse("runs-timeline", args=[run.pk]))
    assertContains(response, "Planned by")
    assertContains(response, "discarded the plan")
    assertContains(response, "No answer within 30 s.")


def test_the_settings_show_what_differs_from_the_run_before(manager):
    before = make_run(settings_used={"per_minute": "60", "batch_size": {"add_to_list": 100}})
    now = make_run(
        contact_list=before.contact_list,
        connection=before.connection,
        settings_used={"per_minute": "30", "batch_size": {"add_to_list": 100}},
    )
    used = manager.get(reverse("runs-settings", args=[now.pk])).context["used"]()
    assert [(setting.value, setting.before, setting.differs) for setting in used] == [
        ("100", "100", False),
        ("30", "60", True),
    ]


def test_the_settings_are_told_in_words_and_figures(manager):
    limits = {"batch": 100, "list_size": 100_000, "description_required": True}
    run = make_run(settings_used={"per_minute": "6000", "limits": limits})
    used = manager.get(reverse("runs-settings", args=[run.pk])).context["used"]()
    assert [(setting.label, setting.value) for setting in used] == [
        ("Requests a minute", "6,000"),
        ("The vendor’s limit: a description is required", "yes"),
        ("The vendor’s limit: contacts in a list", "100,000"),
        ("The vendor’s limit: contacts in one request", "100"),
    ]


# A plan and what is done with it -------------------------------------------------------------------------------------


@pytest.fixture
def push(connect):
    """A list of three and a connection to the rehearsal LeadLex."""
    return make_list(contacts=3), connect("leadlex")


def ask_for_plan(client: Client, contact_list, connection, **more) -> SyncRun:
    response = client.post(reverse("runs-plan"), {"contact_list": contact_list.pk, "connection": connection.pk, **more})
    run = SyncRun.objects.latest("pk")
    assertRedirects(response, reverse("runs-detail", args=[run.pk]), fetch_redirect_response=False)
    return run


def test_a_plan_is_shown_before_anything_leaves(manager, push, rehearsal):
    run = ask_for_plan(manager, *push)
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, "Send 3 to ")
    assertContains(response, "Discard this plan")
    assert run.attempts.count() == 0


def test_a_plan_tells_what_it_costs_and_whether_today_allows_it(manager, connect):
    connection = connect("leadlex", per_minute=10, per_day=100, batch_size=1)
    run = planning.plan(make_list(contacts=60), connection)
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, "120 requests")
    assertContains(response, "100 of 100 requests left")
    assertContains(response, "the rest goes out after 00:00 UTC")
    assert response.context["cost"].time > timedelta(minutes=11)
    connection.settings |= {"per_day": 10_000}
    connection.save()
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, "at least 12 minutes")
    assertNotContains(response, "the rest goes out")


def test_a_plan_for_a_vendor_that_only_queues_tells_the_cost_of_reading_back(manager, connect):
    run = planning.plan(make_list(contacts=51), connect("kore", per_minute=50, per_hour=1800))
    response = manager.get(reverse("runs-detail", args=[run.pk]))
    assertContains(response, "and 2 to read the list back")
    assertContains(response, "50 requests a minute, 1,800 an hour")


def test_a_plan_whose_connection_was_deleted_still_opens(manager, connect):
    run = planning.plan(make_list(contacts=2), connect("leadlex"))
    run.connection.delete()
    assertContains(manager.get(reverse("runs-detail", args=[run.pk])), "2 requests")


def test_a_refused_plan_tells_why_on_the_page_it_came_from(manager, connect):
    empty, connection = make_list(), connect("leadlex")
    response = manager.post(reverse("runs-plan"), {"contact_list": empty.pk, "connection": connection.pk}, follow=True)
    assertRedirects(response, reverse("lists-vendors", args=[empty.pk]))
    assertContains(response, "has no contacts yet")


def test_a_plan_over_no_connection_tells_what_to_choose(manager):
    response = manager.post(reverse("runs-plan"), {"contact_list": make_list().pk, "connection": "99"}, follow=True)
    assertContains(response, "Choose another one")
    assert not SyncRun.objects.exists()


def test_sending_twice_queues_once(manager, push):
    run = ask_for_plan(manager, *push)
    manager.post(reverse("runs-send", args=[run.pk]))
    second = manager.post(reverse("runs-send", args=[run.pk]), follow=True)
    run.refresh_from_db()
    assert run.state == RunState.QUEUED
    assertContains(second, "so this cannot be done now")
    assert AuditEvent.objects.filter(action="queued").count() == 1


def test_a_plan_whose_list_has_changed_says_so_and_is_not_sent(manager, push):
    contact_list, connection = push
    run = ask_for_plan(manager, contact_list, connection)
    fresh = reverse("runs-fresh", args=[run.pk])
    assertContains(manager.get(fresh, headers=part("runs-fresh")), "has not changed since")
    make_contact(contact_list=contact_list)
    assertContains(manager.get(fresh), "have changed since this plan was made")
    assertContains(manager.post(reverse("runs-send", args=[run.pk]), follow=True), "Discard it and plan again")
    run.refresh_from_db()
    assert run.state == RunState.PLANNED


def test_a_stale_plan_gives_way_to_a_new_one(manager, push):
    contact_list, connection = push
    stale = ask_for_plan(manager, contact_list, connection)
    make_contact(contact_list=contact_list)
    response = manager.post(reverse("runs-again", args=[stale.pk]))
    stale.refresh_from_db()
    planned = SyncRun.objects.latest("pk")
    assertRedirects(response, reverse("runs-detail", args=[planned.pk]))
    assert (stale.state, planned.state, planned.planned) == (RunState.STOPPED, RunState.PLANNED, 4)


def test_a_run_whose_list_was_deleted_cannot_be_planned_again(manager):
    run = make_run({"added": 1, "rejected": 1}, state="completed_with_problems")
    run.contact_list.delete()
    assertNotContains(manager.get(reverse("runs-detail", args=[run.pk])), reverse("runs-again", args=[run.pk]))
    assertContains(manager.post(reverse("runs-again", args=[run.pk]), follow=True), "was deleted")


def test_what_was_searched_for_stays_out_of_the_audit(manager):
    run = make_run()
    b"".join(manager.post(reverse("runs-export", args=[run.pk]) + "?q=%2B919800055555").streaming_content)
    assert AuditEvent.objects.get().details == {"outcome": "", "searched": True}


def test_a_discarded_plan_stays_in_the_history_and_sent_nothing(manager, push):
    run = ask_for_plan(manager, *push)
    manager.post(reverse("runs-discard", args=[run.pk]))
    run.refresh_from_db()
    assert (run.state, run.not_sent, run.attempts.count()) == (RunState.STOPPED, 3, 0)


def test_a_plan_waits_for_somebody_elses_approval(manager, client_of, push):
    run = ask_for_plan(manager, *push)
    manager.post(reverse("runs-ask", args=[run.pk]))
    assertNotContains(manager.get(reverse("runs-detail", args=[run.pk])), "Approve and send")
    own = manager.post(reverse("runs-approve", args=[run.pk]), follow=True)
    assertContains(own, "Somebody else has to approve this plan")
    other = client_of("campaign manager")
    assertContains(other.get(reverse("runs-detail", args=[run.pk])), "Approve and send 3")
    other.post(reverse("runs-approve", args=[run.pk]))
    run.refresh_from_db()
    assert (run.state, run.approved_by) == (RunState.QUEUED, other.user)


@pytest.mark.parametrize(
    ("outcomes", "state", "action", "becomes"),
    [
        ({"added": 1, "planned": 2}, "running", "runs-stop", "stopping"),
        ({"added": 1, "planned": 2}, "failed", "runs-resume", "queued"),
        ({"added": 1, "unknown": 2}, "completed_with_problems", "runs-settle", "queued"),
        ({"added": 1, "unknown": 2}, "completed_with_problems", "runs-decide", "completed_with_problems"),
    ],
)
def test_what_is_offered_is_done_once(manager, outcomes, state, action, becomes):
    run = make_run(outcomes, state=state)
    url = reverse(action, args=[run.pk])
    assertContains(manager.get(reverse("runs-detail", args=[run.pk])), f'action="{url}"')
    manager.post(url)
    run.refresh_from_db()
    assert run.state == becomes
    assert AuditEvent.objects.count() == 1
    manager.post(url)
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("arrived", "state", "figures"), [("yes", "completed", (3, 0)), ("no", "completed_with_problems", (0, 3))]
)
def test_a_persons_word_ends_the_doubt(manager, arrived, state, figures):
    run = make_run({"added": 1, "unknown": 2, "accepted": 1}, state="completed_with_problems")
    said = manager.post(reverse("runs-decide", args=[run.pk]), {"arrived": arrived}, follow=True)
    run.refresh_from_db()
    assert (run.state, (run.confirmed, run.not_sent), run.open) == (state, figures, 0)
    assertNotContains(said, "Decide about")
    assertContains(manager.get(reverse("runs-timeline", args=[run.pk])), "decided what became of the open contacts")


def test_a_push_that_went_through_shows_what_the_vendor_was_asked(manager, push):
    run = ask_for_plan(manager, *push)
    manager.post(reverse("runs-send", args=[run.pk]))
    jobs.work_to_end("run", run.pk)
    run.refresh_from_db()
    assert run.state == RunState.COMPLETED
    assertContains(manager.get(reverse("runs-detail", args=[run.pk])), "3 of 3 are in the list.")
    asked = rows(manager.get(reverse("runs-requests", args=[run.pk])))
    assert len(asked) == run.request_count
    for attempt in asked:
        assertContains(manager.get(reverse("runs-attempt", args=[run.pk, attempt.pk])), "HTTP 20")
    assertContains(manager.get(reverse("runs-settings", args=[run.pk])), "Requests a minute")
    assertContains(manager.get(reverse("runs-timeline", args=[run.pk])), "sent the plan on its way")


# Who may -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", PAGES)
def test_pages_are_for_people_who_are_logged_in(client, route):
    response = client.get(reverse(route, args=[make_run().pk]))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("route", [*PAGES, "runs-row"])
def test_pages_are_closed_to_those_without_the_right(uploader, route):
    assert uploader.get(reverse(route, args=[make_run().pk])).status_code == 403


@pytest.mark.parametrize("route", [*PAGES, "runs-row"])
def test_a_run_that_is_not_there_is_not_found(administrator, route):
    assert administrator.get(reverse(route, args=[404])).status_code == 404


@pytest.mark.parametrize("route", [*POSTS, "runs-approve"])
def test_who_may_only_read_changes_nothing_and_is_offered_nothing(auditor, route):
    run = make_run({"added": 1, "planned": 2}, state="failed")
    assert auditor.post(reverse(route, args=[run.pk])).status_code == 403
    assertNotContains(auditor.get(reverse("runs-detail", args=[run.pk])), reverse(route, args=[run.pk]))


def test_the_csv_of_a_run_is_for_those_with_the_right_and_of_runs_there_are(uploader, administrator):
    assert uploader.post(reverse("runs-export", args=[make_run().pk])).status_code == 403
    assert administrator.post(reverse("runs-export", args=[404])).status_code == 404


@pytest.mark.parametrize("route", [*POSTS, "runs-approve", "runs-export"])
def test_actions_are_posts(manager, route):
    assert manager.get(reverse(route, args=[make_run().pk])).status_code == 405


def test_an_auditor_reads_the_contacts_and_takes_no_csv(auditor):
    run = make_run()
    assertNotContains(auditor.get(reverse("runs-contacts", args=[run.pk])), "as CSV")
    assert auditor.post(reverse("runs-export", args=[run.pk])).status_code == 403
    assert not AuditEvent.objects.exists()


def test_a_person_who_started_runs_can_be_chosen_and_others_cannot(manager):
    make_user("campaign manager", username="idle")
    make_run(created_by=manager.user)
    assertNotContains(manager.get(reverse("runs-index")), "idle")
