"""Findings in words: how large a drift is, also where its last values hide it."""

from __future__ import annotations

import re

from tests.analysis.test_fold import RULES, fold, stream


def test_drift_that_goes_on_is_told_by_all_since_it_began_where_the_last_window_hides_it() -> None:
    """Whoever is called at night reads how large it is, and that the last values show little of it."""
    analysis = fold(stream(2000))
    told = []
    for number, one in enumerate(stream(6000, 0.15, start=200.0, seed=7)):
        analysis.add_row(one)
        if number % 100 == 99:
            told += [one for one in analysis.findings() if one.status == "drift"]
    quiet = [one for one in told if one.scores["psi"] < RULES.tolerance]
    assert 0 < len(quiet) < len(told)
    for one in told:
        size, samples = re.search(r"PSI ([\d.e-]+) over ([\d,]+) values", one.words).groups()  # type: ignore[union-attr]
        assert float(size) > RULES.tolerance
        lately = (
            f"; the last {one.samples:,} show little of it (PSI {max(one.scores['psi'], 0):.2g})"
        )
        assert (lately in one.words) == (one in quiet)
        assert (int(samples.replace(",", "")) > one.samples) == (one in quiet)
