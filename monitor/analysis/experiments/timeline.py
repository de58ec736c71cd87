"""Findings of an experiment, pane by pane → what it looked like at some moments, evenly spread.

There are `MOST` moments at most: when there are more, every other one is forgotten, and from then
on they are twice as far apart. So how often an experiment is judged for this does not depend on how
long it runs, and live and replay keep the same moments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self

import msgspec

from monitor.findings import ExperimentEffect, ExperimentLook, ExperimentTimeline, Verdict

MOST = 64
"""Moments that are kept of an experiment."""


class _Seen(msgspec.Struct, frozen=True, array_like=True):
    variant: str
    metric: str
    effect: float | None
    lower: float | None
    upper: float | None
    verdict: Verdict
    samples: int


class _Moment(msgspec.Struct, frozen=True, array_like=True):
    at: float
    seen: list[_Seen]


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    width: float
    moments: list[_Moment]


class Timeline:
    """The moments of an experiment; at first they are `width` seconds apart, and more."""

    def __init__(self, width: float) -> None:
        self.is_changed = False
        self._width = width
        self._moments: list[_Moment] = []

    def is_due(self, at: float) -> bool:
        """Whether a pane that ended at `at` (Unix seconds) is a moment to be kept."""
        return not self._moments or self._place(at) > self._place(self._moments[-1].at)

    def keep(self, at: float, found: Sequence[ExperimentEffect]) -> None:
        """Keep what was found at a moment, if anything was counted."""
        seen = [
            _Seen(one.variant, one.metric, one.effect, one.lower, one.upper, one.verdict,
                  one.samples)
            for one in found if one.samples
        ]  # fmt: skip
        if not seen:
            return
        self.is_changed = True
        self._moments.append(_Moment(at, seen))
        while len(self._moments) > MOST:
            self._width *= 2
            thinned = {self._place(one.at): one for one in reversed(self._moments)}
            self._moments = [thinned[place] for place in sorted(thinned)]

    def told(self, found: Sequence[ExperimentEffect]) -> list[ExperimentTimeline]:
        """The moments of each of the effects that are `found` now."""
        looks: dict[tuple[str, str], list[ExperimentLook]] = {}
        for moment in self._moments:
            for one in moment.seen:
                look = ExperimentLook(
                    moment.at, one.effect, one.lower, one.upper, one.verdict, one.samples
                )
                looks.setdefault((one.variant, one.metric), []).append(look)
        return [
            ExperimentTimeline(one.name, one.variant, one.metric, looks[one.variant, one.metric])
            for one in found
            if (one.variant, one.metric) in looks
        ]

    def saved(self) -> bytes:
        """All of it; `restored` goes on from there."""
        self.is_changed = False
        return msgspec.msgpack.encode(_Saved(self._width, self._moments))

    @classmethod
    def restored(cls, entry: bytes, width: float) -> Self:
        """What was saved, at least `width` seconds apart; raises msgspec.DecodeError where it is
        damaged."""
        kept = msgspec.msgpack.decode(entry, type=_Saved)
        timeline = cls(max(width, kept.width))
        timeline._moments = kept.moments
        return timeline

    def _place(self, at: float) -> int:
        return math.floor(at / self._width)
