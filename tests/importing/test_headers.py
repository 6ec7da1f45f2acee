"""Which line is the header, what below it is no contact, and how a table lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.importing.headers import holds_number_or_address, value_kind
from lists.importing.reading import FileRefused, above, detect, headers, inspect, read

ROWS = (
    "Asha,Rao,9800000001,asha@example.org\nRavi,Iyer,9800000002,ravi@example.org\n"
    "Meena,Das,9800000003,meena@example.org\nAnil,Roy,9800000004,\n"
)
HEADER = "First Name,Last Name,Mobile,E-mail\n"


def notes(path):
    return [(record.line, record.note) for record in read(path, detect(path).dialect) if record.note]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEADER + ROWS, 1),
        ("Renewals July 2026\n" + HEADER + ROWS, 2),
        ("Renewals July 2026,,,\nBranch: Pune,,Date: 01-07-2026,\n,,,\n" + HEADER + ROWS, 4),
        ("# exported by Mara, 4 contacts\n# 2026-07-01\n" + HEADER + ROWS, 3),
        ("\n\n" + "Note, please keep private\n" * 20 + HEADER + ROWS, 23),
        ("Customer,,Contact,\n" + HEADER + ROWS, 2),
        ("Customer,Customer,Contact,Contact\n" + HEADER + ROWS, 2),
        (HEADER + ROWS + HEADER + ROWS, 1),
        ("First Name,Last Name,Mobile,2024-25,2025-26\nAsha,Rao,9800000001,1000,1200\n", 1),
        ("First Name,Last Name,Mobile,2024-2025\nAsha,Rao,9800000001,1000\n", 1),
        ("Name,Mobile,E-mail (asha@example.org)\nAsha,9800000001,asha@example.org\n", 1),
        ('Your name,"Mobile, 10 digits, without +91"\nAsha,9800000001\n', 1),
        ("Name,Mobile,Email\nAs in Aadhaar,10 digits without 0 or +91,optional\nAsha,9800000001,asha@example.org\n", 1),
        ("Jina,Nambari,Mji\nAsha,9800000001,Pune\nRavi,9800000002,Pune\n", 1),
        ("Orodha ya Julai\nJina,Nambari,Mji\nAsha,9800000001,Pune\nRavi,9800000002,Pune\n", 2),
        ("Nombre;Teléfono;Ciudad\n".replace(";", ",") + "Asha,9800000001,Pune\n", 1),
        ("Mobile\n9800000001\n9800000002\n", 1),
        ("Phone list\nMobile\n9800000001\n9800000002\n", 2),
        ("First Name,Last Name,Mobile\n", 1),
    ],
)
def test_the_header_is_found_wherever_it_stands(write, text, line):
    reading = detect(write(text))
    assert (reading.dialect.has_header, reading.dialect.header_line) == (True, line)
    assert f"The header is on line {line}" in reading.found[2]


@pytest.mark.parametrize(
    "text",
    [
        "Asha Rao,NA,Pune\nRavi Iyer,9800000002,Pune\nMeena Das,9800000003,Nashik\n",
        "Asha Rao,,Pune\nRavi Iyer,9800000002,Nashik\n",
        "Mr,Asha Rao,9800000001\nMs,Ravi Iyer,9800000002\n",
        "919800000001\n919800000002\n",
        "Asha,9800000001,Customer\nRavi,9800000002,Customer\nName,9800000003,Customer\n",
        "Asha,9800000001\nName,Mobile\nRavi,9800000002\n",
        "asha@example.org\nravi@example.org\n",
    ],
)
def test_a_first_line_like_those_below_is_a_contact(write, text):
    path = write(text)
    assert not detect(path).dialect.has_header
    assert next(read(path, detect(path).dialect)).line == 1


@pytest.mark.parametrize("line", [0, -1, 3, 31])
def test_a_line_that_cannot_be_the_header_is_refused(write, line):
    with pytest.raises(FileRefused) as caught:
        detect(write("Name,Mobile\nAsha,9800000001\n"), header_line=line)
    assert caught.value.code == "unknown_header_line"


def test_a_short_contact_on_the_first_line_is_not_lost_above_a_header_that_is_none(write):
    path = write("Asha,9800000001\nRavi,a,b,c,d,e\n" + "Meena,9800000003,b,c,d,e\n" * 3)
    assert not detect(path).dialect.has_header


def test_lines_above_the_header_are_shown_and_counted_and_never_imported(write):
    path = write("Renewals July 2026\n\nPrinted,by Mara\n" + HEADER + ROWS)
    reading = detect(path)
    assert "2 lines above it are left out" in reading.found[2]
    assert [tuple(record) for record in above(path, reading.dialect)] == [
        (1, ["Renewals July 2026"], "above_header"),
        (3, ["Printed", "by Mara"], "above_header"),
    ]
    assert [record.line for record in read(path, reading.dialect)] == [5, 6, 7, 8]
    seen = inspect(path)
    assert (seen.header_line, seen.above, seen.records) == (4, 2, 4)


def test_a_person_chooses_the_line_of_the_header(write):
    path = write("Name,Mobile\nVorname,Handy\nAsha,9800000001\n")
    chosen = detect(path, header_line=2)
    assert headers(path, chosen.dialect) == ["Vorname", "Handy"]
    assert [record.line for record in read(path, chosen.dialect)] == [3]
    assert not detect(path, has_header=False).dialect.has_header
    with_header = detect(write("Asha,9800000001\nRavi,9800000002\n"), has_header=True)
    assert (with_header.dialect.has_header, with_header.dialect.header_line) == (True, 1)


@pytest.mark.parametrize(
    ("tail", "found"),
    [
        ("Total,,,\n", [(6, "total")]),
        ("Grand Total:,4,,\n", [(6, "total")]),
        ("Total: 4\n", [(6, "total")]),
        ("\n4 rows exported\n", [(7, "footer")]),
        ("4 contacts\n", [(6, "footer")]),
        ("Generated by Mara on 01/07/2026 10:22\n", [(6, "footer")]),
        ("Copyright (c) 2000-2026 Blue Heron. All rights reserved.\n", [(6, "footer")]),
        ("Confidential,,,\n", [(6, "footer")]),
        ("\n\nRenewals July\nBlue Heron\n\nPage 1 of 3\n", [(8, "footer"), (9, "footer"), (11, "footer")]),
        ("----,----,----,----\n", [(6, "footer")]),
        (HEADER + "Joy,Sen,9800000005,\n", [(6, "repeated_header")]),
        ("\ufeff" + HEADER.upper(), [(6, "repeated_header")]),
        ("Asha\nJoy,Sen,9800000005,\n", []),
        ("\nPune branch\nJoy,Sen,9800000005,\n", []),
        ("Joy,,,\n", []),
        ("Total,Gas,,\n", []),
        ("Total,,9800000005,\n", []),
        ("\nFor questions: help@example.org\n", []),
        ("\nCall 080-33923819\n", []),
        ("\n12\n", []),
    ],
)
def test_what_is_no_contact_is_told_apart(write, tail, found):
    assert notes(write(HEADER + ROWS + tail)) == found


def test_a_markdown_table_is_read(write):
    path = write("| Name | Mobile |\n|------|--------|\n| Asha Rao | 9800000001 |\n")
    assert headers(path, detect(path).dialect)[1:3] == ["Name", "Mobile"]
    assert notes(path) == [(2, "footer")]


WORDS = st.sampled_from(
    ["Total", "Confidential", "Generated by", "4 rows exported", "", "-", "Name", "Mobile", "Copyright 2000-2026", "12"]
)
VALUES = st.sampled_from(["9800000001", "+91 98000 00002", "080-33923819", "(202) 555-0101", "asha@example.org"])


@given(st.lists(st.tuples(WORDS, WORDS, st.one_of(WORDS, VALUES)), max_size=8))
def test_a_record_with_a_number_or_an_address_is_never_left_out(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("made") / "file.csv"
    path.write_text("Name,Note,Mobile\n" + "".join(",".join(cells) + "\n" for cells in table))
    found = list(read(path, detect(path, has_header=True, header_line=1).dialect))
    assert len(found) == len(table)
    for cells, record in zip(table, found, strict=True):
        if holds_number_or_address(cells[2]):
            assert (record.cells, record.note) == (list(cells), "")


@pytest.mark.parametrize(
    "text",
    [
        "Name,Asha,Ravi,Meena\nMobile,9800000001,9800000002,9800000003\nEmail,asha@example.org,ravi@example.org,\n",
        "Mobile,9800000001,9800000002\nCity,Pune,Nashik\n",
        "Name:,Asha\nMobile:,9800000001\n",
    ],
)
def test_a_table_on_its_side_is_refused_with_what_to_do(write, text):
    with pytest.raises(FileRefused) as caught:
        detect(write(text))
    assert caught.value.code == "on_its_side"
    assert "Transpose" in caught.value.message


def test_a_table_whose_first_column_happens_to_hold_such_words_is_upright(write):
    detect(write("Name,Mobile\nCustomer,9800000001\nAsha,9800000002\n"))
    detect(write("Type,Number\nMobile,9800000001\nMobile,9800000002\n"))


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("9800000001", "phone"), ("'+91 98000 00001", "phone"), ("080-33923819", "phone"), ("(202) 555-0101", "phone"),
        ("asha@example.org", "email"), ("01-07-2026", "date"), ("2026-07-01 10:22", "date"), ("1000", "number"),
        ("1,50", "number"), ("2024-25", "text"), ("2024-2025", "text"), ("", "blank"), ("N/A", "blank"),
        ("Asha Rao", "text"), ("10 digits, without +91", "text"), ("P-1001", "text"),
    ],
)  # fmt: skip
def test_the_kind_of_a_value(cell, kind):
    assert value_kind(cell) == kind
