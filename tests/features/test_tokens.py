"""Token counts."""

from __future__ import annotations

from monitor.features.tokens import FEATURE


def test_reported_tokens_are_observed(record, seen) -> None:
    """As the endpoint counted them."""
    assert seen(FEATURE, record()) == {"input_tokens": [5], "output_tokens": [4]}


def test_nothing_is_made_up(record, seen) -> None:
    """An endpoint that reports no usage has no such feature."""
    assert seen(FEATURE, record(tokens=None)) == {}
