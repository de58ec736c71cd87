"""The model, or a filter of its provider, said no."""

from __future__ import annotations

from typing import Any

from monitor.interfaces import EdgeCase
from monitor.types import Part
from monitor.view import View


def holds(view: View, _: Any) -> bool:
    """Whether the finish reason or a part says so, or the first words of an answer do."""
    return view.refuses


def _answer(text: str) -> View:
    return View(outputs=[Part(role="assistant", text=text)], finish=["stop"])


EDGE_CASE = EdgeCase(
    "refusal",
    lambda _: "an answer that says no, in its first words or as its finish reason",
    holds,
    examples=(
        _answer("I'm sorry, but I can't assist with that request."),
        _answer("Es tut mir leid, dabei kann ich Ihnen leider nicht helfen."),
        View(finish=["filter"]),
        View(outputs=[Part(role="refusal", text="I will not do that.")], finish=["stop"]),
    ),
    near_misses=(
        _answer("I'm sorry to hear that. Your order will arrive tomorrow."),
        _answer("“I cannot help you pass,” said the guard."),
        _answer("As an AI engineer, you will build pipelines."),
        _answer("I'm sorry, but I can't find an order with that number."),
        View(inputs=[Part(role="user", text="I can't help it.")], finish=["stop"]),
    ),
)
