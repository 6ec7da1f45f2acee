"""What may go wrong between us and a vendor, over real HTTP, and what the history says afterwards."""

import pytest

from lists.models import Connection, RemoteList, RunState, SyncAttempt
from lists.sync import accounts, planning, sending, settling
from lists.sync.planning import PlanRefused
from lists.vendors.records import NewList
from tests.factories import make_list
from tests.sync.pushes import assert_ledger_is_true, outcomes, phones, push, remote_id, work

pytestmark = pytest.mark.django_db
VENDORS = ["kore", "leadlex", "exotel"]
IN_LIST = {"kore": "confirmed", "leadlex": "added", "exotel": "added"}


@pytest.fixture(params=VENDORS)
def vendor(request) -> str:
    return request.param


def test_a_push_brings_every_contact_once_and_says_so(vendor, connect, rehearsal):
    contact_list = make_list(contacts=23)
    run = push(contact_list, connect(vendor, batch_size=10))
    assert (run.state, outcomes(run)) == ("completed", {IN_LIST[vendor]: 23})
    assert sorted(rehearsal.book.applied(vendor, remote_id(contact_list))) == phones(contact_list)


# F1: surely not sent


def test_a_refused_connection_leaves_contacts_planned_and_the_run_resumable(connect, monkeypatch):
    monkeypatch.setattr(sending, "MAX_FAILURES", 2)
    monkeypatch.setattr("lists.sync.engine.MAX_FAILURES", 2)
    contact_list = make_list(contacts=3)
    connection = connect("leadlex")
    good = connection.settings["base_url"]
    connection.settings["base_url"] = "http://127.0.0.1:9/leadlex"
    connection.save()
    run = push(contact_list, connection)
    assert (run.state, outcomes(run)) == ("failed", {"planned": 3})
    assert run.failure.startswith("Before sending: LeadLex could not be reached")
    connection.settings["base_url"] = good
    connection.save()
    planning.resume(run, None)
    assert work(run).state == "completed"


# F2, F3, F5, F9: whether it arrived is not known


LOST = [
    pytest.param("timeout", {"applied": True, "seconds": 5}, id="timeout after applying"),
    pytest.param("timeout", {"applied": False, "seconds": 5}, id="timeout before applying"),
    pytest.param("reset", {"applied": True}, id="reset after applying"),
    pytest.param("reset", {"applied": False}, id="reset before applying"),
    pytest.param("reset_midway", {}, id="reset in the middle of the answer"),
    pytest.param("status", {"status": 500, "applied": True}, id="500 after applying"),
    pytest.param("status", {"status": 502, "applied": False}, id="502 before applying"),
    pytest.param("html", {}, id="a page instead of an answer"),
    pytest.param("half_json", {}, id="half a JSON"),
    pytest.param("empty", {}, id="nothing"),
    pytest.param("array", {}, id="an array for an object"),
    pytest.param("lying_gzip", {}, id="gzip that is none"),
]


@pytest.mark.parametrize(("kind", "options"), LOST)
def test_a_lost_answer_is_settled_and_nobody_is_added_twice(vendor, kind, options, connect, rehearsal):
    contact_list = make_list(contacts=25)
    rehearsal.vendors[vendor].faults.next("add_to_list", kind, after=1, **options)
    run = push(contact_list, connect(vendor, batch_size=10))
    assert run.state == "completed", (run.failure, run.causes)
    assert sorted(rehearsal.book.applied(vendor, remote_id(contact_list))) == phones(contact_list)


@pytest.mark.parametrize("vendor", ["kore", "exotel"])
def test_an_unknown_batch_is_not_sent_again_before_it_was_read_back(vendor, connect, rehearsal):
    contact_list = make_list(contacts=10)
    rehearsal.vendors[vendor].faults.next("add_to_list", "reset", applied=True)
    run = push(contact_list, connect(vendor))
    assert outcomes(run) == {"confirmed": 10}
    assert rehearsal.book.sent_twice(vendor, remote_id(contact_list)) == {}
    assert run.attempts.filter(operation__startswith="add").get().problem == "OutcomeUnknown"


@pytest.mark.parametrize("vendor", ["leadlex", "exotel"])
def test_contacts_whose_creation_is_unknown_are_looked_up_not_created_again(vendor, connect, rehearsal):
    contact_list = make_list(contacts=10)
    rehearsal.vendors[vendor].faults.next("create_contacts", "reset", applied=True)
    run = push(contact_list, connect(vendor))
    assert (run.state, outcomes(run)) == ("completed", {"added": 10})
    assert len(rehearsal.book.requests(vendor, "create_contacts")) == 1


@pytest.mark.parametrize("vendor", ["leadlex", "exotel"])
def test_contacts_that_were_surely_not_created_are_created_once_more(vendor, connect, rehearsal):
    contact_list = make_list(contacts=25)
    rehearsal.vendors[vendor].faults.next("create_contacts", "reset", applied=False, after=1)
    run = push(contact_list, connect(vendor, batch_size=10))
    assert (run.state, outcomes(run)) == ("completed", {"added": 25})
    assert len(rehearsal.book.requests(vendor, "create_contacts")) == 4
    assert sorted(rehearsal.book.applied(vendor, remote_id(contact_list))) == phones(contact_list)


def test_contacts_whose_creation_cannot_be_looked_up_stay_unknown_for_a_person(connect, rehearsal, monkeypatch):
    monkeypatch.setattr("lists.vendors.exotel.NEWEST_PAGES", -1)  # too many others are newer
    contact_list = make_list(contacts=10)
    connection = connect("exotel")
    rehearsal.exotel.faults.next("create_contacts", "reset", applied=False)
    run = push(contact_list, connection)
    assert (run.state, outcomes(run)) == ("completed_with_problems", {"unknown": 10})
    assert run.causes[0]["code"] == "create_no_answer"
    assert rehearsal.book.requests("exotel", "add_to_list") == []
    with pytest.raises(PlanRefused, match="settled in the history"):
        planning.plan(contact_list, connection)

    assert settling.decide(run, None, arrived=False) == 10
    assert_ledger_is_true(run)
    assert outcomes(run) == {"not_sent": 10}
    assert [(cause["code"], cause["action"]) for cause in run.causes] == [("by_person", "plan_again")]
    assert outcomes(push(contact_list, connection)) == {"added": 10}


def test_a_person_who_found_them_there_ends_the_doubt(connect, rehearsal):
    rehearsal.kore.set(apply_share=0.0)
    contact_list = make_list(contacts=4)
    run = push(contact_list, connect("kore"))
    assert settling.decide(run, None, arrived=True) == 4
    assert_ledger_is_true(run)
    assert (run.state, outcomes(run), run.causes) == ("completed", {"confirmed": 4}, [])
    assert RemoteList.objects.get().accounted_count == 4
    with pytest.raises(PlanRefused, match="nothing to settle"):
        settling.decide(run, None, arrived=False)


def test_a_list_created_without_an_answer_is_adopted_not_made_twice(vendor, connect, rehearsal):
    contact_list = make_list(contacts=3)
    rehearsal.vendors[vendor].faults.next("create_list", "reset", applied=True)
    run = push(contact_list, connect(vendor))
    assert run.state == "completed", run.failure
    assert [each.name for each in rehearsal.vendors[vendor].all_lists] == [contact_list.name]


def test_what_is_addressed_by_name_never_goes_into_a_strangers_list(connect, rehearsal):
    contact_list = make_list("Renewals", contacts=2)
    connection = connect("kore")
    push(contact_list, connection)
    ours = rehearsal.kore.find_list(remote_id(contact_list))
    ours.name = "renamed by somebody"
    contact_list.contacts.create(phone="+919800012345")
    assert push(contact_list, connection).state == "completed"
    assert len(ours.members) == 3

    accounts.connected(connection).create_list(NewList("A stranger's", "Not made from here"))
    stranger = next(each for each in rehearsal.kore.all_lists if each.name == "A stranger's")
    stranger.name = ours.name
    contact_list.contacts.create(phone="+919800012346")
    run = push(contact_list, connection)
    assert (run.state, outcomes(run)) == ("failed", {"planned": 1})
    assert "has 2 lists named “renamed by somebody”" in run.failure
    assert not stranger.members
    stranger.name = "A stranger's"
    planning.resume(run, None)
    assert outcomes(work(run)) == {"confirmed": 1}


def test_a_list_of_the_same_name_that_is_not_ours_is_not_filled(vendor, connect, rehearsal):
    first = make_list("Renewals", contacts=3)
    push(first, connect(vendor))
    first.delete()
    second = make_list("Renewals", contacts=3)
    run = push(second, Connection.objects.get())
    assert (run.state, outcomes(run)) == ("failed", {"planned": 3})
    assert "not made from here" in run.failure


# F4: the vendor says wait


@pytest.mark.parametrize("retry_after", [None, 0, -1, "soon"])
def test_a_throttled_batch_waits_and_goes_out_again(vendor, retry_after, connect, rehearsal, monkeypatch):
    monkeypatch.setattr("lists.vendors.kore.THROTTLE_WAIT", 0.05)
    monkeypatch.setattr("lists.vendors.leadlex.MINUTE", 0.05)
    contact_list = make_list(contacts=5)
    rehearsal.vendors[vendor].faults.times(2, "add_to_list", status=429, retry_after=retry_after)
    run = push(contact_list, connect(vendor))
    assert run.state == "completed", run.failure
    assert sorted(rehearsal.book.applied(vendor, remote_id(contact_list))) == phones(contact_list)


def test_nobody_on_the_account_sends_before_the_time_the_vendor_named(connect, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", status=429, retry_after=2)
    push(make_list(contacts=5), connect("leadlex"))
    refused, again = rehearsal.book.times("leadlex", "add_to_list")
    assert again - refused >= 1.95


def test_a_vendor_that_is_busy_for_ever_fails_the_run_part_way(connect, rehearsal, monkeypatch):
    monkeypatch.setattr(sending, "MAX_FAILURES", 3)
    rehearsal.exotel.faults.always("add_to_list", status=503, retry_after=0, after=1)
    monkeypatch.setattr("lists.vendors.base.retry_after", lambda headers: 0.01)
    contact_list = make_list(contacts=25)
    run = push(contact_list, connect("exotel", batch_size=10))
    assert (run.state, outcomes(run)) == ("failed", {"added": 10, "planned": 15})
    assert run.failure.startswith("Part-way: ")
    rehearsal.exotel.reset()
    planning.resume(run, None)
    assert outcomes(work(run)) == {"added": 25}


# F6: fix the connection


@pytest.mark.parametrize(("status", "words"), [(401, "HTTP 401"), (403, "HTTP 403"), (402, "HTTP 402")])
def test_refused_credentials_stop_the_run_which_can_be_resumed(vendor, status, words, connect, rehearsal):
    contact_list = make_list(contacts=25)
    rehearsal.vendors[vendor].faults.always("add_to_list", status=status, after=1)
    connection = connect(vendor, batch_size=10)
    run = push(contact_list, connection)
    assert run.state == RunState.FAILED
    assert run.planned == 15
    assert words in run.failure
    sent = len(rehearsal.book.requests(vendor, "add_to_list"))
    assert sent <= 3  # Kore.ai is asked with a fresh token once
    rehearsal.vendors[vendor].faults.clear()
    planning.resume(run, None)
    assert work(run).state == "completed"
    connection.refresh_from_db()
    assert connection.health == "ok"


def test_a_list_deleted_at_the_vendor_is_told_and_made_anew_when_planned_again(vendor, connect, rehearsal):
    contact_list = make_list(contacts=3)
    connection = connect(vendor)
    push(contact_list, connection)
    rehearsal.vendors[vendor].forget()
    contact_list.contacts.create(phone="+919800012345")
    run = push(contact_list, connection)
    assert run.state == "failed"
    assert "Plan again" in run.failure
    again = push(contact_list, connection)
    assert again.state == "completed_with_problems" if vendor != "kore" else "completed", again.causes


# F7: one bad contact does not sink its batch


@pytest.mark.parametrize("bad", [1, 2, 10])
def test_ids_named_as_invalid_are_rejected_and_the_rest_goes_out_once_more(bad, connect, rehearsal):
    contact_list = make_list(contacts=10)
    connection = connect("leadlex")
    push(contact_list, connection)
    stale = RemoteList.objects.get()
    stale.delete()
    rehearsal.leadlex.find_list(stale.remote_id).name = "renamed by hand"
    for known in list(connection.remote_contacts.all()[:bad]):
        connection.remote_contacts.filter(contact_id=known.contact_id).update(
            remote_id=f"00000000-0000-4000-8000-{known.contact_id:012d}"
        )
    run = push(contact_list, connection)
    expected = {"rejected": bad} | ({"added": 10 - bad} if bad < 10 else {})
    assert outcomes(run) == expected
    assert len(rehearsal.book.requests("leadlex", "add_to_list")) == 1 + (2 if bad < 10 else 1)


def test_an_unnamed_refusal_is_halved_until_the_contact_is_found(connect, rehearsal):
    contact_list = make_list(contacts=64)
    connection = connect("leadlex")
    rehearsal.leadlex.set(merged_every=0)
    rehearsal.leadlex.faults.next("add_to_list", status=401)
    run = push(contact_list, connection)
    bad = run.items.get(position=37).contact_id
    connection.remote_contacts.filter(contact_id=bad).update(remote_id="00000000-0000-4000-8000-000000000bad")
    rehearsal.leadlex.set(name_invalid_ids=False)
    before = len(rehearsal.book.requests("leadlex", "add_to_list"))
    planning.resume(run, None)
    work(run)
    assert outcomes(run) == {"added": 63, "rejected": 1}
    assert len(rehearsal.book.requests("leadlex", "add_to_list")) - before <= 2 * 6 + 1
    assert run.items.get(outcome="rejected").contact_id == bad


def test_a_batch_that_is_too_large_is_halved(connect, rehearsal):
    contact_list = make_list(contacts=20)
    rehearsal.kore.set(batch_limit=5)
    run = push(contact_list, connect("kore"))
    assert (run.state, outcomes(run)) == ("completed", {"confirmed": 20})


def test_a_vendor_that_refuses_every_batch_stops_the_run(connect, rehearsal, monkeypatch):
    monkeypatch.setattr(sending, "MAX_REFUSED", 3)
    rehearsal.kore.faults.always("add_to_list", status=400)
    run = push(make_list(contacts=12), connect("kore", batch_size=2))
    assert (run.state, outcomes(run)) == ("failed", {"planned": 12})
    assert len(rehearsal.book.requests("kore", "add_to_list")) == 3


# F8: a bulk answer, item by item


def test_failed_items_are_rejected_with_the_vendors_words_and_the_others_added(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", item_codes=[200, 404, 200, 400, 200])
    run = push(make_list(contacts=5), connect("exotel"))
    assert outcomes(run) == {"added": 3, "rejected": 2}
    assert all(run.items.filter(outcome="rejected").values_list("words", flat=True))


@pytest.mark.parametrize(
    "muddle",
    [{"sid_key": True}, {"bare_items": True}, {"reorder_items": True}, {"items_extra": 2}, {"items_doubled": 1}],
    ids=str,
)
def test_a_muddled_answer_is_read_all_the_same(muddle, connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", **muddle)
    run = push(make_list(contacts=6), connect("exotel"))
    assert outcomes(run) == {"added": 6}


def test_contacts_the_answer_leaves_out_are_unknown_until_they_are_read_back(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", items_missing=2)
    run = push(make_list(contacts=6), connect("exotel"))
    assert outcomes(run) == {"added": 4, "confirmed": 2}


def test_wrong_totals_are_flagged_and_the_items_count(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", wrong_metadata=True)
    run = push(make_list(contacts=6), connect("exotel"))
    assert outcomes(run) == {"added": 6}
    assert "does not fit its items" in run.attempts.get(operation="add_to_list").words


def test_an_item_that_was_throttled_is_sent_again(connect, rehearsal):
    rehearsal.exotel.faults.next("add_to_list", item_codes=[200, 429, 200])
    run = push(make_list(contacts=3), connect("exotel"))
    assert outcomes(run) == {"added": 3}


# F10: counts


def test_leadlex_tells_how_many_were_there_before_and_we_say_it_is_a_number_only(connect, rehearsal):
    contact_list = make_list(contacts=5)
    rehearsal.leadlex.faults.next("add_to_list", "change", values={"data": {"added": 3}})
    run = push(contact_list, connect("leadlex"))
    assert outcomes(run) == {"added": 3, "already_present": 2}
    assert "not which ones" in run.items.filter(outcome="already_present").first().words


# F11: accepted, and it never comes about


def test_what_is_accepted_and_never_shows_stays_accepted(connect, rehearsal):
    rehearsal.kore.set(apply_share=0.0)
    run = push(make_list(contacts=4), connect("kore"))
    assert (run.state, outcomes(run)) == ("completed_with_problems", {"accepted": 4})
    assert len(rehearsal.book.requests("kore", "add_to_list")) == 1


def test_what_is_accepted_and_missing_goes_out_once_more_when_somebody_asks(connect, rehearsal):
    contact_list = make_list(contacts=8)
    rehearsal.kore.set(apply_share=0.5)
    run = push(contact_list, connect("kore"))
    assert outcomes(run) == {"confirmed": 4, "accepted": 4}
    rehearsal.kore.set(apply_share=1.0)
    settling.settle(run)
    assert (work(run).state, outcomes(run)) == ("completed", {"confirmed": 8})
    first, again = rehearsal.book.requests("kore", "add_to_list")
    assert (first.contacts_sent, again.contacts_sent) == (8, 4)
    assert sorted(rehearsal.book.applied("kore", remote_id(contact_list))) == phones(contact_list)


@pytest.mark.parametrize("applied", [True, False])
def test_an_address_book_import_without_an_answer_is_settled(applied, connect, rehearsal):
    contact_list = make_list(contacts=6)
    contact_list.contacts.update(first_name="Asha", last_name="Rao", salutation="Mrs")
    rehearsal.kore.faults.next("import_contacts", "reset", applied=applied)
    run = push(contact_list, connect("kore"), "address_book")
    assert run.state == "completed", (outcomes(run), run.causes)
    assert sorted(rehearsal.book.applied("kore")) == phones(contact_list)


def test_a_run_under_way_cannot_be_settled_and_the_reason_is_told(connect):
    run = planning.plan(make_list(contacts=2), connect("kore"))
    planning.queue(run, None)
    for attempt in (settling.settle, lambda run: settling.decide(run, None, arrived=True)):
        with pytest.raises(PlanRefused, match="under way"):
            attempt(run)


def test_what_shows_up_later_is_confirmed_when_somebody_asks(connect, rehearsal):
    contact_list = make_list(contacts=4)
    rehearsal.kore.set(apply_share=0.0)
    run = push(contact_list, connect("kore"))
    rehearsal.kore.gain(remote_id(contact_list), phones(contact_list)[:3])
    settling.settle(run)
    assert outcomes(work(run)) == {"accepted": 1, "confirmed": 3}
    assert run.state == "completed_with_problems"


def test_no_number_and_no_secret_is_kept_of_requests_and_answers(vendor, connect):
    contact_list = make_list(contacts=3)
    connection = connect(vendor)
    push(contact_list, connection)
    kept = "\n".join(
        f"{attempt.path} {attempt.request_excerpt} {attempt.answer_excerpt} {attempt.words}"
        for attempt in SyncAttempt.objects.all()
    )
    assert not [number for number in phones(contact_list) if number.lstrip("+") in kept]
    assert not [secret for secret in connection.secrets().values() if secret in kept]


def test_what_was_written_down_and_not_yet_sent_is_taken_back_when_the_vendor_says_wait(connect, rehearsal):
    contact_list = make_list(contacts=60)
    run = planning.plan(contact_list, connect("kore", batch_size=1, in_flight=8))
    rehearsal.kore.set(latency=0.05)
    rehearsal.kore.faults.next("add_to_list", status=429, after=20, retry_after=1)
    planning.queue(run, None)
    work(run)
    assert outcomes(run) == {"confirmed": 60}
    sent = rehearsal.book.requests("kore", "add_to_list")
    assert run.attempts.filter(operation="add_contacts").count() == len(sent)
    assert sum(entry.status == 429 for entry in sent) == 1
    assert sorted(rehearsal.book.applied("kore", remote_id(contact_list))) == phones(contact_list)
