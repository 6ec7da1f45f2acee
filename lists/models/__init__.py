"""What is stored. Import from here."""

from lists.models.audit import AuditEvent
from lists.models.connections import Connection, CredentialsUnreadable, Pace, RemoteContact, RemoteList
from lists.models.contacts import Contact, ContactList, Membership, Suppression
from lists.models.imports import Import, ImportRow, ImportState, OnExisting, OtherPerson, Purpose, RowOutcome
from lists.models.leases import CRASHES_ALLOWED, LeaseLost
from lists.models.sync import (
    FINAL_STATES,
    HELD_OUTCOMES,
    ItemOutcome,
    RunKind,
    RunState,
    SyncAttempt,
    SyncBatch,
    SyncItem,
    SyncRun,
)

__all__ = [
    "CRASHES_ALLOWED",
    "FINAL_STATES",
    "HELD_OUTCOMES",
    "AuditEvent",
    "Connection",
    "Contact",
    "ContactList",
    "CredentialsUnreadable",
    "Import",
    "ImportRow",
    "ImportState",
    "ItemOutcome",
    "LeaseLost",
    "Membership",
    "OnExisting",
    "OtherPerson",
    "Pace",
    "Purpose",
    "RemoteContact",
    "RemoteList",
    "RowOutcome",
    "RunKind",
    "RunState",
    "Suppression",
    "SyncAttempt",
    "SyncBatch",
    "SyncItem",
    "SyncRun",
]
