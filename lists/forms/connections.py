"""A connection's form grows from what its vendor declares. Secrets are write-only."""

from collections.abc import Callable, Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.forms import BoundField

from lists.models import Connection
from lists.rehearsal import CREDENTIALS
from lists.services import connections
from lists.vendors.base import HttpVendor, Setting

REHEARSAL_URL = "http://127.0.0.1:8001"
"""Where `serve` plays the vendors unless it is told another port."""


def rehearsal_settings(vendor: type[HttpVendor]) -> dict[str, str]:
    """What a connection to the played vendor needs, secrets apart."""
    played = Connection.objects.current().filter(vendor=vendor.key, rehearsal=True).first()
    secret = {setting.name for setting in vendor.settings if setting.secret}
    return {
        **{name: value for name, value in CREDENTIALS[vendor.key].items() if name not in secret},
        "base_url": played.settings["base_url"] if played else f"{REHEARSAL_URL}/{vendor.key}",
    }


def in_sentence(label: str) -> str:
    """ "Account id" as "account id", "API key" as it is."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


class ConnectionForm(forms.Form):
    """name, then one field a declared setting; `settings` and `secrets` are what was given, apart from each other.

    is_rehearsal  tells of a base URL whether the vendors are played there
    """

    name = forms.CharField(max_length=100, help_text="As people here call it: “LeadLex India”.")

    def __init__(
        self,
        *args: Any,
        vendor: type[HttpVendor],
        connection: Connection,
        is_rehearsal: Callable[[str], bool],
        **kwargs: Any,
    ) -> None:
        self.vendor, self.connection, self.is_rehearsal = vendor, connection, is_rehearsal
        kwargs["initial"] = {**connection.settings, "name": connection.name, **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.is_new = connection.pk is None
        for setting in vendor.settings:
            self.fields[setting.name] = self._field(setting)

    def _field(self, setting: Setting) -> forms.Field:
        common: dict[str, Any] = {
            "label": setting.label,
            "help_text": setting.help,
            "required": setting.required and not setting.secret,
            "initial": setting.default,
            "error_messages": {"required": f"Enter the {in_sentence(setting.label)}."},
        }
        if setting.secret:
            common["help_text"] = f"{setting.help} {self._when_left_empty()}".strip()
            attrs = {"autocomplete": "off", "spellcheck": "false"}
            return forms.CharField(**common, widget=forms.PasswordInput(attrs), max_length=500)
        if setting.kind == "flag":
            return forms.BooleanField(**{**common, "initial": bool(setting.default)})
        if setting.kind == "choice":
            return forms.ChoiceField(**common, choices=setting.choices)
        if setting.kind == "number":
            common["error_messages"] |= {"invalid": "Write a whole number.", "min_value": "Write 0 or more."}
            return forms.IntegerField(**common, min_value=0, max_value=10_000_000)
        return forms.CharField(**common, max_length=500)

    def _when_left_empty(self) -> str:
        if not self.is_new:
            return "One is stored; leave this empty to keep it."
        rehearses = self.is_rehearsal(self.initial.get("base_url", ""))
        return "Leave this empty in a rehearsal: its own is used." if rehearses else ""

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Connection.objects.filter(name=name).exclude(pk=self.connection.pk).exists():
            raise forms.ValidationError("There is a connection of this name already. Choose another one.")
        return name

    def clean_base_url(self) -> str:
        url: str = self.cleaned_data["base_url"].strip().rstrip("/")
        if url and (problem := self.vendor.judge_base_url(url, settings.VENDOR_HOSTS)):
            raise forms.ValidationError(problem)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for setting in self._secrets_wanting(cleaned):
            if self.is_new:
                self.add_error(setting.name, f"Enter the {in_sentence(setting.label)}.")
            else:
                self.add_error(setting.name, f"The address changes, so enter the {in_sentence(setting.label)} again.")
        return cleaned

    def _secrets_wanting(self, cleaned: dict[str, Any]) -> list[Setting]:
        """Secrets that must be given and are not: all of a new connection, and all once the address changes."""
        if self.is_rehearsal(cleaned.get("base_url", "")) or not (self.is_new or self._moves(cleaned)):
            return []
        return [setting for setting in self.vendor.settings if setting.secret and not cleaned.get(setting.name)]

    def _moves(self, cleaned: dict[str, Any]) -> bool:
        return connections.moves(self.connection, self.vendor, cleaned)

    @property
    def settings(self) -> dict[str, str]:
        return {
            setting.name: self._as_text(self.cleaned_data[setting.name])
            for setting in self.vendor.settings
            if not setting.secret
        }

    @property
    def secrets(self) -> dict[str, str]:
        """{name: secret} of those given; the played vendor's own where it is a rehearsal and none is given."""
        given = {s.name: self.cleaned_data[s.name] for s in self.vendor.settings if s.secret}
        if self.is_rehearsal(self.cleaned_data["base_url"]) and (self.is_new or self._moves(self.cleaned_data)):
            given = {name: value or CREDENTIALS[self.vendor.key][name] for name, value in given.items()}
        return {name: value for name, value in given.items() if value}

    @staticmethod
    def _as_text(value: Any) -> str:
        """As a connection keeps it: text, "1" or "" for a flag, "" for a number left empty."""
        if isinstance(value, bool):
            return "1" if value else ""
        return "" if value is None else str(value)

    def usual(self) -> Iterator[BoundField]:
        yield self["name"]
        yield from (self[setting.name] for setting in self.vendor.settings if not setting.advanced)

    def advanced(self) -> list[BoundField]:
        return [self[setting.name] for setting in self.vendor.settings if setting.advanced]
