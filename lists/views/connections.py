"""Connections: the vendor accounts lists are sent to, whether they work, and at what pace."""

from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lists.forms.connections import ConnectionForm, rehearsal_settings
from lists.htmx import go_to, render_page
from lists.models import Connection, Pace, SyncRun
from lists.permissions import may, needs, person
from lists.services import Refused, connections
from lists.sync import accounts
from lists.vendors.base import HttpVendor, Limits
from lists.vendors.errors import VendorError
from lists.vendors.registry import VENDORS, vendor_class


@require_safe
@needs("view_connection")
def index(request: HttpRequest) -> HttpResponse:
    """Every connection with one line on how it is."""
    archived = "archived" in request.GET
    shown = Connection.objects.exclude(archived_at=None) if archived else Connection.objects.current()
    newest = SyncRun.objects.filter(connection__in=shown).values("connection").annotate(newest=Max("pk"))
    runs = {run.connection_id: run for run in SyncRun.objects.filter(pk__in=newest.values("newest"))}
    return render_page(
        request,
        "lists/connections/index.html",
        {
            "connections": [(connection, runs.get(connection.pk)) for connection in shown],
            "archived": archived,
            "may_add": may(request.user, "add_connection"),
        },
    )


@require_safe
@needs("add_connection")
def new(request: HttpRequest) -> HttpResponse:
    """Which vendor?"""
    return render_page(request, "lists/connections/new.html", {"vendors": offers(), "rehearses": settings.REHEARSAL})


class Offer(NamedTuple):
    """A vendor one may connect. (Templates would call the class itself.)"""

    key: str
    label: str
    limits: Limits


def offers() -> list[Offer]:
    return [Offer(vendor.key, vendor.label, vendor.limits) for vendor in VENDORS.values()]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("add_connection")
def create(request: HttpRequest, vendor: str) -> HttpResponse:
    """Connect an account of one vendor; with `?rehearsal` the form is filled in for the played one."""
    chosen = _vendor(vendor)
    rehearses = settings.REHEARSAL and "rehearsal" in request.GET
    name = f"{chosen.label} rehearsal" if rehearses else chosen.label
    initial = {"name": name, **(rehearsal_settings(chosen) if rehearses else {})}
    return _edit(request, Connection(vendor=chosen.key), chosen, initial)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("change_connection")
def edit(request: HttpRequest, connection_id: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=connection_id)
    return _edit(request, connection, vendor_class(connection.vendor), {})


def _edit(
    request: HttpRequest, connection: Connection, vendor: type[HttpVendor], initial: dict[str, Any]
) -> HttpResponse:
    form = ConnectionForm(
        request.POST or None,
        vendor=vendor,
        connection=connection,
        is_rehearsal=accounts.is_rehearsal,
        initial=initial,
    )
    if request.method == "POST" and form.is_valid():
        stored = connection.name
        connection.name = form.cleaned_data["name"]
        try:
            connections.save_connection(connection, vendor, form.settings, form.secrets, person(request))
        except Refused as refusal:
            form.add_error(None, str(refusal))
            connection.name = stored
        else:
            messages.success(request, f"“{connection}” is saved. Check it before the first push.")
            return go_to(request, "connections-detail", connection.pk)
    return render_page(
        request,
        "lists/connections/edit.html",
        {
            "form": form,
            "connection": connection,
            "label": vendor.label,
            "is_new": form.is_new,
            "rehearses": settings.REHEARSAL,
            "is_open": form.errors.keys() & {field.name for field in form.advanced()},
        },
        parts={"connections-edit": "lists/connections/_edit.html"},
    )


class PaceTold(NamedTuple):
    """An account's pace in figures; 0 where it is switched off."""

    per_minute: int
    per_hour: int
    per_day: int
    used_this_hour: int
    used_today: int
    blocked_until: Any


@require_safe
@needs("view_connection")
def detail(request: HttpRequest, connection_id: int) -> HttpResponse:
    """How a connection is: its health, its pace, its settings without secrets, where it is used."""
    connection = get_object_or_404(Connection, pk=connection_id)
    vendor = vendor_class(connection.vendor)
    return render_page(
        request,
        "lists/connections/detail.html",
        {
            "connection": connection,
            "label": vendor.label,
            "settings": _shown(connection, vendor),
            "pace": pace(connection),
            "remote_lists": connection.remote_lists.select_related("contact_list").order_by("name"),
            "runs": connection.runs.order_by("-id")[:10] if may(request.user, "view_syncrun") else [],
        },
    )


def _shown(connection: Connection, vendor: type[HttpVendor]) -> list[tuple[str, str]]:
    """(label, value) of every setting; of a secret only whether one is stored."""
    stored = "••••••••" if connection.credentials else "not stored"
    return [
        (
            setting.label,
            stored if setting.secret else _value(setting.kind, connection.settings.get(setting.name), setting.default),
        )
        for setting in vendor.settings
    ]


def _value(kind: str, value: Any, default: str) -> str:
    if kind == "flag":
        return "yes" if value else "no"
    text = str(value) if value not in (None, "") else default
    return f"{int(text):,}" if kind == "number" and text.isdecimal() else text


def pace(connection: Connection) -> PaceTold | None:
    """None when the connection is not complete enough to have one."""
    try:
        vendor = accounts.connected(connection)
        told = accounts.pacer(vendor)
    except VendorError:
        return None
    row = Pace.objects.filter(account_key=vendor.account_key).first()
    spent = told.spent()
    blocked = row.blocked_until if row and row.blocked_until and row.blocked_until > timezone.now() else None
    return PaceTold(told.per_minute, told.per_hour, told.per_day, spent.this_hour, spent.today, blocked)


@require_POST
@needs("check_connection")
def check(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Ask the vendor one harmless question; what it said is told and remembered."""
    connection = get_object_or_404(Connection.objects.current(), pk=connection_id)
    try:
        messages.success(request, accounts.check(connection))
    except VendorError as error:
        messages.error(request, error.message)
    return go_to(request, "connections-detail", connection.pk)


@require_POST
@needs("change_connection")
def archive(request: HttpRequest, connection_id: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=connection_id)
    try:
        connections.archive_connection(connection, person(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return go_to(request, "connections-detail", connection.pk)
    messages.success(request, f"“{connection}” is archived. Its history stays.")
    return go_to(request, "connections-index")


@require_POST
@needs("change_connection")
def restore(request: HttpRequest, connection_id: int) -> HttpResponse:
    connection = get_object_or_404(Connection, pk=connection_id)
    connections.restore_connection(connection, person(request))
    messages.success(request, f"“{connection}” is in use again.")
    return go_to(request, "connections-detail", connection.pk)


def _vendor(key: str) -> type[HttpVendor]:
    if key not in VENDORS:
        raise Http404
    return VENDORS[key]
