"""What a push costs, told before it is sent."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from lists.models import Pace
from lists.sync import accounts
from lists.sync.costing import Cost, cost
from tests.factories import make_connection

pytestmark = pytest.mark.django_db


def test_where_contacts_are_only_accepted_the_whole_list_is_read_back(connect):
    told = cost(connect("kore", per_minute=50, per_hour=1800), "list", 40, 20_020)
    assert (told.sending, told.reading, told.requests) == (40, 401, 441)
    assert (told.time_in_words, told.pace) == ("at least 9 minutes", "50 requests a minute, 1,800 an hour")


@pytest.mark.parametrize(("vendor", "kind"), [("leadlex", "list"), ("exotel", "list"), ("kore", "address_book")])
def test_where_the_answer_tells_the_end_nothing_is_read_back(vendor, kind, connect):
    assert cost(connect(vendor), kind, 40, 20_000).reading == 0


def test_without_a_pace_no_time_is_told(connect):
    told = cost(connect("leadlex"), "list", 40, 20_000)
    assert (told.time, told.time_in_words, told.pace, told.fits_today) == (None, "", "", True)


@time_machine.travel("2026-03-01 15:00:00Z", tick=False)
def test_todays_quota_is_the_connections_own_less_what_the_account_has_used(connect):
    connection = connect("leadlex", per_minute=10, per_day=100)
    assert cost(connection, "list", 100, 100).fits_today
    key = accounts.connected(connection).account_key
    Pace.objects.create(account_key=key, day=timezone.now().date(), used_today=30)
    told = cost(connection, "list", 100, 100)
    assert (told.left_today, told.quota, told.fits_today) == (70, 100, False)
    assert told.time_in_words == "at least 9 hours 3 minutes"
    connection.settings["per_day"] = "10000"
    assert cost(connection, "list", 100, 100).fits_today


def test_a_connection_that_is_not_complete_yet_has_its_limits_all_the_same():
    told = cost(make_connection("leadlex", settings={"per_day": "1000"}), "list", 120, 10)
    assert (told.quota, told.left_today, told.pace) == (1000, 1000, "10 requests a minute, 1,000 a day")


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(seconds=4), "less than a minute"),
        (timedelta(seconds=60), "at least 1 minute"),
        (timedelta(minutes=62, seconds=1), "at least 1 hour 3 minutes"),
        (timedelta(hours=2), "at least 2 hours"),
        (timedelta(days=1, hours=9, minutes=2), "at least 1 day 9 hours"),
        (timedelta(days=3), "at least 3 days"),
    ],
)
def test_a_time_is_told_in_words(time, words):
    assert Cost(1, 0, time, "", 0, 0).time_in_words == words
