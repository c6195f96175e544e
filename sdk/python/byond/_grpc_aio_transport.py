"""gRPC by grpcio, for `AsyncByond` under asyncio. Needs the extra `grpc`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import grpc
import grpc.aio

from ._errors import ByondError
from ._generated.version import USER_AGENT
from ._grpc_messages import (
    channel_options,
    error_of,
    metadata_of,
    output_class,
    request_of,
    result_of,
    serialize,
    stream_message_of,
    target_of,
)
from ._operation import Attempt, StreamMessage
from ._retry import Deadline
from ._transport import SILENCE_SECONDS


class AsyncGrpcTransport:
    """Awaits answers."""

    def __init__(self, address: str, signing_key: str | None) -> None:
        if signing_key is not None:
            raise ValueError("Requests over gRPC cannot be signed. Use REST for keys that demand signatures.")
        self._target, self._is_secure = target_of(address)
        self._channel: grpc.aio.Channel | None = None

    async def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        operation = attempt.operation
        deadline.check()
        request = request_of(attempt)
        method: Any = self._open().unary_unary(f"/{operation.rpc}", serialize, output_class(operation).FromString)
        try:
            answer = await method(request, timeout=deadline.remaining, metadata=metadata_of(attempt))
        except grpc.aio.AioRpcError as error:
            raise _failed(error, deadline) from error
        return result_of(operation, answer)

    async def stream(self, attempt: Attempt, deadline: Deadline) -> AsyncGenerator[StreamMessage, None]:
        """Reads a stream, which must be open before the deadline."""
        operation = attempt.operation
        request = request_of(attempt)
        method: Any = self._open().unary_stream(f"/{operation.rpc}", serialize, output_class(operation).FromString)
        answers = method(request, metadata=metadata_of(attempt))
        is_open = False
        try:
            await asyncio.wait_for(answers.initial_metadata(), deadline.remaining)
            is_open = True
            while True:
                answer = await asyncio.wait_for(answers.read(), SILENCE_SECONDS)
                if answer is grpc.aio.EOF:
                    return
                yield stream_message_of(operation, answer)
        except asyncio.TimeoutError as error:
            silence = ByondError(f"Nothing came for {SILENCE_SECONDS:g} seconds.", code="connection_failed")
            raise (silence if is_open else deadline.error()) from error
        except grpc.aio.AioRpcError as error:
            is_late = not is_open and deadline.remaining <= 0
            raise (deadline.error() if is_late else _failed(error, deadline)) from error
        finally:
            answers.cancel()

    async def close(self) -> None:
        """Closes the channel."""
        if self._channel is not None:
            await self._channel.close()

    def _open(self) -> grpc.aio.Channel:
        # A channel belongs to the event loop that runs when it is made.
        if self._channel is None:
            options = channel_options(USER_AGENT)
            self._channel = (
                grpc.aio.secure_channel(self._target, grpc.ssl_channel_credentials(), options)
                if self._is_secure
                else grpc.aio.insecure_channel(self._target, options)
            )
        return self._channel


def _failed(error: grpc.aio.AioRpcError, deadline: Deadline) -> Exception:
    return error_of(error.code(), error.details(), error.trailing_metadata(), deadline)
