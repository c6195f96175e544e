"""How values of the API's JSON become values of Python, and back: messages are dataclasses, times are `datetime`."""

from __future__ import annotations

import base64
import dataclasses
import keyword
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, Callable, Generic, TypeVar, Union

from ._errors import ByondError

Value = TypeVar("Value")


class Converter(Generic[Value]):
    """Leaves values as they are. Null is not given to converters: it stays null."""

    def read(self, json: Any) -> Value:
        """Reads a value out of JSON."""
        value: Value = json
        return value

    def write(self, value: Any) -> object:
        """Returns the JSON of a value."""
        return value


Late = Union[Converter[Any], Callable[[], Converter[Any]]]
"""Converters may refer to those that are defined after them."""

AS_IT_IS: Converter[Any] = Converter()


class Timestamp(Converter[datetime]):
    """A time. A text is taken for one in the API's form: times that a caller got elsewhere need no `datetime`."""

    def read(self, json: Any) -> datetime:
        # `fromisoformat` reads no `Z` before Python 3.11.
        return datetime.fromisoformat(str(json).replace("Z", "+00:00"))

    def write(self, value: Any) -> object:
        if not isinstance(value, datetime):
            return value
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone, so it could be any of several times; pass a tzinfo")
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Int64(Converter[int]):
    """A number that JSON numbers cannot hold in every language, and which is therefore written as a text."""

    def read(self, json: Any) -> int:
        return int(json)

    def write(self, value: Any) -> object:
        return str(value)


class Bytes(Converter[bytes]):
    """Bytes, as base64."""

    def read(self, json: Any) -> bytes:
        return base64.b64decode(json)

    def write(self, value: Any) -> object:
        return base64.b64encode(value).decode() if isinstance(value, bytes) else value


class ListOf(Converter[list[Any]]):
    """A list."""

    def __init__(self, element: Late) -> None:
        self._element = element

    def read(self, json: Any) -> list[Any]:
        return [read_value(self._element, one) for one in json]

    def write(self, value: Any) -> object:
        return [write_value(self._element, one) for one in value]


class MapOf(Converter[dict[str, Any]]):
    """A map. Its keys are data of the caller."""

    def __init__(self, element: Late) -> None:
        self._element = element

    def read(self, json: Any) -> dict[str, Any]:
        return {key: read_value(self._element, one) for key, one in json.items()}

    def write(self, value: Any) -> object:
        return {key: write_value(self._element, one) for key, one in value.items()}


class Message(Converter[Value]):
    """A message: a dataclass. What an older server does not send is None, and what a newer one adds is left out."""

    def __init__(self, make: Callable[..., Value], fields: Mapping[str, Late]) -> None:
        self._make = make
        self._fields = fields

    def read(self, json: Any) -> Value:
        if not isinstance(json, dict):
            raise ByondError("The answer is JSON, but not that of the API.", code="invalid_response")
        return self._make(
            **{python_name(name): read_value(converter, json.get(name)) for name, converter in self._fields.items()}
        )

    def write(self, value: Any) -> object:
        if not dataclasses.is_dataclass(value):
            return value
        members = {name: getattr(value, python_name(name)) for name in self._fields}
        return write_members(self._fields, members)


class OneOf(Converter[Any]):
    """One of several messages, which the text of a member tells, up to its first dot. Newer servers may have others."""

    def __init__(self, discriminator: str, cases: Mapping[str, Converter[Any]], unknown: Converter[Any]) -> None:
        self._discriminator = discriminator
        self._cases = cases
        self._unknown = unknown

    def read(self, json: Any) -> Any:
        word = str(json.get(self._discriminator)).split(".")[0] if isinstance(json, dict) else ""
        return self._cases.get(word, self._unknown).read(json)


def python_name(name: str) -> str:
    """The name of a field, which may be a word that Python keeps for itself."""
    return f"{name}_" if keyword.iskeyword(name) else name


def _resolve(converter: Late) -> Converter[Any]:
    return converter if isinstance(converter, Converter) else converter()


def read_value(converter: Late, json: object) -> Any:
    """Reads a value that may be null."""
    return None if json is None else _resolve(converter).read(json)


def read_result(converter: Late, json: object) -> Any:
    """Reads a result. What is not of its type is no answer of the API."""
    try:
        return read_value(converter, json)
    except (AttributeError, TypeError, ValueError) as error:
        raise ByondError("The answer is JSON, but not that of the API.", code="invalid_response") from error


def write_value(converter: Late, value: object) -> object:
    """Writes a value that may be None."""
    return None if value is None else _resolve(converter).write(value)


def write_members(fields: Mapping[str, Late], values: Mapping[str, object]) -> dict[str, object]:
    """Writes what is given: None means absent."""
    return {name: write_value(fields.get(name, AS_IT_IS), value) for name, value in values.items() if value is not None}


TIMESTAMP = Timestamp()
INT64 = Int64()
BYTES = Bytes()
