"""The model was not sure of its answer."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.types import Tokens
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """A confidence `below` this is low."""

    below: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.6


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether the answer has a confidence, and a low one."""
    return view.confidence is not None and view.confidence < thresholds.below


EDGE_CASE = EdgeCase(
    "low_confidence",
    lambda given: f"an answer with a confidence below {given.below:g}",
    holds,
    Thresholds(),
    examples=(View(confidence=0.59), View(confidence=0.0)),
    near_misses=(View(confidence=0.6), View(), View(confidence=0.9, confidence_min=0.1),
                 View(tokens=Tokens(1, 1))),
)  # fmt: skip
