"""The book, the control addresses, and the port they are on."""

import concurrent.futures
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from lists.rehearsal import ADDRESS_BOOK, Rehearsal
from tests.rehearsal.clients import PHONES, ExotelClient, KoreClient, LeadLexClient


def control(rehearsal: Rehearsal, order: object) -> requests.Response:
    return requests.post(f"{rehearsal.url}/_control", json=order, timeout=30)


def test_the_book_tells_every_request_and_every_contact_that_took_effect(rehearsal):
    client = LeadLexClient(rehearsal)
    list_id, ids = client.list_id(), client.contact_ids(PHONES[:3])
    before = time.time()
    client.add(list_id, ids[:2])
    client.add(list_id, ids)
    entries = rehearsal.book.requests("leadlex", "add_to_list")
    assert [(e.method, e.status, e.contacts_sent, e.contacts_applied) for e in entries] == [
        ("POST", 200, 2, 2),
        ("POST", 200, 3, 1),
    ]
    assert json.loads(entries[0].body) == {"contact_ids": ids[:2]}
    assert all(before <= moment <= time.time() for moment in rehearsal.book.times("leadlex", "add_to_list"))
    told = requests.get(f"{rehearsal.url}/_book", params={"vendor": "leadlex", "bodies": 1}, timeout=30).json()
    assert [entry["operation"] for entry in told["requests"]] == [
        "create_list",
        "create_contacts",
        "add_to_list",
        "add_to_list",
    ]
    assert [batch["phones"] for batch in told["applied"]["leadlex"][list_id]] == [PHONES[:2], PHONES[2:3]]
    assert told["applied"]["leadlex"][ADDRESS_BOOK][0]["request"] == 2
    since = requests.get(f"{rehearsal.url}/_book", params={"since": entries[0].number}, timeout=30).json()
    assert [entry["number"] for entry in since["requests"]] == [entries[1].number]
    assert "body" not in since["requests"][0]


def test_the_book_enters_what_was_queued_at_the_moment_it_was_applied(rehearsal):
    rehearsal.kore.set(apply_delay=1.0)
    client = KoreClient(rehearsal)
    list_id = client.create().json()["data"]["_id"]
    client.add("callbacks", PHONES[:2])
    assert rehearsal.book.applied("kore", list_id) == []
    time.sleep(1.01)
    (application,) = rehearsal.book.applications("kore", list_id)
    entry = rehearsal.book.requests("kore", "add_to_list")[0]
    assert (application.phones, application.request, entry.contacts_applied) == (PHONES[:2], entry.number, 2)
    assert application.time - entry.time == pytest.approx(1.0, abs=0.5)


def test_faults_switches_and_bad_days_are_ordered_over_http(rehearsal):
    fault = {"operation": "read_lists", "status": 429, "retry_after": 3, "times": None}
    assert control(rehearsal, {"vendor": "leadlex", "fault": fault}).json()["leadlex"]["faults"][0]["kind"] == "status"
    client = LeadLexClient(rehearsal)
    assert [client("GET", "/lists").headers["Retry-After"] for _ in range(2)] == ["3", "3"]
    control(rehearsal, {"vendor": "exotel", "settings": {"readd": "409"}})
    assert requests.get(f"{rehearsal.url}/_state", timeout=30).json()["exotel"]["settings"]["readd"] == "409"
    control(rehearsal, {"fault": "kore-never-applies"})
    assert rehearsal.kore.settings.apply_share == 0
    control(rehearsal, {"reset": True})
    assert client("GET", "/lists").status_code == 200
    assert rehearsal.kore.settings.apply_share == 1


def test_a_vendor_gains_and_loses_contacts_by_itself(rehearsal):
    KoreClient(rehearsal).create("callbacks")
    LeadLexClient(rehearsal).list_id("callbacks")
    ExotelClient(rehearsal).list_sid("callbacks")
    for key, vendor in rehearsal.vendors.items():
        control(rehearsal, {"vendor": key, "gain": {"list": "callbacks", "phones": PHONES[:3]}})
        control(rehearsal, {"vendor": key, "lose": {"list": "callbacks", "phones": PHONES[:1]}})
        assert vendor.members("callbacks") == PHONES[1:3]
    state = requests.get(f"{rehearsal.url}/_state", timeout=30).json()
    assert [lists["count"] for lists in state["leadlex"]["accounts"]["demo"]["lists"]] == [2]
    control(rehearsal, {"forget": True})
    assert rehearsal.leadlex.all_lists == []
    assert rehearsal.book.requests() == []


@pytest.mark.parametrize(
    "order",
    [
        [],
        {"vendor": "nobody"},
        {"fault": "sunday"},
        {"vendor": "kore", "fault": {"kind": "x"}},
        {"vendor": "kore", "settings": {"x": 1}},
        {"vendor": "kore", "gain": {"list": "none", "phones": []}},
        {"vendor": "exotel", "operation": "add_to_list", "kind": "timeout"},
    ],
)
def test_an_order_that_cannot_be_understood_is_refused_in_a_sentence(rehearsal, order):
    answer = control(rehearsal, order)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


def test_what_may_be_ordered_is_told(rehearsal):
    choices = requests.get(f"{rehearsal.url}/_control", timeout=30).json()
    assert "busy" in choices["bad_days"]
    assert "add_to_list" in choices["operations"]["exotel"]
    assert choices["kinds"]["status"]["sentence"]
    assert requests.get(f"{rehearsal.url}/elsewhere", timeout=30).status_code == 404


def test_a_hundred_clients_are_served_at_once(rehearsal):
    rehearsal.leadlex.set(per_minute=0, latency=0.2)
    client = LeadLexClient(rehearsal)
    list_id = client.list_id()
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        made = list(pool.map(lambda phone: client.contact_ids([phone])[0], PHONES))
        answers = list(pool.map(lambda one: client.add(list_id, [one]).json()["data"]["added"], made))
    assert (answers, len(rehearsal.leadlex.members(list_id))) == ([1] * 100, 100)
    assert time.monotonic() - started < 100 * 0.2


def test_a_connection_is_kept_for_the_next_request(rehearsal):
    with socket.create_connection(("127.0.0.1", rehearsal.port), timeout=30) as connection:
        for _ in range(2):
            connection.sendall(b"GET /kore/nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"404 Not Found" in connection.recv(4096)


def test_a_body_of_unknown_length_is_refused(rehearsal):
    url = f"{rehearsal.url}/leadlex/v1/lists"
    assert requests.post(url, data=iter([b"{}"]), timeout=30).status_code == 413


@pytest.mark.processes
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_the_command_tells_its_port_and_ends_well(ending):
    command = [sys.executable, "manage.py", "rehearsal", "--json", "--fault", "keys-revoked"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            told = json.loads(process.stdout.readline())
            choices = requests.get(f"http://127.0.0.1:{told['port']}/_state", timeout=30).json()
            assert choices["kore"]["faults"][0]["kind"] == "status"
        finally:
            process.send_signal(ending)
        assert process.wait(timeout=60) == 0


def test_a_port_that_is_taken_is_refused_in_a_sentence(rehearsal):
    command = [sys.executable, "manage.py", "rehearsal", "--port", str(rehearsal.port)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20, check=False)
    assert done.returncode == 2
    assert f"Port {rehearsal.port} cannot be used" in done.stderr


def test_what_the_vendors_store_outlives_a_restart(tmp_path):
    memory = tmp_path / "rehearsal.memory"
    with Rehearsal(memory=memory) as first:
        kore, leadlex, exotel = KoreClient(first), LeadLexClient(first), ExotelClient(first)
        kore_list = kore.create().json()["data"]["_id"]
        kore.add("callbacks", PHONES[:2])  # queued, and not yet applied when the vendor goes
        list_id, ids = leadlex.list_id(), leadlex.contact_ids(PHONES[:3])
        leadlex.add(list_id, ids)
        sids = exotel.contact_sids(PHONES[:2])
    with Rehearsal(memory=memory) as second:
        second.kore.set(apply_delay=0.0)
        assert second.leadlex.members(list_id) == PHONES[:3]
        assert second.kore.find_list("callbacks").id == kore_list
        assert set(ExotelClient(second).contact_sids(PHONES[2:4])).isdisjoint(sids)
        assert LeadLexClient(second).add(list_id, ids).json()["data"]["added"] == 0


def test_a_memory_that_cannot_be_read_is_left_aside(tmp_path):
    memory = tmp_path / "rehearsal.memory"
    memory.write_bytes(b"not a memory")
    with Rehearsal(memory=memory) as rehearsal:
        assert rehearsal.leadlex.all_lists == []
        LeadLexClient(rehearsal).list_id()
    with Rehearsal(memory=memory) as again:
        assert len(again.leadlex.all_lists) == 1
