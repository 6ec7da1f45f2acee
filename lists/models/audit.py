"""Who did what to which object. Append-only; each row carries the hash of the one before it.

The database itself refuses to change or remove an event (migration 0002). Whoever may take that rule away could, and
the chain tells: unless it was the newest events that were removed, after which nothing follows.
"""

import hashlib
import json
from typing import Any, Self

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.utils import timezone


class AuditEventQuerySet(models.QuerySet):
    def chosen(self, *, actor: Any = None, action: str = "", subject: str = "") -> Self:
        """The filters of the audit page: who, part of the action, part of the object's kind or name."""
        events = self.filter(actor=actor) if actor else self
        if action:
            events = events.filter(action__icontains=action)
        if subject:
            events = events.filter(models.Q(object_type__icontains=subject) | models.Q(object_name__icontains=subject))
        return events


class AuditEvent(models.Model):
    # A migration that alters this table makes it anew on SQLite, without its triggers; it must set them again.
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True, help_text="As it was; blank for a command or a job")
    action = models.CharField(max_length=50)
    object_type = models.CharField(max_length=50)
    object_id = models.CharField(max_length=40)
    object_name = models.CharField(max_length=255)
    details = models.JSONField(
        default=dict, encoder=DjangoJSONEncoder, help_text="before → after; never a secret or a number"
    )
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["object_type", "object_id"], name="audit_of_object"),  # an object's own history
        ]

    def __str__(self) -> str:
        return f"{self.actor_name or 'contactadmin'} {self.action} {self.object_name}"

    @property
    def words(self) -> str:
        return self.action.replace("_", " ")

    def digest(self) -> str:
        """SHA-256 over everything the row says and the hash of the row before."""
        said = [
            self.previous_hash, self.at.isoformat(), self.actor_name, self.action,
            self.object_type, self.object_id, self.object_name, self.details,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(said, sort_keys=True, cls=DjangoJSONEncoder).encode()).hexdigest()


def record(actor: Any, action: str, subject: models.Model, /, **details: Any) -> AuditEvent:
    """Append one event: `actor` (a user or None) did `action` to `subject`; call it inside the change's transaction."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            # One writer at a time, or two events would follow the same one. SQLite has one writer anyway.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext('lists_auditevent'))")
        last = AuditEvent.objects.values_list("hash", flat=True).first() or ""
        event = AuditEvent(
            actor=actor,
            actor_name=actor.get_username() if actor else "",
            action=action,
            object_type=subject._meta.model_name or "",
            object_id=str(subject.pk),
            object_name=str(subject)[:255],
            details=details,
            previous_hash=last,
        )
        event.hash = event.digest()
        event.save(force_insert=True)
    return event


def first_altered() -> AuditEvent | None:
    """The first event that is not as it was written, or does not follow the one before; None when the chain holds."""
    previous = ""
    for event in AuditEvent.objects.order_by("id").iterator():
        if event.previous_hash != previous or event.hash != event.digest():
            return event
        previous = event.hash
    return None
