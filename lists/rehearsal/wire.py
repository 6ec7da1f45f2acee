"""The connection to one client: whole answers, and every way of not giving one."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Self

JSON = "application/json"


@dataclass(slots=True)
class Reply:
    """An answer, ready for the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, payload: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": JSON, **(headers or {})})


class Wire:
    """What a fault may do to the connection. After `reset` or `close` nothing more is sent."""

    def __init__(self, connection: socket.socket, stopping: threading.Event, clock_offset: float = 0.0) -> None:
        self._connection = connection
        self._stopping = stopping
        self._clock_offset = clock_offset
        self.closed = False

    def send(self, reply: Reply) -> None:
        self.write(self.head(reply) + reply.body)

    def head(self, reply: Reply, length: int | None = None) -> bytes:
        """Status line and headers; `length` where the body's is not to be told truly."""
        try:
            phrase = HTTPStatus(reply.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = {
            "Date": formatdate(time.time() + self._clock_offset, usegmt=True),
            **reply.headers,
            "Content-Length": str(len(reply.body) if length is None else length),
        }
        lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def pause(self, seconds: float) -> bool:
        """Wait; False as soon as the client has gone or the rehearsal ends."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self._stopping.is_set():
                return False
            readable, _, _ = select.select([self._connection], [], [], min(left, 0.1))
            if readable:
                if not self._connection.recv(1, socket.MSG_PEEK):
                    return False
                self._stopping.wait(min(left, 0.02))  # the next request is waiting already; do not spin on it
        return True

    def close(self) -> None:
        self.closed = True

    def reset(self) -> None:
        """Close so that the client's system reports a reset connection, not an orderly end."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.closed = True
