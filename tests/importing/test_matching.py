"""The statements of the database equal the plain rule: put the rows of a number together, then import them."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lists.fields import TEXTS
from lists.importing.policy import Policy, fold
from lists.importing.row_warnings import SHARED_BY
from lists.models import Suppression
from tests.factories import join, make_contact, make_list
from tests.importing.worlds import commit, preview, rolled_back, run, state, undo

NUMBERS = [f"+9198000123{at:02d}" for at in range(6)]


@dataclass
class Judge:
    """Imports rows into plain dictionaries, as the rule is told to people: number by number, in file order."""

    policy: str
    other_person: str
    allow_duplicates: bool
    contacts: dict[str, dict[str, Any]]
    members: set[tuple[str, int]]
    suppressed: set[str]
    outcomes: list[str] = field(default_factory=list)

    def import_all(self, rows: list[dict[str, Any]]) -> None:
        self.outcomes = [
            "suppressed" if row["phone"] in self.suppressed and row["good"] else "rejected" for row in rows
        ]
        numbers = dict.fromkeys(row["phone"] for row in rows if row["phone"] not in self.suppressed)
        for phone in numbers:
            self.import_number(
                phone, [(at, row) for at, row in enumerate(rows) if row["phone"] == phone and row["good"]]
            )

    def import_number(self, phone: str, rows: list[tuple[int, dict[str, Any]]]) -> None:
        if not rows:
            return
        people = {(row["first_name"], row["last_name"]) for _, row in rows if row["first_name"]}
        if len(people) > SHARED_BY:
            for at, _ in rows:
                self.outcomes[at] = "skipped"
            return
        (first_at, first), *repeats = rows
        together = {name: first[name] for name in ("first_name", "last_name", "extra")}
        occurrence = 1
        places = {1}
        for at, row in repeats:
            occurrence += 1
            is_other = self.are_other_people(together, row)
            self.outcomes[at] = "unchanged" if self.allow_duplicates else "merged"
            if is_other and self.other_person == "leave_out":
                self.outcomes[at] = "skipped"
            elif self.allow_duplicates:
                places.add(occurrence)
            self.put(together, row)
        contact = self.contacts.get(phone)
        if contact is None:
            self.contacts[phone], self.outcomes[first_at] = together, "created"
        elif self.are_other_people(contact, together) and self.other_person == "leave_out":
            self.outcomes[first_at] = "skipped"
            places.discard(1)
        else:
            before = {**contact}
            self.put(contact, together)
            self.outcomes[first_at] = "unchanged" if contact == before else "updated"
        self.members |= {(phone, place) for place in places}

    @staticmethod
    def are_other_people(one: dict[str, Any], other: dict[str, Any]) -> bool:
        names = [{person["first_name"].lower(), person["last_name"].lower()} for person in (one, other)]
        return all("" not in both for both in names) and not names[0] & names[1]

    def put(self, contact: dict[str, Any], row: dict[str, Any]) -> None:
        if self.are_other_people(contact, row):
            if self.other_person == "take":
                contact.update({name: row[name] for name in ("first_name", "last_name", "extra")})
        elif self.policy != "keep":
            for name in ("first_name", "last_name"):
                if row[name] and (self.policy == "replace" or not contact[name]):
                    contact[name] = row[name]
            for header, value in row["extra"].items():
                if self.policy == "replace" or header not in contact["extra"]:
                    contact["extra"] = {**contact["extra"], header: value}


NAMES = st.sampled_from(["", "A", "B", "é", "O'B"])
EXTRAS = st.dictionaries(st.just("City"), st.sampled_from(["Pune", "Goa", 'ü"\\']), max_size=1)
CONTACTS = st.fixed_dictionaries(
    {
        "first_name": NAMES,
        "last_name": NAMES,
        "extra": st.dictionaries(st.sampled_from(["City", "Zip", "é"]), st.sampled_from(["Pune", "1"]), max_size=2),
        "member": st.booleans(),
    }
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "phone": st.sampled_from(NUMBERS),
            "first_name": NAMES,
            "last_name": NAMES,
            "extra": EXTRAS,
            "good": st.sampled_from([True] * 9 + [False]),
        }
    ),
    min_size=1,
    max_size=12,
)
WORLDS = {
    "rows": ROWS,
    "existing": st.dictionaries(st.sampled_from(NUMBERS), CONTACTS, max_size=4),
    "suppressed": st.sets(st.sampled_from(NUMBERS), max_size=2),
    "policy": st.sampled_from(["keep", "fill", "replace"]),
    "other_person": st.sampled_from(["keep", "take", "leave_out"]),
    "allow_duplicates": st.booleans(),
}


def build(existing, suppressed, allow_duplicates):
    contact_list = make_list(allow_duplicates=allow_duplicates)
    for phone, values in existing.items():
        contact = make_contact(phone, **{name: value for name, value in values.items() if name != "member"})
        if values["member"]:
            join(contact_list, contact)
    for phone in suppressed:
        Suppression.objects.create(phone=phone, reason="asked to")
    return contact_list


def cells(row):
    phone = row["phone"] if row["good"] else "12"
    return [phone, row["first_name"], row["last_name"], "", row["extra"].get("City", "")]


many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


SHARED = [
    {"phone": NUMBERS[0], "first_name": first, "last_name": last, "extra": {}, "good": True}
    for first, last in [("A", ""), ("A", "A"), ("A", "B"), ("A", "é"), ("B", ""), ("B", "A")]
]


@pytest.mark.django_db
@many
@example(rows=SHARED, existing={}, suppressed=set(), policy="keep", other_person="keep", allow_duplicates=False)
@given(**WORLDS)
def test_the_statements_equal_the_plain_rule(*, rows, existing, suppressed, policy, other_person, allow_duplicates):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        before = state()
        judge = Judge(
            policy,
            other_person,
            allow_duplicates,
            {phone: {**values, "member": None} for phone, values in existing.items()},
            {(phone, 1) for phone, values in existing.items() if values["member"]},
            suppressed,
        )
        for contact in judge.contacts.values():
            del contact["member"]
        judge.import_all(rows)

        imported = preview([cells(row) for row in rows], contact_list, policy, other_person)
        foreseen = list(imported.rows.order_by("line").values_list("outcome", flat=True))
        assert foreseen == judge.outcomes
        assert state() == before
        commit(imported)
        assert list(imported.rows.order_by("line").values_list("outcome", flat=True)) == judge.outcomes
        assert sum(imported.ledger.values()) == imported.records == len(rows)

        after = state()
        assert {
            phone: {name: contact[name] for name in ("first_name", "last_name", "extra")}
            for phone, contact in after["contacts"].items()
        } == judge.contacts
        assert {(phone, occurrence) for _, phone, occurrence in after["memberships"]} == judge.members
        assert len(after["contacts"]) - len(before["contacts"]) == imported.created
        assert imported.joined == len(after["memberships"]) - len(before["memberships"])
        assert after["counts"][contact_list.pk] == len(after["memberships"])


@pytest.mark.django_db
@many
@given(**WORLDS)
def test_import_and_undo_is_as_if_nothing_was(*, rows, existing, suppressed, policy, other_person, allow_duplicates):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        before = state()
        undone = undo(run([cells(row) for row in rows], contact_list, policy, other_person))
        assert undone.state == "undone"
        assert state() == before


@pytest.mark.django_db
@many
@given(**WORLDS)
def test_the_same_rows_twice_add_nothing_the_second_time(
    *, rows, existing, suppressed, policy, other_person, allow_duplicates
):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        run([cells(row) for row in rows], contact_list, policy, other_person)
        once = state()
        again = run([cells(row) for row in rows], contact_list, policy, other_person)
        assert (again.created, again.joined) == (0, 0)
        assert state() == once


SAME_PERSON = st.fixed_dictionaries(
    {**dict.fromkeys(TEXTS, NAMES), "first_name": st.sampled_from(["", "A"]), "extra": EXTRAS}
)


@given(st.lists(SAME_PERSON, min_size=1, max_size=5), st.sampled_from(["keep", "fill", "replace"]), st.booleans())
def test_folding_what_is_folded_changes_nothing(rows, on_existing, by_full_name):
    policy = Policy(on_existing, by_full_name=by_full_name)
    folded = fold(rows, policy)
    assert fold([folded, *rows[1:]], policy) == folded
