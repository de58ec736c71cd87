"""Records as rows, and the values in them as the fold counts them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from monitor.analysis.rows import accepted, row_of, segments_of, values
from monitor.features import FEATURES
from monitor.types import Observation, Outcome, Record, RequestSummary, ResponseSummary, Row


def record(outcome: Outcome, status: int | None) -> Record:
    return Record(
        "i", "e", "p", "o", "m", 5.0, 0.5, None, None, status, outcome, False, {"a": "1"},
        RequestSummary("POST", "/", {}, 1, False), ResponseSummary({}, 1, False),
        [], [], None, [], {}, "k", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "status", "expected"),
    [
        (Outcome.OK, 200, True), (Outcome.OK, None, True), (Outcome.OK, 101, True),
        (Outcome.OK, 301, False), (Outcome.CLIENT_ERROR, 404, False),
        (Outcome.RATE_LIMITED, 429, False), (Outcome.CLIENT_GONE, 200, False),
        (Outcome.SERVER_ERROR, 200, False),
    ],
)  # fmt: skip
def test_accepted_is_what_ended_well(outcome: Outcome, status: int | None, expected: bool) -> None:
    """By outcome and status."""
    assert accepted(record(outcome, status)) == expected
    assert row_of((), record(outcome, status)).accepted == expected


def test_a_record_is_a_row_at_its_end_in_the_segments_asked_for() -> None:
    """A dimension that it does not state has no value, and is no segment."""
    row = row_of(FEATURES, record(Outcome.OK, 200), ("a", "b"))
    assert (row.at, row.segments) == (5.5, {"a": "1", "b": "none"})
    assert list(segments_of(row, ("a", "b"))) == [("all", "all"), ("a", "1")]


@pytest.mark.parametrize(
    ("kind", "value", "counted"),
    [
        ("categorical", 5, "5"), ("categorical", 1.5, "1.5"), ("categorical", None, None),
        pytest.param("categorical", 10**5000, "a number beyond all", id="more digits than are written"),
        ("datetime", 40.0, 60.0), pytest.param("datetime", 10**400, math.inf, id="beyond any float"), ("datetime", "x", "x"),
        ("numeric", 7, 7),
    ],
)  # fmt: skip
def test_a_value_is_counted_by_its_kind(kind: Any, value: Any, counted: Any) -> None:
    """A category given as a number is its name, a moment how long ago it was."""
    assert values(Row(100.0, {}, [Observation("x", kind, value)])) == [("x", counted, False)]
