"""The input is much longer than most."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.types import Part, Tokens
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """The least `tokens` of a long input."""

    tokens: Annotated[int, msgspec.Meta(ge=1)] = 8000


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether the input has so many tokens; a quarter of its characters where nobody counted."""
    return view.input_tokens >= thresholds.tokens


EDGE_CASE = EdgeCase(
    "long_input",
    lambda given: f"an input of at least {given.tokens:,} tokens",
    holds,
    Thresholds(),
    examples=(
        View(tokens=Tokens(8000, 10)),
        View(inputs=[Part(role="user", text="word " * 6400)]),
        View(inputs=[Part(role="user", text="word " * 6400)], tokens=Tokens(None, 5)),
    ),
    near_misses=(
        View(tokens=Tokens(7999, 9000)),
        View(inputs=[Part(role="user", text="word " * 6300)]),
        View(inputs=[Part(role="user", text="word " * 6400)], tokens=Tokens(6401, 5)),
        View(outputs=[Part(role="assistant", text="word " * 6400)]),
    ),
)
