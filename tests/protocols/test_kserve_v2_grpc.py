"""V2 over gRPC: what the goldens of Triton's client do not have."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocols.kserve_v2_grpc import PROTOCOL
from monitor.types import Call, Outcome
from tests.framings.test_grpc import framed

Make = Callable[..., Call]
HEADS = "content-type: application/grpc\r\n"
INFER, STREAM = (
    f"/inference.GRPCInferenceService/{name}" for name in ("ModelInfer", "ModelStreamInfer")
)


def field(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    size = bytes([len(data) & 127 | 128, len(data) >> 7]) if len(data) > 127 else bytes([len(data)])
    return bytes([number << 3 | 2]) + size + data


def tensor(name: str, datatype: str, contents: bytes = b"", *more: bytes) -> bytes:
    inner = field(1, name.encode()) + field(2, datatype.encode()) + field(3, b"\1")
    return inner + (field(5, contents) if contents else b"") + b"".join(more)


@pytest.fixture(scope="session")
def rpc(call: Make) -> Make:
    def make(path: str, asked: bytes, told: bytes, **more: str) -> Call:
        kinds = {"answer_type": "application/grpc", "headers": HEADS, **more}
        return call(path, asked, told, **kinds)

    return make


def test_only_grpc_is_claimed(rpc: Make) -> None:
    """Not gRPC-Web, whose frames are others, and no other method."""
    assert PROTOCOL.claims(rpc(f"/prefix{INFER}", b"", b""))
    assert not PROTOCOL.claims(rpc("/inference.GRPCInferenceService/ServerLive", b"", b""))
    assert not PROTOCOL.claims(
        rpc(INFER, b"", b"", headers="content-type: application/grpc-web\r\n")
    )


def test_a_compressed_message_is_read(rpc: Make) -> None:
    """By the coding of its own direction."""
    asked = framed(
        gzip.compress(field(1, b"churn") + field(5, tensor("x", "INT64", field(3, b"\7")))),
        compressed=True,
    )
    found = PROTOCOL.read(rpc(INFER, asked, b"", headers=f"{HEADS}grpc-encoding: gzip\r\n"))
    assert (found.model, found.inputs[0].data) == ("churn", [7])


@pytest.mark.parametrize(
    ("contents", "data"),
    [
        (field(1, b"\1\0"), [True, False]), (field(2, b"\xff" * 9 + b"\1"), [-1]), (b"\x18\7\x18\x08", [7, 8]),
        (field(4, b"\7"), [7]), (field(5, b"\7"), [7]), (field(6, struct.pack("<f", 0.5)), [0.5]),
        (field(7, struct.pack("<d", 0.1)), [0.1]), (field(8, b"hi") + field(8, b"\xff\0\1\2"), ["hi", "[4 bytes]"]),
    ],
    ids=["bool", "int", "int64, not packed", "uint", "uint64", "fp32", "fp64", "bytes"],
)  # fmt: skip
def test_contents_of_every_kind(rpc: Make, contents: bytes, data: list[object]) -> None:
    """As the datatype says it, packed or not."""
    body = framed(field(1, b"m") + field(5, tensor("x", "?", contents)))
    (part,) = PROTOCOL.read(rpc(INFER, body, b"")).inputs
    assert (part.name, part.shape, part.data) == ("x", [1], data)


def test_raw_values_belong_to_those_that_have_none(rpc: Make) -> None:
    """In order; an unknown datatype is named by its size."""
    shared = field(4, field(1, b"shared_memory_region") + field(2, field(3, b"r")))
    body = b"".join(
        field(5, one)
        for one in (
            tensor("a", "INT8"),
            tensor("b", "INT8", b"", shared),
            tensor("c", "??"),
            tensor("d", "INT8"),
        )
    )
    found = PROTOCOL.read(rpc(INFER, framed(body + field(7, b"\1") + field(7, b"\0\xff\2\3")), b""))
    assert {part.name: part.data for part in found.inputs} == {
        "a": [1],
        "b": None,
        "c": ["[4 bytes]"],
        "d": [],
    }


def test_how_a_call_ended(rpc: Make) -> None:
    """By its status, or by what was cut."""
    told = framed(field(1, b"m") + field(5, tensor("x", "INT64", field(3, b"\7"))))
    assert PROTOCOL.read(rpc(INFER, b"", told)).ended(Outcome.OK) is Outcome.OK
    assert PROTOCOL.read(rpc(INFER, b"", told[:-1])).incomplete
    for code, outcome in ((8, Outcome.RATE_LIMITED), (13, Outcome.SERVER_ERROR)):
        found = PROTOCOL.read(rpc(INFER, b"", told, answer_headers=f"grpc-status: {code}\r\n"))
        assert (found.ended(Outcome.OK), found.outputs[-1].role) == (outcome, "error")


@given(st.binary(max_size=120), st.sampled_from([INFER, STREAM]))
def test_any_message_is_read(rpc: Make, data: bytes, path: str) -> None:
    """No exception."""
    PROTOCOL.read(rpc(path, framed(data), framed(data)))


@pytest.mark.parametrize(("end", "is_cut"), [("grpc-status: 0\r\n", False), ("", True)])
def test_a_call_that_has_its_status_is_whole(rpc: Make, end: str, is_cut: bool) -> None:
    """Also where its messages are in a coding of its own, or larger than what is unpacked: these
    were told as broken, each of them."""
    one = rpc(INFER, b"", b"snappy", answer_headers=f"grpc-encoding: snappy\r\n{end}")
    packed = b"\x01" + one.response_body[1:]
    assert PROTOCOL.read(msgspec.structs.replace(one, response_body=packed)).incomplete is is_cut
