"""Clean records into ImportRow, in bulk."""

from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as _quoted
from operator import attrgetter
from typing import Any

import orjson
from django.db import connection

from lists import db
from lists.db import BATCH
from lists.fields import TEXTS
from lists.importing.cleaning import CleanRow
from lists.importing.reading import Record

_COLUMNS = (
    "imported_id", "line", "raw", "phone", *TEXTS, "extra", "others", "code", "column", "value", "reason",
    "suggestion", "warned", "occurrence", "outcome", "contact_id", "joined",
)  # fmt: skip


def stage(import_id: int, rows: Iterable[tuple[Record, CleanRow]]) -> None:
    """Insert up to BATCH records with their clean values, as if every number were new. Call inside a transaction.

    Most rows of most files are just that, so deciding finds little to write, and neither does saving: each row has
    the id of the contact it would create.
    """
    db.insert("lists_importrow", _COLUMNS, _rows(import_id, rows, contact_ids(BATCH)))


def contact_ids(count: int) -> Iterator[int]:
    """Ids for contacts to come. Call inside a transaction."""
    return db.draw_ids("lists_contact", count)


def _rows(
    import_id: int, rows: Iterable[tuple[Record, CleanRow]], new_contacts: Iterator[int]
) -> Iterator[tuple[Any, ...]]:
    texts_of = attrgetter(*TEXTS)
    for record, row in rows:
        contact_id = None if row.code else next(new_contacts)
        yield (
            import_id, row.line, _json(record.cells), row.phone, *texts_of(row),
            _json_object(row.extra) if row.extra else "{}",
            *(_remarks(row) if row.code or row.warnings or row.others else _NO_REMARKS),
            contact_id, False,
        )  # fmt: skip


def _remarks(row: CleanRow) -> tuple[Any, ...]:
    """The columns from `others` to `outcome`."""
    return (
        _json(row.others) if row.others else None,
        row.code, row.column, row.value, row.reason, row.suggestion,
        f",{','.join(row.warning_codes)}," if row.warnings else "", 1, row.outcome if row.code else "created",
    )  # fmt: skip


_NO_REMARKS = _remarks(CleanRow(0))  # what most rows have


def _json(texts: Sequence[str]) -> str:
    return orjson.dumps(texts).decode()


def _json_object(texts: dict[str, str]) -> str:
    """As `json.dumps` writes it, in a third of its time: contacts hold attributes of all times in this one spelling."""
    return f"{{{', '.join([f'{_quoted(name)}: {_quoted(text)}' for name, text in texts.items()])}}}"


def finish_staging() -> None:
    """Let the database know of the rows that have come, by the columns the next phases look for."""
    db.refresh_statistics("lists_importrow", ("imported_id", "line", "phone", "outcome", "same_as"))


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
