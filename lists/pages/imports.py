"""What the pages of an import need, prepared for their templates."""

from itertools import islice
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from lists import jobs
from lists.importing import changes, describing, duplicates, flow, reading, remembering
from lists.importing.causes import Cause, read_causes
from lists.importing.columns import Suggestion, guess
from lists.importing.reading import Dialect, FileRefused, Record
from lists.masking import hide_numbers
from lists.models import Import, ImportRow, ImportState, RemoteList, RowOutcome
from lists.paging import in_order
from lists.permissions import may
from lists.sync import readiness
from lists.vendors.registry import vendor_class
from lists.wording import clock

ROWS_SHOWN = 50
PATTERNS_SHOWN = 12
SAMPLE = 20
COUNTED_AT_ONCE = 5 * 1024 * 1024
"""Bytes up to which all of a file is looked at while a person waits."""


# Around every step ----------------------------------------------------------------------------------------------------


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


def frame(imported: Import, route: str, user: User | AnonymousUser) -> dict[str, Any]:
    """What every step shows around its work: the stepper, the file and its list, and what may be done."""
    places = [name for name, _ in STEPS]
    here = places.index(route)
    may_change = flow.is_open(imported) and may(user, "upload_file")
    reached = {"imports-read", "imports-columns"} if may_change else set()
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
        "sees_numbers": may(user, "see_numbers"),
        "may_upload": may(user, "upload_file"),
        "may_undo": may_undo(imported, user),
        "may_discard": may_change,
        "sentence": describing.sentence(imported),
        "to_import": imported.to_import,
        "stays_out": describing.stays_out(imported),
        "vendors": readiness.judge_list(imported) if imported.state == ImportState.READY else [],
    }


def tabs(imported: Import, route: str, here: str) -> list[tuple[str, str, int | None, bool]]:
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


def may_undo(imported: Import, user: User | AnonymousUser) -> bool:
    """One's own import, or any with the right to undo others'."""
    own = imported.created_by_id == user.pk and may(user, "upload_file")
    return own or may(user, "undo_import")


# Read and match -------------------------------------------------------------------------------------------------------


class SampleRow(NamedTuple):
    """A row of the grid: cells in the file's columns, cells beyond them, and how many are missing."""

    line: int
    cells: list[str]
    surplus: list[str]
    missing: int


def as_read(imported: Import) -> dict[str, Any]:
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


def suggestions(imported: Import) -> list[Suggestion]:
    """What each column of the file probably holds, by its header and its first rows."""
    sample = [record.cells for record in _records(imported, flow.SAMPLE_ROWS)]
    region = imported.contact_list.default_region if imported.contact_list else ""
    return guess(imported.headers, sample, region or None)


def _records(imported: Import, count: int) -> list[Record]:
    """The first records of the file that hold anything."""
    records = reading.read(imported.file.path, Dialect.from_dict(imported.dialect))
    return list(islice((record for record in records if record.cells), count))


# What is told of the rows ---------------------------------------------------------------------------------------------


def tab_context(imported: Import, tab: str, user: User | AnonymousUser, address: QueryDict) -> dict[str, Any]:
    """What the tab shows, narrowed by the parameters of the address."""
    sees_numbers = may(user, "see_numbers")
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
    return _rows(imported, address)


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


def _rows(imported: Import, address: QueryDict) -> dict[str, Any]:
    """A page of rows, by the outcome and the code of the address; what cannot be read there narrows nothing."""
    outcome = address.get("outcome", "")
    outcome = outcome if outcome in RowOutcome.values else ""
    code = address.get("code", "")
    code = code if code.isidentifier() else ""
    rows: QuerySet[ImportRow] = ImportRow.objects.filter(imported=imported).select_related("contact")
    if outcome:
        rows = rows.filter(outcome=outcome)
    if code:
        rows = rows.filter(code=code)
    page = in_order(rows, "line", address.get("after"), ROWS_SHOWN)
    return {
        "page": page._replace(rows=[changes.shown(imported, row) for row in page.rows]),
        "size": ROWS_SHOWN,
        "outcome": outcome,
        "code": code,
        "total": getattr(imported, outcome) if outcome and not code else None if code else imported.records,
    }


# What undoing leaves open ---------------------------------------------------------------------------------------------


class Held(NamedTuple):
    """What a vendor holds of the list, and whether it lets single contacts be taken off."""

    remote: RemoteList
    vendor: str
    lets_go: bool


def held(imported: Import) -> list[Held]:
    found = []
    for remote in RemoteList.objects.filter(contact_list=imported.contact_list_id).select_related("connection"):
        vendor = vendor_class(remote.connection.vendor)
        found.append(Held(remote, vendor.label, "remove_member" in vendor.can))
    return found
