"""The one way out: one HTTP request, with a deadline over all of it, a size cap and a checked address.

`requests` knows timeouts per socket read only, so an answer that drips a byte a second never ends: a watchdog shuts
such a connection down. It is the library's adapter that is used, not its session: so there are no redirects, cookies,
proxies or credentials from the environment, and repeats are switched off. What goes wrong is told apart by
one question, whether the request had left completely, for that is what decides if it may be sent again.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import socket
import threading
import time
import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.filepost import encode_multipart_formdata

from .errors import NotSent, OutcomeUnknown, VendorBusy, VendorError, VendorNotConfigured
from .records import Answer, Request

CONNECT_TIMEOUT = 3.0  # seconds
READ_TIMEOUT = 30.0  # seconds without a single byte
DEADLINE = 60.0  # seconds for the whole of it: connecting, sending, headers and body
MAX_BODY = 10 * 1024 * 1024  # bytes, after decompression too
# A connection idle for longer is not used again: the other side may be closing it at this very moment, and a request
# written into a closing connection is one whose outcome nobody knows.
MAX_IDLE = 15.0  # seconds
HEADERS = {"User-Agent": "contactadmin", "Accept": "application/json", "Accept-Encoding": "gzip"}
_CHUNK = 64 * 1024
_LOOPBACK_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


# Which addresses may be called


def judge_base_url(base_url: str, label: str, hosts: Sequence[str], allowed_hosts: Sequence[str] = ()) -> str:
    """Why a vendor must not be looked for at this URL, as a sentence; empty when it may.

    hosts          the vendor's own: exact names, or "*.example.com" for all below it
    allowed_hosts  the operator's additions: "name" (any port) or "name:port"
    """
    try:
        url = urlsplit(base_url)
        host, port = url.hostname or "", url.port
    except ValueError:
        return "The base URL is not an address. Write it like https://example.com."
    if not host or any(char.isspace() or not char.isprintable() for char in base_url):
        return "The base URL is not an address. Write it like https://example.com."
    if url.username is not None or url.password is not None:
        return "The base URL contains a user name or password. Credentials have their own fields."
    if url.query or url.fragment or "?" in base_url or "#" in base_url:
        return "The base URL ends with a query or fragment. Leave out everything from ? or # on."
    if any(part in (".", "..") for part in url.path.split("/")) or "%" in url.path or "\\" in base_url:
        return "The path of the base URL contains dots, % or a backslash. Write it plainly."
    added = host in allowed_hosts or (port is not None and f"{host}:{port}" in allowed_hosts)
    own = any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in hosts)
    if not (added or own):
        return f"{host} is not a host of {label}. An operator can add it to VENDOR_HOSTS."
    if url.scheme == "http" and host in _LOOPBACK_NAMES:
        return ""
    if url.scheme != "https":
        return "The base URL must begin with https://."
    if not added and port not in (None, 443):
        return f"{label} answers on the usual port. Leave out :{port}."
    return ""


def may_connect(host: str, address: str) -> bool:
    """Whether this address may stand behind this host: the public internet, or loopback for a loopback name."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if host in _LOOPBACK_NAMES:
        return ip.is_loopback
    if isinstance(ip, ipaddress.IPv6Address):
        # addresses that carry an IPv4 address lead to that one
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None and not inner.is_global:
            return False
    return ip.is_global and not ip.is_multicast


# One attempt and the dog that watches it


class _Attempt:
    """What is known of one request under way.

    guard   a second handle on its connection, by which another thread can shut it down
    orphan  a guard whose connection object was let go before the answer was read to its end ("Connection: close")
    """

    __slots__ = ("deadline", "expired", "guard", "orphan", "sent")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = False
        self.guard: socket.socket | None = None
        self.orphan: socket.socket | None = None
        self.sent = False  # all of the request has been handed over

    def check(self) -> None:
        if self.expired:
            raise TimeoutError("deadline passed")


class _Watchdog:
    """One thread for all attempts of the process; shuts those down whose deadline has passed."""

    STEP = 0.25  # seconds

    def __init__(self) -> None:
        self.start_over()
        os.register_at_fork(after_in_child=self.start_over)  # the child has neither the thread nor its attempts

    def start_over(self) -> None:
        self._attempts: set[_Attempt] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def watch(self, attempt: _Attempt) -> None:
        with self._changed:
            self._attempts.add(attempt)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="vendor-deadlines", daemon=True)
                self._thread.start()
            elif len(self._attempts) == 1:
                self._changed.notify()

    def release(self, attempt: _Attempt) -> None:
        with self._changed:
            self._attempts.discard(attempt)
        if attempt.orphan is not None:
            attempt.orphan.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._attempts:
                    self._changed.wait()
                now = time.monotonic()
                for attempt in [attempt for attempt in self._attempts if attempt.deadline < now]:
                    self._attempts.discard(attempt)
                    attempt.expired = True
                    if attempt.guard is not None:
                        _shut(attempt.guard)
            time.sleep(self.STEP)


def _shut(guard: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed already, which is what was wanted
        guard.shutdown(socket.SHUT_RDWR)


_watchdog = _Watchdog()
_current = threading.local()  # .attempt: the one this thread is making


class _Watched:
    """Mixed into urllib3's connections: connects to checked addresses only and keeps the attempt informed."""

    host: str
    port: int
    timeout: Any
    socket_options: Any
    _guard: socket.socket | None = None
    _parts: list[bytes] | None = None

    def _new_conn(self) -> socket.socket:
        host = self.host.strip("[]")
        try:
            found = socket.getaddrinfo(host, self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NameResolutionError(host, self, error) from error  # type: ignore[arg-type]
        _current.attempt.check()
        refused = [entry for entry in found if not may_connect(host, str(entry[4][0]))]
        if refused:
            raise VendorNotConfigured(
                f"{host} leads to an address inside a private network, which is never called. Check the base URL."
            )
        problem: OSError = OSError("no address")
        for family, kind, protocol, _name, address in found:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in self.socket_options or ():
                    sock.setsockopt(*option)
                sock.settimeout(float(self.timeout))
                # a second handle on the same connection, for TLS takes the first one over
                self._hold(sock.dup())
                sock.connect(address)
            except OSError as error:
                sock.close()
                problem = error
                _current.attempt.check()
            else:
                return sock
        if isinstance(problem, TimeoutError):
            raise ConnectTimeoutError(self, "connecting took too long") from problem
        raise NewConnectionError(self, "connecting failed") from problem  # type: ignore[arg-type]

    def request(self, *args: Any, **kwargs: Any) -> None:
        attempt = _current.attempt
        attempt.guard = self._guard
        attempt.check()
        self._parts = []
        try:
            super().request(*args, **kwargs)  # type: ignore[misc]
            whole = b"".join(self._parts)
        finally:
            self._parts = None
        self.send(whole)
        attempt.sent = True

    def send(self, data: Any) -> None:
        """Head and body leave in one piece: a small request is one packet, and one call to the system."""
        if self._parts is None:
            super().send(data)  # type: ignore[misc]
        else:
            self._parts.append(data)

    def close(self) -> None:
        attempt = getattr(_current, "attempt", None)
        if attempt is not None and attempt.guard is self._guard:
            attempt.orphan, self._guard = self._guard, None
        self._hold(None)
        super().close()  # type: ignore[misc]

    def _hold(self, guard: socket.socket | None) -> None:
        if self._guard is not None:
            self._guard.close()
        self._guard = guard
        if guard is not None:
            _current.attempt.guard = guard


class _HTTPConnection(_Watched, HTTPConnection):
    pass


class _HTTPSConnection(_Watched, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


class Transport:
    """Carries requests; a connection of its own for each thread. Times in seconds, sizes in bytes."""

    def __init__(
        self,
        *,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        deadline: float = DEADLINE,
        max_body: int = MAX_BODY,
    ) -> None:
        self.timeout = (connect_timeout, read_timeout)
        self.deadline = deadline
        self.max_body = max_body
        self._local = threading.local()

    def adapter(self) -> HTTPAdapter:
        """This thread's, which keeps one connection."""
        local = self._local
        now = time.monotonic()
        if not hasattr(local, "adapter"):
            local.adapter = _Adapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        elif now - local.used_at > MAX_IDLE:
            local.adapter.close()
        local.used_at = now
        return local.adapter

    def send(self, base_url: str, request: Request, headers: dict[str, str], *, label: str) -> Answer:
        """The answer, whatever its status. Raises NotSent, OutcomeUnknown, for a read VendorBusy instead of it."""
        adapter = self.adapter()
        prepared = _prepare(base_url, request, headers)
        started = time.monotonic()
        attempt = _Attempt(started + self.deadline)
        _current.attempt = attempt
        _watchdog.watch(attempt)
        try:
            response = adapter.send(prepared, stream=True, timeout=self.timeout, verify=True, proxies={})
            try:
                body = self._read(response)
                attempt.check()  # a connection that was shut down reads like one that ended well
            finally:
                response.close()
            self._local.used_at = time.monotonic()
            return Answer(response.status_code, response.headers, body, self._local.used_at - started)
        except VendorError:
            raise
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, _Unfit) as error:
            cause = _cause(error, attempt)
        finally:
            _watchdog.release(attempt)
            _current.attempt = None
        # Raised only here, so that no library error hangs on it: those carry the whole request, credentials included.
        raise _failure(cause, label, request, attempt)

    def _read(self, response: requests.Response) -> bytes:
        unpack = _unpacker(response.headers.get("Content-Encoding", ""))
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > self.max_body:
                raise _Unfit(f"is longer than {self.max_body // 1024 // 1024} MB")
            parts.append(chunk)
        body = b"".join(parts)
        if unpack is None or not body:
            return body
        try:
            body = unpack.decompress(body, self.max_body + 1)
        except zlib.error:
            raise _Unfit("is compressed in a way that cannot be read") from None
        if len(body) > self.max_body:
            raise _Unfit(f"is longer than {self.max_body // 1024 // 1024} MB when unpacked")
        if not unpack.eof:
            raise _Unfit("is compressed and ends too early")
        return body


class _Unfit(Exception):
    """An answer that came and cannot be used; the text completes “The answer …”."""


def _unpacker(encoding: str) -> Any:
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # tells gzip and zlib apart by itself
    raise _Unfit("is compressed in a way we did not ask for")


def _prepare(base_url: str, request: Request, headers: dict[str, str]) -> requests.PreparedRequest:
    headers = {**HEADERS, **headers, **request.headers}
    body: bytes | None = None
    if request.csv is not None:
        fields: list[tuple[str, Any]] = list(request.form.items())
        fields.append((request.csv_field, ("contacts.csv", request.csv.encode(), "text/csv")))
        body, headers["Content-Type"] = encode_multipart_formdata(fields)
    elif request.json is not None:
        body = request.body
        headers["Content-Type"] = "application/json"
    prepared = requests.PreparedRequest()
    prepared.prepare(request.method, base_url + request.path, headers=headers, params=request.params, data=body)
    return prepared


def _cause(error: BaseException, attempt: _Attempt) -> str:
    """The rest of a sentence that begins with the vendor's name. Nothing of the library's own text: it quotes URLs."""
    if attempt.expired:
        return "did not finish its answer in time"
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, _Unfit):
            return f"gave an answer that {seen}"
        if isinstance(seen, NameResolutionError):
            return "could not be found: its host name has no address at the moment"
        if isinstance(seen, NewConnectionError):
            return "could not be reached: the connection was refused"
        if isinstance(seen, ConnectTimeoutError | requests.ConnectTimeout):
            return "could not be reached in time"
        if isinstance(seen, urllib3.exceptions.SSLError | requests.exceptions.SSLError):
            return "could not be reached securely: its certificate or TLS was not accepted"
        if isinstance(seen, urllib3.exceptions.ReadTimeoutError | requests.ReadTimeout | TimeoutError):
            return "did not answer in time"
        reason = getattr(seen, "reason", None)
        inner = [arg for arg in seen.args if isinstance(arg, BaseException)]
        seen = reason if isinstance(reason, BaseException) else inner[0] if inner else seen.__cause__
    return "closed the connection" + ("" if attempt.sent else " before the whole request had left")


def _failure(cause: str, label: str, request: Request, attempt: _Attempt) -> VendorError:
    if not attempt.sent:
        return NotSent(f"{label} {cause}. Nothing was changed there.", attempts=1)
    if request.reads:
        return VendorBusy(f"{label} {cause}. It was only asked, so nothing was changed.", attempts=1)
    return OutcomeUnknown(f"{label} {cause}. Whether it applied the request is not known.", attempts=1)
