"""Streams, which go on where they were when their connection is lost."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace
from types import TracebackType
from typing import Generic, TypeVar

import anyio

from ._converters import read_result
from ._errors import ByondError
from ._operation import Attempt, StreamMessage
from ._retry import Deadline, is_worth_retrying, pause_seconds
from ._transport import AsyncTransport, Transport

Result = TypeVar("Result")


class StreamState(Generic[Result]):
    """How far a stream was read, and how often in a row its connection failed."""

    def __init__(self, attempt: Attempt, timeout: float, max_retries: int) -> None:
        self._attempt = attempt
        self.timeout = timeout
        self._max_retries = max_retries
        self._failures = 0
        self.resume_after: str | None = None

    def next_attempt(self) -> Attempt:
        """The request that goes on after what was read."""
        if self.resume_after is None:
            return self._attempt
        return replace(
            self._attempt,
            parameters={**self._attempt.parameters, self._attempt.operation.resume_parameter: self.resume_after},
            headers={**self._attempt.headers, "last-event-id": self.resume_after},
        )

    def take(self, message: StreamMessage) -> Result | None:
        """Notes where the stream is. Returns the result; None if the message is a heartbeat."""
        self._failures = 0
        # Before the result is handed out: whoever handles it may ask where to go on.
        if message.resume_after is not None:
            self.resume_after = message.resume_after
        result: Result | None = read_result(self._attempt.operation.result, message.result)
        return result

    def pause_after(self, error: ByondError) -> float:
        """The seconds after which to connect again. Raises the error if that does not mend it."""
        may_mend = error.code == "timed_out" or is_worth_retrying(error, is_repeatable=True)
        if self._failures >= self._max_retries or not may_mend:
            raise error
        self._failures += 1
        return pause_seconds(error, self._failures - 1)


def _ended() -> ByondError:
    return ByondError("The server ended the stream.", code="connection_failed")


class EventStream(Generic[Result]):
    """A stream. It goes on where it was when its connection is lost: each result comes once, in order.

    It is opened when somebody begins to read. It ends with `close()`, at the end of a `with` block, or with an error
    that repeating does not mend.

    Example:
        ```python
        with byond.events.stream(after=last_seen) as stream:
            for event in stream:
                handle(event)
        ```
    """

    def __init__(self, state: StreamState[Result], transport: Transport) -> None:
        """Streams are made by calls."""
        self._state = state
        self._transport = transport
        self._results = self._read()

    @property
    def resume_after(self) -> str | None:
        """Where to go on after what was read so far, also in another process: the parameter `after`."""
        return self._state.resume_after

    def __iter__(self) -> EventStream[Result]:
        return self

    def __next__(self) -> Result:
        try:
            return next(self._results)
        except ByondError:
            # Whoever reads on after an error goes on where the stream was.
            self._results = self._read()
            raise

    def close(self) -> None:
        """Ends the stream and its connection."""
        self._results.close()

    def __enter__(self) -> EventStream[Result]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self) -> Generator[Result, None, None]:
        state = self._state
        while True:
            messages = self._transport.stream(state.next_attempt(), Deadline(state.timeout))
            try:
                for message in messages:
                    result = state.take(message)
                    if result is not None:
                        yield result
                raise _ended()
            except ByondError as error:
                pause = state.pause_after(error)
            finally:
                messages.close()
            time.sleep(pause)


class AsyncEventStream(Generic[Result]):
    """A stream, of an `AsyncByond`. It goes on where it was when its connection is lost.

    It is opened when somebody begins to read. It ends with `aclose()`, at the end of an `async with` block, or with an
    error that repeating does not mend.

    Example:
        ```python
        async with byond.events.stream(after=last_seen) as stream:
            async for event in stream:
                await handle(event)
        ```
    """

    def __init__(self, state: StreamState[Result], transport: AsyncTransport) -> None:
        """Streams are made by calls."""
        self._state = state
        self._transport = transport
        self._results = self._read()

    @property
    def resume_after(self) -> str | None:
        """Where to go on after what was read so far, also in another process: the parameter `after`."""
        return self._state.resume_after

    def __aiter__(self) -> AsyncEventStream[Result]:
        return self

    async def __anext__(self) -> Result:
        try:
            return await self._results.__anext__()
        except ByondError:
            # Whoever reads on after an error goes on where the stream was.
            self._results = self._read()
            raise

    async def aclose(self) -> None:
        """Ends the stream and its connection."""
        await self._results.aclose()

    async def __aenter__(self) -> AsyncEventStream[Result]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _read(self) -> AsyncGenerator[Result, None]:
        state = self._state
        while True:
            messages = self._transport.stream(state.next_attempt(), Deadline(state.timeout))
            try:
                async for message in messages:
                    result = state.take(message)
                    if result is not None:
                        yield result
                raise _ended()
            except ByondError as error:
                pause = state.pause_after(error)
            finally:
                await messages.aclose()
            await anyio.sleep(pause)
