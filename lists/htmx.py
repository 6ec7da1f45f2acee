"""One way to answer: the whole page, or the part that htmx asked for."""

from collections.abc import Mapping
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails


def details(request: HttpRequest) -> HtmxDetails:
    return cast(HtmxDetails, request.htmx)  # type: ignore[attr-defined]


def render_page(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    *,
    parts: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, or only the part whose element htmx names as its target.

    parts   {element id: its template}; a target that is not among them gets the whole page
    """
    asked = details(request)
    part = (parts or {}).get(asked.target or "") if asked and not asked.boosted else None
    response = render(request, part or template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    return response


def go_to(request: HttpRequest, route: str, *args: Any, **kwargs: Any) -> HttpResponse:
    """Redirect to a named route, in the way that htmx obeys when it asked."""
    response = redirect(route, *args, **kwargs)
    return HttpResponseClientRedirect(response.url) if details(request) else response
