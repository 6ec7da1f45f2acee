"""Gives back what was there before an import, and leaves alone what somebody has changed since.

Rows are taken back from the last line to the first, lot by lot, so that further memberships of a contact are gone
before the contact itself is looked at. The record of the import stays.
"""

from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from lists import db
from lists.db import BATCH
from lists.fields import TEXTS
from lists.importing.policy import FOLDED, Policy, new_extra
from lists.importing.row_warnings import Code
from lists.importing.saving import LOCK_CONTACTS

_LOT = "r.imported_id = %(import_id)s AND r.line > %(first)s AND r.line <= %(last)s"


class Undone(NamedTuple):
    """What undoing does.

    removed    rows whose contact is taken away again, or leaves the list it had only joined
    restored   rows whose contact gets its values back
    conflicts  rows whose contact somebody has changed since: it is left alone
    left       places in the list that are given up, whichever way they were got
    """

    removed: int
    restored: int
    conflicts: int
    left: int


def _earlier(field: str) -> str:
    """SQL: the earlier value of a field the import changed, NULL where it did not."""
    return db.member_object("r.before", field) if field == "extra" else db.member_text("r.before", field)


def _as_created() -> str:
    """SQL: whether contact `c` still is what row `r` created."""
    same = [f"c.{field} = r.{field}" for field in TEXTS]
    return " AND ".join([*same, f"{db.comparable('c.extra')} = {db.comparable('r.extra')}"])


def _as_updated(policy: Policy) -> str:
    """SQL: whether the fields of contact `c` that row `r` changed still are as it left them."""
    same = [f"({_earlier(field)} IS NULL OR c.{field} = r.{field})" for field in TEXTS]
    of_same_person, of_other = new_extra(policy, _earlier("extra")), db.comparable("r.extra")
    left = f"CASE WHEN r.code = '{Code.OTHER_PERSON}' THEN {of_other} ELSE {of_same_person} END"
    return " AND ".join([*same, f"({_earlier('extra')} IS NULL OR {db.comparable('c.extra')} = {left})"])


def _count(policy: Policy) -> str:
    return f"""
        SELECT COALESCE(SUM(CASE WHEN r.outcome = 'created' THEN CASE WHEN {_as_created()} THEN 1 ELSE 0 END
                                 WHEN r.outcome <> 'updated' AND r.joined THEN 1 ELSE 0 END), 0),
               COALESCE(SUM(CASE WHEN r.outcome = 'updated' AND {_as_updated(policy)} THEN 1 ELSE 0 END), 0),
               COALESCE(SUM(CASE WHEN r.outcome = 'created' AND NOT ({_as_created()}) THEN 1
                                 WHEN r.outcome = 'updated' AND NOT ({_as_updated(policy)}) THEN 1
                                 ELSE 0 END), 0),
               COALESCE(SUM(CASE WHEN (r.joined OR (r.outcome = 'created' AND {_as_created()})) AND EXISTS (
                                    SELECT 1 FROM lists_membership AS m WHERE m.contact_list_id = %(list_id)s
                                    AND m.contact_id = r.contact_id AND m.occurrence = r.occurrence)
                                 THEN 1 ELSE 0 END), 0)
        FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
        WHERE {_LOT} AND (r.joined OR r.outcome IN ('created', 'updated'))
    """


def _restore(policy: Policy) -> str:
    values = ", ".join(f"{field} = earlier.{field}" for field in FOLDED)
    earlier = ", ".join(f"COALESCE({_earlier(field)}, c.{field}) AS {field}" for field in FOLDED)
    return f"""
        UPDATE lists_contact SET {values}, updated_at = %(now)s
        FROM (
            SELECT c.id, {earlier} FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND r.outcome = 'updated' AND {_as_updated(policy)}
        ) AS earlier
        WHERE lists_contact.id = earlier.id
    """


def _leave_list() -> str:
    return f"""
        DELETE FROM lists_membership WHERE contact_list_id = %(list_id)s AND (contact_id, occurrence) IN (
            SELECT r.contact_id, r.occurrence
            FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND (r.joined OR (r.outcome = 'created' AND {_as_created()})))
    """


def _delete_contacts() -> str:
    """Contacts nothing else refers to; history and other lists keep theirs."""
    return f"""
        DELETE FROM lists_contact WHERE id IN (
            SELECT c.id FROM lists_importrow AS r JOIN lists_contact AS c ON c.id = r.contact_id
            WHERE {_LOT} AND r.outcome = 'created' AND {_as_created()}
              AND NOT EXISTS (SELECT 1 FROM lists_membership AS m WHERE m.contact_id = c.id)
              AND NOT EXISTS (SELECT 1 FROM lists_syncitem AS i WHERE i.contact_id = c.id)
              AND NOT EXISTS (SELECT 1 FROM lists_remotecontact AS t WHERE t.contact_id = c.id))
    """


def plan(import_id: int, policy: Policy, *, list_id: int | None, first: int = 0, last: int | None = None) -> Undone:
    """What undoing the rows after line `first` up to `last` would do; all rows when no lines are given."""
    lot = {
        "import_id": import_id, "list_id": list_id or 0, "first": first, "last": 2**31 - 1 if last is None else last,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_count(policy), lot)
        return Undone(*cursor.fetchone())


def start_of_lot(import_id: int, last: int | None) -> tuple[int, int, int] | None:
    """(first, last, rows) of the lot that ends at line `last`, or at the end of the file; None when none are left."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT MIN(line), MAX(line), COUNT(*) FROM (
                SELECT line FROM lists_importrow WHERE imported_id = %(import_id)s AND line <= %(last)s
                ORDER BY line DESC LIMIT %(size)s
            ) AS lot
            """,
            {"import_id": import_id, "last": 2**31 - 1 if last is None else last, "size": BATCH},
        )
        lowest, highest, rows = cursor.fetchone()
    return (lowest - 1, highest, rows) if rows else None


def take_back(import_id: int, first: int, last: int, *, list_id: int | None, policy: Policy) -> Undone:
    """Undo one lot; what that did. Call inside a transaction."""
    lot: dict[str, Any] = {
        "import_id": import_id, "first": first, "last": last, "list_id": list_id, "now": db.stamp(timezone.now()),
    }  # fmt: skip
    with connection.cursor() as cursor:
        db.lock(LOCK_CONTACTS, lot)
        undone = plan(import_id, policy, list_id=list_id, first=first, last=last)
        if undone.restored:
            cursor.execute(_restore(policy), lot)
        if list_id is not None:
            cursor.execute(_leave_list(), lot)
            undone = undone._replace(left=cursor.rowcount)
        cursor.execute(_delete_contacts(), lot)
    return undone
