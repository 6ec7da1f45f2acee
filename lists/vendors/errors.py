"""What can go wrong with a vendor, typed by what follows from it.

VendorError
├── VendorNotConfigured   a setting or credential is missing or wrong   the run stops: fix the connection
├── VendorCannot          the vendor has no such call                   nothing was sent
├── CredentialsRefused    401, 403                                      the run stops: fix the connection
├── ListGone              404 on the path of a list                     the run stops: fix the connection
├── QuotaExhausted        402                                           the run stops: fix the plan
├── RequestRefused        another 4xx                                   this batch fails, the run goes on
│   └── NameTaken         a list of that name exists                    look at `found`, or choose another name
├── NotSent               refused, DNS, TLS, broke before it was out    wait, then again: surely not applied
├── VendorBusy            429, throttling 503, a failed read            wait `retry_after` seconds, then again
└── OutcomeUnknown        read timeout, reset, 5xx to a change          the operation's `repeat_is_harmless` decides
    └── UnreadableReply   a 2xx that is not what the vendor promises    the same

The text of an error is a sentence for an administrator. Credentials never reach it, and phone numbers and e-mail
addresses in the vendor's words are masked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

if TYPE_CHECKING:
    from .records import RemoteListInfo


class Told(TypedDict, total=False):
    status: int | None
    code: str
    request_id: str
    excerpt: str
    attempts: int


class VendorError(Exception):
    """stops_run, batch_fails, retry and unknown say the consequence; exactly one of them is true.

    status, code  HTTP status and the vendor's own code, where there was an answer
    request_id    the handle the vendor's support asks for
    excerpt       masked beginning of the answer, at most 4 KB
    attempts      HTTP requests that were made
    """

    stops_run = False  # nothing further will work until a person has fixed something; resumable
    batch_fails = False  # this batch was refused, the next may pass
    retry = False  # surely not applied: the same may be sent again after a while
    unknown = False  # may have been applied

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        excerpt: str = "",
        attempts: int = 0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.excerpt = excerpt
        self.attempts = attempts


class VendorNotConfigured(VendorError):
    stops_run = True


class VendorCannot(VendorError):
    batch_fails = True


class CredentialsRefused(VendorError):
    stops_run = True


class ListGone(VendorError):
    stops_run = True


class QuotaExhausted(VendorError):
    stops_run = True


class RequestRefused(VendorError):
    """The vendor understood and said no.

    invalid_keys  remote ids the vendor named as invalid and that were in the request: drop these, send the rest
    strangers     ids it named that were never sent; told, and otherwise ignored
    too_large     it was refused for its size: halve it
    """

    batch_fails = True

    def __init__(
        self,
        message: str,
        *,
        invalid_keys: Sequence[str] = (),
        strangers: Sequence[str] = (),
        too_large: bool = False,
        **told: Unpack[Told],
    ) -> None:
        super().__init__(message, **told)
        self.invalid_keys = tuple(invalid_keys)
        self.strangers = tuple(strangers)
        self.too_large = too_large


class NameTaken(RequestRefused):
    """found: the lists of exactly that name, perhaps ours from an attempt whose answer was lost."""

    def __init__(self, message: str, *, found: Sequence[RemoteListInfo] = (), **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.found = tuple(found)


class NotSent(VendorError):
    retry = True


class VendorBusy(VendorError):
    """retry_after: seconds, at most a day; None leaves the wait to the caller."""

    retry = True

    def __init__(self, message: str, *, retry_after: float | None = None, **told: Unpack[Told]) -> None:
        super().__init__(message, **told)
        self.retry_after = retry_after


class OutcomeUnknown(VendorError):
    unknown = True


class UnreadableReply(OutcomeUnknown):
    pass
