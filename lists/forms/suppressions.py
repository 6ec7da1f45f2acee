"""Numbers nobody may call, and the reason why one may be called again."""

from typing import Any

from django import forms

from lists.forms.imports import ACCEPTED, too_large
from lists.phones import REGIONS

MOST = 20_000
"""Numbers one page takes; more of them are uploaded as a file."""


class SuppressForm(forms.Form):
    numbers = forms.CharField(
        label="Numbers, one a line",
        widget=forms.Textarea({"rows": 8, "class": "font-monospace", "spellcheck": "false"}),
        help_text="In any spelling. What cannot be read is told by line; the others count all the same.",
        error_messages={"required": "Write at least one number."},
    )
    region = forms.ChoiceField(
        label="Country of numbers without a country code",
        required=False,
        choices=[("", "None: every number says its own"), *REGIONS.items()],
    )
    reason = forms.CharField(
        max_length=200,
        help_text="Kept with the number: “asked on the phone on 3 November”.",
        error_messages={"required": "Say why these numbers must not be contacted."},
    )

    def clean_numbers(self) -> str:
        numbers: str = self.cleaned_data["numbers"]
        lines = numbers.count("\n") + 1
        if lines > MOST:
            raise forms.ValidationError(
                f"These are {lines:,} lines; one page takes {MOST:,}. Send them in parts, or upload them as a file."
            )
        return numbers


class SuppressFileForm(forms.Form):
    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # what is wrong with it is told by the reader, in more words
        max_length=None,
        widget=forms.FileInput({"accept": ACCEPTED}),
        error_messages={"required": "Choose a file."},
    )
    reason = forms.CharField(
        max_length=200,
        required=False,
        help_text="Kept with each number for which the file gives no reason of its own. Left empty, it says which "
        "file the number came from.",
    )

    def __init__(self, *args: Any, is_over: bool = False, **kwargs: Any) -> None:
        """is_over  the file was over the cap and has been dropped on the way"""
        super().__init__(*args, **kwargs)
        if is_over:
            self.fields["file"].error_messages["required"] = too_large()


class LiftForm(forms.Form):
    reason = forms.CharField(
        label="Why may this number be contacted again?",
        max_length=200,
        help_text="Kept for good, with your name.",
        error_messages={"required": "Say why this number may be contacted again."},
    )
