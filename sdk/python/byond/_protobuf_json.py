"""The JSON of REST as JSON of protobuf, which writes enums, lists that can be unset, and choices in other ways."""

from __future__ import annotations

import re
from collections.abc import Mapping

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from ._generated.enum_words import ENUM_WORDS

_WORDS_BY_NUMBER = {
    type_name: {number: word for word, number in words.items()} for type_name, words in ENUM_WORDS.items()
}


def to_protobuf_json(json: Mapping[str, object], message: Descriptor) -> dict[str, object]:
    """Returns the JSON of protobuf of a message."""
    return {
        name: _field_to_protobuf(value, message.fields_by_name[name]) if name in message.fields_by_name else value
        for name, value in json.items()
        if value is not None
    }


def _field_to_protobuf(value: object, field: FieldDescriptor) -> object:
    map_value = _map_value(field)
    if map_value is not None and isinstance(value, Mapping):
        return {key: _value_to_protobuf(one, map_value) for key, one in value.items()}
    if field.is_repeated and isinstance(value, (list, tuple)):
        return [_value_to_protobuf(one, field) for one in value]
    return _value_to_protobuf(value, field)


def _value_to_protobuf(value: object, field: FieldDescriptor) -> object:
    if field.enum_type is not None:
        return ENUM_WORDS.get(field.enum_type.full_name, {}).get(str(value), value)
    message = field.message_type
    if message is None:
        return value
    list_field = _wrapped_list(message)
    if list_field is not None:
        return {list_field.name: _field_to_protobuf(value, list_field)}
    return to_protobuf_json(value, message) if isinstance(value, Mapping) else value


def to_rest_json(json: Mapping[str, object], message: Descriptor) -> dict[str, object]:
    """Returns the JSON of REST of JSON of protobuf that has the names of the schema, and numbers for enums."""
    return {field.name: _field_to_rest(json.get(field.name), field) for field in message.fields}


def _field_to_rest(value: object, field: FieldDescriptor) -> object:
    if value is None:
        return None
    map_value = _map_value(field)
    if map_value is not None and isinstance(value, Mapping):
        return {key: _value_to_rest(one, map_value) for key, one in value.items()}
    if field.is_repeated and isinstance(value, list):
        return [_value_to_rest(one, field) for one in value]
    return _value_to_rest(value, field)


def _value_to_rest(value: object, field: FieldDescriptor) -> object:
    if field.enum_type is not None:
        words = _WORDS_BY_NUMBER.get(field.enum_type.full_name, {})
        return words.get(value, value) if isinstance(value, int) else value
    message = field.message_type
    if message is None:
        return value
    if message.full_name == "google.protobuf.Timestamp":
        return re.sub(r"\.\d+Z$", "Z", str(value))
    if not isinstance(value, Mapping):
        return value
    list_field = _wrapped_list(message)
    if list_field is not None:
        return _field_to_rest(value.get(list_field.name, []), list_field)
    chosen = next((one for one in message.fields if one.name in value), None) if _is_choice(message) else None
    return to_rest_json(value, message) if chosen is None else _field_to_rest(value[chosen.name], chosen)


def _map_value(field: FieldDescriptor) -> FieldDescriptor | None:
    """The field of the values, if a field is a map."""
    message = field.message_type
    return message.fields_by_name["value"] if message is not None and message.GetOptions().map_entry else None


def _wrapped_list(message: Descriptor) -> FieldDescriptor | None:
    """The list that a message holds and nothing else, so that it can be unset: REST writes the list itself."""
    if len(message.fields) != 1 or message.full_name.startswith("google.protobuf."):
        return None
    return message.fields[0] if message.fields[0].is_repeated else None


def _is_choice(message: Descriptor) -> bool:
    """Whether a message is one of several messages, and nothing else: REST writes the chosen one."""
    return len(message.oneofs) > 0 and all(
        field.containing_oneof == message.oneofs[0] and field.message_type is not None for field in message.fields
    )
