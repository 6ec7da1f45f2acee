"""The imports: what was brought in, and the steps on which a file becomes contacts.

Every step is an address of its own that survives a reload. Nothing touches a contact before `commit`.
"""

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lists import exporting
from lists.fields import BY_NAME, OF_CONTACT
from lists.forms.imports import DOUBLED, CappedUpload, ColumnsForm, ReadForm, UploadForm
from lists.htmx import go_to, render_page
from lists.importing import describing, flow, remembering
from lists.importing import undo as undoing
from lists.importing.columns import Mapping
from lists.importing.flow import ImportRefused
from lists.importing.reading import Dialect, FileRefused
from lists.models import ContactList, Import, ImportState
from lists.models.audit import record as record_event
from lists.models.imports import NOTHING_SAVED
from lists.pages import imports as pages
from lists.paging import newest_first
from lists.permissions import may, needs, person
from lists.services import Refused

IMPORTS_SHOWN = 30


# The list of imports -------------------------------------------------------------------------------------------------


@require_safe
@needs("view_import")
def index(request: HttpRequest) -> HttpResponse:
    """Unfinished uploads, then what was imported, newest first."""
    imports = Import.objects.select_related("created_by", "contact_list")
    return render_page(
        request,
        "lists/imports/index.html",
        {
            "unfinished": imports.unfinished().order_by("-id")[:IMPORTS_SHOWN],
            "page": newest_first(
                imports.exclude(state__in=[*NOTHING_SAVED, ImportState.DISCARDED]),
                request.GET.get("before"),
                IMPORTS_SHOWN,
            ),
            "size": IMPORTS_SHOWN,
        },
        parts={"imports-table": "lists/imports/_table.html"},
    )


# Upload --------------------------------------------------------------------------------------------------------------


@csrf_exempt  # the cap must be in its place before the token is read; `_new` asks for the token
@require_http_methods(["GET", "HEAD", "POST"])
@needs("upload_file")
def new(request: HttpRequest) -> HttpResponse:
    """Upload a file, or paste rows, and say which list they are for."""
    cap = CappedUpload(request)
    request.upload_handlers.insert(0, cap)
    try:
        return _new(request, cap)
    except RequestDataTooBig:
        form = UploadForm({}, user=person(request))
        form.errors.clear()
        form.add_error("pasted", "That is too much to paste. Save the rows as a CSV file and upload it.")
        return _upload_page(request, form, status=413)


@csrf_protect
def _new(request: HttpRequest, cap: CappedUpload) -> HttpResponse:
    if request.method != "POST":
        chosen = ContactList.objects.current().filter(pk=_number(request.GET.get("list", ""))).first()
        return _upload_page(request, UploadForm(user=person(request), initial={"contact_list": chosen}))
    form = UploadForm(request.POST, request.FILES, user=person(request), is_over=cap.is_over)
    status = 413 if cap.is_over else 200
    if form.is_valid():
        try:
            imported = _receive(form)
        except Refused as refused:
            form.add_error("new_name", str(refused))
        except FileRefused as refused:
            form.add_error("file" if form.cleaned_data["file"] else "pasted", refused.message)
            status = 413 if refused.code == "too_large" else 200
        else:
            return go_to(request, "imports-read", imported.pk)
    return _upload_page(request, form, status=status)


def _upload_page(request: HttpRequest, form: UploadForm, *, status: int = 200) -> HttpResponse:
    return render_page(
        request,
        "lists/imports/new.html",
        {
            "form": form,
            "cap": settings.MAX_UPLOAD_MB,
            "expected": [(BY_NAME[name].label, BY_NAME[name].example, name == "phone") for name in OF_CONTACT],
        },
        parts={"imports-upload": "lists/imports/_upload.html"},
        status=status,
    )


def _receive(form: UploadForm) -> Import:
    """The upload as a draft; the draft we have where the form was sent twice. Raises FileRefused, Refused."""
    contact_list = form.target_list()
    imported = flow.receive(form.chunks(), form.filename, contact_list, form.user)
    twins = Import.objects.filter(
        created_by=form.user,
        contact_list=contact_list,
        content_hash=imported.content_hash,
        state=ImportState.DRAFT,
        created_at__gte=timezone.now() - DOUBLED,
        pk__lt=imported.pk,
    )
    if first := twins.order_by("pk").first():
        flow.discard(imported, form.user)
        return first
    return imported


@require_safe
@needs("upload_file")
def template(request: HttpRequest) -> HttpResponse:
    """An empty table with the columns we know and one row that passes our own checks."""
    response = HttpResponse(exporting.template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, "contacts template.csv")
    return response


# Read ----------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("upload_file")
def read(request: HttpRequest, import_id: int) -> HttpResponse:
    """How the file is read: encoding, delimiter, header row; shown on its first rows, and changeable."""
    imported = _an_import(import_id)
    if not flow.is_open(imported):
        return go_to(request, "imports-detail", imported.pk)
    if not _is_on_the_server(imported):
        messages.error(request, f"The upload of {imported.filename} is no longer on the server. Upload the file again.")
        return go_to(request, "imports-index")
    now = Dialect.from_dict(imported.dialect)
    form = ReadForm(request.POST or None, dialect=now)
    if request.method == "POST" and form.is_valid():
        try:
            if form.dialect != now:
                flow.read_as(imported, form.dialect)
        except (FileRefused, ImportRefused) as refused:
            form.add_error(None, str(refused))
        else:
            if "continue" in request.POST:
                return go_to(request, "imports-columns", imported.pk)
            form = ReadForm(dialect=form.dialect)
    return render_page(
        request,
        "lists/imports/read.html",
        {**pages.frame(imported, "imports-read", request.user), "form": form, **pages.as_read(imported)},
        parts={"imports-reading": "lists/imports/_reading.html"},
    )


def _is_on_the_server(imported: Import) -> bool:
    return bool(imported.file) and Path(imported.file.path).exists()


# Columns -------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("upload_file")
def columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Which column of the file is what, the country of bare numbers, and what the file may change."""
    imported = _an_import(import_id)
    if not flow.is_open(imported):
        return go_to(request, "imports-detail", imported.pk)
    if not _is_on_the_server(imported):
        messages.error(request, f"The upload of {imported.filename} is no longer on the server. Upload the file again.")
        return go_to(request, "imports-index")
    remembered = remembering.remembered(imported) if imported.state == ImportState.DRAFT else None
    form = ColumnsForm(
        request.POST or None,
        headers=imported.headers,
        mapping=remembered.mapping if remembered else Mapping.from_dict(imported.mapping),
        on_existing=remembered.on_existing if remembered else imported.on_existing,
    )
    if request.method == "POST" and form.is_valid():
        try:
            flow.match_columns(imported, form.mapping, form.cleaned_data["on_existing"])
        except ImportRefused as refused:
            form.add_error(None, str(refused))
        else:
            return go_to(request, "imports-check", imported.pk)
    return render_page(
        request,
        "lists/imports/columns.html",
        {
            **pages.frame(imported, "imports-columns", request.user),
            "form": form,
            "matches": [
                (suggestion, form.column_field(suggestion.column)) for suggestion in pages.suggestions(imported)
            ],
            "remembered": remembered,
        },
        parts={"imports-columns": "lists/imports/_columns.html"},
    )


# Check ---------------------------------------------------------------------------------------------------------------


@require_safe
@needs("view_import")
def check(request: HttpRequest, import_id: int) -> HttpResponse:
    """What the import would do, row by row, before anything is saved."""
    imported = _an_import(import_id)
    if imported.state == ImportState.DRAFT and may(request.user, "upload_file"):
        return go_to(request, "imports-columns", imported.pk)
    if imported.state not in (ImportState.ANALYSING, ImportState.READY) and not flow.failed_before_saving(imported):
        return go_to(request, "imports-detail", imported.pk)
    tab = _tab(request, imported, ("rows", "problems", "duplicates", "vendors"))
    context = {
        **pages.frame(imported, "imports-check", request.user),
        "tab": tab,
        "tabs": pages.tabs(imported, "imports-check", tab),
    }
    if imported.state == ImportState.READY:
        context |= pages.tab_context(imported, tab, request.user, request.GET)
    return render_page(
        request,
        "lists/imports/check.html",
        context,
        parts={"imports-check": "lists/imports/_check.html", "imports-rows": "lists/imports/_rows.html"},
    )


@require_POST
@needs("upload_file")
def policy(request: HttpRequest, import_id: int) -> HttpResponse:
    """Check the file again with another answer to what may change."""
    imported = _an_import(import_id)
    try:
        flow.match_columns(imported, Mapping.from_dict(imported.mapping), request.POST.get("on_existing", ""))
    except ImportRefused as refused:
        messages.error(request, str(refused))
    return go_to(request, "imports-check", imported.pk)


@require_POST
@needs("upload_file")
def commit(request: HttpRequest, import_id: int) -> HttpResponse:
    """Import what the check has shown. Sent twice, it is imported once."""
    imported = _an_import(import_id)
    try:
        flow.begin_commit(imported, person(request))
    except ImportRefused as refused:
        if imported.state not in (ImportState.COMMITTING, ImportState.COMPLETED):
            messages.error(request, str(refused))
            return go_to(request, "imports-check", imported.pk)
    return go_to(request, "imports-detail", imported.pk)


@require_POST
@needs("upload_file")
def discard(request: HttpRequest, import_id: int) -> HttpResponse:
    """Throw an upload away before anything of it was saved."""
    imported = _an_import(import_id)
    try:
        flow.discard(imported, person(request))
    except ImportRefused as refused:
        messages.error(request, str(refused))
        return go_to(request, "imports-detail", imported.pk)
    messages.success(request, f"{imported.filename} is discarded; nothing of it was saved.")
    return go_to(request, "imports-index")


# The permanent page --------------------------------------------------------------------------------------------------


@require_safe
@needs("view_import")
def detail(request: HttpRequest, import_id: int) -> HttpResponse:
    """What became of a file; while it is on its way, the step it is at."""
    imported = _an_import(import_id)
    if imported.state == ImportState.DRAFT and may(request.user, "upload_file"):
        return go_to(request, "imports-read", imported.pk)
    if imported.state in (ImportState.ANALYSING, ImportState.READY) or flow.failed_before_saving(imported):
        return go_to(request, "imports-check", imported.pk)
    tab = _tab(request, imported, ("rows", "problems", "settings"))
    context = {
        **pages.frame(imported, "imports-detail", request.user),
        "tab": tab,
        "tabs": pages.tabs(imported, "imports-detail", tab),
        "drift": describing.drift(imported),
    }
    if not imported.is_under_way:
        context |= pages.tab_context(imported, tab, request.user, request.GET)
    return render_page(
        request,
        "lists/imports/detail.html",
        context,
        parts={"imports-detail": "lists/imports/_detail.html", "imports-rows": "lists/imports/_rows.html"},
    )


@require_POST
@needs("view_import")
@needs("see_numbers")
def rejected(request: HttpRequest, import_id: int) -> StreamingHttpResponse:
    """The rejected rows as a file to repair and upload again. A post, because it is written down who took them."""
    imported = _an_import(import_id)
    record_event(person(request), "exported", imported, rejected=imported.rejected)
    response = StreamingHttpResponse(exporting.rejected_rows(imported), content_type="text/csv; charset=utf-8")
    stem = imported.filename.rpartition(".")[0] or imported.filename
    response["Content-Disposition"] = content_disposition_header(True, f"{stem} rejected.csv")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_import")
def undo(request: HttpRequest, import_id: int) -> HttpResponse:
    """What undoing would take away, give back and leave alone; and doing it."""
    imported = _an_import(import_id)
    if not pages.may_undo(imported, request.user):
        raise PermissionDenied
    if request.method == "POST":
        try:
            flow.begin_undo(imported, person(request))
        except ImportRefused as refused:
            if imported.state not in (ImportState.UNDOING, ImportState.UNDONE):
                messages.error(request, str(refused))
        return go_to(request, "imports-detail", imported.pk)
    if imported.state != ImportState.COMPLETED or imported.thinned_at:
        return go_to(request, "imports-detail", imported.pk)
    return render_page(
        request,
        "lists/imports/undo.html",
        {
            **pages.frame(imported, "imports-detail", request.user),
            "plan": undoing.plan(imported.pk, imported.on_existing),
            "held": pages.held(imported),
        },
    )


# What several pages share --------------------------------------------------------------------------------------------


def _an_import(import_id: int) -> Import:
    return get_object_or_404(Import.objects.select_related("contact_list", "created_by"), pk=import_id)


def _tab(request: HttpRequest, imported: Import, tabs: tuple[str, ...]) -> str:
    """The tab the address asks for; what needs reading most where it asks for none."""
    if request.GET.get("outcome") or request.GET.get("code") or request.GET.get("after"):
        return "rows"
    chosen = request.GET.get("tab", "")
    return chosen if chosen in tabs else ("problems" if imported.rejected else "rows")


def _number(text: str) -> int:
    """An id from an address, which anybody can edit; 0, which is nobody's, when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
