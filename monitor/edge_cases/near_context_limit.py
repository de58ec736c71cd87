"""The input fills nearly all of what the model can hold."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.readable import as_set
from monitor.types import Part, Tokens
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """The input's tokens are at least this `share` of the model's context: `context` tokens of
    whatever model, or null for what is known of each."""

    context: Annotated[int, msgspec.Meta(ge=1)] | None = None
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether the input takes that share of a context that is known."""
    context = thresholds.context or view.context
    return context is not None and view.input_tokens >= thresholds.share * context


def words(given: Thresholds) -> str:
    """What an exchange with such thresholds is."""
    of = f"{given.context:,} tokens" if given.context else "the model's context"
    return f"an input of at least {as_set(given.share)} of {of}"


def _exchange(tokens: Tokens | None, inputs: list[Part]) -> View:
    return View(tokens=tokens, inputs=inputs, context=10_000)


_TEXT = [Part(role="user", text="word " * 6400)]

EDGE_CASE = EdgeCase(
    "near_context_limit",
    words,
    holds,
    Thresholds(),
    examples=(_exchange(Tokens(8000, 10), []), _exchange(None, _TEXT)),
    near_misses=(
        _exchange(Tokens(7999, 4000), []),
        _exchange(Tokens(None, 9000), []),
        View(tokens=Tokens(1_000_000, 10)),
        View(inputs=_TEXT),
    ),
)
