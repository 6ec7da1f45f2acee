"""What the pages of an import need, prepared for their templates."""

from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import reverse

from lists import jobs
from lists.forms.imports import MEANINGS
from lists.importing import changes, describing, duplicates, flow, remembering
from lists.importing.causes import Cause, Warned, read_causes, read_warnings, with_warning
from lists.importing.cleaning import OPTED_OUT
from lists.importing.columns import Mapping
from lists.importing.duplicates import Duplicates, Pattern, Sides
from lists.importing.progress import last_counted
from lists.importing.row_warnings import KINDS, Code
from lists.importing.saving import Source
from lists.masking import hide_numbers
from lists.models import Import, ImportRow, ImportState, OnExisting, OtherPerson, RemoteList, RowOutcome
from lists.pages.access import may_work_on
from lists.paging import in_order
from lists.permissions import may
from lists.sync import readiness
from lists.vendors.registry import vendor_class
from lists.wording import clock

ROWS_SHOWN = 50
PATTERNS_SHOWN = 12
SAMPLE = 20


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
    may_change = flow.is_open(imported) and may_work_on(user, imported)
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
        "may_upload": may_work_on(user, imported),
        "may_undo": may_undo(imported, user) and can_be_undone(imported),
        "may_discard": may_change,
        "sentence": describing.sentence(imported),
        "ledger": describing.ledger(imported),
        "to_import": imported.to_import,
        "action": describing.action(imported),
        "stays_out": describing.stays_out(imported),
        "not_imported": _headers_not_imported(imported),
        "vendors": readiness.judge_list(imported) if imported.state == ImportState.READY else [],
    }


def _headers_not_imported(imported: Import) -> list[str]:
    mapping = Mapping.from_dict(imported.mapping)
    return [imported.headers[at] for at in mapping.not_imported(imported.headers)]


def tabs(imported: Import, route: str, here: str) -> list[tuple[str, str, int | None, bool]]:
    """(label, address, count, is here), as `components/_tabs.html` draws them. Problems are counted by their kinds."""
    counts = {
        "problems": _kinds_of_problems(imported),
        "rows": imported.records,
        "duplicates": Duplicates.of(imported).rows,
    }
    address = reverse(route, args=[imported.pk])
    return [(TABS[tab], f"{address}?tab={tab}", counts.get(tab), tab == here) for tab in tabs_of(imported, route)]


def _kinds_of_problems(imported: Import) -> int:
    """How many errors and warnings the tab shows: as many as its cards, since one row may have several warnings."""
    errors = [cause for cause in imported.causes if cause.get("outcome", RowOutcome.REJECTED) == RowOutcome.REJECTED]
    return len(errors) + len(imported.warnings)


def tabs_of(imported: Import, route: str) -> list[str]:
    """The tabs of a page; a file of numbers nobody may call meets neither contacts nor vendors."""
    if route == "imports-detail":
        return ["problems", "rows", "settings"]
    more = [] if imported.is_of_suppressions else ["duplicates", "vendors"]
    return ["problems", "rows", *more, "columns"]


TABS = {
    "problems": "Problems",
    "rows": "Rows",
    "duplicates": "Duplicates",
    "vendors": "Vendors",
    "columns": "Columns",
    "settings": "How it was imported",
}


def may_undo(imported: Import, user: User | AnonymousUser) -> bool:
    """One's own import, or any with the right to undo others'."""
    own = imported.created_by_id == user.pk and may_work_on(user, imported)
    return own or may(user, "undo_import")


def can_be_undone(imported: Import) -> bool:
    """Whether what it saved can be taken back: its rows are still there, and it is of contacts."""
    is_saved = imported.state == ImportState.COMPLETED or flow.broke_off(imported)
    return is_saved and not imported.is_of_suppressions and imported.thinned_at is None


# What is told of the rows ---------------------------------------------------------------------------------------------


def tab_context(imported: Import, tab: str, user: User | AnonymousUser, address: QueryDict) -> dict[str, Any]:
    """What the tab shows, narrowed by the parameters of the address."""
    match tab:
        case "problems":
            return _problems(imported, user)
        case "duplicates":
            return _duplicates(imported)
        case "vendors":
            return {"readiness": readiness.judge_import(imported)}
        case "columns":
            return {"mapped": describing.mapped(imported)}
        case "settings":
            return {"mapped": describing.mapped(imported), "settings": _settings(imported)}
    return _rows(imported, address)


def _settings(imported: Import) -> list[tuple[str, Any]]:
    return [
        *describing.choices(imported),
        ("Began", clock(imported.started_at)),
        ("Ended", clock(imported.finished_at, "not yet")),
        ("Fingerprint (SHA-256)", imported.content_hash),
    ]


# Problems: errors, warnings, what was set apart -----------------------------------------------------------------------


def _problems(imported: Import, user: User | AnonymousUser) -> dict[str, Any]:
    """Rows that cannot be imported, rows with a warning, rows that are no contacts; each kind most rows first."""
    sees_numbers = may(user, "see_numbers")
    causes = read_causes(imported)
    apart = [cause for cause in causes if cause.outcome == RowOutcome.SKIPPED and cause.code not in KINDS]
    warned = read_warnings(imported)
    may_switch = imported.state == ImportState.READY and may_work_on(user, imported)
    return {
        "errors": [_cause_card(imported, each, sees_numbers) for each in causes if each.outcome == RowOutcome.REJECTED],
        "warnings": [_warning_card(imported, each, warned, sees_numbers, may_switch=may_switch) for each in warned],
        "apart": [_cause_card(imported, each, sees_numbers) for each in apart],
        "opt_outs": describing.opt_out_readings(imported),
    }


def _cause_card(imported: Import, cause: Cause, sees_numbers: bool) -> dict[str, Any]:
    """A cause as `components/_cause.html` draws it."""
    return {
        "state": cause.outcome,
        "title": cause.reason,
        "count": cause.rows,
        "unit": "row" if cause.rows == 1 else "rows",
        "text": f"{_column(cause.column)}{cause.suggestion}",
        "samples": [(_seen(value, sees_numbers), "") for value in cause.samples if value],
        "href": f"{_address(imported)}?outcome={cause.outcome}&code={cause.code}",
        "action": _see(cause.rows),
    }


def _warning_card(
    imported: Import, warned: Warned, all_warned: list[Warned], sees_numbers: bool, *, may_switch: bool
) -> dict[str, Any]:
    """A warning as `components/_cause.html` draws it, with the switch where a person may choose."""
    of_kind = [other.rows for other in all_warned if other.code == warned.code]
    card: dict[str, Any] = {
        "state": "completed_with_problems" if warned.imported else RowOutcome.SKIPPED,
        "title": warned.kind.title,
        "count": warned.rows,
        "unit": "row" if warned.rows == 1 else "rows",
        "text": f"{_column(warned.column)}{warned.kind.advice}",
        "samples": [
            (_seen(before, sees_numbers), _seen(after, sees_numbers) if after != before else "")
            for before, after in dict.fromkeys(warned.samples)
        ],
        "href": f"{_address(imported)}?warning={warned.code}",
        "action": _see(sum(of_kind)),
    }
    if warned.kind.is_choice and may_switch:
        card["switch"] = {
            "url": reverse("imports-switch", args=[imported.pk]),
            "fields": {"code": warned.code.value, "imported": "no" if warned.imported else "yes"},
            "label": _switch_label(sum(of_kind), is_imported=warned.imported),
        }
    if imported.state == ImportState.READY and (further := _DECIDED_ELSEWHERE.get(warned.code)):
        route, query, words = further
        card["further"] = (f"{reverse(route, args=[imported.pk])}{query}", words)
    return card


_DECIDED_ELSEWHERE = {
    Code.OTHER_PERSON: ("imports-check", "?tab=duplicates", "Decide under Duplicates"),
    Code.OPT_OUT_UNSURE: ("imports-columns", "", "Say what it means"),
    Code.SEVERAL_NUMBERS: ("imports-columns", "#numbers", "Choose which number counts"),
}
"""{warning: (route, rest of the address, words)} of the page on which a person decides about it."""


def _switch_label(rows: int, *, is_imported: bool) -> str:
    if rows == 1:
        return "Leave this row out" if is_imported else "Import this row all the same"
    return f"Leave these {rows:,} rows out" if is_imported else f"Import these {rows:,} rows all the same"


def _see(rows: int) -> str:
    return f"See {rows:,} rows" if rows > 1 else "See the row"


def _seen(text: str, sees_numbers: bool) -> str:
    return text if sees_numbers else hide_numbers(text)


def _column(name: str) -> str:
    return f"In column “{name}”. " if name else ""


def _address(imported: Import) -> str:
    """The page of an import that shows its rows now."""
    route = "imports-check" if imported.state == ImportState.READY else "imports-detail"
    return reverse(route, args=[imported.pk])


# Duplicates -----------------------------------------------------------------------------------------------------------


class Group(NamedTuple):
    """Patterns of duplicates as they are drawn, each with an example, and what is not drawn: (patterns, rows)."""

    patterns: list[tuple[Pattern, Sides | None]]
    further: tuple[int, int]


def _duplicates(imported: Import) -> dict[str, Any]:
    """The duplicates as the job has counted them; what is another person's stands apart."""
    found = Duplicates.of(imported)
    beside = {"in_file": duplicates.beside_first_line, "known": duplicates.beside_contact}
    patterns = {"in_file": found.in_file, "known": found.known}

    def group(place: str, *, of_other_people: bool) -> Group:
        alike = [each for each in patterns[place] if each.is_other_person == of_other_people]
        shown, rest = alike[:PATTERNS_SHOWN], alike[PATTERNS_SHOWN:]
        sides = beside[place](imported, [each.first_line for each in shown])
        return Group(
            [(each, sides.get(each.first_line)) for each in shown], (len(rest), sum(each.rows for each in rest))
        )

    return {
        "duplicates": found,
        "other_people": {place: group(place, of_other_people=True) for place in patterns},
        "in_file": group("in_file", of_other_people=False),
        "known": group("known", of_other_people=False),
        "effects": [(effect, OnExisting(effect.policy).label) for effect in found.effects],
        "decisions": [(each.value, each.label, MEANINGS["other_person"][each]) for each in OtherPerson],
    }


# Rows -----------------------------------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """What narrows the rows; what an address says that cannot be is left out."""

    outcome: str
    code: str
    warning: str

    @classmethod
    def of(cls, imported: Import, address: QueryDict) -> "Filter":
        outcome, code, warning = (address.get(name, "") for name in ("outcome", "code", "warning"))
        return cls(
            outcome if outcome in describing.ledger(imported) else "",
            code if code.isidentifier() else "",
            warning if warning in KINDS else "",
        )

    def rows(self, imported: Import) -> QuerySet[ImportRow]:
        rows = ImportRow.objects.filter(imported=imported).select_related("contact")
        if self.outcome and imported.unsaved:
            is_saved = self.outcome != describing.NOT_SAVED
            rows = rows.filter(**{"line__lte" if is_saved else "line__gt": last_counted(imported)})
        if self.outcome in RowOutcome.values:
            rows = rows.filter(outcome=self.outcome)
        if self.code:
            rows = rows.filter(code=self.code)
        return rows.filter(with_warning(self.warning)) if self.warning else rows

    def total(self, imported: Import) -> int | None:
        """How many rows there are, where that is stored."""
        if self.code or self.warning:
            return None
        return describing.ledger(imported)[self.outcome] if self.outcome else imported.records


def _rows(imported: Import, address: QueryDict) -> dict[str, Any]:
    """A page of rows, by the filters of the address."""
    chosen = Filter.of(imported, address)
    page = in_order(chosen.rows(imported), "line", address.get("after"), ROWS_SHOWN)
    show = changes.shower(imported)
    return {
        "page": page._replace(rows=[show(row) for row in page.rows]),
        "size": ROWS_SHOWN,
        "usual_reason": Source.of(imported).reason,
        "outcome": chosen.outcome,
        "code": chosen.code,
        "warning": chosen.warning,
        "warning_title": KINDS[Code(chosen.warning)].title if chosen.warning else "",
        "total": chosen.total(imported),
    }


# What undoing leaves open ---------------------------------------------------------------------------------------------


def opted_out(imported: Import) -> int:
    """Rows whose numbers the import made do-not-contact by what the file says: undoing lifts none of them."""
    rows = imported.rows.filter(outcome=RowOutcome.SUPPRESSED, code=OPTED_OUT)
    if flow.broke_off(imported):
        return rows.filter(line__lte=last_counted(imported)).count()
    unsure = imported.rows.filter(with_warning(Code.OPT_OUT_UNSURE))
    unsure = unsure.exclude(outcome__in=[RowOutcome.REJECTED, RowOutcome.SKIPPED]).exclude(code=OPTED_OUT)
    return rows.count() + unsure.count()


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
