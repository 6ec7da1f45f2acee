"""The whole road in a real browser, walked by a person of each role: a messy CSV, three vendors, the history."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.factories import authenticator_code

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "static" / "samples" / "renewals_july.csv"
LIST = "Renewals August"
VENDORS = ("Kore.ai rehearsal", "LeadLex rehearsal", "Exotel rehearsal")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def heading(page: Page, words: str | re.Pattern[str]) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def figures(page: Page) -> dict[str, int]:
    """{word: number} of the equation on the page, the total under "="; the total is asserted to be their sum."""
    text = page.locator(".equation").first.inner_text()
    terms = {
        word: int(number.replace(",", "")) for number, word in re.findall(r"(\d[\d,]*)\s+([a-z][a-z ,]*[a-z])", text)
    }
    total, *rest = terms.values()
    assert total == sum(rest), f"the equation does not close: {text}"
    return terms


def upload(page: Page, path: Path, list_name: str) -> None:
    page.get_by_label("File", exact=True).set_input_files(path)
    page.get_by_label("List", exact=True).select_option(label=list_name)
    page.get_by_role("button", name="Upload and look at it").click()


def test_a_campaign_manager_brings_a_messy_file_to_three_vendors(visit):
    visitor = visit("ravi")
    page = visitor.page
    visitor.look("dashboard-newcomer")

    page.get_by_role("link", name="Lists", exact=True).first.click()
    visitor.look("lists")
    page.get_by_role("link", name="New list").click()
    form = page.locator("form").filter(has=page.get_by_role("button", name="Create this list"))
    form.get_by_label("Name").fill(LIST)
    form.get_by_label("Description").fill("Customers whose contract ends in August")
    form.get_by_label(re.compile("country|region", re.IGNORECASE)).select_option("US")
    form.get_by_role("button", name="Create this list").click()
    heading(page, LIST)
    visitor.look("list-empty")

    page.get_by_role("link", name="Upload a file").first.click()
    visitor.look("import-upload")
    page.get_by_label("File", exact=True).set_input_files(SAMPLE)
    page.get_by_role("button", name="Upload and look at it").click()

    expect(page.get_by_label("Columns are separated by").locator("option:checked")).to_have_text("Semicolon")
    visitor.look("import-read")
    page.get_by_role("button", name="Match the columns").click()
    expect(page.get_by_text("Segment").first).to_be_visible()
    visitor.look("import-columns")
    page.get_by_role("button", name="Check every row").click()

    expect(page.get_by_role("button", name=re.compile(r"Import \d+ contacts"))).to_be_visible(timeout=30_000)
    preview = figures(page)
    assert preview["rows"] == 100 and preview["rejected"] == 7 and preview["merged"] == 3 and preview["suppressed"] == 2
    visitor.look("import-check")
    for tab in ("Problems", "Duplicates", "Vendors"):
        page.get_by_role("link", name=re.compile(f"^{tab}")).click()
        expect(page.get_by_role("link", name=re.compile(f"^{tab}"))).to_have_attribute("aria-current", "page")
        visitor.look(f"import-check-{tab.lower()}")
    page.get_by_role("button", name=re.compile(r"Import \d+ contacts")).click()

    expect(page.get_by_role("link", name="Undo this import")).to_be_visible(timeout=30_000)
    assert figures(page) == preview
    visitor.look("import-result")
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Download {preview['rejected']} rejected rows").first.click()
    rejected = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rejected) == 1 + preview["rejected"]
    assert rejected[0].endswith("_line,_code,_column,_value,_reason,_suggestion")

    in_list = sum(preview[word] for word in ("created", "updated", "unchanged"))
    for vendor in VENDORS:
        page.get_by_role("link", name="Lists", exact=True).first.click()
        page.get_by_role("link", name=LIST).first.click()
        page.get_by_role("link", name=re.compile("^Vendors")).click()
        visitor.look("list-vendors")
        page.get_by_role("button", name=f"Send {in_list} to {vendor}").click()
        visitor.look(f"plan-{vendor.split()[0].lower()}")
        page.get_by_role("button", name=f"Send {in_list} to {vendor}").click()
        expect(page.locator("main .badge-state").first).to_contain_text("completed", timeout=90_000)
        outcome = figures(page)
        word = "confirmed" if vendor.startswith("Kore") else "added"
        assert outcome[word] == in_list
        visitor.look(f"run-{vendor.split()[0].lower()}")
        for tab in ("Contacts", "Requests", "Plan", "Timeline", "Settings"):
            page.locator("main").get_by_role("link", name=re.compile(f"^{tab}")).first.click()
            page.wait_for_load_state()
            visitor.look(f"run-{vendor.split()[0].lower()}-{tab.lower()}")

    page.get_by_role("link", name="History", exact=True).first.click()
    for vendor in VENDORS:
        expect(page.locator("main").get_by_text(vendor).first).to_be_visible()
    visitor.look("history")
    visitor.go("/contacts/?q=(212)+555-0100")
    page.locator("main").get_by_role("link", name=re.compile("555-0100")).first.click()
    expect(page.get_by_text(LIST).first).to_be_visible()
    visitor.look("contact")
    visitor.go("/")
    visitor.look("dashboard")


def test_an_uploader_imports_and_undoes_and_never_sees_the_vendors(visit):
    visitor = visit("asha")
    page = visitor.page
    expect(page.get_by_role("link", name="History", exact=True)).to_have_count(0)
    for hidden in ("/history/", "/connections/", "/audit/", "/lists/new/"):
        assert page.request.get(visitor.site.url + hidden).status == 403

    page.get_by_role("link", name="Imports", exact=True).first.click()
    page.get_by_role("link", name="Upload a file").first.click()
    upload(page, SAMPLE, "Autumn callbacks")
    page.get_by_role("button", name="Match the columns").click()
    page.get_by_role("button", name="Check every row").click()
    page.get_by_role("button", name=re.compile(r"Import \d+ contacts")).click(timeout=30_000)
    page.get_by_role("link", name="Undo this import").click(timeout=30_000)
    visitor.look("import-undo")
    page.get_by_role("button", name=re.compile("Undo")).click()
    expect(page.get_by_text(re.compile("undone", re.IGNORECASE)).first).to_be_visible(timeout=30_000)
    visitor.look("import-undone")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "empty"),
        ("report.csv", b"%PDF-1.7 " + b"\x00" * 500, "PDF"),
        ("people.csv", b"PK\x03\x04" + b"\x00" * 500, "ZIP"),
        ("cards.csv", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Asha Rao\r\nTEL:+12025550123\r\nEND:VCARD\r\n", "vCard"),
        ("portal.xls", b"<html><body><table><tr><td>Asha</td></tr></table></body></html>", "HTML table"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(visit, tmp_path, name, content, words):
    visitor = visit("asha")
    visitor.go("/imports/new/")
    path = tmp_path / name
    path.write_bytes(content)
    upload(visitor.page, path, "Autumn callbacks")
    expect(visitor.page.get_by_role("alert").first).to_contain_text(words)
    visitor.look(f"import-refused-{path.stem}")


def test_an_administrator_connects_checks_suppresses_and_lifts(visit):
    visitor = visit("mara")
    page = visitor.page
    visitor.go("/connections/")
    visitor.look("connections")
    page.get_by_role("link", name="LeadLex rehearsal").first.click()
    page.get_by_role("button", name=re.compile("Check|Test")).click()
    expect(page.get_by_text(re.compile("Connected: LeadLex")).first).to_be_visible()
    visitor.look("connection")
    visitor.go("/connections/new/")
    visitor.look("connection-choose")
    visitor.go("/connections/new/exotel/")
    visitor.look("connection-new")

    visitor.go("/do-not-contact/add/")
    page.locator("main textarea").fill("(303) 555-0107\nnot a number")
    page.get_by_label(re.compile("country|region", re.IGNORECASE)).select_option("US")
    page.get_by_label(re.compile("reason", re.IGNORECASE)).first.fill("Asked by letter")
    page.get_by_role("button", name="Never contact these numbers").click()
    expect(page.get_by_text("not a number").first).to_be_visible()
    visitor.look("do-not-contact-added")
    visitor.go("/do-not-contact/")
    expect(page.get_by_text("Asked by letter").first).to_be_visible()
    visitor.look("do-not-contact")

    visitor.go("/audit/")
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_text(re.compile("verif|unaltered|holds|as it was written", re.IGNORECASE)).first).to_be_visible()
    visitor.look("audit")


def test_an_auditor_reads_everything_changes_nothing_and_sees_no_number(visit):
    visitor = visit("owen")
    page = visitor.page
    for path in (
        "/",
        "/lists/",
        "/lists/1/",
        "/contacts/",
        "/imports/",
        "/history/",
        "/connections/",
        "/do-not-contact/",
        "/audit/",
    ):
        visitor.go(path)
        assert not re.search(r"555[- ]?01\d\d", page.locator("main").inner_text()), f"{path} shows a number in full"
    visitor.go("/lists/1/")
    expect(page.get_by_text("•").first).to_be_visible()
    visitor.look("list-as-auditor")
    for forbidden in ("/lists/new/", "/imports/new/", "/connections/new/", "/do-not-contact/add/"):
        assert page.request.get(visitor.site.url + forbidden).status == 403


def test_somebody_sets_up_a_second_factor_and_logs_in_with_it(visit, site):
    site.make_superuser("tess")
    visitor = visit("tess")
    page = visitor.page
    page.locator("summary", has_text="the account of tess").click()
    page.get_by_role("link", name="Two-factor login").click()
    visitor.look("second-factor")
    page.get_by_role("link", name="Activate").click()
    page.get_by_label("Password").fill(site.passwords["tess"])
    page.get_by_role("button", name="Confirm").click()
    visitor.look("second-factor-app")
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(authenticator_code(secret))
    page.get_by_role("button", name="Activate").click()
    heading(page, "Recovery Codes")
    visitor.look("second-factor-codes")

    again = visit()
    again.go("/accounts/login/")
    again.page.locator("#id_login").fill("tess")
    again.page.locator("#id_password").fill(site.passwords["tess"])
    again.page.get_by_role("button", name="Log in").click()
    heading(again.page, "Two-Factor Authentication")
    again.look("second-factor-asked")
    again.page.get_by_label("Code").fill(authenticator_code(secret))
    again.page.get_by_role("button", name="Sign In").click()
    heading(again.page, "Dashboard")


def test_nobody_reads_anything_without_logging_in(visit):
    visitor = visit("")
    visitor.go("/lists/1/")
    expect(visitor.page).to_have_url(re.compile("/accounts/login/"))
    visitor.look("log-in")
    visitor.page.locator("#id_login").fill("ravi")
    visitor.page.locator("#id_password").fill("a wrong password")
    visitor.page.get_by_role("button", name="Log in").click()
    expect(visitor.page.get_by_role("alert").first).to_be_visible()
    visitor.look("log-in-refused")


def test_the_road_can_be_walked_without_javascript(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/accounts/login/")
    page.locator("#id_login").fill("asha")
    page.locator("#id_password").fill(site.passwords["asha"])
    page.get_by_role("button", name="Log in").click()
    page.goto(f"{site.url}/imports/new/")
    upload(page, SAMPLE, "Autumn callbacks")
    page.get_by_role("button", name="Match the columns").click()
    page.get_by_role("button", name="Check every row").click()
    # The page asks for itself again while there is something to wait for.
    ready = page.get_by_role("button", name=re.compile(r"Import \d+ contacts"))
    expect(ready).to_be_visible(timeout=30_000)
    ready.click()
    expect(page.get_by_role("link", name="Undo this import")).to_be_visible(timeout=30_000)
    context.close()
