"""The error of calls and of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ._generated.types import ErrorCode, GuardReason

ClientErrorCode = Literal[
    "connection_failed",
    "timed_out",
    "invalid_response",
    "webhook_signature_invalid",
    "webhook_signature_expired",
]
"""A code of an error that the SDK itself reports:

- `connection_failed`: the server was not reached, or the connection was lost;
- `timed_out`: the deadline of the call passed;
- `invalid_response`: what answered is not the API, but perhaps a proxy in front of it;
- `webhook_signature_invalid`: a webhook was not signed with this secret, or not as it arrived;
- `webhook_signature_expired`: a webhook was signed too long ago, or the clocks differ.
"""


class ByondError(Exception):
    """The error of a call that failed, whether the server refused it or it never got there.

    Example:
        ```python
        try:
            byond.verify.start(channel="email", recipient=recipient)
        except ByondError as error:
            if error.code == "rate_limited":
                return try_again_in(error.retry_after)
            raise
        ```
    """

    code: ErrorCode | ClientErrorCode | str
    """Branch on it. Newer servers may have codes that this version does not know."""

    message: str
    """What went wrong, for developers."""

    status: int | None
    """The HTTP status. None if there was no answer, and over gRPC."""

    request_id: str | None
    """The id of the request. Quote it when asking for support."""

    retry_after: float | None
    """With `rate_limited` and `unavailable`: the seconds to wait before the call is repeated."""

    fields: Mapping[str, str] | None
    """With `validation_error`: what is wrong, by the name of the field."""

    required_scope: str | None
    """With `insufficient_scope`: the scope that the key lacks."""

    reason: GuardReason | str | None
    """With `recipient_blocked`, and where the fraud guard answers otherwise: why it refused the send."""

    spent: str | None
    """With `spend_cap_reached`: what was spent in the period of the cap, such as `25.00`."""

    resets_at: datetime | None
    """With `spend_cap_reached`: when the next period begins."""

    documentation_url: str | None
    """Where the code is explained."""

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | ClientErrorCode | str,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        fields: Mapping[str, str] | None = None,
        required_scope: str | None = None,
        reason: GuardReason | str | None = None,
        spent: str | None = None,
        resets_at: datetime | None = None,
        documentation_url: str | None = None,
    ) -> None:
        """Makes an error, for tests of code that handles it."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.fields = fields
        self.required_scope = required_scope
        self.reason = reason
        self.spent = spent
        self.resets_at = resets_at
        self.documentation_url = documentation_url

    def __str__(self) -> str:
        details = [self.code, *(f"{name}: {problem}" for name, problem in (self.fields or {}).items())]
        return f"{self.message} ({', '.join(details)})"

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call the constructor without the code. Errors travel between processes, as in a task queue.
        return (_rebuild, (self.message, self.__dict__))


def _rebuild(message: str, details: Mapping[str, object]) -> ByondError:
    error = ByondError(message, code="")
    error.__dict__.update(details)
    return error


def read_error(error: object, status: int | None = None) -> ByondError | None:
    """Reads the member `error` of an answer. None if it is not one of the API."""
    if not isinstance(error, dict) or not isinstance(error.get("code"), str):
        return None

    def text(name: str) -> str | None:
        value = error.get(name)
        return value if isinstance(value, str) else None

    retry_after = error.get("retry_after")
    fields = error.get("fields")
    return ByondError(
        text("message") or error["code"],
        code=error["code"],
        status=status,
        request_id=text("request_id"),
        retry_after=retry_after if isinstance(retry_after, (int, float)) and 0 <= retry_after < float("inf") else None,
        fields={str(name): str(problem) for name, problem in fields.items()} if isinstance(fields, dict) else None,
        required_scope=text("required_scope"),
        reason=text("reason"),
        spent=text("spent"),
        resets_at=_time_of(text("resets_at")),
        documentation_url=text("documentation_url"),
    )


def _time_of(text: str | None) -> datetime | None:
    try:
        # `fromisoformat` reads no `Z` before Python 3.11.
        return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
