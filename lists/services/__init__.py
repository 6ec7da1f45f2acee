"""Changes of several objects together, for pages and commands alike. Each is one transaction with its audit event."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction


class Refused(Exception):
    """What was asked is not done; a sentence that says why and what to do."""


@contextmanager
def name_still_free(name: str) -> Iterator[None]:
    """Around a save. Raises Refused: a name may be taken after its form was checked, as by the same form sent twice."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Refused(f"There is one named “{name}” already. Choose it, or take another name.") from error
