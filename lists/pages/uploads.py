"""What the pages that take a file share."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.utils import timezone

from lists.forms.imports import DOUBLED
from lists.importing import flow
from lists.importing.flow import Target
from lists.models import Import, ImportState


def receive_once(chunks: Iterable[bytes], filename: str, target: Target, user: User) -> Import:
    """The upload as a draft; the draft we have where the same form was sent twice. Raises as `flow.receive` does."""
    imported = flow.receive(chunks, filename, target, user)
    twins = Import.objects.filter(
        created_by=user,
        purpose=imported.purpose,
        contact_list=imported.contact_list,
        reason=imported.reason,
        content_hash=imported.content_hash,
        state=ImportState.DRAFT,
        created_at__gte=timezone.now() - DOUBLED,
        pk__lt=imported.pk,
    )
    if first := twins.order_by("pk").first():
        flow.discard(imported, user)
        return first
    return imported
