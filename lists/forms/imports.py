"""What a person submits on the way of a file: the upload, how it is read, what its columns mean."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils import timezone

from lists.fields import BY_NAME, FIELDS, Field, Kind
from lists.forms.lists import vendor_limits
from lists.importing import opt_outs
from lists.importing.columns import EXTRA, IGNORE, SEVERAL, Mapping, first_of, problems
from lists.importing.describing import NUMBERS_IN_WORDS
from lists.importing.headers import LAST_LINE
from lists.importing.reading import DELIMITERS, ENCODINGS, Dialect
from lists.importing.row_warnings import KINDS
from lists.models import ContactList, Import, OnExisting, OtherPerson
from lists.permissions import may
from lists.phones import REGIONS

MEGABYTE = 1024 * 1024
DOUBLED = timedelta(seconds=60)
"""What the same person sends again within this time is the same upload, sent twice."""
PASTED = "pasted rows.csv"
ACCEPTED = ".csv,.tsv,.txt,.xlsx,.xls,.ods,.zip"
"""What a browser offers to choose. What a file is, only its content says."""
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
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
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
    """How a file is read: what was detected, changeable. A workbook has neither encoding nor delimiter.

    The header is chosen by a button beside its line; a form sent without that answer leaves it where it is.
    """

    NO_HEADER = "none"

    header_line = forms.ChoiceField(
        label="Header",
        choices=[(NO_HEADER, "There is none"), *((str(line), f"Line {line}") for line in range(1, LAST_LINE + 1))],
        required=False,
        error_messages={"invalid_choice": f"Choose one of the first {LAST_LINE} lines."},
    )

    def __init__(self, *args: Any, imported: Import, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.imported, self.read_now = imported, Dialect.from_dict(imported.dialect)
        if len(imported.sheets) > 1:
            self.fields["sheet"] = forms.ChoiceField(
                label="Sheet",
                choices=[(name, f"{name} ({rows:,} × {columns:,})") for name, rows, columns in imported.sheets],
                initial=imported.sheet,
                help_text="The figures are rows × columns.",
            )
        if not imported.sheets:
            delimiter = DELIMITERS.get(self.read_now.delimiter, self.read_now.delimiter)
            self.fields["encoding"] = forms.ChoiceField(
                label="Encoding", choices=list(ENCODINGS.items()), initial=self.read_now.encoding
            )
            self.fields["delimiter"] = forms.ChoiceField(
                label="Columns are separated by",
                # One that only a `sep=` line can name is offered as it is.
                choices=SEPARATORS if delimiter in DELIMITERS.values() else [*SEPARATORS, (delimiter, delimiter)],
                initial=delimiter,
            )

    @property
    def new_sheet(self) -> str:
        """The sheet that was chosen in the place of the one read now; "" where none was."""
        return self.cleaned_data["sheet"] if "sheet" in self.changed_data else ""

    @property
    def chosen(self) -> dict[str, Any]:
        """How to read it, as `reading.detect` takes it."""
        given, now = self.cleaned_data, self.read_now
        has_header, header_line = self._header()
        return {
            "encoding": given.get("encoding", now.encoding),
            "delimiter": given.get("delimiter", now.delimiter),
            "has_header": has_header,
            "header_line": header_line,
        }

    def _header(self) -> tuple[bool | None, int | None]:
        """(whether there is one, its line). Under another delimiter it is looked for anew: None for both."""
        if line := self.cleaned_data["header_line"]:
            return (False, None) if line == self.NO_HEADER else (True, int(line))
        if "delimiter" in self.changed_data:
            return None, None
        return self.read_now.has_header, self.read_now.header_line or None


MEANINGS: dict[str, dict[str, str]] = {
    "on_existing": {
        OnExisting.KEEP: "They stay as they are, and join the list.",
        OnExisting.FILL: "The file adds what is missing and changes nothing that is there.",
        OnExisting.REPLACE: "Where the file has a value, it wins. Undoing the import brings the earlier ones back.",
    },
    "other_person": {
        OtherPerson.KEEP: "The number stays with the person we have, and nothing of the row is taken.",
        OtherPerson.TAKE: "The number becomes the file’s person, with everything the row says and nothing of ours.",
        OtherPerson.LEAVE_OUT: "The rows are skipped; neither our contact nor the list changes.",
    },
}
"""{field: {answer: what it means}}"""
MOST_READINGS = 50
"""Different values of a column that are told or asked about, as many as the check counts by themselves."""
SAYS = [("", "Choose what it means"), ("yes", "Do not contact"), ("no", "May be contacted")]


class Reading(NamedTuple):
    """A value of a column that says who must not be contacted.

    means  what it means: True is do not contact; None where a person has to say it, in `field`
    """

    value: str
    means: bool | None
    field: forms.BoundField | None


class ColumnsForm(forms.Form):
    """One select per column of the file, the numbers that count, values for all rows, and what may change.

    headers  of the file
    mapping  what is proposed; what the form does not ask for stays as it says
    known    the fields a file of this purpose may hold
    values   gives the different values of a column, as compared; asked of columns that say who must not be contacted
    rivals   columns of which a person is asked which phone number comes first
    """

    region = forms.ChoiceField(
        label="Country of numbers written without one",
        choices=COUNTRIES,
        required=False,
        help_text="Where the file has a column with the country, that column comes first.",
    )
    numbers = forms.ChoiceField(
        label="Where a row has several numbers, import",
        choices=[(choice, f"{words[:1].upper()}{words[1:]}") for choice, words in NUMBERS_IN_WORDS.items()],
        widget=forms.RadioSelect,
        help_text="Numbers that are not used are kept in the attribute “Other numbers”.",
    )
    on_existing = forms.ChoiceField(label="Contacts we have already", choices=OnExisting, widget=forms.RadioSelect)
    other_person = forms.ChoiceField(
        label="Same number, other person",
        choices=OtherPerson,
        widget=forms.RadioSelect,
        help_text="Where the file gives a number another first and last name.",
    )
    keep_rest = forms.BooleanField(required=False)

    def __init__(
        self,
        *args: Any,
        headers: Sequence[str],
        mapping: Mapping,
        values: Callable[[int], Sequence[str]],
        known: Sequence[Field] = FIELDS,
        rivals: Sequence[int] = (),
        on_existing: str = OnExisting.FILL,
        other_person: str = OtherPerson.KEEP,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.headers, self.proposed, self.values = headers, mapping, values
        self.initial = {
            "region": mapping.region,
            "numbers": mapping.numbers,
            "on_existing": on_existing,
            "other_person": other_person,
            **self.initial,
        }
        fields = ("Fields", [(field.name, field.label) for field in known])
        for at, header in enumerate(headers):
            self.fields[f"column_{at}"] = self._column_field(at, header, fields)
        for name in SAME_FOR_ALL:
            self.fields[f"same_{name}"] = forms.CharField(
                label=BY_NAME[name].label,
                max_length=BY_NAME[name].longest,
                required=False,
                initial=mapping.constants.get(name, ""),
            )
        phones = list(dict.fromkeys([*mapping.phones, *rivals]))
        takes_every_number = known is not FIELDS  # a file of numbers nobody may call, which changes no contact either
        if len(phones) > 1 and not takes_every_number:
            self.fields["first_phone"] = forms.ChoiceField(
                label="Which phone column comes first?",
                choices=[(str(at), headers[at]) for at in phones],
                widget=forms.RadioSelect,
                required=False,
                initial=str(phones[0]),
            )
        if takes_every_number:
            for name in ("numbers", "on_existing", "other_person", *(f"same_{name}" for name in SAME_FOR_ALL)):
                del self.fields[name]
        self.asked = self._ask_what_values_mean()

    def _column_field(self, at: int, header: str, fields: tuple[str, list[tuple[str, str]]]) -> forms.ChoiceField:
        """The select of a column. One that may say who must not be contacted has no answer until a person gives it."""
        label = f"Import “{header}” as"
        if at in self.proposed.unsure:
            return forms.ChoiceField(
                label=label,
                choices=[
                    ("", "Choose what it says"),
                    ("do_not_contact", BY_NAME["do_not_contact"].label),
                    (EXTRA, "Keep as extra attribute"),
                    (IGNORE, "Do not import"),
                    ("Other fields", [field for field in fields[1] if field[0] != "do_not_contact"]),
                ],
                error_messages={"required": f"Choose what “{header}” is: it may say who must not be contacted."},
            )
        choices = [("", "Do not import"), fields, ("Other", [(EXTRA, "Keep as extra attribute")])]
        return forms.ChoiceField(label=label, choices=choices, required=False, initial=self.proposed.choice(at))

    # What the page draws ---------------------------------------------------------------------------------------------

    def _explained(self, name: str) -> list[tuple[forms.boundfield.BoundWidget, str]]:
        """The radio buttons of a field, each with what it means."""
        return [(radio, MEANINGS[name][radio.data["value"]]) for radio in self[name]]

    @property
    def policies(self) -> list[tuple[forms.boundfield.BoundWidget, str]]:
        return self._explained("on_existing")

    @property
    def other_people(self) -> list[tuple[forms.boundfield.BoundWidget, str]]:
        return self._explained("other_person")

    @property
    def same_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("same_")]

    @property
    def has_same_for_all(self) -> bool:
        return any(field.value() or field.errors for field in self.same_fields)

    @property
    def unmatched(self) -> list[str]:
        """Headers of the columns that would not be imported as the form stands."""
        return [
            header
            for at, header in enumerate(self.headers)
            if not self[f"column_{at}"].value() and at not in self.proposed.unsure
        ]

    def column_field(self, at: int) -> forms.BoundField:
        return self[f"column_{at}"]

    def readings(self, at: int) -> list[Reading]:
        """What the values of a column mean, where it says, or may say, who must not be contacted."""
        sense = opt_outs.sense(self.headers[at])
        return [
            Reading(value, opt_outs.reading(value, sense), self[name] if name else None)
            for (column, value), name in self.asked.items()
            if column == at
        ]

    # What is asked ---------------------------------------------------------------------------------------------------

    def _ask_what_values_mean(self) -> dict[tuple[int, str], str]:
        """{(column, value): the name of the field that asks for its meaning, or "" where it says it itself}

        The columns of the proposal come first, so that a column somebody has just chosen changes no field's name.
        """
        proposed = sorted([*self.proposed.opt_out_columns, *self.proposed.unsure])
        chosen = [at for at in range(len(self.headers)) if self.data.get(f"column_{at}") == "do_not_contact"]
        asked: dict[tuple[int, str], str] = {}
        for at in dict.fromkeys([*proposed, *chosen]):
            sense, answers = opt_outs.sense(self.headers[at]), self.proposed.opt_out.get(at, {})
            for value in self.values(at)[:MOST_READINGS]:
                asked[at, value] = ""
                if opt_outs.reading(value, sense) is None:
                    name = asked[at, value] = f"opt_out_{len(asked)}"
                    self.fields[name] = forms.ChoiceField(
                        label=f"What “{value}” means",
                        choices=SAYS,
                        required=False,
                        initial=("yes" if answers[value] else "no") if value in answers else "",
                    )
        return asked

    # What is judged --------------------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        chosen = {at: given.get(f"column_{at}", "") for at in range(len(self.headers))}
        phones = self._phones_in_order([at for at, name in chosen.items() if name == "phone"])
        sure = [at for at, name in chosen.items() if name == "do_not_contact"]
        columns = first_of(phone=phones, do_not_contact=sure)
        for at, name in chosen.items():
            if name in ("", EXTRA, IGNORE, *SEVERAL) or at in phones:
                continue
            if name in columns:
                self.add_error(
                    f"column_{at}",
                    f"{BY_NAME[name].label} is taken from “{self.headers[columns[name]]}” already. Choose one of the "
                    "two columns.",
                )
            else:
                columns[name] = at
        kept = (EXTRA, "") if given.get("keep_rest") else (EXTRA,)
        self.mapping = replace(
            self.proposed,
            columns=columns,
            region=given.get("region", ""),
            constants={name: given[f"same_{name}"] for name in SAME_FOR_ALL if given.get(f"same_{name}")},
            extras=[at for at, name in chosen.items() if name in kept and at not in phones],
            more_phones=phones[1:],
            numbers=given.get("numbers") or self.proposed.numbers,
            more_opt_outs=sure[1:],
            opt_out={at: answers for at in sure if (answers := self._answers(at))},
            unsure=[],
        )
        if sentences := problems(self.mapping, self.headers):
            self.add_error(None, ValidationError(sentences))
        return given

    def _phones_in_order(self, chosen: list[int]) -> list[int]:
        """The phone columns as they are asked: the one put first, those proposed in their order, then file order."""
        proposed = [at for at in self.proposed.phones if at in chosen]
        phones = [*proposed, *(at for at in chosen if at not in proposed)]
        first = int(self.cleaned_data.get("first_phone") or -1)
        is_free = first >= 0 and not self.cleaned_data.get(f"column_{first}") and first not in self.proposed.phones
        if first in phones or is_free:  # a rival that is put first is a phone column by that
            phones = [first, *(at for at in phones if at != first)]
        return phones

    def _answers(self, column: int) -> dict[str, bool]:
        """{value: whether it means do not contact} as a person said it of a do-not-contact column."""
        answers = dict(self.proposed.opt_out.get(column, {}))
        for (at, value), name in self.asked.items():
            if at != column or not name or self.has_error(name):
                continue
            if answer := self.cleaned_data.get(name):
                answers[value] = answer == "yes"
            else:
                self.add_error(name, "Choose one of the two.")
        return answers

    @property
    def policy(self) -> dict[str, str]:
        """What may become of the contacts we have, as `flow.match_columns` takes it."""
        return {name: self.cleaned_data[name] for name in ("on_existing", "other_person") if name in self.cleaned_data}


class SwitchForm(forms.Form):
    """Whether the rows of a warning are imported, for a warning that leaves the choice to a person."""

    code = forms.ChoiceField(choices=[(code.value, kind.title) for code, kind in KINDS.items() if kind.is_choice])
    imported = forms.ChoiceField(choices=[("yes", "Import them all the same"), ("no", "Leave them out")])
