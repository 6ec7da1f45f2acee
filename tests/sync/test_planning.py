"""What a plan holds: who goes out, in which batches, and who does not and why."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from lists.models import Contact, RemoteContact, Suppression, SyncRun
from lists.sync import planning
from lists.vendors.records import ID_SLOT
from tests.factories import join, make_contact, make_list, make_run, make_user
from tests.sync.pushes import outcomes, push, work

pytestmark = pytest.mark.django_db


def spans(run: SyncRun, operation: str) -> list[tuple[int, int]]:
    return list(run.batches.filter(operation=operation).order_by("sequence").values_list("first", "last"))


def test_a_plan_has_an_item_for_every_contact_and_says_what_it_would_send(connect):
    contact_list = make_list(contacts=5)
    run = planning.plan(contact_list, connect("leadlex", batch_size=2))
    assert (run.state, outcomes(run), run.batch_count) == ("planned", {"planned": 5}, 6)
    assert spans(run, "create_contacts") == [(1, 2), (3, 4), (5, 5)]
    assert spans(run, "add_to_list") == [(1, 2), (3, 4), (5, 5)]
    assert run.batches.get(sequence=4).entries == [ID_SLOT, ID_SLOT]


@pytest.mark.parametrize("contacts", [1, 99, 100, 101, 301])
def test_batches_keep_the_vendors_limit_and_part_the_plan_exactly(contacts, connect):
    run = planning.plan(make_list(contacts=contacts), connect("leadlex", batch_size=5000))
    found = spans(run, "add_to_list")
    assert all(last - first < 100 for first, last in found)
    assert [position for first, last in found for position in range(first, last + 1)] == [*range(1, contacts + 1)]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(
    kinds=st.lists(st.sampled_from(["new", "known", "suppressed", "nameless"]), min_size=1, max_size=30),
    size=st.integers(1, 9),
)
def test_whoever_is_left_out_the_batches_part_the_rest_exactly(kinds, size, connect):
    Contact.objects.all().delete()
    Suppression.objects.all().delete()
    contact_list, connection = make_list(), connect("kore", batch_size=size)
    for number, kind in enumerate(kinds):
        names = {} if kind == "nameless" else {"first_name": "Asha", "last_name": "Rao", "salutation": "Mrs"}
        contact = make_contact(f"+91980000{number:04d}", contact_list=contact_list, **names)
        if kind == "known":
            RemoteContact.objects.create(connection=connection, contact=contact, remote_id=f"r{number}")
        elif kind == "suppressed":
            Suppression.objects.create(phone=contact.phone, reason="asked")
    sendable = sum(kind in ("new", "known") for kind in kinds)
    if not sendable:
        with pytest.raises(planning.PlanRefused):
            planning.plan(contact_list, connection, "address_book")
        return
    run = planning.plan(contact_list, connection, "address_book")
    assert (run.planned, run.not_sent, run.total) == (sendable, len(kinds) - sendable, len(kinds))
    found = spans(run, "import_contacts")
    assert [position for first, last in found for position in range(first, last + 1)] == [*range(1, sendable + 1)]
    assert all(last - first < size for first, last in found)
    assert [len(batch.entries) for batch in run.batches.order_by("sequence")] == [
        last - first + 1 for first, last in found
    ]
    assert list(run.items.order_by("position").values_list("position", flat=True)) == [*range(1, len(kinds) + 1)]


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # fmt: skip
@given(kinds=st.lists(st.sampled_from(["new", "twice", "held", "open", "refused", "suppressed"]), max_size=12))
def test_what_is_wanted_is_what_the_plan_holds(kinds, connect):
    Contact.objects.all().delete()
    Suppression.objects.all().delete()
    contact_list, connection = make_list(allow_duplicates=True), connect("kore")
    people = []
    for number, kind in enumerate(kinds):
        contact = make_contact(f"+91980000{number:04d}", contact_list=contact_list, first_name="Asha" * (number % 2))
        people.append(contact)
        if kind == "twice":
            join(contact_list, contact, occurrence=2)
    if kinds:
        before = planning.plan(contact_list, connection)
        remote = connection.remote_lists.create(contact_list=contact_list, remote_id="9", name=contact_list.name)
        SyncRun.objects.filter(pk=before.pk).update(state="failed", remote_list=remote)
        said = {"held": "confirmed", "open": "accepted", "refused": "rejected"}
        for contact, kind in zip(people, kinds, strict=True):
            before.items.filter(contact=contact).update(outcome=said.get(kind, "not_sent"))
            if kind == "suppressed":
                Suppression.objects.create(phone=contact.phone, reason="asked")
    try:
        wanted, refusal = planning.wanting(contact_list, connection), ""
    except planning.PlanRefused as refused:
        wanted, refusal = 0, str(refused)
    try:
        planned, refused_with = planning.plan(contact_list, connection).planned, ""
    except planning.PlanRefused as refused:
        planned, refused_with = 0, str(refused)
    assert (wanted, refusal) == (planned, refused_with)


def test_contacts_the_vendor_knows_are_not_created_again(connect):
    contact_list, connection = make_list(contacts=4), connect("exotel")
    known = contact_list.contacts.order_by("id")[0]
    RemoteContact.objects.create(connection=connection, contact=known, remote_id="a" * 32)
    run = planning.plan(contact_list, connection)
    assert spans(run, "create_contacts") == [(1, 3)]
    assert run.items.get(position=4).contact == known
    assert run.batches.get(operation="add_to_list").entries[3] == {"contact_sid": "a" * 32}


def test_do_not_contact_and_unready_contacts_are_told_and_not_sent(connect):
    contact_list = make_list()
    ready = {"first_name": "Asha", "last_name": "Rao", "salutation": "Mrs"}
    make_contact(contact_list=contact_list, **ready)
    make_contact(contact_list=contact_list, **ready | {"salutation": ""})
    Suppression.objects.create(phone=make_contact(contact_list=contact_list, **ready).phone, reason="asked")
    run = planning.plan(contact_list, connect("kore"), "address_book")
    assert outcomes(run) == {"planned": 1, "not_sent": 2}
    assert set(run.items.filter(outcome="not_sent").values_list("code", "words")) == {
        ("unready_salutation", "Salutation is empty, Kore.ai requires it."),
        ("suppressed", "This number is do-not-contact."),
    }


def test_a_second_push_sends_only_what_is_new(connect, rehearsal):
    contact_list, connection = make_list(contacts=4), connect("leadlex")
    push(contact_list, connection)
    make_contact(contact_list=contact_list)
    run = push(contact_list, connection)
    assert (outcomes(run), run.held_before) == ({"added": 1}, 4)
    assert [entry.contacts_sent for entry in rehearsal.book.requests("leadlex", "add_to_list")] == [4, 1]


def test_a_push_with_nothing_new_is_refused_with_a_sentence(connect):
    contact_list, connection = make_list(contacts=4), connect("leadlex")
    push(contact_list, connection)
    with pytest.raises(planning.PlanRefused, match=r"LeadLex holds all 4 contacts of “[^”]+”.$"):
        planning.plan(contact_list, connection)


def test_unknown_contacts_are_left_to_settling_not_sent_by_the_next_plan(connect):
    contact_list, connection = make_list(contacts=3), connect("exotel")
    run = push(contact_list, connection)
    run.items.filter(position=1).update(outcome="unknown")
    SyncRun.objects.update(added=2, unknown=1)
    with pytest.raises(planning.PlanRefused, match="or may hold them"):
        planning.plan(contact_list, connection)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "x" * 49}, "49 characters, 48 allowed"),
        ({"description": ""}, "Kore.ai requires one"),
        ({"description": "x" * 257}, "257 characters, 256 allowed"),
    ],
)
def test_a_list_kore_would_refuse_is_refused_before_anything_is_sent(fields, words, connect):
    with pytest.raises(planning.PlanRefused, match=words):
        planning.plan(make_list(contacts=1, **fields), connect("kore"))
    assert SyncRun.objects.count() == 0


def test_an_empty_list_and_a_missing_credential_are_refused(connect):
    with pytest.raises(planning.PlanRefused, match="has no contacts yet"):
        planning.plan(make_list(), connect("leadlex"))
    connection = connect("leadlex")
    connection.credentials = ""
    connection.save()
    with pytest.raises(planning.PlanRefused, match="needs the api key"):
        planning.plan(make_list(contacts=1), connection)


def test_a_plan_whose_list_has_changed_is_stale_and_is_not_sent(connect):
    contact_list = make_list(contacts=2)
    run = planning.plan(contact_list, connect("leadlex"))
    assert not planning.is_stale(run)
    contact_list.contacts.filter(pk=contact_list.contacts.first().pk).update(first_name="Ravi")
    with pytest.raises(planning.PlanRefused, match="changed since this plan"):
        planning.queue(run, None)


def test_a_plan_stands_while_only_do_not_contact_changes_and_that_is_obeyed(connect):
    contact_list = make_list(contacts=3)
    run = planning.plan(contact_list, connect("leadlex"))
    Suppression.objects.create(phone=contact_list.contacts.first().phone, reason="asked")
    planning.queue(run, None)
    assert outcomes(work(run)) == {"added": 2, "not_sent": 1}
    assert run.causes[0]["code"] == "suppressed"
    assert run.state == "completed"  # held back as promised: nothing that a person has to solve


def test_a_number_suppressed_between_two_batches_is_not_in_the_second(connect, rehearsal, monkeypatch):
    contact_list = make_list(contacts=4)
    last = contact_list.contacts.order_by("id").last()
    connection = connect("kore", batch_size=2)
    run = planning.plan(contact_list, connection)
    planning.queue(run, None)
    from lists.sync.sending import Sender

    prepare, prepared = Sender._prepare, []

    def suppress_after_the_first(sender, batch, *rest):
        if prepared:
            Suppression.objects.get_or_create(phone=last.phone, defaults={"reason": "asked"})
        prepared.append(batch)
        return prepare(sender, batch, *rest)

    monkeypatch.setattr(Sender, "_prepare", suppress_after_the_first)
    assert outcomes(work(run)) == {"confirmed": 3, "not_sent": 1}
    assert last.phone not in rehearsal.book.received("kore", run.remote_list.remote_id)


def test_one_active_plan_per_list_and_connection(connect):
    contact_list, connection = make_list(contacts=2), connect("leadlex")
    first = planning.plan(contact_list, connection)
    with pytest.raises(planning.PlanRefused, match=f"a plan for {connection.name} already: run {first.pk}"):
        planning.plan(contact_list, connection)
    planning.discard(first, None)
    assert planning.plan(contact_list, connection)


def test_a_discarded_plan_stays_in_the_history_and_its_ledger_closes(connect):
    run = planning.plan(make_list(contacts=7), connect("leadlex"))
    planning.discard(run, None)
    assert (run.state, outcomes(run), run.started_at) == ("stopped", {"not_sent": 7}, None)
    assert run.causes[0]["words"] == "The plan was discarded."


def test_a_plan_is_queued_once_however_often_it_is_clicked(connect):
    run = planning.plan(make_list(contacts=1), connect("leadlex"))
    planning.queue(run, None)
    with pytest.raises(planning.PlanRefused, match="is queued"):
        planning.queue(run, None)


def test_nobody_approves_a_plan_of_their_own(connect):
    author, other = make_user("campaign manager"), make_user("campaign manager")
    run = planning.plan(make_list(contacts=1), connect("leadlex"), user=author)
    planning.ask_for_approval(run, author)
    with pytest.raises(planning.PlanRefused, match="Somebody else"):
        planning.approve(run, author)
    planning.approve(run, other)
    assert (run.state, run.approved_by) == ("queued", other)


def test_a_stopped_run_can_not_be_stopped_again():
    with pytest.raises(planning.PlanRefused, match="is stopped"):
        planning.stop(make_run({"not_sent": 1}, state="stopped"), None)


def test_repeats_go_out_only_where_the_vendor_takes_them(connect, rehearsal):
    contact_list = make_list(allow_duplicates=True, contacts=2)
    join(contact_list, contact_list.contacts.first(), occurrence=2)
    assert planning.plan(contact_list, connect("kore")).planned == 3
    assert planning.plan(contact_list, connect("leadlex")).planned == 2


def test_repeats_are_confirmed_each_by_an_entry_of_its_own(connect, rehearsal):
    contact_list = make_list(allow_duplicates=True, contacts=2)
    join(contact_list, contact_list.contacts.first(), occurrence=2)
    run = push(contact_list, connect("kore"))
    assert outcomes(run) == {"confirmed": 3}


def test_the_address_book_is_filled_and_remembered_apart_from_the_lists(connect, rehearsal):
    contact_list, connection = make_list(), connect("kore")
    for first in ("Asha", "Ravi"):
        make_contact(contact_list=contact_list, first_name=first, last_name="Rao", salutation="Mrs")
    run = push(contact_list, connection, "address_book")
    assert outcomes(run) == {"added": 2}
    assert len(rehearsal.book.applied("kore")) == 2
    with pytest.raises(planning.PlanRefused, match="nothing to send"):
        planning.plan(contact_list, connection, "address_book")
    assert outcomes(push(contact_list, connection)) == {"confirmed": 2}
