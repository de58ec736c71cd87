"""The endpoint says that all went well, and answered nothing. Reasoning alone is no answer."""

from __future__ import annotations

from typing import Any

from monitor.hidden import is_mark
from monitor.interfaces import EdgeCase
from monitor.types import Part, Tokens
from monitor.view import WRITING, View

_OPERATIONS = WRITING | {"infer"}
_REASONS = frozenset(("tool", "filter", "refusal", "error", "pause"))
"""Why an answer may end before it has begun."""


def holds(view: View, _: Any) -> bool:
    """Whether no answer of a model has a text, a value, or a call of a tool."""
    return applies(view) and not any(_says(part) for part in view.outputs)


def applies(view: View) -> bool:
    """Whether an answer is due: the endpoint took the request, and gave no reason for none."""
    if not (view.is_accepted and view.operation in _OPERATIONS and view.inputs):
        return False
    if not _REASONS.isdisjoint(view.finish) or view.outputs_cut:
        return False
    if view.outputs_hidden:  # there may be one that nobody can see
        said = {one.name or one.role for one in view.outputs if _says(one)}
        if not said or not said.issuperset(view.outputs_withheld):
            return False
    in_background = view.protocol == "openai_responses" and not view.finish
    return not in_background  # else it will be fetched


def _says(part: Part) -> bool:
    text = part.text
    said = text is not None and text.strip() != "" and not is_mark(text)
    return bool(part.data) or (said and part.role != "reasoning")


_ASKED = [Part(role="user", text="Where is my order?")]
_SAID = [Part(role="assistant", text="On its way.")]
_CALL = Part(role="tool_call", text='{"name":"find","arguments":{}}')

EDGE_CASE = EdgeCase(
    "empty_output",
    lambda _: "an answer without a text, a value or a call of a tool",
    holds,
    examples=(
        View(inputs=_ASKED),
        View(inputs=_ASKED, outputs=[Part(role="assistant", text=" \n")], finish=["stop"]),
        View(inputs=_ASKED, outputs=[Part(role="reasoning", text="The user asks …")]),
        View(operation="infer", inputs=[Part(name="x", shape=[1], data=[1.0])]),
    ),
    near_misses=(
        View(inputs=_ASKED, outputs=_SAID),
        View(inputs=_ASKED, outputs=[_CALL], finish=["tool"]),
        View(inputs=_ASKED, finish=["filter"]),
        View(inputs=_ASKED, outputs=[Part(role="refusal", text="I cannot help.")]),
        View(inputs=_ASKED, is_accepted=False),
        View(inputs=_ASKED, outputs_cut=True),
        View(inputs=_ASKED, outputs=[Part(role="assistant")]),
        View(inputs=_ASKED, outputs=[Part(role="assistant", text="<REDACTED:policy>")]),
        View(inputs=_ASKED, outputs_withheld=["assistant"]),
        View(inputs=_ASKED, outputs_withheld=["assistant"], outputs=_SAID),
        View(inputs=_ASKED, protocol="openai_responses"),
        View(operation="load"),
        View(operation="embeddings", inputs=_ASKED, tokens=Tokens(4, 0)),
        View(operation="infer", outputs=[Part(name="y", shape=[1], data=[0])], inputs=_ASKED),
    ),
)
