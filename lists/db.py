"""What is odd about a database, each oddity with its reason. SQLite is one file with one writer, PostgreSQL a server.

Whoever uses these need not know which of the two is at hand. Knows no models.
"""

import errno
import gc
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import orjson
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

T = TypeVar("T")

IS_POSTGRESQL = connection.vendor == "postgresql"

BATCH = 20_000 if IS_POSTGRESQL else 5_000
"""Rows of one transaction; on SQLite everybody who writes waits for it, about a tenth of a second."""


# What passes


DISK_FULL = "the disk is full"
UNREACHABLE = "the database cannot be reached"
BUSY = "the database is busy"

_BY_SQLSTATE = {"53100": DISK_FULL, "53": BUSY, "40": BUSY, "55P03": BUSY, "08": UNREACHABLE, "57P": UNREACHABLE}
_BY_SQLITE = {
    "SQLITE_FULL": DISK_FULL,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
    "SQLITE_IOERR": UNREACHABLE,
    "SQLITE_CANTOPEN": UNREACHABLE,
}


def passing_cause(error: BaseException | None) -> str:
    """What keeps work from going on for now though nothing is wrong with it, in words; "" for any other error.

    Neither a full disk nor a lost database is a fault of the work: it is to wait, and to go on where it was.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DISK_FULL
        if isinstance(error, sqlite3.Error):
            name = getattr(error, "sqlite_errorname", "")
            return next((cause for known, cause in _BY_SQLITE.items() if name.startswith(known)), "")
        if isinstance(error, psycopg.Error):
            state = error.sqlstate or ""
            if not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
                return UNREACHABLE
            return next((cause for known, cause in _BY_SQLSTATE.items() if state.startswith(known)), "")
        error = error.__cause__
    return ""


# Many rows at once


def ready_to_write(rows: Iterable[T]) -> Iterable[T]:
    """Rows that are computed as they are read. Call before the transaction that inserts them.

    PostgreSQL takes each as it comes, and stores it on another core meanwhile. SQLite has one write lock, so all are
    computed before it is taken.
    """
    return rows if IS_POSTGRESQL else list(rows)


def insert(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert many rows. Call inside a transaction.

    PostgreSQL takes them by COPY, which is several times as fast as INSERT; SQLite knows no COPY and needs none, for
    it has no network between.
    """
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if IS_POSTGRESQL:
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))


def draw_ids(table: str, count: int) -> Iterator[int]:
    """Ids taken out of a table's sequence, so that nobody else gets them; those not used leave a gap.

    Call inside a transaction.
    """
    with connection.cursor() as cursor:
        if IS_POSTGRESQL:
            cursor.execute(
                # The sequence in a SELECT of its own is looked up once and not for every id.
                "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
                [table, count],
            )
            return iter([drawn for (drawn,) in cursor.fetchall()])
        # SQLite has no sequences, but keeps the highest id an AUTOINCREMENT has given in a table anybody may write.
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [count, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        highest = cursor.fetchone()[0]
        return iter(range(highest - count + 1, highest + 1))


def in_one_row(columns: str) -> str:
    """SQL: the columns of a SELECT whose rows are read by `fetch_rows`.

    Python lets another thread go first after each row it takes from SQLite, so there all rows come as one, in JSON.
    """
    return columns if IS_POSTGRESQL else f"json_group_array(json_array({columns}))"


def fetch_rows(cursor: CursorWrapper) -> list[Any]:
    """The rows of a SELECT of `in_one_row`, each a sequence, in no order."""
    found = cursor.fetchall()
    return found if IS_POSTGRESQL else orjson.loads(found[0][0])


# The planner and locks


def refresh_statistics(table: str, columns: Iterable[str]) -> None:
    """Tell PostgreSQL's planner of the many rows that have come; it would otherwise plan for the table of before.

    columns  those the next statements look for: its own daemon learns of the others soon enough

    SQLite's planner goes by indexes alone while it has no statistics, which suits a table of any size.
    """
    if IS_POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table} ({', '.join(columns)})")


_OTHER_WAYS = ("enable_hashjoin", "enable_mergejoin", "enable_seqscan", "jit")


def answer_by_keys() -> None:
    """Have PostgreSQL answer this transaction's statements by keys, which for a lot of rows is always right.

    It plans by what it last knew about the tables, and an import makes them grow faster than it learns: it would read
    all contacts once for every lot.
    """
    if IS_POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET LOCAL {way} = off" for way in _OTHER_WAYS))


def lock(select_for_update: str, parameters: Mapping[str, Any]) -> None:
    """Lock the rows of a SELECT … FOR UPDATE until the transaction ends.

    SQLite knows no such clause and needs none: whoever writes has the whole file.
    """
    if IS_POSTGRESQL:
        with connection.cursor() as cursor:
            cursor.execute(select_for_update, parameters)


# Values


def stamp(moment: datetime) -> Any:
    """A time as a parameter of raw SQL: SQLite keeps times as text, in the spelling of Django."""
    return connection.ops.adapt_datetimefield_value(moment)


def newer_over_older(older: str, newer: str) -> str:
    """SQL: two JSON objects as one, the newer one winning; the order of the older one's keys is kept."""
    return f"({older} || {newer})" if IS_POSTGRESQL else f"json_patch({older}, {newer})"


def comparable(extra: str) -> str:
    """SQL: a JSON object as `newer_over_older` would write it; SQLite compares texts, and spaces count."""
    return extra if IS_POSTGRESQL else f"json({extra})"


def member_text(json_object: str, name: str) -> str:
    """SQL: a text inside a JSON object, NULL where it has none of that name."""
    return f"({json_object} ->> '{name}')" if IS_POSTGRESQL else f"json_extract({json_object}, '$.{name}')"


def member_object(json_object: str, name: str) -> str:
    """SQL: an object inside a JSON object, NULL where it has none of that name.

    Not `->` on SQLite, which came with 3.38; `json_extract` gives an object as JSON of its own accord.
    """
    return f"({json_object} -> '{name}')" if IS_POSTGRESQL else f"json_extract({json_object}, '$.{name}')"


def each_text(array: str) -> str:
    """SQL for FROM: the texts of a JSON array as rows with the column `value`; none where it is NULL."""
    return f"jsonb_array_elements_text({array})" if IS_POSTGRESQL else f"json_each({array})"


def ascii_lower(text: str) -> str:
    """SQL: a text with A–Z in small letters. SQLite knows no other letters, so PostgreSQL is told to do the same."""
    return f'LOWER({text} COLLATE "C")' if IS_POSTGRESQL else f"LOWER({text})"


def as_date(text: str) -> str:
    """SQL: a text such as 2026-07-31 for a column of dates, which SQLite keeps as texts."""
    return f"CAST({text} AS date)" if IS_POSTGRESQL else text


# Python


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Let Python look for cycles of garbage after 50,000 new objects instead of 700.

    Work in lots makes many objects that live for a moment and hardly a cycle: looking for some took a sixth of a push.
    """
    usual = gc.get_threshold()
    gc.set_threshold(50_000, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
