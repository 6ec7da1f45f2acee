import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import run_checks

from lists import checks
from tests.processes import MANAGE


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_settings_of_the_tests_are_sound():
    assert [message for message in run_checks() if message.id.startswith("contactadmin.")] == []


@pytest.mark.parametrize(("keys", "found"), [([], "contactadmin.E001"), (["too-short"], "contactadmin.E002")])
def test_credential_keys_that_are_missing_or_damaged_are_told(settings, keys, found):
    settings.CREDENTIAL_KEYS = keys
    assert ids(checks.credential_keys()) == [found]


@pytest.mark.parametrize("name", [*checks.LEAST, "SETTLE_GAPS"])
def test_a_number_that_would_do_harm_is_told(settings, name):
    setattr(settings, name, [5.0, 0.0] if name == "SETTLE_GAPS" else -1)
    (message,) = checks.large_enough()
    assert message.id == "contactadmin.E006" and message.hint
    assert message.msg.startswith(checks.CALLED.get(name, name))


@pytest.mark.parametrize("name", ["MAX_UPLOAD_MB", "ROW_DETAIL_DAYS", "JOB_LEASE_SECONDS"])
def test_nothing_is_no_size_no_age_and_no_lease(settings, name):
    setattr(settings, name, 0)
    assert ids(checks.large_enough()) == ["contactadmin.E006"]


def test_any_host_is_told_before_deployment(settings):
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(checks.allowed_hosts()) == ["contactadmin.W003"]


PRIVATE = "not-to-be-seen"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SECRET_KEY", "", "contactadmin.E004"),
        ("MAX_UPLOAD_MB", PRIVATE, "contactadmin.E005"),
        ("JOB_LEASE_SECONDS", "nan", "contactadmin.E005"),
        ("SETTLE_GAPS", "3,,5", "contactadmin.E005"),
        ("DATABASE_URL", f"postgres//someone:{PRIVATE}@localhost/contacts", "contactadmin.E005"),
        ("EMAIL_URL", f"smtp//someone:{PRIVATE}@localhost", "contactadmin.E005"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told_in_a_sentence(tmp_path, name, value, told):
    ended = started(tmp_path, "manage.py", "worker", **{name: value})
    assert ended.returncode == 1
    assert f"({told}) {name}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert PRIVATE not in ended.stdout + ended.stderr


def test_a_web_server_does_not_start_with_settings_that_cannot_be_read(tmp_path):
    ended = started(tmp_path, "-c", "import contactadmin.wsgi", SECRET_KEY="")
    assert ended.returncode and "contactadmin.E004" in ended.stderr


def started(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """What a process with these settings said, once it has ended."""
    surroundings = {
        "DJANGO_SETTINGS_MODULE": "contactadmin.settings",
        "DATABASE_URL": f"sqlite:///{folder}/a.sqlite3",
        "MEDIA_ROOT": str(folder),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **surroundings, **changes},
        cwd=MANAGE.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_folder_nobody_can_write_to_is_told(settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.MEDIA_ROOT = blocked / "media"
    (message,) = checks.media_root()
    assert message.id == "contactadmin.E003" and message.hint


def test_rehearsal_and_extra_hosts_are_told_before_deployment(settings):
    settings.REHEARSAL, settings.VENDOR_HOSTS = True, ["127.0.0.1"]
    assert ids(checks.rehearsal_in_production()) == ["contactadmin.W001"]
    settings.REHEARSAL = False
    assert ids(checks.vendor_hosts()) == ["contactadmin.W002"]
