"""gRPC by grpcio, for `Byond`. Needs the extra `grpc`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import grpc

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
from ._silence_watch import SilenceWatch
from ._transport import SILENCE_SECONDS


class GrpcTransport:
    """Waits for answers."""

    def __init__(self, address: str, signing_key: str | None) -> None:
        if signing_key is not None:
            raise ValueError("Requests over gRPC cannot be signed. Use REST for keys that demand signatures.")
        target, is_secure = target_of(address)
        options = channel_options(USER_AGENT)
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(), options)
            if is_secure
            else grpc.insecure_channel(target, options)
        )

    def call(self, attempt: Attempt, deadline: Deadline) -> object:
        """Returns the JSON of the result."""
        operation = attempt.operation
        deadline.check()
        request = request_of(attempt)
        method: Any = self._channel.unary_unary(f"/{operation.rpc}", serialize, output_class(operation).FromString)
        try:
            answer = method(request, timeout=deadline.remaining, metadata=metadata_of(attempt))
        except grpc.RpcError as error:
            raise _failed(error, deadline) from error
        return result_of(operation, answer)

    def stream(self, attempt: Attempt, deadline: Deadline) -> Generator[StreamMessage, None, None]:
        """Reads a stream, which must be open before the deadline."""
        operation = attempt.operation
        request = request_of(attempt)
        method: Any = self._channel.unary_stream(f"/{operation.rpc}", serialize, output_class(operation).FromString)
        answers = method(request, metadata=metadata_of(attempt))
        is_open = False
        try:
            with SilenceWatch(answers.cancel, deadline.remaining) as watch:
                # Also returns when the call has ended without any.
                answers.initial_metadata()
                is_open = answers.is_active()
                watch.expect(SILENCE_SECONDS)
                for answer in answers:
                    # The time that the reader takes is not the connection's silence.
                    watch.expect(None)
                    yield stream_message_of(operation, answer)
                    watch.expect(SILENCE_SECONDS)
        except grpc.RpcError as error:
            is_late = not is_open and deadline.remaining <= 0
            raise (deadline.error() if is_late else _failed(error, deadline)) from error
        finally:
            answers.cancel()

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()


def _failed(error: Any, deadline: Deadline) -> Exception:
    return error_of(error.code(), error.details(), error.trailing_metadata(), deadline)
