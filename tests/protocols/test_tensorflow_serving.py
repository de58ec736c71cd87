"""TensorFlow Serving over REST: told from KServe's V1 by what it alone has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.protocols import PROTOCOLS
from monitor.protocols.tensorflow_serving import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/v1/models/m:predict", b'{"instances": [[1]]}', "kserve_v1"),
        ("/v1/models/m:explain", b'{"instances": [[1]]}', "kserve_v1"),
        ("/v1/models/m:predict", b'{"instances": [{"inputs": 1}]}', "kserve_v1"),
        ("/v1/projects/p/locations/l/endpoints/m:predict", b'{"inputs": [1]}', "kserve_v1"),
        ("/v1/models/m:predict", b'{"inputs": {"x": [1]}}', "tensorflow_serving"),
        (
            "/v1/models/m:predict",
            b'{"signature_name": "s", "instances": [[1]]}',
            "tensorflow_serving",
        ),
        ("/v1/models/m/versions/3:predict", b'{"instances": [[1]]}', "tensorflow_serving"),
        ("/tf/v1/models/m/labels/canary:predict", b'{"instances": [[1]]}', "tensorflow_serving"),
        ("/v1/models/m:classify", b'{"examples": [{"x": 1}]}', "tensorflow_serving"),
        ("/v1/models/m:regress", b'{"examples": [{"x": 1}]}', "tensorflow_serving"),
    ],
)
def test_whose_a_request_is(call: Make, path: str, body: bytes, name: str) -> None:
    """The model is the path's, whoever serves it."""
    made = call(path, body, b'{"predictions": [1]}')
    protocol = next(one for one in PROTOCOLS if one.claims(made))
    found = protocol.read(made)
    assert (found.protocol, found.model, found.operation) == (name, "m", "infer")


def test_rows_and_columns(call: Make) -> None:
    """Columns in, columns out; labels beside their scores stay in pairs."""
    body = b'{"inputs": {"age": [41, 35], "plan": ["pro", "free"]}}'
    found = PROTOCOL.read(call("/v1/models/m:predict", body, b'{"outputs": {"p": [0.25, 0.5]}}'))
    assert {part.name: part.data for part in found.inputs} == {
        "inputs.age": [41, 35], "inputs.plan": ["pro", "free"],
    }  # fmt: skip
    assert [(part.name, part.data) for part in found.outputs] == [("outputs.p", [0.25, 0.5])]
    failed = PROTOCOL.read(call("/v1/models/m:classify", b"{}", b'{"error": "no such signature"}'))
    assert (failed.failed, failed.outputs[0].role) == (True, "error")
