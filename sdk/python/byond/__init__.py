"""The Python SDK of Byond: one-time codes, phone lookup and scoped API keys.

`Byond` is the client, `AsyncByond` the one for `asyncio`. The types of parameters and results are in `byond.types`.
"""

from ._client import AsyncByond, Byond
from ._errors import ByondError, ClientErrorCode
from ._event_stream import AsyncEventStream, EventStream
from ._generated.version import API_VERSION, VERSION
from ._options import CallOptions, ClientOptions
from ._page import AsyncList, AsyncPage, Page
from ._sandbox import is_sandbox_key, sandbox_code
from ._sign_request import sign_request
from ._webhooks import PingEvent, sign_webhook, verify_webhook

__version__ = VERSION

__all__ = [
    "API_VERSION",
    "VERSION",
    "AsyncByond",
    "AsyncEventStream",
    "AsyncList",
    "AsyncPage",
    "Byond",
    "ByondError",
    "CallOptions",
    "ClientErrorCode",
    "ClientOptions",
    "EventStream",
    "Page",
    "PingEvent",
    "is_sandbox_key",
    "sandbox_code",
    "sign_request",
    "sign_webhook",
    "verify_webhook",
]
