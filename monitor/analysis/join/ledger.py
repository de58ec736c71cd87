"""What became of feedback: each item has one final result, or waits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

import msgspec

from monitor.metrics.labels import FEEDBACK_KINDS
from monitor.metrics.metric import FEEDBACK_DELAY_BUCKETS
from monitor.types import Measurement


class Saved(msgspec.Struct, frozen=True):
    """What is kept of a Ledger; what waits is known from the items that do."""

    final: dict[str, dict[str, int]]
    delays: dict[str, list[int]]
    sums: dict[str, int]
    records: dict[str, int]


class Ledger:
    """Counts of items by kind and final result (`joined`, `unmatched`, `duplicate`, `invalid`), of
    those that are `waiting` now, and of Records by what became of them."""

    def __init__(self) -> None:
        results = ("joined", "unmatched", "duplicate")
        self.final = {kind: dict.fromkeys(results, 0) for kind in FEEDBACK_KINDS}
        self.final["unknown"] = {"invalid": 0}
        self.waiting = dict.fromkeys(FEEDBACK_KINDS, 0)
        self.records = {"due": 0, "left_out": 0}
        self._delays = {kind: [0] * (len(FEEDBACK_DELAY_BUCKETS) + 1) for kind in FEEDBACK_KINDS}
        self._sums = dict.fromkeys(FEEDBACK_KINDS, 0)

    def end(self, kind: str, result: str) -> None:
        """Count the final result of an item."""
        self.final[kind][result] += 1

    def invalid(self) -> None:
        """Count an entry that is no feedback."""
        self.final["unknown"]["invalid"] += 1

    def joined(self, kind: str, delay: float) -> None:
        """Count an item whose Record is known, which ended `delay` seconds before."""
        delay = min(max(delay, 0.0), 1e9)
        self.final[kind]["joined"] += 1
        self._delays[kind][bisect_left(FEEDBACK_DELAY_BUCKETS, delay)] += 1
        self._sums[kind] += round(delay * 1000)

    @property
    def said(self) -> int:
        """Items so far: the sum of the final results, and of what waits."""
        final = sum(sum(results.values()) for results in self.final.values())
        return final + sum(self.waiting.values())

    def measurements(self, endpoint: str) -> Iterator[Measurement]:
        """The same as samples of the catalogue's metrics."""
        own = {"endpoint": endpoint}
        for kind, results in self.final.items():
            for result, count in results.items():
                labels = {**own, "kind": kind, "result": result}
                yield Measurement("monitor_feedback_total", labels, count)
        for kind, count in self.waiting.items():
            labels = {**own, "kind": kind, "result": "waiting"}
            yield Measurement("monitor_feedback_total", labels, count)
        for result, count in self.records.items():
            labels = {**own, "result": result}
            yield Measurement("monitor_outcome_records_total", labels, count)
        for kind, counts in self._delays.items():
            name, labels = "monitor_feedback_delay_seconds", {**own, "kind": kind}
            total = 0
            for bound, count in zip((*FEEDBACK_DELAY_BUCKETS, None), counts, strict=True):
                total += count
                le = "+Inf" if bound is None else f"{float(bound)!r}"
                yield Measurement(f"{name}_bucket", {**labels, "le": le}, total)
            yield Measurement(f"{name}_sum", labels, self._sums[kind] / 1000)
            yield Measurement(f"{name}_count", labels, total)

    def saved(self) -> Saved:
        """What a later process needs to go on."""
        return Saved(self.final, self._delays, self._sums, self.records)

    def restore(self, saved: Saved) -> None:
        """Go on from what was saved."""
        for ours, theirs in (
            *((self.final.get(kind, {}), results) for kind, results in saved.final.items()),
            (self._sums, saved.sums),
            (self.records, saved.records),
        ):
            ours |= {name: count for name, count in theirs.items() if name in ours}
        for kind, counts in saved.delays.items():
            if len(counts) == len(self._delays.get(kind, ())):
                self._delays[kind] = list(counts)
