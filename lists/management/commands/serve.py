"""Web, worker and rehearsal vendors in one terminal."""

import ctypes
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from lists.management.base import Refused

PATIENCE = 30.0  # seconds a child has to end by itself
LONGEST_BACK_OFF = 30.0  # seconds before a child that keeps dying is started again
STEADY = 60.0  # seconds after which a child counts as well again
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process; started again when it dies, later from time to time."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = field(default_factory=time.monotonic)
    back_off: float = 1.0

    def start(self) -> None:
        self.started = time.monotonic()
        # Its own session, so that Ctrl-C reaches it once, through us: a second signal would cut a worker's step.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            [sys.executable, *self.arguments],
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )

    def look_after(self) -> str:
        """Start it when it is time; a sentence when it has died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.start()
        elif (code := self.process.poll()) is not None:
            self.back_off = 1.0 if now - self.started > STEADY else min(self.back_off * 2, LONGEST_BACK_OFF)
            self.start_at, self.process = now + self.back_off, None
            return f"The {self.name} ended ({code}); it is started again in {self.back_off:.0f} s."
        return ""


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Command(BaseCommand):
    help = "Serve the pages, work on the queue and, with REHEARSAL on, play the vendors, until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--rehearsal-port", type=int, default=8001)

    def handle(self, *_args: Any, host: str, port: int, rehearsal_port: int, **options: Any) -> None:
        children = [
            Child(
                "web server",
                [
                    "-m", "gunicorn", "contactadmin.wsgi", "--pythonpath", str(settings.BASE_DIR),
                    "--bind", f"{host}:{port}", "--worker-class", "gthread", "--threads", "16",
                    "--timeout", "120", "--graceful-timeout", "20", "--no-control-socket", "--log-level", "warning",
                ],
            ),
            Child("worker", [sys.argv[0], "worker"]),
        ]  # fmt: skip
        self.must_be_free(host, port, "--port")
        if settings.REHEARSAL:
            self.must_be_free("127.0.0.1", rehearsal_port, "--rehearsal-port")
            # What the vendors hold outlives a restart, as our rows do; otherwise our lists would be gone there.
            memory = str(settings.REHEARSAL_MEMORY)
            command = [sys.argv[0], "rehearsal", "--port", str(rehearsal_port), "--memory", memory]
            children.append(Child("rehearsal", command))
        stop = threading.Event()

        def told_to_stop(_signal: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, told_to_stop)
        signal.signal(signal.SIGINT, told_to_stop)
        self.say(f"contactadmin: http://{host}:{port}/   Ctrl-C stops everything.")
        while not stop.wait(0.2):
            for child in children:
                if said := child.look_after():
                    self.say(said)
        self.stop(children)

    def stop(self, children: list[Child]) -> None:
        self.say("Stopping; the step in hand is finished first.")
        running = [child.process for child in children if child.process]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + PATIENCE
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @staticmethod
    def must_be_free(host: str, port: int, option: str) -> None:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise Refused(
                    f"Port {port} cannot be used ({error.strerror}). Choose another with {option}."
                ) from error

    def say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()
