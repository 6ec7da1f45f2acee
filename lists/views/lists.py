"""Lists: who a campaign calls, where each list goes, and its settings."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Max, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lists.exporting import export as export_csv
from lists.forms.lists import ListForm
from lists.htmx import details, go_to, render_page
from lists.models import Connection, ContactList, Membership, RemoteList, RunKind, Suppression, SyncRun
from lists.models.audit import record as audit
from lists.paging import Slice, in_order, newest_first
from lists.permissions import may, needs, person
from lists.searching import searched, searches
from lists.services import Refused, contacts, lists
from lists.sync import history, planning
from lists.sync.translating import new_list
from lists.vendors.base import Problem
from lists.vendors.registry import vendor_class

PAGE_SIZE = 50

# {what the head of a column says in the address: (order, its opposite)}
SORTS = {
    "name": ("name",),
    "-name": ("-name",),
    "contacts": ("contact_count", "name"),
    "-contacts": ("-contact_count", "name"),
    "changed": ("updated_at",),
    "-changed": ("-updated_at",),
}


@searches
@require_safe
@needs("view_contactlist")
def index(request: HttpRequest) -> HttpResponse:
    """All lists, searched and sorted; archived ones on a page of their own."""
    search, sort = searched(request), request.GET.get("sort", "")
    archived = "archived" in request.GET
    shown = ContactList.objects.exclude(archived_at=None) if archived else ContactList.objects.current()
    found = (
        shown.matching(search)
        .order_by(*SORTS.get(sort, SORTS["name"]))
        .select_related("owner")
        .prefetch_related(Prefetch("remote_lists", RemoteList.objects.select_related("connection")))
    )
    return render_page(
        request,
        "lists/lists/index.html",
        {
            "page": _numbered_page(found, request.GET.get("page")),
            "search": search,
            "sort": sort if sort in SORTS else "name",
            "archived": archived,
            "form": ListForm() if may(request.user, "add_contactlist") else None,
        },
        parts={"lists-table": "lists/lists/_table.html"},
    )


def _numbered_page(found: QuerySet[ContactList], number: str | None) -> Slice:
    page = Paginator(found, PAGE_SIZE).get_page(number)
    return Slice(list(page), page.next_page_number() if page.has_next() else None, page.number == 1)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("add_contactlist")
def create(request: HttpRequest) -> HttpResponse:
    form = ListForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            contact_list = lists.create_list(form.save(commit=False), person(request))
        except Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"“{contact_list}” is there. Upload a file to fill it.")
            return go_to(request, "lists-detail", contact_list.pk)
    return render_page(
        request, "lists/lists/create.html", {"form": form}, parts={"lists-create": "lists/lists/_create.html"}
    )


@searches
@require_safe
@needs("view_contactlist")
@needs("view_contact")
def detail(request: HttpRequest, list_id: int) -> HttpResponse:
    """The contacts of one list."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    search = searched(request)
    # Each contact once, in the order of the primary key: the deepest page is as quick as the first.
    entries = Membership.objects.filter(contact_list=contact_list, occurrence=1).select_related("contact")
    if search:
        entries = entries.filter(contact__in=contacts.find_contacts(search, by_part=may(request.user, "see_numbers")))
    page = in_order(entries, "contact_id", request.GET.get("after"), PAGE_SIZE)
    return _tab(
        request,
        contact_list,
        "detail",
        {
            "page": page,
            "search": search,
            "suppressed": suppressed_among([entry.contact.phone for entry in page.rows]),
            "may_export": may(request.user, "export_contacts") and may(request.user, "see_numbers"),
        },
        parts={"lists-contacts": "lists/lists/_contacts.html"},
    )


def suppressed_among(numbers: list[str]) -> set[str]:
    return set(Suppression.objects.active().filter(phone__in=numbers).values_list("phone", flat=True))


@require_safe
@needs("view_contactlist")
@needs("view_import")
def imports(request: HttpRequest, list_id: int) -> HttpResponse:
    """The files that were imported into one list, newest first."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    rows = contact_list.imports.select_related("created_by")
    return _tab(
        request,
        contact_list,
        "imports",
        {"page": newest_first(rows, request.GET.get("before"), PAGE_SIZE)},
        parts={"lists-imports": "lists/lists/_imports.html"},
    )


class Destination(NamedTuple):
    """One connection a list goes to, or could.

    remote    our list as it is known there; None when nothing has been sent
    told      how its last run stands, as a sentence
    active    its last run is not over, so that another cannot be planned
    problems  (what, does it stand in the way) each
    """

    connection: Connection
    remote: RemoteList | None
    run: SyncRun | None
    told: str
    active: bool
    problems: list[tuple[Problem, bool]]

    @property
    def is_blocked(self) -> bool:
        return any(blocks for _, blocks in self.problems)

    @property
    def has_address_book(self) -> bool:
        return RunKind.ADDRESS_BOOK in vendor_class(self.connection.vendor).operations


@require_safe
@needs("view_contactlist")
@needs("view_connection")
@needs("view_syncrun")
def vendors(request: HttpRequest, list_id: int) -> HttpResponse:
    """What each connection is known to hold of one list, its last run, and the way to send the rest."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    return _tab(request, contact_list, "vendors", {"destinations": destinations(contact_list)})


def destinations(contact_list: ContactList) -> list[Destination]:
    remotes = {remote.connection_id: remote for remote in contact_list.remote_lists.all()}
    newest = contact_list.runs.values("connection").annotate(newest=Max("pk")).values("newest")
    runs = {run.connection_id: run for run in SyncRun.objects.filter(pk__in=newest)}
    used = Connection.objects.filter(pk__in=[*remotes, *(pk for pk in runs if pk)])
    return [
        _destination(contact_list, connection, remotes.get(connection.pk), runs.get(connection.pk))
        for connection in (Connection.objects.current() | used).distinct()
    ]


def _destination(
    contact_list: ContactList,
    connection: Connection,
    remote: RemoteList | None,
    run: SyncRun | None,
) -> Destination:
    problems = vendor_class(connection.vendor).judge_list(new_list(contact_list), contact_list.contact_count)
    return Destination(
        connection,
        remote,
        run,
        history.sentence(run) if run else "",
        bool(run and not run.is_over),
        [(problem, planning.stands_in_the_way(problem, remote)) for problem in problems],
    )


@require_safe
@needs("push_list")
def wanting(request: HttpRequest, list_id: int, connection_id: int) -> HttpResponse:
    """How many contacts a plan would send now, or why there would be none. Asked apart: it reads the whole list."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    connection = get_object_or_404(Connection, pk=connection_id)
    if not details(request):
        return go_to(request, "lists-vendors", contact_list.pk)
    count, refusal = 0, ""
    try:
        count = planning.wanting(contact_list, connection)
    except planning.PlanRefused as refused:
        refusal = str(refused)
    context = {
        "contact_list": contact_list, "connection": connection, "asked": True, "wanting": count, "refusal": refusal,
    }  # fmt: skip
    return render_page(request, "lists/lists/_send.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@needs("change_contactlist")
def settings(request: HttpRequest, list_id: int) -> HttpResponse:
    """Name, description and the rules of one list; putting it away and taking it back."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    before = {name: getattr(contact_list, name) for name in ListForm.Meta.fields}
    form = ListForm(request.POST or None, instance=contact_list)
    if request.method == "POST" and form.is_valid():
        try:
            if changed := lists.changes(contact_list, ListForm.Meta.fields, before):
                lists.change_list(contact_list, changed, person(request))
                messages.success(request, f"“{contact_list}” is saved.")
        except Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            return go_to(request, "lists-settings", contact_list.pk)
    known = contact_list.remote_lists.select_related("connection")
    return _tab(
        request,
        contact_list,
        "settings",
        {"form": form, "remote_lists": known, "name": before["name"]},
        parts={"lists-settings": "lists/lists/_settings.html"},
    )


@require_POST
@needs("change_contactlist")
def archive(request: HttpRequest, list_id: int) -> HttpResponse:
    contact_list = get_object_or_404(ContactList, pk=list_id)
    try:
        lists.archive_list(contact_list, person(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return go_to(request, "lists-settings", contact_list.pk)
    messages.success(request, f"“{contact_list}” is archived. What vendors hold of it stays there.")
    return go_to(request, "lists-index")


@require_POST
@needs("change_contactlist")
def restore(request: HttpRequest, list_id: int) -> HttpResponse:
    contact_list = get_object_or_404(ContactList, pk=list_id)
    lists.restore_list(contact_list, person(request))
    messages.success(request, f"“{contact_list}” is back among the lists.")
    return go_to(request, "lists-detail", contact_list.pk)


@require_POST
@needs("export_contacts")
@needs("see_numbers")
def export(request: HttpRequest, list_id: int) -> StreamingHttpResponse:
    """The contacts as a CSV file. A post, because it is written down who took them."""
    contact_list = get_object_or_404(ContactList, pk=list_id)
    audit(person(request), "exported", contact_list, contacts=contact_list.contact_count)
    filename = f"{slugify(contact_list.name) or 'list'}.csv"
    return StreamingHttpResponse(
        export_csv(contact_list),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{filename}"'},
    )


TABS = (
    ("detail", "Contacts", "view_contact"),
    ("imports", "Imports", "view_import"),
    ("vendors", "Vendors", "view_syncrun"),
    ("settings", "Settings", "change_contactlist"),
)


def _tab(
    request: HttpRequest,
    contact_list: ContactList,
    tab: str,
    context: dict[str, Any],
    parts: dict[str, str] | None = None,
) -> HttpResponse:
    shown = [
        (label, reverse(f"lists-{name}", args=[contact_list.pk]), None, name == tab)
        for name, label, right in TABS
        if may(request.user, right)
    ]
    return render_page(
        request, f"lists/lists/{tab}.html", {"contact_list": contact_list, "tabs": shown, **context}, parts=parts
    )
