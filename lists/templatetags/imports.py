"""Cells of other people's files on a page: invisible damage made visible, numbers hidden from those who may not see."""

import re
import unicodedata
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lists.importing import describing
from lists.masking import hide_numbers
from lists.models import Import
from lists.templatetags.ui import badge

register = template.Library()
register.filter("ledger", describing.ledger)

LONGEST_SHOWN = 200
"""Characters of a cell that a page shows."""

_OUTER_SPACE = re.compile(r"^\s+|\s+$")
_APOSTROPHE = re.compile(r"^['’](?=[+=\d])")


def _invisible(char: str) -> tuple[str, str] | None:
    """(what stands for the character, its name) of one that nobody would see; None for all others."""
    if char in "\n\r\u2028":  # the last is how a line break inside a cell of a workbook is kept
        return "↵", "line break"
    if char == "\t":
        return "⇥", "tab"
    if char == "\u00a0":
        return "°", "no-break space"
    if char != " " and unicodedata.category(char) in {"Cc", "Cf", "Zs", "Zl", "Zp", "Co", "Cs"}:
        return f"U+{ord(char):04X}", unicodedata.name(char, "control character").lower()
    return None


def _pieces(text: str) -> list[tuple[str, str]]:
    """The text in pieces: (what is shown, the name of the invisible character it stands for or "")."""
    outer = {place for match in _OUTER_SPACE.finditer(text) for place in range(*match.span())}
    pieces: list[tuple[str, str]] = []
    plain = ""
    for place, char in enumerate(text):
        if place == 0 and _APOSTROPHE.match(text):
            mark: tuple[str, str] | None = (char, "apostrophe of a spreadsheet")
        else:
            mark = _invisible(char) or (("·", "space at the edge") if place in outer else None)
        if mark is None:
            plain += char
            continue
        pieces += [(plain, ""), mark] if plain else [mark]
        plain = ""
    return [*pieces, (plain, "")] if plain else pieces


def _drawn(shown: str, name: str) -> str:
    return format_html('<span class="cell-mark" title="{}">{}</span>', name, shown) if name else shown


@register.filter
def marked(cell: Any, may_see_numbers: bool = True) -> SafeString:
    """A cell as it stands in the file; what is invisible in it is drawn faintly and named on hover."""
    text = str(cell)
    shown = text[:LONGEST_SHOWN]
    if not may_see_numbers:
        shown = hide_numbers(shown)
    html = format_html_join("", "{}", ((_drawn(*piece),) for piece in _pieces(shown)))
    if len(text) > LONGEST_SHOWN:
        html = format_html('{}<span class="cell-mark" title="{} characters">…</span>', html, f"{len(text):,}")
    return html


@register.inclusion_tag("components/_badge.html")
def import_badge(imported: Import) -> dict[str, Any]:
    """Where an import stands; one with nothing in it to import is not called ready."""
    return badge(*describing.standing(imported))


@register.filter
def hidden_unless(text: Any, may_see_numbers: bool) -> str:
    return str(text) if may_see_numbers else hide_numbers(str(text))


@register.filter
def share(part: float) -> int:
    """A part of one in percent; only nothing is 0, and only all is 100."""
    return round(100 * (min(max(part, 0.01), 0.99) if 0 < part < 1 else part))


@register.simple_tag
def differing(one: Any, other: Any) -> SafeString:
    """The first of two texts, with the part in which it differs from the second marked."""
    one, other = str(one)[:LONGEST_SHOWN], str(other)[:LONGEST_SHOWN]
    shortest = min(len(one), len(other))
    start = next((place for place in range(shortest) if one[place] != other[place]), shortest)
    end = next((place for place in range(shortest - start) if one[-1 - place] != other[-1 - place]), shortest - start)
    stop = len(one) - end
    if start >= stop:
        return format_html("{}", one)
    return format_html('{}<mark class="differs">{}</mark>{}', one[:start], one[start:stop], one[stop:])
