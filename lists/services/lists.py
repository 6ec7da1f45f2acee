"""Lists: made, changed, archived and restored."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from lists.models import FINAL_STATES, ContactList, ImportState
from lists.models.audit import record as audit
from lists.services import Refused, name_still_free


def changes(instance: Any, names: Iterable[str], before: Mapping[str, Any]) -> dict[str, list[Any]]:
    """{field: [before, after]} of what differs, as the audit keeps it."""
    return {name: [before[name], getattr(instance, name)] for name in names if before[name] != getattr(instance, name)}


@transaction.atomic
def create_list(contact_list: ContactList, by: User | None) -> ContactList:
    """Raises Refused where the name is taken."""
    contact_list.owner = by
    with name_still_free(contact_list.name):
        contact_list.save()
    audit(by, "created", contact_list)
    return contact_list


@transaction.atomic
def change_list(contact_list: ContactList, changed: Mapping[str, list[Any]], by: User) -> None:
    """Save the fields of `changed` ({field: [before, after]}). Raises Refused where the name is taken."""
    with name_still_free(contact_list.name):
        contact_list.save(update_fields=[*changed, "updated_at"])
    audit(by, "changed", contact_list, **changed)


@transaction.atomic
def archive_list(contact_list: ContactList, by: User) -> None:
    """Put a list away: it stays readable and takes no more files and pushes. Raises Refused while work is under way."""
    ContactList.objects.select_for_update().get(pk=contact_list.pk)  # an import that begins now waits and sees it
    if contact_list.runs.exclude(state__in=FINAL_STATES).exists():
        raise Refused("A push of this list is under way. Stop it or wait for its end, then archive the list.")
    if contact_list.imports.filter(state__in=[ImportState.ANALYSING, ImportState.COMMITTING]).exists():
        raise Refused("A file is being imported into this list. Wait for its end, then archive the list.")
    contact_list.archived_at = timezone.now()
    contact_list.save(update_fields=["archived_at", "updated_at"])
    audit(by, "archived", contact_list)


@transaction.atomic
def restore_list(contact_list: ContactList, by: User) -> None:
    contact_list.archived_at = None
    contact_list.save(update_fields=["archived_at", "updated_at"])
    audit(by, "restored", contact_list)
