"""Rows that background work advances: who holds one, until when, and when it is due.

A job is its own row. The queue carries wake-ups only, so a lost, late or doubled one does no harm. Times are compared
with the database's clock; every storing transaction begins with an update guarded by the fencing token.
"""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

WAKE_AGAIN = timedelta(seconds=60)
CRASHES_ALLOWED = 3


def lease() -> timedelta:
    return timedelta(seconds=settings.JOB_LEASE_SECONDS)


class LeaseLost(Exception):
    """Another worker has taken the row; this one stores nothing more and sends nothing more."""


class LeasedQuerySet(models.QuerySet):
    def claim(self, pk: int, worker: str) -> int | None:
        """Take the row if it is due and free, or its holder is gone; the fencing token, or None."""
        free = Q(lease_until=None, due_at__lte=Now()) | Q(lease_until__lt=Now())
        with transaction.atomic():
            taken = self.filter(free, pk=pk).update(
                token=F("token") + 1,
                leased_by=worker,
                lease_until=Now() + lease(),
                crashes=Case(When(lease_until=None, then=F("crashes")), default=F("crashes") + 1),
            )
            return self.values_list("token", flat=True).get(pk=pk) if taken else None

    def held(self, pk: int, token: int) -> Self:
        return self.filter(pk=pk, token=token)

    def renew(self, pk: int, token: int) -> bool:
        """Hold on to the row for another lease; False when somebody else has it."""
        return self.held(pk, token).update(lease_until=Now() + lease()) == 1

    def store(self, pk: int, token: int, **changes: object) -> None:
        """Change the row under its token; the first statement of every storing transaction. Raises LeaseLost.

        A stored step is progress, so the count of crashes starts again.
        """
        if self.held(pk, token).update(crashes=0, held_up_by="", lease_until=Now() + lease(), **changes) != 1:
            raise LeaseLost

    def release(self, pk: int, token: int, *, after: timedelta | None = None, over: bool = False) -> None:
        """Give the row back, due at once or `after` a while; never again when it is `over`. Raises LeaseLost."""
        due = Value(None, models.DateTimeField()) if over else (Now() + after if after else Now())
        if self.held(pk, token).update(lease_until=None, leased_by="", due_at=due, woken_at=None) != 1:
            raise LeaseLost

    def due(self) -> Self:
        """Rows that are due, or whose holder is gone, and that nobody has been woken for lately."""
        return self.filter(Q(lease_until__lt=Now()) | Q(lease_until=None, due_at__lte=Now())).filter(
            Q(woken_at=None) | Q(woken_at__lt=Now() - WAKE_AGAIN)
        )


class Leased(models.Model):
    """A row with work to do has `due_at`; one without has nothing to do, or a person is asked first."""

    token = models.PositiveIntegerField(default=0)
    leased_by = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    woken_at = models.DateTimeField(null=True, blank=True)
    crashes = models.PositiveSmallIntegerField(default=0)
    held_up_by = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="What passes and work waits for: a full disk, a lost database",
    )

    class Meta:
        abstract = True
