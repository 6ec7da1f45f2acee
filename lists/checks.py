"""What is missing or dangerous in the settings, told before it does harm. Ids are stable: contactadmin.E001, …"""

import tempfile
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register


@register(Tags.security)
def credential_keys(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.CREDENTIAL_KEYS:
        return [
            Error(
                "CREDENTIAL_KEYS is not set, so credentials of vendors can be neither stored nor read.",
                hint="Run `make .env`, or set it to a Fernet key; keep it with your backups, apart from the database.",
                id="contactadmin.E001",
            )
        ]
    for position, key in enumerate(settings.CREDENTIAL_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    f"Key {position} of CREDENTIAL_KEYS is not a Fernet key (32 bytes as URL-safe base64).",
                    hint="Make one with `python -c 'from cryptography.fernet import Fernet as F; "
                    "print(F.generate_key().decode())'` and put it first; keep the older ones behind it.",
                    id="contactadmin.E002",
                )
            ]
    return []


@register(Tags.files)
def media_root(**_kwargs: Any) -> list[CheckMessage]:
    try:
        settings.MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.MEDIA_ROOT):
            pass
    except OSError as error:
        return [
            Error(
                f"Uploads cannot be stored in MEDIA_ROOT ({settings.MEDIA_ROOT}): {error.strerror}.",
                hint="Set MEDIA_ROOT to a folder this process may write to, outside what the web server serves.",
                id="contactadmin.E003",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def rehearsal_in_production(**_kwargs: Any) -> list[CheckMessage]:
    if settings.REHEARSAL:
        return [
            Warning(
                "REHEARSAL is on: the rehearsal vendors run beside the product, and `demo` may make users.",
                hint="Switch REHEARSAL off where real lists are kept.",
                id="contactadmin.W001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def vendor_hosts(**_kwargs: Any) -> list[CheckMessage]:
    if settings.VENDOR_HOSTS and not settings.REHEARSAL:
        return [
            Warning(
                f"VENDOR_HOSTS lets credentials go to other hosts than the vendors' own: {settings.VENDOR_HOSTS}.",
                hint="Leave VENDOR_HOSTS empty unless a vendor gave you a host of your own.",
                id="contactadmin.W002",
            )
        ]
    return []
