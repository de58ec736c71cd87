"""Which questions are asked of every Row: the analysis with all its monitors."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.fold import Analysis
from monitor.interfaces import Feature, Monitor


def analysis_of(
    features: Sequence[Feature],
    rules: Rules,
    baseline: Baseline,
    *,
    dimensions: Sequence[str] | None = None,
    began: float = 0.0,
) -> Analysis:
    """A fold that has counted nothing yet; see `Analysis` and `DriftMonitor`.

    The error budget `rules.alpha` is that of all monitors: what is added here gets its part of it,
    and drift the rest.
    """
    monitors: tuple[Monitor, ...] = (
        DriftMonitor(rules, baseline, dimensions=dimensions, began=began),
    )
    return Analysis(
        features, monitors, pane=rules.pane, lateness=rules.lateness, dimensions=dimensions
    )
