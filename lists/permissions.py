"""Who may do what: the roles, the rights they give, and how a view asks.

A role is a group; the data migration `0002_roles` makes the groups. What a person may not do is not shown, and the
address itself answers 403.
"""

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest

UPLOADER = "uploader"
CAMPAIGN_MANAGER = "campaign manager"
ADMINISTRATOR = "administrator"
AUDITOR = "auditor"
ROLES = (UPLOADER, CAMPAIGN_MANAGER, ADMINISTRATOR, AUDITOR)


def needs(right: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Answer 403 unless the person has the right, `"push_list"` say."""
    return permission_required(f"lists.{right}", raise_exception=True)


def may(user: User | AnonymousUser, right: str) -> bool:
    return user.is_active and user.has_perm(f"lists.{right}")


def person(request: HttpRequest) -> User:
    """Who is asking; every address but the log-in requires somebody to be logged in."""
    return cast(User, request.user)
