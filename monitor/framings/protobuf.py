"""Bytes of a protobuf message → its fields, by a table of their numbers, without generated code.

https://protobuf.dev/programming-guides/encoding/: fields come in any order and any number of times,
repeated numbers packed or not. What the end of the bytes cut off is given as far as it came, but
for texts: half a name is another one. Behind what is no field nothing can be told. Groups and
unknown fields are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

MAX_DEPTH = 8
"""Messages and groups that stand deeper in each other are passed over."""
_VARINT, _FIXED64, _BYTES, _GROUP, _GROUP_END, _FIXED32 = range(6)
_MAX_VARINT = 10
_FIXED = {_FIXED64: 8, _FIXED32: 4}
_FORMS = {"float": "f", "double": "d"}


class Field(NamedTuple):
    """`kind` is a scalar's type (`bool int32 int64 uint32 uint64 float double string bytes`), the
    table of a message, or for a map that of its entries: `1` is the key, `2` the value."""

    name: str
    kind: str | Table
    repeated: bool = False
    is_map: bool = False


Table: TypeAlias = dict[int, Field]


def map_of(name: str, kind: str | Table) -> Field:
    """Return the field of a map whose keys are strings and whose values are of a kind."""
    return Field(name, {1: Field("key", "string"), 2: Field("value", kind)}, is_map=True)


def message(data: bytes, table: Table, depth: int = 0) -> dict[str, Any]:
    """The fields of a message by name; those that were not sent are not there.

    >>> table = {1: Field("name", "string"), 2: Field("shape", "int64", repeated=True)}
    >>> message(bytes.fromhex("0a0178 12020102 1003 1a00"), table)
    {'name': 'x', 'shape': [1, 2, 3]}
    """
    found: dict[str, Any] = {}
    inner: dict[int, bytearray] = {}
    for number, wire, value, is_whole in _fields(data):
        field = table.get(number)
        if field is None or (not is_whole and field.kind == "string"):
            continue
        kind = field.kind
        if isinstance(kind, dict):
            if not isinstance(value, bytes) or depth >= MAX_DEPTH:
                continue
            if field.is_map:
                entry = message(value, kind, depth + 1)
                inner_kind = kind[2].kind
                missing: Any = {} if isinstance(inner_kind, dict) else _zero(inner_kind)
                found.setdefault(field.name, {})[entry.get("key", "")] = entry.get("value", missing)
            elif field.repeated:
                found.setdefault(field.name, []).append(message(value, kind, depth + 1))
            else:  # of several the fields add up, which is what their bytes in a row say
                inner.setdefault(number, bytearray()).extend(value)
            continue
        values = _values(kind, wire, value)
        if field.repeated:
            found.setdefault(field.name, []).extend(values)
        elif values:
            found[field.name] = values[-1]
    for number, whole in inner.items():
        kind = table[number].kind
        if isinstance(kind, dict):
            found[table[number].name] = message(bytes(whole), kind, depth + 1)
    return found


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes, bool]]:
    """(number, wire type, value, whether all of it is there) of each field; a number of fixed
    length is its bytes."""
    place, size = 0, len(data)
    groups: list[int] = []
    while place < size:
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        value: int | bytes
        if number <= 0:
            return
        if wire == _VARINT:
            value, place = _varint(data, place)
            if value < 0:
                return
        elif wire in _FIXED:
            value, place = data[place : place + _FIXED[wire]], place + _FIXED[wire]
        elif wire == _BYTES:
            length, place = _varint(data, place)
            if length < 0:
                return
            value, place = data[place : place + length], place + length
        elif wire == _GROUP and len(groups) < MAX_DEPTH:
            groups.append(number)
            continue
        elif wire == _GROUP_END and groups and groups.pop() == number:
            continue
        else:
            return
        if not groups:
            yield number, wire, value, place <= size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """(value, the place behind it); -1 where the bytes are none."""
    value = shift = 0
    for byte in data[place : place + _MAX_VARINT]:
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
    return -1, len(data)


def _values(kind: str, wire: int, value: int | bytes) -> list[Any]:
    """What a field says as a scalar: several where they are packed, none where it is no such."""
    if isinstance(value, int):
        return [_number(kind, value)] if kind in _NUMBERS else []
    if kind in ("string", "bytes"):
        if wire != _BYTES:
            return []
        return [value.decode("utf-8", "replace") if kind == "string" else value]
    if kind in _FORMS:
        width = 4 if kind == "float" else 8
        if wire not in (_BYTES, _FIXED32 if width == 4 else _FIXED64):
            return []
        count = len(value) // width
        return list(struct.unpack(f"<{count}{_FORMS[kind]}", value[: count * width]))
    return _packed(kind, value) if wire == _BYTES else []


def _packed(kind: str, data: bytes) -> list[Any]:
    if data.isascii() and kind != "bool":
        return list(data)  # each a byte
    found, place = [], 0
    while place < len(data):
        value, place = _varint(data, place)
        if value < 0:
            break
        found.append(_number(kind, value))
    return found


_NUMBERS = {"bool": 1, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64}


def _number(kind: str, value: int) -> int | bool:
    if kind == "bool":
        return value != 0
    width = _NUMBERS[kind]
    value &= (1 << width) - 1
    return value - (1 << width) if kind[0] == "i" and value >> (width - 1) else value


def _zero(kind: str) -> Any:
    """What is not sent of a scalar."""
    return {"string": "", "bytes": b"", "bool": False}.get(kind, 0)
