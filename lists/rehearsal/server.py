"""The three vendors on one loopback port, over real HTTP.

/kore/…  /leadlex/…  /exotel/…     the vendors
POST /_control                     faults, switches and bad days
GET  /_control                     what may be asked of it
GET  /_book                        what was received and applied (?vendor= ?operation= ?since= ?bodies=1)
GET  /_state                       switches, faults to come, lists with their sizes
"""

from __future__ import annotations

import json
import logging
import pickle
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from .book import Book
from .exotel import Exotel
from .faults import BAD_DAYS, KINDS, Fault
from .kore import Kore
from .leadlex import LeadLex
from .vendor import Call, Vendor
from .wire import Reply, Wire

HOST = "127.0.0.1"  # and nowhere else: nothing here is fit for a network
LARGEST_BODY = 100_000_000
QUIET = 1.0  # seconds without a change before what is stored is written down
ORDER = ("vendor", "fault", "settings", "gain", "lose", "campaign", "reset", "forget")
GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError)

log = logging.getLogger(__name__)


class Rehearsal:
    """The rehearsal vendors, running while this is entered as a context (or between `start` and `stop`).

    port    0 takes any free one; `url` tells which
    seed    the same seed gives the same ids and the same chances
    memory  a file that keeps what the vendors store from one run to the next; without one they forget
    """

    def __init__(self, port: int = 0, *, seed: int = 0, memory: Path | None = None) -> None:
        self.book = Book(before_reading=self.settle)
        self.kore = Kore(self.book, seed)
        self.leadlex = LeadLex(self.book, seed)
        self.exotel = Exotel(self.book, seed)
        self.vendors: dict[str, Vendor] = {each.key: each for each in (self.kore, self.leadlex, self.exotel)}
        self.memory = memory
        self.changed_at = 0.0  # monotonic; 0 when all is written down
        self.stopping = threading.Event()
        self._server = Server((HOST, port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, name="rehearsal", daemon=True
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()
        if self.memory:
            self.recall(self.memory)
            threading.Thread(target=self._write_down_when_quiet, name="rehearsal-memory", daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.write_down()

    def recall(self, memory: Path) -> None:
        """Take up what an earlier run wrote down; a file from another version is left aside."""
        if not memory.exists():
            return
        try:
            stored = pickle.loads(memory.read_bytes())  # noqa: S301 - our own file, beside the database
            for key, vendor in self.vendors.items():
                vendor.recall(stored[key])
        except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, KeyError, TypeError):
            log.warning("What the rehearsal vendors stored cannot be read any more; they begin empty.")
            self.forget()

    def write_down(self) -> None:
        if self.memory and self.changed_at:
            self.changed_at = 0.0
            stored = {key: vendor.stored() for key, vendor in self.vendors.items()}
            self.memory.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.memory.with_suffix(".new")
            fresh.write_bytes(pickle.dumps(stored))
            fresh.replace(self.memory)

    def _write_down_when_quiet(self) -> None:
        while not self.stopping.wait(QUIET / 2):
            if self.changed_at and time.monotonic() - self.changed_at > QUIET:
                self.write_down()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def base_urls(self) -> dict[str, str]:
        """{vendor: the base URL of a connection to it}."""
        return {key: f"{self.url}/{key}" for key in self.vendors}

    def bad_day(self, name: str) -> None:
        """Begin a bad day, on top of whatever goes on already; KeyError for one that is not in BAD_DAYS."""
        day = BAD_DAYS[name]
        for vendor, operation, kind, options in day.faults:
            self.vendors[vendor].faults.always(operation, kind, **options)
        for vendor, changes in day.settings.items():
            self.vendors[vendor].set(**changes)

    def reset(self) -> None:
        """An ordinary day at every vendor. What is stored and the book stay."""
        for vendor in self.vendors.values():
            vendor.reset()

    def forget(self) -> None:
        """Lose everything stored, and the book."""
        for vendor in self.vendors.values():
            vendor.forget()
        self.book.clear()

    def settle(self) -> None:
        for vendor in self.vendors.values():
            vendor.settle_now()

    def state(self) -> dict[str, Any]:
        return {key: vendor.state() for key, vendor in self.vendors.items()}

    def control(self, order: Any) -> dict[str, Any]:
        """Carry out one order, as POSTed to /_control; ValueError, with a sentence, when it cannot be understood.

        {"fault": "busy"}                                    a bad day by name
        {"vendor": "kore", "fault": {"operation": "add_to_list", "status": 429, "times": 3}}
                                                             a fault; `times` 1 when left out, null for ever
        {"vendor": "exotel", "settings": {"readd": "409"}}   switches
        {"vendor": "kore", "gain": {"list": id or name, "phones": […]}}   also `lose`, and "campaign": id or name
        {"reset": true}, {"forget": true}                    of one vendor, or of all when none is named
        """
        if not isinstance(order, dict):
            raise ValueError("Send a JSON object.")
        if strangers := sorted(order.keys() - ORDER):
            raise ValueError(
                f"No order has “{strangers[0]}” beside its vendor; what a fault is goes inside “fault”. "
                f"There are: {', '.join(ORDER)}."
            )
        vendors = self._meant(order.get("vendor"))
        if order.get("reset"):
            for vendor in vendors:
                vendor.reset()
        if order.get("forget"):
            self.forget() if "vendor" not in order else vendors[0].forget()
        fault = order.get("fault")
        if isinstance(fault, str):
            if fault not in BAD_DAYS:
                raise ValueError(f"No bad day is called “{fault}”. There are: {', '.join(BAD_DAYS)}.")
            self.bad_day(fault)
        for vendor in vendors:
            if isinstance(fault, dict):
                vendor.faults.add(**{"operation": "*", **fault})
            if settings := order.get("settings"):
                vendor.set(**settings)
            self._by_hand(vendor, order)
        return {
            vendor.key: {"settings": vendor.settings.as_dict(), "faults": vendor.faults.as_dicts()}
            for vendor in vendors
        }

    def _meant(self, name: Any) -> list[Vendor]:
        if name is None:
            return list(self.vendors.values())
        if name not in self.vendors:
            raise ValueError(f"No vendor is called “{name}”. There are: {', '.join(self.vendors)}.")
        return [self.vendors[name]]

    def _by_hand(self, vendor: Vendor, order: dict[str, Any]) -> None:
        try:
            if gain := order.get("gain"):
                vendor.gain(gain["list"], gain["phones"])
            if lose := order.get("lose"):
                vendor.lose(lose["list"], lose["phones"])
            if campaign := order.get("campaign"):
                vendor.use_in_campaign(campaign)
        except KeyError as error:
            raise ValueError(f"{vendor.key} has no list {error}, or the order names none.") from error

    def choices(self) -> dict[str, Any]:
        """What may be asked: bad days and kinds of fault with their sentences, operations, switches."""
        return {
            "bad_days": {name: day.sentence for name, day in BAD_DAYS.items()},
            "kinds": {name: {"sentence": each.sentence, **each.options} for name, each in KINDS.items()},
            "operations": {key: list(vendor.operations) for key, vendor in self.vendors.items()},
            "settings": {key: vendor.settings.as_dict() for key, vendor in self.vendors.items()},
        }


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open for ever; we do not wait for it
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self._open: set[socket.socket] = set()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        # Closed without a farewell, so that a connection meant to be reset is.
        self._open.discard(request)
        self.close_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for the next request
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), GONE):
            log.exception("The rehearsal failed to answer a request.")


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def serve(self) -> None:
        path, _, query = self.path.partition("?")
        first, _, rest = path.lstrip("/").partition("/")
        vendor = self.server.rehearsal.vendors.get(first)
        if vendor is not None:
            self.serve_vendor(vendor, "/" + rest, dict(parse_qsl(query, keep_blank_values=True)))
        else:
            wire = Wire(self.connection, self.server.rehearsal.stopping)
            wire.send(self.serve_ourselves(path, dict(parse_qsl(query))))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def serve_vendor(self, vendor: Vendor, path: str, query: dict[str, str]) -> None:
        rehearsal = self.server.rehearsal
        route, params, _ = vendor.find(self.command, path)
        fault = vendor.faults.take(route.operation)
        settings = vendor.settings.changed(fault.settings) if fault and fault.settings else vendor.settings
        wire = Wire(self.connection, rehearsal.stopping, settings.clock_offset)
        body = b"" if fault and fault.kind == "reset_early" else self.read_body()
        if body is None:
            wire.send(Reply.json({"message": "the body is too large or of unknown length"}, 413))
            self.close_connection = True
            return
        entry = rehearsal.book.open(
            vendor.key,
            route.operation,
            method=self.command,
            path=self.path,
            body=body,
            fault=fault.kind if fault else "",
        )
        now = time.monotonic()
        call = Call(
            self.command, path, query, self.headers, body, route, params, settings, entry, now + settings.latency
        )
        if self.command != "GET":
            rehearsal.changed_at = now
        self.answer(wire, vendor, call, fault)

    def answer(self, wire: Wire, vendor: Vendor, call: Call, fault: Fault | None) -> None:
        if fault is None or fault.applied:
            true = vendor.handle(call)
        else:
            true = vendor.error(call, 500, "lost before it was applied")
        if (left := call.answer_at - time.monotonic()) > 0:
            self.server.rehearsal.stopping.wait(left)
        reply = KINDS[fault.kind].play(wire, vendor, call, true, fault.options) if fault else true
        if reply is not None:
            call.entry.status, call.entry.answered = reply.status, time.time()
            wire.send(reply)
        if wire.closed:
            self.close_connection = True

    def serve_ourselves(self, path: str, query: dict[str, str]) -> Reply:
        rehearsal = self.server.rehearsal
        if (self.command, path) == ("GET", "/_book"):
            vendor, operation = query.get("vendor", ""), query.get("operation", "")
            since = int(query["since"]) if query.get("since", "").isdigit() else 0
            return Reply.json(rehearsal.book.as_dict(vendor, operation, since, with_bodies="bodies" in query))
        if (self.command, path) == ("GET", "/_state"):
            return Reply.json(rehearsal.state())
        if (self.command, path) == ("GET", "/_control"):
            return Reply.json(rehearsal.choices())
        if (self.command, path) == ("POST", "/_control"):
            try:
                return Reply.json(rehearsal.control(json.loads(self.read_body() or b"null")))
            except (ValueError, TypeError) as error:
                return Reply.json({"error": str(error)}, 400)
        self.close_connection = True  # a body we have not read would be taken for the next request
        return Reply.json({"error": "Here are /kore, /leadlex, /exotel, /_control, /_book and /_state."}, 404)

    def read_body(self) -> bytes | None:
        """The body; None when its length is unknown or beyond reason."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit() or int(length) > LARGEST_BODY:
            return None
        return self.rfile.read(int(length))

    def log_message(self, format: str, *args: Any) -> None:
        """The book says more than a log line would."""
