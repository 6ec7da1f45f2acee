"""Workbooks into plain tables: as typed, line for row, in a process of their own, and refused for what they are."""

import io
import zipfile

import pytest

from lists.importing import workbooks
from lists.importing.opening import plain_table
from lists.importing.reading import detect, inspect, read
from lists.importing.refusals import FileRefused
from tests.importing.workbook_bytes import DATE, DATE_TIME, ods, xls, xlsx, zipped

TABLE = [["Name", "Mobile"], ["Asha", 9800000001], ["Ravi", 919800000002.0]]
CSV = "Name,Mobile\nAsha,9800000001\nRavi,919800000002\n"


@pytest.fixture
def convert(tmp_path):
    """(plain text, what was converted) of a workbook's bytes."""

    def converter(content, **how):
        source, target = tmp_path / "upload", tmp_path / "plain"
        source.write_bytes(content)
        try:
            converted = workbooks.plain_table(source, target, **how)
        except FileRefused:
            assert not target.exists()
            raise
        return target.read_text(), converted

    return converter


@pytest.mark.parametrize("content", [xlsx({"Sheet1": TABLE}), ods({"Sheet1": TABLE}), xls(TABLE)])
def test_every_kind_of_workbook_becomes_the_same_plain_table(convert, content):
    text, converted = convert(content)
    assert text == CSV
    assert converted.sheets == (workbooks.Sheet("Sheet1", 3, 2),)


def test_cells_come_as_they_would_be_typed(convert):
    row = [919800099999, 9.198e11, 1.5, 0.0000001, -3.0, True, 46204, 46204.5, "#REF!", 'a, "b"', "007", None, "x"]
    text, _ = convert(xlsx({"A": [row]}, formats={(0, 6): DATE, (0, 7): DATE_TIME}))
    assert text == (
        '919800099999,919800000000,1.5,0.0000001,-3,TRUE,2026-07-01,2026-07-01 12:00:00,,"a, ""b""",007,,x\n'
    )


def test_a_line_of_the_table_is_a_row_of_the_sheet(convert, tmp_path):
    rows = [
        ["Renewals"],
        [],
        ["Name", "Mobile"],
        ["Asha\nRao", 9800000001],
        [],
        [None, None, None],
        ["Ravi", 9800000002],
    ]
    text, _ = convert(xlsx({"A": rows}))
    assert text.splitlines() != text.split("\n")[:-1]  # a line break inside a cell is one of Unicode's
    path = tmp_path / "plain"
    reading = detect(path)
    assert reading.dialect.header_line == 3
    assert [(record.line, record.cells) for record in read(path, reading.dialect)] == [
        (4, ["Asha\u2028Rao", "9800000001"]), (5, []), (6, []), (7, ["Ravi", "9800000002"]),
    ]  # fmt: skip
    seen = inspect(path)
    assert (seen.records, seen.blank, seen.ragged, seen.above) == (2, 2, 0, 1)


def test_the_first_sheet_that_holds_anything_is_read_unless_another_is_chosen(convert):
    content = xlsx({"Notes": [], "Old": [["x"]], "July": TABLE, "August": [["Name"], ["Om"]]}, hidden=["Old"])
    text, converted = convert(content)
    assert (text, converted.sheet) == (CSV, "July")
    assert [tuple(sheet) for sheet in converted.sheets] == [
        ("Notes", 0, 0), ("Old", 1, 1), ("July", 3, 2), ("August", 2, 1),
    ]  # fmt: skip
    assert convert(content, sheet="August")[0] == "Name\nOm\n"
    assert convert(content, sheet=" august")[1].sheet == "August"
    with pytest.raises(FileRefused, match=r"no sheet “May”\. Its sheets are: “Notes”, “Old”"):
        convert(content, sheet="May")


def test_a_workbook_without_its_list_of_sheets_is_read_all_the_same(convert):
    with zipfile.ZipFile(io.BytesIO(xlsx({"July": TABLE}))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if "worksheets/" in name}
    assert convert(zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", **parts}))[0] == CSV


@pytest.mark.parametrize(
    ("content", "how", "code"),
    [
        (xlsx({"A": []}), {}, "empty"),
        (xlsx({"A": TABLE}), {"largest_cells": 5}, "too_large"),
        (xlsx({"A": [["x" * 1000]] * 3}), {"largest_bytes": 1000}, "too_large"),
        (xlsx({"A": TABLE}), {"longest_seconds": 0.001}, "too_large"),
        (zipped({"xl/worksheets/sheet1.xml": "0" * 20_000_000}), {}, "too_large"),
        (zipped({"xl/worksheets/sheet1.xml": "no markup"}), {}, "damaged_workbook"),
        (zipped({"xl/nothing": "x"}), {}, "damaged_workbook"),
        (xls(TABLE)[:1500], {}, "damaged_workbook"),
        (ods({"A": TABLE})[:300], {}, "damaged_workbook"),
    ],
)
def test_a_workbook_that_cannot_be_read_is_refused_with_what_to_do(convert, content, how, code):
    with pytest.raises(FileRefused) as caught:
        convert(content, **how)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_a_sheet_that_claims_to_be_enormous_costs_this_process_nothing(convert):
    far = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    far += '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    far += "</sheetData></worksheet>"
    with pytest.raises(FileRefused) as caught:
        convert(zipped({"xl/worksheets/sheet1.xml": far}))
    assert caught.value.code == "too_large"


def test_a_text_table_is_taken_as_it_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(CSV)
    assert plain_table(path, tmp_path).path == path
    assert list(tmp_path.iterdir()) == [path]
