from django import forms
from django.contrib.auth import get_user_model

from lists.forms.runs import FilterForm


class AuditFilterForm(FilterForm):
    """Which events of the audit are shown."""

    actor = forms.ModelChoiceField(
        get_user_model().objects.order_by("username"), required=False, label="Who", empty_label="Everybody"
    )
    action = forms.CharField(
        required=False, label="Did what", max_length=50, widget=forms.TextInput({"placeholder": "Did what"})
    )
    subject = forms.CharField(
        required=False, label="To what", max_length=100, widget=forms.TextInput({"placeholder": "To what"})
    )
