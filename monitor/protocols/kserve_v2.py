"""Call → Inference for the Open Inference Protocol V2 over REST: KServe, Triton, MLServer, Seldon.

https://github.com/kserve/open-inference-protocol; the binary tensor data extension is Triton's
(docs/protocol/extension_binary_data.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from monitor import bodies
from monitor.carriers import tensors
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_PATH = re.compile(r"/v2/models/(?P<model>[^/]+)(?:/versions/[^/]+)?/infer/?$")
_MAX_DEPTH = 16


class _Tensor(msgspec.Struct):
    name: str = ""
    shape: list[int] = []
    datatype: str = ""
    parameters: dict[str, Any] | None = None
    data: Any = None


class _Request(msgspec.Struct):
    inputs: list[_Tensor] = []


class _Response(msgspec.Struct):
    outputs: list[_Tensor] | None = None
    error: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """POSTs to `/v2/models/NAME[/versions/V]/infer`."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """Tensors with their values in row-major order, from JSON or from the binary extension. One in
    shared memory has no data."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of the V2 inference protocol")
    answer = Transcript(call)
    if call.response_body:
        _read_whole(answer, call)
    return answer.inference(
        "kserve_v2",
        "infer",
        model=match["model"],
        inputs=_read_request(call),
    )


PROTOCOL = Protocol("kserve_v2", claims, read)


def _read_request(call: Call) -> list[Part]:
    try:
        document, binary = _split(call.request_body, call.request_headers)
        request = bodies.decode(document, _request_decoder)
        parts = list(_parts(request.inputs, binary))
    except ParseError:
        found = bodies.text(call.request_body)
        return [Part(role="user", text=found)] if found else []
    return parts


def _read_whole(answer: Transcript, call: Call) -> None:
    try:
        document, binary = _split(call.response_body, call.response_headers)
        response = bodies.decode(document, _response_decoder)
        answer.outputs += _parts(response.outputs or [], binary)
    except ParseError:
        answer.unreadable(call.response_body)
        return
    if response.error:
        answer.error(document)


def _split(body: bytes, headers: dict[str, str]) -> tuple[bytes, bytes]:
    """The JSON part and the binary tensors behind it."""
    length = headers.get("inference-header-content-length", "")
    if not length:
        return body, b""
    if not (length.isascii() and length.isdigit()) or int(length) > len(body):
        raise ParseError("Inference-Header-Content-Length does not fit the body")
    return body[: int(length)], body[int(length) :]


def _parts(given: list[_Tensor], binary: bytes) -> Iterator[Part]:
    start = 0
    for tensor in given:
        parameters = tensor.parameters or {}
        size = parameters.get("binary_data_size")
        data: list[Any] | None
        if isinstance(size, int) and size >= 0 and tensor.data is None:
            data = tensors.unpack(tensor.datatype, binary[start : start + size])
            start += size
        elif tensor.data is None or "shared_memory_region" in parameters:
            data = None
        else:
            data = list(_flat(tensor.data, 0))
        yield Part(name=tensor.name, datatype=tensor.datatype, shape=tensor.shape, data=data)


def _flat(value: Any, depth: int) -> Iterator[Any]:
    """Nested lists in row-major order; V2 allows both nested and flat data."""
    if not isinstance(value, list):
        if value is not None:
            yield bodies.dump(value) if isinstance(value, dict) else value
        return
    if depth > _MAX_DEPTH:
        raise ParseError("a tensor has too many dimensions")
    if value and isinstance(value[0], list):
        for one in value:
            yield from _flat(one, depth + 1)
        return
    for one in value:
        yield bodies.dump(one) if isinstance(one, dict | list) else one
