"""What carries out attempts: REST or gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Protocol

from ._operation import Attempt, StreamMessage
from ._retry import Deadline

SILENCE_SECONDS = 30.0
"""The server sends a heartbeat every ten seconds. A stream that is silent for longer than this is dead."""


class Transport(Protocol):
    """Carries out attempts. Raises a `ByondError`, after the deadline with the code `timed_out`."""

    def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        ...

    def stream(self, attempt: Attempt, deadline: Deadline) -> Generator[StreamMessage, None, None]:
        """Reads a stream, which must be open before the deadline. Closing the generator ends the connection."""
        ...

    def close(self) -> None:
        """Closes connections that are kept."""
        ...


class AsyncTransport(Protocol):
    """Carries out attempts. Raises a `ByondError`, after the deadline with the code `timed_out`."""

    async def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        ...

    def stream(self, attempt: Attempt, deadline: Deadline) -> AsyncGenerator[StreamMessage, None]:
        """Reads a stream, which must be open before the deadline. Closing the generator ends the connection."""
        ...

    async def close(self) -> None:
        """Closes connections that are kept."""
        ...
