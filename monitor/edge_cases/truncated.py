"""The answer was cut off: by its limit of tokens, or because its stream broke off."""

from __future__ import annotations

from typing import Any

from monitor.interfaces import EdgeCase
from monitor.types import Outcome, Part
from monitor.view import WRITING, View

_CUT = frozenset(("length", "incomplete"))
_LONG = 200
"""Characters from which on an answer without a reason and without an end seems cut."""


def holds(view: View, _: Any) -> bool:
    """Whether a finish reason says so; where there is none, whether a long text ends in mid
    sentence. Who goes away before the end has cut it themselves."""
    if not applies(view):
        return False
    if view.finish:
        return not _CUT.isdisjoint(view.finish)
    return any(len(text) > _LONG and _is_open(text) for text in view.answers)


def applies(view: View) -> bool:
    """Whether the end of an answer can be told."""
    if view.outcome is Outcome.CLIENT_GONE:
        return False
    if view.finish:
        return any(one != "error" for one in view.finish)  # what failed has no end
    return view.operation in WRITING and not view.outputs_cut and bool(view.answers)


def _is_open(text: str) -> bool:
    return text[-1] == "," or text[-1].isalpha()


_WORDS = "The order left our store in Ulm on Monday and will be with you in three days. " * 3

EDGE_CASE = EdgeCase(
    "truncated",
    lambda _: "an answer that was cut off by its limit of tokens, or whose stream broke off",
    holds,
    examples=(
        View(outputs=[Part(role="assistant", text="The order")], finish=["length"]),
        View(finish=["stop", "length"]),
        View(outcome=Outcome.UPSTREAM_BROKEN, is_accepted=False, finish=["incomplete"]),
        View(outputs=[Part(role="assistant", text=_WORDS + "After that,")]),
    ),
    near_misses=(
        View(outputs=[Part(role="assistant", text=_WORDS + "After that,")], finish=["stop"]),
        View(outputs=[Part(role="assistant", text=_WORDS.strip())]),
        View(outputs=[Part(role="assistant", text="In three days")]),
        View(outputs=[Part(role="assistant", text=_WORDS + "After")], outputs_cut=True),
        View(operation="predict", outputs=[Part(role="assistant", text=_WORDS + "After")]),
        View(outcome=Outcome.CLIENT_GONE, is_accepted=False, finish=["incomplete"]),
        View(outcome=Outcome.SERVER_ERROR, is_accepted=False, finish=["error"]),
    ),
)
