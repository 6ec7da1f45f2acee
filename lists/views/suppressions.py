"""Do not contact: numbers that no import brings into a list and no push sends."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from lists import phones
from lists.forms.imports import CappedUpload
from lists.forms.suppressions import LiftForm, SuppressFileForm, SuppressForm
from lists.htmx import go_to, render_page
from lists.importing.flow import Target
from lists.importing.reading import FileRefused
from lists.models import Contact, Suppression
from lists.pages.suppressions import EXPECTED
from lists.pages.uploads import receive_once
from lists.paging import newest_first
from lists.permissions import may, needs, person
from lists.searching import searched, searches
from lists.services import contacts, suppressions

PAGE_SIZE = 50


@searches
@require_safe
@needs("view_suppression")
def index(request: HttpRequest) -> HttpResponse:
    """Numbers nobody may call, newest first; administrators also see those that were lifted."""
    search = searched(request)
    may_lift = may(request.user, "lift_suppression")
    lifted = "lifted" in request.GET
    if lifted and not may_lift:
        raise PermissionDenied
    shown = Suppression.objects.exclude(lifted_at=None) if lifted else Suppression.objects.active()
    found = _found(shown, search, by_part=may(request.user, "see_numbers"))
    return render_page(
        request,
        "lists/suppressions/index.html",
        {
            "page": newest_first(found.select_related("created_by", "lifted_by"), request.GET.get("before"), PAGE_SIZE),
            "search": search,
            "lifted": lifted,
            "may_lift": may_lift,
        },
        parts={"suppressions-table": "lists/suppressions/_table.html"},
    )


def _found(shown: QuerySet[Suppression], search: str, *, by_part: bool) -> QuerySet[Suppression]:
    """Those with the number, in any spelling; by words, those with the reason or the file they came from."""
    if digits := phones.search_key(search):
        whole = shown.filter(phone__in=contacts.whole_numbers(search))
        return whole if not by_part or whole.exists() else shown.filter(phone__contains=digits)
    return shown.filter(Q(reason__icontains=search) | Q(source__icontains=search)) if search else shown


@require_http_methods(["GET", "HEAD", "POST"])
@needs("add_suppression")
def add(request: HttpRequest) -> HttpResponse:
    """Type or paste numbers; what was added, what was there and what cannot be read is told by line."""
    form = SuppressForm(request.POST or None, initial={"numbers": _number_of(request.GET.get("contact"))})
    result = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        result = suppressions.suppress(
            suppressions.numbered(given["numbers"].splitlines()),
            reason=given["reason"],
            region=given["region"],
            source="page",
            by=person(request),
        )
        if not result.unread:
            messages.success(request, result.sentence)
            return go_to(request, "suppressions-index")
    return render_page(
        request,
        "lists/suppressions/add.html",
        {"form": form, "result": result},
        parts={"suppressions-add": "lists/suppressions/_add.html"},
    )


def _number_of(contact_id: str | None) -> str:
    """The number of the contact whose page one came from; numbers themselves do not stand in addresses."""
    if not contact_id or not contact_id.isdecimal():
        return ""
    contact = Contact.objects.filter(pk=contact_id[:18]).first()
    return contact.phone if contact else ""


@csrf_exempt  # the cap must be in its place before the token is read; `_upload` asks for the token
@require_http_methods(["GET", "HEAD", "POST"])
@needs("add_suppression")
def upload(request: HttpRequest) -> HttpResponse:
    """A file of numbers nobody may call, which then goes the way of every import."""
    cap = CappedUpload(request)
    request.upload_handlers.insert(0, cap)
    return _upload(request, cap)


@csrf_protect
def _upload(request: HttpRequest, cap: CappedUpload) -> HttpResponse:
    form, status = SuppressFileForm(), 200
    if request.method == "POST":
        form = SuppressFileForm(request.POST, request.FILES, is_over=cap.is_over)
        status = 413 if cap.is_over else 200
        if form.is_valid():
            file = form.cleaned_data["file"]
            try:
                imported = receive_once(
                    file.chunks(), file.name, Target(None, form.cleaned_data["reason"]), person(request)
                )
            except FileRefused as refused:
                form.add_error("file", refused.message)
            else:
                return go_to(request, "imports-read", imported.pk)
    return render_page(
        request,
        "lists/suppressions/upload.html",
        {"form": form, "cap": settings.MAX_UPLOAD_MB, "expected": EXPECTED},
        parts={"suppressions-upload": "lists/suppressions/_upload.html"},
        status=status,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@needs("lift_suppression")
def lift(request: HttpRequest, suppression_id: int) -> HttpResponse:
    suppression = get_object_or_404(Suppression.objects.active(), pk=suppression_id)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        suppressions.lift(suppression, form.cleaned_data["reason"], person(request))
        messages.success(request, "The number may be contacted again; later imports and pushes take it.")
        return go_to(request, "suppressions-index")
    return render_page(
        request,
        "lists/suppressions/lift.html",
        {"suppression": suppression, "form": form},
        parts={"suppressions-lift": "lists/suppressions/_lift.html"},
    )
