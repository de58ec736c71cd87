"""Hellinger: its bounds."""

from __future__ import annotations

from monitor.distances.hellinger import hellinger


def test_it_is_bounded_by_one() -> None:
    """Windows without a common bin are at distance 1, less the smoothing."""
    assert 0.99 < hellinger([10**6, 0], [0, 10**6]) <= 1
