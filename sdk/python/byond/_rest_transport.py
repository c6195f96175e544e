"""JSON over HTTP, by httpx."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import Any, Callable

import anyio
import httpx

from ._errors import ByondError
from ._operation import Attempt, StreamMessage
from ._rest_messages import (
    body_of,
    check_stream,
    connection_failed,
    headers_of,
    invalid_response,
    read_answer,
    read_stream_chunk,
    target_of,
)
from ._retry import Deadline
from ._server_sent_events import ServerSentEventParser
from ._transport import SILENCE_SECONDS


class _Timeouts(dict[str, Any]):
    """The timeouts of a request. httpx asks for one in each phase, such as `read`: it gets what is left."""

    def __init__(self, remaining: Callable[[], float]) -> None:
        super().__init__()
        self.remaining = remaining

    def get(self, phase: str, default: Any = None) -> float:
        return max(self.remaining(), 0.001)


class _RestBase:
    def __init__(self, address: str, signing_key: str | None) -> None:
        self._address = address
        self._signing_key = signing_key

    def _request(self, attempt: Attempt, accept: str, timeouts: _Timeouts) -> httpx.Request:
        target = target_of(attempt)
        body = body_of(attempt)
        return httpx.Request(
            attempt.operation.method,
            self._address + target,
            headers=headers_of(attempt, target, body, accept, self._signing_key),
            content=body or None,
            extensions={"timeout": timeouts},
        )


def _failed(error: httpx.HTTPError, deadline: Deadline) -> ByondError:
    return deadline.error() if isinstance(error, httpx.TimeoutException) else connection_failed()


def _is_success(response: httpx.Response) -> bool:
    return 200 <= response.status_code < 300


class RestTransport(_RestBase):
    """Waits for answers."""

    def __init__(self, address: str, signing_key: str | None, http: httpx.Client) -> None:
        super().__init__(address, signing_key)
        self._http = http

    def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        deadline.check()
        request = self._request(attempt, "application/json", _Timeouts(lambda: deadline.remaining))
        try:
            # A redirection would carry the credential elsewhere.
            response = self._http.send(request, stream=True, follow_redirects=False)
            content = self._read(response, deadline)
        except httpx.HTTPError as error:
            raise _failed(error, deadline) from error
        return read_answer(response.status_code, response.headers, content)

    def stream(self, attempt: Attempt, deadline: Deadline) -> Generator[StreamMessage, None, None]:
        """Reads a stream, which must be open before the deadline."""
        timeouts = _Timeouts(lambda: deadline.remaining)
        request = self._request(attempt, "text/event-stream", timeouts)
        try:
            response = self._http.send(request, stream=True, follow_redirects=False)
        except httpx.HTTPError as error:
            raise _failed(error, deadline) from error
        try:
            if not _is_success(response):
                read_answer(response.status_code, response.headers, self._read(response, deadline))
                raise invalid_response(response.status_code, response.headers)
            check_stream(response.status_code, response.headers)
            timeouts.remaining = lambda: SILENCE_SECONDS
            parser = ServerSentEventParser()
            for chunk in response.iter_bytes():
                yield from read_stream_chunk(parser, chunk)
        except httpx.HTTPError as error:
            raise connection_failed() from error
        finally:
            response.close()

    def close(self) -> None:
        """Closes connections that are kept."""
        self._http.close()

    def _read(self, response: httpx.Response, deadline: Deadline) -> bytes:
        chunks = []
        try:
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                # The timeout of a phase does not end an answer that comes a byte at a time.
                deadline.check()
        finally:
            response.close()
        return b"".join(chunks)


class AsyncRestTransport(_RestBase):
    """Awaits answers."""

    def __init__(self, address: str, signing_key: str | None, http: httpx.AsyncClient) -> None:
        super().__init__(address, signing_key)
        self._http = http

    async def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        request = self._request(attempt, "application/json", _Timeouts(lambda: deadline.remaining))
        try:
            with anyio.move_on_after(deadline.remaining):
                # A redirection would carry the credential elsewhere.
                response = await self._http.send(request, follow_redirects=False)
                return read_answer(response.status_code, response.headers, response.content)
            raise deadline.error()
        except httpx.HTTPError as error:
            raise _failed(error, deadline) from error

    async def stream(self, attempt: Attempt, deadline: Deadline) -> AsyncGenerator[StreamMessage, None]:
        """Reads a stream, which must be open before the deadline."""
        timeouts = _Timeouts(lambda: deadline.remaining)
        response = await self._open(self._request(attempt, "text/event-stream", timeouts), deadline)
        try:
            check_stream(response.status_code, response.headers)
            timeouts.remaining = lambda: SILENCE_SECONDS
            parser = ServerSentEventParser()
            async for chunk in response.aiter_bytes():
                for message in read_stream_chunk(parser, chunk):
                    yield message
        except httpx.HTTPError as error:
            raise connection_failed() from error
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Closes connections that are kept."""
        await self._http.aclose()

    async def _open(self, request: httpx.Request, deadline: Deadline) -> httpx.Response:
        try:
            with anyio.move_on_after(deadline.remaining):
                response = await self._http.send(request, stream=True, follow_redirects=False)
                if _is_success(response):
                    return response
                try:
                    read_answer(response.status_code, response.headers, await response.aread())
                    raise invalid_response(response.status_code, response.headers)
                finally:
                    await response.aclose()
            raise deadline.error()
        except httpx.HTTPError as error:
            raise _failed(error, deadline) from error
