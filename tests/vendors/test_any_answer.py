"""Whatever a vendor answers, the reader of it tells something about every contact, or says that it cannot."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lists.vendors.base import Operation
from lists.vendors.errors import UnreadableReply
from lists.vendors.records import Answer, Outcome
from lists.vendors.registry import VENDORS

from .contract import PEOPLE

OPERATIONS = [
    pytest.param(operation, id=f"{vendor.key}-{operation.name}")
    for vendor in VENDORS.values()
    for operations in vendor.operations.values()
    for operation in operations
]
# the names the three vendors use, so that nonsense often has nearly the right shape
KEYS = st.sampled_from(
    [
        "data",
        "contacts",
        "response",
        "metadata",
        "code",
        "status",
        "error_data",
        "sid",
        "Sid",
        "id",
        "number",
        "added",
        "created",
        "contact_count",
        "full_name",
        "email",
        "cellPhone",
        "phoneNumber",
        "countryCode",
        "total",
        "message",
    ]
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
WORDS = st.sampled_from(["", "id-mara", "+12025550123", "409", "200", "success", "failure", "Mara Quist", "already"])
ANYTHING = st.recursive(
    VALUES | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)
SHAPED = st.fixed_dictionaries(
    {
        "response": st.lists(ANYTHING, max_size=5),
        "data": ANYTHING | st.fixed_dictionaries({"contacts": st.lists(ANYTHING, max_size=4), "added": VALUES}),
    }
)


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=150, deadline=None)
@given(body=SHAPED | ANYTHING)
def test_any_json_gives_one_result_for_each_contact_or_is_unreadable(operation: Operation, body: object):
    try:
        reading = operation.read(Answer(200, {}, json.dumps(body).encode()), PEOPLE)
    except UnreadableReply:
        return
    assert [result.key for result in reading.results] == ["a", "b", "c"]
    assert sum(result.outcome is Outcome.ADDED for result in reading.results) >= reading.already_present >= 0


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=50, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_unreadable_at_worst(operation: Operation, body: bytes):
    try:
        operation.read(Answer(200, {}, body), PEOPLE)
    except UnreadableReply as error:
        assert error.unknown
