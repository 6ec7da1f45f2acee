"""Pages that begin after a row instead of at a number, so that the deepest is as quick as the first."""

from typing import Any, NamedTuple

from django.db.models import QuerySet


class Slice(NamedTuple):
    """Some rows in order; `next` is where the following slice begins, None on the last."""

    rows: list[Any]
    next: int | None
    is_first: bool


def newest_first(rows: QuerySet, before: str | None, size: int) -> Slice:
    """The newest `size` rows with an id below `before`; the very newest where that is no number."""
    cursor = _number(before)
    ordered = (rows.filter(pk__lt=cursor) if cursor else rows).order_by("-pk")
    return _slice(list(ordered[: size + 1]), "pk", size, is_first=not cursor)


def in_order(rows: QuerySet, field: str, after: str | None, size: int) -> Slice:
    """The first `size` rows with a `field` above `after`; from the beginning where that is no number."""
    cursor = _number(after)
    ordered = (rows.filter(**{f"{field}__gt": cursor}) if cursor else rows).order_by(field)
    return _slice(list(ordered[: size + 1]), field, size, is_first=not cursor)


def _number(text: str | None) -> int | None:
    """A cursor from an address, which anybody can edit: at most eighteen digits, so that a database takes it."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def _slice(rows: list[Any], field: str, size: int, *, is_first: bool) -> Slice:
    more = len(rows) > size
    rows = rows[:size]
    return Slice(rows, getattr(rows[-1], field) if more else None, is_first)
