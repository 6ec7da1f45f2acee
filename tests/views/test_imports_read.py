"""The upload and how it is read: what is accepted, the header by its line, sheets, and what is told of every line."""

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects, assertTemplateNotUsed

from lists.importing.headers import LAST_LINE
from lists.models import Import, ImportState
from tests.factories import make_list
from tests.importing.workbook_files import Sheets, write_workbook, write_zip
from tests.importing.worlds import csv_bytes, preview

pytestmark = pytest.mark.django_db

ASHA, RAVI = "+919800012345", "+919800012346"
TITLED = b"Renewals report,,\nAs of 3 July 2026,,\n\nName,Mobile,City\nAsha,98000 12345,Pune\nRavi,98000 12346,Delhi\n"
PART = {"HX-Request": "true", "HX-Target": "imports-reading"}


def uploaded(client: Client, content: bytes, name: str = "renewals.csv") -> Import:
    file, contact_list = SimpleUploadedFile(name, content), make_list(default_region="IN")
    response = client.post(reverse("imports-new"), {"file": file, "contact_list": contact_list.pk})
    imported = Import.objects.latest("pk")
    assertRedirects(response, url(imported), fetch_redirect_response=False)
    return imported


def url(imported: Import) -> str:
    return reverse("imports-read", args=[imported.pk])


def posted(client: Client, imported: Import, **changes: str):
    """The page's form sent with some of its answers changed, as a browser does; the import is read again after it."""
    form = client.get(url(imported)).context["form"]
    answers = {name: form[name].value() or "" for name in form.fields}
    response = client.post(url(imported), {**answers, **changes})
    imported.refresh_from_db()
    return response


def cells(response) -> list[list[str]]:
    return [row.cells for row in response.context["rows"]]


@pytest.fixture
def workbook(tmp_path):
    """`workbook(sheets)`: the bytes of an .xlsx with them."""

    def write(sheets: Sheets) -> bytes:
        write_workbook(tmp_path / "book.xlsx", sheets)
        return (tmp_path / "book.xlsx").read_bytes()

    return write


JULY_AND_AUGUST: Sheets = {
    "July": [["Name", "Mobile"], ["Asha", 9800012345], ["Ravi", 9800012346]],
    "August": [["Name", "Mobile", "City"], ["Mina", 9800012347, "Delhi"]],
}


# What is accepted ----------------------------------------------------------------------------------------------------


def test_the_upload_says_and_offers_what_is_accepted(uploader):
    response = uploader.get(reverse("imports-new"))
    assertContains(response, 'accept=".csv,.tsv,.txt,.xlsx,.xls,.ods,.zip"')
    assertContains(response, "Excel (.xlsx, .xls), LibreOffice (.ods), CSV, TSV or text, or a ZIP with one of them")


def test_a_workbook_is_read_by_its_sheet_and_asks_for_no_encoding(uploader, workbook):
    imported = uploaded(uploader, workbook({"Contacts": [["Name", "Mobile"], ["Asha", 9800012345]]}), "book.xlsx")
    response = uploader.get(url(imported))
    assert cells(response) == [["Asha", "9800012345"]]
    assertContains(response, "The sheet “Contacts” of a workbook.")
    assert list(response.context["form"].fields) == ["header_line"]
    assertNotContains(response, "Unicode")


def test_a_table_in_a_zip_is_read_like_the_table(uploader, tmp_path):
    write_zip(tmp_path / "export.zip", {"export/renewals.csv": TITLED})
    imported = uploaded(uploader, (tmp_path / "export.zip").read_bytes(), "export.zip")
    assert cells(uploader.get(url(imported))) == [["Asha", "98000 12345", "Pune"], ["Ravi", "98000 12346", "Delhi"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 [Content_Types].xml xl/workbook.xml", "This ZIP archive or workbook is damaged"),
        (b"<html><table><tr><td>98000 12345</td></tr></table></html>", "This is an HTML table under the name of a"),
        (b"\xef\xbb\xbfBEGIN:VCARD\nTEL:98000 12345\nEND:VCARD\n", "This is a set of contact cards (vCard)"),
    ],
    ids=["damaged workbook", "html", "vcard"],
)
def test_what_is_no_table_is_refused_by_what_it_is(uploader, content, sentence):
    file, contact_list = SimpleUploadedFile("contacts.xls", content), make_list()
    response = uploader.post(reverse("imports-new"), {"file": file, "contact_list": contact_list.pk})
    assertContains(response, sentence)
    assert not Import.objects.exists()


# The header ----------------------------------------------------------------------------------------------------------


def test_lines_above_the_header_are_shown_and_counted_apart(uploader):
    response = uploader.get(url(uploaded(uploader, TITLED)))
    assert [(row.line, row.cells) for row in response.context["above"]] == [
        (1, ["Renewals report"]),
        (2, ["As of 3 July 2026"]),
    ]
    assertContains(response, "2 lines above the header are not imported")
    assertContains(response, "Line 4 names the columns.")
    assert cells(response) == [["Asha", "98000 12345", "Pune"], ["Ravi", "98000 12346", "Delhi"]]


@pytest.mark.parametrize(
    ("pressed", "headers", "first"),
    [
        ("1", ["Renewals report", "Column 2", "Column 3"], ["As of 3 July 2026", "", ""]),
        ("5", ["Asha", "98000 12345", "Pune"], ["Ravi", "98000 12346", "Delhi"]),
        ("none", ["Column 1", "Column 2", "Column 3"], ["Renewals report", "", ""]),
    ],
)
def test_the_line_a_person_presses_becomes_the_header(uploader, pressed, headers, first):
    imported = uploaded(uploader, TITLED)
    response = posted(uploader, imported, header_line=pressed)
    assert imported.headers == headers
    assert imported.dialect["header_line"] == (0 if pressed == "none" else int(pressed))
    shown = response.context["rows"][0]
    assert [*shown.cells, *[""] * (3 - len(shown.cells))] == first
    assertContains(response, "data-focus")


def test_a_header_that_was_chosen_stays_when_the_encoding_changes(uploader):
    imported = uploaded(uploader, TITLED)
    posted(uploader, imported, header_line="2")
    posted(uploader, imported, encoding="cp1252")
    assert (imported.dialect["header_line"], imported.dialect["encoding"]) == (2, "cp1252")


def test_under_another_delimiter_the_header_is_looked_for_anew(uploader):
    imported = uploaded(uploader, b"Report^of July\nName^Mobile\nAsha^98000 12345\nRavi^98000 12346\n")
    assert (imported.dialect["delimiter"], imported.headers) == ("^", ["Name", "Mobile"])
    posted(uploader, imported, delimiter="comma", header_line="1")
    assert imported.headers == ["Report^of July"]
    posted(uploader, imported, delimiter="caret")
    assert imported.headers == ["Name", "Mobile"]


def test_every_line_that_may_be_the_header_has_its_button_and_no_other(uploader):
    rows = [[f"+9198000{number:05}", "Asha", "", "", ""] for number in range(2 * LAST_LINE)]
    response = uploader.get(url(uploaded(uploader, csv_bytes(rows))))
    for line in range(2, LAST_LINE + 1):
        assertContains(response, f'<button class="btn btn-sm btn-ghost" name="header_line" value="{line}">')
    assertNotContains(response, f'name="header_line" value="{LAST_LINE + 1}"')
    assertNotContains(response, 'name="header_line" value="1"')  # it is the header


@pytest.mark.parametrize("line", ["0", "31", "-1", "x"])
def test_a_header_that_stands_nowhere_is_refused_and_nothing_changes(uploader, line):
    imported = uploaded(uploader, TITLED)
    assertContains(posted(uploader, imported, header_line=line), f"Choose one of the first {LAST_LINE} lines.")
    assert imported.dialect["header_line"] == 4


def test_a_header_with_nothing_below_it_is_refused_and_the_old_one_stays(uploader):
    imported = uploaded(uploader, TITLED)
    assertContains(posted(uploader, imported, header_line="6"), "a header and no rows below it")
    assert imported.dialect["header_line"] == 4


def test_going_on_without_a_change_keeps_what_was_checked(uploader):
    imported = preview([[ASHA, "Asha", "", "", ""]], make_list())
    response = posted(uploader, imported, **{"continue": "yes"})
    assertRedirects(response, reverse("imports-columns", args=[imported.pk]), fetch_redirect_response=False)
    assert imported.state == ImportState.READY


def test_a_choice_is_answered_with_the_part_alone(uploader):
    imported = uploaded(uploader, TITLED)
    answers = {"encoding": "utf-8", "delimiter": "comma", "header_line": "1"}
    response = uploader.post(url(imported), answers, headers=PART)
    assertTemplateNotUsed(response, "base.html")
    assertContains(response, 'id="imports-reading"')


# What is told of lines -----------------------------------------------------------------------------------------------


def test_lines_that_are_no_contacts_are_marked_and_counted_apart(uploader):
    content = (
        b"Name,Mobile,Premium\nAsha,98000 12345,100\nName,Mobile,Premium\nRavi,98000 12346,200\n"
        b'"Mina,98000 12347,300\nTara,98000 12348,400\n,Total,1000\n\n4 rows exported\n'
    )
    response = uploader.get(url(uploaded(uploader, content)))
    assert {row.line: row.note.mark for row in response.context["rows"] if row.note} == {
        3: "header again", 5: "damaged", 7: "total", 9: "note",
    }  # fmt: skip
    assertContains(response, "3 rows, 1 blank line.")
    for sentence in (
        "1 line that repeats the header, not imported.",
        "1 total, not imported.",
        "1 note below the table, not imported.",
        "1 damaged line, rejected.",
    ):
        assertContains(response, sentence)


def test_a_file_that_cannot_be_read_further_down_still_shows_its_first_lines_and_says_where(uploader):
    rows = b"".join(b"%d,Asha\n" % number for number in range(9_800_000_000, 9_800_002_000))
    imported = uploaded(uploader, b"Mobile,Name\n" + rows + b"9800002000," + b"x" * 1_100_000 + b"\n")
    response = uploader.get(url(imported))
    assert len(response.context["rows"]) == LAST_LINE
    assertContains(response, "line 2002")


def test_an_import_stored_before_the_header_could_be_chosen_is_read_as_it_was(uploader):
    imported = uploaded(uploader, csv_bytes([[ASHA, "Asha", "", "", ""], [RAVI, "Ravi", "", "", ""]]))
    imported.dialect = {"encoding": "utf-8", "delimiter": ",", "has_header": True, "bom": False}
    imported.save(update_fields=["dialect"])
    response = uploader.get(url(imported))
    assertContains(response, "The first line names the columns.")
    assert [row.line for row in response.context["rows"]] == [2, 3]


def test_what_a_person_chose_is_told_as_chosen_and_the_rest_as_found(uploader):
    imported = uploaded(uploader, TITLED)
    posted(uploader, imported, header_line="5")
    assert uploader.get(url(imported)).context["findings"] == (
        "Unicode (UTF-8): all of the file reads as such.",
        "Columns are separated by comma.",
        "The header is on line 5, as chosen.",
    )


def test_tables_side_by_side_are_told_and_their_rows_named(uploader):
    content = b"Name,Mobile,,Name,Mobile\nAsha,9800012345,,Ravi,9800012346\nMina,9800012347,,Tara,9800012348\n"
    response = uploader.get(url(uploaded(uploader, content)))
    assertContains(response, "2 tables stand side by side")
    assert [(row.line, row.part) for row in response.context["rows"]] == [(2, 0), (3, 0), (2, 1), (3, 1)]


def test_numbers_above_the_header_are_hidden_from_those_who_may_not_see_them(uploader, auditor):
    imported = uploaded(uploader, b"Questions: call +91 98000 12349,,\nName,Mobile,City\nAsha,98000 12345,Pune\n")
    auditor.user.user_permissions.add(Permission.objects.get(codename="upload_file"))
    assertContains(uploader.get(url(imported)), "98000 12349")
    assertNotContains(auditor.get(url(imported)), "98000 12349")


# Sheets --------------------------------------------------------------------------------------------------------------


def test_of_several_sheets_one_is_chosen_with_its_size(uploader, workbook):
    imported = uploaded(uploader, workbook(JULY_AND_AUGUST), "book.xlsx")
    response = uploader.get(url(imported))
    assertContains(response, '<option value="July" selected>July (3 × 2)</option>')
    assertContains(response, "The sheet “July” of a workbook, one of 2.")

    response = posted(uploader, imported, sheet="August")
    assert (imported.sheet, imported.headers) == ("August", ["Name", "Mobile", "City"])
    assert cells(response) == [["Mina", "9800012347", "Delhi"]]


def test_another_sheet_has_its_own_header(uploader, workbook):
    titled = {**JULY_AND_AUGUST, "September": [["Report"], [], ["Name", "Mobile"], ["Tara", 9800012348]]}
    imported = uploaded(uploader, workbook(titled), "book.xlsx")
    posted(uploader, imported, sheet="September")
    assert (imported.dialect["header_line"], imported.headers) == (3, ["Name", "Mobile"])
    assert imported.mapping["columns"]["phone"] == 1


def test_a_sheet_the_workbook_has_not_is_refused(uploader, workbook):
    imported = uploaded(uploader, workbook(JULY_AND_AUGUST), "book.xlsx")
    assertContains(posted(uploader, imported, sheet="October"), "Select a valid choice")
    assert imported.sheet == "July"
