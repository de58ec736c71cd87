"""The same was asked again, shortly after: a retry, a loop, or somebody who is not content."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.view import View


class Thresholds(msgspec.Struct, frozen=True):
    """An equal request came `within` so many seconds."""

    within: Annotated[float, msgspec.Meta(gt=0)] = 300.0


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether an equal request is remembered from that time."""
    return view.repeated_after is not None and abs(view.repeated_after) <= thresholds.within


EDGE_CASE = EdgeCase(
    "repeated_request",
    lambda given: f"a request that equals one of the last {given.within:g} s",
    holds,
    Thresholds(),
    examples=(
        View(repeated_after=0.0), View(repeated_after=300.0), View(repeated_after=-0.01),
    ),
    near_misses=(View(), View(repeated_after=300.1)),
)  # fmt: skip
