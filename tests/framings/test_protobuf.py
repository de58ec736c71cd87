"""Protobuf's wire format: as protobuf itself writes it, in any order, cut and bent anywhere."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from monitor.framings.protobuf import MAX_DEPTH, Field, Table, map_of, message

KINDS: dict[str, tuple[int, st.SearchStrategy[Any]]] = {
    "bool": (descriptor_pb2.FieldDescriptorProto.TYPE_BOOL, st.booleans()),
    "int32": (descriptor_pb2.FieldDescriptorProto.TYPE_INT32, st.integers(-(2**31), 2**31 - 1)),
    "int64": (descriptor_pb2.FieldDescriptorProto.TYPE_INT64, st.integers(-(2**63), 2**63 - 1)),
    "uint32": (descriptor_pb2.FieldDescriptorProto.TYPE_UINT32, st.integers(0, 2**32 - 1)),
    "uint64": (descriptor_pb2.FieldDescriptorProto.TYPE_UINT64, st.integers(0, 2**64 - 1)),
    "float": (descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT, st.floats(width=32, allow_nan=False)),
    "double": (descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE, st.floats(allow_nan=False)),
    "string": (descriptor_pb2.FieldDescriptorProto.TYPE_STRING, st.text(max_size=9)),
    "bytes": (descriptor_pb2.FieldDescriptorProto.TYPE_BYTES, st.binary(max_size=9)),
}
NUMBERS = {name: place + 1 for place, name in enumerate(KINDS)}
MANY, UNPACKED, INNER, INNERS = 100, 200, 300, 301
SCALARS: Table = {
    **{number: Field(name, name) for name, number in NUMBERS.items()},
    **{number + MANY: Field(f"many_{name}", name, repeated=True) for name, number in NUMBERS.items()},
    **{number + UNPACKED: Field(f"each_{name}", name, repeated=True) for name, number in NUMBERS.items()},
}  # fmt: skip
TABLE: Table = SCALARS | {
    INNER: Field("inner", SCALARS),
    INNERS: Field("inners", SCALARS, repeated=True),
}


def described() -> Any:
    """The same table as protobuf has it."""
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    one = file.message_type.add(name="M")
    for name, (kind, _) in KINDS.items():
        for prefix, beyond, label in (("", 0, 1), ("many_", MANY, 3), ("each_", UNPACKED, 3)):
            field = one.field.add(
                name=prefix + name, number=NUMBERS[name] + beyond, type=kind, label=label
            )
            if prefix == "each_" and name not in ("string", "bytes"):
                field.options.packed = False
    for name, number, label in (("inner", INNER, 1), ("inners", INNERS, 3)):
        one.field.add(name=name, number=number, type=11, label=label, type_name=".t.M")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.M"))


MESSAGE = described()
VALUES = st.fixed_dictionaries(
    {},
    optional={
        **{name: values for name, (_, values) in KINDS.items()},
        **{f"{word}_{name}": st.lists(values, max_size=3)
           for name, (_, values) in KINDS.items() for word in ("many", "each")},
    },
)  # fmt: skip


def written(values: dict[str, Any]) -> bytes:
    return bytes(MESSAGE(**values).SerializeToString())


def shown(one: Any) -> dict[str, Any]:
    """What protobuf read, as we show it: what was not sent is not there."""
    found = {}
    for field, value in one.ListFields():
        if field.type != field.TYPE_MESSAGE:
            found[field.name] = (
                value if isinstance(value, str | bytes | int | float) else list(value)
            )
        elif field.name == "inner":
            found[field.name] = shown(value)
        else:
            found[field.name] = [shown(each) for each in value]
    return found


@given(VALUES, VALUES, st.lists(VALUES, max_size=2), VALUES)
def test_a_message_is_what_protobuf_reads(
    first: dict[str, Any],
    inner: dict[str, Any],
    inners: list[dict[str, Any]],
    again: dict[str, Any],
) -> None:
    """Each field once or twice, packed or not; messages that come twice add up."""
    body = written({**first, "inner": inner, "inners": inners}) + written({**again, "inner": again})
    read = MESSAGE.FromString(body)
    found = message(body, TABLE)
    right = shown(read)
    for name in [one for one in found if one not in right]:
        assert found.pop(name) in (0, "", b"", False, [], {})  # sent, and of no weight
    for name, value in right.items():
        if name not in ("inner", "inners"):
            assert found[name] == value
    assert len(found.get("inners", [])) == len(right.get("inners", []))
    for name, value in right.get("inner", {}).items():
        assert found["inner"][name] == value


@given(VALUES, st.integers(0, 300))
def test_a_message_that_was_cut_is_read_that_far(values: dict[str, Any], cut: int) -> None:
    """The fields before the cut are whole."""
    body = written(values)
    whole, part = message(body, TABLE), message(body[:cut], TABLE)
    assert set(part) <= set(whole)
    for name in list(part)[:-1]:
        assert part[name] == whole[name]


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    """No exception, at any table."""
    message(body, TABLE)
    message(body, {number: Field("x", {1: Field("y", "float")}) for number in range(1, 16)})
    message(body, {number: map_of("x", "int32") for number in range(1, 16)})


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("0b 08 05 0c 0801", {"a": 1}), ("13 1b 1c 14 0801", {"a": 1}), ("0801 0b 08 05", {"a": 1}),
        ("0801 0c 0802", {"a": 1}), ("0801 00 0802", {"a": 1}), ("0801 0e 0802", {"a": 1}),
        ("08 ffffffffffffffffffff01 0801", {}), ("0801 12 ff", {"a": 1}), ("0d 01000000", {}), ("f23f0161 0801", {"a": 1}),
    ],
    ids=["a group", "a group in a group", "a group without end", "an end without group", "number 0", "type 6",
         "too long a number", "a length that is none", "another type", "an unknown field"],
)  # fmt: skip
def test_what_is_no_field_of_ours_costs_nothing_before_it(body: str, right: dict[str, Any]) -> None:
    """Groups, unknown fields, other types, damage."""
    assert message(bytes.fromhex(body), {1: Field("a", "int32")}) == right


def test_maps() -> None:
    """The last entry of a key holds; what is not sent of one is nothing."""
    entry = {1: Field("n", "int32")}
    body = bytes.fromhex("0a05 0a0161 1001 0a05 0a0161 1002 0a03 0a0162 0a02 1007")
    assert message(body, {1: map_of("m", "int32")}) == {"m": {"a": 2, "b": 0, "": 7}}
    assert message(bytes.fromhex("0a07 0a0161 12020809"), {1: map_of("m", entry)}) == {
        "m": {"a": {"n": 9}}
    }


def test_messages_that_stand_too_deep_are_passed_over() -> None:
    """At a bounded cost."""
    table: Table = {}
    table[1] = Field("in", table)
    body = b""
    for _ in range(30):
        body = b"\x0a" + bytes([len(body)]) + body
    found, depth = message(body, table), 0
    while found:
        found, depth = found["in"], depth + 1
    assert depth == MAX_DEPTH


def test_floats_keep_their_bits() -> None:
    """Packed and not."""
    body = b"\x0a\x08" + struct.pack("<2f", 0.5, -1.25) + b"\x0d" + struct.pack("<f", 3.0)
    assert message(body, {1: Field("x", "float", repeated=True)}) == {"x": [0.5, -1.25, 3.0]}
