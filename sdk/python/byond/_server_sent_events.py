"""Parses server-sent events (HTML §9.2.6)."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
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
        # Of the line that has not ended, and of the event. Each is looked at once, however long an event is.
        self._parts: list[str] = []
        self._lines: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """Takes more bytes."""
        end, *starts = self._decoder.decode(chunk).split("\n")
        self._parts.append(end)
        for start in starts:
            line = "".join(self._parts).removesuffix("\r")
            self._parts = [start]
            if line:
                self._lines.append(line)
                continue
            event = _parse_lines(self._lines)
            self._lines = []
            yield event


def _parse_lines(lines: Sequence[str]) -> ServerSentEvent:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        text = value[1:] if value.startswith(" ") else value
        if name == "data" and "data" in fields:
            fields["data"] += f"\n{text}"
        elif name in ("data", "event", "id"):
            fields[name] = text
    return ServerSentEvent(**fields)
