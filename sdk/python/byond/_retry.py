"""When a call is repeated, and until when."""

from __future__ import annotations

import random
import time
from typing import Any

from ._errors import ByondError
from ._operation import Operation

_REFUSALS = {"unavailable", "rate_limited", "idempotency_in_progress"}
"""Codes with which the server says that nothing was done."""

_FAILURES = {"connection_failed", "internal", "outcome_unknown"}
"""Codes after which nobody knows whether something was done."""


class Deadline:
    """A time until which something must be done."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._ends_at = time.monotonic() + timeout

    @property
    def remaining(self) -> float:
        """Seconds until then; negative when it has passed."""
        return self._ends_at - time.monotonic()

    def check(self) -> None:
        """Raises if it has passed."""
        if self.remaining <= 0:
            raise self.error()

    def error(self) -> ByondError:
        """The error of a call that was not done in time."""
        return ByondError(f"The call took longer than {self.timeout:g} seconds.", code="timed_out")


def is_worth_retrying(error: ByondError, is_repeatable: bool) -> bool:
    """Whether a call that failed may be sent again, and may then succeed."""
    is_from_a_proxy = error.code == "invalid_response" and (error.status or 0) >= 500
    return error.code in _REFUSALS or (is_repeatable and (error.code in _FAILURES or is_from_a_proxy))


def pause_seconds(error: ByondError, retries: int) -> float:
    """The pause before a repetition: what the server asked for, or half a second that doubles, up to 8 seconds."""
    if error.retry_after is not None:
        return error.retry_after + random.uniform(0, 0.25)
    return float(min(0.5 * 2**retries, 8)) * random.uniform(0.5, 1)


def pause_before_retry(
    error: ByondError,
    operation: Operation[Any],
    deadline: Deadline,
    *,
    retries: int,
    max_retries: int,
) -> float | None:
    """The seconds after which the call is repeated. None: it is not."""
    if retries >= max_retries or not is_worth_retrying(error, operation.is_repeatable):
        return None
    pause = pause_seconds(error, retries)
    return pause if pause < deadline.remaining else None
