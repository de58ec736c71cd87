"""A streamed answer was long in coming."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """The least `seconds` to the first token of a slow answer."""

    seconds: Annotated[float, msgspec.Meta(gt=0)] = 5.0


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether the first event with content came so late."""
    return view.first_token is not None and view.first_token >= thresholds.seconds


EDGE_CASE = EdgeCase(
    "slow_first_token",
    lambda given: f"a first token after {given.seconds:g} s or more",
    holds,
    Thresholds(),
    examples=(View(streamed=True, first_token=5.0), View(streamed=True, first_token=60.0)),
    near_misses=(
        View(streamed=True, first_token=4.99, duration=30.0),
        View(duration=30.0),
    ),
)
