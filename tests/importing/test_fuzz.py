"""Tables of columns of every kind under headers of every kind: what a guess may never do, whatever stands beside what.

Each table has one column that is known to hold the phone numbers. The guess sees only headers and cells; what it would
store is compared, row by row, with what a reader who knows that column would store.
"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from lists.importing.cleaning import cleaner
from lists.importing.columns import Mapping, problems
from lists.importing.guessing import guess
from lists.importing.reading import Record

PHONES = {
    # region: (how a number is written, its last digits left open)
    "IN": ["98000000{:02}", "+91 98000 000{:02}", "098000 000{:02}", "91-98000000{:02}", "98000-000{:02}"],
    "US": ["202-555-01{:02}", "(202) 555-01{:02}", "+1 202 555 01{:02}", "20255501{:02}", "1-202-555-01{:02}"],
    "DE": ["0151 234558{:02}", "+49 151 234558{:02}", "0151/234558{:02}", "0049151234558{:02}"],
    "GB": ["07400 1234{:02}", "+44 7400 1234{:02}", "074001234{:02}"],
}
PHONE_HEADERS = [
    "Mobile", "Mobile No", "Mob. No.", "Phone", "Phone Number", "Contact No", "Contact Details", "Registered Mobile No",
    "WhatsApp", "Cell", "Telephone", "What is your mobile number?", "customerPhone", "billing_phone", "Handy",
]  # fmt: skip
BLANKS = ["", "", "NA", "-", "NULL"]


@dataclass(frozen=True)
class Kind:
    """A kind of column: what it may be called, and what its cells hold, some digits left open."""

    headers: tuple[str, ...]
    cells: tuple[str, ...]


IDS = Kind(
    ("Policy No", "Policy Number", "Account No", "A/c No", "Order ID", "Lead Id", "Loan No", "Invoice No", "Aadhaar",
     "Customer ID", "Record ID", "policyNumber", "loan_no"),
    ("70000000{:02}", "97000000{:02}", "20000000{:02}", "2000000000{:02}", "501000000{:02}", "P-10{:02}"),
)  # fmt: skip
DATES = Kind(
    ("Timestamp", "Date", "DOB", "Date of birth", "Expiry", "Created at", "Due date", "Anniversary"),
    ("2026-07-{:02}", "01/07/20{:02}", "2026-07-01 10:22:{:02}", "01-07-20{:02}", "01/07/2026 10:22:{:02}"),
)
AMOUNTS = Kind(("Amount", "Premium", "Balance", "due_amount", "Total"), ("12{:02}", "1,2{:02}.00", "980000{:02}.50"))
CODES = Kind(("Pin code", "PIN", "Zip", "Postcode"), ("4110{:02}", "462{:02}"))
TWO_LETTERS = Kind(
    ("State", "ST", "State Code", "Province Code", "UF", "Region", "Language", "Lang", "Slot", "Grade", "Branch code"),
    ("IN", "DE", "MP", "BR", "GA", "CA", "MH", "CO", "AL", "AM", "PM", "hi", "fr", "es", "pa"),
)
YES_NO = Kind(("DND", "Do Not Call", "Opted out", "Paid", "Verified"), ("NO", "No", "YES", "Y", "N", "no"))
WORDS = Kind(
    ("City", "Branch", "Zone", "Remarks", "Occupation", "Product", "Country", "Nation", "Region"),
    ("North", "South", "Pune", "Camp", "Hindi", "Premium plan", "to be called again"),
)
SALUTATIONS = Kind(("Title", "Salutation", "Prefix"), ("Mr", "Ms", "Mrs", "Dr"))
NAMES = Kind(("Name", "Customer", "Customer Name", "Full Name", "Your name"), ("Asha Rao", "Ravi Iyer", "Meena Das"))
EMAILS = Kind(("Email", "E-mail", "Emailid"), ("asha{:02}@example.org", "ravi{:02}@example.com"))
KINDS = (IDS, DATES, AMOUNTS, CODES, TWO_LETTERS, YES_NO, WORDS, SALUTATIONS, NAMES, EMAILS)


@dataclass(frozen=True)
class Table:
    region: str
    headers: list[str]
    rows: list[list[str]]
    phone: int
    """The position of the column that holds the phone numbers."""


@st.composite
def tables(draw: st.DrawFn, filled: bool = False) -> Table:
    """Tables of the kinds above in any order; `filled`: every row has its number, and the others are no rivals."""
    region = draw(st.sampled_from(sorted(PHONES)))
    size = draw(st.integers(3, 12))
    numbers = column(PHONES[region], size, blanks=not filled)
    columns = [(draw(st.sampled_from(PHONE_HEADERS)), draw(numbers))]
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=6)):
        header = draw(st.sampled_from(kind.headers))
        if header not in [other for other, _ in columns]:
            columns.append((header, draw(column(kind.cells, size))))
    order = draw(st.permutations(range(len(columns))))
    return Table(
        region,
        [columns[at][0] for at in order],
        [[columns[at][1][row] for at in order] for row in range(size)],
        order.index(0),
    )


@st.composite
def column(draw: st.DrawFn, patterns: list[str] | tuple[str, ...], size: int, blanks: bool = True) -> list[str]:
    """Cells of one kind, mostly of one spelling as programs write them, the open digits counting up."""
    usual = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=3))
    start = draw(st.integers(10, 60))
    cells = [draw(st.sampled_from(usual)).format(start + row) for row in range(size)]
    if blanks:
        for row in draw(st.sets(st.integers(0, size - 1), max_size=size // 2)):
            cells[row] = draw(st.sampled_from(BLANKS))
    return cells


def stored(table: Table, mapping: Mapping) -> list[str]:
    """The number of each row as it would be stored, "" for none."""
    clean = cleaner(mapping, table.headers)
    return [clean(Record(line, cells)).phone for line, cells in enumerate(table.rows, 2)]


@given(tables())
def test_no_column_of_non_countries_becomes_the_country(table):
    mapping = guess(table.headers, table.rows, table.region).mapping
    assert "country" not in mapping.columns, table.headers[mapping.columns["country"]]


@given(tables())
def test_no_number_is_stored_that_a_reader_who_knows_the_column_would_not_store(table):
    mapping = guess(table.headers, table.rows, table.region).mapping
    if "phone" not in mapping.columns:
        return
    known = stored(table, Mapping(columns={"phone": table.phone}, region=table.region))
    for guessed, right in zip(stored(table, mapping), known, strict=True):
        assert guessed in ("", right), [table.headers[at] for at in (mapping.columns["phone"], *mapping.more_phones)]


@given(tables(filled=True))
def test_the_column_of_numbers_is_found_where_every_row_has_one(table):
    mapping = guess(table.headers, table.rows, table.region).mapping
    assert mapping.columns.get("phone") == table.phone


@given(tables())
def test_what_is_guessed_is_accepted_as_it_is(table):
    mapping = guess(table.headers, table.rows, table.region).mapping
    if "phone" in mapping.columns:
        assert problems(mapping, table.headers) == []
