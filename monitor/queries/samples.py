"""Samples of one scrape → sums by label, and quantiles of histograms."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from monitor.types import Measurement

Samples = dict[str, list[Measurement]]
"""Samples by name."""


def by_name(samples: Iterable[Measurement], names: Iterable[str]) -> Samples:
    """Return the samples that have one of these names."""
    found: Samples = {name: [] for name in names}
    for one in samples:
        if one.name in found:
            found[one.name].append(one)
    return found


def total(samples: Iterable[Measurement]) -> float:
    """Return the sum of all samples."""
    return math.fsum(one.value for one in samples)


def sums(samples: Iterable[Measurement], label: str) -> dict[str, float]:
    """Return the sums by one label, in the order of its values."""
    found: defaultdict[str, float] = defaultdict(float)
    for one in samples:
        found[one.labels.get(label, "")] += one.value
    return dict(sorted(found.items()))


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Return the value below which a share of all lies, as Prometheus' `histogram_quantile` does:
    linear within a bucket, the last finite bound where it lies above; None without any.

    `buckets` has cumulative counts by upper bound, infinity among them.

    >>> quantile(0.5, {1.0: 2, 2.0: 4, math.inf: 4}), quantile(0.99, {1.0: 0, math.inf: 3})
    (1.0, 1.0)
    >>> quantile(0.75, {1.0: 2, 2.0: 4, math.inf: 4}), quantile(0.5, {})
    (1.5, None)
    """
    bounds = sorted(buckets)
    count = buckets.get(math.inf, 0.0)
    if not count:
        return None
    rank, below, before = share * count, 0.0, 0.0
    for bound in bounds:
        if buckets[bound] >= rank and buckets[bound] > before:
            if math.isinf(bound):
                return below
            part = (rank - before) / (buckets[bound] - before)
            return below + (bound - below) * max(0.0, part)
        if not math.isinf(bound):
            below = bound
        before = buckets[bound]
    return below


def cumulative(samples: Sequence[Measurement]) -> dict[float, float]:
    """Return the counts of a histogram's `_bucket` samples by upper bound, of all processes."""
    found: defaultdict[float, float] = defaultdict(float)
    for one in samples:
        found[float(one.labels["le"])] += one.value
    return dict(found)
