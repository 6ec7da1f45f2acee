"""What only a person can say, in a real browser: who must not be contacted, the switch of a warning, all by keys."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_road import figures, upload
from tests.importing.worlds import csv_bytes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

LIST = "Autumn callbacks"
HEADER = ["Name", "Mobile", "May we call you?", "Email", "Vehicle", "Premium"]
ROWS = [
    ["Asha Rao", "+12025550142", "Yes", "asha@example.org", "Hatchback", "4,000"],
    ["Ravi Haddad", "+12025550143", "No", "at home", "Saloon", "5,100"],
    ["Mina Iyer", "+12025550144", "Yes", "mina@example.org", "", ""],
    ["Lena Vogt", "+919800012345", "Yes", "", "", ""],
    ["Omar Khan", "+919999999999", "Yes", "", "", ""],
    ["Sana Ali", "+12025550142", "Yes", "", "", ""],
    ["Somebody", "12", "Yes", "", "", ""],
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "callbacks.csv"
    path.write_bytes(csv_bytes(ROWS, HEADER))
    return path


def go_to_columns(page: Page, file: Path) -> None:
    page.get_by_role("link", name="Imports", exact=True).first.click()
    page.get_by_role("link", name="Upload a file").first.click()
    upload(page, file, LIST)
    page.get_by_role("button", name="Match the columns").click()


def test_who_must_not_be_contacted_is_asked_before_anything_is_checked(visit, file):
    visitor = visit("asha")
    page = visitor.page
    go_to_columns(page, file)
    select = page.get_by_label("Import “May we call you?” as")
    expect(select.locator("option:checked")).to_have_text("Choose what it says")
    visitor.look("import-columns-question")

    page.get_by_role("button", name="Check every row").click()
    assert select.evaluate("select => select.validity.valueMissing")
    select.select_option(label="Do not contact")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_role("alert")).to_contain_text("What “yes” means: Choose one of the two")
    visitor.look("import-columns-unanswered")

    page.get_by_label("What “yes” means").select_option(label="May be contacted")
    page.get_by_label("What “no” means").select_option(label="Do not contact")
    page.get_by_role("button", name="Check every row").click()
    expect(page.get_by_role("heading", name="Who must not be contacted")).to_be_visible(timeout=30_000)
    assert figures(page)["suppressed"] == 1
    visitor.look("import-check-warnings")
    page.get_by_role("link", name=re.compile("^Rows")).click()
    visitor.look("import-check-rows")
    page.get_by_role("link", name=re.compile("^Columns")).click()
    visitor.look("import-check-columns")
    page.get_by_role("link", name=re.compile("^Duplicates")).click()
    expect(page.get_by_role("heading", name="Same number, other person", level=2)).to_be_visible()
    visitor.look("import-check-other-person")
    page.get_by_role("button", name="Discard this upload").click()


def test_a_warning_is_switched_and_everything_is_done_by_keys(visit, file):
    visitor = visit("asha")
    page = visitor.page
    go_to_columns(page, file)
    choose(page, "Import “May we call you?” as", "Do not import")
    page.get_by_role("button", name="Check every row").press("Enter")

    expect(page.get_by_role("heading", name="Warnings")).to_be_visible(timeout=30_000)
    assert figures(page)["skipped"] == 1
    page.get_by_role("button", name="Import this row all the same").press("Enter")
    expect(page.get_by_role("button", name=re.compile(r"Import 5 contacts"))).to_be_visible(timeout=30_000)
    assert "skipped" not in figures(page)
    page.get_by_role("button", name="Keep all").press("Enter")
    expect(page.get_by_text("not imported")).to_have_count(0, timeout=30_000)
    card = page.locator(".cause").filter(has_text="another country than expected")
    card.get_by_role("button").press("Enter")
    expect(page.get_by_role("button", name=re.compile(r"Import 3 contacts"))).to_be_visible(timeout=30_000)
    page.get_by_role("link", name=re.compile("^See")).first.press("Enter")
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_role("button", name="Discard this upload").press("Enter")
    expect(page.get_by_text("nothing of it was saved")).to_be_visible()


def choose(page: Page, label: str, option: str) -> None:
    """Choose by typing, as one does without a mouse."""
    page.get_by_label(label).focus()
    page.keyboard.type(option)
    page.keyboard.press("Tab")
    expect(page.get_by_label(label).locator("option:checked")).to_have_text(option)
