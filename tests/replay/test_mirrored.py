"""Gaps that are one and the same from both sides."""

from __future__ import annotations

from monitor.findings import Fairness
from monitor.replay.mirrored import once


def gap(
    value: str, size: float | None, measure: str = "error_rate", status: str = "ok"
) -> Fairness:
    return Fairness("sex", value, measure, size, None, None, 0.0, status)  # type: ignore[arg-type]


def test_of_two_groups_the_first_is_told() -> None:
    """By each measure, and once with what the rest is called: a table of them repeats nothing."""
    found = [
        gap("f", 0.2),
        gap("m", -0.2),
        gap("f", -0.1, "calibration"),
        gap("m", 0.1, "calibration"),
    ]
    told = [(one.value, one.measure, one.gap, one.reason) for one in once(found)]
    assert told == [
        ("f", "error_rate", 0.2, "the rest is m"), ("f", "calibration", -0.1, "")
    ]  # fmt: skip


def test_what_says_something_of_its_own_is_told() -> None:
    """One of three groups, one whose rest is no group that is spoken of, one without a number."""
    for found in (
        [gap("a", 0.2), gap("b", -0.2), gap("c", 0.0)],
        [gap("a", 0.2), gap("b", -0.1)],
        [gap("a", 0.2, status="alarm"), gap("b", -0.2)],
        [gap("a", None), gap("b", None)],
        [gap("a", 0.2)],
    ):
        assert once(found) == found
