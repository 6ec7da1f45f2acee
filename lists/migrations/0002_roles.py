"""What models cannot say: the four roles with the rights they have from the first day, and an audit that only grows."""

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


WRITTEN = "id, at, actor_name, action, object_type, object_id, object_name, details, previous_hash, hash"
REFUSAL = "The audit only grows: what is written is neither changed nor removed."

# By database: what has it refuse to change or remove an event. Deleting a person empties `actor_id`, which is no part
# of what an event says.
GUARD = {
    "sqlite": [
        f"""CREATE TRIGGER audit_event_stays_as_written BEFORE UPDATE OF {WRITTEN} ON lists_auditevent
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
        f"""CREATE TRIGGER audit_event_has_no_other_actor BEFORE UPDATE OF actor_id ON lists_auditevent
            WHEN NEW.actor_id IS NOT NULL BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
        f"""CREATE TRIGGER audit_event_stays BEFORE DELETE ON lists_auditevent
            BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END""",
    ],
    "postgresql": [
        f"""CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        f"""CREATE TRIGGER audit_event_stays_as_written BEFORE UPDATE OF {WRITTEN} ON lists_auditevent
            FOR EACH ROW EXECUTE FUNCTION audit_only_grows()""",
        """CREATE TRIGGER audit_event_has_no_other_actor BEFORE UPDATE OF actor_id ON lists_auditevent
            FOR EACH ROW WHEN (NEW.actor_id IS NOT NULL) EXECUTE FUNCTION audit_only_grows()""",
        """CREATE TRIGGER audit_event_stays BEFORE DELETE ON lists_auditevent
            FOR EACH ROW EXECUTE FUNCTION audit_only_grows()""",
    ],
}
UNGUARD = {
    "sqlite": [
        "DROP TRIGGER audit_event_stays_as_written",
        "DROP TRIGGER audit_event_has_no_other_actor",
        "DROP TRIGGER audit_event_stays",
    ],
    "postgresql": ["DROP FUNCTION audit_only_grows CASCADE"],
}


def guard_audit(apps, schema_editor):
    for statement in GUARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def unguard_audit(apps, schema_editor):
    for statement in UNGUARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [
        ("lists", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(make_roles, remove_roles),
        migrations.RunPython(guard_audit, unguard_audit),
    ]
