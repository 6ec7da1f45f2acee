"""Applies exactly the outcomes of a lot of rows, set-based, and keeps what undo needs.

Everything here runs inside the transaction that has just decided the lot (`matching.decide`), after the contacts it
concerns were locked. Rows this lot adds carry the lot's own time, to the microsecond: so a statement can tell what it
added from what somebody else added in between.
"""

from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from lists import db
from lists.fields import TEXTS
from lists.importing import matching, staging
from lists.importing.matching import is_changed, new_extra, new_value

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


def _keep_earlier_values(on_existing: str) -> str:
    """Put {field: earlier value} of what will change into the rows; must run before the contacts change."""
    earlier = ", ".join(f"'{field}', CASE WHEN {is_changed(field, on_existing)} THEN c.{field} END" for field in TEXTS)
    extra_changed = is_changed("extra", on_existing)
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


def _update_contacts(on_existing: str) -> str:
    values = ", ".join(f"{field} = changed.{field}" for field in (*TEXTS, "extra"))
    texts = ", ".join(f"{new_value(field, on_existing)} AS {field}" for field in TEXTS)
    # Where no attribute is new the text stays as it is; otherwise SQLite would only write it in another spacing.
    extra = f"CASE WHEN {is_changed('extra', on_existing)} THEN {new_extra(on_existing)} ELSE c.extra END AS extra"
    return f"""
        UPDATE lists_contact SET {values}, updated_at = %(now)s
        FROM (
            SELECT c.id, {texts}, {extra}
            FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND r.outcome = 'updated'
        ) AS changed
        WHERE lists_contact.id = changed.id
    """


class Saved(NamedTuple):
    """What one lot did; `drifted` rows came out otherwise than the preview said, because contacts had changed."""

    drifted: int
    joined: int


def save(import_id: int, first: int, last: int, *, list_id: int, on_existing: str, allow_duplicates: bool) -> Saved:
    """Decide the rows after line `first` up to `last` once more, and apply. Call inside a transaction."""
    now = db.stamp(timezone.now())
    lot: dict[str, Any] = {"import_id": import_id, "first": first, "last": last, "list_id": list_id, "now": now}
    policy: dict[str, Any] = {"on_existing": on_existing, "allow_duplicates": allow_duplicates}
    with connection.cursor() as cursor:
        db.lock(LOCK_CONTACTS, lot)
        drifted = matching.decide(import_id, first, last, **policy)
        created = _give_ids(cursor, lot)
        if created:
            cursor.execute(CREATE_CONTACTS, lot)
            if cursor.rowcount < created:
                drifted += matching.decide(import_id, first, last, **policy, only=LOST_RACE, now=now)
        if on_existing != "keep":
            cursor.execute(_keep_earlier_values(on_existing), lot)
            if cursor.rowcount:
                cursor.execute(_update_contacts(on_existing), lot)
        cursor.execute(LINK_REPEATS, lot)
        # What a row says of itself stays with its own place in the list only where a contact may have several.
        cursor.execute(JOIN_LIST.format(extra="r.extra" if allow_duplicates else "'{}'"), lot)
        joined = cursor.rowcount
        if joined:
            cursor.execute(NOTE_JOINED, lot)
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
