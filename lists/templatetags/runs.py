"""Pieces of the history that several of its pages draw."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from lists.models import SyncAttempt
from lists.templatetags.ui import equation, figure
from lists.vendors import errors

register = template.Library()

KINDS = {"syncrun": "run", "contactlist": "list", "importrow": "row"}
FOLLOWED = {
    "waiting": "to be sent again",
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
def attempt_state(attempt: SyncAttempt) -> str:
    """The state whose colour a request has, by what followed from its answer."""
    if not attempt.problem:
        return "sending" if attempt.status is None else "answered"
    # A problem that is none of the vendor's (the worker went away) leaves open what became of the request.
    error = getattr(errors, attempt.problem, errors.OutcomeUnknown)
    if error.retry:
        return "waiting"
    return "unknown" if error.unknown else "rejected"


@register.filter
def attempt_words(attempt: SyncAttempt) -> str:
    """The status, and what followed where it was not answered well."""
    followed = FOLLOWED.get(attempt_state(attempt), "")
    return f"{attempt.status or ''} {followed}".strip()


@register.filter
def change(value: Any) -> str:
    """A detail of an audit event: what was and what is, where it tells both."""
    if isinstance(value, list) and len(value) == 2:
        return f"{_plain(value[0])} → {_plain(value[1])}"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value in ("", None) else str(value)


@register.filter
def object_kind(model_name: str) -> str:
    """What people call an object of the audit."""
    return KINDS.get(model_name, model_name)
