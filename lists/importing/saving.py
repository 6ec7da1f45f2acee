"""Applies exactly the outcomes of a lot of rows, set-based, and keeps what undo needs.

Everything here runs inside the transaction that has just decided the lot (`matching.decide`), after the contacts it
concerns were locked. Rows this lot adds carry the lot's own time, to the microsecond: so a statement can tell what it
added from what somebody else added in between.
"""

from typing import Any, NamedTuple, Self

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from lists import db
from lists.fields import TEXTS
from lists.importing import matching, staging
from lists.importing.cleaning import OPTED_OUT
from lists.importing.lines import FURTHER, PARTS
from lists.importing.policy import FOLDED, Policy, is_changed, new_value
from lists.importing.row_warnings import Code
from lists.models import Import

_LOT = "r.imported_id = %(import_id)s AND r.line > %(first)s AND r.line <= %(last)s"

# In one order, so that two imports wait for each other and never cross (`db.lock`).
LOCK_CONTACTS = f"""
    SELECT c.id FROM lists_contact AS c
    WHERE c.phone IN (SELECT r.phone FROM lists_importrow AS r WHERE {_LOT} AND r.phone <> '')
    ORDER BY c.phone FOR UPDATE
"""

# Sorted by number: the unique index is then filled from left to right.
CREATE_CONTACTS = f"""
    INSERT INTO lists_contact (id, phone, {", ".join(TEXTS)}, extra, created_at, updated_at)
    SELECT r.contact_id, r.phone, {", ".join(f"r.{field}" for field in TEXTS)}, r.extra, %(now)s, %(now)s
    FROM lists_importrow AS r WHERE {_LOT} AND r.outcome = 'created'
    ORDER BY r.phone
    ON CONFLICT (phone) DO NOTHING
"""

# A contact somebody else made in the very moment: the row did not create it, so it is decided once more.
LOST_RACE = """
    r.outcome = 'created'
    AND EXISTS (SELECT 1 FROM lists_contact AS other WHERE other.phone = r.phone AND other.created_at <> %(now)s)
"""

# Rows that only now have a contact: another row of their number created it. A look-up and no join: whatever PostgreSQL
# believes about tables that have just grown, it can only use their keys.
LINK_REPEATS = f"""
    UPDATE lists_importrow AS r SET contact_id = (SELECT c.id FROM lists_contact AS c WHERE c.phone = r.phone)
    WHERE {_LOT} AND r.outcome IN ('unchanged', 'merged') AND r.contact_id IS NULL
"""

JOIN_LIST = f"""
    INSERT INTO lists_membership (contact_list_id, contact_id, occurrence, extra, created_at)
    SELECT %(list_id)s, r.contact_id, r.occurrence, {{extra}}, %(now)s
    FROM lists_importrow AS r
    WHERE {_LOT} AND r.outcome IN ('created', 'updated', 'unchanged')
    ORDER BY r.contact_id, r.occurrence
    ON CONFLICT (contact_list_id, contact_id, occurrence) DO NOTHING
"""

# A contact that is created always joins, and its row need not say so.
NOTE_JOINED = f"""
    UPDATE lists_importrow AS r SET joined = TRUE
    WHERE {_LOT} AND r.outcome IN ('updated', 'unchanged') AND EXISTS (
        SELECT 1 FROM lists_membership AS m
        WHERE m.contact_list_id = %(list_id)s AND m.contact_id = r.contact_id AND m.occurrence = r.occurrence
          AND m.created_at = %(now)s)
"""


def _keep_earlier_values(policy: Policy) -> str:
    """Put {field: earlier value} of what will change into the rows; must run before the contacts change."""
    earlier = ", ".join(f"'{field}', CASE WHEN {is_changed(field, policy)} THEN c.{field} END" for field in TEXTS)
    extra_changed = is_changed("extra", policy)
    if db.IS_POSTGRESQL:
        before = (
            f"jsonb_strip_nulls(jsonb_build_object({earlier}, 'extra', CASE WHEN {extra_changed} THEN c.extra END))"
        )
    else:
        # json_patch leaves out what is null, which is how fields that stay as they are disappear.
        without = f"CASE WHEN {extra_changed} THEN '{{}}' ELSE '{{\"extra\": null}}' END"
        before = f"json_patch(json_patch('{{}}', json_object({earlier}, 'extra', json(c.extra))), {without})"
    return f"""
        UPDATE lists_importrow SET before = earlier.before
        FROM (
            SELECT r.line, {before} AS before
            FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND r.outcome = 'updated'
        ) AS earlier
        WHERE lists_importrow.imported_id = %(import_id)s AND lists_importrow.line = earlier.line
    """


def _update_contacts(policy: Policy) -> str:
    values = ", ".join(f"{field} = changed.{field}" for field in FOLDED)
    # Where no attribute is new the text stays as it is; otherwise SQLite would only write it in another spacing.
    new = ", ".join(f"{new_value(field, policy)} AS {field}" for field in FOLDED)
    return f"""
        UPDATE lists_contact SET {values}, updated_at = %(now)s
        FROM (
            SELECT c.id, {new}
            FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND r.outcome = 'updated'
        ) AS changed
        WHERE lists_contact.id = changed.id
    """


class Source(NamedTuple):
    """Where numbers that are to be do-not-contact come from: a reason where the file gives none, the file, a person."""

    reason: str
    filename: str
    user_id: int | None

    @classmethod
    def of(cls, imported: Import) -> "Source":
        reason = imported.reason or f"Said so in {imported.filename}"
        return cls(reason[:200], imported.filename, imported.created_by_id)

    def unanswered(self) -> Self:
        return self._replace(reason=f"May have opted out: a column of {self.filename} is still to be explained"[:200])


class Saved(NamedTuple):
    """What one lot did; `drifted` rows came out otherwise than the preview said, because contacts had changed."""

    drifted: int
    joined: int


def save(import_id: int, first: int, last: int, *, list_id: int, policy: Policy, source: Source) -> Saved:
    """Decide the rows after line `first` up to `last` once more, and apply. Call inside a transaction."""
    now = db.stamp(timezone.now())
    lot: dict[str, Any] = {"import_id": import_id, "first": first, "last": last, "list_id": list_id, "now": now}
    with connection.cursor() as cursor:
        db.lock(LOCK_CONTACTS, lot)
        drifted = matching.decide(import_id, first, last, policy=policy)
        created = _give_ids(cursor, lot)
        if created:
            cursor.execute(CREATE_CONTACTS, lot)
            if cursor.rowcount < created:
                drifted += matching.decide(import_id, first, last, policy=policy, only=LOST_RACE, now=now)
        if policy.on_existing != "keep" or policy.other_person == "take":
            cursor.execute(_keep_earlier_values(policy), lot)
            if cursor.rowcount:
                cursor.execute(_update_contacts(policy), lot)
        cursor.execute(LINK_REPEATS, lot)
        # What a row says of itself stays with its own place in the list only where a contact may have several.
        cursor.execute(JOIN_LIST.format(extra="r.extra" if policy.allow_duplicates else "'{}'"), lot)
        joined = cursor.rowcount
        if joined:
            cursor.execute(NOTE_JOINED, lot)
    suppress(import_id, first, last, OPTED_OUT_ROWS, source)
    return Saved(drifted, joined)


def _give_ids(cursor: CursorWrapper, lot: dict[str, Any]) -> int:
    """Give an id to the contacts to come that have none: those whose row had another outcome when it was staged, or
    at the preview. How many contacts are to come.
    """
    cursor.execute(
        f"SELECT COUNT(*), COUNT(r.contact_id) FROM lists_importrow AS r WHERE {_LOT} AND r.outcome = 'created'", lot
    )
    created, with_id = cursor.fetchone()
    if with_id < created:
        cursor.execute(
            f"SELECT r.line FROM lists_importrow AS r WHERE {_LOT} AND r.outcome = 'created' AND r.contact_id IS NULL",
            lot,
        )
        lines = [line for (line,) in cursor.fetchall()]
        cursor.executemany(
            f"UPDATE lists_importrow SET contact_id = %s WHERE imported_id = {lot['import_id']:d} AND line = %s",
            list(zip(staging.contact_ids(len(lines)), lines, strict=True)),
        )
    return created


# --- do not contact --------------------------------------------------------------------------------------------------


OPTED_OUT_ROWS = f"r.code = '{OPTED_OUT}'"
UNSURE_ROWS = f"r.outcome NOT IN ('rejected', 'skipped') AND r.warned LIKE '%%,{Code.OPT_OUT_UNSURE},%%'"
NEW_ROWS = "r.outcome = 'created'"


def _numbers(rows: str) -> str:
    """SQL: (phone, line, reason, since) of every number of the rows, each once, with the first line that gives it."""
    said = f"{db.member_text('r.extra', 'reason')} AS reason, {db.member_text('r.extra', 'since')} AS since"
    return f"""
        SELECT phone, MIN(line) AS line, MIN(reason) AS reason, MIN(since) AS since FROM (
            SELECT r.phone, r.line, {said} FROM lists_importrow AS r WHERE {_LOT} AND {rows} AND r.phone <> ''
            UNION ALL
            SELECT other.value, r.line, {said} FROM lists_importrow AS r, {db.each_text("r.others")} AS other
            WHERE {_LOT} AND {rows} AND r.others IS NOT NULL
        ) AS said GROUP BY phone
    """


def suppress(import_id: int, first: int, last: int, rows: str, source: Source) -> int:
    """Make the numbers of the lot's rows do-not-contact; how many were not before. Call inside a transaction.

    Nothing in a file ever lifts one, and one that was lifted is suppressed again.

    rows  SQL over row `r`: which of the lot's rows say so
    """
    values = {
        "import_id": import_id, "first": first, "last": last, "now": db.stamp(timezone.now()), "reason": source.reason,
        "filename": source.filename, "user_id": source.user_id,
    }  # fmt: skip
    reason = "COALESCE(NULLIF(number.reason, ''), %(reason)s)"
    line = f"CASE WHEN number.line < {FURTHER} THEN number.line ELSE (number.line - {FURTHER}) / {PARTS} END"
    told = f"%(filename)s || ', line ' || {line}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM lists_importrow AS r WHERE {_LOT} AND {rows} LIMIT 1", values)
        if not cursor.fetchone():
            return 0
        cursor.execute(
            f"""
            UPDATE lists_suppression SET reason = {reason}, source = {told}, asked_on = {db.as_date("number.since")},
                created_by_id = %(user_id)s, created_at = %(now)s, lifted_at = NULL, lifted_by_id = NULL,
                lift_reason = ''
            FROM ({_numbers(rows)}) AS number
            WHERE lists_suppression.phone = number.phone AND lists_suppression.lifted_at IS NOT NULL
            """,
            values,
        )
        again = cursor.rowcount
        cursor.execute(
            f"""
            INSERT INTO lists_suppression (phone, reason, source, asked_on, created_by_id, created_at, lift_reason)
            SELECT number.phone, {reason}, {told}, {db.as_date("number.since")}, %(user_id)s, %(now)s, ''
            FROM ({_numbers(rows)}) AS number WHERE 1 = 1 ORDER BY number.phone
            ON CONFLICT (phone) DO NOTHING
            """,
            values,
        )
        return again + cursor.rowcount
