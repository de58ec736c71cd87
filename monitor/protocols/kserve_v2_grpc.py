"""Call → Inference for the Open Inference Protocol V2 over gRPC: KServe, Triton, MLServer, Seldon.

https://github.com/kserve/open-inference-protocol (open_inference_grpc.proto); the stream is
Triton's (https://github.com/triton-inference-server/common, grpc_service.proto).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from monitor.carriers import rpcs, tensors
from monitor.errors import ParseError
from monitor.framings.protobuf import Field, Table, map_of, message
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_SERVICE = "/inference.GRPCInferenceService/"
_METHODS = (f"{_SERVICE}ModelInfer", f"{_SERVICE}ModelStreamInfer")
_CONTENTS: Table = {
    1: Field("bool", "bool", repeated=True),
    2: Field("int", "int32", repeated=True),
    3: Field("int64", "int64", repeated=True),
    4: Field("uint", "uint32", repeated=True),
    5: Field("uint64", "uint64", repeated=True),
    6: Field("fp32", "float", repeated=True),
    7: Field("fp64", "double", repeated=True),
    8: Field("bytes", "bytes", repeated=True),
}
_PARAMETERS = map_of("parameters", {1: Field("bool", "bool"), 3: Field("string", "string")})
_TENSOR: Table = {
    1: Field("name", "string"),
    2: Field("datatype", "string"),
    3: Field("shape", "int64", repeated=True),
    4: _PARAMETERS,
    5: Field("contents", _CONTENTS),
}
_REQUEST: Table = {
    1: Field("model_name", "string"),
    5: Field("tensors", _TENSOR, repeated=True),
    7: Field("raw", "bytes", repeated=True),
}
_RESPONSE: Table = {
    1: Field("model_name", "string"),
    3: Field("id", "string"),
    5: Field("tensors", _TENSOR, repeated=True),
    6: Field("raw", "bytes", repeated=True),
}
_STREAMED: Table = {1: Field("error", "string"), 2: Field("response", _RESPONSE)}


def claims(call: Call) -> bool:
    """gRPC calls of `inference.GRPCInferenceService/ModelInfer` and Triton's `ModelStreamInfer`."""
    return rpcs.calls(call, *_METHODS) != ""


def read(call: Call) -> Inference:
    """Tensors as over REST; a tensor in shared memory has no data.

    Triton's stream may answer a request with any number of tensors, and may say that it failed
    inside a call that ends well.
    """
    inputs: list[Part] = []
    model = ""
    for data in rpcs.asked(call):
        request = message(data, _REQUEST)
        model = model or request.get("model_name", "")
        inputs += _parts(request)
    answer = Transcript(call, streamed=rpcs.calls(call, *_METHODS) == "ModelStreamInfer")
    for one in rpcs.answered(answer):
        response = message(one.data, _STREAMED if answer.streamed else _RESPONSE)
        if answer.streamed:
            if said := response.get("error"):
                answer.error(said.encode())
            response = response.get("response", {})
        answer.note(model=response.get("model_name"), id_=response.get("id"))
        found = list(_parts(response))
        answer.outputs += found
        if found and answer.streamed:
            answer.heard(one.end)
    return answer.inference("kserve_v2", "infer", model=model, inputs=inputs)


PROTOCOL = Protocol("kserve_v2", claims, read)


def _parts(document: dict[str, Any]) -> Iterator[Part]:
    """Tensors, whose values are their contents, or one of the raw ones in their order."""
    raw = iter(document.get("raw", ()))
    for tensor in document.get("tensors", ()):
        datatype = tensor.get("datatype", "")
        contents = tensor.get("contents", {})
        data: list[Any] | None = next(iter(contents.values()), [])
        if "shared_memory_region" in tensor.get("parameters", {}):
            data = None
        elif not data and (packed := next(raw, None)) is not None:
            try:
                data = tensors.unpack(datatype, packed)
            except ParseError:
                data = [tensors.text(packed)]
        elif "bytes" in contents:
            data = [tensors.text(one) for one in contents["bytes"]]
        shape = tensor.get("shape", [])
        yield Part(name=tensor.get("name", ""), datatype=datatype, shape=shape, data=data)
