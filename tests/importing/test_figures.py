"""Every figure that is told of an import is a count over its rows, whatever the file."""

from collections import Counter

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lists.importing import undo as undoing
from lists.importing.causes import counts_by_code, read_causes, read_warnings, with_warning
from lists.importing.columns import Mapping
from lists.importing.duplicates import Duplicates
from lists.importing.flow import match_columns
from lists.importing.policy import Policy
from lists.importing.progress import Progress
from lists.models import Contact, Import, Membership, Suppression
from lists.pages.imports import opted_out
from tests.factories import make_contact, make_list
from tests.importing.worlds import commit, csv_bytes, rolled_back, undo, upload, work

HEADER = ["Mobile", "Mobile 2", "First name", "Last name", "Email", "DND", "City", "Unsubscribed"]
COLUMNS = {"phone": 0, "first_name": 2, "last_name": 3, "email": 4, "do_not_contact": 5}
NUMBERS = ["9800000001", "9800000002", "+91 98000 00003", "9999999999", "+442079460000", "12", "", "9.198E+11", "NA"]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(NUMBERS),
        st.sampled_from(["", "", "", "9700000001", "9700000002", "080-33923819"]),
        st.sampled_from(["", "Asha", "Ravi", "NULL"]),
        st.sampled_from(["", "Rao", "Iyer"]),
        st.sampled_from(["", "asha@example.org", "nonsense", "NA"]),
        st.sampled_from(["", "", "", "", "No", "Yes", "perhaps"]),
        st.sampled_from(["", "Pune", "x" * 1001]),
        st.sampled_from(["", "", "", "No", "Yes"]),
    ),
    min_size=1,
    max_size=12,
)
CHOICES = {
    "rows": ROWS,
    "known": st.dictionaries(
        st.sampled_from(["+919800000001", "+919800000002", "+919700000001"]),
        st.sampled_from([("Asha", "Rao"), ("Ravi", ""), ("Meena", "Das")]),
    ),
    "suppressed": st.sets(st.sampled_from(["+919800000002", "+919700000002"]), max_size=1),
    "on_existing": st.sampled_from(["keep", "fill", "replace"]),
    "other_person": st.sampled_from(["keep", "take", "leave_out"]),
    "numbers": st.sampled_from(["first_mobile", "first", "each"]),
    "switches": st.dictionaries(st.sampled_from(["placeholder", "other_country"]), st.booleans()),
}


def analysed(*, rows, known, suppressed, on_existing, other_person, numbers, switches) -> Import:
    contact_list = make_list(default_region="IN")
    for phone, (first_name, last_name) in known.items():
        make_contact(phone, first_name=first_name, last_name=last_name)
    for phone in suppressed:
        Suppression.objects.create(phone=phone, reason="asked to")
    imported = upload(csv_bytes(rows, HEADER), contact_list)
    mapping = Mapping(COLUMNS, "IN", extras=[6], more_phones=[1], numbers=numbers, more_opt_outs=[7], switches=switches)
    match_columns(imported, mapping, on_existing, other_person)
    return work(imported)


def judge(imported: Import) -> None:
    """Each figure beside the rows it counts."""
    rows = list(imported.rows.all())
    assert imported.records == len(rows) == sum(imported.ledger.values())
    assert Counter(row.outcome for row in rows) == Counter({k: v for k, v in imported.ledger.items() if v})
    for cause in read_causes(imported):
        alike = imported.rows.filter(outcome=cause.outcome, code=cause.code, column=cause.column)
        assert (cause.rows, cause.first_line) == (alike.count(), alike.earliest("line").line)
    apart = imported.rejected + imported.skipped
    assert sum(cause.rows for cause in read_causes(imported)) == apart
    for at in (5, 7):
        said = Counter(row.raw[at].casefold() for row in rows if row.raw[at])
        assert imported.opt_outs.get(HEADER[at], {}) == said
    warnings = read_warnings(imported)
    for code in {warning.code for warning in warnings}:
        columns = [warning for warning in warnings if warning.code == code]
        if len(columns) == 1:
            assert columns[0].rows == imported.rows.filter(with_warning(code)).count() == counts_by_code(imported)[code]


def judge_duplicates(imported: Import) -> None:
    found = Duplicates.of(imported)
    in_file = imported.rows.exclude(same_as=None).exclude(outcome__in=["suppressed", "rejected"])
    assert sum(pattern.rows for pattern in found.in_file) == in_file.exclude(code="shared_number").count()
    known = imported.rows.filter(same_as=None, contact_id__in=Contact.objects.values("pk")).exclude(
        outcome__in=["suppressed", "rejected"]
    )
    assert found.known_rows == known.exclude(code__in=["placeholder", "other_country", "shared_number"]).count()
    assert next(effect.updated for effect in found.effects if effect.policy == imported.on_existing) == imported.updated


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(**CHOICES)
def test_every_figure_of_check_result_and_undo_is_a_count_over_the_rows(**choices):
    assume(any(cell.strip() for row in choices["rows"] for cell in row))
    with rolled_back():
        imported = analysed(**choices)
        judge(imported)
        judge_duplicates(imported)
        is_unsure = any(warning.code == "opt_out_unsure" for warning in read_warnings(imported))
        members, contacts = Membership.objects.count(), Contact.objects.count()
        preview = imported.ledger
        commit(imported, unanswered=is_unsure)
        judge(imported)
        assert imported.ledger == preview
        assert Contact.objects.count() - contacts == imported.created
        assert Membership.objects.count() - members == imported.joined
        says_so = imported.rows.filter(Q(code="opted_out") | with_warning("opt_out_unsure"))
        says_so = says_so.exclude(outcome__in=["rejected", "skipped"])
        assert opted_out(imported) == says_so.count()
        planned = undoing.plan(imported.pk, Policy.of(imported), list_id=imported.contact_list_id)
        undo(imported)
        done = Progress.from_json(imported.progress).undo.undone
        assert done == planned
        assert done.left == imported.joined
        assert (Membership.objects.count(), Contact.objects.count()) == (members, contacts)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(**CHOICES)
def test_nobody_the_file_opts_out_is_callable_afterwards(**choices):
    """By any number of any of their lines; and what was do-not-contact stays so."""
    assume(any(cell.strip() for row in choices["rows"] for cell in row))
    with rolled_back():
        imported = analysed(**choices)
        commit(imported, unanswered=True)
        protected = set(Suppression.objects.active().values_list("phone", flat=True))
        assert choices["suppressed"] <= protected
        opted_out = imported.rows.filter(code="opted_out")
        for row in opted_out:
            assert {row.phone, *(row.others or [])} <= protected
            assert row.outcome == "suppressed"
        created = Contact.objects.filter(created_at__gte=imported.started_at).exclude(phone__in=protected)
        lines = imported.rows.filter(Q(raw__5="Yes") | Q(raw__7="Yes")).exclude(phone="")
        assert not created.filter(phone__in=lines.values("phone")).exists()
