"""Encrypt all stored credentials with the newest key."""

from typing import Any

from lists.management.base import JsonCommand, Refused
from lists.models import CredentialsUnreadable
from lists.sync import accounts


class Command(JsonCommand):
    help = "Encrypt all credentials again with the first of CREDENTIAL_KEYS; afterwards the older ones may go."

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            return {"rotated": accounts.rotate()}
        except CredentialsUnreadable as error:
            raise Refused(error) from error
