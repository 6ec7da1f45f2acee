"""Connections to vendors, what they are known to hold, and the pace of each vendor account."""

import json
from typing import Any, Self

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models

from lists.models.contacts import Contact, ContactList


class CredentialsUnreadable(Exception):
    """No key we have opens the stored credentials, or they belong to another row."""


def credential_keys() -> MultiFernet:
    """Encrypts with the newest key, decrypts with any. Raises ImproperlyConfigured where there is none."""
    if not settings.CREDENTIAL_KEYS:
        raise ImproperlyConfigured("CREDENTIAL_KEYS is not set, so credentials can be neither stored nor read.")
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


class ConnectionQuerySet(models.QuerySet):
    def current(self) -> Self:
        return self.filter(archived_at=None)


class Connection(models.Model):
    class Health(models.TextChoices):
        UNKNOWN = "unknown", "not checked yet"
        OK = "ok", "working"
        FAILING = "failing", "needs attention"

    vendor = models.CharField(max_length=20, help_text="A key of lists.vendors.registry.VENDORS")
    name = models.CharField(max_length=100, unique=True)
    settings = models.JSONField(
        default=dict, blank=True, help_text="What the vendor's declaration asks for, secrets apart"
    )
    credentials = models.TextField(blank=True, editable=False, help_text="Encrypted; write with `set_secrets`")
    rehearsal = models.BooleanField(
        default=False, help_text="Plays against the rehearsal vendors; never counts as live"
    )
    health = models.CharField(max_length=10, choices=Health, default=Health.UNKNOWN)
    health_text = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        permissions = [("check_connection", "Can test a connection")]

    def __str__(self) -> str:
        return self.name

    def set_secrets(self, secrets: dict[str, str]) -> None:
        """Replace the secrets named; the others stay. Only for a saved row: the ciphertext is bound to its id."""
        if self.pk is None:
            raise ValueError("Save the connection before its secrets: they are bound to its row.")
        known = self.secrets() if self.credentials else {}
        bound = {"connection": self.pk, "secrets": {**known, **secrets}}
        self.credentials = credential_keys().encrypt(json.dumps(bound).encode()).decode()

    def secrets(self) -> dict[str, str]:
        """{name: secret}, empty when none is stored. Raises CredentialsUnreadable; never returns ciphertext."""
        if not self.credentials:
            return {}
        try:
            bound: dict[str, Any] = json.loads(credential_keys().decrypt(self.credentials.encode()))
        except InvalidToken as error:
            raise CredentialsUnreadable(
                f"The credentials of “{self.name}” were stored with a key that is not in CREDENTIAL_KEYS. "
                "Put that key back, or enter the credentials again."
            ) from error
        if bound["connection"] != self.pk:
            raise CredentialsUnreadable(f"The credentials stored for “{self.name}” belong to another connection.")
        return bound["secrets"]

    def rotate_credentials(self) -> None:
        """Encrypt again with the newest key. Raises CredentialsUnreadable."""
        if self.credentials:
            self.secrets()
            self.credentials = credential_keys().rotate(self.credentials.encode()).decode()


class RemoteList(models.Model):
    """Our list as the vendor holds it. A list made anew at the vendor is a new row: it holds nothing yet."""

    contact_list = models.ForeignKey(ContactList, on_delete=models.CASCADE, related_name="remote_lists")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="remote_lists")
    remote_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200, help_text="Pinned: renaming our list never moves the target")
    vendor_count = models.PositiveIntegerField(null=True, help_text="What the vendor last told")
    accounted_count = models.PositiveIntegerField(default=0, help_text="What our history accounts for")
    counted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact_list", "connection"], name="one_remote_list"),
            # Kore.ai addresses a list by its name, so two of ours must never share one.
            models.UniqueConstraint(fields=["connection", "name"], name="one_list_per_remote_name"),
        ]

    def __str__(self) -> str:
        return self.name


class RemoteContact(models.Model):
    """The id a vendor gave to a contact; LeadLex and Exotel lists are filled by it."""

    pk = models.CompositePrimaryKey("connection_id", "contact_id")
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="remote_contacts", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="remote_contacts")
    remote_id = models.CharField(max_length=100)

    def __str__(self) -> str:
        return self.remote_id


class Pace(models.Model):
    """One vendor account's pace, shared by every worker and every connection to that account."""

    account_key = models.CharField(max_length=100, unique=True)
    next_at = models.DateTimeField(null=True, help_text="When the next request may leave, the database's clock")
    blocked_until = models.DateTimeField(null=True, help_text="The vendor said wait")
    day = models.DateField(null=True, help_text="The vendor's day, UTC, that used_today counts")
    used_today = models.PositiveIntegerField(default=0)
    last_hour = models.JSONField(
        default=list, help_text="[[minute since 1970, requests], …], oldest first; where an hourly quota is kept"
    )
    failures = models.PositiveIntegerField(default=0, help_text="In a row, without a good answer since")

    def __str__(self) -> str:
        return self.account_key
