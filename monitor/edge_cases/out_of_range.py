"""A column has a number far from all that the reference has seen."""

from __future__ import annotations

from typing import Annotated

import msgspec

from monitor.interfaces import EdgeCase
from monitor.types import Part
from monitor.view import Usual, View


class Thresholds(msgspec.Struct, frozen=True):
    """So many standard `deviations` beyond the least or the largest number of the reference."""

    deviations: Annotated[float, msgspec.Meta(ge=0)] = 3.0


def holds(view: View, thresholds: Thresholds) -> bool:
    """Whether a number in an input's column is so far out. A null is missing, not far."""
    return any(
        type(value) in (int, float)
        and not usual.categories
        and not _is_near(value, usual, thresholds.deviations)
        for usual, value in view.cells
    )


def _is_near(value: float, usual: Usual, deviations: float) -> bool:
    margin = deviations * usual.deviation
    return not (
        value < usual.low - margin or value > usual.high + margin
    )  # so is what is no number


def _row(name: str, value: object) -> View:
    usual = {"age": Usual(18, 90, 10), "plan": Usual(categories=frozenset(("basic",)))}
    return View(
        operation="infer", inputs=[Part(name=name, shape=[2], data=[40, value])], usual=usual
    )


EDGE_CASE = EdgeCase(
    "out_of_range",
    lambda given: (
        f"a number in a column of the input, {given.deviations:g} standard deviations "
        "or more beyond the range of the reference"
    ),
    holds,
    Thresholds(),
    examples=(
        _row("age", 121),
        _row("age", -12.1),
        _row("age", float("inf")),
        _row("age", 10**400),
    ),
    near_misses=(
        _row("age", 120),
        _row("age", -12),
        _row("age", None),
        _row("age", float("nan")),
        _row("age", "old"),
        _row("height", 1e9),
        _row("plan", 1e9),
    ),
    needs="reference.file",
)
