"""Faults: what may go wrong between a client and a vendor, each of them on demand.

    vendor.faults.next("add_to_list", status=429, retry_after=2)     the next request only
    vendor.faults.times(3, "add_to_list", "reset", applied=True)     the next three
    vendor.faults.always("*", "slow", seconds=2)                     every request
    vendor.faults.next("add_to_list", item_codes=[200, 404])         a vendor's switch, thrown for one request

An operation may hold wildcards (`"read_*"`). `after=5` lets five requests pass first, `every=3` plays on each third
of them, `share=0.1` on one in ten by a seeded chance. `applied` says whether the vendor does what was asked before it
fails; each kind has its own default. Named bad days, for people, are at the end.
"""

from __future__ import annotations

import gzip
import json
import random
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from .wire import JSON, Reply, Wire

if TYPE_CHECKING:
    from .vendor import Call, Settings, Vendor


@dataclass
class Fault:
    """One thing that will go wrong. `remaining` None is for ever; `played` counts how often it has happened."""

    operation: str
    kind: str
    applied: bool
    options: dict[str, Any]
    settings: dict[str, Any]
    remaining: int | None = 1
    after: int = 0
    every: int = 1
    share: float = 1.0
    seen: int = 0
    played: int = 0

    def is_due(self, rng: random.Random) -> bool:
        """Count one more matching request and say whether it is one to fail."""
        self.seen += 1
        if self.seen <= self.after or (self.seen - self.after) % self.every:
            return False
        return self.share >= 1 or rng.random() < self.share

    def as_dict(self) -> dict[str, Any]:
        return {"operation": self.operation, "kind": self.kind, "remaining": self.remaining, "played": self.played}


class Faults:
    """A vendor's faults to come. Counted ones go before lasting ones, each kind in the order they were given."""

    def __init__(self, operations: tuple[str, ...], settings: type[Settings], rng: random.Random) -> None:
        self._operations = operations
        self._settings = settings
        self._rng = rng
        self._lock = threading.Lock()
        self._queue: list[Fault] = []

    def next(self, operation: str, kind: str = "", **options: Any) -> Fault:
        return self.add(operation, kind, times=1, **options)

    def times(self, times: int, operation: str, kind: str = "", **options: Any) -> Fault:
        return self.add(operation, kind, times=times, **options)

    def always(self, operation: str, kind: str = "", **options: Any) -> Fault:
        return self.add(operation, kind, times=None, **options)

    def add(
        self,
        operation: str,
        kind: str = "",
        *,
        times: int | None = 1,
        applied: bool | None = None,
        after: int = 0,
        every: int = 1,
        share: float = 1.0,
        **options: Any,
    ) -> Fault:
        """ValueError, with a sentence, for an operation, kind or option that does not exist."""
        if not any(fnmatchcase(name, operation) for name in self._operations):
            raise ValueError(f"No operation is called “{operation}”. There are: {', '.join(self._operations)}.")
        kind = kind or ("status" if "status" in options else "as_usual")
        if kind not in KINDS:
            raise ValueError(f"No fault is called “{kind}”. There are: {', '.join(KINDS)}.")
        known = KINDS[kind]
        settings = {name: value for name, value in options.items() if name not in known.options}
        self._settings().changed(settings)
        fault = Fault(
            operation,
            kind,
            known.applied if applied is None else applied,
            {**known.options, **{name: value for name, value in options.items() if name in known.options}},
            settings,
            times,
            after,
            max(1, every),
            share,
        )
        with self._lock:
            self._queue.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """The fault to play on a request for `operation` that has just arrived."""
        with self._lock:
            for fault in sorted(self._queue, key=lambda each: each.remaining is None):
                if fnmatchcase(operation, fault.operation) and fault.is_due(self._rng):
                    fault.played += 1
                    if fault.remaining is not None:
                        fault.remaining -= 1
                        if fault.remaining <= 0:
                            self._queue.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._queue.clear()

    def as_dicts(self) -> list[dict[str, Any]]:
        with self._lock:
            return [fault.as_dict() for fault in self._queue]


# Kinds

Options = Mapping[str, Any]
Play = Callable[[Wire, "Vendor", "Call", Reply, Options], Reply | None]


@dataclass(frozen=True)
class Kind:
    """`play` gets the true answer, or a 500 when the request is not to be applied.

    It returns the answer to send instead, or None when it has done what it wanted with the wire itself.
    """

    sentence: str
    play: Play
    applied: bool
    options: dict[str, Any] = field(default_factory=dict)


KINDS: dict[str, Kind] = {}


def kind(name: str, sentence: str, *, applied: bool, **options: Any) -> Callable[[Play], Play]:
    def register(play: Play) -> Play:
        KINDS[name] = Kind(sentence, play, applied, options)
        return play

    return register


@kind("as_usual", "The true answer, for a request on which only a vendor's own switches are thrown.", applied=True)
def as_usual(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return reply


@kind(
    "status",
    "A status in the vendor's own error shape. `retry_after` is sent as given: seconds, a date or nonsense.",
    applied=False,
    status=500,
    retry_after=None,
    message="the service is not available",
    body=None,
    headers={},
)
def status(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    answer = vendor.error(call, options["status"], options["message"])
    if options["body"] is not None:
        answer = Reply.json(options["body"], options["status"])
    answer.headers.pop("Retry-After", None)
    answer.headers |= options["headers"]
    if options["retry_after"] is not None:
        answer.headers["Retry-After"] = str(options["retry_after"])
    return answer


@kind("slow", "The true answer, late.", applied=True, seconds=1.0)
def slow(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    wire.pause(options["seconds"])
    return reply


@kind("timeout", "No answer; the connection stays open until the client gives up.", applied=False, seconds=600.0)
def timeout(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.pause(options["seconds"])
    wire.close()


@kind("reset_early", "The connection is reset before the request has been read.", applied=False)
@kind("reset", "The connection is reset once the request has been read.", applied=False)
def reset(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.reset()


@kind("reset_midway", "The connection is reset in the middle of the answer.", applied=True)
def reset_midway(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.write(wire.head(reply) + reply.body[: len(reply.body) // 2])
    wire.pause(0.05)  # let the half arrive; a reset discards what is still on its way
    wire.reset()


@kind("truncated", "The connection is closed in good order half way through the answer.", applied=True)
def truncated(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.write(wire.head(reply) + reply.body[: len(reply.body) // 2])
    wire.close()


@kind("half_json", "A complete answer that holds half of the JSON.", applied=True)
def half_json(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers)


@kind("html", "A gateway's page instead of an answer.", applied=True, status=200)
def html(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    page = b"<!doctype html><html><head><title>Please wait</title></head><body><h1>One moment</h1></body></html>"
    return Reply(options["status"], page, {"Content-Type": "text/html; charset=utf-8"})


@kind("empty", "A success without a body.", applied=True, status=200)
def empty(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(options["status"], b"", {"Content-Type": JSON})


@kind("array", "The answer wrapped in an array, where an object was promised.", applied=True)
def array(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(reply.status, b"[" + reply.body + b"]", reply.headers)


@kind("error_object", "A success status whose body speaks of an error.", applied=False, status=200)
def error_object(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply.json({"error": "something went wrong"}, options["status"])


@kind("change", "The true answer with `values` written over it: {'data': {'added': 3}}.", applied=True, values={})
def change(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply.json(_written_over(json.loads(reply.body), options["values"]), reply.status, reply.headers)


@kind("bom", "The answer begins with a byte order mark.", applied=True)
def bom(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(reply.status, b"\xef\xbb\xbf" + reply.body, reply.headers)


@kind("wrong_charset", "The answer is UTF-16 and says it is UTF-8.", applied=True)
def wrong_charset(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    headers = {**reply.headers, "Content-Type": f"{JSON}; charset=utf-8"}
    return Reply(reply.status, reply.body.decode().encode("utf-16"), headers)


@kind("lying_gzip", "The answer says it is compressed and is not.", applied=True)
def lying_gzip(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(reply.status, reply.body, {**reply.headers, "Content-Encoding": "gzip"})


@kind("bomb", "A small compressed answer that grows to `size` bytes.", applied=True, size=100_000_000)
def bomb(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    block = b" " * 1_000_000
    packed = b"".join([*(packer.compress(block) for _ in range(options["size"] // len(block))), packer.flush()])
    return Reply(200, packed, {"Content-Type": JSON, "Content-Encoding": "gzip"})


@kind("gzip", "The true answer, honestly compressed.", applied=True)
def gzipped(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(reply.status, gzip.compress(reply.body), {**reply.headers, "Content-Encoding": "gzip"})


@kind("redirect", "A redirect to `location`.", applied=False, status=307, location="http://169.254.169.254/latest/")
def redirect(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> Reply:
    return Reply(options["status"], b"", {"Location": options["location"]})


@kind("drip", "The body comes one byte at a time, `seconds` apart.", applied=True, seconds=1.0)
def drip(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.write(wire.head(reply))
    _drip(wire, reply.body, options["seconds"])


@kind("drip_head", "Even the headers come one byte at a time, `seconds` apart.", applied=True, seconds=1.0)
def drip_head(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    _drip(wire, wire.head(reply) + reply.body, options["seconds"])


@kind("huge", "A body of `size` bytes.", applied=True, size=1_000_000_000)
def huge(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.write(wire.head(reply, options["size"]))
    block = b" " * 65_536
    for _ in range(options["size"] // len(block)):
        wire.write(block)
    wire.write(b" " * (options["size"] % len(block)))


@kind("endless_100", "“100 Continue”, again and again.", applied=False, seconds=0.01)
def endless_100(wire: Wire, vendor: Vendor, call: Call, reply: Reply, options: Options) -> None:
    wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    while wire.pause(options["seconds"]):
        wire.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    wire.close()


def _drip(wire: Wire, data: bytes, seconds: float) -> None:
    for position in range(len(data)):
        wire.write(data[position : position + 1])
        if not wire.pause(seconds):
            wire.close()
            return


def _written_over(answer: Any, values: Any) -> Any:
    if isinstance(answer, dict) and isinstance(values, dict):
        return answer | {name: _written_over(answer.get(name), value) for name, value in values.items()}
    return values


# Bad days


@dataclass(frozen=True)
class BadDay:
    """A day people can choose by name. `faults`: (vendor, operation, kind, options); `settings`: {vendor: switches}."""

    sentence: str
    faults: tuple[tuple[str, str, str, dict[str, Any]], ...] = ()
    settings: Mapping[str, dict[str, Any]] = field(default_factory=dict)


def everywhere(operation: str, kind: str, **options: Any) -> tuple[tuple[str, str, str, dict[str, Any]], ...]:
    return tuple((vendor, operation, kind, options) for vendor in ("kore", "leadlex", "exotel"))


BAD_DAYS: dict[str, BadDay] = {
    "busy": BadDay(
        "Every third request is told 429, come back in two seconds.",
        everywhere("*", "status", status=429, retry_after=2, message="rate limit exceeded, retry later", every=3),
    ),
    "busy-silent": BadDay(
        "Every third request is told 429 and not when to come back.",
        everywhere("*", "status", status=429, message="rate limit exceeded, retry later", every=3),
    ),
    "slow": BadDay("Every answer takes three seconds.", everywhere("*", "slow", seconds=3.0)),
    "drip": BadDay(
        "Every fourth add is answered one byte a second, so that it never seems to end.",
        everywhere("add_to_list", "drip", seconds=1.0, every=4),
    ),
    "flaky": BadDay(
        "One request in ten meets a 503 and another one in ten a reset connection; neither is applied.",
        everywhere("*", "status", status=503, share=0.1) + everywhere("*", "reset", share=0.1),
    ),
    "lost-answers": BadDay(
        "Every fifth add is applied, and then the connection breaks before the answer.",
        everywhere("add_to_list", "reset", applied=True, every=5),
    ),
    "silence": BadDay(
        "Every fifth add is applied and never answered; the client waits until its own patience ends.",
        everywhere("add_to_list", "timeout", applied=True, every=5),
    ),
    "errors-after-applying": BadDay(
        "Every fifth add is answered with 500 although it was applied.",
        everywhere("add_to_list", "status", status=500, applied=True, every=5),
    ),
    "html-errors": BadDay(
        "Every fourth request is answered by a gateway with an HTML page and status 502.",
        everywhere("*", "html", status=502, applied=False, every=4),
    ),
    "html-success": BadDay(
        "Every fourth add is applied and answered with status 200 and an HTML page.",
        everywhere("add_to_list", "html", every=4),
    ),
    "keys-revoked": BadDay(
        "Credentials are accepted for three requests and refused from then on.",
        everywhere("*", "status", status=401, message="credentials not accepted", after=3),
    ),
    "kore-late": BadDay(
        "Kore.ai takes half a minute to apply what it has accepted.", settings={"kore": {"apply_delay": 30.0}}
    ),
    "kore-never-applies": BadDay(
        "Kore.ai accepts every add and applies none of them.", settings={"kore": {"apply_share": 0.0}}
    ),
    "kore-applies-half": BadDay(
        "Kore.ai accepts every add and applies the first half of it.", settings={"kore": {"apply_share": 0.5}}
    ),
    "leadlex-refused-ids": BadDay(
        "LeadLex has merged away every seventh contact and refuses batches that name one.",
        settings={"leadlex": {"merged_every": 7}},
    ),
    "leadlex-quota": BadDay(
        "LeadLex allows ten requests in a minute and thirty in a day.",
        settings={"leadlex": {"per_minute": 10, "per_day": 30}},
    ),
    "exotel-mixed-207": BadDay(
        "In every add at Exotel one contact in five fails, with code 400 or 404.",
        settings={"exotel": {"item_codes": [200, 200, 200, 200, 404, 200, 200, 200, 200, 400]}},
    ),
    "exotel-muddled-207": BadDay(
        "Exotel's answers are out of order, with one contact left out, one doubled, one unknown, and wrong totals.",
        settings={
            "exotel": {
                "reorder_items": True,
                "items_missing": 1,
                "items_doubled": 1,
                "items_extra": 1,
                "wrong_metadata": True,
                "sid_key": True,
            }
        },
    ),
}
