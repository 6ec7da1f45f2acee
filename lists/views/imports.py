"""The imports: what was brought in, and the steps on which a file becomes contacts.

Every step is an address of its own that survives a reload. Nothing touches a contact before `commit`.
"""

from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lists import exporting, jobs, services
from lists.fields import BY_NAME, OF_CONTACT
from lists.forms.imports import DOUBLED, CappedUpload, ColumnsForm, ReadForm, UploadForm
from lists.htmx import go_to, render_page
from lists.importing import changes, describing, duplicates, flow, reading, remembering
from lists.importing import undo as undoing
from lists.importing.causes import Cause, read_causes
from lists.importing.columns import Mapping, guess
from lists.importing.flow import ImportRefused
from lists.importing.reading import Dialect, FileRefused, Record
from lists.models import ContactList, Import, ImportRow, ImportState, RemoteList, RowOutcome
from lists.models.audit import record as record_event
from lists.models.imports import NOTHING_SAVED
from lists.paging import in_order, newest_first
from lists.permissions import may, needs, person
from lists.sync import readiness
from lists.templatetags.imports import hide_numbers
from lists.templatetags.ui import clock
from lists.vendors.registry import vendor_class

IMPORTS_SHOWN = 30
ROWS_SHOWN = 50
PATTERNS_SHOWN = 12
SAMPLE = 20
COUNTED_AT_ONCE = 5 * 1024 * 1024
"""Bytes up to which all of a file is looked at while a person waits."""


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
        except services.Refused as refused:
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
    """The upload as a draft; the draft we have where the form was sent twice. Raises FileRefused, services.Refused."""
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


class SampleRow(NamedTuple):
    """A row of the grid: cells in the file's columns, cells beyond them, and how many are missing."""

    line: int
    cells: list[str]
    surplus: list[str]
    missing: int


@require_http_methods(["GET", "HEAD", "POST"])
@needs("upload_file")
def read(request: HttpRequest, import_id: int) -> HttpResponse:
    """How the file is read: encoding, delimiter, header row; shown on its first rows, and changeable."""
    imported = _an_import(import_id)
    if not _is_open(imported):
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
        {**_frame(request, imported, "imports-read"), "form": form, **_reading(imported)},
        parts={"imports-reading": "lists/imports/_reading.html"},
    )


def _is_on_the_server(imported: Import) -> bool:
    return bool(imported.file) and Path(imported.file.path).exists()


def _reading(imported: Import) -> dict[str, Any]:
    """What is seen of the file as it is read now. All of it is looked at only while that takes no time.

    inspection  counts over the whole of a small file; refusal  why not all of it can be read
    """
    dialect, path = Dialect.from_dict(imported.dialect), imported.file.path
    width = len(imported.headers)
    seen: dict[str, Any] = {
        "findings": describing.in_words(dialect),
        "certain": dialect.encoding.startswith("utf"),
        "rows": [],
    }
    try:
        seen["rows"] = [
            SampleRow(line, cells[:width], cells[width:], max(width - len(cells), 0))
            for line, cells in _records(imported, SAMPLE)
        ]
        if imported.size <= COUNTED_AT_ONCE:
            detected = reading.detect(path)
            if detected.dialect == dialect:
                seen |= {"findings": detected.found, "certain": detected.certain}
            else:  # somebody chose it
                seen["certain"] = True
            seen["inspection"] = reading.inspect(
                path, dialect.encoding, dialect.delimiter, dialect.has_header, sample=0
            )
    except FileRefused as refused:
        seen["refusal"] = refused.message
    return seen


def _records(imported: Import, count: int) -> list[Record]:
    """The first records of the file that hold anything."""
    records = reading.read(imported.file.path, Dialect.from_dict(imported.dialect))
    return list(islice((record for record in records if record.cells), count))


# Columns -------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@needs("upload_file")
def columns(request: HttpRequest, import_id: int) -> HttpResponse:
    """Which column of the file is what, the country of bare numbers, and what the file may change."""
    imported = _an_import(import_id)
    if not _is_open(imported):
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
    sample = [record.cells for record in _records(imported, flow.SAMPLE_ROWS)]
    region = imported.contact_list.default_region if imported.contact_list else ""
    suggestions = guess(imported.headers, sample, region or None)
    return render_page(
        request,
        "lists/imports/columns.html",
        {
            **_frame(request, imported, "imports-columns"),
            "form": form,
            "matches": [(suggestion, form.column_field(suggestion.column)) for suggestion in suggestions],
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
    if imported.state not in (ImportState.ANALYSING, ImportState.READY) and not _failed_before(imported):
        return go_to(request, "imports-detail", imported.pk)
    tab = _tab(request, imported, ("rows", "problems", "duplicates", "vendors"))
    context = {**_frame(request, imported, "imports-check"), "tab": tab, "tabs": _tabs(imported, "imports-check", tab)}
    if imported.state == ImportState.READY:
        context |= _tab_context(request, imported, tab)
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
    if imported.state in (ImportState.ANALYSING, ImportState.READY) or _failed_before(imported):
        return go_to(request, "imports-check", imported.pk)
    tab = _tab(request, imported, ("rows", "problems", "settings"))
    context = {
        **_frame(request, imported, "imports-detail"),
        "tab": tab,
        "tabs": _tabs(imported, "imports-detail", tab),
        "drift": describing.drift(imported),
    }
    if not imported.is_under_way:
        context |= _tab_context(request, imported, tab)
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
    if not _may_undo(request, imported):
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
            **_frame(request, imported, "imports-detail"),
            "plan": undoing.plan(imported.pk, imported.on_existing),
            "held": _held(imported),
        },
    )


class Held(NamedTuple):
    """What a vendor holds of the list, and whether it lets single contacts be taken off."""

    remote: RemoteList
    vendor: str
    lets_go: bool


def _held(imported: Import) -> list[Held]:
    found = []
    for remote in RemoteList.objects.filter(contact_list=imported.contact_list_id).select_related("connection"):
        vendor = vendor_class(remote.connection.vendor)
        found.append(Held(remote, vendor.label, "remove_member" in vendor.can))
    return found


# What several pages share --------------------------------------------------------------------------------------------


def _an_import(import_id: int) -> Import:
    return get_object_or_404(Import.objects.select_related("contact_list", "created_by"), pk=import_id)


def _is_open(imported: Import) -> bool:
    """Whether it may still be read and matched in another way."""
    return imported.state in (ImportState.DRAFT, ImportState.READY) or _failed_before(imported)


def _failed_before(imported: Import) -> bool:
    """Whether the check failed, so that nothing was saved."""
    return imported.state == ImportState.FAILED and imported.started_at is None


def _may_undo(request: HttpRequest, imported: Import) -> bool:
    own = imported.created_by_id == request.user.pk and may(request.user, "upload_file")
    return own or may(request.user, "undo_import")


class WizardStep(NamedTuple):
    route: str
    label: str
    url: str
    done: bool


STEPS = (
    ("imports-read", "Read"),
    ("imports-columns", "Match columns"),
    ("imports-check", "Check"),
    ("imports-detail", "Result"),
)


def _frame(request: HttpRequest, imported: Import, route: str) -> dict[str, Any]:
    """What every step shows around its work: the stepper, the file and its list, and what may be done."""
    places = [name for name, _ in STEPS]
    here = places.index(route)
    reached = {"imports-read", "imports-columns"} if _is_open(imported) and may(request.user, "upload_file") else set()
    if imported.state in (ImportState.READY, ImportState.ANALYSING):
        reached.add("imports-check")
    return {
        "imp": imported,
        "route": route,
        "steps": [
            WizardStep(name, label, reverse(name, args=[imported.pk]) if name in reached else "", place < here)
            for place, (name, label) in enumerate(STEPS)
        ],
        "under_way": imported.is_under_way,
        "progress": describing.progress(imported) if imported.is_under_way else None,
        "silent_since": jobs.silent_since() if imported.is_under_way else "",
        "imported_before": remembering.same_file(imported),
        "sees_numbers": may(request.user, "see_numbers"),
        "may_upload": may(request.user, "upload_file"),
        "may_undo": _may_undo(request, imported),
        "may_discard": _is_open(imported) and may(request.user, "upload_file"),
        "sentence": describing.sentence(imported),
        "to_import": imported.to_import,
        "stays_out": describing.stays_out(imported),
        "vendors": readiness.judge_list(imported) if imported.state == ImportState.READY else [],
    }


def _tabs(imported: Import, route: str, here: str) -> list[tuple[str, str, int | None, bool]]:
    """(label, address, count, is here), as `components/_tabs.html` draws them."""
    tabs: dict[str, tuple[str, int | None]] = {
        "problems": ("Problems", imported.rejected),
        "rows": ("Rows", imported.records),
    }
    if route == "imports-check":
        tabs |= {"duplicates": ("Duplicates", imported.merged + imported.updated + imported.unchanged)}
        tabs |= {"vendors": ("Vendors", None)}
    else:
        tabs |= {"settings": ("How it was imported", None)}
    address = reverse(route, args=[imported.pk])
    return [(label, f"{address}?tab={tab}", count, tab == here) for tab, (label, count) in tabs.items()]


def _tab(request: HttpRequest, imported: Import, tabs: tuple[str, ...]) -> str:
    """The tab the address asks for; what needs reading most where it asks for none."""
    if request.GET.get("outcome") or request.GET.get("code") or request.GET.get("after"):
        return "rows"
    chosen = request.GET.get("tab", "")
    return chosen if chosen in tabs else ("problems" if imported.rejected else "rows")


def _tab_context(request: HttpRequest, imported: Import, tab: str) -> dict[str, Any]:
    sees_numbers = may(request.user, "see_numbers")
    if tab == "problems":
        return {"causes": [_cause_card(imported, cause, sees_numbers) for cause in read_causes(imported)]}
    if tab == "duplicates":
        repeats = duplicates.repeats_in_file(imported)[:PATTERNS_SHOWN]
        known = duplicates.matches_with_existing(imported)[:PATTERNS_SHOWN]
        in_file = duplicates.beside_first_line(imported, [pattern.first_line for pattern in repeats])
        with_contact = duplicates.beside_contact(imported, [pattern.first_line for pattern in known])
        return {
            "repeats": [(pattern, in_file.get(pattern.first_line)) for pattern in repeats],
            "known": [(pattern, with_contact.get(pattern.first_line)) for pattern in known],
            "effects": duplicates.effects(imported),
            "matched": imported.updated + imported.unchanged,
        }
    if tab == "vendors":
        return {"readiness": readiness.judge_import(imported)}
    if tab == "settings":
        return {"mapped": describing.mapped(imported), "settings": _settings(imported)}
    return _rows(request, imported)


def _cause_card(imported: Import, cause: Cause, sees_numbers: bool) -> dict[str, Any]:
    """A cause as `components/_cause.html` draws it."""
    samples = [(value if sees_numbers else hide_numbers(value), "") for value in cause.samples if value]
    route = "imports-check" if imported.state == ImportState.READY else "imports-detail"
    rows = "row" if cause.rows == 1 else "rows"
    return {
        "state": "rejected",
        "title": cause.reason,
        "count": cause.rows,
        "unit": rows,
        "text": f"{_column(cause.column)}{cause.suggestion}",
        "samples": samples,
        "href": f"{reverse(route, args=[imported.pk])}?outcome=rejected&code={cause.code}",
        "action": f"See {cause.rows:,} {rows}" if cause.rows > 1 else "See the row",
    }


def _column(name: str) -> str:
    return f"In column “{name}”. " if name else ""


def _settings(imported: Import) -> list[tuple[str, Any]]:
    return [
        *describing.choices(imported),
        ("Began", clock(imported.started_at)),
        ("Ended", clock(imported.finished_at, "not yet")),
        ("Fingerprint (SHA-256)", imported.content_hash),
    ]


def _rows(request: HttpRequest, imported: Import) -> dict[str, Any]:
    """A page of rows, by the outcome and the code of the address; what cannot be read there narrows nothing."""
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in RowOutcome.values else ""
    code = request.GET.get("code", "")
    code = code if code.isidentifier() else ""
    rows: QuerySet[ImportRow] = ImportRow.objects.filter(imported=imported).select_related("contact")
    if outcome:
        rows = rows.filter(outcome=outcome)
    if code:
        rows = rows.filter(code=code)
    page = in_order(rows, "line", request.GET.get("after"), ROWS_SHOWN)
    return {
        "page": page._replace(rows=[changes.shown(imported, row) for row in page.rows]),
        "size": ROWS_SHOWN,
        "outcome": outcome,
        "code": code,
        "total": getattr(imported, outcome) if outcome and not code else None if code else imported.records,
    }


def _number(text: str) -> int:
    """An id from an address, which anybody can edit; 0, which is nobody's, when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
