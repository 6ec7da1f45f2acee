"""Searches whose text is never readable in an address.

Browsers, proxies and logs keep addresses, and people are searched for by their numbers. So a search is posted and goes
on to the same page with its text sealed: that address can be reloaded, paged, gone back to and sent to a colleague, and
tells nobody else anything.
"""

import base64
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken
from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.crypto import salted_hmac

LONGEST = 200
"""Characters of a search; what is longer is nothing anybody typed."""
CURSORS = ("before", "after", "page")
"""Where a page of rows begins, which means nothing to another search."""


def searches(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a page take its search, with the filters beside it, as a post; the view itself only shows."""

    @wraps(view)
    def show_or_search(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        asked = {**request.GET.dict(), **request.POST.dict()}
        asked["q"] = sealed(request.POST.get("q", "").strip())
        for gone in ("csrfmiddlewaretoken", *CURSORS):
            asked.pop(gone, None)
        # A field that was left empty goes; a word that is a filter by standing in the address (`?archived`) stays.
        query = urlencode({name: value for name, value in asked.items() if value or name not in request.POST})
        return redirect(f"{request.path}?{query}" if query else request.path)

    return show_or_search


def searched(request: HttpRequest) -> str:
    """What the address of a page searches for; "" when for nothing."""
    return opened(request.GET.get("q", "")).strip()


def sealed(text: str) -> str:
    """The text as an address may show it; nothing stays nothing."""
    return _seal().encrypt(text[:LONGEST].encode(errors="replace")).decode() if text else ""


def opened(text: str) -> str:
    """What was sealed; a text that was not is taken as it is, for an address may be written by hand."""
    try:
        return _seal().decrypt(text.encode(errors="replace")).decode()
    except InvalidToken:
        return text[:LONGEST]


def _seal() -> Fernet:
    key = salted_hmac("lists.searching", "an address", algorithm="sha256").digest()
    return Fernet(base64.urlsafe_b64encode(key))


class SearchField(forms.CharField):
    """A search among the filters of an address: sealed there, readable in the field."""

    def prepare_value(self, value: Any) -> str:
        return opened(value or "")

    def to_python(self, value: Any) -> str:
        return super().to_python(opened(value or "")) or ""
