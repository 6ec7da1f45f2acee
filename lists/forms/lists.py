"""What a person submits about a list."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from lists.models import ContactList
from lists.phones import REGIONS
from lists.vendors.registry import VENDORS


def vendor_limits(name: str) -> dict[str, int]:
    """{vendor: characters} of the vendors that limit `list_name` or `list_description`."""
    limits = {vendor.label: getattr(vendor.limits, name) for vendor in VENDORS.values()}
    return {label: limit for label, limit in limits.items() if limit}


def _told(limits: Mapping[str, int]) -> str:
    return ", ".join(f"{label} takes at most {limit} characters" for label, limit in limits.items())


def _wants_description() -> str:
    labels = [vendor.label for vendor in VENDORS.values() if vendor.limits.description_required]
    return f"{', '.join(labels)} cannot take a list without one" if labels else ""


class ListForm(forms.ModelForm):
    """Vendors' limits are told and counted, not enforced: a list need not go to every vendor."""

    class Meta:
        model = ContactList
        fields = ("name", "description", "default_region", "allow_duplicates")
        widgets = {"description": forms.Textarea({"rows": 3})}
        error_messages = {
            "name": {
                "required": "Give the list a name.",
                "unique": "There is a list of this name already. Choose another one.",
            },
            "description": {"max_length": "Shorten it to %(limit_value)d characters; it has %(show_value)d."},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field, limit, more in (
            ("name", "list_name", ""),
            ("description", "list_description", _wants_description()),
        ):
            limits = vendor_limits(limit)
            self.fields[field].help_text = ". ".join(filter(None, (_told(limits), more))) + "."
            self.fields[field].widget.attrs["data-limits"] = json.dumps(limits)
        self.fields["default_region"] = forms.ChoiceField(
            label="Country of numbers without a country code",
            required=False,
            choices=[("", "None: every number says its own"), *REGIONS.items()],
        )
        self.fields["allow_duplicates"].label = "A number may be in this list more than once"
        self.fields["allow_duplicates"].help_text = "Repeats in a file are then kept as further entries, not merged."

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())
