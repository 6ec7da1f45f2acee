"""What is missing or dangerous in the settings, told before it does harm. Ids are stable: contactadmin.E001, …"""

import tempfile
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

# {setting: (the least it may be, what comes of less)}
LEAST: dict[str, tuple[float, str]] = {
    "MAX_UPLOAD_MB": (1, "nobody could upload a file"),
    "ROW_DETAIL_DAYS": (1, "the rows of every import and push would be removed as soon as it ends"),
    "ALLAUTH_TRUSTED_PROXY_COUNT": (0, "there are no fewer proxies than none"),
    "JOB_LEASE_SECONDS": (1, "a worker would lose its job to another in the midst of it"),
    "JOB_TICK_SECONDS": (0.1, "workers would do nothing but look for work"),
    "JOB_SHARE_SECONDS": (0.1, "a job would never get a turn"),
    "VENDOR_READ_SECONDS": (0.1, "no answer of a vendor would be waited for"),
    "VENDOR_CALL_SECONDS": (0.1, "no answer of a vendor would be waited for"),
    "SETTLE_MISSING_SECONDS": (0.1, "contacts a vendor is still working on would be sent again"),
    "SETTLE_CEILING_SECONDS": (0.1, "nothing would ever be read back"),
}
CALLED = {"ALLAUTH_TRUSTED_PROXY_COUNT": "TRUSTED_PROXIES"}


@register(Tags.security)
def secret_key(**_kwargs: Any) -> list[CheckMessage]:
    try:
        is_set = bool(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's own word when it is empty
        is_set = False
    if is_set:
        return []
    return [
        Error(
            "SECRET_KEY is not set, so nobody can log in and no form can be sent.",
            hint="Run `make .env` to write a .env with fresh keys, or set it to any long random text.",
            id="contactadmin.E004",
        )
    ]


@register()
def readable(**_kwargs: Any) -> list[CheckMessage]:
    """What stands there is not repeated: it may hold a password."""
    return [
        Error(
            f"{name} cannot be read: it is not {what}.",
            hint="Correct it, or leave it out for the usual value; `.env.example` explains each.",
            id="contactadmin.E005",
        )
        for name, what in settings.UNREADABLE.items()
    ]


@register()
def large_enough(**_kwargs: Any) -> list[CheckMessage]:
    found = {name: getattr(settings, name) for name in LEAST}
    wrong = [(CALLED.get(name, name), *LEAST[name]) for name, value in found.items() if value < LEAST[name][0]]
    if min(settings.SETTLE_GAPS) < 0.1:
        wrong.append(("SETTLE_GAPS", 0.1, "a vendor would be asked without a pause"))
    return [
        Error(
            f"{name} is too small: {why}.",
            hint=f"Set it to {least:g} or more, or leave it out for the usual value.",
            id="contactadmin.E006",
        )
        for name, least, why in wrong
    ]


@register(Tags.security, deploy=True)
def allowed_hosts(**_kwargs: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        return [
            Warning(
                "ALLOWED_HOSTS takes any name, so links in mails may be made to lead elsewhere.",
                hint="Name the hosts people reach contactadmin by, separated by commas.",
                id="contactadmin.W003",
            )
        ]
    return []


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
