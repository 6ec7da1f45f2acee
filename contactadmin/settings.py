"""Settings of contactadmin, read from the environment or `.env`; `.env.example` explains each.

One file in sections: what people set, applications, web, data, accounts, security, static files, background work, logs.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

# ── What people set ─────────────────────────────────────────────────────────────────────────────────────────────────
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

UNREADABLE: dict[str, str] = {}  # {name: what it must be instead}; told by `lists.checks`, and nothing starts


def read(name: str, default: Any, kind: Callable[[str], Any], what: str) -> Any:
    """A setting as its kind; the default where it is not set, or cannot be read."""
    text = env.str(name, default="").strip()
    try:
        return kind(text) if text else default
    except (ValueError, ImproperlyConfigured):
        UNREADABLE[name] = what
        return default


def whole(name: str, default: int) -> int:
    return read(name, default, int, "a whole number")


def seconds(name: str, default: float) -> float:
    return read(name, default, _seconds, "a number of seconds")


def _seconds(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError
    return number


def _database(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError
    return env.db_url_config(url)


SECRET_KEY = env.str("SECRET_KEY", default="")
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS", default=[])  # newest first
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host not in {"*", "localhost"}]
REHEARSAL = env.bool("REHEARSAL", default=False)
VENDOR_HOSTS = env.list("VENDOR_HOSTS", default=["127.0.0.1"] if REHEARSAL else [])
MAX_UPLOAD_MB = whole("MAX_UPLOAD_MB", 200)
ROW_DETAIL_DAYS = whole("ROW_DETAIL_DAYS", 400)
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(BASE_DIR / "var" / "media")))
REHEARSAL_MEMORY = MEDIA_ROOT.parent / "rehearsal.memory"  # what the rehearsal vendors that `serve` runs hold

# ── Applications ────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "lists",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
]

# ── Web ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
ROOT_URLCONF = "contactadmin.urls"
WSGI_APPLICATION = "contactadmin.wsgi.application"
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # around all others, so that their refusals carry the policy too
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "lists.middleware.PrivatePages",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lists.navigation.navigation",
            ],
            "builtins": ["lists.templatetags.ui"],
        },
    },
]
FORM_RENDERER = "lists.forms.FormRenderer"

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

# Uploads are streamed to MEDIA_ROOT and capped by our own count while the bytes arrive.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT / "arriving"  # not the system's: what a killed process leaves behind is swept up
DATA_UPLOAD_MAX_NUMBER_FILES = 1

# ── Data ────────────────────────────────────────────────────────────────────────────────────────────────────────────
SQLITE = env.db_url_config(f"sqlite:///{BASE_DIR / 'var' / 'contactadmin.sqlite3'}")
URLS = "sqlite:///path or postgres://user:password@host:5432/name"
DATABASES: dict[str, Any] = {"default": read("DATABASE_URL", SQLITE, _database, URLS)}
if "DATABASE_URL" in UNREADABLE:
    DATABASES = {}  # rather none than another one
elif DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE because a deferred transaction that turns from reading to writing fails at once, whatever the timeout;
    # FULL because a lost attempt row would become a silent second send.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;",
    }
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {  # shared by all processes, so that login limits count them together
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cache"},
}

# ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────────────
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "lists.login.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
# Limits on logging in count per address; behind a proxy that is what the nearest proxies we know of say it is.
ALLAUTH_TRUSTED_PROXY_COUNT = whole("TRUSTED_PROXIES", 0 if DEBUG else 1)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "contactadmin"
MFA_TOTP_TOLERANCE = 1  # one step of 30 seconds either way, as RFC 6238 allows for slow hands and clocks
MFA_ADAPTER = "lists.login.SecondFactorAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # administrators enter the addresses
EMAIL_WAYS = "a mail server, as smtp+tls://user:password@mail.example.org:587"
vars().update(read("EMAIL_URL", env.email_url_config("consolemail://"), env.email_url_config, EMAIL_WAYS))

# ── Security ────────────────────────────────────────────────────────────────────────────────────────────────────────
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # a load balancer asks over plain http
SECURE_HSTS_SECONDS = 0 if DEBUG else 60 * 60 * 24 * 365
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # Tabler draws chevrons and ticks as data: images
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# ── Static files ────────────────────────────────────────────────────────────────────────────────────────────────────
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# ── Background work ─────────────────────────────────────────────────────────────────────────────────────────────────
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}
JOB_LEASE_SECONDS = seconds("JOB_LEASE_SECONDS", 45.0)
JOB_TICK_SECONDS = seconds("JOB_TICK_SECONDS", 10.0)
JOB_SHARE_SECONDS = seconds("JOB_SHARE_SECONDS", 20.0)
VENDOR_READ_SECONDS = seconds("VENDOR_READ_SECONDS", 30.0)  # without a single byte
VENDOR_CALL_SECONDS = seconds("VENDOR_CALL_SECONDS", 60.0)  # one call in all
# How a vendor is read back: gaps between the looks (the last repeats), when what is still missing counts as missing,
# and when we stop looking.
SETTLE_GAPS = read(
    "SETTLE_GAPS",
    [3.0, 15.0, 30.0, 60.0, 120.0],
    lambda text: [_seconds(gap) for gap in text.split(",")],
    "numbers of seconds, separated by commas",
)
SETTLE_MISSING_SECONDS = seconds("SETTLE_MISSING_SECONDS", 300.0)
SETTLE_CEILING_SECONDS = seconds("SETTLE_CEILING_SECONDS", 900.0)

# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "contactadmin.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},  # without Django's own handler, which masks nothing
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
