"""Web, worker and rehearsal in one terminal, as real processes."""

import http.client
import os
import signal
import socket
import urllib.request

import pytest

from tests.processes import start, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def says_something(port: int) -> bool:
    """Answers a request, with whatever status; a server that only listens may still be starting."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        client.request("GET", "/")
        return bool(client.getresponse().status)
    except OSError:
        return False
    finally:
        client.close()


def children(pid: int) -> dict[int, str]:
    """{process id: command line} of a process's children."""
    found = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/cmdline") as line:
                if int(stat.read().rpartition(")")[2].split()[1]) == pid:
                    found[int(entry)] = line.read().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture
def serving():
    """(process, web port, rehearsal port)"""
    web, rehearsal = free_port(), free_port()
    process = start("serve", "--port", str(web), "--rehearsal-port", str(rehearsal))
    try:
        wait_for(lambda: says_something(web) and says_something(rehearsal))
        yield process, web, rehearsal
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def test_everything_runs_and_ends_together(serving):
    process, web, rehearsal = serving
    assert len(children(process.pid)) == 3
    with urllib.request.urlopen(f"http://127.0.0.1:{rehearsal}/_state") as state:
        assert state.status == 200
    started = children(process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=90) == 0
    assert not answers(web)
    assert not [pid for pid in started if os.path.exists(f"/proc/{pid}")]


def test_a_dead_child_is_started_again(serving):
    process, _, _ = serving
    (worker,) = [pid for pid, line in children(process.pid).items() if " worker" in line]
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: any(" worker" in line for pid, line in children(process.pid).items() if pid != worker))


def test_the_children_die_with_a_parent_that_is_killed(serving):
    process, web, rehearsal = serving
    process.kill()
    process.wait()
    wait_for(lambda: not answers(web) and not answers(rehearsal))


def test_a_port_in_use_is_told_in_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("serve", "--port", str(port))
        words, _ = process.communicate(timeout=90)
    assert process.returncode == 2
    assert f"Port {port} cannot be used" in words
