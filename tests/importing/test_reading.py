"""Bytes into records: what is detected, what is kept, and what is refused in a sentence with its line."""

import codecs
import csv
import json
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lists.importing.lines import file_line
from lists.importing.reading import (
    LONGEST_CELL,
    MOST_COLUMNS,
    Dialect,
    FileRefused,
    detect,
    distinct,
    headers,
    inspect,
    read,
)
from tests.importing.workbook_bytes import zipped


def rows(path, **how):
    return [(record.line, record.cells) for record in read(path, detect(path, **how).dialect)]


def noted(path, **how):
    return [tuple(record) for record in read(path, detect(path, **how).dialect) if record.note]


def refusal(path, **how):
    with pytest.raises(FileRefused) as caught:
        inspect(path, **how)
    assert caught.value.message.endswith(".")
    return caught.value


TABLE = "Phone,Name\n+919800012345,Ásha Žižek\n+919800012346,Løkke\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-8", codecs.BOM_UTF8 * 2),
        ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE), ("utf-16-le", b""), ("utf-16-be", b""),
        ("utf-32-le", codecs.BOM_UTF32_LE), ("utf-32-be", codecs.BOM_UTF32_BE), ("utf-32-le", b""), ("utf-32-be", b""),
    ],
)  # fmt: skip
def test_unicode_is_read_right_with_and_without_a_mark(write, encoding, mark):
    path = write(mark + TABLE.encode(encoding))
    reading = detect(path)
    assert (reading.dialect.encoding, reading.dialect.bom, reading.certain) == (encoding, bool(mark), True)
    assert headers(path, reading.dialect) == ["Phone", "Name"]
    assert rows(path) == [(2, ["+919800012345", "Ásha Žižek"]), (3, ["+919800012346", "Løkke"])]


def test_western_european_is_proposed_and_not_called_a_fact(write):
    reading = detect(write("Phone,Name\n+919800012345,José Müller\n+919800012346,François\n".encode("cp1252")))
    assert reading.dialect.encoding == "cp1252"
    assert not reading.certain
    assert "Check" in reading.found[0]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("cp1251", "Наталья Владимировна"), ("cp932", "山田太郎さんのかいしゃ"), ("cp1250", "Jiří Dvořák"),
     ("cp949", "김철수입니다"), ("gb18030", "王小明有限公司"), ("cp1253", "Γιώργος Παπαδόπουλος"),
     ("iso2022_jp", "山田太郎")],
)  # fmt: skip
def test_a_chosen_encoding_reads_every_name_exactly(write, encoding, name):
    path = write(f"Phone,Name\n+919800012345,{name}\n".encode(encoding))
    assert rows(path, encoding=encoding) == [(2, ["+919800012345", name])]
    assert not detect(path).certain


def test_cyrillic_is_not_taken_for_western(write):
    lines = "".join(f"+91980001{n:04d},Наталья Владимировна Иванова\n" for n in range(50))
    assert detect(write(("Телефон,Имя\n" + lines).encode("cp1251"))).dialect.encoding == "cp1251"


def test_one_bad_byte_in_a_unicode_file_costs_its_own_record(write):
    good = "".join(f"+9198000{n:05d},Žižek\n" for n in range(5000)).encode()
    path = write(b"Phone,Name\n" + good + b"+919800012345,R\xffo\n" + good)
    reading = detect(path)
    assert (reading.dialect.encoding, reading.certain) == ("utf-8", False)
    assert "line 5002" in reading.found[0]
    seen = inspect(path)
    assert (seen.records, seen.apart) == (10_000, {"damaged": 1})
    assert noted(path) == [(5002, ["+919800012345", "R�o"], "damaged")]


def test_a_wrongly_chosen_encoding_is_refused_with_the_line(write):
    path = write("Phone,Name\n+919800012345,Asha\n+919800012346,Žižek\n".encode("cp1250"))
    assert refusal(path, encoding="utf-8").line == 3
    assert refusal(path, encoding="utf-9").code == "unknown_encoding"


@pytest.mark.parametrize(
    ("separator", "sentence"),
    [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "pipe"), (", ", "comma"), ("^", "caret"), ("~", "tilde")],
)
def test_the_delimiter_is_found(write, separator, sentence):
    path = write("Phone,First,Last\n+919800012345,Asha,Rao\n".replace(",", separator))
    assert sentence in detect(path).found[1]
    assert rows(path) == [(2, ["+919800012345", "Asha", "Rao"])]


def test_commas_inside_semicolon_columns_do_not_win(write):
    path = write("Phone;Name;Amount\n+919800012345;Rao, Asha;1,50\n+919800012346;Iyer, Ravi;2,75\n")
    assert detect(path).dialect.delimiter == ";"


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("Name\tAddress\tMobile\n" + "Asha Rao\t1, MG Road, Camp, Pune\t9800000001\n" * 5, "\t"),
        ("Name;Note;Mobile\nAsha;a,b,c;9800000003\n", ";"),
        ("Nombre (100 caracteres, obligatorio);Teléfono (10 dígitos, sin +)\nRao, Asha;9800000001\n", ";"),
        ("Name,Tags,Mobile\nAsha,a;b;c,9800000001\nRavi,d;e;f,9800000002\n", ","),
        ("Phone,Name\n+919800000001,~Asha\n+919800000002,~ Ravi\n", ","),
        ("Name|Mobile\nRao, Asha|9800000001\nIyer, Ravi|9800000002\n", "|"),
        ("April 1, 2023;9800000001;25.00;4.00;Ray;new\nApril 2, 2023;9800000002;25.00;4.00;Ray\n", ";"),
    ],
)
def test_a_delimiter_that_stands_in_the_header_beats_one_that_stands_in_the_cells(write, content, delimiter):
    assert detect(write(content)).dialect.delimiter == delimiter


def test_a_sep_line_is_obeyed_and_is_no_record(write):
    path = write("sep=;\nPhone;Name\n+919800012345;Asha\n")
    assert detect(path).dialect.delimiter == ";"
    assert headers(path, detect(path).dialect) == ["Phone", "Name"]
    assert rows(path) == [(3, ["+919800012345", "Asha"])]


def test_a_chosen_delimiter_is_used_and_a_senseless_one_refused(write):
    path = write("Phone;Name\n+919800012345;Asha\n")
    assert rows(path, delimiter=",") == [(2, ["+919800012345;Asha"])]
    assert rows(path, delimiter="semicolon") == [(2, ["+919800012345", "Asha"])]
    assert refusal(path, delimiter="abc").code == "unknown_delimiter"


def test_a_file_without_header_keeps_its_first_row(write):
    path = write("+919800012345,Asha\n+919800012346,Ravi\n")
    assert not detect(path).dialect.has_header
    assert headers(path, detect(path).dialect) == ["Column 1", "Column 2"]
    assert [line for line, _ in rows(path)] == [1, 2]
    assert [line for line, _ in rows(path, has_header=True)] == [2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_counts_lines_alike_also_inside_quotes(write, end):
    lines = ["Phone,Note", '+919800012345,"two', 'lines"', "", ",", "+919800012346,last"]
    assert rows(write(end.join(lines))) == [
        (2, ["+919800012345", f"two{end}lines"]),
        (4, []),
        (5, []),
        (6, ["+919800012346", "last"]),
    ]


def test_mixed_line_ends_are_read(write):
    assert [line for line, _ in rows(write("Phone,Name\r\n+919800012345,A\n+919800012346,B\r+919800012347,C"))] == [
        2,
        3,
        4,
    ]


def test_quotes_are_read_as_people_write_them(write):
    path = write('Phone,Note\n1,"say ""hi"""\n2,5" pipe\n3,"5" pipe\n4, "a, b"\n5,it\'s\n')
    assert [cells[1] for _, cells in rows(path)] == ['say "hi"', '5" pipe', "5 pipe", "a, b", "it's"]


@pytest.mark.parametrize(
    ("body", "damaged", "good"),
    [
        ('+919800012345,"Asha\n+919800012346,Ravi\n', [3], 2),
        ('"Joy Sen,9800000005\n', [3], 1),
        ('+919800012345,"Asha\n+919800012346,"Ravi"\n+919800012347,Mina\n', [3], 3),
        ('+919800012345,"Asha\n' + "+919800012346,Ravi\n" * 200_000, [3], 200_001),
        ('+919800012345,a"b,"c"d,"Asha\n+919800012346,Ravi\n', [3], 2),
        ('+919800012345,"Asha\n+919800012346,Ravi\n+919800012347,"Mina\n+919800012348,Joy\n', [3, 5], 3),
        # A quote further down seems to close it, and would have swallowed two contacts.
        ('"+919800012345,Asha\n+919800012346,Ravi\n+919800012347,Mina\n5" pipe,x\n', [3], 4),
        ('"+919800012345,Asha\n+919800012346,Ravi\n+919800012347 5",Mina\n', [3], 3),
    ],
)
def test_an_unclosed_quote_costs_its_own_line_and_not_those_below(write, body, damaged, good):
    path = write("Phone,Name\n+919800012344,Ok\n" + body)
    seen = inspect(path)
    assert (seen.records, seen.apart) == (good, {"damaged": len(damaged)})
    assert [line for line, _, _ in noted(path)] == damaged


def test_a_damaged_record_keeps_what_could_be_read_of_its_line(write):
    path = write('Name,Mobile\nAsha,9800000001\n"Joy Sen,9800000005\nRavi,9800\x00000002\n')
    assert noted(path) == [(3, ["Joy Sen", "9800000005"], "damaged"), (4, ["Ravi", "9800000002"], "damaged")]


def test_unclosed_quotes_all_over_a_large_file_are_read_in_linear_time(write):
    path = write("Phone,Name\n" + ('+919800012345,"Asha\n' + "+919800012346,Ravi\n" * 60_000) * 4)
    assert inspect(path).apart == {"damaged": 4}


def test_a_cell_of_several_lines_is_not_taken_for_swallowed_records(write):
    path = write(
        "Name,Address,Mobile\nAsha,Pune,9800000001\n"
        'Ravi,"Flat 2, MG Road\nCamp, Pune, 9800000009\nIndia",9800000002\n"Rao, Meena",x,9800000003\n'
    )
    assert [line for line, _ in rows(path)] == [2, 3, 6]
    assert not noted(path)


def test_line_breaks_in_quotes_stay_inside_their_record(write):
    path = write('Name,Note,Mobile\nAsha,"two\nlines, with\na comma",9800000001\nRavi,"\n",9800000002\n')
    assert [line for line, _ in rows(path)] == [2, 5]
    assert not noted(path)


def test_quotes_escaped_by_a_backslash_are_read(write):
    path = write(
        'Name,Note,Mobile\nAsha,"says \\"hi\\", twice",9800000001\n'
        'Ravi,"two\nlines \\"x\\"",9800000002\n\\N,"C:\\x",3\n'
    )
    assert [cells for _, cells in rows(path)] == [
        ["Asha", 'says "hi", twice', "9800000001"],
        ["Ravi", 'two\nlines "x"', "9800000002"],
        ["\\N", "C:\\x", "3"],
    ]


def test_a_file_whose_every_line_is_one_quoted_cell_is_read_once_more_inside(write):
    path = write('"First Name,Last Name,Mobile"\n"Asha,Rao,9800000001"\n"Ravi,""Iyer, K"",9800000002"\n')
    reading = detect(path)
    assert reading.dialect.wrapped
    assert "one quoted cell" in reading.found[-1]
    assert headers(path, reading.dialect) == ["First Name", "Last Name", "Mobile"]
    assert rows(path) == [(2, ["Asha", "Rao", "9800000001"]), (3, ["Ravi", "Iyer, K", "9800000002"])]


def test_a_column_of_quoted_names_is_not_read_inside(write):
    path = write('Name\n"Rao, Asha"\n"Iyer, Ravi"\n')
    assert not detect(path).dialect.wrapped


def test_tables_side_by_side_are_read_one_below_the_other(write):
    path = write(
        "Name,Mobile,,Name,Mobile,,Name,Mobile\n"
        "Asha,9800000001,,Ravi,9800000002,,Uma,9800000005\n,,\nMeena,9800000003,,Anil,9800000004\n,,,Om,9800000006\n"
    )
    reading = detect(path)
    assert reading.dialect.blocks == (0, 3, 6)
    assert "3 tables" in reading.found[-1]
    assert headers(path, reading.dialect) == ["Name", "Mobile"]
    found = list(read(path, reading.dialect))
    assert [(file_line(record.line), record.cells) for record in found] == [
        (2, ["Asha", "9800000001"]),
        (3, []),
        (4, ["Meena", "9800000003"]),
        (2, ["Ravi", "9800000002"]),
        (2, ["Uma", "9800000005"]),
        (4, ["Anil", "9800000004"]),
        (5, ["Om", "9800000006"]),
    ]
    keys = [record.line for record in found]
    assert keys == sorted(set(keys))
    assert max(keys) < 2**31


def test_the_dialect_stored_by_an_earlier_version_is_still_read():
    assert Dialect.from_dict(
        {"encoding": "cp1252", "delimiter": ";", "has_header": True, "bom": False, "quote": "x"}
    ) == (Dialect("cp1252", ";"))
    chosen = Dialect(header_line=4, wrapped=True, blocks=(0, 3))
    assert Dialect.from_dict(json.loads(json.dumps(chosen.as_dict()))) == chosen


def test_headers_are_told_apart_by_position(write):
    path = write("Phone,,Phone, E mail\u00a0,phone\n+919800012345,a,b,c,d\n")
    assert headers(path, detect(path).dialect) == ["Phone", "Column 2", "Phone (column 3)", "E mail", "phone"]
    names = distinct(["x" * 300, "x" * 300, "Column 2", "", ""])
    assert len(set(names)) == 5
    assert all(len(name) <= 100 for name in names)


def test_inspect_counts_records_blank_and_ragged_ones(write):
    seen = inspect(write("Phone,Name\n1,a\n\n2\n,,,\n3,b,c\n  ,\n4,d\n"), has_header=True)
    assert (seen.records, seen.blank, seen.ragged) == (4, 3, 2)
    assert seen.header == ["Phone", "Name"]
    assert seen.sample[1] == {"line": 4, "cells": ["2"]}
    assert list(seen.as_dict()) == [
        "encoding", "delimiter", "header", "header_line", "above", "records", "blank", "ragged", "apart", "sample",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"", "empty", None),
        (codecs.BOM_UTF8, "empty", None),
        (b"\n\n  \n", "empty", None),
        (b"Phone,Name\n", "no_rows", None),
        (b"Phone,Name\n\n,\n", "no_rows", None),
        (b"%PDF-1.7", "not_a_table", None),
        (zipped({"contacts.csv": "x"}), "not_a_table", None),
        (random.Random(7).randbytes(5000), "not_a_table", None),
        (b"a," * 20_000 + b"z\n1\n", "too_many_columns", 1),
        (b"Phone,Name\n1,a\n" + b"," * MOST_COLUMNS + b"\n", "too_many_columns", 3),
        (b"Phone,Note\n1," + b"x" * 5_000_000 + b"\n", "record_too_long", 2),
        (b"Phone,Note\n1," + b"x" * (LONGEST_CELL + 1) + b"\n", "cell_too_long", 2),
        (b"Phone,Note\n1,a\n2," + b"ab," * 400_000 + b"\n", "record_too_long", 3),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_with_reason_and_line(write, content, code, line):
    refused = refusal(write(content))
    assert (refused.code, refused.line) == (code, line)


def test_the_longest_cell_allowed_is_read(write):
    path = write("Phone,Note\n1," + "x" * LONGEST_CELL + "\n")
    assert len(rows(path)[0][1][1]) == LONGEST_CELL


def test_one_column_is_a_table(write):
    assert rows(write("Phone\n+919800012345\n")) == [(2, ["+919800012345"])]


@pytest.mark.parametrize("seed", range(300))
def test_random_bytes_are_read_or_refused_and_never_break(write, seed):
    chaos = random.Random(seed)
    alphabet = b'",;\t|\r\n' + bytes(range(32, 127)) if seed % 2 else bytes(range(256))
    path = write(bytes(chaos.choice(alphabet) for _ in range(chaos.randrange(2000))))
    try:
        seen = inspect(path)
    except FileRefused as refused:
        assert refused.message.endswith(".")
    else:
        assert seen.records > 0


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|", "^", "~"]),
)
def test_what_the_csv_module_writes_is_read_back_whole(tmp_path_factory, table, delimiter):
    path = tmp_path_factory.mktemp("made") / "file.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["Phone", "Name"], *table])
    found = list(read(path, Dialect(delimiter=delimiter)))
    wanted = [cells if any(cell.strip() for cell in cells) else [] for cells in table]
    assert [record.cells for record in found] == wanted


def test_memory_stays_bounded_when_the_file_has_no_line_end(tmp_path):
    path = tmp_path / "endless"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(b"a" * 1_000_000)
    code = """
import resource, sys
from lists.importing.reading import FileRefused, inspect
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    inspect(sys.argv[1])
except FileRefused as refused:
    print(refused.code, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    said = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True).stdout
    assert said.split()[0] in {"record_too_long", "cell_too_long"}
    assert int(said.split()[1]) < 60
