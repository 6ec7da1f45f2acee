"""One shared pace per vendor account: all workers and connections of it together keep to it.

A slot is taken by moving one row in one short transaction, by the database's clock (GCRA without bursts: request n
leaves n intervals after the first). Short waits are slept outside any transaction; long ones are due times, told by
`MustWait`, for the run to be parked.
"""

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from lists.models import Pace

PATIENCE = 2.0  # seconds slept at most; longer waits park the run
LONGEST_BACK_OFF = 300.0  # seconds
# No slot is ever given out further ahead; a next one that is was written before the clock was set back.
LONGEST_QUEUE = timedelta(minutes=2)


class MustWait(Exception):
    """seconds: until it is worth trying again; what: the rest of “waiting for …”."""

    def __init__(self, seconds: float, what: str) -> None:
        super().__init__(what)
        self.seconds = seconds
        self.what = what


@dataclass(frozen=True)
class Pacer:
    """The pace of one account. per_minute and per_day are requests; 0 switches that limit off."""

    account_key: str
    label: str
    per_minute: int
    per_day: int

    @property
    def interval(self) -> float:
        """Seconds between two requests."""
        return 60 / self.per_minute if self.per_minute else 0.0

    @property
    def patience(self) -> float:
        # Where two workers share a slow account, each has its turn within two intervals.
        return max(PATIENCE, min(2 * self.interval, 15.0))

    @property
    def group(self) -> int:
        """How many slots it is worth taking together: those of a quarter of a second."""
        return max(1, int(0.25 / self.interval)) if self.interval else 1_000

    def take(self, slots: int = 1) -> float:
        """Take slots; seconds until the first may be used. Raises MustWait, and then none is taken."""
        if not self.per_minute and not self.per_day:
            if self._was_held_back():
                self._take(Pace.objects.get(account_key=self.account_key), 0)
            return 0.0
        Pace.objects.get_or_create(account_key=self.account_key)
        with transaction.atomic():
            row = Pace.objects.select_for_update().get(account_key=self.account_key)
            return self._take(row, slots)

    def wait(self) -> None:
        """Take one slot and sleep until it comes. Raises MustWait."""
        if seconds := self.take():
            time.sleep(seconds)

    def _was_held_back(self) -> bool:
        """Asked before every batch of an unpaced run, so without the time it takes to build a query."""
        with database.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM lists_pace WHERE account_key = %s AND blocked_until IS NOT NULL", [self.account_key]
            )
            return cursor.fetchone() is not None

    def _take(self, row: Pace, slots: int) -> float:
        now = clock()
        if row.blocked_until and row.blocked_until > now:
            raise MustWait(
                (row.blocked_until - now).total_seconds(), f"{self.label}, which asked us to wait until "
                f"{row.blocked_until.astimezone(UTC):%H:%M:%S} UTC"
            )  # fmt: skip
        if not slots:
            return 0.0
        today = now.astimezone(UTC).date()
        used = row.used_today if row.day == today else 0
        if self.per_day and used + slots > self.per_day:
            midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), UTC)
            raise MustWait((midnight - now).total_seconds(), f"{self.label}'s daily quota, until 00:00 UTC")
        start = max(now, row.next_at or now)
        if start - now > LONGEST_QUEUE:
            start = now
        wait = (start - now).total_seconds()
        if wait > self.patience:
            raise MustWait(wait, f"a free slot in {self.label}'s {self.per_minute} requests a minute")
        row.day, row.used_today = today, used + slots
        row.next_at = start + timedelta(seconds=slots * self.interval)
        row.save(update_fields=["day", "used_today", "next_at"])
        return wait

    # What the vendor's answers teach

    def hold_back(self, seconds: float | None) -> float:
        """The vendor said wait: nobody on this account sends before that. How long it is, in seconds.

        seconds  None where the vendor did not say: longer from time to time while it goes on
        """
        Pace.objects.get_or_create(account_key=self.account_key)
        with transaction.atomic():
            row = Pace.objects.select_for_update().get(account_key=self.account_key)
            wait = back_off(row.failures) if seconds is None else seconds
            until = clock() + timedelta(seconds=wait)
            row.blocked_until = max(until, row.blocked_until or until)
            row.failures += 1
            row.save(update_fields=["blocked_until", "failures"])
        return wait

    def went_well(self) -> None:
        Pace.objects.filter(account_key=self.account_key).exclude(failures=0).update(failures=0)


def back_off(failures: int) -> float:
    """Seconds before the next try after so many failures: 1, 2, 4, … with jitter, so that workers do not march."""
    return min(2.0**failures, LONGEST_BACK_OFF) * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def clock() -> datetime:
    """The database's, which all workers share."""
    rows = Pace.objects.order_by().annotate(now=Now()).values_list("now", flat=True)
    now = rows.first()
    if now is None:
        raise LookupError("The clock is read beside a pace, and there is none yet.")
    return now
