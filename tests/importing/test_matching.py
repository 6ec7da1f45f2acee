"""The statements of the database equal the plain rule: import the rows one by one, in file order, under the policy."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lists.fields import TEXTS
from lists.importing.matching import fold
from lists.models import Suppression
from tests.factories import join, make_contact, make_list
from tests.importing.worlds import commit, preview, rolled_back, run, state, undo

NUMBERS = [f"+9198000123{at:02d}" for at in range(6)]


@dataclass
class Judge:
    """Imports rows one by one into plain dictionaries, as the rule is told to people."""

    policy: str
    allow_duplicates: bool
    contacts: dict[str, dict[str, Any]]
    members: set[tuple[str, int]]
    suppressed: set[str]
    outcomes: list[str] = field(default_factory=list)

    def import_all(self, rows: list[dict[str, Any]]) -> None:
        first_of: dict[str, int] = {}
        before = {phone: {**contact} for phone, contact in self.contacts.items()}
        seen: dict[str, int] = {}
        for at, row in enumerate(rows):
            phone = row["phone"]
            if phone in self.suppressed:
                self.outcomes.append("suppressed")
            elif not row["good"]:
                self.outcomes.append("rejected")
            else:
                self.import_one(row)
                seen[phone] = seen.get(phone, 0) + 1
                if phone in first_of:
                    self.outcomes.append("unchanged" if self.allow_duplicates else "merged")
                else:
                    first_of[phone] = at
                    self.outcomes.append("")
                if self.allow_duplicates or seen[phone] == 1:
                    self.members.add((phone, seen[phone]))
        for phone, at in first_of.items():
            if phone not in before:
                self.outcomes[at] = "created"
            else:
                self.outcomes[at] = "unchanged" if self.contacts[phone] == before[phone] else "updated"

    def import_one(self, row: dict[str, Any]) -> None:
        contact = self.contacts.get(row["phone"])
        values = {"first_name": row["first_name"], "last_name": row["last_name"], "extra": row["extra"]}
        if contact is None:
            self.contacts[row["phone"]] = values
        elif self.policy != "keep":
            for name in ("first_name", "last_name"):
                if values[name] and (self.policy == "replace" or not contact[name]):
                    contact[name] = values[name]
            for header, value in row["extra"].items():
                if self.policy == "replace" or header not in contact["extra"]:
                    contact["extra"] = {**contact["extra"], header: value}


NAMES = st.sampled_from(["", "A", "B", "é", "'"])
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
    mail = "" if row["good"] else "no mail"
    return [row["phone"], row["first_name"], row["last_name"], mail, row["extra"].get("City", "")]


many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.django_db
@many
@given(**WORLDS)
def test_the_statements_equal_importing_row_by_row(rows, existing, suppressed, policy, allow_duplicates):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        before = state()
        judge = Judge(
            policy,
            allow_duplicates,
            {phone: {**values, "member": None} for phone, values in existing.items()},
            {(phone, 1) for phone, values in existing.items() if values["member"]},
            suppressed,
        )
        for contact in judge.contacts.values():
            del contact["member"]
        judge.import_all(rows)

        imported = preview([cells(row) for row in rows], contact_list, policy)
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
def test_import_and_undo_is_as_if_nothing_had_been(rows, existing, suppressed, policy, allow_duplicates):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        before = state()
        undone = undo(run([cells(row) for row in rows], contact_list, policy))
        assert undone.state == "undone"
        assert state() == before


@pytest.mark.django_db
@many
@given(**WORLDS)
def test_the_same_rows_twice_add_nothing_the_second_time(rows, existing, suppressed, policy, allow_duplicates):
    with rolled_back():
        contact_list = build(existing, suppressed, allow_duplicates)
        run([cells(row) for row in rows], contact_list, policy)
        once = state()
        again = run([cells(row) for row in rows], contact_list, policy)
        assert (again.created, again.joined) == (0, 0)
        assert state() == once


ROWS = st.fixed_dictionaries({**dict.fromkeys(TEXTS, NAMES), "extra": EXTRAS})


@given(st.lists(ROWS, min_size=1, max_size=5), st.sampled_from(["keep", "fill", "replace"]))
def test_folding_what_is_folded_changes_nothing(rows, policy):
    folded = fold(rows, policy)
    assert fold([folded, *rows[1:]], policy) == folded
