"""How fast a file becomes contacts, beside what the parts must cost.

    python benchmarks/import_contacts.py [--rows 100000] [--postgres postgres://user@host/postgres]

Each line is a process of its own: seconds, rows a second, and the peak of its memory. The baselines read the same file
in the same run: `csv` and phone parsing alone, and the database's own bulk load into a table with a unique number. On
the PostgreSQL server named, a database is made for each measurement and dropped after it.
"""

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HEADER = ["Mobile", "First name", "Last name", "E-mail", "Company", "City"]


def generate(path: Path, rows: int) -> None:
    """A file as people send it: several spellings of numbers, 2 % repeats, 1 % that cannot be imported."""
    chance = random.Random(42)
    numbers: list[str] = []
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for row in range(rows):
            kind = chance.random()
            if kind < 0.02 and numbers:
                number = chance.choice(numbers)
            else:
                number = f"98{row:08d}"
                numbers.append(number)
            if kind > 0.99:
                written = chance.choice(["12", "9.19877E+11", "", "98000 12345 / 98000 12346"])
            else:
                written = chance.choice(
                    [f"+91{number}", f"+91{number}", f"+91 {number[:5]} {number[5:]}", number, f"0{number}"]
                )
            name = chance.choice(["Asha", "Ravi", "Mina", "José", "Łukasz", "Omar"])
            writer.writerow(
                [written, name, f"Example {row}", f"person{row}@example.org", f"Company {row % 500}, Ltd.", "Pune"]
            )


def read_and_parse(path: Path) -> int:
    from lists.phones import normalise

    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return sum(bool(normalise(row[0], "IN")) for row in rows)


TABLE = (
    "CREATE TABLE bulk_load (phone text UNIQUE, first_name text, last_name text, email text, company text, city text)"
)


def _unique(path: Path) -> list[list[str]]:
    """The file's rows with a number of their own, for a load that knows no repeats."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return [[f"+9198{number:08d}", *row[1:]] for number, row in enumerate(rows)]


def bulk_load(path: Path) -> Callable[[], int]:
    """The database's own load of the same rows; what is timed begins after they have been read."""
    rows = _unique(path)
    url = os.environ["DATABASE_URL"]
    if url.startswith("sqlite"):
        import sqlite3

        connection = sqlite3.connect(path.with_suffix(".bulk.sqlite3"))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(TABLE)

        def load_sqlite() -> int:
            with connection:
                connection.executemany("INSERT INTO bulk_load VALUES (?, ?, ?, ?, ?, ?)", rows)
            return len(rows)

        return load_sqlite
    import psycopg

    server = psycopg.connect(url, autocommit=True)
    server.execute(TABLE)

    def load_postgresql() -> int:
        with server.cursor() as cursor, cursor.copy("COPY bulk_load FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return len(rows)

    return load_postgresql


def set_up() -> None:
    """The product on an empty database."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def whole_road(path: Path) -> int:
    """Analyse and commit one file; the upload itself is not part of it."""
    from lists import jobs
    from lists.importing import flow
    from lists.importing.columns import Mapping
    from lists.importing.flow import Target
    from lists.models import ContactList

    contact_list, _ = ContactList.objects.get_or_create(name="Benchmark", defaults={"default_region": "IN"})
    with path.open("rb") as file:
        imported = flow.receive(iter(lambda: file.read(1 << 20), b""), "benchmark.csv", Target(contact_list), None)
    mapping = Mapping.from_dict(imported.mapping)
    mapping.extras = [5]
    began = time.perf_counter()
    flow.match_columns(imported, mapping, "fill")
    jobs.work_to_end("import", imported.pk)
    analysed = time.perf_counter()
    imported.refresh_from_db()
    flow.begin_commit(imported, None)
    jobs.work_to_end("import", imported.pk)
    ended = time.perf_counter()
    imported.refresh_from_db()
    assert imported.state == "completed", imported.failure
    report(
        "import", imported.records, ended - began,
        analyse=round(analysed - began, 2), commit=round(ended - analysed, 2),
        ledger={outcome: count for outcome, count in imported.ledger.items() if count},
    )  # fmt: skip
    return imported.records


def report(what: str, rows: int, seconds: float, **more: object) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"what": what, "rows": rows, "seconds": round(seconds, 3), "peak_mb": peak, **more}), flush=True)


def child(task: str, path: Path) -> None:
    if task == "import":
        set_up()
        whole_road(path)
        whole_road(path)  # everything is there already
        return
    work = bulk_load(path) if task == "bulk load" else lambda: read_and_parse(path)
    began = time.perf_counter()
    rows = work()
    report(task, rows, time.perf_counter() - began)


def run(task: str, path: Path, url: str) -> list[dict[str, Any]]:
    """What a child process measured, on a database of its own."""
    with fresh(url, path) as database:
        environment = {
            **os.environ,
            "SECRET_KEY": "benchmark" * 8,
            "CREDENTIAL_KEYS": "YmVuY2htYXJrLWJlbmNobWFyay1iZW5jaG1hcmstMTI=",
            "DJANGO_SETTINGS_MODULE": "contactadmin.settings",
            "DEBUG": "off",
            "DATABASE_URL": database,
            "MEDIA_ROOT": str(path.parent / "media"),
        }
        command = [sys.executable, str(Path(__file__).resolve()), "--child", task, "--file", str(path)]
        done = subprocess.run(command, check=False, env=environment, cwd=path.parent, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextmanager
def fresh(url: str, path: Path) -> Iterator[str]:
    """The URL of an empty database, gone afterwards."""
    name = f"contactadmin_benchmark_{os.getpid()}"
    if not url:
        for old in path.parent.glob(f"{name}*"):
            old.unlink()
        yield f"sqlite:///{path.parent / name}.sqlite3"
        return
    import psycopg

    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--postgres", help="a server on which databases may be made, as postgres://user@host/postgres")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.file)
        return
    with tempfile.TemporaryDirectory(prefix="import-benchmark-") as folder:
        path = Path(folder) / "contacts.csv"
        generate(path, options.rows)
        print(f"{options.rows:,} rows, {path.stat().st_size / 1e6:.1f} MB")
        databases = {"SQLite": ""} | ({"PostgreSQL": options.postgres} if options.postgres else {})
        [parsing] = run("csv + phones", path, "")
        show("csv reading and phone parsing alone", parsing)
        for name, url in databases.items():
            [load] = run("bulk load", path, url)
            first, again = run("import", path, url)
            print(name)
            show("  the database’s own bulk load", load)
            show("  analyse + commit, all new", first)
            show("  analyse + commit, the same file again", again)
            floor = parsing["seconds"] + load["seconds"]
            to_load, to_floor = first["seconds"] / load["seconds"], first["seconds"] / floor
            print(f"  all new: {to_load:.1f} × bulk load, {to_floor:.1f} × parsing and bulk load together")


def show(label: str, measured: dict[str, Any]) -> None:
    parts = f" (analyse {measured['analyse']} s, commit {measured['commit']} s)" if "analyse" in measured else ""
    print(
        f"{label:<45}{measured['seconds']:>8.2f} s{measured['rows'] / measured['seconds']:>12,.0f} rows/s"
        f"{measured['peak_mb']:>7} MB{parts}"
    )


if __name__ == "__main__":
    main()
