"""The product's settings with what a test needs: keys of its own, nothing slow that proves nothing."""

import os
from pathlib import Path

VAR = Path(os.environ.get("TEST_VAR", Path(__file__).resolve().parent.parent / "var" / "tests"))
VAR.mkdir(parents=True, exist_ok=True)

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0123456789abcdef" * 4)
os.environ.setdefault("CREDENTIAL_KEYS", "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{VAR / 'unused.sqlite3'}")
os.environ["DEBUG"] = "off"
os.environ["REHEARSAL"] = "on"
os.environ["EMAIL_URL"] = "memorymail://"

from contactadmin.settings import *  # noqa: E402, F403
from contactadmin.settings import DATABASES, STORAGES  # noqa: E402

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, because threads and processes share it as they do in production; nothing here survives a power cut.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
MEDIA_ROOT = VAR / "media"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = False
WHITENOISE_AUTOREFRESH = True
