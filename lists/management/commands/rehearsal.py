"""The rehearsal vendors alone, until they are told to stop."""

from __future__ import annotations

import gc
import json
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lists.rehearsal import BAD_DAYS, Rehearsal


class Command(BaseCommand):
    help = "Play Kore.ai, LeadLex and Exotel on a loopback port, until Ctrl-C."
    requires_system_checks: list[str] = []  # it needs neither a database nor settings

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            choices=BAD_DAYS,
            metavar="NAME",
            help="begin with a bad day; may be given more than once: "
            + "; ".join(f"{name}: {day.sentence}" for name, day in BAD_DAYS.items()),
        )
        parser.add_argument("--memory", type=Path, metavar="FILE", help="keep what the vendors store in this file")
        parser.add_argument("--json", action="store_true", help="say where it listens as one JSON object")

    def handle(self, *, port: int, fault: list[str], memory: Path | None, json: bool, **options: Any) -> None:
        gc.set_threshold(50_000)  # what the vendors hold only grows; looking through it for garbage finds none
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            rehearsal = Rehearsal(port, memory=memory)
        except OSError as error:
            raise CommandError(
                f"Port {port} cannot be used ({error.strerror}). Choose another with --port.", returncode=2
            ) from error
        with rehearsal:
            for name in fault:
                rehearsal.bad_day(name)
            self.tell(rehearsal, fault, as_json=json)
            stop.wait()

    def tell(self, rehearsal: Rehearsal, faults: list[str], *, as_json: bool) -> None:
        if as_json:
            told = {"port": rehearsal.port, "url": rehearsal.url, "base_urls": rehearsal.base_urls, "faults": faults}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(f"The rehearsal vendors listen on port {rehearsal.port}.")
            for vendor, url in rehearsal.base_urls.items():
                self.stdout.write(f"  {vendor:8} {url}")
            for name in faults:
                self.stdout.write(f"Today: {BAD_DAYS[name].sentence}")
        self.stdout.flush()
