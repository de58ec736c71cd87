"""MLflow's models: tables in their forms, chats, and whose a request is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from monitor.protocols import PROTOCOLS
from monitor.types import Call

Make = Callable[..., Call]


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("/invocations", {"dataframe_split": {"columns": ["a"], "data": [[1]]}}, "mlflow"),
        ("/ml/invocations/", {"dataframe_records": [{"a": 1}]}, "mlflow"),
        ("/invocations", {"messages": []}, "mlflow"), ("/invocations", {"inputs": [1], "params": {}}, "mlflow"),
        ("/serving-endpoints/m/invocations", {"inputs": [1]}, "mlflow"),
        ("/invocations", {"instances": [1]}, "sagemaker"), ("/invocations", {"inputs": "a"}, "sagemaker"),
        ("/endpoints/m/invocations", {"dataframe_records": [{"a": 1}]}, "sagemaker"),
    ],
)  # fmt: skip
def test_whose_a_request_is(call: Make, path: str, body: Any, name: str) -> None:
    """Two share a path; no more than one claims it."""
    made = call(path, json.dumps(body).encode(), b'{"predictions": [0.5]}')
    assert [one.name for one in PROTOCOLS if one.claims(made)] == [name, "generic_json"]
    found = next(one for one in PROTOCOLS if one.claims(made)).read(made)
    assert found.protocol == name


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["age", "plan"], "index": [0, 1], "data": [[41, "pro"], [35, "free"]]}},
        {"dataframe_split": {"columns": ["age", "plan"], "data": [[41, "pro"], [35, "free"]]}},
        {"dataframe_records": [{"age": 41, "plan": "pro"}, {"age": 35, "plan": "free"}]},
        {"instances": [{"age": 41, "plan": "pro"}, {"age": 35, "plan": "free"}], "params": {}},
        {"inputs": {"age": [41, 35], "plan": ["pro", "free"]}, "params": {}},
    ],
    ids=["split", "split without an index", "records", "instances", "inputs"],
)  # fmt: skip
def test_columns_have_one_name_in_every_form(call: Make, body: Any) -> None:
    """A client that changes the form changes nothing else."""
    told = b'{"predictions": [{"p": 0.25}, {"p": 0.75}]}'
    made = call("/serving-endpoints/churn/invocations", json.dumps(body).encode(), told)
    found = next(one for one in PROTOCOLS if one.claims(made)).read(made)
    assert [(part.name, part.data) for part in found.inputs] == [
        ("age", [41, 35]), ("plan", ["pro", "free"]),
    ]  # fmt: skip
    assert [(part.name, part.data) for part in found.outputs] == [("p", [0.25, 0.75])]
    assert (found.model, found.operation) == ("churn", "infer")


def test_errors_inside_a_200(call: Make) -> None:
    """As MLflow says them."""
    made = call(
        "/invocations",
        b'{"dataframe_records": []}',
        b'{"error_code": "BAD_REQUEST", "message": "no"}',
    )
    found = next(one for one in PROTOCOLS if one.claims(made)).read(made)
    assert (found.failed, found.outputs[0].role) == (True, "error")
