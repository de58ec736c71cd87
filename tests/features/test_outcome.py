"""Outcomes and finish reasons."""

from __future__ import annotations

from monitor.features.outcome import FEATURE
from monitor.types import Outcome


def test_outcome_and_reasons(record, seen) -> None:
    """Every choice has its reason."""
    one = record(outcome=Outcome.CLIENT_GONE, finish_reasons=["stop", "length"])
    assert seen(FEATURE, one) == {"outcome": ["client_gone"], "finish_reason": ["stop", "length"]}
