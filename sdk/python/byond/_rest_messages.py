"""Requests and answers of REST, without what sends them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import quote

from ._errors import ByondError, read_error
from ._operation import Attempt, StreamMessage
from ._server_sent_events import ServerSentEvent, ServerSentEventParser
from ._sign_request import sign_request


def target_of(attempt: Attempt) -> str:
    """Path and query, as they are sent."""
    operation = attempt.operation
    target = operation.path
    for name, value in attempt.path.items():
        target = target.replace(f"{{{name}}}", quote(value, safe=""))
    if operation.parameters_in != "query":
        return target
    pairs = "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in _query(attempt.parameters))
    return f"{target}?{pairs}" if pairs else target


def _query(parameters: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        for one in value if isinstance(value, list) else [value]:
            yield name, str(one).lower() if isinstance(one, bool) else str(one)


def body_of(attempt: Attempt) -> bytes:
    """The body, as it is sent."""
    if attempt.operation.parameters_in != "body":
        return b""
    return json.dumps(attempt.parameters, ensure_ascii=False, separators=(",", ":")).encode()


def headers_of(attempt: Attempt, target: str, body: bytes, accept: str, signing_key: str | None) -> dict[str, str]:
    """All headers of one attempt, signed at this moment."""
    headers = {"accept": accept}
    if body:
        headers["content-type"] = "application/json"
    headers.update(attempt.headers)
    if signing_key is not None:
        headers["byond-signature"] = sign_request(
            credential=signing_key, method=attempt.operation.method, target=target, body=body
        )
    return headers


def connection_failed() -> ByondError:
    """The error of a request without an answer."""
    return ByondError("The server was not reached, or the connection was lost.", code="connection_failed")


def read_answer(status: int, headers: Mapping[str, str], content: bytes) -> object:
    """The JSON of a successful answer, out of its envelope if it has one. Raises the error of any other."""
    try:
        body = json.loads(content)
    except ValueError:
        raise invalid_response(status, headers) from None
    envelope = body if _is_envelope(body) else None
    if 200 <= status < 300 and (envelope is None or envelope["ok"]):
        return body if envelope is None else envelope.get("data")
    error = read_error(body.get("error"), status) if isinstance(body, dict) else None
    raise error or invalid_response(status, headers)


def _is_envelope(body: object) -> bool:
    """`{"ok":true,"data":…}` or `{"ok":false,"error":…}`, where a client or a proxy asks for it (`Byond-Envelope`)."""
    return isinstance(body, dict) and isinstance(body.get("ok"), bool) and ("data" in body or "error" in body)


def invalid_response(status: int, headers: Mapping[str, str]) -> ByondError:
    """The error of an answer that is not one of the API."""
    return ByondError(
        f"The answer, with status {status}, is not one of the API. Is the base URL right?",
        code="invalid_response",
        status=status,
        request_id=headers.get("x-request-id"),
        retry_after=_seconds(headers.get("retry-after", "")),
    )


def _seconds(text: str) -> float | None:
    """`Retry-After`: seconds, or the date when they are over."""
    if re.fullmatch("[0-9]{1,15}", text):
        return float(text)
    date = parsedate_tz(text)
    return None if date is None else max(0.0, mktime_tz(date) - time.time())


def check_stream(status: int, headers: Mapping[str, str]) -> None:
    """Raises if it is no stream of events: a page of a proxy, with blank lines, would pass for heartbeats."""
    if not headers.get("content-type", "").startswith("text/event-stream"):
        raise invalid_response(status, headers)


def read_stream_chunk(parser: ServerSentEventParser, chunk: bytes) -> Iterator[StreamMessage]:
    """The messages that are complete with these bytes. Raises the error that an event named `error` holds."""
    return map(_stream_message, parser.feed(chunk))


def _stream_message(event: ServerSentEvent) -> StreamMessage:
    try:
        body = None if event.data is None else json.loads(event.data)
    except ValueError as error:
        raise ByondError("An event of the stream is not JSON.", code="invalid_response") from error
    if event.event == "error":
        raise (read_error(body.get("error")) if isinstance(body, dict) else None) or connection_failed()
    return StreamMessage(body, event.id)
