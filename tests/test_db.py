"""What both databases must answer alike, whatever they are asked in their own words."""

import gc
import json
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from lists import db
from lists.models import Suppression
from tests.factories import make_contact

pytestmark = pytest.mark.django_db


def answer(expression: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}")
        return cursor.fetchone()[0]


def as_json(text: str) -> str:
    return f"'{text}'::jsonb" if connection.vendor == "postgresql" else f"'{text}'"


def test_drawn_ids_are_given_to_nobody_else():
    before = make_contact()
    drawn = [*db.draw_ids("lists_contact", 3), *db.draw_ids("lists_contact", 2)]
    after = make_contact()
    assert sorted({before.pk, *drawn, after.pk}) == [before.pk, *drawn, after.pk]


def test_ids_can_be_drawn_for_a_table_that_never_had_a_row():
    with connection.cursor() as cursor, transaction.atomic():
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = 'lists_contact'")
        first, second = db.draw_ids("lists_contact", 2)
        assert (first >= 1, second) == (True, first + 1)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_are_inserted_in_the_columns_named(count):
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    rows = [(f"+9198000{at:05d}", "asked", db.stamp(moment), "page", "") for at in range(count)]
    with transaction.atomic():
        db.insert("lists_suppression", ("phone", "reason", "created_at", "source", "lift_reason"), iter(rows))
    stored = list(Suppression.objects.order_by("phone").values_list("phone", "reason", "created_at"))
    assert stored == [(phone, "asked", moment) for phone, *_ in rows]


def test_the_newer_object_wins_and_is_comparable():
    merged = db.newer_over_older(as_json('{"a":"1","b":"2"}'), as_json('{"b":"3","c":"4"}'))
    assert json.loads(answer(f"CAST({merged} AS text)")) == {"a": "1", "b": "3", "c": "4"}
    spaced = as_json('{"a": "1",  "b": "3", "c": "4"}')
    assert answer(f"{merged} = {db.comparable(spaced)}")


def test_members_of_an_object():
    stored = as_json('{"first_name": "Asha", "extra": {"ward": "7"}}')
    assert answer(db.member_text(stored, "first_name")) == "Asha"
    assert json.loads(answer(f"CAST({db.member_object(stored, 'extra')} AS text)")) == {"ward": "7"}
    assert answer(db.member_text(stored, "tag")) is None
    assert answer(db.member_object(stored, "tag")) is None


def test_rows_that_come_as_one():
    contacts = [make_contact(first_name=name) for name in ("Asha", 'O\'Neil "R"')]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {db.in_one_row('id, first_name')} FROM lists_contact")
        rows = db.fetch_rows(cursor)
        cursor.execute(f"SELECT {db.in_one_row('id, first_name')} FROM lists_contact WHERE id = 0")
        assert db.fetch_rows(cursor) == []
    assert sorted(map(tuple, rows)) == [(contact.pk, contact.first_name) for contact in contacts]


def test_garbage_is_looked_for_as_before_after_work_that_fails():
    before = gc.get_threshold()
    with pytest.raises(ZeroDivisionError), db.collecting_rarely():
        assert gc.get_threshold() != before
        raise ZeroDivisionError
    assert gc.get_threshold() == before
