"""Encrypt all stored credentials and second factors with the newest key."""

from typing import Any

from django.db import transaction

from lists import login
from lists.management.base import JsonCommand, Refused
from lists.models import CredentialsUnreadable
from lists.sync import accounts


class Command(JsonCommand):
    help = "Encrypt credentials and second factors again with the first of CREDENTIAL_KEYS; then the older keys may go."

    def run(self, **options: Any) -> dict[str, Any]:
        try:
            with transaction.atomic():
                return {"rotated": accounts.rotate(), "second_factors": login.rotate_second_factors()}
        except CredentialsUnreadable as error:
            raise Refused(error) from error
