"""Do not contact: numbers suppressed, and lifted again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from lists import phones
from lists.models import Suppression
from lists.models.audit import record as audit

LOT = 500
"""Numbers of one statement."""


def numbered(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(line, text) of the lines that hold something; the first line is 1."""
    return ((number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip())


class Unread(NamedTuple):
    """A line that holds no number we may use, and why."""

    line: int
    text: str
    reason: str
    suggestion: str


@dataclass
class Suppressed:
    """What became of numbers that were to be suppressed; a number given twice counts once."""

    added: int = 0
    already: int = 0
    unread: list[Unread] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        numbers = "1 number" if self.added == 1 else f"{self.added:,} numbers"
        return f"{numbers} added, {self.already:,} there already." if self.already else f"{numbers} added."


def suppress(
    spellings: Iterable[tuple[int, str]], *, reason: str, region: str = "", source: str = "", by: User | None = None
) -> Suppressed:
    """Make numbers do-not-contact, now and for every later import and push. A lifted one is suppressed again.

    spellings  (line, the number in any spelling); what is not readable is told, and the others count all the same
    region     ISO 3166 code of numbers without a country code
    """
    result = Suppressed()
    numbers: dict[str, None] = {}
    for line, text in spellings:
        found = phones.normalise(text, region or None)
        if isinstance(found, phones.Phone):
            numbers[found.e164] = None
        else:
            result.unread.append(Unread(line, text, found.reason, found.suggestion))
    with transaction.atomic():
        every = list(numbers)
        for start in range(0, len(every), LOT):
            lot = every[start : start + LOT]
            added = _suppress_lot(lot, reason, source, by)
            result.added += added
            result.already += len(lot) - added
    return result


def _suppress_lot(numbers: list[str], reason: str, source: str, by: User | None) -> int:
    known = dict(Suppression.objects.filter(phone__in=numbers).values_list("phone", "lifted_at"))
    lifted = [phone for phone, lifted_at in known.items() if lifted_at]
    Suppression.objects.filter(phone__in=lifted).update(
        reason=reason, source=source, created_by=by, created_at=timezone.now(),
        lifted_at=None, lifted_by=None, lift_reason="",
    )  # fmt: skip
    new = [phone for phone in numbers if phone not in known]
    Suppression.objects.bulk_create(
        [Suppression(phone=phone, reason=reason, source=source, created_by=by) for phone in new], ignore_conflicts=True
    )
    if new or lifted:
        first = Suppression.objects.get(phone=(new or lifted)[0])
        audit(by, "suppressed", first, numbers=len(new) + len(lifted), reason=reason, source=source)
    return len(new) + len(lifted)


@transaction.atomic
def lift(suppression: Suppression, reason: str, by: User) -> None:
    """Let a number be contacted again. The row stays, with who lifted it and why."""
    suppression.lifted_at = timezone.now()
    suppression.lifted_by = by
    suppression.lift_reason = reason
    suppression.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    audit(by, "lifted", suppression, reason=reason, was_suppressed_for=suppression.reason)
