"""OpenAI's moderations."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.openai_moderations import PROTOCOL
from monitor.types import Call

Make = Callable[..., Call]
PATH = "/v1/moderations"


def result(flagged: Any, **scores: Any) -> dict[str, Any]:
    categories = {name: score > 0.5 for name, score in scores.items()}
    return {"flagged": flagged, "categories": categories, "category_scores": scores}


def test_verdicts_and_scores_are_a_tensor_a_category(call: Make) -> None:
    """A row for each text; the confidence is that of the verdict, also where nothing is wrong."""
    asked = {"model": "omni-moderation-latest", "input": ["kind words", "a threat"]}
    answer = {"id": "modr-1", "model": "omni-moderation-2024-09-26",
              "results": [result(False, hate=0.1, violence=0.2), result(True, hate=0.3, violence=0.9)]}  # fmt: skip
    made = call(PATH, json.dumps(asked).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("user", "kind words"), ("user", "a threat"),
    ]  # fmt: skip
    assert [(part.name, part.datatype, part.data) for part in found.outputs] == [
        ("flagged", "BOOL", [False, True]),
        ("categories.hate", "BOOL", [False, False]), ("categories.violence", "BOOL", [False, True]),
        ("category_scores.hate", "FP64", [0.1, 0.3]), ("category_scores.violence", "FP64", [0.2, 0.9]),
    ]  # fmt: skip
    assert (found.operation, found.response_id) == ("moderation", "modr-1")
    assert (found.model, found.requested_model) == (
        "omni-moderation-2024-09-26",
        "omni-moderation-latest",
    )
    assert found.confidence == pytest.approx((0.8 + 0.9) / 2)
    assert found.confidence_min == pytest.approx(0.8)
    assert (found.tokens, found.units) == (None, {})


@pytest.mark.parametrize(
    ("given_", "right"),
    [("a", [("user", "a")]),
     ([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,YWI="}}],
      [("user", "a\n[image image/png 2 bytes]")]),
     ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], [("user", "a"), ("assistant", "b")]),
     (None, [])],
    ids=["a text", "content parts", "Mistral's messages", "nothing"],
)  # fmt: skip
def test_what_is_judged(call: Make, given_: Any, right: list[tuple[str, str]]) -> None:
    """In each of the forms that servers take."""
    found = PROTOCOL.read(call(PATH, json.dumps({"input": given_}).encode()))
    assert [(part.role, part.text) for part in found.inputs] == right


def test_odd_members_cost_themselves_alone(call: Make) -> None:
    """Scores that are none, a result without categories, a verdict in words."""
    answer = {
        "results": [
            result("yes", hate=0.9) | {"categories": [1]},
            {},
            {"category_scores": {"hate": "high", "new": 2}},
        ]
    }
    found = PROTOCOL.read(call(PATH, b"{}", json.dumps(answer).encode()))
    assert [(part.name, part.data) for part in found.outputs] == [
        ("category_scores.hate", [0.9, None, None]), ("category_scores.new", [None, None, 2]),
    ]  # fmt: skip
    assert found.confidence == 0.9


def test_empty_results_beside_categories_take_no_memory(call: Make) -> None:
    """A tensor for each category with a row for each result would be many times the answer."""
    scores = ",".join(f'"c{number}":1' for number in range(100))
    answer = b'{"results":[' + b"{}," * 20_000 + b'{"category_scores":{' + scores.encode() + b"}}]}"
    tracemalloc.start()
    found = PROTOCOL.read(call(PATH, b'{"input":"a"}', answer))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.outputs
    assert not any((part.name or "").startswith("category_scores") for part in found.outputs)
    assert peak < 120 * len(answer)


def test_an_error_and_an_answer_of_somebody_else(call: Make) -> None:
    """One is a failure; of the other nothing is lost."""
    assert PROTOCOL.read(call(PATH, b"{}", b'{"error": {"message": "busy"}}')).failed
    other = PROTOCOL.read(call(PATH, b"{}", b'{"verdict": "fine"}'))
    assert [(part.name, part.data) for part in other.outputs] == [("verdict", ["fine"])]
    assert PROTOCOL.read(call(PATH, b"{}", b'{"results": [')).incomplete


def test_a_request_of_somebody_else_is_not_claimed(call: Make) -> None:
    """Of what it holds nothing would be read."""
    assert not PROTOCOL.claims(call(PATH, b'{"post": 7}'))
    assert not PROTOCOL.claims(call(PATH, b'{"model": "m", "input": "a"}', method="GET"))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes) -> None:
    """No exception."""
    assert PROTOCOL.read(call(PATH, body, answer)).operation == "moderation"
