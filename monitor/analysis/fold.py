"""Records → Rows → monitors: the one fold that live traffic, `replay` and the tests all go through.

A Record becomes Observations in a pane of event time, and every monitor counts them. All that a
monitor says is derived from its integers when it is asked for, so a restart from saved counts, or
shards counted apart and merged, give the same numbers bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar, runtime_checkable

import msgspec

from monitor.analysis import state as states
from monitor.analysis.alike import Alike, Alikes, alike
from monitor.analysis.panes import FAR, Panes
from monitor.analysis.rows import Timed, row_of
from monitor.interfaces import Feature, Monitor
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.turns import in_turns
from monitor.types import Record, WatchKey

FEW = 32
"""Fewer rows are counted quicker one by one than column by column."""


Found = TypeVar("Found")


@runtime_checkable
class ManyAtOnce(Protocol):
    """A Monitor that can be told of many rows at once."""

    def add_rows(self, rows: Sequence[Timed], pane: int) -> None:
        """Count rows in an open pane, as `add` would one after the other.

        Should something raise, it does so when all else has been counted.
        """

    def add_block(self, block: Block, pane: int) -> None:
        """Count the rows of a block in an open pane, as `add` would one after the other; their
        times are `block.at`."""


class Analysis(Generic[Found]):
    """The fold, and the `monitors` that it hosts, by different names.

    `features` look at Records. `pane` is the length of panes in seconds, None where they are cut by
    hand; one is closed when an event comes `lateness` seconds after its end. `dimensions` are the
    segments of a Record's Row beside the whole; None means all that it has. `records` counts
    Records, or rows, that were folded.
    """

    def __init__(
        self,
        features: Sequence[Feature],
        monitors: Sequence[Monitor[Found]],
        *,
        pane: float | None,
        lateness: float,
        dimensions: Sequence[str] | None = None,
    ) -> None:
        self.monitors = tuple(monitors)
        self.records = 0
        self._features = tuple(features)
        self._dimensions = None if dimensions is None else tuple(dimensions)
        self._panes = Panes(pane, lateness)
        self._unsaved: dict[str, bytes] = {}

    @property
    def newest(self) -> float:
        """Unix time of the newest event, -inf before the first."""
        return self._panes.newest

    def add(self, record: Record) -> None:
        """Fold one Record.

        Should this raise, which is a defect of ours or of a feature, what has been counted of the
        record stays.
        """
        self.add_row(self.row(record))

    def row(self, record: Record) -> Row:
        """What is to be folded of a Record, for `add_rows`."""
        return row_of(self._features, record, self._dimensions)

    def add_row(self, row: Row) -> None:
        """Fold what was observed of one Record, or of one row of a table."""
        at, pane, due = self._panes.enter(row.at)
        if due is not None:
            self._close(due, self._panes.end)
        for monitor in self.monitors:
            monitor.add(row, pane, at)
        self.records += 1

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Fold rows, as `add_row` would one after the other, for less.

        Should something raise, which is a defect of ours, it does so when all else has been folded,
        and one row does not count.
        """
        errors: list[Exception] = []
        run: list[Timed] = []
        before = 0
        for row in rows:
            at, pane, due = self._panes.enter(row.at)
            if pane != before or due is not None:
                self._add_many(run, before, errors)
                run, before = [], pane
            if due is not None:
                _try(errors, self._close, due, self._panes.end)
            run.append((row, at))
        self._add_many(run, before, errors)
        _raise(errors)

    def _add_many(self, run: Sequence[Timed], pane: int, errors: list[Exception]) -> None:
        """Count rows that belong to one open pane."""
        before = len(errors)
        kinds: Alike | None = None
        if len(run) >= FEW and any(isinstance(one, Alikes) for one in self.monitors):
            kinds = alike(run)
        for monitor in self.monitors if run else ():
            if isinstance(monitor, ManyAtOnce):
                _try(errors, monitor.add_rows, run, pane)
            elif kinds is not None and isinstance(monitor, Alikes):
                _try(errors, monitor.add_alike, kinds, pane)
            else:
                for row, at in in_turns(run):
                    _try(errors, monitor.add, row, pane, at)
        self.records += len(run) - (len(errors) > before)

    def add_block(self, block: Block) -> None:
        """Fold the rows of a block, as `add_row` would one after the other.

        Those that follow each other in a pane are given as they are to monitors that can. Should
        something raise, it is as in `add_rows`.
        """
        errors: list[Exception] = []
        if self._panes.length is None:
            _, pane, _ = self._panes.enter(float(block.at.max()))
            self._add_run(block, pane, errors)
            _raise(errors)
            return
        times = block.at.tolist()
        if len(times) < FEW or not all(-FAR < at < FAR for at in times):
            self.add_rows(block.rows())
            return
        first, before = 0, None
        for place, at in enumerate(times):
            _, pane, due = self._panes.enter(at)
            if pane == before and due is None:
                continue
            if before is not None:
                self._add_run(block.between(first, place), before, errors)
            if due is not None:
                _try(errors, self._close, due, self._panes.end)
            first, before = place, pane
        self._add_run(block.between(first, len(times)), pane, errors)
        _raise(errors)

    def _add_run(self, block: Block, pane: int, errors: list[Exception]) -> None:
        """Count rows that belong to one open pane."""
        before = len(errors)
        for monitor in self.monitors:
            if isinstance(monitor, ManyAtOnce) and len(block) >= FEW:
                _try(errors, monitor.add_block, block, pane)
            else:
                for row in block.rows():
                    _try(errors, monitor.add, row, pane, row.at)
        self.records += len(block) - (len(errors) > before)

    def merge(self, other: Analysis[Found]) -> None:
        """Add what `other`, with the same monitors, counted before it closed any pane."""
        self.records += other.records
        self._panes.newest = max(self._panes.newest, other._panes.newest)
        self._panes.last = max(self._panes.last, other._panes.last)
        for ours, theirs in zip(self.monitors, other.monitors, strict=True):
            ours.merge(theirs)

    def close(self, end: float | None = None) -> None:
        """Close every open pane; the last one ended at `end` where panes are cut by hand."""
        panes = self._panes
        last = panes.current if panes.length is None else panes.last
        if last > panes.closed:
            self._close(last, panes.end if end is None else lambda _: end)

    def findings(self) -> list[Found]:
        """What the monitors know now, open panes included."""
        return [found for monitor in self.monitors for found in monitor.findings()]

    def saved(self) -> dict[str, bytes]:
        """What has changed since the last call: fields of a checkpoint.

        An empty field is one to be removed.
        """
        # What one monitor gave is kept here until all have, since it will not say it again.
        for monitor in self.monitors:
            self._unsaved |= states.named(monitor.name, monitor.state())
        fold = msgspec.msgpack.encode(states.Fold(self.records, self._panes.saved()))
        changed, self._unsaved = self._unsaved | {states.FOLD: fold}, {}
        return changed

    def restore(
        self, state: Mapping[str, bytes], *, latest: float = math.inf,
        keeps: Callable[[WatchKey], bool] = lambda _: True,
    ) -> None:  # fmt: skip
        """Go on from everything `saved` gave; raises msgspec.DecodeError where it is damaged.

        What `keeps` does not hold for is left out. Panes of another length are counted in those of
        now. No time can be after `latest`.
        """
        if states.FOLD not in state:
            return
        state, self._unsaved = states.upgraded(state)
        fold = msgspec.msgpack.decode(state[states.FOLD], type=states.Fold)
        self.records = fold.records
        place = self._panes.resume(fold.panes, latest)
        for monitor in self.monitors:
            kept = states.inside(monitor.name, state)
            monitor.restore(kept, newest=self.newest, place=place, keeps=keeps)
        gone = states.strange(state, {monitor.name for monitor in self.monitors})
        self._unsaved |= dict.fromkeys(gone, b"")

    def _close(self, last: int, end: Callable[[int], float]) -> None:
        self._panes.closed = max(self._panes.closed, last)  # now: what fails does so once a pane
        for monitor in self.monitors:
            monitor.close(last, end)


def _try(errors: list[Exception], work: Callable[..., object], *arguments: object) -> None:
    """Do it; what it raises is one more of `errors`."""
    try:
        work(*arguments)
    except Exception as error:  # noqa: BLE001  who hears of them raises the first
        errors.append(error)


def _raise(errors: list[Exception]) -> None:
    if errors:
        raise errors[0]
