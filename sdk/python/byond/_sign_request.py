"""Signatures of requests, for keys that demand them."""

from __future__ import annotations

import hashlib
import hmac
import time


def sign_request(
    *,
    credential: str,
    method: str,
    target: str,
    body: bytes = b"",
    now_ms: int | None = None,
) -> str:
    """Makes the header `Byond-Signature` of a request: `t=<unix ms>,v2=<hex HMAC-SHA256>`.

    The client sends it with `sign_requests`. The server accepts each signature of a call with effects once, for five
    minutes.

    Args:
        credential: The API key, or the access token.
        method: `GET`, `POST` and so on.
        target: Path and query as they are sent, below the address of the server: `/api/v1/lookup?number=%2B6591234567`.
        body: The body as it is sent.
        now_ms: The time in milliseconds since 1970. Default: now.
    """
    time_ms = int(time.time() * 1000) if now_ms is None else now_ms
    signed = f"v2\n{time_ms}\n{method}\n{target}\n".encode() + body
    return f"t={time_ms},v2={hmac.new(credential.encode(), signed, hashlib.sha256).hexdigest()}"
