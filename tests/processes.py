"""Real processes of the product on the database of the test."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def environment(**changes: object) -> dict[str, str]:
    """What a process needs to see the world of the test: its database, its keys, short times."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        url = f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "contactadmin.settings",
        "DATABASE_URL": url,
        "SECRET_KEY": settings.SECRET_KEY,
        "CREDENTIAL_KEYS": ",".join(settings.CREDENTIAL_KEYS),
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
        "DEBUG": "off",
        "REHEARSAL": "on",
        "JOB_LEASE_SECONDS": "1.5",
        "JOB_TICK_SECONDS": "0.2",
        "SETTLE_GAPS": "0.2,0.3",
        "SETTLE_MISSING_SECONDS": "0.6",
        "SETTLE_CEILING_SECONDS": "10",
        **{name: str(value) for name, value in changes.items()},
    }


def start(*arguments: str, **changes: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(MANAGE), *arguments],
        env=environment(**changes),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def worker(**changes: object) -> Iterator[subprocess.Popen[str]]:
    """A worker that is ready; gone at the end, however that comes."""
    process = start("worker", **changes)
    try:
        while "ready" not in (line := process.stdout.readline()):
            assert line, "the worker ended before it was ready"
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait()
        process.stdout.close()


def wait_for(is_so: Callable[[], object], seconds: float = 120.0) -> None:
    """Until it is so; fails when it is not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
