"""How a file is read, set right in a real browser: the header by its line, the sheet of a workbook.

And files as people have them, looked at on every page on which they are not what one hopes for.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.importing.test_cases import SAMPLES
from tests.importing.workbook_files import write_workbook

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]

REPORT = """Renewals report,,
Names and numbers as of 3 July 2026,,
Name,Mobile,City
Asha Rao,98000 00001,Pune
Ravi Iyer,98000 00002,Mumbai
Total,2,
"""


def upload(page: Page, path: Path, list_name: str) -> None:
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("A new list").check()
    page.get_by_label("Name of the new list").fill(list_name)
    page.get_by_label("Country of numbers written without one").select_option("IN")
    page.get_by_role("button", name="Upload and look at it").click()


def names_of_columns(page: Page) -> list[str]:
    return page.locator(".sheet-header > th").all_inner_texts()[2:]


def test_the_header_is_the_line_one_presses_enter_on(visit, tmp_path):
    (tmp_path / "report.csv").write_text(REPORT)
    visitor = visit("ravi")
    page = visitor.page
    visitor.go("/imports/new/")
    upload(page, tmp_path / "report.csv", "Report with a title")

    header = page.locator(".sheet-header")
    expect(header).to_contain_text("Mobile")
    expect(page.get_by_text("2 lines above the header are not imported")).to_be_visible()
    visitor.look("import-read-title")

    page.get_by_role("button", name="This is the header (line 2)").focus()
    page.keyboard.press("Enter")
    expect(header).to_contain_text("Names and numbers")
    expect(header.locator(".sheet-mark")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="This is the header (line 3)")).to_be_focused()
    page.keyboard.press("Enter")
    expect(header).to_contain_text("Mobile")
    assert names_of_columns(page) == ["Name", "Mobile", "City"]

    page.get_by_role("button", name="There is no header row").click()
    expect(page.get_by_role("button", name="This is the header (line 3)")).to_be_visible()
    assert names_of_columns(page) == ["Column 1", "Column 2", "Column 3"]
    visitor.look("import-read-no-header")


def test_another_sheet_is_shown_as_soon_as_it_is_chosen(visit, tmp_path):
    write_workbook(
        tmp_path / "renewals.xlsx",
        {
            "July": [["Name", "Mobile"], ["Asha Rao", 9800000001], ["Ravi Iyer", 9800000002]],
            "August": [["Name", "Mobile", "City"], ["Mina Das", 9800000003, "Delhi"]],
        },
    )
    visitor = visit("ravi")
    page = visitor.page
    visitor.go("/imports/new/")
    upload(page, tmp_path / "renewals.xlsx", "Renewals by sheet")

    expect(page.get_by_text("Asha Rao")).to_be_visible()
    expect(page.get_by_label("Encoding")).to_have_count(0)
    page.get_by_label("Sheet").focus()
    page.get_by_label("Sheet").select_option("August")
    expect(page.get_by_text("Mina Das")).to_be_visible()
    expect(page.get_by_label("Sheet")).to_be_focused()
    visitor.look("import-read-sheets")
    page.get_by_role("button", name="Match the columns").click()
    page.wait_for_url("**/columns/")


def test_whoever_uses_keys_need_not_pass_every_line(visit, tmp_path):
    (tmp_path / "report.csv").write_text(REPORT)
    visitor = visit("ravi")
    page = visitor.page
    visitor.go("/imports/new/")
    upload(page, tmp_path / "report.csv", "Report by keys")
    page.get_by_role("link", name="Skip the lines").press("Enter")
    expect(page.get_by_role("button", name="Match the columns")).to_be_focused()


@pytest.mark.parametrize(
    "sample",
    [
        "two-tables-side-by-side.csv",
        "one-quote-that-never-closes.csv",
        "salesforce-report-with-footer.csv",
        "loan-columns-nobody-matched.csv",
        "three-phone-columns-filled-in-turn.csv",
        "most-numbers-cut-by-a-spreadsheet.csv",
    ],
)
def test_files_as_people_have_them_are_told_of_on_every_page(visit, sample):
    visitor = visit("ravi")
    page = visitor.page
    visitor.go("/imports/new/")
    name = sample.removesuffix(".csv")
    upload(page, SAMPLES / sample, f"Sample {name}")
    expect(page.get_by_role("heading", name="Which line is the header?")).to_be_visible()
    visitor.look(f"import-read-{name}")
    page.get_by_role("button", name="Match the columns").click()
    expect(page.get_by_role("heading", name="What is in which column?")).to_be_visible()
    visitor.look(f"import-columns-{name}")
    page.get_by_role("button", name="Check every row").click()
    expect(page.locator(".decision")).to_be_visible(timeout=30_000)
    visitor.look(f"import-check-{name}")
    visitor.go(page.url.removeprefix(visitor.site.url).partition("?")[0] + "?tab=rows")
    visitor.look(f"import-check-rows-{name}")
