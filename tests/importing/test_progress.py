"""The stored place of a job: written and read back alike, and read from rows that know less or more."""

import json

import pytest

from lists.importing.progress import Progress, UndoProgress
from lists.importing.undo import Undone

FAR = Progress(
    "deciding", 40, 30, 31, 2, {"email_left_out": {"Email": [2, 5, 9]}}, {"DND": {"yes": 1}}, 1, 3, {"created": 31}, 1,
    UndoProgress(20, 10, 4, 5, 1, 2),
)  # fmt: skip


@pytest.mark.parametrize("progress", [Progress(), FAR])
def test_progress_comes_back_from_json_as_it_went_in(progress):
    assert Progress.from_json(json.loads(json.dumps(progress.as_json()))) == progress


@pytest.mark.parametrize(
    ("stored", "progress"),
    [
        ({}, Progress()),
        ({"phase": "reading", "line": 5, "passed": 0}, Progress("reading", line=5)),
        ({"preview": {"created": 2}, "drifted": 1, "line": 3, "passed": 2, "undo": {}},
         Progress(line=3, passed=2, preview={"created": 2}, drifted=1)),
        ({"undo": {"removed": 2, "line": 7}}, Progress(undo=UndoProgress(line=7, removed=2))),
        ({"cause": "said by a later version", "undo": {"paused": 3}}, Progress()),
    ],
)  # fmt: skip
def test_what_a_stored_row_does_not_say_is_as_at_the_beginning(stored, progress):
    assert Progress.from_json(stored) == progress


def test_a_phase_begins_at_the_first_line_and_keeps_what_was_counted():
    progress = Progress("reading", line=40, passed=12, rows=31, blank=2)
    progress.begin("repeats")
    assert progress == Progress("repeats", line=0, passed=0, rows=31, blank=2)


def test_lots_taken_back_add_up():
    progress = UndoProgress()
    progress.add(Undone(3, 2, 1, 4), line=20, rows=10)
    progress.add(Undone(1, 0, 4, 2), line=10, rows=10)
    assert (progress.line, progress.passed, progress.undone) == (10, 20, Undone(4, 2, 5, 6))
