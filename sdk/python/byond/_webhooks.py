"""Verifies webhooks, and signs them as the server does."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, Literal, Optional

from ._converters import AS_IT_IS, TIMESTAMP, Message
from ._errors import ByondError
from ._generated.operations import EVENT
from ._generated.types import Event, Mode

_TOLERANCE_MS = 5 * 60_000
"""How far the time of a signature may be from now."""

_SECRET_PREFIX = "whsec_"


@dataclass(frozen=True)
class PingEvent:
    """The event of a test that `webhooks.test` sends. It is about nothing."""

    id: str
    """The id of the event. Every delivery of it has the same."""

    type: Literal["ping"]
    """Tells it apart from events."""

    mode: Mode
    """The mode of the webhook."""

    created_at: datetime
    """When the test was made."""

    data: None
    """Nothing."""


_PING_EVENT = Message(
    PingEvent, {"id": AS_IT_IS, "type": AS_IT_IS, "mode": AS_IT_IS, "created_at": TIMESTAMP, "data": AS_IT_IS}
)


def verify_webhook(headers: Mapping[str, str | Sequence[str]], body: bytes | str, secret: str) -> Event | PingEvent:
    """Verifies a webhook, and returns its event.

    Pass the body as it arrived, not JSON that was parsed and written again. Either of the two signatures is enough:
    that of Standard Webhooks (`webhook-signature`), or `byond-signature`.

    Args:
        headers: The headers of the request, as any framework has them. Names are matched in any case.
        body: The body, in bytes or text.
        secret: The secret of the endpoint: `whsec_…`.

    Raises:
        ByondError: With the code `webhook_signature_invalid` or `webhook_signature_expired`.
        ValueError: If there is no secret.

    Example:
        ```python
        event = verify_webhook(request.headers, request.get_data(), secret)
        if event.type == "verification.approved":
            print(event.data.verification_id)
        ```
    """
    secret = _check_secret(secret)
    content = body.encode() if isinstance(body, str) else bytes(body)
    lower = {name.lower(): value if isinstance(value, str) else ",".join(value) for name, value in headers.items()}
    time_ms = _verify_standard(lower.get, content, secret)
    if time_ms is None:
        time_ms = _verify_byond(lower.get, content, secret)
    if time_ms is None:
        raise ByondError(
            "The webhook is not signed with this secret, or its body is not the one that was signed.",
            code="webhook_signature_invalid",
        )
    if abs(time.time() * 1000 - time_ms) > _TOLERANCE_MS:
        raise ByondError(
            "The webhook was signed more than five minutes ago, or the clock is wrong.",
            code="webhook_signature_expired",
        )
    try:
        event = json.loads(content)
    except ValueError as error:
        raise ByondError("The body of the webhook is not an event.", code="invalid_response") from error
    is_ping = isinstance(event, dict) and event.get("type") == "ping"
    verified: Event | PingEvent = _PING_EVENT.read(event) if is_ping else EVENT.read(event)
    return verified


def sign_webhook(*, id: str, body: bytes | str, secret: str, now_ms: int | None = None) -> dict[str, str]:
    """Signs a webhook as the server does, for tests of your endpoint.

    Args:
        id: The id of the event.
        body: The body, as it is sent.
        secret: The secret of the endpoint: `whsec_…`.
        now_ms: The time in milliseconds since 1970. Default: now.

    Returns:
        The headers of both signatures.
    """
    secret = _check_secret(secret)
    content = body.encode() if isinstance(body, str) else body
    time_ms = int(time.time() * 1000) if now_ms is None else now_ms
    timestamp = str(time_ms // 1000)
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_standard_signature(secret, id, timestamp, content)}",
        "byond-signature": f"t={time_ms},v1={_byond_signature(secret, str(time_ms), content)}",
    }


def _check_secret(secret: str) -> str:
    """Without the line break of a file. An empty one, of a setting that is missing, would accept what anybody signs."""
    stripped = secret.strip()
    if stripped in ("", _SECRET_PREFIX):
        raise ValueError("The secret of the webhook is empty.")
    return stripped


_ReadHeader = Callable[[str], Optional[str]]


def _verify_standard(header: _ReadHeader, body: bytes, secret: str) -> int | None:
    """The time of the signature in milliseconds; None if it is missing, malformed or wrong."""
    id, timestamp, signatures = (header(f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if id is None or signatures is None or timestamp is None or not re.fullmatch(r"[0-9]{1,15}", timestamp):
        return None
    expected = f"v1,{_standard_signature(secret, id, timestamp, body)}"
    return int(timestamp) * 1000 if _is_any(signatures.split(" "), expected) else None


def _verify_byond(header: _ReadHeader, body: bytes, secret: str) -> int | None:
    stamp, *signatures = (part.strip() for part in (header("byond-signature") or "").split(","))
    match = re.fullmatch(r"t=([0-9]{1,15})", stamp)
    if match is None:
        return None
    expected = f"v1={_byond_signature(secret, match[1], body)}"
    return int(match[1]) if _is_any(signatures, expected) else None


def _is_any(signatures: Sequence[str], expected: str) -> bool:
    return any(hmac.compare_digest(signature.encode(), expected.encode()) for signature in signatures)


def _standard_signature(secret: str, id: str, timestamp: str, body: bytes) -> str:
    encoded = secret[len(_SECRET_PREFIX) :] if secret.startswith(_SECRET_PREFIX) else secret
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("The secret of a webhook is whsec_ and base64.") from None
    signature = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(signature).decode()


def _byond_signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
