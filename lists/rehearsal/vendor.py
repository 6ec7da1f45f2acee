"""What the rehearsal vendors have in common: routes, refusals, settings, pace, and lists that page quickly."""

from __future__ import annotations

import json
import pickle
import random
import threading
import time
import types
import typing
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from email.message import Message
from functools import cached_property
from typing import Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar
from urllib.parse import unquote

from .book import Book, Entry
from .faults import Faults
from .wire import JSON, Reply


class Refused(Exception):
    """The vendor refuses the request, in its own words."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"refused with {reply.status}")
        self.reply = reply


class Unreadable(Exception):
    """The body is not what its content type says, or not what this address wants; the text says which."""


# Settings


@dataclass
class Settings:
    """The switches every vendor has. A fault may change any of them for the one request it plays on."""

    per_minute: int | None = None  # requests an account may send in any minute; 0 or None is no limit
    minute: float = 60.0  # seconds in the vendor's minute, so that a test need not wait for a whole one
    latency: float = 0.0  # seconds from a request to its answer, as network and vendor would take; work beyond it adds
    clock_offset: float = 0.0  # seconds the vendor's clock is ahead of ours

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes`; ValueError for a switch that does not exist or a value it does not take."""
        kinds = typing.get_type_hints(type(self))
        for name, value in changes.items():
            if name not in kinds:
                raise ValueError(f"There is no setting “{name}”. There are: {', '.join(sorted(kinds))}.")
            if not _fits(value, kinds[name]):
                raise ValueError(f"The setting “{name}” does not take {value!r}.")
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}


def _fits(value: Any, kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin is Literal:
        return value in typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, part) for part in typing.get_args(kind))
    if origin in (list, tuple):
        return isinstance(value, list | tuple) and all(_fits(part, typing.get_args(kind)[0]) for part in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


# Requests


@dataclass(frozen=True)
class Route:
    """One line of a vendor's API: `operation` names the method that answers; `needs` is the right it asks for."""

    method: str
    path: str
    operation: str
    needs: str = ""
    headers: tuple[str, ...] = ()  # headers without which the call is refused

    @cached_property
    def parts(self) -> list[str]:
        return self.path.strip("/").split("/")

    def match(self, parts: list[str]) -> dict[str, str] | None:
        if len(parts) != len(self.parts):
            return None
        found = {}
        for mine, theirs in zip(self.parts, parts, strict=True):
            if mine.startswith("{"):
                found[mine.strip("{}")] = unquote(theirs)
            elif mine != theirs:
                return None
        return found


NOWHERE = Route("", "", "")


@dataclass
class Call:
    """One request on its way through a vendor."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes
    route: Route
    params: dict[str, str]
    settings: Any  # the vendor's, with the changes of a fault
    entry: Entry
    answer_at: float  # on the monotonic clock: not before

    def json(self) -> Any:
        if self.content_type != JSON:
            raise Unreadable(f"the content type must be {JSON}")
        try:
            return json.loads(self.body or b"null")
        except ValueError as error:
            raise Unreadable("the body is not valid JSON") from error

    def json_object(self) -> dict[str, Any]:
        body = self.json()
        if not isinstance(body, dict):
            raise Unreadable("the body must be a JSON object")
        return body

    def form(self) -> dict[str, bytes]:
        """{field: content} of a multipart form; a file's content as it came."""
        boundary = self.headers.get_param("boundary")
        if self.content_type != "multipart/form-data" or not isinstance(boundary, str):
            raise Unreadable("the body must be multipart/form-data with a boundary")
        found: dict[str, bytes] = {}
        for part in (b"\r\n" + self.body).split(b"\r\n--" + boundary.encode())[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            header = Message()
            for line in head.decode(errors="replace").strip().splitlines():
                name, _, value = line.partition(":")
                header[name] = value.strip()
            found[str(header.get_param("name", "", "content-disposition"))] = content
        return found

    @property
    def content_type(self) -> str:
        return self.headers.get_content_type() if "Content-Type" in self.headers else ""

    def number(self, name: str, default: int, *, least: int = 0) -> int:
        """A number from the query; what is no number counts as not given."""
        try:
            return max(least, int(self.query.get(name, default)))
        except ValueError:
            return default


class Window:
    """At most `limit` calls in any `seconds`; a refused call does not count."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()

    def take(self, limit: int | None, seconds: float) -> bool:
        now = time.monotonic()
        while self._times and self._times[0] <= now - seconds:
            self._times.popleft()
        if limit and len(self._times) >= limit:
            return False
        self._times.append(now)
        return True

    def left(self, limit: int) -> int:
        return max(0, limit - len(self._times))

    def __reduce__(self) -> tuple[type[Self], tuple[()]]:
        return type(self), ()  # its clock is this machine's since it was started; a later run begins with an empty one

    def frees_in(self, seconds: float) -> float:
        """Seconds until the oldest call counted leaves the window."""
        return max(0.0, self._times[0] + seconds - time.monotonic()) if self._times else 0.0


# State


class Member(Protocol):
    id: str
    phone: str


Thing = TypeVar("Thing")
Held = TypeVar("Held", bound=Member)


class Shelf(Generic[Thing]):
    """Things by id in the order they came. Reading a page is a slice, however long the shelf is."""

    def __init__(self) -> None:
        self._things: dict[str, Thing] = {}
        self._order: list[Thing] | None = []
        self._views: dict[Hashable, list[Thing]] = {}

    def __len__(self) -> int:
        return len(self._things)

    def __contains__(self, key: object) -> bool:
        return key in self._things

    def __iter__(self) -> typing.Iterator[Thing]:
        return iter(self.all())

    def get(self, key: Any) -> Thing | None:
        return self._things.get(key) if isinstance(key, str) else None

    def add(self, key: str, thing: Thing) -> None:
        self._things[key] = thing
        if self._order is not None:
            self._order.append(thing)
        self._views.clear()

    def remove(self, key: str) -> Thing | None:
        self._order = None  # put together again by the next reader, so removing many is not quadratic
        self._views.clear()
        return self._things.pop(key, None)

    def touch(self) -> None:
        """A thing was changed where it stands, so sorted and filtered views are no longer true."""
        self._views.clear()

    def all(self) -> list[Thing]:
        if self._order is None:
            self._order = list(self._things.values())
        return self._order

    def view(self, key: Hashable, build: Callable[[list[Thing]], Iterable[Thing]]) -> list[Thing]:
        """All of it, sorted or filtered by `build`, which is asked once for a `key` until something changes."""
        if key not in self._views:
            while len(self._views) > 8:
                self._views.pop(next(iter(self._views)))
            self._views[key] = list(build(self.all()))
        return self._views[key]


@dataclass
class ContactList(Generic[Held]):
    """A list at a vendor; `campaigns` are the names of those using it. Times are the vendor's Unix seconds."""

    id: str
    name: str
    created: float
    updated: float
    members: Shelf[Held] = field(default_factory=Shelf)
    campaigns: list[str] = field(default_factory=list)


class Vendor:
    """One vendor: its routes, its accounts, its faults. A request holds the lock while it is judged and applied."""

    key: ClassVar[str]
    routes: ClassVar[tuple[Route, ...]]
    settings_class: ClassVar[type[Settings]]

    def __init__(self, book: Book, seed: int) -> None:
        self.book = book
        self.rng = random.Random(f"{seed}-{self.key}")  # noqa: S311 - ids and chances that a seed repeats
        self.lock = threading.RLock()
        self.settings = self.settings_class()
        self.faults = Faults(self.operations, self.settings_class, self.rng)
        self.accounts: dict[str, Any] = {}
        self.start_accounts()

    # What each vendor says for itself

    def start_accounts(self) -> None:
        """Make the demo account."""
        raise NotImplementedError

    def admit(self, call: Call) -> None:
        """Judge credentials, rights and pace; Refused when one of them fails."""
        raise NotImplementedError

    def error(self, call: Call, status: int, message: str) -> Reply:
        """A refusal in the vendor's own shape."""
        raise NotImplementedError

    def unreadable(self, call: Call, reason: str) -> Reply:
        return self.error(call, 400, reason)

    def new_member(self, account: Any, contact_list: ContactList[Any], phone: str) -> None:
        """Put one contact into a list, as somebody at the vendor's own screen would."""
        raise NotImplementedError

    def settle(self) -> None:
        """Do what was promised for later and is due by now."""

    # A request

    @property
    def operations(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(route.operation for route in self.routes))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str], bool]:
        """(route or NOWHERE, values from the path, whether the path exists for another method)."""
        parts = path.strip("/").split("/")
        other = False
        for route in self.routes:
            params = route.match(parts)
            if params is not None:
                if route.method == method:
                    return route, params, False
                other = True
        return NOWHERE, {}, other

    def handle(self, call: Call) -> Reply:
        try:
            with self.lock:
                self.settle()
                if call.route is NOWHERE:
                    *_, other = self.find(call.method, call.path)
                    return self.error(call, 405 if other else 404, "no such method here" if other else "no such path")
                self.admit(call)
                answer: Reply = getattr(self, call.route.operation)(call)
                return answer
        except Refused as refusal:
            return refusal.reply
        except Unreadable as error:
            return self.unreadable(call, str(error))

    def refuse(self, call: Call, status: int, message: str) -> typing.NoReturn:
        raise Refused(self.error(call, status, message))

    # For tests and for people

    def set(self, **changes: Any) -> None:
        """Throw switches for every request from now on."""
        with self.lock:
            self.settings = self.settings.changed(changes)

    def reset(self) -> None:
        """An ordinary day again: no faults, the usual settings. What is stored stays."""
        with self.lock:
            self.faults.clear()
            self.settings = self.settings_class()

    def forget(self) -> None:
        """Lose everything stored and start with an empty demo account."""
        with self.lock:
            self.accounts.clear()
            self.start_accounts()

    def stored(self) -> bytes:
        """All that is stored, for `recall` in a later run; not the day's settings and faults."""
        with self.lock:
            passing = {"book", "rng", "lock", "settings", "faults"}
            lasting = {name: value for name, value in vars(self).items() if name not in passing}
            return pickle.dumps((lasting, self.rng.getstate()))

    def recall(self, stored: bytes) -> None:
        with self.lock:
            lasting, chances = pickle.loads(stored)  # noqa: S301 - our own file
            vars(self).update(lasting)
            self.rng.setstate(chances)  # so that ids go on where they were and none is given twice

    @property
    def all_lists(self) -> list[ContactList[Any]]:
        return [contact_list for account in self.accounts.values() for contact_list in account.lists]

    def find_list(self, id_or_name: str) -> ContactList[Any]:
        """The list with this id, else the oldest with this name; KeyError when there is none."""
        self.settle_now()
        for contact_list in sorted(self.all_lists, key=lambda each: each.id != id_or_name):
            if id_or_name in (contact_list.id, contact_list.name):
                return contact_list
        raise KeyError(id_or_name)

    def members(self, id_or_name: str) -> list[str]:
        """Phones in a list now, in the order they came."""
        with self.lock:
            return [member.phone for member in self.find_list(id_or_name).members]

    def settle_now(self) -> None:
        with self.lock:
            self.settle()

    def gain(self, id_or_name: str, phones: Iterable[str]) -> None:
        """Somebody at the vendor puts contacts into a list by hand."""
        with self.lock:
            contact_list = self.find_list(id_or_name)
            account = next(each for each in self.accounts.values() if contact_list.id in each.lists)
            for phone in phones:
                self.new_member(account, contact_list, phone)

    def lose(self, id_or_name: str, phones: Iterable[str]) -> None:
        """Somebody at the vendor takes contacts out of a list by hand."""
        with self.lock:
            contact_list = self.find_list(id_or_name)
            gone = {digits(phone) for phone in phones}
            for member in [each for each in contact_list.members if digits(each.phone) in gone]:
                contact_list.members.remove(member.id)

    def use_in_campaign(self, id_or_name: str, campaign: str = "autumn calls") -> None:
        """From now on a campaign uses the list, so the vendor refuses to delete it."""
        with self.lock:
            self.find_list(id_or_name).campaigns.append(campaign)

    def state(self) -> dict[str, Any]:
        """JSON-able: settings, faults still to play, and each account's lists with their sizes."""
        with self.lock:
            self.settle()
            return {
                "settings": self.settings.as_dict(),
                "faults": self.faults.as_dicts(),
                "operations": list(self.operations),
                "accounts": {
                    name: {
                        "lists": [
                            {"id": each.id, "name": each.name, "count": len(each.members)} for each in account.lists
                        ]
                    }
                    for name, account in self.accounts.items()
                },
            }

    # Small change

    def now(self) -> float:
        """The vendor's own clock, Unix seconds."""
        return time.time() + self.settings.clock_offset

    def hex(self, digits: int) -> str:
        return f"{self.rng.getrandbits(digits * 4):0{digits}x}"

    def uuid(self) -> str:
        raw = self.hex(32)
        return f"{raw[:8]}-{raw[8:12]}-4{raw[13:16]}-8{raw[17:20]}-{raw[20:]}"


def digits(text: str) -> str:
    number = text.removeprefix("+")
    if number.isascii() and number.isdigit():
        return number
    return "".join(character for character in text if character in "0123456789")


def iso(moment: float, spec: str = "milliseconds") -> str:
    """Unix seconds as 2031-02-03T04:05:06.789Z."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec=spec).replace("+00:00", "Z")
