"""Pieces of the history that several of its pages draw."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.template.defaultfilters import filesizeformat
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lists.models import SyncAttempt, SyncItem
from lists.pages.figures import attempt_state
from lists.sync import history
from lists.templatetags.ui import equation, figure

register = template.Library()
register.filter(attempt_state)

KINDS = {"syncrun": "run", "contactlist": "list", "importrow": "row"}
NAMES = ("fields", "settings", "secrets")
"""Details of an audit event that list names; any other pair of values is what was and what is."""

FOLLOWED = {
    "waiting": "not applied",
    "unknown": "no usable answer",
    "rejected": "refused",
    "sending": "under way",
}


@register.inclusion_tag("lists/runs/_bar.html")
def mini_bar(ledger: Mapping[str, int], total: int) -> dict[str, Any]:
    """The bar of the equation alone, where its figures stand beside it."""
    return equation(total, "contacts", ledger)


@register.simple_tag
def count_cell(count: int) -> SafeString:
    """A table cell with a figure; a zero stays in the background."""
    if count:
        return format_html('<td class="num">{}</td>', figure(count))
    return mark_safe('<td class="num"><span class="zero">0</span></td>')


@register.filter
def attempt_words(attempt: SyncAttempt) -> str:
    """The status, and what followed where it was not answered well."""
    followed = FOLLOWED.get(attempt_state(attempt), "")
    return f"{attempt.status or ''} {followed}".strip()


@register.filter
def why(item: SyncItem) -> str:
    """Why a contact of a run stands where it stands: the vendor's words, or what we know of it."""
    explanation, _ = history.KNOWN.get(item.code, ("", ""))
    return item.words or explanation


@register.filter
def their_code(item: SyncItem) -> str:
    """The vendor's code; blank where the code is a reason of ours, which `why` tells in words."""
    ours = item.code in history.KNOWN or item.code.startswith("unready_")
    return "" if ours else item.code


@register.filter
def told(details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(name, value) of what an audit event tells, in words; lists of names that name nothing are left out."""
    named = {name: value for name, value in details.items() if not (name in NAMES and not value)}
    return [(name.replace("_", " "), _detail(name, value)) for name, value in named.items()]


def _detail(name: str, value: Any) -> str:
    if name in NAMES and isinstance(value, list):
        return ", ".join(str(each).replace("_", " ") for each in value)
    if name == "size" and isinstance(value, int):
        return filesizeformat(value)
    if isinstance(value, list) and len(value) == 2:  # what was, and what is
        return f"{_plain(value[0])} → {_plain(value[1])}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return figure(value)
    return "nothing" if value in ("", None) else str(value)


@register.filter
def object_kind(model_name: str) -> str:
    """What people call an object of the audit."""
    return KINDS.get(model_name, model_name)
