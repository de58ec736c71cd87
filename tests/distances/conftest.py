"""Raw samples, and the windows they make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from monitor.types import SPECIAL, Window

Values = npt.NDArray[np.float64]
Pair = tuple[Window, Window]


@pytest.fixture
def samples() -> tuple[Values, Values]:
    """20,000 values of a standard normal, and 20,000 of one that moved by 0.3 and widened."""
    rng = np.random.default_rng(7)
    return rng.normal(0, 1, 20000), rng.normal(0.3, 1.1, 20000)


@pytest.fixture
def binned() -> Callable[..., Pair]:
    """(reference, current, bins) → windows on the reference's quantiles."""

    def bin_(reference: Values, current: Values, bins: int = 20) -> Pair:
        edges = np.quantile(reference, np.linspace(0, 1, bins + 1))
        edges[-1] = np.nextafter(edges[-1], np.inf)
        places = np.searchsorted(edges, reference, side="right")
        means = [reference[places == k].mean() for k in range(1, bins + 1)]
        points = tuple(float(x) for x in (edges[0], *means, edges[-1]))

        def window(values: Values) -> Window:
            hits = np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins + 2)
            counts = (*(int(hit) for hit in hits), *(0 for _ in SPECIAL))
            return Window(counts, points, float(reference.std()))

        return window(reference), window(current)

    return bin_


@pytest.fixture
def categories() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Pair]:
    """Raw categories 0 … 7, reference and current, and their windows."""
    rng = np.random.default_rng(11)
    weights = np.array([30, 20, 15, 12, 10, 6, 4, 3]) / 100
    reference = rng.choice(8, 12000, p=weights)
    current = rng.choice(8, 9000, p=np.roll(weights, 1) * 0.3 + weights * 0.7)

    def window(values: npt.NDArray[np.int64]) -> Window:
        return Window((*(int(hit) for hit in np.bincount(values, minlength=9)), 0, 0, 0))

    return reference, current, (window(reference), window(current))
