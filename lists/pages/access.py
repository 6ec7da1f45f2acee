"""Who may work on an import: what its file is for decides which right it takes."""

from django.contrib.auth.models import AnonymousUser, User

from lists.models import Import
from lists.permissions import may


def may_work_on(user: User | AnonymousUser, imported: Import) -> bool:
    """Whether the person may read, match, check, import and discard this file."""
    return may(user, "add_suppression" if imported.is_of_suppressions else "upload_file")
