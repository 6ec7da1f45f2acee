import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from lists.models import ImportState, ItemOutcome, RowOutcome, RunState, SyncBatch
from lists.paging import Slice
from lists.templatetags import ui
from tests.factories import make_user

STYLES = Path(settings.BASE_DIR, "static/css/app.css").read_text()


def draw(source, **context):
    return Template(source).render(Context(context))


def words(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("states", [ImportState, ItemOutcome, RowOutcome, RunState, SyncBatch.State])
def test_every_state_there_is_has_a_look(states):
    assert {str(state) for state in states} <= set(ui.STATES)


@pytest.mark.parametrize("state", ui.STATES)
def test_the_style_sheet_gives_every_state_the_hue_of_its_badge(state):
    rule = re.search(rf"\.hue-{ui.look(state).hue},\s*:is\((.*?)\) \{{", STYLES, re.DOTALL)
    assert f".state-{state}" in re.split(r",\s*", rule[1].strip())


def test_every_icon_that_is_drawn_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="([^"]+)"', Path(settings.BASE_DIR, "static/icons.svg").read_text()))
    templates = Path(settings.BASE_DIR, "templates").rglob("*.html")
    used = {name for file in templates for name in re.findall(r'(?:{% icon |icon_name=)"([^"]+)"', file.read_text())}
    assert used | {look.icon for look in ui.STATES.values()} <= sprite


def test_accepted_is_never_green_and_never_without_its_doubt():
    html = draw('{% badge "accepted" %}')
    assert words(html) == "accepted, unconfirmed"
    assert "hue-violet" in html


def test_an_unknown_state_is_shown_and_not_hidden():
    assert words(draw('{% badge "on_holiday" %}')) == "on holiday"


def test_the_equation_closes_in_words_and_leaves_zeros_out():
    ledger = {"created": 9912, "updated": 1204, "merged": 0, "rejected": 12}
    html = draw('{% equation 11128 "rows" ledger "/imports/1/?tab=rows" "updated" %}', ledger=ledger)
    assert words(html) == "11,128 rows = 9,912 created + 1,204 updated + 12 rejected None merged."
    assert 'href="/imports/1/?tab=rows&amp;outcome=rejected"' in html
    assert html.count('aria-current="true"') == 1


def test_the_bar_of_the_equation_is_full_and_shows_the_smallest_term():
    html = draw('{% equation 1000000 "contacts" ledger %}', ledger={"added": 999_988, "rejected": 12})
    widths = [float(width) for width in re.findall(r'width="([\d.]+)%"', html)]
    assert sum(widths) == pytest.approx(100, abs=0.01)
    assert widths[1] > 0.5
    assert "<a " not in html


def test_one_row_is_not_one_rows():
    assert words(draw('{% equation 1 "rows" ledger %}', ledger={"created": 1})).startswith("1 row =")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 12480|figure }}", "12,480"),
        ("{{ nothing|figure }}", "–"),
        ('{{ 1|counted:"contact" }}', "1 contact"),
        ('{{ 4812|counted:"contact" }}', "4,812 contacts"),
        ('{{ 2|counted:"entry" }}', "2 entries"),
        ("{{ 0.42|duration }}", "0.4 s"),
        ("{{ 134|duration }}", "2 min 14 s"),
        ("{{ 12000|duration }}", "3 h 20 min"),
        ("{{ nothing|duration }}", "–"),
        ('{{ "kore"|vendor_label }}', "Kore.ai"),
    ],
)
def test_figures_read_as_people_write_them(source, text):
    assert draw(source, nothing=None) == text


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=3, minutes=5), "3 hours ago"),
        (timedelta(days=-2, seconds=-5), "in 2 days"),
    ],
)
def test_a_time_is_relative_and_exact_on_hover(before, text):
    moment = timezone.now() - before
    html = draw("{% ago moment %}", moment=moment)
    assert words(html) == text
    assert moment.isoformat(timespec="seconds") in html
    assert "UTC" in html


def test_an_old_time_is_a_date_and_none_is_said():
    long_ago = timezone.now() - timedelta(days=400)
    assert words(draw("{% ago moment %}", moment=long_ago)) == f"{long_ago:%-d %B %Y}"
    assert draw('{% ago moment "not yet" %}', moment=None) == "not yet"


def test_a_number_is_masked_for_whoever_may_not_see_it(db):
    source = "{{ number|phone_for:user }}"
    shown = draw(source, number="+919800000777", user=make_user("uploader"))
    assert re.sub(r"\D", "", shown) == "919800000777"
    for stranger in (make_user("auditor"), AnonymousUser()):
        assert "0777" not in draw(source, number="+919800000777", user=stranger)


def test_the_pager_keeps_the_filters_and_moves_the_cursor():
    request = RequestFactory().get("/history/", {"vendor": "kore", "before": "99"})
    page = Slice(rows=[1, 2], next=41, is_first=False)
    html = draw('{% pager page "runs-table" size=2 total=12480 %}', page=page, request=request)
    assert 'href="/history/?vendor=kore&amp;before=41"' in html
    assert 'href="/history/?vendor=kore"' in html
    assert "2 of 12,480" in words(html)


def test_a_single_page_without_a_total_has_no_pager():
    request = RequestFactory().get("/history/")
    page = Slice(rows=[1], next=None, is_first=True)
    assert draw('{% pager page "runs-table" %}', page=page, request=request).strip() == ""
