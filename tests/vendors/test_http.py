"""The one way out: addresses, deadlines, sizes, and whether a failed request had left."""

import gzip
import socket
import threading
import time

import pytest

from lists.vendors import http
from lists.vendors.errors import NotSent, OutcomeUnknown, VendorBusy, VendorNotConfigured
from lists.vendors.records import Request

POST = Request("add", "POST", "/things", json={"a": 1})
GET = Request("read", "GET", "/things", reads=True)


def send(network, request=POST, *, url="", **limits):
    transport = http.Transport(**{"connect_timeout": 1, "read_timeout": 1, "deadline": 2, **limits})
    return transport.send(url or network.url, request, {"Authorization": "Bearer secret-in-tests"}, label="Northwind")


# Where to


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "2002:0a00:0001::",
        "64:ff9b::a9fe:a9fe",
        "ff02::1",
    ],
)
def test_no_address_inside_a_network_stands_behind_a_vendor(address):
    assert not http.may_connect("api.example.com", address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "64:ff9b::5db8:d70e"])
def test_a_public_address_may_stand_behind_a_vendor(address):
    assert http.may_connect("api.example.com", address)


def test_a_loopback_name_leads_to_loopback_only():
    assert http.may_connect("localhost", "127.0.0.1")
    assert not http.may_connect("localhost", "93.184.215.14")


def test_a_host_that_turns_to_a_private_address_is_not_called(network, monkeypatch):
    port = int(network.url.rpartition(":")[2])
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    )
    with pytest.raises(VendorNotConfigured, match="private network"):
        send(network, url=f"http://api.example.com:{port}")
    assert network.connections == 0


def test_one_private_address_among_public_ones_is_enough_to_refuse(network, monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.215.14", "169.254.169.254")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(VendorNotConfigured):
        send(network, url="https://api.example.com")


def test_an_operator_may_add_a_host_with_or_without_its_port():
    hosts = ("api.example.com",)
    assert http.judge_base_url("http://127.0.0.1:8001/x", "Northwind", hosts, ["127.0.0.1"]) == ""
    assert http.judge_base_url("http://127.0.0.1:8001/x", "Northwind", hosts, ["127.0.0.1:8001"]) == ""
    assert "VENDOR_HOSTS" in http.judge_base_url("http://127.0.0.1:8002", "Northwind", hosts, ["127.0.0.1:8001"])
    assert "https" in http.judge_base_url("http://proxy.example.org", "Northwind", hosts, ["proxy.example.org"])


def test_a_host_below_a_wildcard_is_the_vendors_own():
    assert http.judge_base_url("https://eu.example.com", "Northwind", ("*.example.com",)) == ""
    assert http.judge_base_url("https://example.com.evil.org", "Northwind", ("*.example.com",))
    assert http.judge_base_url("https://evilexample.com", "Northwind", ("*.example.com",))


# Nothing from outside


def test_the_environment_is_not_asked(network, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    network.answers({})
    assert send(network).status == 200
    assert network.received[0].headers["Authorization"] == "Bearer secret-in-tests"


def test_a_redirect_is_an_answer_and_is_not_followed(network):
    network.answers({}, 307, Location=f"{network.url}/elsewhere")
    assert send(network).status == 307
    assert len(network.received) == 1


def test_cookies_are_not_kept(network):
    network.answers({}, Set_Cookie="who=me; Path=/")
    transport = http.Transport()
    for _ in range(2):
        transport.send(network.url, GET, {}, label="Northwind")
    assert "Cookie" not in network.received[1].headers


def test_one_connection_carries_many_requests(network):
    network.answers({})
    transport = http.Transport()
    for _ in range(5):
        transport.send(network.url, POST, {}, label="Northwind")
    assert network.connections == 1


def test_a_connection_idle_for_long_is_not_trusted(network, monkeypatch):
    network.answers({})
    transport = http.Transport()
    transport.send(network.url, POST, {}, label="Northwind")
    monkeypatch.setattr(http, "MAX_IDLE", 0.0)
    time.sleep(0.05)
    transport.send(network.url, POST, {}, label="Northwind")
    assert network.connections == 2


def test_each_thread_has_a_connection_of_its_own(network):
    network.answers({})
    transport = http.Transport()
    threads = [
        threading.Thread(target=lambda: transport.send(network.url, GET, {}, label="Northwind")) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert network.connections == 3


# How long and how much


def drip(sock: socket.socket, head: bytes, step: float = 0.05) -> None:
    sock.sendall(head)
    for _ in range(200):
        sock.sendall(b"x")
        time.sleep(step)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\nX: ",
    ],
)
def test_an_answer_that_drips_ends_at_the_deadline(network, head):
    network.behaves(lambda sock: drip(sock, head))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="in time"):
        send(network, deadline=0.5)
    assert time.monotonic() - started < 8


def test_silence_ends_at_the_read_timeout(network):
    network.behaves(lambda sock: time.sleep(1.5))
    with pytest.raises(OutcomeUnknown, match="did not answer in time"):
        send(network, read_timeout=0.2)


@pytest.mark.parametrize("length", [b"Content-Length: 50000000\r\n", b"Connection: close\r\n"])
def test_a_body_beyond_the_cap_is_not_read_to_its_end(network, length):
    def flood(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n")
        for _ in range(800):
            sock.sendall(b" " * 65_536)

    network.behaves(flood)
    with pytest.raises(OutcomeUnknown, match="longer than 1 MB"):
        send(network, max_body=1024 * 1024)


def test_a_bomb_is_not_unpacked(network):
    network.answers(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")
    with pytest.raises(OutcomeUnknown, match="when unpacked"):
        send(network)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(b'{"a": 1}', "gzip"), (gzip.compress(b'{"a": 1}', mtime=0)[:-12], "gzip"), (b'{"a": 1}', "br"), (b"", "zstd")],
)
def test_a_compression_that_lies_is_an_unreadable_answer(network, body, encoding):
    network.answers(body, Content_Encoding=encoding)
    with pytest.raises(OutcomeUnknown, match="compressed"):
        send(network)


def test_an_honest_compression_is_read(network):
    network.answers(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")
    assert send(network).json() == {"a": 1}


# Whether it had left


def test_a_port_nobody_listens_on_was_not_sent(network):
    with pytest.raises(NotSent, match="refused"):
        send(network, url="http://127.0.0.1:1")


def test_a_name_without_an_address_was_not_sent(network, monkeypatch):
    def no_address(*_args, **_kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    with pytest.raises(NotSent, match="no address"):
        send(network, url="https://api.example.com")


def test_a_failed_handshake_was_not_sent(network):
    network.answers({})
    with pytest.raises(NotSent, match=r"securely|closed the connection"):
        send(network, url=network.url.replace("http:", "https:"))
    assert not network.received


def test_a_host_that_lets_nobody_in_was_not_sent():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port = server.getsockname()[1]
        held = []
        for _ in range(3):  # fill its queue
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
            held.append(waiting)
        with pytest.raises(NotSent, match="in time"):
            send(None, url=f"http://127.0.0.1:{port}", connect_timeout=0.3)
        for waiting in held:
            waiting.close()


def test_a_request_cut_off_while_leaving_was_not_sent():
    def cut(server: socket.socket) -> None:
        connection, _ = server.accept()
        connection.recv(1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=cut, args=(server,), daemon=True).start()
        huge = Request("add", "POST", "/", json={"a": "x" * 30_000_000})
        with pytest.raises(NotSent):
            send(None, huge, url=f"http://127.0.0.1:{server.getsockname()[1]}")


def test_a_connection_reset_after_the_request_is_unknown(network):
    def reset(sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    network.behaves(reset)
    with pytest.raises(OutcomeUnknown, match="closed the connection"):
        send(network)


def test_half_an_answer_is_unknown(network):
    network.behaves(lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
    with pytest.raises(OutcomeUnknown):
        send(network)


def test_a_read_without_an_answer_may_be_repeated(network):
    network.behaves(lambda sock: None)
    with pytest.raises(VendorBusy):
        send(network, GET)


def test_an_error_of_the_network_carries_no_library_error_along(network):
    network.behaves(lambda sock: None)
    with pytest.raises(OutcomeUnknown) as caught:
        send(network)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
