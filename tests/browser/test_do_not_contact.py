"""A file of numbers nobody may call, in a real browser: read, matched, checked and saved like any other file."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.test_road import figures
from tests.importing.worlds import csv_bytes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(200)]

HEADER = ["Phone", "Reason", "Request date", "Remarks", "Agent"]
ROWS = [
    ["+919800000021", "Asked by letter", "2026-05-01", "", "7"],
    ["+919800000022 / +919800000023", "Asked on the phone", "2026-05-02", "", "7"],
    ["+919999999999", "", "", "", "8"],
    ["12", "", "", "", "8"],
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "letters.csv"
    path.write_bytes(csv_bytes(ROWS, HEADER))
    return path


def test_a_file_of_numbers_nobody_may_call_is_looked_at_and_saved(visit, file):
    visitor = visit("mara")
    page = visitor.page
    page.get_by_role("link", name="Do not contact", exact=True).first.click()
    page.get_by_role("link", name="Upload a file").first.click()
    visitor.look("do-not-contact-upload")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_label("Reason").fill("Letters of May")
    page.get_by_role("button", name="Upload and look at it").click()

    expect(page.get_by_role("heading", name="Which line is the header?")).to_be_visible()
    visitor.look("do-not-contact-read")
    page.get_by_role("button", name="Match the columns").click()
    expect(page.get_by_label("Import “Request date” as").locator("option:checked")).to_have_text("Since")
    visitor.look("do-not-contact-columns")
    page.get_by_role("button", name="Check every row").click()

    make = page.get_by_role("button", name=re.compile("do-not-contact"))
    expect(make).to_be_visible(timeout=30_000)
    assert figures(page)["rejected"] == 1
    for tab in ("Problems", "Rows", "Columns"):
        page.get_by_role("link", name=re.compile(f"^{tab}")).click()
        visitor.look(f"do-not-contact-check-{tab.lower()}")
    make.click()

    expect(page.get_by_text("completed").first).to_be_visible(timeout=30_000)
    assert figures(page)["rejected"] == 1
    visitor.look("do-not-contact-result")
    visitor.go("/do-not-contact/")
    for reason in ("Asked by letter", "Asked on the phone", "Letters of May"):
        expect(page.get_by_text(reason).first).to_be_visible()
    visitor.look("do-not-contact-from-file")
