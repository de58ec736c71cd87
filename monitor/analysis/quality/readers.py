"""First verdicts of two people on the same exchange → how often they agree, and has that changed?

Beside the share of equal verdicts stand the shares of agreement about bad answers and about good
ones: where nearly all are good, the first is high by chance. Each is watched as any feature is
(`analysis.drift`), so it may be looked at every moment. Coefficients such as kappa are not watched:
they move with the share of bad answers (Vach and Gerke 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Self

import msgspec

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.quality.intervals import of_rate
from monitor.analysis.quality.measures import Measured
from monitor.findings import Finding
from monitor.rows import Row
from monitor.types import Observation, WatchKey

AGREEMENT = "reader_agreement"
ON_FAILED, ON_PASSED = f"{AGREEMENT}_failed", f"{AGREEMENT}_passed"
MEASURES = (AGREEMENT, ON_FAILED, ON_PASSED)

LEAST = 100
"""Pairs of verdicts that agreement is compared with, at least."""

ALL = "pairs"
"""The entry of the counts; the others are those of the watch."""


class Readers:
    """Counts pairs of verdicts, and watches them by `rules` against the first of them, a tenth of
    `learn` (None: there is nothing to compare with)."""

    def __init__(self, rules: Rules, learn: int | None) -> None:
        learned = max(LEAST, learn // 10) if learn else None
        self._watch = DriftMonitor(rules, Baseline(learn=learned), dimensions=())
        self._pairs = [0, 0, 0]  # that both failed, that differ, that both passed

    def add(self, row: Row, verdicts: tuple[bool, bool], pane: int, at: float) -> None:
        """Count the first verdicts of two people, whether they passed the answer of a row."""
        first, second = verdicts
        self._pairs[1 if first != second else 2 if first else 0] += 1
        seen = [Observation(AGREEMENT, "boolean", first == second)]
        if not (first and second):
            seen.append(Observation(ON_FAILED, "boolean", first == second))
        if first or second:
            seen.append(Observation(ON_PASSED, "boolean", first == second))
        self._watch.add(Row(row.at, {}, seen), pane, at)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`."""
        self._watch.close(last, end)

    def merge(self, other: Self) -> None:
        """Add what `other` counted before a pane was closed."""
        self._pairs = [one + more for one, more in zip(self._pairs, other._pairs, strict=True)]
        self._watch.merge(other._watch)

    def measured(self) -> Iterator[Measured]:
        """Each kind of agreement with an interval; nothing before there is a pair.

        About failed ones it is 2a / (2a + b), where a pairs agree that an answer failed and b
        differ (Cicchetti and Feinstein 1990). That is 2s / (1 + s) for the share s = a / (a + b),
        whose interval is exact.
        """
        failed, apart, passed = self._pairs
        if failed + apart + passed:
            ends = of_rate(failed + passed, failed + apart + passed)
            share = (failed + passed) / (failed + apart + passed)
            yield Measured(AGREEMENT, share, *ends, failed + apart + passed)
        for measure, both in ((ON_FAILED, failed), (ON_PASSED, passed)):
            if both + apart:
                number, lower, upper = (
                    2 * each / (1 + each)
                    for each in (both / (both + apart), *of_rate(both, both + apart))
                )
                yield Measured(measure, number, lower, upper, both + apart)

    def judged(self) -> dict[str, Finding]:
        """What is believed of each kind, by its measure."""
        return {one.feature: one for one in self._watch.findings()}

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call."""
        return {**self._watch.state(), ALL: msgspec.msgpack.encode(self._pairs)}

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        theirs = dict(state)
        if pairs := theirs.pop(ALL, b""):
            self._pairs = msgspec.msgpack.decode(pairs, type=list[int])
        self._watch.restore(theirs, newest=newest, place=place, keeps=keeps)
