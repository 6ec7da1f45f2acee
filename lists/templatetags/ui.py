"""What every template may use without loading it: badges, icons, the equation, figures, numbers of people, times.

`templates/components/README.md` shows each with an example.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django import forms, template
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lists.masking import phone_for
from lists.wording import clock, exactly, vendor_label

register = template.Library()
register.filter(phone_for)
register.filter(vendor_label)
register.simple_tag(clock)


class Look(NamedTuple):
    """How a state is drawn: an icon, its words, and the hue that `static/css/app.css` gives both."""

    icon: str
    words: str
    hue: str


def _looks(icon: str, hue: str, **words: str) -> dict[str, Look]:
    return {state: Look(icon, text or state.replace("_", " "), hue) for state, text in words.items()}


STATES: Mapping[str, Look] = {
    **_looks("check", "green", created="", added="", confirmed="", completed="", ok="working", answered=""),
    **_looks("refresh", "blue", updated="", sending="", running="", analysing="", committing="importing", undoing=""),
    **_looks("equal", "grey", unchanged="", already_present="", merged="", skipped="", planned="", draft="", undone=""),
    **_looks(
        "clock-hour-3",
        "violet",
        accepted="accepted, unconfirmed",
        waiting="",
        awaiting_approval="",
        queued="",
        ready="ready to import",
    ),
    **_looks("question-mark", "amber", unknown="", stalled="", completed_with_problems=""),
    **_looks("x", "red", rejected="", failed="", refused="", failing="needs attention"),
    **_looks("ban", "slate", suppressed="", not_sent="", stopped="", stopping="", discarded=""),
    **_looks("archive", "grey", archived=""),
    **_looks("circle-dashed", "grey", unchecked="not checked yet"),
}

NARROWEST = 0.8
"""Percent of the bar that a term with at least one row gets, so that twelve rejected rows of a million are seen."""


def look(state: str) -> Look:
    return STATES.get(state) or Look("circle-dashed", state.replace("_", " "), "grey")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A Tabler icon of `static/icons.svg`; decoration unless it has a label."""
    href = f"{static('icons.svg')}#{name}"
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, href)
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', href)


@register.inclusion_tag("components/_badge.html")
def badge(state: str, words: str = "") -> dict[str, Any]:
    """A state by icon, word and hue; `words` in the place of the usual ones."""
    drawn = look(str(state))
    return {"icon_name": drawn.icon, "hue": drawn.hue, "words": words or drawn.words}


class Term(NamedTuple):
    """One term of an equation: where its link goes, and where it lies in the bar (percent)."""

    state: str
    rows: int
    words: str
    hue: str
    href: str
    start: float
    width: float


@register.inclusion_tag("components/_equation.html")
def equation(total: int, unit: str, ledger: Mapping[str, int], href: str = "", current: str = "") -> dict[str, Any]:
    """`12,480 rows = 9,912 created + …`, with its bar.

    unit     plural: "rows", "contacts"
    ledger   {state: count} in the order to be shown; zeros are left out and told in a title
    href     where the rows are; each term links to it with `outcome=<state>` appended. No links when empty
    current  the state whose rows are shown now
    """
    told = {state: count for state, count in ledger.items() if count}
    widths = {state: max(100 * count / max(total, 1), NARROWEST) for state, count in told.items()}
    whole = sum(widths.values()) or 1
    terms, start = [], 0.0
    for state, count in told.items():
        width = 100 * widths[state] / whole
        link = f"{href}{'&' if '?' in href else '?'}outcome={state}" if href else ""
        terms.append(Term(state, count, look(state).words, look(state).hue, link, round(start, 3), round(width, 3)))
        start += width
    zeros = [look(state).words for state, count in ledger.items() if not count]
    return {
        "total": total,
        "unit": unit.removesuffix("s") if total == 1 else unit,
        "terms": terms,
        "none_of": f"None {', '.join(zeros)}" if zeros else "",
        "current": current,
    }


@register.filter
def hue(state: str) -> str:
    return look(str(state)).hue


@register.filter
def state_words(state: str) -> str:
    return look(str(state)).words


@register.filter
def figure(number: int | None) -> str:
    """12,480; a dash where nothing is known."""
    return "–" if number is None else f"{number:,}"


@register.filter
def counted(number: int | None, noun: str) -> str:
    """`1|counted:"contact"` is "1 contact", `4812|counted:"contact"` is "4,812 contacts"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{number or 0:,} {noun if number == 1 else plural}"


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """ "0.4 s", "42 s", "2 min 14 s", "3 h 20 min"; a dash where nothing is known."""
    if seconds is None:
        return "–"
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def role(user: Any) -> str:
    """The person's roles in words."""
    names = [group.name for group in user.groups.all()]
    return ", ".join(names) or ("superuser" if user.is_superuser else "no role")


def _relative(moment: datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    for size, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = int(seconds // size)
            text = f"{number} {name}{'' if number == 1 else 's'}"
            return f"in {text}" if ahead else f"{text} ago"
    return "in a moment" if ahead else "just now"


@register.simple_tag
def ago(moment: datetime | None, never: str = "never") -> SafeString | str:
    """ "3 hours ago", the date from thirty days on; the exact time with its zone on hover and for screen readers."""
    if moment is None:
        return never
    old = abs(timezone.now() - moment) >= timedelta(days=30)
    return format_html(
        '<time datetime="{}" title="{}" data-local="title">{}</time>',
        moment.isoformat(timespec="seconds"),
        exactly(moment),
        f"{timezone.localtime(moment):%-d %B %Y}" if old else _relative(moment),
    )


@register.inclusion_tag("components/_pager.html", takes_context=True)
def pager(
    context: template.Context,
    page: Any,
    target: str,
    *,
    param: str = "before",
    size: int = 50,
    total: int | None = None,
) -> dict[str, Any]:
    """The links below a slice: "50 more" and "From the beginning", real addresses that keep the filters.

    page    a `lists.paging.Slice`
    target  id of the part that htmx swaps
    param   of the address that carries the cursor, as the view reads it
    total   all rows, where the number is stored; rows are never counted for it
    """
    query = context["request"].GET.copy()
    query.pop(param, None)
    path = context["request"].path
    first = f"{path}?{query.urlencode()}" if query else path
    query[param] = str(page.next)
    return {
        "first": "" if page.is_first else first,
        "more": f"{path}?{query.urlencode()}" if page.next else "",
        "shown": len(page.rows),
        "size": size,
        "total": total,
        "target": target,
    }


CONTROLS: tuple[tuple[type[forms.Widget], str], ...] = (
    (forms.CheckboxSelectMultiple, ""),
    (forms.RadioSelect, ""),
    (forms.CheckboxInput, "form-check-input"),
    (forms.Select, "form-select"),
)


@register.filter
def control(field: BoundField) -> SafeString:
    """The field's control with the classes of its kind; ids and aria attributes are Django's own."""
    css = next((name for kind, name in CONTROLS if isinstance(field.field.widget, kind)), "form-control")
    given = field.field.widget.attrs.get("class", "")
    invalid = "is-invalid" if field.errors and css else ""
    return field.as_widget(attrs={"class": " ".join(filter(None, (given, css, invalid)))})


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def is_group(field: BoundField) -> bool:
    """Several controls under one legend: radio buttons and checkbox lists."""
    return field.field.widget.use_fieldset
