"""Decides the outcome of every staged row, set-based, in the database.

The rule, told row by row: import the rows one after the other in file order under the policy, and call the row

    suppressed  when its number is do-not-contact, whatever else it is
    rejected    when it could not be cleaned
    merged      when an earlier line had its number; its values are folded into that line by the policy first
                (in a list that allows duplicates it is instead a further membership, and *unchanged* by itself)
    created     when no contact has its number
    updated     when the policy changes something about the contact that has
    unchanged   otherwise

Preview and commit run the same statement, `decide`; commit runs it again for each lot inside the transaction that saves
the lot. Every statement is restricted to lines *after* `first` up to and including `last`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection

from lists.db import BATCH, comparable, newer_over_older
from lists.fields import BY_NAME, TEXTS

DO_NOT_CONTACT = "do_not_contact"
LABELS = {name: BY_NAME[name].words for name in TEXTS} | {"extra": "extra attributes"}


# --- what the policy means, as SQL over a row `r` and a contact `c` ---------------------------------------------------


def new_extra(on_existing: str, older: str = "c.extra") -> str:
    """SQL: the extra attributes of contact `c`, or of another object, after row `r` under the policy."""
    replaced = newer_over_older(older, "r.extra")
    return replaced if on_existing == "replace" else newer_over_older(replaced, older)


def new_value(field: str, on_existing: str) -> str:
    """SQL: a field of contact `c` after row `r` under the policy; a blank cell clears nothing."""
    return f"CASE WHEN {is_changed(field, on_existing)} THEN r.{field} ELSE c.{field} END"


def is_changed(field: str, on_existing: str) -> str:
    """SQL: whether the policy changes a field of contact `c` by row `r`."""
    if on_existing == "keep":
        return "1 = 0"
    if field == "extra":
        return f"(r.extra <> '{{}}' AND {new_extra(on_existing)} <> {comparable('c.extra')})"
    if on_existing == "fill":
        return f"(c.{field} = '' AND r.{field} <> '')"
    return f"(r.{field} <> '' AND r.{field} <> c.{field})"


# --- repeats inside the file -----------------------------------------------------------------------------------------

REPEATS_IN_FILE = """
    UPDATE lists_importrow SET same_as = repeated.first, occurrence = repeated.occurrence
    FROM (
        SELECT line, MIN(line) OVER same_number AS first, ROW_NUMBER() OVER (same_number ORDER BY line) AS occurrence
        FROM lists_importrow
        WHERE imported_id = %(import_id)s AND phone <> '' AND code = ''
        WINDOW same_number AS (PARTITION BY phone)
    ) AS repeated
    WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = repeated.line
      AND repeated.occurrence > 1
"""


def mark_repeats(import_id: int) -> int:
    """Note on every repeat the line that had its number first, and its place among them; how many repeats there are."""
    return _execute(REPEATS_IN_FILE, {"import_id": import_id})


_FOLDED = (*TEXTS, "extra")
_REPEATS_OF_LOT = f"""
    SELECT COALESCE(r.same_as, r.line), r.line, {", ".join(f"r.{field}" for field in _FOLDED)}
    FROM (
        SELECT DISTINCT repeat.phone FROM lists_importrow AS repeat
        WHERE repeat.imported_id = %(import_id)s AND repeat.same_as > %(first)s AND repeat.same_as <= %(last)s
    ) AS lot
    JOIN lists_importrow AS r ON r.phone = lot.phone AND r.imported_id = %(import_id)s AND r.code = ''
    ORDER BY 1, 2
"""


class Folding(NamedTuple):
    """What folding one lot changes: first lines get values, repeats a note of what differs."""

    firsts: list[tuple[Any, ...]]
    repeats: list[tuple[str, str, int]]


def fold(rows: Iterable[dict[str, Any]], on_existing: str) -> dict[str, Any]:
    """One row out of several with the same number, in file order: what importing them one by one would leave.

    keep     the first row's values
    fill     the first value of each field that is not blank
    replace  the last value of each field that is not blank
    """
    folded: dict[str, Any] = {}
    for row in rows:
        if not folded:
            folded = dict(row)
            continue
        if on_existing == "keep":
            continue
        for field in TEXTS:
            if row[field] and (on_existing == "replace" or not folded[field]):
                folded[field] = row[field]
        if row["extra"]:
            older, newer = folded["extra"], row["extra"]
            folded["extra"] = {**older, **newer} if on_existing == "replace" else {**older, **newer, **older}
    return folded


def differing(first: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """The fields in which a repeat says something else than the first line; a blank says nothing."""
    fields = [field for field in TEXTS if row[field] and row[field] != first[field]]
    if any(first["extra"].get(header) != value for header, value in row["extra"].items()):
        fields.append("extra")
    return fields


def fold_repeats(import_id: int, first: int, last: int, on_existing: str) -> Iterator[Folding]:
    """What folding changes for the numbers whose first line is in the lot, in pieces of bounded size.

    Writes nothing. The first lines come with the last piece, so that a crash in between finds them as they were.
    """
    folding = Folding([], [])
    for first_line, group in groupby(_repeats_of_lot(import_id, first, last), key=lambda row: row["first"]):
        original: dict[str, Any] = {}
        folded: dict[str, Any] = {}
        for row in group:
            if not original:
                original = folded = row
                continue
            fields = differing(original, row)
            said = ", ".join(LABELS[field] for field in fields)
            reason = f"Same number as line {first_line}; {f'other: {said}' if fields else 'all it says is there'}."
            folding.repeats.append((",".join(fields), reason, row["line"]))
            folded = fold((folded, row), on_existing)
            if len(folding.repeats) >= BATCH:
                yield Folding([], folding.repeats[:])
                folding.repeats.clear()
        if any(folded[field] != original[field] for field in _FOLDED):
            folding.firsts.append((*(folded[field] for field in TEXTS), json.dumps(folded["extra"]), first_line))
    yield folding


def _repeats_of_lot(import_id: int, first: int, last: int) -> Iterator[dict[str, Any]]:
    """Rows of the numbers that repeat, group after group; streamed, for one number may fill the whole file."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_REPEATS_OF_LOT, {"import_id": import_id, "first": first, "last": last})
        while lot := cursor.fetchmany(2_000):
            for begun, line, *values, extra in lot:
                yield {
                    "first": begun,
                    "line": line,
                    **dict(zip(TEXTS, values, strict=True)),
                    "extra": json.loads(extra),
                }


def store_folding(import_id: int, folding: Folding) -> None:
    """Write what `fold_repeats` gave. Call inside a transaction."""
    values = ", ".join(f"{field} = %s" for field in _FOLDED)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE lists_importrow SET {values} WHERE imported_id = {import_id:d} AND line = %s", folding.firsts
        )
        cursor.executemany(
            f'UPDATE lists_importrow SET "column" = %s, reason = %s WHERE imported_id = {import_id:d} AND line = %s',
            folding.repeats,
        )


# --- outcomes --------------------------------------------------------------------------------------------------------


def _decide(on_existing: str, allow_duplicates: bool, only: str) -> str:
    changed = " OR ".join(is_changed(field, on_existing) for field in _FOLDED)
    return f"""
        WITH decided AS MATERIALIZED (
            SELECT r.line, r.outcome AS stood_as, r.contact_id AS stood_for,
                COALESCE(c.id, CASE WHEN r.outcome = 'created' THEN r.contact_id END) AS contact_id,
                CASE WHEN s.phone IS NOT NULL THEN 'suppressed'
                     WHEN r.code NOT IN ('', '{DO_NOT_CONTACT}') THEN 'rejected'
                     WHEN r.same_as IS NOT NULL THEN '{"unchanged" if allow_duplicates else "merged"}'
                     WHEN c.id IS NULL THEN 'created'
                     WHEN {changed} THEN 'updated'
                     ELSE 'unchanged' END AS outcome,
                CASE WHEN s.phone IS NOT NULL AND r.code = '' THEN '{DO_NOT_CONTACT}'
                     WHEN s.phone IS NULL AND r.code = '{DO_NOT_CONTACT}' THEN ''
                     ELSE r.code END AS code,
                CASE WHEN s.phone IS NOT NULL AND r.code = '' THEN 'This number is do-not-contact.'
                     WHEN s.phone IS NULL AND r.code = '{DO_NOT_CONTACT}' THEN ''
                     ELSE r.reason END AS reason
            FROM lists_importrow AS r
            LEFT JOIN lists_suppression AS s ON s.phone = r.phone AND s.lifted_at IS NULL
            LEFT JOIN lists_contact AS c ON c.phone = r.phone
            WHERE r.imported_id = %(import_id)s AND r.line > %(first)s AND r.line <= %(last)s AND {only}
        )
        UPDATE lists_importrow
        SET outcome = decided.outcome, contact_id = decided.contact_id, code = decided.code, reason = decided.reason
        FROM decided
        WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = decided.line
          AND lists_importrow.line > %(first)s AND lists_importrow.line <= %(last)s
          AND (decided.stood_as <> decided.outcome
               OR COALESCE(decided.stood_for, 0) <> COALESCE(decided.contact_id, 0))
    """


def decide(
    import_id: int,
    first: int,
    last: int,
    *,
    on_existing: str,
    allow_duplicates: bool,
    only: str = "1 = 1",
    **values: Any,
) -> int:
    """Give the rows of the lot their outcomes and contacts; how many came out differently than they stood.

    only, values  SQL over row `r` that narrows the lot further, and its parameters
    """
    statement = _decide(on_existing, allow_duplicates, only)
    return _execute(statement, {"import_id": import_id, "first": first, "last": last, **values})


def end_of_lot(import_id: int, first: int, size: int = BATCH) -> tuple[int, int] | None:
    """The line that ends the next `size` rows after line `first`, and how many they are; None when there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT MAX(line), COUNT(*) FROM (
                SELECT line FROM lists_importrow WHERE imported_id = %(import_id)s AND line > %(first)s
                ORDER BY line LIMIT %(size)s
            ) AS lot
            """,
            {"import_id": import_id, "first": first, "size": size},
        )
        last, rows = cursor.fetchone()
    return (last, rows) if rows else None


def ledger(import_id: int) -> dict[str, int]:
    """{outcome: rows} and, under "joined", the memberships added; the one query that closes the equation."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT outcome, COUNT(*), SUM(CASE WHEN joined OR outcome = 'created' THEN 1 ELSE 0 END)
            FROM lists_importrow WHERE imported_id = %(import_id)s GROUP BY outcome
            """,
            {"import_id": import_id},
        )
        rows = cursor.fetchall()
    return Counter({outcome: count for outcome, count, _ in rows} | {"joined": sum(joined for *_, joined in rows)})


def _execute(statement: str, parameters: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount
