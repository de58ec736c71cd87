"""Rows → Findings: has a feature changed, in the whole of the traffic or in a segment?

What is counted (`watches`) is judged as panes are closed, for the beginning and end of drift, and
whenever somebody asks; every Finding is derived from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self

import msgspec

from monitor.analysis.drift.attribution import drivers, mix
from monitor.analysis.drift.description import finding
from monitor.analysis.drift.findings import measurements, origin
from monitor.analysis.drift.judgement import Rules, read, renew, settle, thresholds
from monitor.analysis.drift.watch import Watch
from monitor.analysis.drift.watches import Baseline, Watches
from monitor.analysis.rows import Timed
from monitor.findings import Finding
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.turns import in_turns
from monitor.types import EDGE_CASE, WHOLE, Measurement, WatchKey


class DriftMonitor:
    """The Monitor of drift; `rules.alpha` is its part of the error budget.

    The other arguments are those of `Watches`.
    """

    name = "drift"

    def __init__(
        self,
        rules: Rules,
        baseline: Baseline,
        *,
        dimensions: Sequence[str] | None = None,
        began: float = 0.0,
    ) -> None:
        self.rules = rules
        self.watches = Watches(rules, baseline, dimensions=dimensions, began=began)
        self._baseline = baseline.name

    def add(self, row: Row, pane: int, at: float) -> None:
        """Count a row, which came at `at` (Unix seconds), in `pane`."""
        self.watches.count(row, pane, at)

    def add_rows(self, rows: Sequence[Timed], pane: int) -> None:
        """Count rows in `pane`; what raises does so when all else has been counted."""
        self.watches.count_rows(rows, pane)

    def add_block(self, block: Block, pane: int) -> None:
        """Count the rows of a block in `pane`."""
        self.watches.count_block(block, pane)

    def merge(self, other: Self) -> None:
        """Add what `other` counted on the same profile before a pane was closed."""
        self.watches.merge(other.watches)

    def close(self, last: int, end: Callable[[int], float]) -> None:
        """Close the panes up to `last`; drift begins and ends here."""
        for pane, watches in self.watches.due(last):
            ended = end(pane)
            # All are counted before one is closed: those with a peer look at its open pane.
            counted = [(watch, watch.counted(pane)) for watch in in_turns(watches)]
            turned = [
                w for w, new in in_turns(counted) if w.close(pane, ended, self.rules.block, new)
            ]
            if turned:
                settle(turned, self.watches.by_key.values(), self.rules)
            for watch in in_turns(watches):
                renew(watch, ended, self.rules)
        if self.rules.pane is not None:
            self.watches.make_room((last + 1) * self.rules.pane, self.rules.pane)

    def state(self) -> dict[str, bytes]:
        """What has changed since the last call; an empty entry is one to be removed."""
        return self.watches.state()

    def restore(
        self,
        state: Mapping[str, bytes],
        *,
        newest: float,
        place: Callable[[int], int],
        keeps: Callable[[WatchKey], bool],
    ) -> None:
        """Go on from everything `state` gave; raises msgspec.DecodeError where it is damaged."""
        self.watches.restore(state, newest=newest, place=place, keeps=keeps)

    def findings(self, rules: Rules | None = None) -> list[Finding]:
        """What is known now, open panes included; one for each feature and segment, in order.

        With other `rules` it is what these would say of the same counts. Drift that began when a
        pane was closed is as it was judged then.
        """
        rules = rules or self.rules
        watches = self.watches.by_key
        read(watches.values(), rules)
        logs = {
            key: watch.statistics.log_evidence if watch.statistics else 0.0
            for key, watch in watches.items()
        }
        limits = thresholds(logs, rules)
        found = [
            self._finding(watch, limits[key], rules)
            for key, watch in in_turns(sorted(watches.items()))
        ]
        return [self._attributed(one, rules) if _is_whole_drift(one) else one for one in found]

    def _finding(self, watch: Watch, threshold: float, rules: Rules) -> Finding:
        """What is known of a watch; made once as long as nothing comes."""
        statistics = watch.statistics if rules is self.rules else None
        if (
            statistics is not None
            and statistics.told is not None
            and statistics.told[0] == threshold
        ):
            return statistics.told[1]
        found = finding(watch, threshold, rules, self._baseline)
        if statistics is not None:
            statistics.told = threshold, found
        return found

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The drift metrics of the catalogue."""
        if self.watches.overflow:
            labels = {"endpoint": endpoint, "metric": "monitor_drift_status"}
            yield Measurement("monitor_series_overflow_total", labels, self.watches.overflow)
        yield from measurements(endpoint, self.findings(), self.rules.thresholds())

    def _attributed(self, found: Finding, rules: Rules) -> Finding:
        """The same, with the segments it came from.

        Edge cases are none: a value may be in several of them, or in none, so that their shares of
        a change, or of the traffic, add up to nothing.
        """
        watches = self.watches.by_key
        segments = [
            watch
            for key, watch in watches.items()
            if key[0] == found.feature and key[1] not in (WHOLE.dimension, EDGE_CASE)
        ]
        whole = watches[found.feature, WHOLE.dimension, WHOLE.value]
        since = found.since or 0.0
        named = drivers(segments, whole, since, rules)
        mixed = mix(segments, since, self.watches.newest, is_given=self.watches.is_given)
        return msgspec.structs.replace(
            found, drivers=named, mix=mixed, words=found.words + origin(named, mixed)
        )


def _is_whole_drift(found: Finding) -> bool:
    return found.status == "drift" and found.dimension == WHOLE.dimension
