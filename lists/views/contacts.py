"""Contacts: found by any spelling of a number, and the whole life of one."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods, require_safe

from lists.forms.contacts import ContactForm
from lists.htmx import go_to, render_page
from lists.models import Connection, Contact, ImportRow, Suppression, SyncItem
from lists.paging import newest_first
from lists.permissions import may, needs, person
from lists.searching import searched, searches
from lists.services import contacts
from lists.views.lists import suppressed_among

PAGE_SIZE = 50
REMEMBERED = 50
"""Events of one kind in a contact's life that its page tells."""


@searches
@require_safe
@needs("view_contact")
def index(request: HttpRequest) -> HttpResponse:
    search = searched(request)
    found = contacts.find_contacts(search, by_part=may(request.user, "see_numbers"))
    page = newest_first(found, request.GET.get("before"), PAGE_SIZE)
    return render_page(
        request,
        "lists/contacts/index.html",
        {"page": page, "search": search, "suppressed": suppressed_among([contact.phone for contact in page.rows])},
        parts={"contacts-table": "lists/contacts/_table.html"},
    )


class Standing(NamedTuple):
    """Where a contact stands at one connection: what its newest push came to, and those before."""

    connection: Connection | None
    newest: SyncItem
    items: list[SyncItem]


@require_safe
@needs("view_contact")
def detail(request: HttpRequest, contact_id: int) -> HttpResponse:
    """Fields, lists, the files and lines it came from, and every push to a vendor."""
    contact = get_object_or_404(Contact, pk=contact_id)
    rows = ImportRow.objects.filter(phone=contact.phone).select_related("imported").order_by("-imported", "line")
    return render_page(
        request,
        "lists/contacts/detail.html",
        {
            "contact": contact,
            "suppression": Suppression.objects.filter(phone=contact.phone).first(),
            "memberships": contact.memberships.select_related("contact_list").order_by("contact_list__name"),
            "import_rows": rows[:REMEMBERED] if may(request.user, "view_import") else None,
            "standings": standings(contact) if may(request.user, "view_syncrun") else None,
        },
    )


def standings(contact: Contact) -> list[Standing]:
    """One for each connection and list the contact was pushed to, the newest first."""
    items = SyncItem.objects.filter(contact=contact).select_related("run__connection").order_by("-run_id", "occurrence")
    by_place: dict[tuple[int | None, int | None, str], list[SyncItem]] = {}
    for item in items[:REMEMBERED]:
        by_place.setdefault((item.run.connection_id, item.run.contact_list_id, item.run.kind), []).append(item)
    return [Standing(found[0].run.connection, found[0], found) for found in by_place.values()]


@require_http_methods(["GET", "HEAD", "POST"])
@needs("change_contact")
def edit(request: HttpRequest, contact_id: int) -> HttpResponse:
    contact = get_object_or_404(Contact, pk=contact_id)
    form = ContactForm(request.POST or None, instance=contact)
    if request.method == "POST" and form.is_valid():
        if form.changed_data:
            contacts.change_contact(contact, form.changed_data, person(request))
            messages.success(request, f"{contact} is saved.")
        return go_to(request, "contacts-detail", contact.pk)
    return render_page(
        request,
        "lists/contacts/edit.html",
        {"contact": contact, "form": form},
        parts={"contacts-edit": "lists/contacts/_edit.html"},
    )
