"""The imports: what was brought in, and the steps on which a file becomes contacts.

Every step is an address of its own that survives a reload. Nothing touches a contact before `commit`.
"""

from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lists import exporting
from lists.fields import BY_NAME, OF_CONTACT
from lists.forms.imports import CappedUpload, ReadForm, SwitchForm, UploadForm
from lists.htmx import go_to, render_page
from lists.importing import describing, flow, reading, remembering
from lists.importing import undo as undoing
from lists.importing.columns import Mapping
from lists.importing.flow import ImportRefused, Target
from lists.importing.policy import Policy
from lists.importing.reading import FileRefused
from lists.models import ContactList, Import, ImportState
from lists.models.audit import record as record_event
from lists.models.imports import NOTHING_SAVED
from lists.pages import columns as matching
from lists.pages import imports as pages
from lists.pages.access import may_work_on
from lists.pages.reading import as_read
from lists.pages.uploads import receive_once
from lists.paging import newest_first
from lists.permissions import needs, person
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
            imported = receive_once(form.chunks(), form.filename, Target(form.target_list()), form.user)
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


@require_safe
@needs("upload_file")
def template(request: HttpRequest) -> HttpResponse:
    """An empty table with the columns we know and one row that passes our own checks."""
    response = HttpResponse(exporting.template(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, "contacts template.csv")
    return response


# Read ----------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_import")
def read(request: HttpRequest, import_id: int) -> HttpResponse:
    """How the file is read: sheet, encoding, delimiter, header; shown on its first lines, and changeable."""
    imported = _to_work_on(request, import_id)
    if not flow.is_open(imported):
        return go_to(request, "imports-detail", imported.pk)
    if not _is_on_the_server(imported):
        messages.error(request, f"The upload of {imported.filename} is no longer on the server. Upload the file again.")
        return go_to(request, "imports-index")
    form = ReadForm(request.POST or None, imported=imported)
    if request.method == "POST" and form.is_valid():
        try:
            _read_as_chosen(imported, form)
        except (FileRefused, ImportRefused) as refused:
            form.add_error(None, str(refused))
        else:
            if "continue" in request.POST:
                return go_to(request, "imports-columns", imported.pk)
            form = ReadForm(imported=imported)
    return render_page(
        request,
        "lists/imports/read.html",
        {
            **pages.frame(imported, "imports-read", request.user),
            "form": form,
            "header_moved": bool(request.POST.get("header_line")) and not form.errors,
            **as_read(imported),
        },
        parts={"imports-reading": "lists/imports/_reading.html"},
    )


def _read_as_chosen(imported: Import, form: ReadForm) -> None:
    """Read it as the form says, where that differs from now; another sheet as it is best read.

    Raises FileRefused, ImportRefused.
    """
    if form.new_sheet:
        flow.read_sheet(imported, form.new_sheet)
    elif form.has_changed():
        dialect = reading.detect(imported.table_path, **form.chosen).dialect
        if dialect != form.read_now:
            flow.read_as(imported, dialect)


def _is_on_the_server(imported: Import) -> bool:
    return bool(imported.file) and Path(imported.table_path).exists()


# Columns -------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("view_import")
def columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Which column of the file is what, the country of bare numbers, and what the file may change."""
    imported = _to_work_on(request, import_id)
    if not flow.is_open(imported):
        return go_to(request, "imports-detail", imported.pk)
    if not _is_on_the_server(imported):
        messages.error(request, f"The upload of {imported.filename} is no longer on the server. Upload the file again.")
        return go_to(request, "imports-index")
    remembered = remembering.remembered(imported) if imported.state == ImportState.DRAFT else None
    guess = flow.guess_columns(imported)
    form = matching.columns_form(imported, guess, remembered, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            flow.match_columns(imported, form.mapping, **form.policy)
        except ImportRefused as refused:
            form.add_error(None, str(refused))
        else:
            return go_to(request, "imports-check", imported.pk)
    questions = matching.open_questions(imported, guess, form, remembered)
    return render_page(
        request,
        "lists/imports/columns.html",
        {
            **pages.frame(imported, "imports-columns", request.user),
            "form": form,
            "matches": matching.matches(form, guess, remembered),
            "questions": questions,
            "asks_for_phone": any(question.code == "which_phone" for question in questions),
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
    if imported.state == ImportState.DRAFT and may_work_on(request.user, imported):
        return go_to(request, "imports-columns", imported.pk)
    if imported.state not in (ImportState.ANALYSING, ImportState.READY) and not flow.failed_before_saving(imported):
        return go_to(request, "imports-detail", imported.pk)
    tab = _tab(request, imported, "imports-check")
    context = {
        **pages.frame(imported, "imports-check", request.user),
        "tab": tab,
        "tabs": pages.tabs(imported, "imports-check", tab),
        "questions": flow.open_questions(imported),
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
@needs("view_import")
def policy(request: HttpRequest, import_id: int) -> HttpResponse:
    """Check the file again with another answer to what may change, or to whose number it is."""
    imported = _to_work_on(request, import_id)
    answers = {name: request.POST[name] for name in ("on_existing", "other_person") if name in request.POST}
    return _check_again(request, imported, Mapping.from_dict(imported.mapping), tab="duplicates", **answers)


@require_POST
@needs("view_import")
def switch(request: HttpRequest, import_id: int) -> HttpResponse:
    """Check the file again with the rows of a warning left out, or imported all the same."""
    imported = _to_work_on(request, import_id)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        messages.error(request, "That warning leaves no choice. Choose one of the buttons on this page.")
        return go_to(request, "imports-check", imported.pk)
    mapping = Mapping.from_dict(imported.mapping)
    mapping.switches[form.cleaned_data["code"]] = form.cleaned_data["imported"] == "yes"
    return _check_again(request, imported, mapping)


@require_POST
@needs("view_import")
def keep(request: HttpRequest, import_id: int) -> HttpResponse:
    """Check the file again with every column that is not matched kept as an attribute."""
    imported = _to_work_on(request, import_id)
    mapping = Mapping.from_dict(imported.mapping)
    mapping.extras += mapping.not_imported(imported.headers)
    return _check_again(request, imported, mapping)


def _check_again(
    request: HttpRequest, imported: Import, mapping: Mapping, *, tab: str = "", **answers: str
) -> HttpResponse:
    """The check begun once more, with the answers of before where there are no others; back to the tab it came from."""
    policy = {"on_existing": imported.on_existing, "other_person": imported.other_person} | answers
    try:
        flow.match_columns(imported, mapping, **policy)
    except ImportRefused as refused:
        messages.error(request, str(refused))
    return go_to(request, reverse("imports-check", args=[imported.pk], query={"tab": tab} if tab else None))


@require_POST
@needs("view_import")
def commit(request: HttpRequest, import_id: int) -> HttpResponse:
    """Import what the check has shown. Sent twice, it is imported once."""
    imported = _to_work_on(request, import_id)
    try:
        flow.begin_commit(imported, person(request))
    except ImportRefused as refused:
        if imported.state not in (ImportState.COMMITTING, ImportState.COMPLETED):
            messages.error(request, str(refused))
            return go_to(request, "imports-check", imported.pk)
    return go_to(request, "imports-detail", imported.pk)


@require_POST
@needs("view_import")
def discard(request: HttpRequest, import_id: int) -> HttpResponse:
    """Throw an upload away before anything of it was saved."""
    imported = _to_work_on(request, import_id)
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
    if imported.state == ImportState.DRAFT and may_work_on(request.user, imported):
        return go_to(request, "imports-read", imported.pk)
    if imported.state in (ImportState.ANALYSING, ImportState.READY) or flow.failed_before_saving(imported):
        return go_to(request, "imports-check", imported.pk)
    tab = _tab(request, imported, "imports-detail")
    context = {
        **pages.frame(imported, "imports-detail", request.user),
        "tab": tab,
        "tabs": pages.tabs(imported, "imports-detail", tab),
        "drift": describing.drift(imported),
        "broke_off": flow.broke_off(imported),
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
def go_on(request: HttpRequest, import_id: int) -> HttpResponse:
    """Save the rows that an import which broke off did not reach."""
    imported = _to_work_on(request, import_id)
    try:
        flow.go_on(imported, person(request))
    except ImportRefused as refused:
        if imported.state not in (ImportState.COMMITTING, ImportState.COMPLETED):
            messages.error(request, str(refused))
    return go_to(request, "imports-detail", imported.pk)


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
    if not pages.can_be_undone(imported):
        return go_to(request, "imports-detail", imported.pk)
    return render_page(
        request,
        "lists/imports/undo.html",
        {
            **pages.frame(imported, "imports-detail", request.user),
            "plan": undoing.plan(imported.pk, Policy.of(imported), list_id=imported.contact_list_id),
            "opted_out": pages.opted_out(imported),
            "held": pages.held(imported),
        },
    )


# What several pages share --------------------------------------------------------------------------------------------


def _to_work_on(request: HttpRequest, import_id: int) -> Import:
    """The import, for whoever may bring it on its way. Raises PermissionDenied."""
    imported = _an_import(import_id)
    if not may_work_on(request.user, imported):
        raise PermissionDenied
    return imported


def _an_import(import_id: int) -> Import:
    return get_object_or_404(Import.objects.select_related("contact_list", "created_by"), pk=import_id)


def _tab(request: HttpRequest, imported: Import, route: str) -> str:
    """The tab the address asks for; what needs reading most where it asks for none."""
    if any(request.GET.get(name) for name in ("outcome", "code", "warning", "after")):
        return "rows"
    chosen = request.GET.get("tab", "")
    if chosen in pages.tabs_of(imported, route):
        return chosen
    return "problems" if imported.rejected or imported.warnings else "rows"


def _number(text: str) -> int:
    """An id from an address, which anybody can edit; 0, which is nobody's, when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
