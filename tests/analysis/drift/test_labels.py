"""Names of bins."""

from __future__ import annotations

import random

import pytest

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.labels import label
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.drift.windows import Bins
from monitor.analysis.monitors import analysis_of
from monitor.distances import LIVE, psi
from monitor.rows import Row
from monitor.types import Observation


def test_bins_of_times_are_named_by_dates() -> None:
    """With as much of the time of day as tells all edges apart; what is no date stays a number."""
    days = Bins("numeric", edges=[0.0, 86400.0, 172800.0])
    assert [label(days, index, "date") for index in range(5)] == [
        "below 1970-01-01", "1970-01-01 to 1970-01-02", "1970-01-02 to 1970-01-03",
        "above 1970-01-03", "missing",
    ]  # fmt: skip
    close = Bins("numeric", edges=[0.0, 0.0, 1.0, 1.0], exact=True)
    assert [label(close, index, "date") for index in range(1, 4)] == [
        "1970-01-01 00:00:00 UTC", "between 1970-01-01 00:00:00 and 1970-01-01 00:00:01 UTC",
        "1970-01-01 00:00:01 UTC",
    ]  # fmt: skip
    far = Bins("numeric", edges=[0.0, 1e18])
    assert label(far, 1, "date") == label(far, 1) == "0 to 1e+18"


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([60.0, 86400.0, 259200.0], ["less than 60 s before", "60 s to 24 h before",
         "24 h to 3 days before", "more than 3 days before"]),
        ([-172800.0, -7200.0, 7200.0], ["more than 2 days after", "2 h to 2 days after",
         "2 h after to 2 h before", "more than 2 h before"]),
        ([-172800.0, 0.0], ["more than 2 days after", "0 s to 2 days after", "more than 0 s before"]),
        ([-172800.0, -7200.0], ["more than 2 days after", "2 h to 2 days after",
         "less than 2 h after"]),
        ([0.0, 1e18], ["more than 0 s after", "0 s to 1.16e+13 days before",
         "more than 1.16e+13 days before"]),
    ],
)  # fmt: skip
def test_bins_of_ages_are_told_in_words(edges: list[float], expected: list[str]) -> None:
    """How long before the exchange a moment was, or after it, with a unit."""
    bins = Bins("numeric", edges=edges)
    assert [label(bins, index, "age") for index in range(len(edges) + 1)] == expected


def test_an_age_that_is_a_bin_of_its_own_is_told_so() -> None:
    """Few ages that recur have a bin each, and one between two of them."""
    close = Bins("numeric", edges=[-60.0, -60.0, 90.0, 90.0], exact=True)
    assert [label(close, index, "age") for index in range(1, 4)] == [
        "60 s after", "between 60 s after and 90 s before", "90 s before",
    ]  # fmt: skip


def test_findings_of_moments_tell_days_and_no_seconds() -> None:
    """Of a feature whose values are moments, also after a restart without another value of it."""
    rules = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=3600.0)
    rng = random.Random(3)

    def row(at: int) -> Row:
        days = rng.uniform(2, 9) if at < 500 else rng.uniform(30, 40)
        return Row(at, {}, [Observation("ordered", "datetime", at - 86400 * days)])

    analysis = analysis_of((), rules, Baseline(learn=200))
    for at in range(1500):
        analysis.add_row(row(at))
    again = analysis_of((), rules, Baseline(learn=200))
    again.restore(analysis.saved())
    for found in (*analysis.findings(), *again.findings()):
        assert found.status == "drift"
        assert found.moved
        for shift in [*found.moved, *found.bins]:
            assert "before" in shift.bin or shift.bin in ("missing", "not finite", "wrong type")
        assert "days before" in found.words
