import pytest
from django.core.checks import run_checks

from lists import checks


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_settings_of_the_tests_are_sound():
    assert [message for message in run_checks() if message.id.startswith("contactadmin.")] == []


@pytest.mark.parametrize(("keys", "found"), [([], "contactadmin.E001"), (["too-short"], "contactadmin.E002")])
def test_credential_keys_that_are_missing_or_damaged_are_told(settings, keys, found):
    settings.CREDENTIAL_KEYS = keys
    assert ids(checks.credential_keys()) == [found]


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
