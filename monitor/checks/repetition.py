"""A long answer does not repeat itself. The rule is that of the edge case `repetition`."""

from __future__ import annotations

from monitor.edge_cases import repetition
from monitor.edge_cases.repetition import Thresholds
from monitor.interfaces import Check
from monitor.types import Part, Verdict
from monitor.view import View

_RULE = repetition.EDGE_CASE


def look(view: View, thresholds: Thresholds) -> Verdict | None:
    """Whether an answer has enough words outside code and tables, and does not repeat itself."""
    failed = repetition.holds(view, thresholds)
    if not failed and not _is_long(view, thresholds):
        return None
    return Verdict(not failed, int(failed), 1)


def _is_long(view: View, thresholds: Thresholds) -> bool:
    return any(repetition.is_long(text, thresholds.words) for text in view.answers)


CHECK = Check(
    "repetition",
    lambda given: f"whether an answer of {given.words} words or more does not repeat itself",
    look,
    Thresholds(),
    passing=tuple(view for view in _RULE.near_misses if _is_long(view, Thresholds())),
    failing=_RULE.examples,
    skipped=(
        View(outputs=[Part(role="assistant", text="very " * 59)]),
        View(
            outputs=[Part(role="assistant", text="It is late. " * 3 + "\n```\n" + "x = 1\n" * 99)]
        ),
    ),
)
