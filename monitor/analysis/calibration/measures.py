"""Counts by cell → how well calibrated scores are, less what chance alone would make of it."""

from __future__ import annotations

import math

import numpy as np

from monitor.analysis.calibration.cells import COUNTED, Cells
from monitor.analysis.rows import SegmentName
from monitor.analysis.tallies import Judgement
from monitor.findings import Calibration, ReliabilityBin
from monitor.sequential.beta_binomials import Floats, Ints
from monitor.sequential.known_probability import UNIT

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures are between these."""

STEPS = 40
"""Of Newton's method, at most."""


def calibration(
    segment: SegmentName, counts: Ints, cells: Cells, judgement: Judgement
) -> Calibration:
    """What is told of a segment with these counts (see `Cells.added`), and what was judged."""
    n, y, p, squares, hits = in_bins = cells.in_bins(counts)
    labels, ones = int(n.sum()), int(y.sum())
    used = n > 0
    size, stated, came = n[used], p[used] / UNIT / n[used], y[used] / n[used]
    fine = counts.reshape(COUNTED, cells.size)
    hot = temperature(fine[0], fine[1], fine[2])
    base = ones / labels if labels else 0.0
    lost = int(squares.sum()) - 2 * int(hits.sum()) + ones * UNIT
    return Calibration(
        *segment,
        ece=ece(size, came, stated, (p - squares)[used] / UNIT) if labels else None,
        brier=lost / UNIT / labels if labels else None,
        temperature=hot,
        ece_after=None if hot is None else _after(fine, cells, hot),
        bins=_bins(cells, in_bins),
        log_evidence=judgement.log_evidence,
        status=judgement.status,
        labels=labels,
        since=judgement.since,
        reliability=_mean(size, (stated - came) ** 2),
        resolution=_mean(size, (came - base) ** 2),
        uncertainty=base * (1 - base),
        squared_error=squared_error(size, came, stated),
    )


def ece(size: Floats | Ints, came: Floats, stated: Floats, spread: Floats) -> float:
    """The expected calibration error of bins, less what it is on average of a perfect model.

    `spread` is Σp(1-p) in the bin: with right scores the difference of the two rates is nearly
    normal with that variance over n², and its mean size is √(2/π) of its standard deviation. So
    the result may be below 0 (compare Bröcker 2012; Ferro and Fricker 2012).
    """
    plain = float((size * np.abs(came - stated)).sum())
    chance = math.sqrt(2 / math.pi) * float(np.sqrt(np.maximum(spread, 0)).sum())
    return (plain - chance) / float(size.sum())


def squared_error(size: Floats | Ints, came: Floats, stated: Floats) -> float | None:
    """The debiased squared calibration error (Kumar, Liang and Ma, NeurIPS 2019), of bins with two
    labels and more; None without any."""
    enough = size > 1
    if not enough.any():
        return None
    n, rate, p = size[enough], came[enough], stated[enough]
    return _mean(n, (rate - p) ** 2 - rate * (1 - rate) / (n - 1))


def temperature(counts: Ints, ones: Ints, sums: Ints) -> float | None:
    """By what logits are to be divided (Guo et al., ICML 2017), by cell means.

    None where labels are all the same, or all scores one half.

    >>> n, p = np.array([1000, 1000]), np.array([0.2, 0.8])
    >>> sums = (n * p * UNIT).astype(np.int64)
    >>> round(temperature(n, np.array([333, 667]), sums), 1)
    2.0
    """
    used = counts > 0
    n, y = counts[used].astype(np.float64), ones[used].astype(np.float64)
    if not 0 < y.sum() < n.sum():
        return None
    logits = _logits(sums[used] / UNIT / n)
    if not np.abs(logits).max() > 1e-9:
        return None
    scale, low, high = 1.0, 1 / HOTTEST, 1 / COLDEST
    for _ in range(STEPS):
        rates = _shares(scale * logits)
        slope = float((logits * (y - n * rates)).sum())
        low, high = (scale, high) if slope > 0 else (low, scale)
        bend = float((logits**2 * n * rates * (1 - rates)).sum())
        step = scale + slope / bend if bend > 0 else math.inf
        step = step if low < step < high else (low + high) / 2
        if abs(step - scale) < 1e-12:
            break
        scale = step
    return 1 / scale


def _after(counts: Ints, cells: Cells, hot: float) -> float:
    """The corrected ECE once the logits of cells are divided by the temperature.

    Bins stand where scores are now, so that a stretched one is held against its like.
    """
    used = counts[0] > 0
    n, y, sums = counts[:3, used]
    p = _shares(_logits(sums / UNIT / n) / hot)
    place = np.minimum((p * cells.bins).astype(np.int64), cells.bins - 1)
    size, came, stated, spread = np.zeros((4, cells.bins))
    for total, values in ((size, n), (came, y), (stated, n * p), (spread, n * p * (1 - p))):
        np.add.at(total, place, values)
    full = size > 0
    return ece(size[full], came[full] / size[full], stated[full] / size[full], spread[full])


def _mean(size: Floats | Ints, values: Floats) -> float:
    total = float(size.sum())
    return float((size * values).sum()) / total if total else 0.0


def _bins(cells: Cells, counts: Ints) -> list[ReliabilityBin]:
    return [
        ReliabilityBin(
            place / cells.bins,
            (place + 1) / cells.bins,
            n,
            p / UNIT / n if n else None,
            y / n if n else None,
        )
        for place, (n, y, p) in enumerate(zip(*counts[:3].tolist(), strict=True))
    ]


def _logits(shares: Floats) -> Floats:
    inner = np.clip(shares, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inner / (1 - inner)))


def _shares(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
