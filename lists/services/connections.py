"""Connections to vendors: stored, archived and restored. Nothing here asks anything of a vendor."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from lists.models import FINAL_STATES, Connection, SyncRun
from lists.models.audit import record as audit
from lists.services import Refused, name_still_free
from lists.sync import accounts
from lists.vendors.base import HttpVendor
from lists.vendors.errors import VendorError

DECIDE_THE_ADDRESS = ("base_url", "region")


def moves(connection: Connection, vendor: type[HttpVendor], settings: Mapping[str, str]) -> bool:
    """Whether these settings send a stored connection's requests to another address than now."""
    if connection.pk is None:
        return False
    usual = {setting.name: setting.default for setting in vendor.settings}
    return any(
        (settings[name] or usual.get(name)) != (connection.settings.get(name) or usual.get(name))
        for name in DECIDE_THE_ADDRESS
        if name in settings
    )


@transaction.atomic
def save_connection(
    connection: Connection,
    vendor: type[HttpVendor],
    settings: dict[str, str],
    secrets: dict[str, str],
    by: User | None,
) -> Connection:
    """Store a connection with its settings; of the secrets those given, the others stay. Raises Refused.

    The name and vendor are set on `connection` already. Nothing is asked of the vendor.
    """
    wanted = {setting.name for setting in vendor.settings if setting.secret}
    if moves(connection, vendor, settings) and wanted - set(secrets):
        # Otherwise whoever may change the address could have the old credentials sent to it.
        raise Refused(f"The address changes, so give all secrets again: {', '.join(sorted(wanted))}.")
    is_new = connection.pk is None
    before = {} if is_new else connection.settings
    connection.settings = before | settings
    connection.rehearsal = accounts.is_rehearsal(connection.settings.get("base_url", ""))
    if secrets or is_new or before != connection.settings:
        connection.health, connection.health_text = Connection.Health.UNKNOWN, ""
    with name_still_free(connection.name):
        connection.save()
    if secrets:
        connection.set_secrets(secrets)
        connection.save(update_fields=["credentials"])
    try:
        accounts.pacer(accounts.connected(connection))
    except VendorError as error:
        raise Refused(error.message) from error
    changed = sorted(name for name, value in settings.items() if before.get(name) != value)
    audit(by, "created" if is_new else "changed", connection, settings=changed, secrets=sorted(secrets))
    return connection


@transaction.atomic
def archive_connection(connection: Connection, by: User) -> None:
    """Put a connection away; its history stays. Raises Refused while a push over it is under way."""
    if SyncRun.objects.filter(connection=connection).exclude(state__in=FINAL_STATES).exists():
        raise Refused("A push over this connection is under way. Stop it or wait for its end, then archive it.")
    connection.archived_at = timezone.now()
    connection.save(update_fields=["archived_at", "updated_at"])
    audit(by, "archived", connection)


@transaction.atomic
def restore_connection(connection: Connection, by: User) -> None:
    connection.archived_at = None
    connection.save(update_fields=["archived_at", "updated_at"])
    audit(by, "restored", connection)
