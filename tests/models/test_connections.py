import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from lists.models import Connection, CredentialsUnreadable
from tests.factories import make_connection

pytestmark = pytest.mark.django_db


def test_secrets_come_back_and_are_not_stored_in_clear():
    connection = make_connection(secrets={"api_key": "wbk_example"})
    stored = Connection.objects.get(pk=connection.pk)
    assert stored.secrets() == {"api_key": "wbk_example"}
    assert "wbk_example" not in stored.credentials


def test_a_secret_that_is_not_named_stays():
    connection = make_connection("exotel", secrets={"api_key": "key", "api_token": "token"})
    connection.set_secrets({"api_token": "newer"})
    assert connection.secrets() == {"api_key": "key", "api_token": "newer"}


def test_the_ciphertext_of_another_row_is_refused():
    first, second = make_connection(secrets={"api_key": "first"}), make_connection(secrets={"api_key": "second"})
    second.credentials = first.credentials
    with pytest.raises(CredentialsUnreadable, match="belong to another connection"):
        second.secrets()


def test_a_wrong_key_says_so_and_blanks_nothing(settings):
    connection = make_connection(secrets={"api_key": "wbk_example"})
    ciphertext = connection.credentials
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CredentialsUnreadable, match="CREDENTIAL_KEYS") as caught:
        connection.set_secrets({"api_key": "other"})
    assert "wbk_example" not in str(caught.value)
    assert connection.credentials == ciphertext


def test_rotation_moves_to_the_newest_key(settings):
    connection = make_connection(secrets={"api_key": "wbk_example"})
    newest = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [newest, *settings.CREDENTIAL_KEYS]
    connection.rotate_credentials()
    settings.CREDENTIAL_KEYS = [newest]
    assert connection.secrets() == {"api_key": "wbk_example"}


def test_without_keys_nothing_is_stored(settings):
    settings.CREDENTIAL_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="CREDENTIAL_KEYS"):
        make_connection(secrets={"api_key": "wbk_example"})
