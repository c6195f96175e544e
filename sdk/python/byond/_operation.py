"""How a method of a service calls the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ._converters import Converter, Late

Result = TypeVar("Result")


@dataclass(frozen=True)
class Operation(Generic[Result]):
    """The generated table has one for each method."""

    id: str
    """`webhooks.rotate_secret`."""

    rpc: str
    """The RPC, for gRPC: `byond.v1.WebhookService/RotateWebhookSecret`."""

    method: str

    path: str
    """With `{name}` for each path parameter."""

    parameters_in: str
    """`query`, `body` or `none`."""

    result: Converter[Result]
    """Reads the result, one of the results of a stream, or an element of a page."""

    path_parameters: tuple[str, ...] = ()

    parameters: Mapping[str, Late] = field(default_factory=dict)
    """The converters of the parameters that need one."""

    parameters_field: str | None = None
    """Over gRPC: the field of the request that holds the parameters. None: they are fields of the request."""

    result_field: str | None = None
    """Over gRPC: the field of the response that holds the result. None: the response is the result."""

    items_field: str = ""
    """If the answer is a page: its member with the elements."""

    resume_field: str = ""
    """If the answer is a stream. Over gRPC: the field of each message that says where to resume."""

    resume_parameter: str = ""
    """If the answer is a stream: the parameter that resumes it."""

    takes_credential: bool = True
    has_side_effects: bool = False

    is_repeatable: bool = True
    """Whether it can be sent again if nobody knows whether it was carried out."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at a call."""

    operation: Operation[Any]
    path: Mapping[str, str]
    parameters: dict[str, object]
    headers: dict[str, str] = field(repr=False)
    """Names are in lower case. The credential is among them."""


@dataclass(frozen=True)
class StreamMessage:
    """A message of a stream: a result, or a heartbeat without one."""

    result: object = None
    resume_after: str | None = None
    """Where the stream can be resumed after this message."""
