"""Values as people read them, wherever a page shows them: the exact time, a vendor's name."""

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lists.vendors.registry import VENDORS


def exactly(moment: datetime) -> str:
    """ "5 July 2026, 14:03:09 UTC"."""
    return timezone.localtime(moment).strftime("%-d %B %Y, %H:%M:%S %Z")


def clock(moment: datetime | None, never: str = "never") -> SafeString | str:
    """The exact time with its zone; the reader's own zone where scripts run."""
    if moment is None:
        return never
    return format_html(
        '<time datetime="{}" data-local="text">{}</time>', moment.isoformat(timespec="seconds"), exactly(moment)
    )


def vendor_label(key: str) -> str:
    return VENDORS[key].label if key in VENDORS else key
