"""What a client was made with."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ._sandbox import is_sandbox_key


@dataclass(frozen=True)
class Settings:
    """What a client was made with. The environment is read when it is made."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)
    mode: Literal["live", "test"] | None = None
    sign_requests: bool = False
    max_retries: int = 2
    timeout: float = 30.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    transport: Literal["rest", "grpc"] = "rest"

    @property
    def address(self) -> str:
        """The address of the server, also if that of the API was given, as the reference writes it."""
        url = (
            self.base_url or os.environ.get("BYOND_BASE_URL") or os.environ.get("BYOND_URL") or "http://127.0.0.1:8080"
        ).strip()
        if not re.match("https?://", url, re.IGNORECASE):
            # It is not shown: it may have a password.
            raise ValueError("the base URL must begin with http:// or https://")
        url = url.rstrip("/")
        return url[: -len("/api/v1")] if url.endswith("/api/v1") else url

    @property
    def key(self) -> str | None:
        """The API key, unless there is an access token."""
        # A file that a secret is read from may end with a line break.
        return None if self.token else (self.api_key or os.environ.get("BYONDAPI_KEY") or "").strip() or None

    @property
    def token(self) -> str | None:
        """The access token."""
        return (self.access_token or "").strip() or None

    @property
    def is_sandbox(self) -> bool:
        """Whether calls are about the sandbox, by the key or the mode."""
        return self.mode == "test" if self.key is None else is_sandbox_key(self.key)

    @property
    def credential_headers(self) -> Mapping[str, str]:
        """The headers of operations that take a credential."""
        if self.token:
            mode = {} if self.mode is None else {"byond-mode": self.mode}
            return {"authorization": f"Bearer {self.token}", **mode}
        return {} if self.key is None else {"x-api-key": self.key}

    @property
    def signing_key(self) -> str | None:
        """What requests are signed with. None: they are not signed."""
        return (self.token or self.key) if self.sign_requests else None
