"""Each fault as a client meets it, and whether the vendor had applied the request."""

import socket
import time

import pytest
import requests

from lists.rehearsal import BAD_DAYS, KINDS, Rehearsal
from tests.rehearsal.clients import PHONES, ExotelClient, KoreClient, LeadLexClient


@pytest.fixture
def add(rehearsal: Rehearsal):
    """`add()`: two contacts go to a list at LeadLex; `add.stored()`: how many of them got there."""
    client = LeadLexClient(rehearsal)
    list_id, ids = client.list_id(), client.contact_ids(PHONES[:2])

    def send(timeout: float = 30, **options) -> requests.Response:
        return client.add(list_id, ids, timeout=timeout, **options)

    send.stored = lambda: len(rehearsal.leadlex.members(list_id))
    return send


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 412, 413, 415, 422, 500, 502, 503, 504])
@pytest.mark.parametrize("applied", [False, True])
def test_any_status_before_or_after_applying(add, rehearsal, status, applied):
    rehearsal.leadlex.faults.next("add_to_list", status=status, applied=applied)
    answer = add()
    assert (answer.status_code, add.stored()) == (status, 2 if applied else 0)
    assert "message" in answer.json()["error"]
    assert add().status_code == 200


@pytest.mark.parametrize("value", [None, 2, 0, -1, 10**9, "soon", "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_retry_after_is_sent_as_given(add, rehearsal, value):
    rehearsal.leadlex.faults.next("add_to_list", status=429, retry_after=value)
    answer = add()
    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, None if value is None else str(value))


def test_each_vendor_refuses_in_its_own_words(rehearsal):
    for vendor in rehearsal.vendors.values():
        vendor.faults.always("*", status=500)
    assert KoreClient(rehearsal).create().json()["errors"][0]["code"] == 500
    assert LeadLexClient(rehearsal)("GET", "/lists").json()["error"]["code"] == "internal_error"
    assert ExotelClient(rehearsal)("GET", "/lists").json()["response"]["status"] == "failure"


@pytest.mark.parametrize("applied", [False, True])
def test_a_timeout_before_or_after_applying(add, rehearsal, applied):
    rehearsal.leadlex.faults.next("add_to_list", "timeout", applied=applied)
    with pytest.raises(requests.ReadTimeout):
        add(timeout=1)
    assert add.stored() == (2 if applied else 0)


@pytest.mark.parametrize(
    ("kind", "options", "stored"),
    [
        ("reset_early", {}, 0),
        ("reset", {}, 0),
        ("reset", {"applied": True}, 2),
        ("reset_midway", {}, 2),
        ("truncated", {}, 2),
    ],
)
def test_a_broken_connection(add, rehearsal, kind, options, stored):
    rehearsal.leadlex.faults.next("add_to_list", kind, **options)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        add()
    assert add.stored() == stored
    assert rehearsal.book.requests("leadlex", "add_to_list")[0].status is None


def test_a_reset_is_a_reset_and_not_an_orderly_end(rehearsal):
    rehearsal.leadlex.faults.next("*", "reset")
    with socket.create_connection(("127.0.0.1", rehearsal.port)) as connection:
        connection.sendall(b"GET /leadlex/v1/lists HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("html", b"<!doctype html>"),
        ("empty", b""),
        ("half_json", b'{"data":'),
        ("array", b'[{"data":'),
        ("bom", b"\xef\xbb\xbf{"),
        ("wrong_charset", b"\xff\xfe{\x00"),
        ("error_object", b'{"error":"'),
    ],
)
def test_a_success_that_does_not_read_as_promised(add, rehearsal, kind, content):
    rehearsal.leadlex.faults.next("add_to_list", kind)
    answer = add()
    assert answer.status_code == 200
    assert answer.content[: len(content)] == content
    assert add.stored() == (0 if kind == "error_object" else 2)


def test_compressed_answers_true_lying_and_explosive(add, rehearsal):
    for kind in ("gzip", "lying_gzip", "bomb"):
        rehearsal.leadlex.faults.next("add_to_list", kind, **({"size": 5_000_000} if kind == "bomb" else {}))
    assert add().json()["data"]["added"] == 2
    with pytest.raises(requests.exceptions.ContentDecodingError):
        add()
    bomb = add()
    assert (len(bomb.content), int(bomb.headers["Content-Length"]) < 10_000) == (5_000_000, True)


def test_counts_that_lie(add, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", "change", values={"data": {"added": 9, "contact_count": 1}})
    data = add().json()["data"]
    assert (data["added"], data["contact_count"], "list_id" in data) == (9, 1, True)


def test_a_redirect_points_where_it_is_told(add, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", "redirect", location="http://169.254.169.254/")
    answer = add()
    assert (answer.status_code, answer.headers["Location"], add.stored()) == (307, "http://169.254.169.254/", 0)


@pytest.mark.parametrize("kind", ["drip", "drip_head"])
def test_an_answer_that_drips_outlasts_any_patience_with_single_reads(add, rehearsal, kind):
    rehearsal.leadlex.faults.next("add_to_list", kind, seconds=0.02)
    started = time.monotonic()
    assert add(timeout=1).json()["data"]["added"] == 2
    assert time.monotonic() - started > 1


def test_a_huge_body_is_as_huge_as_told(add, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", "huge", size=3_000_001)
    assert len(add().content) == 3_000_001


def test_endless_continues_never_come_to_an_answer(rehearsal):
    rehearsal.leadlex.faults.next("*", "endless_100")
    with socket.create_connection(("127.0.0.1", rehearsal.port), timeout=30) as connection:
        connection.sendall(b"GET /leadlex/v1/lists HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while received.count(b"100 Continue") < 5:
            received += connection.recv(4096)
    assert b"200" not in received


def test_a_slow_answer_is_true(add, rehearsal):
    rehearsal.leadlex.faults.next("add_to_list", "slow", seconds=0.1)
    started = time.monotonic()
    assert add().json()["data"]["added"] == 2
    assert time.monotonic() - started >= 0.1


def test_latency_is_spent_on_every_answer(add, rehearsal):
    rehearsal.leadlex.set(latency=0.05)
    started = time.monotonic()
    add()
    assert time.monotonic() - started >= 0.05


# Schedules


def statuses(rehearsal: Rehearsal, requests_: int) -> list[int]:
    client = LeadLexClient(rehearsal)
    return [client("GET", "/lists").status_code for _ in range(requests_)]


def test_counted_faults_go_before_lasting_ones_and_in_turn(rehearsal):
    faults = rehearsal.leadlex.faults
    faults.always("read_*", status=503)
    faults.next("read_lists", status=500)
    faults.times(2, "*", status=502)
    assert statuses(rehearsal, 5) == [500, 502, 502, 503, 503]
    faults.clear()
    assert statuses(rehearsal, 1) == [200]


def test_a_fault_may_come_after_some_requests_or_on_every_third(rehearsal):
    rehearsal.leadlex.faults.always("read_lists", status=401, after=2)
    assert statuses(rehearsal, 4) == [200, 200, 401, 401]
    rehearsal.leadlex.reset()
    rehearsal.leadlex.faults.always("read_lists", status=503, every=3)
    assert statuses(rehearsal, 6) == [200, 200, 503, 200, 200, 503]


def test_a_share_of_requests_fails_and_a_seed_repeats_which():
    def day(seed: int) -> list[int]:
        with Rehearsal(seed=seed) as rehearsal:
            rehearsal.leadlex.faults.always("*", status=503, share=0.5)
            return statuses(rehearsal, 20)

    assert set(day(1)) == {200, 503}
    assert day(1) == day(1) != day(2)


def test_a_fault_for_one_operation_leaves_the_others_alone(add, rehearsal):
    rehearsal.leadlex.faults.always("add_to_list", status=500)
    assert statuses(rehearsal, 1) == [200]
    assert add().status_code == 500


@pytest.mark.parametrize(
    ("operation", "kind", "options"),
    [("add_to_lst", "reset", {}), ("*", "resset", {}), ("*", "slow", {"minutes": 1}), ("*", "", {"readd": "1"})],
)
def test_a_misspelt_fault_is_refused_with_what_there_is(rehearsal, operation, kind, options):
    with pytest.raises(ValueError, match=r"There (is|are)|does not take"):
        rehearsal.exotel.faults.next(operation, kind, **options)


def test_a_switch_refuses_values_it_does_not_have(rehearsal):
    for changes in ({"readd": "maybe"}, {"per_minute": "many"}, {"sid_key": 1}, {"item_codes": ["200"]}):
        with pytest.raises(ValueError, match="does not take"):
            rehearsal.exotel.set(**changes)


# Bad days


@pytest.mark.parametrize("name", BAD_DAYS)
def test_every_bad_day_begins_explains_itself_and_ends(rehearsal, name):
    rehearsal.bad_day(name)
    usual = {key: type(vendor.settings)() for key, vendor in rehearsal.vendors.items()}
    assert any(vendor.faults.as_dicts() or vendor.settings != usual[key] for key, vendor in rehearsal.vendors.items())
    assert BAD_DAYS[name].sentence.endswith(".")
    rehearsal.reset()
    assert all(not v.faults.as_dicts() and v.settings == usual[key] for key, v in rehearsal.vendors.items())


def test_on_a_day_of_lost_answers_every_fifth_add_is_applied_unseen(rehearsal):
    rehearsal.bad_day("lost-answers")
    client = LeadLexClient(rehearsal)
    list_id, ids = client.list_id(), client.contact_ids(PHONES[:5])
    for one in ids[:4]:
        assert client.add(list_id, [one]).status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.add(list_id, ids[4:])
    assert rehearsal.leadlex.members(list_id) == PHONES[:5]


def test_every_kind_of_fault_has_a_sentence():
    assert all(kind.sentence.endswith(".") for kind in KINDS.values())
