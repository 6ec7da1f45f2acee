"""A stored connection as a connected vendor, and what is known of its health."""

from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lists.models import Connection, CredentialsUnreadable
from lists.sync.pacing import MustWait, Pacer
from lists.vendors.base import HttpVendor, Operation
from lists.vendors.errors import VendorBusy, VendorError, VendorNotConfigured
from lists.vendors.http import Transport
from lists.vendors.registry import vendor_class

PACE = ("per_minute", "per_hour", "per_day")
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
    """The pace of a connected vendor's account. Raises VendorNotConfigured."""
    return Pacer(vendor.account_key, vendor.label, **{name: number(vendor, name) for name in PACE})


def number(vendor: HttpVendor, name: str) -> int:
    """A setting of the connection as a number; 0 when it is empty or not asked for. Raises VendorNotConfigured."""
    given = vendor.options.get(name) or "0"
    if not given.isdecimal():
        raise VendorNotConfigured(f"The setting {name} of the {vendor.label} connection is “{given}”, not a number.")
    return int(given)


def pacer_of(connection: Connection) -> Pacer:
    """The pace of a connection. One that is not complete enough to be called has its limits and has used nothing."""
    try:
        return pacer(connected(connection))
    except VendorError:
        vendor = vendor_class(connection.vendor)
        given = {s.name: vendor.given(s, connection.settings, {}) for s in vendor.settings if s.name in PACE}
        return Pacer("", vendor.label, **{name: int(each) for name, each in given.items() if each.isdecimal()})


def batch_size(connection: Connection, operation: Operation) -> int:
    """Contacts in one request of this operation over this connection."""
    chosen = str(connection.settings.get("batch_size") or "")
    wanted = int(chosen) if chosen.isdecimal() else 0
    return min(wanted or operation.default_batch, operation.batch)


def check(connection: Connection) -> str:
    """Ask the vendor one harmless question and remember what came of it. A sentence; raises VendorError."""
    try:
        vendor = connected(connection)
        pace = pacer(vendor)
        vendor.before_call = pace.wait
        found = vendor.check()
        pace.went_well()
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
