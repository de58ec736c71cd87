"""The V2 inference protocol: JSON tensors and the binary extension."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.protocols.kserve_v2 import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]
PATH = "/v2/models/iris/versions/2/infer"


def test_json_tensors(call: Make) -> None:
    """Name, datatype, shape, data as they are; nested data is flattened."""
    request = {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3, 4]]}]
    }
    answer = {"model_name": "iris", "outputs": [
        {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["a", "b"]}]}  # fmt: skip
    made = call(PATH, json.dumps(request).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    seen = PROTOCOL.read(made)
    assert (seen.model, seen.operation) == ("iris", "infer")
    (given_,) = seen.inputs
    assert (given_.name, given_.datatype, given_.shape, given_.data) == (
        "x",
        "FP32",
        [2, 2],
        [1, 2, 3, 4],
    )
    assert seen.outputs[0].data == ["a", "b"]


def test_binary_tensors(call: Make) -> None:
    """Little-endian numbers and length-prefixed strings behind the JSON."""
    numbers = struct.pack("<3f", 1.5, 2.5, -1)
    strings = b"".join(struct.pack("<I", len(s)) + s for s in (b"ab", b"c"))
    head = json.dumps({"inputs": [
        {"name": "n", "datatype": "FP32", "shape": [3], "parameters": {"binary_data_size": 12}},
        {"name": "s", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(strings)}},
    ]}).encode()  # fmt: skip
    headers = f"inference-header-content-length: {len(head)}\r\n"
    seen = PROTOCOL.read(call(PATH, head + numbers + strings, headers=headers))
    assert [part.data for part in seen.inputs] == [[1.5, 2.5, -1.0], ["ab", "c"]]


def test_half_floats_have_the_digits_that_tell_them_apart(call: Make) -> None:
    """And no more: the smallest would be ten times as long on record as on the wire."""
    values = [0.1, -2.5, 6e-8, 65504.0, 1 / 3]
    raw = struct.pack("<5e", *values)
    tensor = {"name": "x", "datatype": "FP16", "shape": [5], "parameters": {"binary_data_size": 10}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = f"inference-header-content-length: {len(head)}\r\n"
    (part,) = PROTOCOL.read(call(PATH, head + raw, headers=headers)).inputs
    assert part.data is not None
    assert struct.pack("<5e", *part.data) == raw
    assert all(len(repr(value)) <= 10 for value in part.data)
    brain = struct.pack("<4f", 0.1, -2.5, 1e-40, 3e38)
    words = b"".join(brain[at + 2 : at + 4] for at in range(0, 16, 4))
    head = head.replace(b"FP16", b"BF16").replace(b": 10}", b": 8}")
    headers = f"inference-header-content-length: {len(head)}\r\n"
    (part,) = PROTOCOL.read(call(PATH, head + words, headers=headers)).inputs
    assert part.data is not None
    again = struct.pack("<4f", *part.data)
    rounded = [
        int.from_bytes(again[at : at + 4], "little") + 0x8000 >> 16 for at in range(0, 16, 4)
    ]
    assert rounded == [int.from_bytes(words[at : at + 2], "little") for at in range(0, 8, 2)]


def test_errors_and_cuts_inside_a_200(call: Make) -> None:
    """It fails, or it has no end."""
    assert PROTOCOL.read(call(PATH, b"{}", b'{"error": "no model"}')).failed
    assert PROTOCOL.read(call(PATH, b"{}", b'{"outputs": [{"name": "x", "da')).incomplete


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), size=st.integers(-5, 300))
def test_any_bytes_are_read_or_refused(call: Make, body: bytes, answer: bytes, size: int) -> None:
    """ParseError and nothing else."""
    headers = f"inference-header-content-length: {size}\r\n"
    with contextlib.suppress(ParseError):
        PROTOCOL.read(call(PATH, body, answer, headers=headers))


def test_a_tensor_in_shared_memory_has_no_data(call: Make) -> None:
    """Its shape is known; the others' bytes stay theirs."""
    hidden = {"shared_memory_region": "r", "shared_memory_byte_size": 16}
    tensors = [
        {"name": "a", "datatype": "FP32", "shape": [4], "parameters": hidden},
        {"name": "b", "datatype": "INT8", "shape": [1], "parameters": {"binary_data_size": 1}},
    ]
    head = json.dumps({"inputs": tensors}).encode()
    headers = f"inference-header-content-length: {len(head)}\r\n"
    found = PROTOCOL.read(call(PATH, head + b"\7", headers=headers))
    assert [(part.shape, part.data) for part in found.inputs] == [([4], None), ([1], [7])]
