"""Every operation of every adapter over real HTTP, against the vendors as their documents describe them."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from lists.rehearsal import CREDENTIALS, Rehearsal
from lists.vendors.base import HttpVendor
from lists.vendors.errors import (
    CredentialsRefused,
    ListGone,
    NameTaken,
    NotSent,
    OutcomeUnknown,
    RequestRefused,
    UnreadableReply,
    VendorBusy,
    VendorNotConfigured,
)
from lists.vendors.exotel import Exotel
from lists.vendors.http import Transport
from lists.vendors.kore import Kore
from lists.vendors.leadlex import LeadLex
from lists.vendors.records import BatchReading, ContactRecord, LookUp, NewList, Outcome, RemoteListInfo, filled
from lists.vendors.registry import VENDORS

NEW_LIST = NewList("autumn-callbacks-07", "Customers who asked for a call in week 7")


def connected(rehearsal: Rehearsal, key: str, *, deadline: float = 10, **settings: str) -> HttpVendor:
    given = {**CREDENTIALS[key], "base_url": rehearsal.base_urls[key], **settings}
    return VENDORS[key](
        given, given, allowed_hosts=["127.0.0.1"], transport=Transport(read_timeout=2, deadline=deadline)
    )


@pytest.fixture
def kore(rehearsal: Rehearsal) -> HttpVendor:
    rehearsal.kore.set(apply_delay=0.0, per_minute=0)
    return connected(rehearsal, "kore")


@pytest.fixture
def leadlex(rehearsal: Rehearsal) -> HttpVendor:
    rehearsal.leadlex.set(per_minute=0, per_day=0)
    return connected(rehearsal, "leadlex")


@pytest.fixture
def exotel(rehearsal: Rehearsal) -> HttpVendor:
    rehearsal.exotel.set(per_minute=0, csv_delay=0.0)
    return connected(rehearsal, "exotel")


@pytest.fixture(params=sorted(VENDORS))
def vendor(request, rehearsal, kore, leadlex, exotel) -> HttpVendor:
    return {"kore": kore, "leadlex": leadlex, "exotel": exotel}[request.param]


def people(count: int, first: int = 0) -> list[ContactRecord]:
    return [
        ContactRecord(
            str(number),
            f"+1202555{number:04}",
            "Mara",
            f"Quist {number}",
            "Mrs.",
            email=f"mara{number}@example.com",
        )
        for number in range(first, first + count)
    ]


def push(vendor: HttpVendor, target: RemoteListInfo | None, records: list[ContactRecord], kind: str = "list"):
    """All phases of a push, each in one batch: the reading of the last."""
    reading = None
    for operation in vendor.operations[kind]:
        entries = [operation.entry(record) for record in records]
        if "remote_id" in operation.needs:
            assert reading is not None
            ids = [result.remote_id for result in reading.results]
            records = [
                ContactRecord(record.key, record.phone, remote_id=remote_id)
                for record, remote_id in zip(records, ids, strict=True)
            ]
            entries = filled(entries, ids)
        reading = operation.read(vendor.send(operation.request(vendor, target, entries)), records)
    assert isinstance(reading, BatchReading)
    return reading


def phones_in(vendor: HttpVendor, target: RemoteListInfo) -> list[str]:
    return sorted(member.phone for page in vendor.read_members(target) for member in page)


# What all of them do


def test_a_list_is_made_filled_and_read_back(rehearsal, vendor):
    records = people(60)
    made = vendor.create_list(NEW_LIST)
    reading = push(vendor, made, records)
    assert {result.outcome for result in reading.results} == {
        Outcome.ACCEPTED if vendor.key == "kore" else Outcome.ADDED
    }
    assert reading.warnings == ()
    assert phones_in(vendor, made) == [record.phone for record in records]
    assert sorted(rehearsal.book.applied(vendor.key, made.remote_id)) == [record.phone for record in records]
    assert vendor.list_info(made).count == 60


def test_a_list_is_found_by_its_exact_name(vendor):
    made = vendor.create_list(NEW_LIST)
    assert [found.remote_id for found in vendor.find_lists(NEW_LIST.name)] == [made.remote_id]
    assert vendor.find_lists("autumn-callbacks") == []
    assert vendor.find_lists(NEW_LIST.name.upper()) == []


def test_a_deleted_list_is_gone_and_deleting_it_again_does_no_harm(vendor):
    made = vendor.create_list(NEW_LIST)
    vendor.delete_list(made)
    vendor.delete_list(made)
    assert vendor.find_lists(NEW_LIST.name) == []
    with pytest.raises(ListGone):
        vendor.list_info(made)


def test_a_list_in_a_campaign_is_not_deleted(rehearsal, kore, exotel):
    for vendor in (kore, exotel):
        made = vendor.create_list(NEW_LIST)
        rehearsal.vendors[vendor.key].use_in_campaign(made.remote_id)
        with pytest.raises(RequestRefused):
            vendor.delete_list(made)


def test_wrong_credentials_stop_the_run(rehearsal, vendor):
    given = {**CREDENTIALS[vendor.key], "base_url": rehearsal.base_urls[vendor.key]}
    secret = next(setting.name for setting in vendor.settings if setting.secret)
    wrong = VENDORS[vendor.key](
        given, {**given, secret: "wrong-but-long-enough-to-sign-a-token-with"}, allowed_hosts=["127.0.0.1"]
    )
    with pytest.raises(CredentialsRefused) as caught:
        wrong.check()
    assert caught.value.attempts == (2 if vendor.key == "kore" else 1)


def test_the_check_says_that_it_is_connected(vendor):
    assert vendor.check().startswith("Connected")


FAULTS = {
    "timeout": OutcomeUnknown,
    "reset": OutcomeUnknown,
    "reset_midway": OutcomeUnknown,
    "truncated": OutcomeUnknown,
    "half_json": OutcomeUnknown,
    "html": OutcomeUnknown,
    "empty": OutcomeUnknown,
    "array": OutcomeUnknown,
    "error_object": OutcomeUnknown,
    "lying_gzip": OutcomeUnknown,
    "bomb": OutcomeUnknown,
    "huge": OutcomeUnknown,
    "redirect": VendorNotConfigured,
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_while_adding_has_its_consequence(rehearsal, vendor, fault):
    made = vendor.create_list(NEW_LIST)
    operation = vendor.operations["list"][-1]
    options = {"seconds": 8.0} if fault == "timeout" else {"size": 30_000_000} if fault == "huge" else {}
    rehearsal.vendors[vendor.key].faults.next("add_to_list", fault, **options)
    with pytest.raises(FAULTS[fault]):
        push(vendor, made, people(3))
    # and the next request is none the worse for it
    assert len(push(vendor, made, people(3, first=10)).results) == 3
    assert not operation.repeat_is_harmless or vendor.key == "leadlex"


@pytest.mark.parametrize("fault", ["drip", "drip_head", "endless_100"])
def test_what_drips_for_ever_ends_at_the_deadline(rehearsal, vendor, fault):
    made = vendor.create_list(NEW_LIST)
    hasty = connected(rehearsal, vendor.key, deadline=0.7)
    rehearsal.vendors[vendor.key].faults.next("add_to_list", fault, seconds=0.1)
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="in time"):
        push(hasty, made, people(2))
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("fault", ["gzip", "bom", "slow", "wrong_charset"])
def test_an_unusual_but_good_answer_is_read(rehearsal, vendor, fault):
    made = vendor.create_list(NEW_LIST)
    rehearsal.vendors[vendor.key].faults.next("add_to_list", fault, **({"seconds": 0.3} if fault == "slow" else {}))
    assert {result.outcome for result in push(vendor, made, people(3)).results} <= {Outcome.ADDED, Outcome.ACCEPTED}


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_vendor_is_obeyed(rehearsal, vendor, status):
    made = vendor.create_list(NEW_LIST)
    rehearsal.vendors[vendor.key].faults.next("add_to_list", status=status, retry_after=7)
    with pytest.raises(VendorBusy) as caught:
        push(vendor, made, people(3))
    assert caught.value.retry_after == 7


def test_a_vendor_that_is_away_was_sent_nothing(rehearsal, vendor):
    rehearsal.stop()
    fresh = connected(rehearsal, vendor.key)
    with pytest.raises(NotSent):
        push(fresh, RemoteListInfo("x", "x"), people(1))


def test_threads_share_one_vendor(rehearsal, vendor):
    made = vendor.create_list(NEW_LIST)
    outcomes: list[int] = []

    def work(first: int) -> None:
        outcomes.append(len(push(vendor, made, people(20, first)).results))

    threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [20, 20, 20, 20]
    assert len(phones_in(vendor, made)) == 80


# Kore.ai


def test_kore_finds_lists_by_whichever_method_it_takes(rehearsal, kore):
    made = kore.create_list(NEW_LIST)
    for method in ("POST", "GET"):
        rehearsal.kore.set(read_lists_method=method)
        assert [found.remote_id for found in kore.find_lists(NEW_LIST.name)] == [made.remote_id]


def test_kore_never_uses_a_token_twice(rehearsal, kore):
    rehearsal.kore.set(enforce_jti=True)
    made = kore.create_list(NEW_LIST)
    for first in (0, 10, 20):
        push(kore, made, people(5, first))
    assert len(phones_in(kore, made)) == 15


@pytest.mark.parametrize("ahead", [-300, -90, -1, 1, 29, 90, 300])
def test_kore_is_reached_although_the_clocks_are_apart(rehearsal, kore, ahead):
    rehearsal.kore.set(clock_offset=float(ahead))
    assert kore.check().startswith("Connected")


def test_kore_tells_that_the_clocks_are_apart(rehearsal, kore):
    rehearsal.kore.set(clock_offset=-120.0)
    assert "120 seconds ahead" in kore.check() or "119 seconds ahead" in kore.check() or "121 seconds" in kore.check()


@pytest.mark.parametrize("status", [400, 429, 503])
def test_kore_throttles_with_whatever_status_and_is_waited_for(rehearsal, kore, status):
    rehearsal.kore.set(per_minute=1, throttle_status=status)
    kore.check()
    with pytest.raises(VendorBusy) as caught:
        kore.check()
    assert caught.value.retry_after == 60


def test_kore_takes_numbers_without_plus_where_the_connection_says_so(rehearsal, kore):
    made = kore.create_list(NEW_LIST)
    plain = connected(rehearsal, "kore", strip_plus="1")
    push(plain, made, people(2))
    assert b'"phoneNumber":"12025550000"' in rehearsal.book.requests("kore", "add_to_list")[-1].body


def test_kore_repeats_a_page_and_is_not_believed(rehearsal, kore):
    made = kore.create_list(NEW_LIST)
    push(kore, made, people(120))
    rehearsal.kore.set(ignore_skip=True)
    with pytest.raises(UnreadableReply):
        phones_in(kore, made)


def test_kore_says_that_a_batch_is_too_large(rehearsal, kore):
    made = kore.create_list(NEW_LIST)
    rehearsal.kore.set(batch_limit=10)
    with pytest.raises(RequestRefused) as caught:
        push(kore, made, people(11))
    assert caught.value.too_large


def test_kore_renames_a_list(kore):
    made = kore.create_list(NEW_LIST)
    renamed = kore.update_list(made, NewList("winter-callbacks-01", "later"))
    assert [found.remote_id for found in kore.find_lists("winter-callbacks-01")] == [made.remote_id]
    assert renamed.name == "winter-callbacks-01"


def test_kore_refuses_an_unknown_list(kore):
    with pytest.raises((ListGone, RequestRefused)):
        push(kore, RemoteListInfo("cl-1", "no-such-list"), people(1))


def test_the_address_book_takes_people_and_knows_them_again(rehearsal, kore):
    records = people(30)
    reading = push(kore, None, records, "address_book")
    assert {result.outcome for result in reading.results} == {Outcome.ADDED}
    assert all(result.remote_id for result in reading.results)
    found = kore.find_contacts(records)
    assert found == LookUp({result.key: result.remote_id for result in reading.results}, complete=True)
    assert sorted(rehearsal.book.applied("kore")) == [record.phone for record in records]


def test_people_the_address_book_prevents_are_unknown_until_looked_up(rehearsal, kore):
    push(kore, None, people(2), "address_book")
    reading = push(kore, None, people(4), "address_book")
    assert [result.outcome for result in reading.results] == [
        Outcome.UNKNOWN,
        Outcome.UNKNOWN,
        Outcome.ADDED,
        Outcome.ADDED,
    ]


# LeadLex


def test_leadlex_tells_how_many_were_there_already(leadlex):
    made = leadlex.create_list(NEW_LIST)
    create, add = leadlex.operations["list"]
    records = people(5)
    created = create.read(leadlex.send(create.request(leadlex, None, [create.entry(r) for r in records])), records)
    known = [
        ContactRecord(r.key, r.phone, remote_id=result.remote_id)
        for r, result in zip(records, created.results, strict=True)
    ]

    def added(some):
        return add.read(leadlex.send(add.request(leadlex, made, [add.entry(record) for record in some])), some)

    assert (added(known[:2]).added, added(known[:2]).already_present) == (2, 0)
    mixed = added(known)
    assert (mixed.added, mixed.already_present, mixed.list_count) == (3, 2, 5)
    again = added(known)
    assert {result.outcome for result in again.results} == {Outcome.ALREADY_PRESENT}
    assert (again.added, again.already_present) == (0, 0)


def test_leadlex_names_the_ids_it_does_not_know(rehearsal, leadlex):
    made = leadlex.create_list(NEW_LIST)
    add = leadlex.operations["list"][1]
    rehearsal.leadlex.set(stray_invalid_ids=2)
    bad = ContactRecord("x", "+12025550100", remote_id="0d9f4a10-0000-4000-8000-00000000000a")
    with pytest.raises(RequestRefused) as caught:
        leadlex.send(add.request(leadlex, made, [add.entry(bad)]))
    assert caught.value.invalid_keys == (bad.remote_id,)
    assert len(caught.value.strangers) == 2
    assert caught.value.code == "validation_error"


def test_a_name_taken_at_leadlex_or_exotel_is_found(rehearsal, leadlex, exotel):
    for vendor in (leadlex, exotel):
        made = vendor.create_list(NEW_LIST)
        with pytest.raises(NameTaken) as caught:
            vendor.create_list(NEW_LIST)
        assert [found.remote_id for found in caught.value.found] == [made.remote_id]


@pytest.mark.parametrize("shape", ["named", "bare"])
def test_leadlex_shows_its_lists_in_either_shape(rehearsal, leadlex, shape):
    rehearsal.leadlex.set(lists_shape=shape)
    made = leadlex.create_list(NEW_LIST)
    assert [found.remote_id for found in leadlex.find_lists(NEW_LIST.name)] == [made.remote_id]


def test_members_are_taken_off_a_list_once_and_again(leadlex, exotel):
    for vendor in (leadlex, exotel):
        made = vendor.create_list(NEW_LIST)
        push(vendor, made, people(3))
        first = next(iter(vendor.read_members(made)))[0]
        vendor.remove_member(made, first.remote_id)
        vendor.remove_member(made, first.remote_id)
        assert len(phones_in(vendor, made)) == 2


def test_contacts_of_a_lost_create_are_found_again(rehearsal, leadlex, exotel):
    for vendor in (leadlex, exotel):
        records = people(45)
        before = datetime.now(UTC) - timedelta(seconds=1)
        create = vendor.operations["list"][0]
        rehearsal.vendors[vendor.key].faults.next("create_contacts", "reset", applied=True)
        with pytest.raises(OutcomeUnknown):
            vendor.send(create.request(vendor, None, [create.entry(record) for record in records]))
        found = vendor.find_contacts([*records, *people(2, first=900)], since=before)
        assert sorted(found.ids) == sorted(record.key for record in records)
        assert all(found.ids.values())
        assert found.complete


def test_a_look_up_that_was_not_read_to_its_end_says_so(leadlex, exotel, monkeypatch):
    monkeypatch.setattr("lists.vendors.leadlex.NEWEST_PAGES", 1)
    monkeypatch.setattr("lists.vendors.exotel.NEWEST_PAGES", 1)
    before = datetime.now(UTC) - timedelta(seconds=1)
    for vendor in (leadlex, exotel):
        made = vendor.create_list(NEW_LIST)
        push(vendor, made, people(80))
        push(vendor, made, people(80, first=100))
        assert not vendor.find_contacts(people(1, first=900), since=before).complete


def test_leadlex_searches_by_address_when_it_is_not_known_since_when(leadlex):
    made = leadlex.create_list(NEW_LIST)
    records = people(3)
    push(leadlex, made, records)
    assert sorted(leadlex.find_contacts(records).ids) == ["0", "1", "2"]


def test_leadlex_waits_until_the_day_is_over(rehearsal, leadlex):
    rehearsal.leadlex.set(per_day=1)
    leadlex.check()
    with pytest.raises(VendorBusy) as caught:
        leadlex.check()
    assert 60 <= caught.value.retry_after <= 86_400


def test_leadlex_waits_a_minute_when_only_the_minute_is_full(rehearsal, leadlex):
    rehearsal.leadlex.set(per_minute=1, per_day=1000)
    leadlex.check()
    with pytest.raises(VendorBusy) as caught:
        leadlex.check()
    assert caught.value.retry_after == 60


# Exotel


@pytest.mark.parametrize(
    "switches",
    [
        {"sid_key": True},
        {"bare_items": True},
        {"code_as_text": True},
        {"wrong_metadata": True},
        {"reorder_items": True},
        {"items_extra": 2},
        {"items_doubled": 2},
        {"envelope": "rest"},
        {"sid_key": True, "bare_items": True, "wrong_metadata": True, "reorder_items": True},
    ],
)
def test_exotel_is_read_however_it_words_its_items(rehearsal, exotel, switches):
    made = exotel.create_list(NEW_LIST)
    rehearsal.exotel.faults.next("add_to_list", **switches)
    reading = push(exotel, made, people(7))
    assert {result.outcome for result in reading.results} == {Outcome.ADDED}
    if "wrong_metadata" in switches or "items_extra" in switches or "items_doubled" in switches:
        assert reading.warnings


def test_items_exotel_leaves_out_are_unknown(rehearsal, exotel):
    made = exotel.create_list(NEW_LIST)
    rehearsal.exotel.faults.next("add_to_list", items_missing=2)
    reading = push(exotel, made, people(5))
    assert [result.outcome for result in reading.results] == [Outcome.ADDED] * 3 + [Outcome.UNKNOWN] * 2


def test_exotel_judges_every_item_by_itself(rehearsal, exotel):
    made = exotel.create_list(NEW_LIST)
    rehearsal.exotel.faults.next("add_to_list", item_codes=[200, 404, 409, 429, 500])
    reading = push(exotel, made, people(5))
    assert [(result.outcome, result.again) for result in reading.results] == [
        (Outcome.ADDED, False),
        (Outcome.REJECTED, False),
        (Outcome.ALREADY_PRESENT, False),
        (Outcome.REJECTED, True),
        (Outcome.UNKNOWN, True),
    ]
    assert reading.results[1].code and reading.results[1].message


@pytest.mark.parametrize("status", [207, 400, 200])
def test_when_all_items_fail_they_are_judged_whatever_the_status(rehearsal, exotel, status):
    made = exotel.create_list(NEW_LIST)
    rehearsal.exotel.set(all_failed_status=status)
    add = exotel.operations["list"][1]
    strangers = [ContactRecord(str(n), f"+1202555010{n}", remote_id=f"{n:032x}") for n in range(3)]
    answer = exotel.send(add.request(exotel, made, [add.entry(record) for record in strangers]))
    assert {result.outcome for result in add.read(answer, strangers).results} == {Outcome.REJECTED}


@pytest.mark.parametrize(("readd", "outcome"), [("200", Outcome.ADDED), ("409", Outcome.ALREADY_PRESENT)])
def test_exotel_members_added_again(rehearsal, exotel, readd, outcome):
    rehearsal.exotel.set(readd=readd)
    made = exotel.create_list(NEW_LIST)
    push(exotel, made, people(2))
    reading = push(exotel, made, people(2))
    assert {result.outcome for result in reading.results} == {outcome}


@pytest.mark.parametrize("known", ["existing", "409"])
def test_exotel_contacts_created_again(rehearsal, exotel, known):
    rehearsal.exotel.set(known_number=known)
    create = exotel.operations["list"][0]
    records = people(3)
    request = create.request(exotel, None, [create.entry(record) for record in records])
    first = create.read(exotel.send(request), records)
    second = create.read(exotel.send(request), records)
    if known == "existing":
        assert [r.remote_id for r in first.results] == [r.remote_id for r in second.results]
    else:
        assert {result.outcome for result in second.results} == {Outcome.ALREADY_PRESENT}
        assert sorted(exotel.find_contacts(records).ids) == ["0", "1", "2"]


def test_exotel_tells_to_check_the_region(rehearsal, exotel):
    rehearsal.exotel.set(wrong_region=True)
    with pytest.raises(CredentialsRefused, match="region"):
        exotel.check()


@pytest.mark.parametrize("envelope", ["documented", "v2", "rest"])
def test_exotel_words_its_refusals_in_either_envelope(rehearsal, exotel, envelope):
    rehearsal.exotel.set(envelope=envelope, per_minute=1, retry_after=30)
    exotel.check()
    with pytest.raises(VendorBusy, match="It said") as caught:
        exotel.check()
    assert caught.value.retry_after == 30


@pytest.mark.parametrize("reply", ["summary", "list", "array"])
@pytest.mark.parametrize("stats", ["nested", "flat"])
def test_exotel_takes_contacts_as_a_file(rehearsal, exotel, reply, stats):
    rehearsal.exotel.set(csv_reply=reply, csv_stats=stats, csv_delay=60.0)
    upload = exotel.upload_csv("autumn-callbacks-07", [*people(4), *people(1)])
    first = exotel.csv_status(upload.upload_id)
    assert not first.is_finished
    rehearsal.exotel.set(clock_offset=61.0)
    status = exotel.csv_status(upload.upload_id)
    assert (status.is_finished, status.total, status.success, status.duplicate, status.failed) == (True, 5, 4, 1, 0)
    made = exotel.find_lists("autumn-callbacks-07")[0]
    assert phones_in(exotel, made) == [record.phone for record in people(4)]


def test_exotel_is_asked_about_a_file_until_it_is_worked_through(rehearsal, exotel):
    rehearsal.exotel.set(csv_delay=0.3)
    upload = exotel.upload_csv("autumn-callbacks-07", people(4))
    looks = list(exotel.follow_csv(upload, gaps=(0.05, 0.1), ceiling=20.0))
    assert len(looks) > 1
    assert [look.is_finished for look in looks] == [False] * (len(looks) - 1) + [True]
    assert looks[-1].success == 4


def test_a_file_exotel_does_not_finish_is_unconfirmed_at_the_ceiling(rehearsal, exotel):
    rehearsal.exotel.set(csv_delay=60.0)
    upload = exotel.upload_csv("autumn-callbacks-07", people(4))
    began = time.monotonic()
    looks = list(exotel.follow_csv(upload, gaps=(0.05, 0.1), ceiling=0.3))
    assert 0.3 <= time.monotonic() - began < 5
    assert len(looks) >= 2 and not any(look.is_finished for look in looks)


def test_a_busy_exotel_is_asked_about_a_file_again(rehearsal, exotel):
    upload = exotel.upload_csv("autumn-callbacks-07", people(4))
    rehearsal.exotel.faults.add("read_upload", "status", status=429, retry_after=1)
    began = time.monotonic()
    (look,) = exotel.follow_csv(upload, gaps=(0.01,), ceiling=20.0)
    assert look.is_finished and time.monotonic() - began >= 1
    rehearsal.exotel.faults.always("read_upload", "status", status=429)
    with pytest.raises(VendorBusy):
        list(exotel.follow_csv(upload, gaps=(0.01,), ceiling=0.1))


def test_exotel_renames_a_list(exotel):
    made = exotel.create_list(NEW_LIST)
    exotel.update_list(made, NewList("winter-callbacks-01"))
    assert exotel.list_info(made).name == "winter-callbacks-01"


def test_adapters_are_the_ones_of_the_registry():
    assert {"kore": Kore, "leadlex": LeadLex, "exotel": Exotel} == VENDORS
