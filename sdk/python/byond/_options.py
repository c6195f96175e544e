"""Options of clients and calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypedDict


class CallOptions(TypedDict, total=False):
    """Options of one call, as a dictionary: `options={"timeout": 2.0}`."""

    idempotency_key: str
    """The `Idempotency-Key` of the call. Default: a random one. Use your own to repeat a call after a crash."""

    timeout: float
    """The deadline in seconds, all attempts and pauses included. Of a stream: until it is open."""

    max_retries: int
    """How often the call is repeated at most."""

    headers: Mapping[str, str]
    """Headers of the request. They replace those of the client."""


class ClientOptions(TypedDict, total=False):
    """Options of a client. `Byond` says more about them."""

    base_url: str | None
    """Where the server is."""

    api_key: str | None
    """The API key."""

    access_token: str | None
    """The access token of a session, instead of a key."""

    mode: Literal["live", "test"] | None
    """With an `access_token`: the mode that calls are about."""

    sign_requests: bool
    """Whether requests are signed."""

    max_retries: int
    """How often a failed call is repeated at most."""

    timeout: float
    """The deadline of a call in seconds."""

    headers: Mapping[str, str]
    """Headers of every request."""

    transport: Literal["rest", "grpc"]
    """How calls get to the server."""
