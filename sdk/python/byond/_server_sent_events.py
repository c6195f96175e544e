"""Parses server-sent events (HTML §9.2.6)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ServerSentEvent:
    """An event. Without `data` it only sets the id, or shows that the connection lives."""

    event: str | None = None
    data: str | None = None
    id: str | None = None


class ServerSentEventParser:
    """Takes the bytes of a stream as they come, and gives the events that are complete."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Takes more bytes."""
        self._text += self._decoder.decode(chunk)
        *blocks, self._text = re.split(r"\r?\n\r?\n", self._text)
        return map(_parse_block, blocks)


def _parse_block(block: str) -> ServerSentEvent:
    fields: dict[str, str] = {}
    for line in re.split(r"\r?\n", block):
        name, _, value = line.partition(":")
        text = value[1:] if value.startswith(" ") else value
        if name == "data" and "data" in fields:
            fields["data"] += f"\n{text}"
        elif name in ("data", "event", "id"):
            fields[name] = text
    return ServerSentEvent(**fields)
