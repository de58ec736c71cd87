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


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), size=st.integers(-5, 300))
def test_any_bytes_are_read_or_refused(call: Make, body: bytes, answer: bytes, size: int) -> None:
    """ParseError and nothing else."""
    headers = f"inference-header-content-length: {size}\r\n"
    with contextlib.suppress(ParseError):
        PROTOCOL.read(call(PATH, body, answer, headers=headers))
