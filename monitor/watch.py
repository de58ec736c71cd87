"""Values of one feature in one segment → counts: what is watched, and what of it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from monitor.evidence import Ints, Splits, splits
from monitor.reference import Key, Learner, Reference
from monitor.trail import Trail
from monitor.types import Window
from monitor.windows import locator


class Episode(msgspec.Struct, frozen=True):
    """Drift that holds: since when, and what had been counted until then."""

    since: float
    origin: list[int]


class Reading(msgspec.Struct, gc=False):
    """What the counts of a watch say at one moment.

    `live` are all counts; `bets` the logarithms of what the bet on each mark is worth; `effects`
    the corrected effects since each mark, once somebody asked.
    """

    live: Ints
    bets: list[float]
    log_evidence: float
    effects: list[float] = []


class Watch:
    """One feature in one segment: a reference, a trail, open panes, and drift while it holds.

    Without a reference it learns one, or (no learner) only counts what comes. `settled` is the log
    evidence at the newest mark.
    """

    __slots__ = (
        "episode", "key", "learner", "locate", "open", "reading", "reference", "renewed", "seen",
        "settled", "trail", "tree", "usual", "weights",
    )  # fmt: skip

    def __init__(self, key: Key, learner: Learner | None) -> None:
        self.key = key
        self.learner = learner
        self.seen = 0
        self.open: dict[int, list[int]] = {}
        self.episode: Episode | None = None
        self.settled = 0.0
        self.renewed = False
        self.reading: Reading | None = None
        self.reference: Reference | None = None

    def stand_on(self, reference: Reference, began: float) -> None:
        """Watch from now on against this reference."""
        cells = reference.cells
        self.reference = reference
        self.learner = None
        self.locate: Callable[[Any], int] = locator(cells)
        self.usual: Window = reference.window()
        self.weights = reference.weights()
        self.tree: Splits = splits(self.weights, cells.ordinary, ordered=cells.shape == "numeric")
        self.trail = Trail(cells.size, began)

    def renew(self, reference: Reference, end: float) -> None:
        """Watch from `end` on against another reference on the same cells; open panes stay open."""
        self.stand_on(reference, end)
        self.renewed = True
        self.settled = 0.0
        self.reading = None

    def count(self, value: Any, pane: int, time: float) -> None:
        """Fold one value into `pane`."""
        self.reading = None
        if self.reference is None:
            self.seen += 1
            if self.learner is not None:
                self.learner.add(value)
                if self.learner.complete:
                    self.stand_on(self.learner.reference(), time)
            return
        counts = self.open.get(pane)
        if counts is None:
            counts = self.open[pane] = [0] * self.reference.cells.size
        counts[self.locate(value)] += 1

    def close(self, pane: int, end: float, block: int) -> bool:
        """Add an open pane to the trail; True where that made a mark."""
        self.reading = None
        return self.trail.close(np.array(self.open.pop(pane), dtype=np.int64), end, block)

    def merge(self, other: Watch) -> None:
        """Add the open panes of `other`, which stands on the same reference."""
        self.reading = None
        self.seen += other.seen
        for pane, counts in other.open.items():
            held = self.open.get(pane)
            self.open[pane] = (
                list(counts) if held is None else [a + b for a, b in zip(held, counts, strict=True)]
            )

    def live(self) -> Ints:
        """All counts since the watch began, those of open panes too."""
        if not self.open:
            return self.trail.total
        opened = np.array(list(self.open.values()), dtype=np.int64).sum(axis=0)
        return np.asarray(self.trail.total + opened, dtype=np.int64)

    def window(self, counts: Ints) -> Window:
        """Counts of this watch as a measure sees them."""
        return Window(tuple(counts.tolist()), self.usual.points, self.usual.scale)

    def state(self) -> bytes:
        """What `restore` needs to go on from here."""
        state: dict[str, Any] = {
            "seen": self.seen,
            "episode": self.episode,
            "open": self.open,
            "settled": self.settled,
            "renewed": self.renewed,
        }
        if self.reference is not None:
            state |= {"reference": self.reference, "trail": self.trail.state()}
        elif self.learner is not None:
            state["learner"] = self.learner.state()
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        """Go on from `state`, unless it is of another reference than the one given.

        Raises msgspec.DecodeError where it is not a state.
        """
        kept = msgspec.msgpack.decode(state, type=_State)
        if self.reference is not None and not kept.continues(self.reference):
            return
        if kept.reference is not None:
            self.stand_on(kept.reference, 0.0)
            self.trail = Trail.restore(kept.trail)
        elif kept.learner:
            self.learner = Learner.restore(kept.learner)
        self.seen, self.open, self.episode = kept.seen, kept.open, kept.episode
        self.settled, self.renewed = kept.settled, kept.renewed
        self.reading = None


class _State(msgspec.Struct):
    seen: int
    open: dict[int, list[int]]
    episode: Episode | None = None
    settled: float = 0.0
    renewed: bool = False
    reference: Reference | None = None
    trail: dict[str, Any] = {}
    learner: dict[str, Any] = {}

    def continues(self, reference: Reference) -> bool:
        """Whether this is the state of a watch that began with `reference`."""
        if self.renewed and self.reference is not None:
            return self.reference.cells == reference.cells
        return self.reference == reference
