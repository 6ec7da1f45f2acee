"""What a person submits on the way of a file: the upload, how it is read, what its columns mean."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils import timezone

from lists.fields import BY_NAME, FIELDS, Kind
from lists.forms.lists import vendor_limits
from lists.importing.columns import EXTRA, Mapping, problems
from lists.importing.reading import DELIMITERS, ENCODINGS, Dialect
from lists.models import ContactList
from lists.models.imports import OnExisting
from lists.permissions import may
from lists.phones import REGIONS

MEGABYTE = 1024 * 1024
DOUBLED = timedelta(seconds=60)
"""What the same person sends again within this time is the same upload, sent twice."""
PASTED = "pasted rows.csv"
COUNTRIES = [
    ("", "None: every number says its country"),
    *((code, f"{name} ({code})") for code, name in REGIONS.items()),
]
SEPARATORS = [(name, name.capitalize()) for name in DELIMITERS.values()]
SAME_FOR_ALL = tuple(known.name for known in FIELDS if known.kind in (Kind.TEXT, Kind.TIME_ZONE))
"""Fields for which one value for all rows makes sense."""


class CappedUpload(FileUploadHandler):
    """Counts the bytes of an upload while they arrive and lets nothing beyond the cap reach the disk.

    What is left of the file is read and dropped, so that the rest of the form and our answer still get through.
    """

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.is_over = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        if start + len(raw_data) > settings.MAX_UPLOAD_MB * MEGABYTE:
            self.is_over = True
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def too_large() -> str:
    return f"The file is over {settings.MAX_UPLOAD_MB} MB. Choose a file under that size, or split it into several."


class UploadForm(forms.Form):
    """A file or pasted rows, and the list they go into: one that exists, or a new one where the person may make it."""

    file = forms.FileField(
        label="File",
        required=False,
        allow_empty_file=True,  # what is wrong with it is told by the reader, in more words
        max_length=None,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv,text/plain,text/tab-separated-values"}),
    )
    pasted = forms.CharField(
        label="Paste rows",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Copied from a spreadsheet, with the header row. More than a few thousand go better as a file.",
    )
    target = forms.ChoiceField(
        label="Into which list",
        choices=[("existing", "A list we have"), ("new", "A new list")],
        widget=forms.RadioSelect,
        initial="existing",
        required=False,
    )
    contact_list = forms.ModelChoiceField(
        ContactList.objects.none(), label="List", required=False, empty_label="Choose a list"
    )
    new_name = forms.CharField(label="Name of the new list", max_length=200, required=False)
    new_description = forms.CharField(
        label="Description",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What the list is for. Kore.ai refuses lists without one.",
    )
    new_region = forms.ChoiceField(label="Country of numbers written without one", choices=COUNTRIES, required=False)

    def __init__(self, *args: Any, user: User, is_over: bool = False, **kwargs: Any) -> None:
        """is_over  the file was over the cap and has been dropped on the way"""
        super().__init__(*args, **kwargs)
        self.user, self.is_over = user, is_over
        for name, limit in (("new_name", "list_name"), ("new_description", "list_description")):
            self.fields[name].widget.attrs["data-limits"] = json.dumps(vendor_limits(limit))
        choices = self.fields["contact_list"]
        assert isinstance(choices, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        choices.queryset = ContactList.objects.current()
        if not may(user, "add_contactlist"):
            for name in ("target", "new_name", "new_description", "new_region"):
                del self.fields[name]
        elif not choices.queryset.exists():
            self.initial.setdefault("target", "new")

    @property
    def wants_new_list(self) -> bool:
        return self.cleaned_data.get("target") == "new"

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if self.is_over:
            self.add_error("file", too_large())
        elif given.get("file") and given.get("pasted", "").strip():
            self.add_error("pasted", "Choose a file or paste rows, not both: empty this field, or leave the file out.")
        elif not given.get("file") and not given.get("pasted", "").strip() and not self.has_error("file"):
            self.add_error("file", "Choose a file, or paste rows.")
        if not self.wants_new_list:
            if not given.get("contact_list") and not self.has_error("contact_list"):
                self.add_error("contact_list", "Choose the list the contacts go into.")
        elif not given.get("new_name"):
            if not self.has_error("new_name"):
                self.add_error("new_name", "Give the new list a name.")
        elif (there := ContactList.objects.filter(name=given["new_name"]).first()) and not self._just_made(there):
            self.add_error(
                "new_name",
                f"There is a list “{given['new_name']}” already. Choose it, or give the new one another name.",
            )
        return given

    def _just_made(self, contact_list: ContactList) -> bool:
        """Whether this very form, sent twice, has made the list a moment ago."""
        return contact_list.owner == self.user and contact_list.created_at > timezone.now() - DOUBLED

    def target_list(self) -> ContactList:
        """The list the rows are for; one that is not saved yet where a new one is wanted."""
        given = self.cleaned_data
        if not self.wants_new_list:
            return given["contact_list"]
        return ContactList.objects.filter(name=given["new_name"]).first() or ContactList(
            name=given["new_name"], description=given["new_description"], default_region=given["new_region"]
        )

    def chunks(self) -> Iterable[bytes]:
        """The bytes that were given, a piece at a time."""
        if file := self.cleaned_data["file"]:
            return file.chunks()
        return [self.cleaned_data["pasted"].encode()]

    @property
    def filename(self) -> str:
        file = self.cleaned_data["file"]
        return file.name if file else PASTED


class ReadForm(forms.Form):
    """How the file is read: what was detected, changeable."""

    encoding = forms.ChoiceField(label="Encoding", choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(label="Columns are separated by", choices=SEPARATORS)
    header = forms.ChoiceField(label="Header row", choices=[("yes", "The first row"), ("no", "There is none")])

    @staticmethod
    def chosen(dialect: Dialect) -> dict[str, str]:
        """The form's values for a dialect. A delimiter only a `sep=` line can name is offered as it is."""
        return {
            "encoding": dialect.encoding,
            "delimiter": DELIMITERS.get(dialect.delimiter, dialect.delimiter),
            "header": "yes" if dialect.has_header else "no",
        }

    def __init__(self, *args: Any, dialect: Dialect, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = self.chosen(dialect)
        self.read_now = dialect
        if dialect.delimiter not in DELIMITERS:
            delimiter = self.fields["delimiter"]
            assert isinstance(delimiter, forms.ChoiceField)  # noqa: S101 - for the type checker
            delimiter.choices = [*SEPARATORS, (dialect.delimiter, dialect.delimiter)]

    @property
    def dialect(self) -> Dialect:
        """What was chosen. A byte order mark belongs to the file, so it is only there for the encoding it marks."""
        given, now = self.cleaned_data, self.read_now
        delimiter = next((char for char, name in DELIMITERS.items() if name == given["delimiter"]), given["delimiter"])
        bom = now.bom and given["encoding"] == now.encoding
        return Dialect(given["encoding"], delimiter, given["header"] == "yes", bom)


POLICIES = {
    OnExisting.KEEP: "They stay as they are, and join the list.",
    OnExisting.FILL: "The file adds what is missing and changes nothing that is there.",
    OnExisting.REPLACE: "Where the file has a value, it wins. Undoing the import brings the earlier ones back.",
}
"""What each answer to “what may the file change” means."""


class ColumnsForm(forms.Form):
    """One select per column of the file, the country of bare numbers, values for all rows, and what may change."""

    region = forms.ChoiceField(
        label="Country of numbers written without one",
        choices=COUNTRIES,
        required=False,
        help_text="Where the file has a column with the country, that column comes first.",
    )
    on_existing = forms.ChoiceField(label="Contacts we have already", choices=OnExisting, widget=forms.RadioSelect)

    def __init__(self, *args: Any, headers: Sequence[str], mapping: Mapping, on_existing: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers = headers
        self.initial = {"region": mapping.region, "on_existing": on_existing, **self.initial}
        choices = [
            ("", "Do not import"),
            ("Fields", [(known.name, known.label) for known in FIELDS]),
            ("Other", [(EXTRA, "Keep as extra attribute")]),
        ]
        for at, header in enumerate(headers):
            self.fields[f"column_{at}"] = forms.ChoiceField(
                label=f"Import “{header}” as", choices=choices, required=False, initial=mapping.choice(at)
            )
        for name in SAME_FOR_ALL:
            self.fields[f"same_{name}"] = forms.CharField(
                label=BY_NAME[name].label,
                max_length=BY_NAME[name].longest,
                required=False,
                initial=mapping.constants.get(name, ""),
            )

    @property
    def policies(self) -> list[tuple[forms.boundfield.BoundWidget, str]]:
        """The radio buttons of `on_existing`, each with what it means."""
        return [(radio, POLICIES[OnExisting(radio.data["value"])]) for radio in self["on_existing"]]

    @property
    def same_fields(self) -> list[forms.BoundField]:
        return [self[f"same_{name}"] for name in SAME_FOR_ALL]

    @property
    def has_same_for_all(self) -> bool:
        return any(field.value() or field.errors for field in self.same_fields)

    def column_field(self, at: int) -> forms.BoundField:
        return self[f"column_{at}"]

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        mapping = Mapping(region=given.get("region", ""))
        for at in range(len(self.headers)):
            name = given.get(f"column_{at}", "")
            if name == EXTRA:
                mapping.extras.append(at)
            elif name in mapping.columns:
                first = self.headers[mapping.columns[name]]
                self.add_error(
                    f"column_{at}",
                    f"{BY_NAME[name].label} is taken from “{first}” already. Choose one of the two columns.",
                )
            elif name:
                mapping.columns[name] = at
        mapping.constants = {name: given[f"same_{name}"] for name in SAME_FOR_ALL if given.get(f"same_{name}")}
        if sentences := problems(mapping, self.headers):
            self.add_error(None, ValidationError(sentences))
        self.mapping = mapping
        return given
