"""Decides the outcome of every staged row, set-based, in the database.

The rule, told row by row: import the rows one after the other in file order under the policy, and call the row

    suppressed  when its number, or another one of the row, is do-not-contact, or the file says that it is to be
    skipped     when a rule leaves it out: a total, a placeholder, another person's number where those are left out
    rejected    when it could not be cleaned
    merged      when an earlier line had its number; its values are folded into that line by the policy first
                (in a list that allows duplicates it is instead a further membership, and *unchanged* by itself)
    created     when no contact has its number
    updated     when the policy changes something about the contact that has
    unchanged   otherwise

A row whose first and last name are both other than the contact's is another person with the same number: nothing of
the two is mixed, and what becomes of such rows is a decision of its own (`OtherPerson`).

Preview and commit run the same statement, `decide`; commit runs it again for each lot inside the transaction that saves
the lot. Every statement is restricted to lines *after* `first` up to and including `last`.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from django.db import connection

from lists import db
from lists.db import BATCH
from lists.fields import BY_NAME, TEXTS
from lists.importing.cleaning import OPTED_OUT, SKIPS
from lists.importing.lines import LAST_LINE, line_in_words
from lists.importing.policy import FOLDED, Policy, are_other_people, changes_same_person, fold, is_other_person
from lists.importing.row_warnings import KINDS, SHARED_BY, Code

DO_NOT_CONTACT = "do_not_contact"
LABELS = {name: BY_NAME[name].words for name in TEXTS} | {"extra": "extra attributes"}


# --- repeats inside the file -----------------------------------------------------------------------------------------

MARK_OPTED_OUT = f"""
    UPDATE lists_importrow SET code = '{OPTED_OUT}', outcome = 'suppressed', contact_id = NULL,
        reason = 'Another line of the file says that this person must not be contacted.'
    WHERE imported_id = %(import_id)s AND code = '' AND (
        phone IN ({{opted_out}}) OR (others IS NOT NULL AND EXISTS (
            SELECT 1 FROM {{others}} AS other WHERE other.value IN ({{opted_out}}))))
"""
_OPTED_OUT_NUMBERS = f"""
    SELECT said.phone FROM lists_importrow AS said
    WHERE said.imported_id = %(import_id)s AND said.code = '{OPTED_OUT}' AND said.phone <> ''
    UNION
    SELECT number.value FROM lists_importrow AS said, {{others}} AS number
    WHERE said.imported_id = %(import_id)s AND said.code = '{OPTED_OUT}' AND said.others IS NOT NULL
"""


def mark_opted_out(import_id: int) -> int:
    """What one line says of a number holds for all its lines; how many rows say nothing of it themselves."""
    opted_out = _OPTED_OUT_NUMBERS.format(others=db.each_text("said.others"))
    statement = MARK_OPTED_OUT.format(opted_out=opted_out, others=db.each_text("lists_importrow.others"))
    return _execute(statement, {"import_id": import_id})


# Few numbers repeat, so they are found first: to number all rows costs several times as much. The statement does not
# begin with WITH, because SQLite's driver counts no rows of one that does.
REPEATS_IN_FILE = """
    UPDATE lists_importrow SET same_as = repeated.first, occurrence = repeated.occurrence
    FROM (
        WITH repeating AS MATERIALIZED (
            SELECT phone FROM lists_importrow
            WHERE imported_id = %(import_id)s AND phone <> '' AND code = '' GROUP BY phone HAVING COUNT(*) > 1
        )
        SELECT r.line, MIN(r.line) OVER same_number AS first,
            ROW_NUMBER() OVER (same_number ORDER BY r.line) AS occurrence
        FROM repeating JOIN lists_importrow AS r ON r.phone = repeating.phone
        WHERE r.imported_id = %(import_id)s AND r.code = ''
        WINDOW same_number AS (PARTITION BY r.phone)
    ) AS repeated
    WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = repeated.line
      AND repeated.occurrence > 1
"""


def mark_repeats(import_id: int) -> int:
    """Note on every repeat the line that had its number first, and its place among them; how many repeats there are."""
    return _execute(REPEATS_IN_FILE, {"import_id": import_id})


MARK_SHARED = f"""
    UPDATE lists_importrow SET warned = {{warned}}, {{left_out}}
    WHERE imported_id = %(import_id)s AND phone IN (
        SELECT r.phone FROM lists_importrow AS r
        WHERE r.imported_id = %(import_id)s AND r.code = '' AND r.first_name <> '' AND r.phone IN (
            SELECT often.phone FROM lists_importrow AS often
            WHERE often.imported_id = %(import_id)s AND often.same_as IS NOT NULL AND often.occurrence > {SHARED_BY})
        GROUP BY r.phone
        HAVING COUNT(DISTINCT {db.ascii_lower("r.first_name")} || ' ' || {db.ascii_lower("r.last_name")}) > {SHARED_BY}
    ) AND code = ''
"""


def mark_shared(import_id: int, *, are_imported: bool) -> int:
    """Warn of numbers that many people share, and leave their rows out unless `are_imported`; how many rows.

    Looks among the numbers that repeat, so `mark_repeats` comes first.
    """
    kind = KINDS[Code.SHARED_NUMBER]
    left_out = (
        "same_as = same_as"
        if are_imported
        else (f"code = '{Code.SHARED_NUMBER}', outcome = 'skipped', contact_id = NULL, reason = '{kind.title}'")
    )
    warned = f"CASE WHEN warned = '' THEN ',' ELSE warned END || '{Code.SHARED_NUMBER},'"
    return _execute(MARK_SHARED.format(warned=warned, left_out=left_out), {"import_id": import_id})


_FOLDS = f"'', '{Code.OTHER_PERSON}'"
_REPEATS_OF_LOT = f"""
    SELECT COALESCE(r.same_as, r.line), r.line, {", ".join(f"r.{field}" for field in FOLDED)}
    FROM (
        SELECT DISTINCT repeat.phone FROM lists_importrow AS repeat
        WHERE repeat.imported_id = %(import_id)s AND repeat.same_as > %(first)s AND repeat.same_as <= %(last)s
    ) AS lot
    JOIN lists_importrow AS r ON r.phone = lot.phone AND r.imported_id = %(import_id)s AND r.code IN ({_FOLDS})
    ORDER BY 1, 2
"""


class Folding(NamedTuple):
    """What folding one lot changes: first lines get values, repeats a note of what differs and whether it is another
    person's: (fields, reason, code, line)."""

    firsts: list[tuple[Any, ...]]
    repeats: list[tuple[str, str, str, int]]


def differing(first: dict[str, Any], row: dict[str, Any]) -> list[str]:
    """The fields in which a repeat says something else than the first line; a blank says nothing."""
    fields = [field for field in TEXTS if row[field] and row[field] != first[field]]
    if any(first["extra"].get(header) != value for header, value in row["extra"].items()):
        fields.append("extra")
    return fields


def fold_repeats(import_id: int, first: int, last: int, policy: Policy) -> Iterator[Folding]:
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
            code, says = "", f"other: {said}" if fields else "all it says is there"
            if are_other_people(folded, row, by_full_name=policy.by_full_name):
                code, says = Code.OTHER_PERSON, f"another person, {_OTHER_PERSON[policy.other_person]}"
            reason = f"Same number as {line_in_words(first_line)}; {says}."
            folding.repeats.append((",".join(fields), reason, code, row["line"]))
            folded = fold((folded, row), policy)
            if len(folding.repeats) >= BATCH:
                yield Folding([], folding.repeats[:])
                folding.repeats.clear()
        if any(folded[field] != original[field] for field in FOLDED):
            folding.firsts.append((*(folded[field] for field in TEXTS), json.dumps(folded["extra"]), first_line))
    yield folding


_OTHER_PERSON = {
    "keep": "so nothing of it is taken",
    "take": "who takes the place of the one before",
    "leave_out": "so it is left out",
}


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
    values = ", ".join(f"{field} = %s" for field in FOLDED)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE lists_importrow SET {values} WHERE imported_id = {import_id:d} AND line = %s", folding.firsts
        )
        cursor.executemany(
            'UPDATE lists_importrow SET "column" = %s, reason = %s, code = %s'
            f" WHERE imported_id = {import_id:d} AND line = %s",
            folding.repeats,
        )


# --- outcomes --------------------------------------------------------------------------------------------------------


SET_HERE = (DO_NOT_CONTACT, Code.OTHER_PERSON)
"""Codes that deciding gives, and takes away again where they no longer hold."""
_OF_ANOTHER = {"keep": "unchanged", "take": "updated", "leave_out": "skipped"}


def _decide(policy: Policy, only: str) -> str:
    skips = ", ".join(f"'{code}'" for code in SKIPS)
    of_repeat = "unchanged" if policy.allow_duplicates else "merged"
    other_repeat = "skipped" if policy.other_person == "leave_out" else of_repeat
    return f"""
        UPDATE lists_importrow
        SET outcome = decided.outcome, contact_id = decided.contact_id, code = decided.code, reason = decided.reason
        FROM (
            WITH looked_up AS MATERIALIZED (
                SELECT r.line, r.outcome AS stood_as, r.contact_id AS stood_for, r.code AS stood_code, r.reason,
                    r.same_as, c.id AS found_id,
                    CASE WHEN r.code IN ('{DO_NOT_CONTACT}') OR (r.code = '{Code.OTHER_PERSON}' AND r.same_as IS NULL)
                         THEN '' ELSE r.code END AS code,
                    CASE WHEN s.phone IS NOT NULL THEN 1
                         WHEN r.others IS NOT NULL AND EXISTS (
                            SELECT 1 FROM {db.each_text("r.others")} AS other
                            JOIN lists_suppression AS o ON o.phone = other.value AND o.lifted_at IS NULL) THEN 2
                         ELSE 0 END AS is_suppressed,
                    CASE WHEN c.id IS NOT NULL AND {is_other_person(policy)} THEN 1 ELSE 0 END AS is_other_person,
                    CASE WHEN c.id IS NOT NULL AND {changes_same_person(policy)} THEN 1 ELSE 0 END AS is_changed
                FROM lists_importrow AS r
                LEFT JOIN lists_suppression AS s ON s.phone = r.phone AND s.lifted_at IS NULL
                LEFT JOIN lists_contact AS c ON c.phone = r.phone
                WHERE r.imported_id = %(import_id)s AND r.line > %(first)s AND r.line <= %(last)s AND {only}
            )
            SELECT line, stood_as, stood_for, stood_code,
                COALESCE(found_id, CASE WHEN stood_as = 'created' THEN stood_for END) AS contact_id,
                CASE WHEN is_suppressed > 0 OR code = '{OPTED_OUT}' THEN 'suppressed'
                     WHEN code IN ({skips}) THEN 'skipped'
                     WHEN code NOT IN ('', '{Code.OTHER_PERSON}') THEN 'rejected'
                     WHEN same_as IS NOT NULL AND code <> '' THEN '{other_repeat}'
                     WHEN same_as IS NOT NULL THEN '{of_repeat}'
                     WHEN found_id IS NULL THEN 'created'
                     WHEN is_other_person = 1 THEN '{_OF_ANOTHER[policy.other_person]}'
                     WHEN is_changed = 1 THEN 'updated'
                     ELSE 'unchanged' END AS outcome,
                CASE WHEN code <> '' THEN code
                     WHEN is_suppressed > 0 THEN '{DO_NOT_CONTACT}'
                     WHEN same_as IS NULL AND is_other_person = 1 THEN '{Code.OTHER_PERSON}'
                     ELSE '' END AS code,
                CASE WHEN code <> '' THEN reason
                     WHEN is_suppressed = 1 THEN 'This number is do-not-contact.'
                     WHEN is_suppressed = 2 THEN 'Another number of this row is do-not-contact.'
                     WHEN same_as IS NULL AND is_other_person = 1
                     THEN 'Another person has this number: first and last name are different.'
                     WHEN stood_code <> '' THEN ''
                     ELSE reason END AS reason
            FROM looked_up
        ) AS decided
        WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = decided.line
          AND lists_importrow.line > %(first)s AND lists_importrow.line <= %(last)s
          AND (decided.stood_as <> decided.outcome OR decided.stood_code <> decided.code
               OR COALESCE(decided.stood_for, 0) <> COALESCE(decided.contact_id, 0))
    """


def decide(import_id: int, first: int, last: int, *, policy: Policy, only: str = "1 = 1", **values: Any) -> int:
    """Give the rows of the lot their outcomes and contacts; how many came out differently than they stood.

    only, values  SQL over row `r` that narrows the lot further, and its parameters
    """
    return _execute(_decide(policy, only), {"import_id": import_id, "first": first, "last": last, **values})


def decide_suppressions(import_id: int, first: int, last: int) -> int:
    """Give the rows of a lot of numbers that are to be do-not-contact their outcomes; how many changed.

    created  a number that was not on the list, or was lifted; unchanged  one that is there
    """
    skips = ", ".join(f"'{code}'" for code in SKIPS)
    statement = f"""
        UPDATE lists_importrow SET outcome = decided.outcome, contact_id = NULL
        FROM (
            SELECT r.line, CASE WHEN r.code IN ({skips}) THEN 'skipped'
                                WHEN r.code <> '' THEN 'rejected'
                                WHEN r.same_as IS NOT NULL THEN 'merged'
                                WHEN s.phone IS NOT NULL THEN 'unchanged'
                                ELSE 'created' END AS outcome
            FROM lists_importrow AS r
            LEFT JOIN lists_suppression AS s ON s.phone = r.phone AND s.lifted_at IS NULL
            WHERE r.imported_id = %(import_id)s AND r.line > %(first)s AND r.line <= %(last)s
        ) AS decided
        WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = decided.line
          AND lists_importrow.outcome <> decided.outcome
    """
    return _execute(statement, {"import_id": import_id, "first": first, "last": last})


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


def ledger(import_id: int, *, last: int = LAST_LINE) -> dict[str, int]:
    """{outcome: rows} and, under "joined", the memberships added; the one query that closes the equation.

    last  counts the rows up to this line
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT outcome, COUNT(*), SUM(CASE WHEN joined OR outcome = 'created' THEN 1 ELSE 0 END)
            FROM lists_importrow WHERE imported_id = %(import_id)s AND line <= %(last)s GROUP BY outcome
            """,
            {"import_id": import_id, "last": last},
        )
        rows = cursor.fetchall()
    return Counter({outcome: count for outcome, count, _ in rows} | {"joined": sum(joined for *_, joined in rows)})


def _execute(statement: str, parameters: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount
