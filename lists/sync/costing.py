"""What a push costs at the vendor, in requests and in time: one reckoning for the plan and for the import's preview."""

import math
from dataclasses import dataclass
from datetime import timedelta

from lists.models import Connection
from lists.sync import accounts
from lists.vendors.registry import vendor_class


@dataclass(frozen=True)
class Cost:
    """The least a push takes; looking up the list, repeats and settling come on top.

    sending    requests that bring the contacts there
    reading    requests that read the list back once, where the answers do not tell what became of the contacts
    time       by minute, hour and day, after what the account has used; None where no pace is kept
    pace       “50 requests a minute, 1,800 an hour”; empty where none is kept
    quota      requests a day, and how many are left today; 0 where none is kept
    """

    sending: int
    reading: int
    time: timedelta | None
    pace: str
    quota: int
    left_today: int

    @property
    def requests(self) -> int:
        return self.sending + self.reading

    @property
    def fits_today(self) -> bool:
        return not self.quota or self.requests <= self.left_today

    @property
    def time_in_words(self) -> str:
        """“at least 3 hours 20 minutes”; empty where no pace is kept."""
        if self.time is None:
            return ""
        if self.time < timedelta(minutes=1):
            return "less than a minute"
        hours, minutes = divmod(math.ceil(self.time.total_seconds() / 60), 60)
        days, hours = divmod(hours, 24)
        counts = [(days, "day"), (hours, "hour"), (0 if days else minutes, "minute")]
        return "at least " + " ".join(f"{count:,} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count)


def cost(connection: Connection, kind: str, batches: int, entries: int) -> Cost:
    """The cost of so many batches over this connection, by its own settings.

    entries  what the list has there afterwards: all of it is read back, not only what was sent
    """
    vendor = vendor_class(connection.vendor)
    pacer = accounts.pacer_of(connection)
    is_read = batches and not vendor.operations[kind][-1].confirms and "read_members" in vendor.can
    reading = math.ceil(entries / vendor.limits.page) if is_read else 0
    return Cost(
        sending=batches,
        reading=reading,
        time=pacer.takes(batches + reading),
        pace=str(pacer),
        quota=pacer.per_day,
        left_today=pacer.spent().left_today,
    )
