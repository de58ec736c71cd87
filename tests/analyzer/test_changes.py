"""What changed between two looks is a line of the log, once."""

from __future__ import annotations

import logging

import pytest

from monitor.analyzer.changes import Changes
from monitor.findings import Change, Finding, Status


def found(status: Status, dimension: str = "all", value: str = "all") -> Finding:
    return Finding("words", dimension, value, 9, 7, {"psi": 0.5}, 9.0, status)


def change(since: float) -> Change:
    return Change("model", ["m1"], ["m2"], since, words=f"m2 came at {since}")


def test_what_began_and_what_ceased_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """That too little is known is no news; nor is what was so before this analyzer began."""
    looks: list[tuple[list[Finding], list[Change]]] = [
        ([found("insufficient"), found("ok", "plan", "a")], [change(1.0)]),
        ([found("drift"), found("drift", "plan", "a")], [change(1.0)]),
        ([found("drift"), found("ok", "plan", "a")], [change(2.0)]),
        ([found("insufficient")], [change(2.0)]),
    ]
    changes = Changes()
    changes.begin(*looks[0])
    with caplog.at_level(logging.INFO, "monitor"):
        for look in looks:
            changes.say(*look)
    assert caplog.messages == [
        "words drifted (psi 0.5; 9 values)",
        "words in plan a drifted (psi 0.5; 9 values)",
        "words in plan a is back to usual (psi 0.5; 9 values)",
        "m2 came at 2.0",
        "words is back to usual (psi 0.5; 9 values)",
    ]
