"""What the history can be narrowed to, and what a plan is asked for."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django import forms
from django.contrib.auth import get_user_model
from django.http import QueryDict

from lists.models import Connection, ContactList, ItemOutcome, RunKind, RunState
from lists.searching import SearchField
from lists.vendors.registry import VENDORS

TRIGGERS = {"person": "A person", "command": "A command", "import": "An import", "retry": "A retry"}


class Chip(NamedTuple):
    """One filter in force: what it says, and the query string of the page without it."""

    label: str
    without: str


class FilterForm(forms.Form):
    """Filters of a page that live in its address; what cannot be read hides nothing and says so."""

    data: QueryDict

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.is_valid()

    @property
    def chosen(self) -> dict:
        """{filter: value} of those in force."""
        return {name: value for name, value in self.cleaned_data.items() if value not in ("", None, False)}

    def chips(self) -> Iterator[Chip]:
        for name, value in self.chosen.items():
            rest = self.data.copy()
            for gone in (name, "before", "after"):
                rest.pop(gone, None)
            yield Chip(self._words(name, value), rest.urlencode())

    def _words(self, name: str, value: object) -> str:
        field, label = self.fields[name], str(self[name].label)
        if isinstance(field, forms.BooleanField):
            return label
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
            value = dict(field.choices)[value]  # type: ignore[arg-type]
        elif isinstance(field, forms.DateField):
            value = f"{value:%-d %B %Y}"
        return f"{label}: {value}"


def _choices(everything: str, labels: dict[str, str]) -> list[tuple[str, str]]:
    return [("", everything), *labels.items()]


class RunFilterForm(FilterForm):
    vendor = forms.ChoiceField(
        required=False, choices=_choices("Every vendor", {key: vendor.label for key, vendor in VENDORS.items()})
    )
    connection = forms.ModelChoiceField(Connection.objects.all(), required=False, empty_label="Every connection")
    contact_list = forms.ModelChoiceField(
        ContactList.objects.all(), required=False, label="List", empty_label="Every list"
    )
    state = forms.ChoiceField(
        required=False,
        choices=_choices("Every state", {value: label.capitalize() for value, label in RunState.choices}),
    )
    trigger = forms.ChoiceField(required=False, label="Started by", choices=_choices("Anything", TRIGGERS))
    by = forms.ModelChoiceField(get_user_model().objects.all(), required=False, label="Person", empty_label="Everybody")
    since = forms.DateField(required=False, label="From", widget=forms.DateInput({"type": "date"}))
    until = forms.DateField(required=False, label="To", widget=forms.DateInput({"type": "date"}))
    rehearsal = forms.ChoiceField(
        required=False,
        choices=_choices("Shown", {"without": "Left out", "only": "Nothing else"}),
    )
    problems = forms.BooleanField(required=False, label="With problems only")

    def __init__(self, data: QueryDict, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        # Somebody who never started a run would only make the choice longer.
        self.fields["by"].queryset = get_user_model().objects.exclude(runs=None).distinct()  # type: ignore[attr-defined]


class PlanForm(forms.Form):
    contact_list = forms.ModelChoiceField(ContactList.objects.current())
    connection = forms.ModelChoiceField(
        Connection.objects.current(),
        error_messages={"invalid_choice": "That connection is no longer in use. Choose another one."},
    )
    kind = forms.ChoiceField(choices=RunKind.choices, required=False)

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or RunKind.LIST


class ItemFilterForm(FilterForm):
    """Which contacts of a run are shown."""

    outcome = forms.ChoiceField(
        required=False,
        choices=_choices("Every outcome", {value: label.capitalize() for value, label in ItemOutcome.choices}),
    )
    code = forms.CharField(required=False, label="Code", max_length=60, widget=forms.HiddenInput)
    q = SearchField(
        required=False,
        label="Number or name",
        max_length=100,
        widget=forms.TextInput({"placeholder": "Number or name", "type": "search"}),
    )
