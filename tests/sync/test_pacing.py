"""One pace for an account, whoever sends."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.utils import timezone

from lists.models import Pace
from lists.sync.pacing import MustWait, Pacer
from tests.factories import make_list
from tests.sync.pushes import push

pytestmark = pytest.mark.django_db


def pacer(per_minute: int = 0, per_day: int = 0) -> Pacer:
    return Pacer("account", "LeadLex", per_minute, per_day)


def test_switched_off_it_never_waits():
    assert [pacer().take() for _ in range(100)] == [0.0] * 100


def test_requests_leave_an_interval_apart():
    waits = [pacer(per_minute=600).take() for _ in range(5)]
    assert waits == pytest.approx([0, 0.1, 0.2, 0.3, 0.4], abs=0.05)


def test_a_wait_longer_than_our_patience_is_a_due_time_and_takes_no_slot():
    slow = pacer(per_minute=1)
    slow.take()
    before = Pace.objects.get().next_at
    with pytest.raises(MustWait) as wait:
        slow.take()
    assert wait.value.seconds == pytest.approx(60, abs=1)
    assert Pace.objects.get().next_at == before


def test_the_day_has_a_quota_that_resets_at_midnight():
    limited = pacer(per_day=2)
    limited.take(2)
    with pytest.raises(MustWait, match="LeadLex's daily quota") as wait:
        limited.take()
    assert 0 < wait.value.seconds <= 86_400
    Pace.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert limited.take() == 0


def test_what_the_vendor_asked_for_holds_for_everybody_even_with_the_pace_off():
    pacer(per_minute=60).hold_back(30)
    with pytest.raises(MustWait, match="asked us to wait") as wait:
        pacer().take()
    assert wait.value.seconds == pytest.approx(30, abs=1)


def test_a_shorter_wait_never_cuts_a_longer_one():
    pacer().hold_back(60)
    pacer().hold_back(1)
    assert Pace.objects.filter(blocked_until__gt=Now() + timedelta(seconds=50)).exists()


def test_a_clock_that_was_set_back_keeps_nobody_waiting():
    shared = pacer(per_minute=60)
    shared.take()
    Pace.objects.update(next_at=Now() + timedelta(hours=1))
    assert shared.take() == 0
    assert shared.take() == pytest.approx(1, abs=0.1)


def test_a_good_answer_ends_the_growing_of_waits(connect, rehearsal):
    rehearsal.exotel.faults.times(3, "add_to_list", status=503, retry_after="soon")
    push(make_list(contacts=4), connect("exotel"))
    assert Pace.objects.get().failures == 0


@pytest.mark.django_db(transaction=True)
def test_several_workers_together_keep_the_pace():
    until, taken = time.monotonic() + 2, []

    def work() -> None:
        shared = pacer(per_minute=1200)
        try:
            while time.monotonic() < until:
                shared.wait()
                taken.append(time.monotonic())
        finally:
            database.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    first = min(taken)
    in_a_second = [sum(start <= at < start + 1 for at in taken) for start in (first, first + 0.5, first + 1)]
    assert max(in_a_second) <= 22
    assert min(in_a_second) >= 15
