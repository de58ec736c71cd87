"""Rerankers of several makers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.rerank import PROTOCOL
from monitor.types import Call, Tokens

Make = Callable[..., Call]
TEXTS = ["Bonn lies on the Rhine.", "Ulm lies on the Danube.", "Oslo is cold."]
ASKED = {"model": "m", "query": "Where is Ulm?", "documents": TEXTS, "top_n": 2}
TEI = {"query": "Where is Ulm?", "texts": TEXTS}
SCORED = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}]
BARE = [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.2}]
BILLED = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}


@pytest.mark.parametrize(
    ("path", "asked", "answer", "paid"),
    [
        ("/v2/rerank", ASKED, {"id": "r", "results": SCORED, "meta": BILLED}, (None, {"searches": 1})),
        ("/v1/rerank", {**ASKED, "documents": [{"text": one} for one in TEXTS]},
         {"results": SCORED, "meta": {**BILLED, "tokens": {"input_tokens": 30}}}, (Tokens(30, 0), {"searches": 1})),
        ("/v1/rerank", ASKED, {"object": "list", "data": SCORED, "model": "m", "usage": {"total_tokens": 26}}, (Tokens(26, 0), {})),
        ("/v1/rerank", ASKED, {"model": "m", "results": SCORED, "usage": {"total_tokens": 26}}, (Tokens(26, 0), {})),
        ("/rerank", TEI, BARE, (None, {})),
        ("/score", {"model": "m", "text_1": ASKED["query"], "text_2": TEXTS},
         {"object": "list", "data": BARE, "usage": {"prompt_tokens": 26, "total_tokens": 26}}, (Tokens(26, 0), {})),
    ],
    ids=["Cohere v2", "Cohere v1", "Voyage", "Jina", "TEI", "vLLM"],
)  # fmt: skip
def test_scores_stand_in_the_order_of_the_documents(
    call: Make, path: str, asked: Any, answer: Any, paid: tuple[Tokens | None, dict[str, float]]
) -> None:
    """Null where the best were kept alone. Searches are no tokens (bifrost 4239, synaplan 1778), and
    no score is a probability."""
    made = call(path, json.dumps(asked).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    found = PROTOCOL.read(made)
    assert [(part.role, part.text) for part in found.inputs] == [
        ("user", "Where is Ulm?"), *(("document", text) for text in TEXTS),
    ]  # fmt: skip
    (part,) = found.outputs
    assert (part.name, part.shape, part.data) == ("relevance_score", [3], [0.2, 0.9, None])
    assert (found.operation, found.tokens, found.units) == ("rerank", *paid)
    assert found.confidence is None
    assert found.model == asked.get("model", "")


@pytest.mark.parametrize("index", [-1, 2**60, "x", None, 7.5, [1]])
def test_an_odd_index_costs_itself_alone(call: Make, index: Any) -> None:
    """One beyond the documents names none, and takes no memory; without one the place counts."""
    answer = {
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": index, "relevance_score": 0.2}]
    }
    found = PROTOCOL.read(call("/rerank", json.dumps(ASKED).encode(), json.dumps(answer).encode()))
    assert found.outputs[0].shape == [3]
    assert (found.outputs[0].data or [])[1] in (0.9, 0.2)


def test_without_a_request_there_are_as_many_scores_as_results(call: Make) -> None:
    """It may have been cut."""
    found = PROTOCOL.read(
        call("/rerank", b'{"query": "Wh', json.dumps({"results": SCORED}).encode())
    )
    assert found.outputs[0].data == [0.2, 0.9]


def test_other_paths_that_end_so_are_not_claimed(call: Make) -> None:
    """A game's scores are none of a model."""
    assert not PROTOCOL.claims(call("/score", b'{"player": 7}'))
    assert not PROTOCOL.claims(call("/rerank", b'{"items": [1, 2]}'))
    assert not PROTOCOL.claims(call("/rerank", json.dumps(ASKED).encode(), method="GET"))


def test_an_error_and_an_answer_of_somebody_else(call: Make) -> None:
    """One is a failure; of the other nothing is lost."""
    asked = json.dumps(ASKED).encode()
    assert PROTOCOL.read(call("/rerank", asked, b'{"error": "overloaded"}')).failed
    other = PROTOCOL.read(call("/rerank", asked, b'{"order": [2, 1]}'))
    assert [(part.name, part.data) for part in other.outputs] == [("order", [2, 1])]
    assert PROTOCOL.read(call("/rerank", asked, b'[{"index": 1, "sc')).incomplete


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes) -> None:
    """No exception."""
    assert PROTOCOL.read(call("/rerank", body, answer)).operation == "rerank"
