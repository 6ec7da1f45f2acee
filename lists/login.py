"""Logging in: administrators make the accounts, and a second factor is kept encrypted like a vendor's credentials."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest

from lists.models import CredentialsUnreadable
from lists.models.audit import record as audit
from lists.models.connections import credential_keys

SECRETS = ("secret", "seed")  # what an authenticator app and recovery codes are computed from


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SecondFactorAdapter(DefaultMFAAdapter):
    """A database in the wrong hands gives nobody's codes away."""

    def encrypt(self, text: str) -> str:
        return credential_keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Raises CredentialsUnreadable."""
        try:
            return credential_keys().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise CredentialsUnreadable(
                "A second factor was stored with a key that is not in CREDENTIAL_KEYS. Put that key back, or take the "
                "second factor away under People."
            ) from error


@transaction.atomic
def take_second_factor_away(user: Any, person: User) -> bool:
    """For somebody who lost it; whether there was one."""
    there_was, _ = Authenticator.objects.filter(user=person).delete()
    if there_was:
        audit(user, "second_factor_taken_away", person)
    return bool(there_was)


@transaction.atomic
def rotate_second_factors() -> int:
    """Encrypt all of them again with the newest key; how many. Raises CredentialsUnreadable, changing nothing."""
    adapter = SecondFactorAdapter()
    authenticators = Authenticator.objects.select_for_update()
    for authenticator in authenticators:
        for name in authenticator.data.keys() & SECRETS:
            authenticator.data[name] = adapter.encrypt(adapter.decrypt(authenticator.data[name]))
        authenticator.save(update_fields=["data"])
    return len(authenticators)
