"""An answer does not say no. The rule is that of the edge case `refusal`."""

from __future__ import annotations

from typing import Any

from monitor.edge_cases import refusal
from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import View

_RULE = refusal.EDGE_CASE


def look(view: View, _: Any) -> Verdict | None:
    """Whether there is an answer in words, and neither it nor its finish reason says no."""
    if not view.refuses and not view.answers:
        return None
    return Verdict(not view.refuses, int(view.refuses), 1)


_CALL = Part(role="tool_call", text='{"name":"find","arguments":{}}')

CHECK = Check(
    "refusal",
    lambda _: "whether an answer in words does not say no, in its first words or by its finish "
    "reason",
    look,
    passing=tuple(view for view in _RULE.near_misses if view.answers),
    failing=_RULE.examples,
    skipped=(
        View(inputs=[Part(role="user", text="Where is it?")], outputs=[_CALL], finish=["tool"]),
        View(operation="embeddings", inputs=[Part(role="user", text="I can't help with that.")]),
    ),
)  # fmt: skip
