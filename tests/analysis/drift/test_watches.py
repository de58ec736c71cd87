"""What the watches of one analysis hold together."""

from __future__ import annotations

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.watches import AT_HAND, Baseline
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.types import Observation, Row

RULES = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=3600.0)


def row(at: float, population: str, x: float) -> Row:
    return Row(at, {"population": population}, [Observation("x", "numeric", x)])


def test_what_is_remembered_of_open_panes_is_bounded() -> None:
    """However late values may come, and from however many panes by turns."""
    rows = [row(number * 37 % 900, "ab"[number % 2], number * 0.1) for number in range(3000)]
    analysis = analysis_of((), RULES, Baseline(profile=profile_of(rows)))
    for number, one in enumerate(rows):
        analysis.add_row(one)
        if number % 100 == 0:
            (drift,) = analysis.monitors
            assert isinstance(drift, DriftMonitor)
            assert len(drift.watches._counters) <= AT_HAND
    assert len(drift.watches.by_key["x", "all", "all"].open) > AT_HAND
    whole = next(one for one in analysis.findings() if one.dimension == "all")
    assert whole.samples == 3000
