"""TorchServe: any body, REST and gRPC."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.protocols import PROTOCOLS
from monitor.protocols.torchserve import PROTOCOL
from monitor.types import Call
from tests.framings.test_grpc import framed
from tests.protocols.test_kserve_v2_grpc import HEADS, field

Make = Callable[..., Call]
SERVICE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/"


@pytest.mark.parametrize(
    ("path", "name", "model"),
    [
        ("/predictions/churn", "torchserve", "churn"), ("/ts/predictions/churn%2Da/2.0/", "torchserve", "churn-a"),
        ("/explanations/churn", "torchserve", "churn"), ("/predictions", "generic_json", ""),
        ("/predictions/churn/cancel", "generic_json", ""), ("/api/v1.0/predictions", "seldon", ""),
    ],
)  # fmt: skip
def test_the_model_is_in_the_path(call: Make, path: str, name: str, model: str) -> None:
    """Without its version."""
    made = call(path, b"{}", b"[0.5]")
    protocol = next(one for one in PROTOCOLS if one.claims(made))
    assert (protocol.name, protocol.read(made).model) == (name, model)


def test_files_are_named_by_type_and_size(call: Make) -> None:
    """Of a body, or of each part of a form."""
    for kind, text in (("image/png", "[image image/png 4 bytes]"), ("", "[file 4 bytes]")):
        headers = f"content-type: {kind}\r\n"
        found = PROTOCOL.read(call("/predictions/m", b"\x89\x00\x01\x02", headers=headers))
        assert [part.text for part in found.inputs] == [text]
    form = b'--b\r\nContent-Disposition: form-data; name="a"\r\nContent-Type: application/json\r\n\r\n{"x": 1}\r\n--b--'
    headers = "content-type: multipart/form-data; boundary=b\r\n"
    found = PROTOCOL.read(call("/predictions/m", form, headers=headers))
    assert [(part.name, part.data) for part in found.inputs] == [("x", [1])]


def test_an_error_is_one(call: Make) -> None:
    """Whatever its status."""
    error = b'{"code": 507, "type": "InternalServerException", "message": "out of memory"}'
    found = PROTOCOL.read(call("/predictions/m", b"{}", error, status="507 Full"))
    assert [part.role for part in found.outputs] == ["error"]
    assert PROTOCOL.read(call("/predictions/m", b"{}", b'{"error": "gone"}')).failed
    assert PROTOCOL.read(call("/predictions/m", b"{}", b"[0.5, 0.")).incomplete


def test_grpc(call: Make) -> None:
    """The bytes are read as any body; those of a stream are a text."""
    kinds = {"answer_type": "application/grpc", "headers": HEADS}
    asked = framed(field(1, b"churn") + field(3, field(1, b"data") + field(2, b'{"age": 41}')))
    found = PROTOCOL.read(
        call(f"{SERVICE}Predictions", asked, framed(field(1, b"[0.25, 0.75]")), **kinds)
    )
    assert (found.model, found.inputs[0].name, found.inputs[0].data) == ("churn", "age", [41])
    assert found.outputs[0].data == [0.25, 0.75]
    told = framed(field(1, b"In ")) + framed(field(1, b"Ulm."))
    found = PROTOCOL.read(call(f"{SERVICE}StreamPredictions", asked, told, **kinds))
    assert ([part.text for part in found.outputs], found.streamed, found.first_token) == (
        ["In Ulm."],
        True,
        0.5,
    )


@given(
    st.binary(max_size=120),
    st.sampled_from(["image/png", "application/json", "multipart/form-data; boundary=b"]),
)
def test_any_bytes_are_read(call: Make, data: bytes, kind: str) -> None:
    """No exception."""
    headers = f"content-type: {kind}\r\n"
    PROTOCOL.read(call("/predictions/m", data, data, headers=headers, answer_type=kind))
    PROTOCOL.read(call("/predictions/m", b"--b\r\n\r\n" + data, headers=headers))
    PROTOCOL.read(call(f"{SERVICE}Predictions", framed(data), framed(data), headers=HEADS))
