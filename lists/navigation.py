"""The menu every page shows, cut down to what the person may see."""

from dataclasses import dataclass

from django.http import HttpRequest

from lists.models import Connection
from lists.permissions import may


@dataclass(frozen=True)
class Entry:
    label: str
    route: str
    icon: str
    right: str
    group: str = ""


MENU = (
    Entry("Dashboard", "dashboard", "layout-dashboard", "view_contactlist"),
    Entry("Lists", "lists-index", "list-details", "view_contactlist"),
    Entry("Contacts", "contacts-index", "users", "view_contact"),
    Entry("Imports", "imports-index", "file-import", "view_import"),
    Entry("Connections", "connections-index", "plug-connected", "view_connection", "Sync"),
    Entry("History", "runs-index", "history", "view_syncrun", "Sync"),
    Entry("Do not contact", "suppressions-index", "shield-off", "view_suppression", "Guard"),
    Entry("Audit", "audit-index", "clipboard-list", "view_auditevent", "Guard"),
)


def navigation(request: HttpRequest) -> dict[str, object]:
    """For every template: `menu` (entries the person may open), `section` (the one open now), `rehearsal`."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"menu": [], "section": "", "rehearsal": False}
    route = request.resolver_match.url_name or "" if request.resolver_match else ""
    return {
        "menu": [entry for entry in MENU if may(user, entry.right)],
        "section": route.split("-")[0],
        "rehearsal": Connection.objects.current().filter(rehearsal=True).exists(),
    }
