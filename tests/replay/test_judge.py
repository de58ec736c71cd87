"""What is made of rows: a whole, chunks, a verdict."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from monitor.errors import SourceError
from monitor.findings import Finding, Status
from monitor.replay.judge import in_order, undated
from monitor.rows import Row


class Sum:
    """An analysis that adds up moments and calls 100 drift."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.total = 0.0

    def add_row(self, row: Row) -> None:
        self.total += row.at

    def merge(self, other: Any) -> None:
        self.total += other.total

    def findings(self) -> list[Finding]:
        status: Status = "drift" if self.total >= 100 else "ok"
        return [Finding("x", "all", "all", 1, 1, {"sum": self.total}, 0.0, status)]


def rows(*moments: float) -> list[Row]:
    return [Row(moment, {}, []) for moment in moments]


def test_chunks_are_consecutive_and_equal() -> None:
    """As nearly as whole rows allow; together they are everything."""
    found = in_order(rows(*range(10)), Sum, chunks=3, total=10)
    assert found.chunks is not None
    assert [(one.index, one.start, one.end, one.records) for one in found.chunks] == [
        (0, 0.0, 2.0, 3),
        (1, 3.0, 5.0, 3),
        (2, 6.0, 9.0, 4),
    ]
    assert [one.features[0].scores["sum"] for one in found.chunks] == [3, 12, 30]
    assert found.records == 10


def test_the_whole_is_the_chunks_added_up_or_folded_beside_them() -> None:
    """Both ways give the same numbers."""
    merged = in_order(rows(*range(10)), Sum, chunks=3, total=10)
    beside = in_order(rows(*range(10)), Sum, chunks=3, total=10, begin_chunk=partial(Sum))
    assert merged == beside
    assert merged.features[0].scores == {"sum": 45}
    assert in_order(rows(*range(10)), Sum).features == merged.features


def test_verdicts() -> None:
    """Drift in one chunk is drift there; the whole has its own verdict."""
    found = in_order(rows(1, 2, 50, 60), Sum, chunks=2, total=4)
    assert found.chunks is not None
    assert [one.verdict for one in found.chunks] == ["ok", "drift"]
    assert found.verdict == "drift"


def test_chunks_take_unordered_times() -> None:
    """Start and end are the earliest and the latest."""
    found = in_order(rows(3, 1, 2), Sum, chunks=1, total=3)
    assert found.chunks is not None
    assert (found.chunks[0].start, found.chunks[0].end) == (1, 3)


def test_too_many_chunks_are_an_error() -> None:
    """A chunk without a row would say nothing."""
    with pytest.raises(SourceError, match="--chunks 5: there are only 2 rows"):
        in_order(rows(1, 2), Sum, chunks=5, total=2)


def test_nothing_is_insufficient() -> None:
    """No rows, no findings of interest, no exception."""
    found = in_order([], Sum)
    assert (found.records, found.chunks) == (0, None)


def test_one_window_says_nothing_of_when() -> None:
    """Of a table judged at once the beginning is no news."""
    words = "x drifted: PSI 0.2 over 9 values since 1970-01-01 00:00 UTC, mean up 0.4 sd"
    finding = Finding("x", "all", "all", 9, 9, {}, 9.0, "drift", True, 0.0, [], words)
    assert undated(finding).since is None
    assert undated(finding).words == "x drifted: PSI 0.2 over 9 values, mean up 0.4 sd"
