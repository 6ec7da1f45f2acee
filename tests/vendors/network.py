"""A vendor's end of the wire, played by script: what it answers is laid out before, what it got is read after."""

import contextlib
import json
import socket
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

SAMPLES = Path(__file__).parent / "samples"


class Received(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]


Behaviour = Callable[[socket.socket], None]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what many tests are about."""


class Network:
    """Answers each request with the next of its replies, and the last one for ever after."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self._replies: deque[Reply | Behaviour] = deque()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> "Network":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def answers(self, body: Any = None, status: int = 200, **headers: str) -> "Network":
        """The next reply. `body` is sent as it is when bytes, otherwise as JSON; `Retry_After` is Retry-After."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._replies.append(Reply(status, content, {name.replace("_", "-"): text for name, text in headers.items()}))
        return self

    def behaves(self, behaviour: Behaviour) -> "Network":
        """The next reply is whatever `behaviour` does with the socket; the connection is closed afterwards."""
        self._replies.append(behaviour)
        return self

    def sample(self, name: str, status: int = 200, **headers: str) -> "Network":
        return self.answers(sample(name), status, **headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        network = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                network.connections += 1
                super().setup()

            def handle_any(self) -> None:
                url = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                network.received.append(Received(self.command, url.path, query, self.headers, body))
                reply = network._replies.popleft() if len(network._replies) > 1 else network._replies[0]
                if not isinstance(reply, Reply):
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        reply(self.connection)
                    return
                self.send_response_only(reply.status)
                headers = {"Content-Type": "application/json", "Content-Length": str(len(reply.body))} | reply.headers
                for name, text in headers.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text())
