"""Clean records into ImportRow, in bulk: COPY on PostgreSQL, executemany on SQLite."""

from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii as _quoted
from operator import attrgetter
from typing import Any

from django.db import connection

from lists.fields import TEXTS
from lists.importing.cleaning import CleanRow
from lists.importing.reading import Record

BATCH = 20_000 if connection.vendor == "postgresql" else 5_000
"""Rows of one transaction; on SQLite everybody who writes waits for it, about a tenth of a second."""

_COLUMNS = (
    "imported_id", "line", "raw", "phone", *TEXTS, "extra", "code", "column", "value", "reason", "suggestion",
    "occurrence", "outcome", "contact_id", "joined",
)  # fmt: skip
_NAMES = ", ".join(f'"{column}"' for column in _COLUMNS)


def ready(rows: Iterable[tuple[Record, CleanRow]]) -> Iterable[tuple[Record, CleanRow]]:
    """Rows as the database at hand wants them. Call before the transaction that stages them.

    PostgreSQL takes each as it is cleaned, and stores it on another core meanwhile. SQLite has one write lock, so all
    are cleaned before it is taken.
    """
    return rows if connection.vendor == "postgresql" else list(rows)


def stage(import_id: int, rows: Iterable[tuple[Record, CleanRow]]) -> None:
    """Insert up to BATCH records with their clean values, as if every number were new. Call inside a transaction.

    Most rows of most files are just that, so deciding finds little to write, and neither does saving: each row has
    the id of the contact it would create.
    """
    staged = _rows(import_id, rows, contact_ids(BATCH))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY lists_importrow ({_NAMES}) FROM STDIN") as copy:
                for values in staged:
                    copy.write_row(values)
        else:
            marks = ", ".join(["%s"] * len(_COLUMNS))
            cursor.executemany(f"INSERT INTO lists_importrow ({_NAMES}) VALUES ({marks})", list(staged))


def contact_ids(count: int) -> Iterator[int]:
    """Ids taken out of the contacts' sequence, so that nobody else gets them; those not used leave a gap.

    Call inside a transaction.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                # The sequence in a SELECT of its own is looked up once and not for every id.
                "SELECT nextval((SELECT pg_get_serial_sequence('lists_contact', 'id')::regclass))"
                " FROM generate_series(1, %s)",
                [count],
            )
            return iter([drawn for (drawn,) in cursor.fetchall()])
        # SQLite keeps the highest id an AUTOINCREMENT has given in a table anybody may write.
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'lists_contact'", [count])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('lists_contact', %s)", [count])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'lists_contact'")
        highest = cursor.fetchone()[0]
        return iter(range(highest - count + 1, highest + 1))


def _rows(
    import_id: int, rows: Iterable[tuple[Record, CleanRow]], new_contacts: Iterator[int]
) -> Iterator[tuple[Any, ...]]:
    texts_of = attrgetter(*TEXTS)
    for record, row in rows:
        outcome, contact_id = ("rejected", None) if row.code else ("created", next(new_contacts))
        yield (
            import_id, row.line, _json_list(record.cells), row.phone,
            *texts_of(row),
            _json_object(row.extra) if row.extra else "{}", row.code, row.column, row.value, row.reason, row.suggestion,
            1, outcome, contact_id, False,
        )  # fmt: skip


# As `json.dumps` writes texts, in a third of its time.


def _json_list(texts: list[str]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _json_object(texts: dict[str, str]) -> str:
    return f"{{{', '.join([f'{_quoted(name)}: {_quoted(text)}' for name, text in texts.items()])}}}"


def finish_staging() -> None:
    """Tell PostgreSQL's planner of the rows that have come; it would otherwise plan for the table of before.

    Only of the columns the next phases look for: its own daemon learns of the others soon enough.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE lists_importrow (imported_id, line, phone, outcome, same_as)")


def unstage(import_id: int) -> int:
    """Remove one lot of staged rows; how many, 0 when none are left. Call inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM lists_importrow WHERE imported_id = %(import_id)s AND line <= (
                SELECT MAX(line) FROM (
                    SELECT line FROM lists_importrow WHERE imported_id = %(import_id)s ORDER BY line LIMIT %(lot)s
                ) AS lot)
            """,
            {"import_id": import_id, "lot": 2 * BATCH},
        )
        return cursor.rowcount
