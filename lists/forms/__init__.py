from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    """Every field looks the same: label, control, help and error, tied together for screen readers."""

    field_template_name = "components/_field.html"
