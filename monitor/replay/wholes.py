"""Findings of Records as they came → those of both sides as wholes, where that is what can be said.

Live, evidence is laid against values that keep coming from one distribution. A log in which days
and nights differ, that grows, or that is sorted has none: read in its own order against itself it
would be called drift, too. So where a part of what came differs and the whole does not, the
reference is read once more, as it came. If its own course is no chance either, the wholes are
compared, as those of tables are. A reference much shorter than what came may not show its course:
then it stays drift, and a remark says why that may be none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from monitor.analysis.drift.findings import together, undated, verdict
from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.monitor import DriftMonitor
from monitor.analysis.fold import Analysis
from monitor.findings import Finding
from monitor.replay.document import Replay, lacking
from monitor.replay.parts import Begin, Part
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.types import WatchKey

CHANCE = 1.0
"""Log evidence that a reference without a course of its own reaches with a probability of 1/e, at
most: so little is asked because a course of its own may show in one side more than in the other."""

SHORT = 2
"""A reference is short where so many times more came; a longer one shows about every course."""

NAMED = 8
"""Features that a remark names, at most."""


class Wholes:
    """Judges the rows of the current side as wholes, beside how they came.

    `begins` are how both are judged by the number of bins, `reference` the rows of the other side.
    """

    def __init__(
        self, begins: Mapping[int, Begin], reference: Callable[[], Iterable[Row | Block]]
    ) -> None:
        self._parts = {bins: Part(begin) for bins, begin in begins.items()}
        self._reference = reference
        self._own: dict[WatchKey, float] | None = None
        self._length = 0  # rows of the reference, once it was read

    def passing(self, rows: Iterable[Row | Block]) -> Iterator[Row | Block]:
        """The rows, each counted on its way."""
        for part in self._parts.values():
            rows = part.passing(rows)
        return iter(rows)

    def replaced(self, found: Replay, live: Begin, rules: Rules, bins: int) -> Replay:
        """The document of a `live` judgement with what `instead` says, and a remark on that."""
        features, explained, left = self.instead(found.features, live, rules, bins)
        remarks = list(found.remarks)
        if explained:
            remarks.append(
                f"{_listed(explained)}: the reference changes in its own course, too, so both "
                "sides are compared as wholes, and not as they came; --timeline shows the course"
            )
        came = self._parts[bins].rows
        if left and self._length * SHORT < came:
            remarks.append(
                f"{_listed(left)}: a part of what came differs, the whole does not; whether that "
                f"is the usual course, a reference of {self._length:,} rows cannot show beside "
                f"{came:,}: give a longer one"
            )
        if len(remarks) == len(found.remarks):
            return found
        return msgspec.structs.replace(
            found,
            features=features,
            verdict=verdict(features, left_out=lacking(found.left_out)),
            together=together(features),
            remarks=remarks,
        )

    def instead(
        self, found: Sequence[Finding], live: Begin, rules: Rules, bins: int
    ) -> tuple[list[Finding], list[str], list[str]]:
        """The findings of a `live` judgement, with those of the whole by `rules` in the place of
        what the reference's own course explains; the features of these; and those that drift in a
        part alone, which it does not explain."""
        wholes = {one.key: undated(one) for one in self._parts[bins].findings_by(rules)}
        doubtful = {
            one.key
            for one in found
            if one.status == "drift" and one.key in wholes and wholes[one.key].status != "drift"
        }
        own = self._courses(live) if doubtful else {}
        explained = {key for key in doubtful if own.get(key, 0.0) >= CHANCE}
        told = [wholes[one.key] if one.key in explained else one for one in found]
        return told, _features(explained), _features(doubtful - explained)

    def _courses(self, live: Begin) -> dict[WatchKey, float]:
        """The highest log evidence of each feature and segment while the reference came."""
        if self._own is None:
            part = Part(live)
            for _ in part.passing(self._reference()):
                pass
            part.findings()
            self._length = part.rows
            monitors = part.fold.monitors if isinstance(part.fold, Analysis) else ()
            self._own = {
                key: max(watch.highest, watch.statistics.log_evidence if watch.statistics else 0.0)
                for monitor in monitors
                if isinstance(monitor, DriftMonitor)
                for key, watch in monitor.watches.by_key.items()
                if not watch.is_compared
            }
        return self._own


def _features(keys: Iterable[WatchKey]) -> list[str]:
    return sorted({key[0] for key in keys})


def _listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
