"""An answer has its end. The rule is that of the edge case `truncated`."""

from __future__ import annotations

from typing import Any

from monitor.edge_cases import truncated
from monitor.interfaces import Check
from monitor.types import Verdict
from monitor.view import View

_RULE = truncated.EDGE_CASE


def look(view: View, _: Any) -> Verdict | None:
    """Whether neither a limit of tokens nor a broken stream cut the answer off."""
    if not truncated.applies(view):
        return None
    failed = truncated.holds(view, _)
    return Verdict(not failed, int(failed), 1)


CHECK = Check(
    "truncated",
    lambda _: "whether an answer ends by itself, not at its limit of tokens or as its stream broke",
    look,
    passing=tuple(view for view in _RULE.near_misses if truncated.applies(view)),
    failing=_RULE.examples,
    skipped=tuple(view for view in _RULE.near_misses if not truncated.applies(view)),
)
