"""Fixtures every folder uses. Databases are real, SQLite or PostgreSQL; vendors are the rehearsal, over real HTTP."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection as database
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseOperations as SQLiteOperations
from django.db.models.signals import post_migrate
from django.test import Client

from lists.models import Connection
from lists.permissions import ADMINISTRATOR, AUDITOR, CAMPAIGN_MANAGER, UPLOADER
from lists.rehearsal import CREDENTIALS, Rehearsal
from lists.vendors.registry import vendor_class
from tests.factories import make_connection, make_user


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast ones first, then those that start processes, at last those that drive a browser."""
    items.sort(key=lambda item: ("browser" in item.keywords, "processes" in item.keywords))


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path: Path) -> Path:
    """Uploads of a test go to a folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


migration = import_module("lists.migrations.0002_roles")


@pytest.fixture(autouse=True, scope="session")
def _tests_that_commit_leave_the_database_as_migrated() -> Iterator[None]:
    """So that any test may come after one that commits, whose database is flushed at its end.

    A flush takes away the roles too, which a migration made; Django sends `post_migrate` afterwards, and they are made
    again. On SQLite it deletes rows, and the audit lets none go while its guard stands.
    """
    flush = SQLiteOperations.sql_flush

    def without_guard(*args: Any, **kwargs: Any) -> list[str]:
        return [*migration.UNGUARD["sqlite"], *flush(*args, **kwargs), *migration.GUARD["sqlite"]]

    def make_roles(using: str, **kwargs: Any) -> None:
        migration.make_roles(apps, connections[using].schema_editor())

    post_migrate.connect(make_roles, sender=apps.get_app_config("lists"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SQLiteOperations, "sql_flush", without_guard)
        yield
    post_migrate.disconnect(make_roles, sender=apps.get_app_config("lists"))


@pytest.fixture
def unguarded_audit(db) -> None:
    """The audit in the hands of somebody who took away the database's rule; it is back after the test."""
    with database.cursor() as cursor:
        for statement in migration.UNGUARD[database.vendor]:
            cursor.execute(statement)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    """The three rehearsal vendors on a free port, with empty books."""
    with Rehearsal(port=0) as playing:
        yield playing


@pytest.fixture
def connect(rehearsal: Rehearsal) -> Callable[..., Connection]:
    """`connect("kore")`: a stored connection to a rehearsal vendor, our pacing off unless a test sets it."""

    def make(vendor: str, name: str = "", **settings: object) -> Connection:
        secret_names = {setting.name for setting in vendor_class(vendor).settings if setting.secret}
        given = CREDENTIALS[vendor]
        return make_connection(
            vendor,
            name,
            rehearsal=True,
            settings={
                "base_url": f"{rehearsal.url}/{vendor}",
                "per_minute": 0,
                "per_hour": 0,
                "per_day": 0,
                **{key: value for key, value in given.items() if key not in secret_names},
                **settings,
            },
            secrets={key: value for key, value in given.items() if key in secret_names},
        )

    return make


def _logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.user = user  # type: ignore[attr-defined]
    return client


@pytest.fixture
def client_of(db) -> Callable[[str], Client]:
    """`client_of("auditor")`: a browser in which a person of that role is logged in, `.user`."""
    return lambda role: _logged_in(make_user(role))


@pytest.fixture
def uploader(db) -> Client:
    return _logged_in(make_user(UPLOADER))


@pytest.fixture
def manager(db) -> Client:
    return _logged_in(make_user(CAMPAIGN_MANAGER))


@pytest.fixture
def administrator(db) -> Client:
    return _logged_in(make_user(ADMINISTRATOR))


@pytest.fixture
def auditor(db) -> Client:
    return _logged_in(make_user(AUDITOR))
