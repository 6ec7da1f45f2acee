"""One shared pace per vendor account: all workers and connections of it together keep to it.

A slot is taken by moving one row in one short transaction, by the database's clock (GCRA without bursts: request n
leaves n intervals after the first). Short waits are slept outside any transaction; long ones are due times, told by
`MustWait`, for the run to be parked. A day is the vendor's, UTC; an hour is any hour, because vendors that count by the
hour look back from every request.
"""

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from lists.models import Pace

PATIENCE = 2.0  # seconds slept at most; longer waits park the run
LONGEST_BACK_OFF = 300.0  # seconds
# No slot is ever given out further ahead; a next one that is was written before the clock was set back.
LONGEST_QUEUE = timedelta(minutes=2)
HOUR = 60  # minutes
NO_LIMIT = 1_000_000_000


class MustWait(Exception):
    """seconds: until it is worth trying again; what: the rest of “waiting for …”."""

    def __init__(self, seconds: float, what: str) -> None:
        super().__init__(what)
        self.seconds = seconds
        self.what = what


@dataclass
class Pacer:
    """The pace of one account. per_minute, per_hour and per_day are requests; 0 switches that limit off."""

    account_key: str
    label: str
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    _in_trouble: bool = field(default=False, init=False)

    @property
    def is_off(self) -> bool:
        return not (self.per_minute or self.per_hour or self.per_day)

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
        """How many slots it is worth taking together: those of a quarter of a second; one where a quota may end."""
        if self.per_hour or self.per_day:
            return 1
        return max(1, int(0.25 / self.interval)) if self.interval else 1_000

    def __str__(self) -> str:
        limits = ((self.per_minute, "a minute"), (self.per_hour, "an hour"), (self.per_day, "a day"))
        told = [f"{limit:,} {unit}" for limit, unit in limits if limit]
        noun = " request " if told and told[0].startswith("1 ") else " requests "
        return ", ".join(told).replace(" ", noun, 1)

    def take(self, slots: int = 1) -> float:
        """Take slots; seconds until the first may be used. Raises MustWait, and then none is taken."""
        if self.is_off:
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
        self._in_trouble = row.blocked_until is not None
        if row.blocked_until and row.blocked_until > now:
            raise MustWait(
                (row.blocked_until - now).total_seconds(), f"{self.label}, which asked us to wait until "
                f"{row.blocked_until.astimezone(UTC):%H:%M:%S} UTC"
            )  # fmt: skip
        if not slots:
            return 0.0
        spent = Spent(self, row, now)
        if spent.room < slots:
            quota, until = spent.used_up(slots)
            raise MustWait((until - now).total_seconds(), f"{self.label}'s {quota} quota, until {until:%H:%M} UTC")
        start = max(now, row.next_at or now)
        if start - now > LONGEST_QUEUE:
            start = now
        wait = (start - now).total_seconds()
        if wait > self.patience:
            raise MustWait(wait, f"a free slot in {self.label}'s {self.per_minute} requests a minute")
        row.next_at = start + timedelta(seconds=slots * self.interval)
        spent.count(slots, row.next_at)
        row.day, row.used_today, row.last_hour = spent.day, spent.today, spent.minutes
        row.save(update_fields=["day", "used_today", "next_at", "last_hour"])
        return wait

    def takes(self, requests: int) -> timedelta | None:
        """How long so many requests take from now on, at least, by what the account has used; None with the pace off.

        Counted as `take` counts.
        """
        if self.is_off:
            return None
        spent = self.spent()
        began = now = spent.now
        while requests:
            if not spent.room:
                now = spent.used_up()[1]
            else:
                slots = min(requests, spent.room, self.per_minute or requests)
                now += timedelta(seconds=slots * self.interval)
                spent.count(slots, now)
                requests -= slots
            spent.move_to(now)
        return now - began

    def spent(self) -> "Spent":
        """What the account has used of its quotas by now."""
        row = Pace.objects.filter(account_key=self.account_key).first()
        return Spent(self, row or Pace(), datetime.now(UTC))

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
        self._in_trouble = True
        return wait

    def went_well(self) -> None:
        """A usable answer came: the next wait the vendor does not name is a short one again.

        One that comes while we are held back had left before, and says nothing of how the vendor is now.
        """
        if self._in_trouble:  # learned with a slot, so an account without trouble costs no statement here
            over = Q(blocked_until=None) | Q(blocked_until__lte=Now())
            good = Pace.objects.filter(over, account_key=self.account_key)
            self._in_trouble = not good.update(failures=0, blocked_until=None)


class Spent:
    """What an account has used of its quotas at one moment, `now`: requests `this_hour` and `today`."""

    def __init__(self, pacer: Pacer, row: Pace, now: datetime) -> None:
        self.per_hour, self.per_day = pacer.per_hour, pacer.per_day
        self.day, self.today = row.day, row.used_today
        self.minutes: list[list[int]] = row.last_hour
        self.move_to(now)

    def move_to(self, now: datetime) -> None:
        """Forget what no longer counts. The minute that was an hour ago counts until the whole of it is over."""
        self.now = now.astimezone(UTC)
        if self.day != self.now.date():
            self.day, self.today = self.now.date(), 0
        first, last = minute_of(self.now) - HOUR, minute_of(self.now + LONGEST_QUEUE)
        self.minutes = [each for each in self.minutes if first <= each[0] <= last]

    @property
    def this_hour(self) -> int:
        return sum(requests for _, requests in self.minutes)

    @property
    def left_today(self) -> int:
        return max(0, self.per_day - self.today)

    @property
    def room(self) -> int:
        """Requests that may leave now, the pace apart."""
        hour = max(0, self.per_hour - self.this_hour) if self.per_hour else NO_LIMIT
        return min(hour, self.left_today if self.per_day else NO_LIMIT)

    def used_up(self, slots: int = 1) -> tuple[str, datetime]:
        """Where there is no room for so many: (“hourly” or “daily”, when there is some again, UTC)."""
        if self.per_day and self.left_today < slots:
            return "daily", datetime.combine(self.now + timedelta(days=1), datetime.min.time(), UTC)
        first = self.minutes[0][0] if self.minutes else minute_of(self.now)
        return "hourly", datetime.fromtimestamp((first + HOUR + 1) * 60, UTC)

    def count(self, slots: int, until: datetime) -> None:
        """So many requests, the last of which leaves before `until`."""
        self.today += slots
        if self.per_hour:
            # All by the minute of the last one, so that none is forgotten before its hour is over.
            self.minutes = [*self.minutes, [minute_of(until), slots]]
            if len(self.minutes) > 1 and self.minutes[-2][0] == self.minutes[-1][0]:
                self.minutes[-2:] = [[minute_of(until), self.minutes[-2][1] + slots]]


def minute_of(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() // 60)


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
