"""What a load balancer and a monitor ask: is this process alive, and can the product do its work."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lists import jobs


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers and a worker checked in within a minute; otherwise 503, and what is missing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        silent = jobs.silent_since()
    except DatabaseError:
        return JsonResponse({"database": "unreachable", "worker": "unknown"}, status=503)
    if silent:
        return JsonResponse({"database": "ok", "worker": "silent"}, status=503)
    return JsonResponse({"database": "ok", "worker": "ok"})
