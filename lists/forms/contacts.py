"""What a person changes about a contact. The number is the contact, so it stays."""

import zoneinfo

from django import forms

from lists.fields import BY_NAME, TEXTS
from lists.models import Contact


class ContactForm(forms.ModelForm):
    class Meta:
        model = Contact
        fields = TEXTS
        help_texts = {"time_zone": "As Asia/Kolkata or Europe/London."}

    email = forms.EmailField(
        label="E-mail",
        required=False,
        max_length=BY_NAME["email"].longest,
        error_messages={"invalid": "Write one address, as name@example.org, or leave it empty."},
    )

    def clean_time_zone(self) -> str:
        given = self.cleaned_data["time_zone"].strip()
        if given and given not in zoneinfo.available_timezones():
            raise forms.ValidationError("Write it as Asia/Kolkata or Europe/London, or leave it empty.")
        return given
