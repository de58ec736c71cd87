"""Call → Inference for TensorFlow Serving over gRPC: Predict, Classify and Regress.

https://github.com/tensorflow/serving/tree/master/tensorflow_serving/apis, and of TensorFlow itself
tensorflow/core/framework/tensor.proto and tensorflow/core/example/example.proto
"""

from __future__ import annotations

import math
from typing import Any

from monitor import columns
from monitor.carriers import rpcs, tensors
from monitor.framings.protobuf import Field, Table, map_of, message
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_SERVICE = "/tensorflow.serving.PredictionService/"
_METHODS = tuple(_SERVICE + name for name in ("Predict", "PredictStreamed", "Classify", "Regress"))
_FILL = 8
"""A tensor whose bytes stand for more values than so many times their number is not filled."""
_SPEC = Field("model_spec", {1: Field("name", "string")})
_TENSOR: Table = {
    1: Field("dtype", "int32"),
    2: Field("shape", {2: Field("dims", {1: Field("size", "int64")}, repeated=True)}),
    4: Field("content", "bytes"),
    5: Field("float", "float", repeated=True),
    6: Field("double", "double", repeated=True),
    7: Field("int", "int32", repeated=True),
    8: Field("string", "bytes", repeated=True),
    10: Field("int64", "int64", repeated=True),
    11: Field("bool", "bool", repeated=True),
    13: Field("half", "int32", repeated=True),
    16: Field("uint32", "uint32", repeated=True),
    17: Field("uint64", "uint64", repeated=True),
}
_VALUES = ("float", "double", "int", "string", "int64", "bool", "half", "uint32", "uint64")
_DATATYPES = {
    1: "FP32", 2: "FP64", 3: "INT32", 4: "UINT8", 5: "INT16", 6: "INT8", 7: "BYTES", 9: "INT64",
    10: "BOOL", 14: "BF16", 17: "UINT16", 19: "FP16", 22: "UINT32", 23: "UINT64",
}  # fmt: skip
_REFERENCE = 100
"""What is added to a type for a reference to it."""
_FEATURE: Table = {
    1: Field("bytes", {1: Field("value", "bytes", repeated=True)}),
    2: Field("float", {1: Field("value", "float", repeated=True)}),
    3: Field("int64", {1: Field("value", "int64", repeated=True)}),
}
_EXAMPLE: Table = {1: Field("features", {1: map_of("feature", _FEATURE)})}
_EXAMPLES = Field("examples", _EXAMPLE, repeated=True)
_INPUT: Table = {
    1: Field("list", {1: _EXAMPLES}),
    2: Field("with_context", {1: _EXAMPLES, 2: Field("context", _EXAMPLE)}),
}
_CLASS: Table = {1: Field("label", "string"), 2: Field("score", "float")}
_CLASSES: Table = {1: Field("classes", _CLASS, repeated=True)}
_QUESTIONS: dict[str, Table] = {
    "Predict": {1: _SPEC, 2: map_of("inputs", _TENSOR)},
    "Classify": {1: _SPEC, 2: Field("input", _INPUT)},
}
_ANSWERS: dict[str, Table] = {
    "Predict": {1: map_of("outputs", _TENSOR), 2: _SPEC},
    "Classify": {1: Field("result", {1: Field("rows", _CLASSES, repeated=True)}), 2: _SPEC},
    "Regress": {
        1: Field("result", {1: Field("rows", {1: Field("value", "float")}, repeated=True)}),
        2: _SPEC,
    },
}


def claims(call: Call) -> bool:
    """gRPC calls of `tensorflow.serving.PredictionService/Predict`, `Classify` and `Regress`."""
    return rpcs.calls(call, *_METHODS) != ""


def read(call: Call) -> Inference:
    """Tensors by name; examples are columns, a row each; classes are labels beside scores."""
    called = rpcs.calls(call, *_METHODS)
    method = called.removesuffix("Streamed") or "Predict"
    inputs: list[Part] = []
    model = ""
    for data in rpcs.asked(call):
        request = message(data, _QUESTIONS.get(method, _QUESTIONS["Classify"]))
        model = model or request.get("model_spec", {}).get("name", "")
        inputs += [_tensor(name, one) for name, one in request.get("inputs", {}).items()]
        inputs += _examples(request.get("input", {}), len(data))
    answer = Transcript(call, streamed=called.endswith("Streamed"))
    for one in rpcs.answered(answer):
        response = message(one.data, _ANSWERS[method])
        answer.note(model=response.get("model_spec", {}).get("name"))
        answer.outputs += [
            _tensor(name, each) for name, each in response.get("outputs", {}).items()
        ]
        rows = response.get("result", {}).get("rows", [])
        answer.outputs += _classes(rows) if method == "Classify" else _values(rows)
        if answer.streamed:
            answer.heard(one.end)
    return answer.inference("tensorflow_serving", "infer", model=model, inputs=inputs)


PROTOCOL = Protocol("tensorflow_serving", claims, read)


def _tensor(name: str, tensor: dict[str, Any]) -> Part:
    """A TensorProto. One value stands for all of the shape, and the last one for those that are
    missing; none at all are zeros."""
    kind = tensor.get("dtype", 0)
    datatype = _DATATYPES.get(kind - _REFERENCE if kind > _REFERENCE else kind, "")
    shape = [one.get("size", 0) for one in tensor.get("shape", {}).get("dims", ())]
    content = tensor.get("content", b"")
    data: list[Any]
    if content and datatype and datatype != "BYTES":
        data = tensors.unpack(datatype, content)
    else:
        said = next((each for each in _VALUES if tensor.get(each)), "")
        data = tensor.get(said, [])
        if said == "string":
            data = [tensors.text(one) for one in data]
        elif said == "half":
            data = (tensors.brains if datatype == "BF16" else tensors.halves)(tuple(data))
        data = _filled(data, shape, datatype) if datatype else data
    return Part(name=name, datatype=datatype, shape=shape, data=data)


def _filled(data: list[Any], shape: list[int], datatype: str) -> list[Any]:
    size = math.prod(shape) if all(0 <= one < 1 << 32 for one in shape) and len(shape) < 16 else 0
    missing = size - len(data)
    if missing <= 0 or size > _FILL * max(len(data), _FILL):
        return data
    zero: Any = {"BYTES": "", "BOOL": False}.get(datatype, 0)
    last = data[-1] if data else zero
    return data + [last] * missing


def _examples(given: dict[str, Any], size: int) -> list[Part]:
    """Examples as columns; what they have in common is of each."""
    within = given.get("with_context", given.get("list", {}))
    context = _features(within.get("context", {}))
    rows = [context | _features(one) for one in within.get("examples", ())]
    found = columns.Columns("user", columns.EXPANSION * size + columns.ALLOWANCE)
    try:
        if rows:
            found.add("", rows)
    except OverflowError:
        pass  # what came before is there
    return found.parts


def _features(example: dict[str, Any]) -> dict[str, Any]:
    """The features of an example; one value is that value."""
    found: dict[str, Any] = {}
    for name, feature in example.get("features", {}).get("feature", {}).items():
        for kind, holder in feature.items():
            values = holder.get("value", [])
            values = [tensors.text(one) for one in values] if kind == "bytes" else values
            found[name] = values[0] if len(values) == 1 else values
    return found


def _classes(rows: list[dict[str, Any]]) -> list[Part]:
    """Labels and scores, a row for each example; rows of different lengths are one row."""
    classes = [row.get("classes", []) for row in rows]
    flat = [one for row in classes for one in row]
    is_even = len({len(row) for row in classes}) == 1
    shape = [len(classes), len(classes[0])] if is_even else [len(flat)]
    labels = [one.get("label", "") for one in flat]
    scores = [one.get("score", 0.0) for one in flat]
    found = []
    if any(labels):
        found.append(Part(name="classes", datatype="BYTES", shape=shape, data=labels))
    if flat:
        found.append(Part(name="scores", datatype="FP32", shape=shape, data=scores))
    return found


def _values(rows: list[dict[str, Any]]) -> list[Part]:
    values = [row.get("value", 0.0) for row in rows]
    shape = [len(values)]
    return [Part(name="outputs", datatype="FP32", shape=shape, data=values)] if values else []
