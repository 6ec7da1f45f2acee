"""What the history says: sentence, causes, figures."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from lists import db
from lists.models import SyncRun
from lists.sync import history, planning, settling
from tests.factories import make_list, make_run
from tests.sync.pushes import push

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("outcomes", "fields", "sentence"),
    [
        ({"added": 3}, {}, "3 of 3 are in the list."),
        (
            {"added": 2, "rejected": 1, "unknown": 1},
            {"state": "completed_with_problems"},
            "2 of 4 are in the list; LeadLex refused 1; of 1 it is not known whether it arrived.",
        ),
        ({"planned": 3}, {"state": "planned"}, "3 contacts would go to LeadLex in 1 request."),
        (
            {"added": 1, "planned": 2},
            {"state": "waiting", "waiting_for": "LeadLex's daily quota, until 00:00 UTC"},
            "1 of 3 are in the list; 2 are still to be sent; waiting: LeadLex's daily quota, until 00:00 UTC.",
        ),
        (
            {"added": 1, "planned": 2},
            {"state": "running", "held_up_by": db.DISK_FULL},
            "1 of 3 are in the list; 2 are still to be sent; waiting: the disk is full.",
        ),
        ({"added": 3}, {"state": "completed", "held_up_by": db.DISK_FULL}, "3 of 3 are in the list."),
    ],
)
def test_a_run_is_told_in_one_sentence(outcomes, fields, sentence):
    assert history.sentence(make_run(outcomes, **fields)) == sentence


@pytest.mark.parametrize(
    ("outcomes", "state", "take_up"), [({"unknown": 1}, "completed_with_problems", settling.settle),
                                       ({"planned": 1}, "failed", partial(planning.resume, user=None))],
    ids=["settled", "resumed"],
)  # fmt: skip
def test_the_days_a_run_lay_ended_are_no_part_of_what_it_took(outcomes, state, take_up):
    ended = timezone.now() - timedelta(days=3)
    run = make_run(outcomes, state=state, started_at=ended - timedelta(seconds=20), finished_at=ended)
    assert history.as_json(run)["seconds"] == 20
    for _ in range(2):
        take_up(run)
        run.refresh_from_db()
        assert 20 <= run.duration.total_seconds() < 200
        SyncRun.objects.filter(pk=run.pk).update(state=state, finished_at=timezone.now())
        run.refresh_from_db()
        assert 20 <= history.as_json(run)["seconds"] < 200


def test_causes_are_grouped_most_contacts_first():
    run = make_run({"added": 1, "rejected": 3, "unknown": 2})
    run.items.filter(outcome="rejected").update(code="404", words="no such contact")
    run.items.filter(outcome="unknown").update(code="no_answer")
    first, second = history.causes(run)
    assert (first["class"], first["code"], first["count"], first["words"]) == ("rejected", "404", 3, "no such contact")
    assert first["sample"] == [2, 3, 4]
    assert (second["class"], second["action"], second["count"]) == ("unknown", "settle", 2)


def test_a_run_without_problems_has_no_causes():
    assert history.causes(make_run({"added": 3})) == []


def test_the_history_outlives_list_and_connection(connect):
    contact_list, connection = make_list("July", contacts=2), connect("leadlex", "LeadLex")
    run = push(contact_list, connection)
    contact_list.delete()
    connection.delete()
    run.refresh_from_db()
    assert (run.list_name, run.connection_name, history.sentence(run)) == ("July", "LeadLex", "2 of 2 are in the list.")
    assert history.requests(run).count() == run.request_count


def test_requests_stand_in_the_order_they_left(connect):
    run = push(make_list(contacts=2), connect("leadlex"))
    assert [attempt.operation for attempt in history.requests(run)][:3] == [
        "find_lists", "create_list", "create_contacts",
    ]  # fmt: skip
    begun = [attempt.started_at for attempt in history.requests(run)]
    assert begun == sorted(begun)
