"""Where an answer is due there is one. The rule is that of the edge case `empty_output`."""

from __future__ import annotations

from typing import Any

from monitor.edge_cases import empty_output
from monitor.interfaces import Check
from monitor.types import Verdict
from monitor.view import View

_RULE = empty_output.EDGE_CASE


def look(view: View, _: Any) -> Verdict | None:
    """Whether an answer has a text, a value or a call of a tool, where one is due."""
    if not empty_output.applies(view):
        return None
    failed = empty_output.holds(view, _)
    return Verdict(not failed, int(failed), 1)


CHECK = Check(
    "empty",
    lambda _: "whether an answer that is due has a text, a value or a call of a tool",
    look,
    passing=tuple(view for view in _RULE.near_misses if empty_output.applies(view)),
    failing=_RULE.examples,
    skipped=tuple(view for view in _RULE.near_misses if not empty_output.applies(view)),
)
