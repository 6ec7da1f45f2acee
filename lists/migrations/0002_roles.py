"""The four roles as groups, with the rights they have from the first day."""

from django.apps import apps as current_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

UPLOADER = {
    "view_contactlist", "view_contact", "see_numbers", "view_import", "upload_file", "view_suppression",
}
CAMPAIGN_MANAGER = UPLOADER | {
    "add_contactlist", "change_contactlist", "change_contact", "export_contacts", "add_suppression",
    "view_connection", "view_syncrun", "push_list", "approve_run",
}
ADMINISTRATOR = CAMPAIGN_MANAGER | {
    "add_connection", "change_connection", "check_connection", "lift_suppression", "undo_import", "view_auditevent",
}
AUDITOR = {
    "view_contactlist", "view_contact", "view_import", "view_suppression", "view_connection", "view_syncrun",
    "view_auditevent",
}
USERS = {"add_user", "change_user", "view_user", "view_group"}


def make_roles(apps, schema_editor):
    # Rights are made after a whole migrate; a fresh database has none yet.
    for label in ("lists", "auth", "contenttypes"):
        config = current_apps.get_app_config(label)
        create_permissions(config, verbosity=0, using=schema_editor.connection.alias)
    Group = apps.get_model("auth", "Group")
    Permission = apps.get_model("auth", "Permission")
    for name, rights in {
        "uploader": UPLOADER,
        "campaign manager": CAMPAIGN_MANAGER,
        "administrator": ADMINISTRATOR,
        "auditor": AUDITOR,
    }.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set(Permission.objects.filter(content_type__app_label="lists", codename__in=rights))
        if name == "administrator":
            group.permissions.add(*Permission.objects.filter(content_type__app_label="auth", codename__in=USERS))


def remove_roles(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(
        name__in=["uploader", "campaign manager", "administrator", "auditor"]
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("lists", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_roles, remove_roles)]
