"""V1 predictions: rows, columns, a model in the path."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.protocols.kserve_v1 import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]


@pytest.mark.parametrize(
    "path",
    ["/v1/models/churn:predict", "/ns/v1/models/churn/versions/3:predict", "/v1/models/churn/labels/a:classify",
     "/v1/models/churn:explain", "/v1/models/churn:regress",
     "/v1/projects/p/locations/l/endpoints/churn:predict"],
)  # fmt: skip
def test_the_model_is_in_the_path(call: Make, path: str) -> None:
    """Versions and labels are none of its name."""
    made = call(path, b'{"instances": [[1, 2]]}', b'{"predictions": [0.5]}')
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert (found.model, found.operation) == ("churn", "infer")
    assert [(part.name, part.shape, part.data) for part in found.inputs] == [
        ("instances", [1, 2], [1, 2])
    ]
    assert [(part.name, part.data) for part in found.outputs] == [("predictions", [0.5])]


def test_instances_with_names_are_columns(call: Make) -> None:
    """A member that only some have is missing in the others."""
    body = b'{"instances": [{"age": 41, "plan": "pro"}, {"age": 35}]}'
    found = PROTOCOL.read(call("/v1/models/churn:predict", body))
    assert {part.name: part.data for part in found.inputs} == {
        "instances.age": [41, 35],
        "instances.plan": ["pro", None],
    }


def test_an_error_inside_a_200_is_a_failure(call: Make) -> None:
    """A prediction that has the word in it is none."""
    failed = PROTOCOL.read(call("/v1/models/m:predict", b"{}", b'{"error": "no such signature"}'))
    assert failed.failed
    assert failed.outputs[0].role == "error"
    fine = PROTOCOL.read(call("/v1/models/m:predict", b"{}", b'{"predictions": ["error"]}'))
    assert not fine.failed


def test_predictions_that_were_cut_are_incomplete(call: Make) -> None:
    """HTTP ended well and the JSON did not."""
    assert PROTOCOL.read(
        call("/v1/models/m:predict", b"{}", b'{"predictions": [0.1, 0.')
    ).incomplete
    assert not PROTOCOL.read(
        call("/v1/models/m:predict", b"{}", b'{"predictions": [0.1]}')
    ).incomplete


def test_other_methods_and_verbs_are_not_claimed(call: Make) -> None:
    """The status of a model is no inference."""
    assert not PROTOCOL.claims(call("/v1/models/churn", method="GET"))
    assert not PROTOCOL.claims(call("/v1/models/churn:generateContent"))
