"""The key of a row: its line in the file, also where one line holds several rows.

It does so where tables stand side by side, and where each of several numbers is a row of its own. Further rows of a
line have keys beyond every line, so that a key is unique, and the first rows of all lines come first.
"""

FURTHER = 1_000_000_000
"""Keys from here on belong to further rows of a line."""
PARTS = 64
"""Rows of one line: so many tables side by side, times the numbers of a row."""
MOST_NUMBERS = 8
MOST_TABLES = PARTS // MOST_NUMBERS
LAST_LINE = 2**31 - 1
"""No key is larger. It is one of line 17,926,307, and a larger file has more bytes than we take."""


def in_table(line: int, table: int) -> int:
    """The key of a record of one of several tables that stand side by side; the first is 0."""
    return _key(line, table * MOST_NUMBERS)


def of_number(key: int, number: int) -> int:
    """The key of the row of one of several numbers of a record; the first is 0."""
    line, part = place(key)
    return _key(line, part + number)


def place(key: int) -> tuple[int, int]:
    """(line of the file, which row of it); the first row of a line is 0."""
    return (key, 0) if key < FURTHER else divmod(key - FURTHER, PARTS)


def file_line(key: int) -> int:
    """The line of the file that a row is of; the first line is 1."""
    return place(key)[0]


def line_in_words(key: int) -> str:
    """Where a row stands, for people: “line 5”, or “line 5 (further number)”."""
    line, part = place(key)
    table, number = divmod(part, MOST_NUMBERS)
    further = [f"table {table + 1}"] if table else []
    further += [f"number {number + 1}"] if number else []
    return f"line {line} ({', '.join(further)})" if further else f"line {line}"


def _key(line: int, part: int) -> int:
    return FURTHER + line * PARTS + part if part else line
