"""The words that mean that there is nothing in a cell."""

import pytest

from lists.blanks import is_blank


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t\n", "\u00a0", "NULL", "null", "Null", "(null)", "<NULL>", "nil", "None", "NONE", "nan", "NaN", "NaT",
     "<NA>", "NA", "na", "N/A", "n/a", "N.A.", "n.a.", "#N/A", "\\N", "-", "--", "---", "–", "—", ".", "..", "?", "_",
     "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#ref!", "undefined", "not available", "Not Applicable", "k.A.", "s/d",
     " NA ", "- -", "(blank)"],
)  # fmt: skip
def test_words_and_strokes_for_nothing_are_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize(
    "text",
    ["0", "No", "no", "Nan Kumar", "Nila", "Nullmeier", "Na Li", "x", "-1", "a.", "#1", "N", "n/b", "########",
     "not available today", "+", "☺"],
)  # fmt: skip
def test_everything_else_is_something(text):
    assert not is_blank(text)
