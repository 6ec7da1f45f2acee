"""The first page: what needs a person, what is going on, how it has been."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertContains, assertNotContains, assertTemplateNotUsed

from lists import jobs
from lists.models import Connection, ContactList, Import, SyncRun
from lists.views.dashboard import sent_by_day
from tests.factories import make_connection, make_list, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def worker():
    """A worker has just checked in."""
    cache.set(jobs.CHECK_IN, timezone.now(), timeout=None)


def make_import(contact_list: ContactList | None = None, state: str = "completed", **fields) -> Import:
    contact_list = contact_list or make_list()
    return Import.objects.create(
        contact_list=contact_list, list_name=contact_list.name, filename="renewals.csv", content_hash="", state=state,
        **fields,
    )  # fmt: skip


def dashboard(client):
    return client.get(reverse("dashboard"))


def titles(client) -> list[str]:
    return [need.title for need in dashboard(client).context["needs"]()]


# What needs a person -------------------------------------------------------------------------------------------------


def test_most_days_nothing_needs_anybody(administrator):
    make_run()
    assertContains(dashboard(administrator), "Nothing needs you.")


@pytest.mark.parametrize("state", ["failed", "completed_with_problems", "stalled", "awaiting_approval"])
def test_a_run_that_waits_for_a_person_is_brought_up(administrator, state):
    run = make_run({"added": 1, "unknown": 1}, state=state)
    response = dashboard(administrator)
    assertContains(response, str(run))
    assertContains(response, reverse("runs-detail", args=[run.pk]))
    assert titles(administrator) == [str(run)]


def test_a_later_run_of_the_same_push_has_seen_to_the_earlier(administrator):
    run = make_run(state="failed")
    make_run(contact_list=run.contact_list, connection=run.connection)
    assert titles(administrator) == []


def test_a_run_of_another_push_has_not(administrator):
    run = make_run(state="failed")
    make_run(contact_list=run.contact_list)
    assert titles(administrator) == [str(run)]


def test_what_ended_badly_is_brought_up_for_fourteen_days(administrator):
    run = make_run(state="failed", created_at=timezone.now() - timedelta(days=13, hours=23))
    make_run(state="failed", created_at=timezone.now() - timedelta(days=14, hours=1))
    assert titles(administrator) == [str(run)]


def test_imports_that_are_ready_or_failed_are_brought_up(administrator):
    make_import(state="ready", records=5, created=5)
    make_import(state="failed", failure="Line 7 begins a quote that never ends.")
    make_import()
    response = dashboard(administrator)
    assertContains(response, "5 contacts would be imported into")
    assertContains(response, "Line 7 begins a quote that never ends.")
    assert len(response.context["needs"]()) == 2


def test_an_import_with_nothing_to_import_is_called_ready_nowhere(administrator):
    imported = make_import(state="ready", records=5, rejected=5)
    response = dashboard(administrator)
    assertNotContains(response, "ready to import")
    assertContains(response, "nothing to import", count=2)  # among what needs a person, and among the newest
    response = administrator.get(reverse("lists-imports", args=[imported.contact_list_id]))
    assertNotContains(response, "ready to import")
    assertContains(response, "nothing to import")


def test_a_connection_that_fails_is_brought_up_until_it_is_archived(administrator):
    connection = make_connection(name="Exotel", health="failing", health_text="Enter the API key again.")
    assertContains(dashboard(administrator), "Enter the API key again.")
    Connection.objects.filter(pk=connection.pk).update(archived_at=timezone.now())
    assert titles(administrator) == []


def test_of_more_runs_than_are_shown_the_page_says_that_there_are_more(administrator):
    for _ in range(6):
        make_run(state="failed")
    assertContains(dashboard(administrator), "; 6 things need a person.")
    make_run(state="failed")
    response = dashboard(administrator)
    assert titles(administrator)[-1] == "More runs need a person"
    assertContains(response, "; more than 6 things need a person.")
    assertContains(response, f"{reverse('runs-index')}?problems=on")


@pytest.mark.parametrize(
    ("last", "told"),
    [(None, "No worker has checked in yet"), (timedelta(seconds=61), "No worker has checked in since")],
)
def test_a_silent_worker_is_told_of(administrator, last, told):
    cache.delete(jobs.CHECK_IN)
    if last:
        cache.set(jobs.CHECK_IN, timezone.now() - last, timeout=None)
    (title,) = titles(administrator)
    assert title.startswith(told)


# What is going on ----------------------------------------------------------------------------------------------------


def test_the_page_asks_again_only_while_something_is_going_on(administrator):
    run = make_run({"added": 3, "planned": 1}, state="running")
    response = dashboard(administrator)
    assertContains(response, "3 of 4 contacts")
    assertContains(response, "every 3s")
    SyncRun.objects.filter(pk=run.pk).update(state="failed")
    assertNotContains(dashboard(administrator), "every 3s")


def test_htmx_gets_the_living_part_alone_and_asks_for_nothing_else(administrator):
    make_run({"added": 3, "planned": 1}, state="running")
    with CaptureQueriesContext(database) as whole:
        dashboard(administrator)
    with CaptureQueriesContext(database) as part:
        response = administrator.get(reverse("dashboard"), headers={"HX-Request": "true", "HX-Target": "dashboard-now"})
    assertTemplateNotUsed(response, "base.html")
    assert len(part) < len(whole)


# How it has been -----------------------------------------------------------------------------------------------------


def test_the_days_add_up_to_the_counters_of_the_runs():
    make_run({"added": 3, "rejected": 1}, state="completed_with_problems")
    make_run({"added": 2})
    make_run({"added": 9}, created_at=timezone.now() - timedelta(days=31))
    days = sent_by_day(SyncRun.objects.all())
    assert days.outcomes == [("added", 5), ("rejected", 1)]
    assert len(days.rows) == 30
    assert days.rows[-1] == (timezone.localdate(), [5, 1])


def test_rehearsals_count_only_while_nothing_has_gone_out_live():
    make_run({"added": 3}, connection=make_connection(rehearsal=True))
    assert sent_by_day(SyncRun.objects.all()).outcomes == [("added", 3)]
    make_run({"added": 1})
    assert sent_by_day(SyncRun.objects.all()).outcomes == [("added", 1)]


def test_the_figures_of_the_charts_stand_in_tables_too(administrator):
    make_import(records=12_480, created=12_480, finished_at=timezone.now())
    make_run({"added": 3})
    response = dashboard(administrator)
    assertContains(response, 'id="run-figures"')
    assertContains(response, 'id="import-figures"')
    assertContains(response, "12,480")


def test_the_page_counts_no_rows_and_its_queries_do_not_grow(administrator):
    make_import(records=1, created=1, finished_at=timezone.now())
    make_run()
    with CaptureQueriesContext(database) as few:
        dashboard(administrator)
    for _ in range(8):
        make_run(state="failed")
        make_run({"planned": 1}, state="running")
        make_import(state="ready")
    with CaptureQueriesContext(database) as many:
        dashboard(administrator)
    assert len(many) <= len(few) + 2
    assert len(many) <= 28
    assert not any("COUNT(" in query["sql"] for query in many.captured_queries)


# A newcomer, and who may see what ------------------------------------------------------------------------------------


def test_a_newcomer_sees_three_steps_and_the_next_one_first(administrator):
    response = dashboard(administrator)
    assert [(step.title, step.done, step.is_next) for step in response.context["steps"]()] == [
        ("Connect a vendor", False, True),
        ("Make a list", False, False),
        ("Upload a file", False, False),
    ]
    make_connection()
    make_list()
    assert [step.done for step in dashboard(administrator).context["steps"]()] == [True, True, False]
    make_import()
    assert dashboard(administrator).context["steps"]() == []


def test_a_step_that_another_role_takes_names_the_role(uploader):
    assertContains(dashboard(uploader), "An administrator does this.")
    assertContains(dashboard(uploader), "A campaign manager does this.")


def test_an_uploader_sees_the_imports_and_nothing_of_the_pushes(uploader):
    run = make_run({"added": 1, "planned": 2}, state="failed")
    make_connection(name="Exotel", health="failing")
    make_import(state="ready", finished_at=timezone.now(), records=1, created=1)
    response = dashboard(uploader)
    assertNotContains(response, run.connection_name)
    assertNotContains(response, "Contacts sent to vendors")
    assertContains(response, "Review and import")


def test_the_dashboard_is_for_people_who_are_logged_in(client):
    response = dashboard(client)
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


def test_somebody_without_any_role_is_refused(client_of):
    assert dashboard(client_of("")).status_code == 403
