"""Who did what to which object, newest first, and whether the record is as it was written."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lists.forms.audit import AuditFilterForm
from lists.htmx import go_to, render_page
from lists.models import AuditEvent
from lists.models.audit import first_altered
from lists.paging import newest_first
from lists.permissions import needs
from lists.views.runs import without

PAGE = 50


@require_safe
@needs("view_auditevent")
def index(request: HttpRequest) -> HttpResponse:
    form = AuditFilterForm(request.GET)
    events = AuditEvent.objects.chosen(**form.chosen)
    return render_page(
        request,
        "lists/audit/index.html",
        {
            "form": form,
            "page": newest_first(events, request.GET.get("before"), PAGE),
            "query": without(request, "before"),
        },
        parts={"audit-table": "lists/audit/_table.html"},
    )


@require_POST
@needs("view_auditevent")
def verify(request: HttpRequest) -> HttpResponse:
    """Read the whole chain, every event there is, and tell whether it holds."""
    newest = AuditEvent.objects.first()
    altered = first_altered()
    if altered:
        messages.error(
            request,
            f"Event {altered.pk} is not as it was written, or does not follow the one before it. "
            "Everything older verifies. Compare the database with a backup from before that time.",
        )
    elif newest:
        messages.success(
            request,
            f"The chain is verified up to event {newest.pk} of {timezone.localtime(newest.at):%-d %B %Y, %H:%M %Z}: "
            "each is as it was written and follows the one before it. Should newer ones have been removed, only a "
            "backup can tell.",
        )
    else:
        messages.success(request, "There is no event to verify yet. Should some have been removed, a backup can tell.")
    return go_to(request, "audit-index")
