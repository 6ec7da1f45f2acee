"""Where a row stands in its file, also where one line holds several rows."""

from hypothesis import given
from hypothesis import strategies as st

from lists.importing.lines import (
    FURTHER,
    LAST_LINE,
    MOST_NUMBERS,
    MOST_TABLES,
    file_line,
    in_table,
    line_in_words,
    of_number,
)  # fmt: skip

LINES = st.integers(1, (LAST_LINE - FURTHER) // (MOST_TABLES * MOST_NUMBERS) - 1)
PLACES = st.tuples(LINES, st.integers(0, MOST_TABLES - 1), st.integers(0, MOST_NUMBERS - 1))


@given(PLACES, PLACES)
def test_every_row_of_a_line_has_a_key_of_its_own_that_leads_back(one, other):
    keys = [of_number(in_table(line, table), number) for line, table, number in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert [file_line(key) for key in keys] == [one[0], other[0]]
    assert max(keys) <= LAST_LINE


@given(LINES)
def test_the_first_row_of_a_line_has_the_line_as_its_key(line):
    assert of_number(in_table(line, 0), 0) == line


def test_a_row_is_told_by_its_line():
    assert line_in_words(5) == "line 5"
    assert line_in_words(of_number(5, 1)) == "line 5 (number 2)"
    assert line_in_words(of_number(in_table(5, 1), 2)) == "line 5 (table 2, number 3)"
