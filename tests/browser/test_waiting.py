"""A page that asks for itself again while a run is under way leaves whoever reads it in peace."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

CONNECTION = "LeadLex rehearsal"

WATCH = """async ([parts, seconds]) => {
    const told = {swaps: 0, paler: []};
    const count = () => { told.swaps += 1; };
    document.body.addEventListener("htmx:afterSwap", count);
    const until = performance.now() + 1000 * seconds;
    while (performance.now() < until) {
        await new Promise(requestAnimationFrame);
        for (const part of parts) {
            const drawn = document.querySelector(part);
            for (const element of [drawn, ...drawn.querySelectorAll("*")]) {
                if (Number(getComputedStyle(element).opacity) < 1) told.paler.push(`${part} ${element.tagName}`);
            }
        }
    }
    document.body.removeEventListener("htmx:afterSwap", count);
    return told;
}"""

NEXT_SWAP = """async (part) => new Promise((done) => {
    document.body.addEventListener("htmx:afterSwap", function swapped({detail}) {
        if (detail.elt.id !== part) return;
        document.body.removeEventListener("htmx:afterSwap", swapped);
        setTimeout(done, 50);
    });
})"""

MARK = """(selector) => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector(selector));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
}"""


@pytest.fixture
def run_path(site):
    """The page of a run that is under way for as long as the test takes: at one request a minute."""
    site.manage("connect", "leadlex", CONNECTION, "--set", "per_minute=1")
    run = site.manage("push", "Renewals July", "--to", CONNECTION)
    yield f"/history/{run['run_id']}/"
    site.manage("connect", "leadlex", CONNECTION, "--set", "per_minute=200")


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop after the request under way").click()
    page.wait_for_load_state()


def test_a_run_under_way_can_be_read_copied_from_and_searched_while_it_is_asked_for_again(visit, run_path):
    visitor = visit("ravi")
    page = visitor.page
    page.emulate_media(reduced_motion="no-preference")  # what fades must show itself
    visitor.go(run_path)
    told = page.evaluate(WATCH, [["#runs-head", "#runs-contacts"], 3])
    assert told["swaps"] >= 2
    assert told["paler"] == []

    search = page.locator("#runs-contacts").get_by_label("Number or name")
    search.fill("Ash")
    page.evaluate(MARK, "#runs-head .page-sentence")
    marked = page.evaluate("String(getSelection())")
    assert marked
    assert page.evaluate(WATCH, [[], 2.3])["swaps"] == 0
    expect(search).to_have_value("Ash")
    assert page.evaluate("String(getSelection())") == marked

    search.fill("")
    page.evaluate("getSelection().removeAllRanges()")
    contact = page.locator("#runs-contacts tbody a").nth(3)
    contact.focus()
    page.evaluate(NEXT_SWAP, "runs-contacts")
    expect(contact).to_be_focused()

    visitor.go(f"{run_path}plan/")
    batch = page.locator("#runs-batches details").first
    batch.locator("summary").click()
    page.evaluate(NEXT_SWAP, "runs-head")
    expect(batch).to_have_attribute("open", "")
    expect(batch.locator("summary")).to_be_focused()
    stop(page)
