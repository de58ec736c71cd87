"""TensorFlow Serving over gRPC: what the goldens do not have."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocols.tensorflow_serving_grpc import PROTOCOL
from monitor.types import Call
from tests.framings.test_grpc import framed
from tests.protocols.test_kserve_v2_grpc import HEADS, field

Make = Callable[..., Call]
SERVICE = "/tensorflow.serving.PredictionService/"


@pytest.fixture(scope="session")
def rpc(call: Make) -> Make:
    def make(method: str, asked: bytes, told: bytes = b"", **more: str) -> Call:
        kinds = {"answer_type": "application/grpc", "headers": HEADS, **more}
        return call(SERVICE + method, framed(asked), framed(told), **kinds)

    return make


def predicted(tensor: bytes) -> bytes:
    spec = field(1, field(1, b"m"))
    return spec + field(2, field(1, b"x") + field(2, tensor))


def shaped(kind: int, *sizes: int) -> bytes:
    dims = b"".join(field(2, b"\x08" + bytes([size])) for size in sizes)
    return b"\x08" + bytes([kind]) + field(2, dims)


@pytest.mark.parametrize(
    ("tensor", "datatype", "data"),
    [
        (shaped(1, 4) + field(5, struct.pack("<2f", 0.5, 1.5)), "FP32", [0.5, 1.5, 1.5, 1.5]),
        (shaped(101, 1) + field(5, struct.pack("<f", 0.5)), "FP32", [0.5]),
        (shaped(7, 2), "BYTES", ["", ""]), (shaped(10, 2), "BOOL", [False, False]),
        (shaped(14, 1) + field(13, b"\x80\x7f"), "BF16", [1.0]),
        (shaped(9, 1) + field(4, struct.pack("<q", -7)), "INT64", [-7]),
        (shaped(2, 1) + field(6, struct.pack("<d", 0.1)), "FP64", [0.1]),
        (shaped(1, 127, 127, 127), "FP32", []), (shaped(21, 1) + field(4, b"ab"), "", []),
    ],
    ids=["the last one fills", "a reference", "no texts", "no truths", "brain floats", "content", "doubles",
         "too large to fill", "another type"],
)  # fmt: skip
def test_tensors(rpc: Make, tensor: bytes, datatype: str, data: list[object]) -> None:
    """One value may stand for all of a shape, within bounds."""
    found = PROTOCOL.read(rpc("Predict", predicted(tensor)))
    assert (found.model, [(part.datatype, part.data) for part in found.inputs]) == (
        "m",
        [(datatype, data)],
    )


def test_examples_with_a_context(rpc: Make) -> None:
    """What they have in common is a column as well."""

    def example(name: bytes, value: int) -> bytes:
        feature = field(3, field(1, bytes([value])))
        return field(1, field(1, field(1, name) + field(2, feature)))

    given_ = (
        field(1, example(b"age", 41))
        + field(1, example(b"age", 35))
        + field(2, example(b"hour", 9))
    )
    found = PROTOCOL.read(rpc("Regress", field(2, field(2, given_))))
    assert {part.name: part.data for part in found.inputs} == {"hour": [9, 9], "age": [41, 35]}


def test_classes_of_uneven_rows(rpc: Make) -> None:
    """Are one row; scores without labels are scores."""
    one = field(1, b"\x15" + struct.pack("<f", 0.5))
    told = field(1, field(1, one) + field(1, one + one))
    found = PROTOCOL.read(rpc("Classify", b"", told))
    assert [(part.name, part.shape, part.data) for part in found.outputs] == [
        ("scores", [3], [0.5] * 3)
    ]


def test_a_stream_of_predictions(rpc: Make) -> None:
    """Is timed by its messages."""
    told = field(1, field(1, b"y") + field(2, shaped(1, 1) + field(5, struct.pack("<f", 0.5))))
    found = PROTOCOL.read(rpc("PredictStreamed", b"", told))
    assert (found.streamed, found.first_token, found.outputs[0].data) == (True, 0.5, [0.5])
    assert not PROTOCOL.claims(rpc("GetModelMetadata", b""))


@given(
    st.binary(max_size=120), st.sampled_from(["Predict", "PredictStreamed", "Classify", "Regress"])
)
def test_any_message_is_read(rpc: Make, data: bytes, method: str) -> None:
    """No exception."""
    PROTOCOL.read(rpc(method, data, data))
