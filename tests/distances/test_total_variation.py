"""Total variation: what chance alone makes of it, and its end."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.distances.total_variation import total_variation


def test_chance_is_taken_off_on_average() -> None:
    """The mean distance of two samples of one distribution is what is subtracted, within 5 %."""
    rng = np.random.default_rng(5)
    shares = np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    r, c = rng.multinomial(4000, shares, 500), rng.multinomial(400, shares, 500)
    raw = 0.5 * np.abs(r / 4000 - c / 400).sum(1).mean()
    expected = 0.5 * np.sqrt(2 * (1 / 4000 + 1 / 400) / np.pi * shares * (1 - shares)).sum()
    assert raw == pytest.approx(expected, rel=0.05)


def test_everything_moved() -> None:
    """All the traffic in another bin is 1."""
    assert total_variation([10, 0], [0, 10**9]) == pytest.approx(1, abs=1e-4)
