"""Messages and errors of gRPC, without what sends them. Needs the extra `grpc`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.protobuf import descriptor_pb2, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message

from ._errors import ByondError, read_error
from ._operation import Attempt, Operation, StreamMessage
from ._protobuf_json import to_protobuf_json, to_rest_json
from ._retry import Deadline

Metadata = tuple[tuple[str, str], ...]


@cache
def _schema() -> DescriptorPool:
    """The descriptors of the API, read when they are needed first."""
    content = Path(__file__).with_name("_generated").joinpath("schema.binpb").read_bytes()
    pool = DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def method_of(operation: Operation[Any]) -> MethodDescriptor:
    """The RPC of an operation."""
    service, name = operation.rpc.split("/")
    method: MethodDescriptor = _schema().FindServiceByName(service).methods_by_name[name]
    return method


def output_class(operation: Operation[Any]) -> type[Message]:
    """The class of the messages that an RPC answers."""
    return message_factory.GetMessageClass(method_of(operation).output_type)


def serialize(message: Message) -> bytes:
    """The bytes of a message."""
    return message.SerializeToString()


def request_of(attempt: Attempt) -> Message:
    """The request. What the schema cannot hold is refused here, as the server would refuse it."""
    operation = attempt.operation
    parameters = attempt.parameters
    if operation.parameters_field is not None:
        parameters = {operation.parameters_field: parameters}
    message = method_of(operation).input_type
    try:
        json = to_protobuf_json({**attempt.path, **parameters}, message)
        return json_format.ParseDict(json, message_factory.GetMessageClass(message)(), descriptor_pool=_schema())
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise ByondError(str(error), code="validation_error") from error


def metadata_of(attempt: Attempt) -> Metadata:
    """The headers. gRPC writes `user-agent` itself, see `channel_options`."""
    return tuple((name, value) for name, value in attempt.headers.items() if name != "user-agent")


def channel_options(user_agent: str) -> list[tuple[str, str | int]]:
    """The options of a channel."""
    return [
        ("grpc.primary_user_agent", user_agent),
        # Calls have a way of repeating of their own.
        ("grpc.enable_retries", 0),
    ]


def target_of(address: str) -> tuple[str, bool]:
    """Host and port of an address, and whether it is that of a server with TLS."""
    url = urlsplit(address)
    is_secure = url.scheme == "https"
    return (url.netloc if url.port else f"{url.netloc}:{443 if is_secure else 80}"), is_secure


def result_of(operation: Operation[Any], message: Message) -> object:
    """The JSON of a result."""
    answer = _read(message)
    return answer if operation.result_field is None else answer.get(operation.result_field)


def stream_message_of(operation: Operation[Any], message: Message) -> StreamMessage:
    """A message of a stream."""
    resume_after = _read(message).get(operation.resume_field)
    return StreamMessage(result_of(operation, message), resume_after if isinstance(resume_after, str) else None)


def _read(message: Message) -> dict[str, object]:
    descriptor: Any = message.DESCRIPTOR
    json = json_format.MessageToDict(
        message,
        always_print_fields_with_no_presence=True,
        preserving_proto_field_name=True,
        use_integers_for_enums=True,
        descriptor_pool=_schema(),
    )
    return to_rest_json(json, descriptor)


def error_of(
    code: grpc.StatusCode,
    details: str | None,
    metadata: Iterable[tuple[str, Any]] | None,
    deadline: Deadline,
) -> ByondError:
    """The error of the server, which is a detail of the status, or a lost connection."""
    for key, value in metadata or ():
        if key == "grpc-status-details-bin":
            error = _server_error(value)
            if error is not None:
                return error
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return deadline.error()
    return ByondError(details or str(code), code="connection_failed")


def _server_error(status_details: bytes) -> ByondError | None:
    try:
        status = _new("google.rpc.Status")
        status.ParseFromString(status_details)
        for detail in status.details:
            if detail.type_url.endswith("/byond.v1.ErrorInfo"):
                info = _new("byond.v1.ErrorInfo")
                info.ParseFromString(detail.value)
                return read_error(json_format.MessageToDict(info, preserving_proto_field_name=True))
    except DecodeError:
        # From a proxy that writes its own details.
        pass
    return None


def _new(name: str) -> Any:
    return message_factory.GetMessageClass(_schema().FindMessageTypeByName(name))()
