"""First verdicts by their probability → the share of all answers that is bad; is it too much?

Suspects are read more often than others, so the share of bad ones among what was read says nothing
of all. Each verdict stands for as many exchanges as it took to pick one.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

ALPHA = 0.05
LEAST, EVENTS = 100, 10
"""Verdicts from which on there is an interval, and how many of them are of each kind."""

PLANNED = 1000
"""Verdicts at which the interval is narrowest."""


class Estimate(msgspec.Struct, frozen=True):
    """The share of bad answers among all exchanges: Hájek's estimate, with an interval that may be
    looked at every moment (null from too few verdicts). An even sample of `effective` verdicts
    would say as much. `log_evidence` is ln E that more answers are bad than was asked about.
    """

    failed: float
    lower: float | None
    upper: float | None
    verdicts: int
    effective: float
    log_evidence: float | None = None


def estimate(
    verdicts: Mapping[tuple[int, bool], int], at_most: float | None = None
) -> Estimate | None:
    """From the number of first verdicts by (level, whether it was bad), picked with the probability
    2 ** -level; None without any. A skipped item counts as one that was not picked.

    >>> found = estimate({(0, True): 300, (0, False): 300, (7, False): 400})
    >>> round(found.failed, 3), found.verdicts, round(found.effective)
    (0.006, 1000, 409)
    """
    # They need numpy, which takes 20 MB, and the pages import this whether or not people review.
    from monitor.sequential.confidence_sequences import ratio
    from monitor.sequential.weighted import Item, effective, moments

    kinds = {Item(level, 0.0, failed): count for (level, failed), count in verdicts.items()}
    total = moments(kinds.items())
    if not total.bases:
        return None
    found = ratio(total, PLANNED, ALPHA)
    bad = sum(count for kind, count in kinds.items() if kind.loss)
    is_enough = total.units >= LEAST and min(bad, total.units - bad) >= EVENTS
    return Estimate(
        found.number,
        max(found.lower, 0.0) if is_enough else None,
        min(found.upper, 1.0) if is_enough else None,
        total.units,
        effective(total),
        None if at_most is None else _more(verdicts, at_most),
    )


def _more(verdicts: Mapping[tuple[int, bool], int], at_most: float) -> float:
    """ln E against `at most so many are bad`. What was not read counts as exactly that, which is a
    factor of 1: it need not be counted. The bets depend on no verdict, but on all levels there may
    be."""
    from monitor.sequential.weighted import Item, log_evidence

    levels = range(max(10, *(level for level, _ in verdicts)) + 1)
    known = {Item(level, at_most, bad): 0 for level in levels for bad in (False, True)}
    return log_evidence(
        known | {Item(level, at_most, bad): n for (level, bad), n in verdicts.items()}, at_most
    )
