"""Kinds of answers."""

from __future__ import annotations

import pytest

from monitor.features.output_kind import FEATURE, kind
from monitor.types import Outcome, Part


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m sorry, I cannot help with that.",
        "I am unable to provide medical advice.",
        "I won't help with that.",
        "As an AI language model, I have no opinions.",
        "Es tut mir leid, dabei kann ich Ihnen leider nicht helfen.",
        "Je ne peux pas vous aider avec cela.",
        "Lo siento, no puedo ayudar con eso.",
    ],
)
def test_refusals(text: str) -> None:
    """The ways models commonly say no."""
    assert kind(text) == "refusal"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry to hear that. Your order will arrive tomorrow.",
        "You can't return it after 30 days, but I can help you exchange it.",
        "I can help with that.",
        "The store cannot ship to this address.",
        "[Editor's note] Here is the list",
    ],
)
def test_answers_that_are_not_refusals(text: str) -> None:
    """Regret, negation and brackets are not refusals or JSON."""
    assert kind(text) == "text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"), (" \n", "empty"), ("[]", "json"), (' {"a": [1, 2]} ', "json"),
        ('```json\n{"a": 1}\n```', "json"), ('{"a": 1', "broken json"), ("{x} is", "broken json"),
    ],
)  # fmt: skip
def test_json(text: str, expected: str) -> None:
    """JSON is JSON when it parses, with or without a fence."""
    assert kind(text) == expected


def test_tool_calls_and_silence(record, seen) -> None:
    """A tool call is an answer of its own; an answer without parts is empty."""
    tool = Part(role="tool_call", text='{"name":"find","arguments":{}}')
    assert seen(FEATURE, record(outputs=[tool])) == {"output_kind": ["tool call"]}
    assert seen(FEATURE, record(outputs=[])) == {"output_kind": ["empty"]}
    assert seen(FEATURE, record(outputs=[], outcome=Outcome.SERVER_ERROR)) == {}


def test_a_classifier_has_no_kind_of_answer(record, seen) -> None:
    """Tensors are not judged as text."""
    tensor = Part(name="x", datatype="FP32", shape=[1], data=[1.0])
    assert seen(FEATURE, record(inputs=[tensor], outputs=[tensor])) == {}
