"""A stored connection as a connected vendor, and what is known of its health."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lists.models import Connection, CredentialsUnreadable
from lists.sync.pacing import MustWait, Pacer
from lists.vendors.base import HttpVendor
from lists.vendors.errors import VendorBusy, VendorError, VendorNotConfigured
from lists.vendors.http import Transport
from lists.vendors.registry import vendor_class

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def connected(connection: Connection) -> HttpVendor:
    """The vendor with this connection's settings and secrets. Raises VendorNotConfigured."""
    try:
        secrets = connection.secrets()
    except CredentialsUnreadable as error:
        raise VendorNotConfigured(str(error)) from error
    return vendor_class(connection.vendor)(
        connection.settings,
        secrets,
        allowed_hosts=settings.VENDOR_HOSTS,
        transport=Transport(read_timeout=settings.VENDOR_READ_SECONDS, deadline=settings.VENDOR_CALL_SECONDS),
    )


def is_rehearsal(base_url: str) -> bool:
    """Whether this is where the rehearsal vendors play: on loopback, with REHEARSAL on."""
    return settings.REHEARSAL and urlsplit(base_url).hostname in LOOPBACK


def pacer(vendor: HttpVendor) -> Pacer:
    return Pacer(
        vendor.account_key,
        vendor.label,
        per_minute=number(vendor, "per_minute"),
        per_day=number(vendor, "per_day"),
    )


def number(vendor: HttpVendor, name: str) -> int:
    """A setting of the connection as a number; 0 when it is none. Raises VendorNotConfigured."""
    given = vendor.options[name] or "0"
    if not given.isdecimal():
        raise VendorNotConfigured(f"The setting {name} of the {vendor.label} connection is “{given}”, not a number.")
    return int(given)


def check(connection: Connection) -> str:
    """Ask the vendor one harmless question and remember what came of it. A sentence; raises VendorError."""
    try:
        vendor = connected(connection)
        vendor.before_call = pacer(vendor).wait
        found = vendor.check()
    except MustWait as wait:
        raise VendorBusy(f"Waiting for {wait.what}. Try again then.", retry_after=wait.seconds) from wait
    except VendorError as error:
        tell_health(connection, error)
        raise
    tell_health(connection, None, found)
    return found


def tell_health(connection: Connection, error: VendorError | None, words: str = "") -> None:
    """Remember on the connection that it works, or why not."""
    health = Connection.Health.FAILING if error else Connection.Health.OK
    Connection.objects.filter(pk=connection.pk).update(
        health=health, health_text=error.message if error else words, checked_at=timezone.now()
    )
    connection.refresh_from_db(fields=["health", "health_text", "checked_at"])


def rotate() -> int:
    """Encrypt all credentials again with the newest key; how many. Raises CredentialsUnreadable, changing nothing."""
    with transaction.atomic():
        rotated = 0
        for connection in Connection.objects.exclude(credentials="").select_for_update():
            connection.rotate_credentials()
            connection.save(update_fields=["credentials", "updated_at"])
            rotated += 1
    return rotated
