"""Makes the calls of the services: the JSON of parameters, headers, retries, and the results."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import anyio

from ._converters import read_result, write_members
from ._errors import ByondError
from ._event_stream import AsyncEventStream, EventStream, StreamState
from ._generated.version import API_VERSION, USER_AGENT
from ._operation import Attempt, Operation
from ._options import CallOptions
from ._page import AsyncList, AsyncPage, Page
from ._retry import Deadline, pause_before_retry
from ._settings import Settings
from ._transport import AsyncTransport, Transport

Result = TypeVar("Result")
AnyTransport = TypeVar("AnyTransport")
Parameters = Mapping[str, object]


class _Call(NamedTuple):
    """A call that is ready to be sent. Made once for all attempts: a repetition must be known as one."""

    attempt: Attempt
    timeout: float
    max_retries: int


class _CallerBase(Generic[AnyTransport]):
    """What callers share, whether they wait for an answer or await it."""

    def __init__(self, settings: Settings, transport: AnyTransport) -> None:
        self._settings = settings
        self._transport = transport

    def _prepare(self, operation: Operation[Any], parameters: Parameters, options: CallOptions | None) -> _Call:
        chosen: CallOptions = options or {}
        json = write_members(operation.parameters, parameters)
        path = {name: str(json.pop(name, "")) for name in operation.path_parameters}
        for name, value in path.items():
            # It would be another call: that of the list that the element is in, or of what is above it.
            if value in ("", ".", ".."):
                raise ValueError(f"{name} is {'not an id' if value else 'empty'}")
        return _Call(
            Attempt(operation, path, json, self._headers(operation, chosen)),
            timeout=chosen.get("timeout", self._settings.timeout),
            max_retries=chosen.get("max_retries", self._settings.max_retries),
        )

    def _headers(self, operation: Operation[Any], options: CallOptions) -> dict[str, str]:
        headers = {"byond-version": API_VERSION, "user-agent": USER_AGENT}
        if operation.takes_credential:
            headers.update(self._settings.credential_headers)
        if operation.has_side_effects:
            headers["idempotency-key"] = options.get("idempotency_key") or str(uuid.uuid4())
        for own in (self._settings.headers, options.get("headers", {})):
            headers.update({name.lower(): value for name, value in own.items()})
        for name, value in headers.items():
            # httpx would take it for a lost connection, and show the value, which may be a secret.
            if not re.fullmatch(r"[\t\x20-\x7e]*", value):
                raise ValueError(f"the header {name} has a line break, or another character that no header can have")
        return headers

    def _stream_state(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None
    ) -> StreamState[Result]:
        attempt, timeout, max_retries = self._prepare(operation, parameters, options)
        return StreamState(attempt, timeout, max_retries)


class Caller(_CallerBase[Transport]):
    """Makes calls, and waits for their answers."""

    def call(self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None) -> Result:
        """Makes a call, and returns its result."""
        return _read(operation, self._send(self._prepare(operation, parameters, options)))

    def list(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None
    ) -> Page[Result]:
        """Loads a page of a list."""

        def load(more: Parameters) -> Page[Result]:
            json = self._send(self._prepare(operation, {**parameters, **more}, options))
            items, next_page_token = _read_page(operation, json)
            return Page(items, next_page_token, lambda token: load({"page_token": token}))

        return load({})

    def stream(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None
    ) -> EventStream[Result]:
        """Makes a stream, which is opened when it is read."""
        return EventStream(self._stream_state(operation, parameters, options), self._transport)

    def _send(self, call: _Call) -> object:
        deadline = Deadline(call.timeout)
        retries = 0
        while True:
            try:
                return self._transport.call(call.attempt, deadline)
            except ByondError as error:
                pause = pause_before_retry(
                    error, call.attempt.operation, deadline, retries=retries, max_retries=call.max_retries
                )
                if pause is None:
                    raise
            time.sleep(pause)
            retries += 1


class AsyncCaller(_CallerBase[AsyncTransport]):
    """Makes calls, and awaits their answers."""

    async def call(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None
    ) -> Result:
        """Makes a call, and returns its result."""
        return _read(operation, await self._send(self._prepare(operation, parameters, options)))

    def list(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None
    ) -> AsyncList[Result]:
        """Makes a list, which is loaded when it is awaited or read."""

        async def load(more: Parameters) -> AsyncPage[Result]:
            json = await self._send(self._prepare(operation, {**parameters, **more}, options))
            items, next_page_token = _read_page(operation, json)
            return AsyncPage(items, next_page_token, lambda token: load({"page_token": token}))

        return AsyncList(lambda: load({}))

    def stream(
        self, operation: Operation[Result], parameters: Parameters, options: CallOptions | None = None
    ) -> AsyncEventStream[Result]:
        """Makes a stream, which is opened when it is read."""
        return AsyncEventStream(self._stream_state(operation, parameters, options), self._transport)

    async def _send(self, call: _Call) -> object:
        deadline = Deadline(call.timeout)
        retries = 0
        while True:
            try:
                return await self._transport.call(call.attempt, deadline)
            except ByondError as error:
                pause = pause_before_retry(
                    error, call.attempt.operation, deadline, retries=retries, max_retries=call.max_retries
                )
                if pause is None:
                    raise
            await anyio.sleep(pause)
            retries += 1


def _read(operation: Operation[Result], json: object) -> Result:
    result: Result = read_result(operation.result, _require_object(json))
    return result


def _require_object(json: object) -> dict[str, Any]:
    if not isinstance(json, dict):
        raise ByondError("The answer is JSON, but not that of the API.", code="invalid_response")
    return json


def _read_page(operation: Operation[Result], json: object) -> tuple[list[Result], str | None]:
    page = _require_object(json)
    items = [read_result(operation.result, one) for one in page.get(operation.items_field) or []]
    # An empty token is that of the last page in protobuf.
    return items, page.get("next_page_token") or None
