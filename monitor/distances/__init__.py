"""(reference, current) → number: how far two windows are apart, one measure a file.

Every measure counts in a unit of its own; the thresholds stand at one size of change: what a normal
distribution shows that has moved by 0.14 standard deviations, which is a PSI of 0.02.
"""

from monitor.distances import (
    chi_square,
    cramer_von_mises,
    energy,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    likelihood_ratio,
    mmd,
    psi,
    total_variation,
    wasserstein,
)
from monitor.interfaces import Measure

LIVE: tuple[Measure, ...] = (
    psi.MEASURE,
    jensen_shannon.MEASURE,
    wasserstein.MEASURE,
    mmd.MEASURE,
)
"""What the analyzer exports: a series each for every feature and segment that it fits."""

MEASURES: tuple[Measure, ...] = (
    *LIVE,
    hellinger.MEASURE,
    total_variation.MEASURE,
    chi_square.MEASURE,
    likelihood_ratio.MEASURE,
    kolmogorov_smirnov.MEASURE,
    cramer_von_mises.MEASURE,
    energy.MEASURE,
)
"""Everything there is; what `replay` reports."""
