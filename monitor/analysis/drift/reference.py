"""Observations → Reference: what is usual for a feature in a segment, as counts over fixed bins.

The Dirichlet law of a bin's true share, which the evidence stands on, comes with the counts: for
numbers the bins begin and end at order statistics, so that shares are distributed as the gaps
between them are, whatever the distribution; for categories the bins are chosen on one part of the
sample and counted on the other wherever the choice could favour what it chose.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.analysis.drift.evidence import log_evidence, splits
from monitor.analysis.drift.fourier_features import LENGTH, SIZE, fourier_features
from monitor.analysis.drift.windows import (
    CATEGORY_BINS,
    GRID,
    INNER_BINS,
    VALUES_PER_BIN,
    Bins,
    category_bins,
    duration_bins,
    keepable,
    locator,
    number_bins,
    numbers_locator,
    shape_of,
    text_of,
    unknown,
    vector_bins,
    word_bins,
)
from monitor.errors import SourceError
from monitor.picks import is_picked
from monitor.tables.blocks import Column, Numbers
from monitor.types import SPECIAL, Window

BUFFER = 1000
"""Values that are kept until the bins are made; after that, values are counted only."""

HELD = 250_000
"""So many numbers in the vectors kept are enough as well."""

ROOM = 16_000_000
"""So many numbers all learners of an analysis may keep together: some 500 MB."""

UNSEEN = 0.5
"""Weight of all unseen categories together, where none came in the part that was counted."""

LENT = 0.5
"""The whole traffic lends a small segment so much of the segment's own weight, at most."""

PARENT = 4
"""The whole traffic lends nothing unless it has so many times the segment's values."""

APART = 3.0
"""Log evidence that a segment is not like the whole, from which on it has bins of its own."""

OUTSIDE = 0.2
"""A reference with more of its values beyond its outer edges was made from values in order."""


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Counts over `bins`, special ones last. No value of anybody's stands in it. As a document it
    has some names that are older than those of now.

    Numbers are added up in `sums`, by ordinary bin, and `squares` as whole steps from the first
    edge, `GRID` steps to the last, so that references built from shards add up exactly.
    """

    bins: Bins = msgspec.field(name="cells")
    counts: list[int]
    sums: list[int] = []
    squares: int = 0
    fourier: list[int] = msgspec.field(default_factory=list, name="waves")
    """Random Fourier features of the vectors in ordinary bins, added up, in units of `UNIT`."""
    autocorrelated: bool = msgspec.field(default=False, name="loose")
    """Whether neighbouring values are alike, so that many of them count as one: durations."""
    prior: list[float] = []
    """Weight that the whole traffic lends each bin of a small segment; empty for all others."""

    @property
    def samples(self) -> int:
        """Values in the reference."""
        return sum(self.counts)

    @property
    def is_lopsided(self) -> bool:
        """Whether the values that made numeric bins were not like those that were only counted."""
        if self.bins.shape != "numeric" or self.samples < 2 * BUFFER:
            return False
        outside = self.counts[0] + self.counts[self.bins.ordinary - 1]
        return outside > OUTSIDE * self.samples

    def window(self) -> Window:
        """The reference as a measure sees it, with what the whole lends to a small segment."""
        counts = tuple(self.counts)
        if self.prior:
            counts = tuple(np.rint(np.add(self.counts, self.prior)).astype(int).tolist())
        if self.bins.shape != "numeric":
            return Window(counts, fourier=tuple(value / LENGTH for value in self.fourier))
        low, step = grid(self.bins)
        edges = self.bins.edges
        points = [edges[0]]
        for index in range(1, len(edges)):
            count, total = self.counts[index], self.sums[index]
            left, right = edges[index - 1], edges[index]
            mean = low + step * (total / count) if count else left / 2 + right / 2
            points.append(min(max(mean, left), right))
        points.append(edges[-1])
        valid = sum(self.counts[: self.bins.ordinary])
        mean = sum(self.sums) / max(valid, 1)
        variance = max(self.squares / max(valid, 1) - mean * mean, 0.0)
        return Window(counts, tuple(points), float(variance**0.5 * step))

    def weights(self) -> npt.NDArray[np.float64]:
        """Parameters of the Dirichlet law of the bins' true shares, given this reference.

        Between the order statistics X(1) and X(m) lie m - 1 gaps, one more on each side; each gap's
        probability is uniform on the simplex for any continuous distribution (Wilks 1948), so bins
        that are unions of gaps are Dirichlet with the numbers of gaps. Of a value that came so many
        times it is one gap less, and one lies between it and the next. An unseen category weighs 1
        (Laplace), or half where all the sample's were common; a bin of any other kind half a count
        (Jeffreys). With a `prior` it takes the place of all that.
        """
        weights = np.asarray(self.counts, dtype=np.float64)
        ordinary = self.bins.ordinary
        if self.prior:
            return np.asarray(np.maximum(weights + np.asarray(self.prior), 0.5))
        weights[ordinary:] += 0.5
        match self.bins.shape:
            case "numeric":
                if between := self.bins.between:
                    weights[1:ordinary:2] -= 1
                    weights[list(between)] += 1
                else:
                    weights[0] += 1
                    weights[1] = max(weights[1] - 1, 0.5)
                    weights[ordinary - 1] += 1
                weights[:ordinary] = np.maximum(weights[:ordinary], 0.5)
            case "categorical" | "vector":
                weights[: ordinary - 1] = np.maximum(weights[: ordinary - 1], 0.5)
                weights[ordinary - 1] += 1 if self.counts[ordinary - 1] else UNSEEN
            case _:
                weights[:ordinary] += 0.5
        return weights

    def renewed(self, counts: Sequence[int], vectors: Sequence[int] = ()) -> Reference:
        """The reference that `counts` on these bins make, its values where they were in theirs."""
        kept = [max(count, 1) for count in self.counts]
        pairs = list(zip(counts, kept, strict=True))
        ratio = sum(counts[: self.bins.ordinary]) / max(sum(self.counts[: self.bins.ordinary]), 1)
        sums = [
            total * now // before for total, (now, before) in zip(self.sums, pairs, strict=False)
        ]
        return Reference(
            self.bins,
            list(counts),
            sums,
            round(self.squares * ratio),
            list(vectors),
            self.autocorrelated,
        )

    def merge(self, other: Reference) -> Reference:
        """The reference of both; raises SourceError unless they stand on the same bins."""
        if self.bins != other.bins:
            raise SourceError("references on different bins cannot be merged")
        return Reference(
            self.bins,
            [a + b for a, b in zip(self.counts, other.counts, strict=True)],
            [a + b for a, b in zip(self.sums, other.sums, strict=True)],
            self.squares + other.squares,
            [a + b for a, b in zip(self.fourier, other.fourier, strict=True)],
            self.autocorrelated,
            [a + b for a, b in zip(self.prior, other.prior, strict=False)],
        )


class Room:
    """What learners keep together, in numbers; when there is `limit` no more is kept."""

    def __init__(self, limit: int = ROOM) -> None:
        self.limit = limit
        self.used = 0
        self.was_full = False

    def has(self, size: int) -> bool:
        """Whether there is room for so much more."""
        return self.used + size <= self.limit

    def take(self, size: int) -> bool:
        """Whether so much more may be kept."""
        if not self.has(size):
            self.was_full = True
            return False
        self.used += size
        return True


class Learner:
    """Folds values, in order, into a Reference.

    The first `BUFFER` values (or `wanted`, if fewer) are kept to make the bins from; later ones
    are only counted. `bins` given beforehand are used as they are (a shard of a reference); else
    numbers have `inner` of them, or fewer. What has no place in a `room` shared with others is left
    out, as if it had not come.
    """

    def __init__(
        self,
        wanted: int | None = None,
        bins: Bins | None = None,
        *,
        autocorrelated: bool = False,
        room: Room | None = None,
        inner: int = INNER_BINS,
    ) -> None:
        self.room = room
        self._inner = inner
        self._wanted = wanted
        self._autocorrelated = autocorrelated
        self._buffer: list[Any] = []
        self._held = 0
        self._seen = 0
        self._counts: list[int] = []
        self._sums: list[int] = []
        self._squares = 0
        self._fourier: list[int] = []
        self._bins: Bins | None = None
        if bins is not None:
            self._stand_on(bins)

    @property
    def seen(self) -> int:
        """Values folded so far."""
        return self._seen

    @property
    def complete(self) -> bool:
        """Whether the wanted number of values has been seen."""
        return self._wanted is not None and self._seen >= self._wanted

    def add(self, value: Any) -> None:
        """Fold one more value."""
        if self._bins is not None:
            self._seen += 1
            self._count(value)
            return
        kept = keepable(value)
        size = _size(kept)
        if self.room is not None and not self.room.take(size):
            return
        self._seen += 1
        self._buffer.append(kept)
        self._held += size
        if len(self._buffer) >= min(BUFFER, self._wanted or BUFFER) or self._held >= HELD:
            self._settle()

    def keep(self, values: Sequence[Any]) -> bool:
        """Fold values if no more comes of it than that they are kept; whether that was done."""
        most = min(BUFFER, self._wanted or BUFFER)
        if self._bins is not None or len(self._buffer) + len(values) >= most:
            return False
        kept = list(map(keepable, values))
        size = sum(map(_size, kept))
        if self._held + size >= HELD or not (self.room is None or self.room.take(size)):
            return False
        self._seen += len(kept)
        self._buffer += kept
        self._held += size
        return True

    def add_column(self, column: Column) -> None:
        """Fold the values of a column of a block that are still wanted, as `add` would one after
        the other."""
        if self._wanted is not None:
            column = column.part(slice(max(self._wanted - self._seen, 0)))
        learned, values = 0, column.observations()
        while self._bins is None and learned < len(column):
            self.add(next(values).value)
            learned += 1
        if learned == len(column):
            return
        rest = column.part(slice(learned, None)) if learned else column
        self._seen += len(rest)
        for seen, times in rest.tally():
            self._count(seen.value, times)
        self._count_numbers(rest.plain())

    def reference(self) -> Reference:
        """The reference so far."""
        if self._bins is None:
            self._settle()
        assert self._bins is not None  # noqa: S101  for the type checker: settled just now
        return Reference(
            self._bins, list(self._counts), list(self._sums), self._squares, list(self._fourier),
            self._autocorrelated,
        )  # fmt: skip

    def within(self, parent: Reference) -> Reference:
        """The reference of a segment of what `parent` is of: shrunk to it, where it is small.

        As long as its values are kept (fewer than `BUFFER`) they can be counted on the parent's
        bins, and the parent's shares be added to its weights: up to `LENT` of the segment's own,
        less the more evidence there is that it is distributed otherwise. Where it clearly is, and
        where the parent is not much larger itself, it stays on its own.
        """
        size = len(self._buffer)
        if self._bins is not None or not size or parent.samples < PARENT * size:
            return self.reference()
        other = Learner(bins=parent.bins, autocorrelated=self._autocorrelated)
        for value in self._buffer:
            other.add(value)
        shared, weights = other.reference(), parent.weights()
        ordered = parent.bins.shape == "numeric"
        tree = splits(weights, parent.bins.ordinary, ordered=ordered)
        counts = np.array([shared.counts], dtype=np.int64)
        against = float(log_evidence(counts, weights[None], tree)[0])
        if against >= APART:
            return self.reference()
        lent = LENT * size * math.exp(-max(against, 0.0))
        prior = (lent / weights.sum() * weights).tolist()
        return msgspec.structs.replace(shared, prior=[float(f"{one:.6g}") for one in prior])

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here."""
        reference = self.reference() if self._bins is not None else None
        return {
            "wanted": self._wanted,
            "loose": self._autocorrelated,
            "seen": self._seen,
            "buffer": self._buffer,
            "reference": msgspec.to_builtins(reference),
        }

    @classmethod
    def restore(cls, state: dict[str, Any], room: Room | None = None) -> Learner:
        """The learner whose `state` this is."""
        learner = cls(state["wanted"], autocorrelated=state["loose"], room=room)
        learner._buffer = list(state["buffer"])
        if state["reference"] is not None:
            reference = msgspec.convert(state["reference"], Reference)
            learner._stand_on(reference.bins)
            learner._counts = list(reference.counts)
            learner._sums = list(reference.sums)
            learner._squares = reference.squares
            learner._fourier = list(reference.fourier)
        learner._seen = state["seen"]
        learner._held = sum(map(_size, learner._buffer))
        if room is not None:
            room.used += learner._held
        return learner

    def release(self) -> None:
        """Keep nothing any more."""
        if self.room is not None:
            self.room.used -= self._held
        self._buffer, self._held = [], 0

    def _settle(self) -> None:
        # Taken out first: should this fail, it fails once, and learning begins anew.
        buffer, seen = self._buffer, self._seen
        self._seen = 0
        self.release()
        sample, counted = _sample(buffer, autocorrelated=self._autocorrelated, inner=self._inner)
        self._seen = seen
        self._stand_on(sample)
        for value in counted:
            self._count(value)

    def _stand_on(self, bins: Bins) -> None:
        self._bins = bins
        self._locate = locator(bins)
        self._locate_numbers = numbers_locator(bins)
        self._numeric = bins.shape == "numeric"
        self._vocabulary = bins.vocabulary
        self._bandwidth = bins.bandwidth
        self._fourier = [0] * (SIZE if bins.shape == "vector" else 0)
        self._counts = [0] * bins.size
        if self._numeric:
            self._sums = [0] * bins.ordinary
            self._low, self._step = grid(bins)

    def _count(self, value: Any, times: int = 1) -> None:
        if self._vocabulary and type(value) is bytes and value:
            value = unknown(value, self._vocabulary)
        index = self._locate(value)
        self._counts[index] += times
        if self._fourier and index < len(self._counts) - len(SPECIAL):
            new = fourier_features(value, self._bandwidth)
            if times != 1:
                new = [times * one for one in new]
            self._fourier = list(map(add, self._fourier, new))
        if self._numeric and index < len(self._sums):
            steps = value / self._step - self._low / self._step
            whole = round(max(0.0, min(float(GRID), steps)))
            self._sums[index] += times * whole
            self._squares += times * whole * whole

    def _count_numbers(self, numbers: Numbers) -> None:
        """`_count` each of finite numbers."""
        found = self._locate_numbers(numbers)
        counts = np.bincount(found, minlength=len(self._counts))
        self._counts = [a + b for a, b in zip(self._counts, counts.tolist(), strict=True)]
        if not self._numeric:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            steps = numbers / self._step - self._low / self._step
        # In this order NaN, the difference of two infinities, counts as GRID, as above.
        steps = np.where(steps < GRID, steps, float(GRID))
        whole = np.rint(np.where(steps > 0.0, steps, 0.0)).astype(np.int64)
        sums = np.bincount(found, weights=whole, minlength=len(self._sums))  # exact below 2^53
        self._sums = [a + int(b) for a, b in zip(self._sums, sums.tolist(), strict=True)]
        self._squares += int((whole * whole).sum())


def most_room(column: Column, wanted: int) -> int:
    """What the first `wanted` values of a column take in a `Room`, at most."""
    return min(wanted, len(column)) * max((_size(seen.value) for seen in column.seen), default=1)


def most_kept(value: Any) -> int:
    """What a value takes in a `Room`, at most."""
    return len(value) or 1 if type(value) is tuple else _size(value)


def _size(value: Any) -> int:
    """What a kept value takes, in numbers; of texts, 32 characters are one."""
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) // 32 or 1
    return len(value) or 1 if kind is list else 1


def grid(bins: Bins) -> tuple[float, float]:
    """The first edge of numeric bins, and the step in which their values are added up."""
    low, high = bins.edges[0], bins.edges[-1]
    return low, (high / GRID - low / GRID) or 1.0


def _sample(
    values: Sequence[Any], *, autocorrelated: bool, inner: int
) -> tuple[Bins, Iterable[Any]]:
    """Bins made of `values`, and those of the values that may be counted in them."""
    shapes = Counter(map(shape_of, values))
    del shapes["nothing"]
    if not shapes:
        return Bins("nothing"), values
    shape = max(sorted(shapes), key=lambda name: shapes[name])
    valid = [value for value in values if shape_of(value) == shape]
    if shape == "words":
        return _sample_texts(values, valid, inner)
    if shape == "numeric":
        made = (
            duration_bins(valid) if autocorrelated else number_bins(valid, _fitting(valid, inner))
        )
        return made, values
    if shape == "categorical":
        counts = Counter(map(text_of, valid))
        if min(counts.values()) > 2 and len(counts) <= CATEGORY_BINS:
            # Left out, no value would lose its bin: the choice of bins favours none of them.
            return category_bins([text_of(value) for value in valid]), values
        chosen, counted = _parted(values, 3)
        return category_bins([text_of(v) for v in chosen if shape_of(v) == shape]), counted
    width = Counter(map(len, valid)).most_common(1)[0][0]
    chosen, counted = _parted(values, 3)
    placed, others = (
        [value for value in part if shape_of(value) == shape and len(value) == width]
        for part in (chosen, counted)
    )
    return vector_bins(placed or others, others or placed), counted


def _sample_texts(
    values: Sequence[Any], texts: Sequence[bytes], inner: int
) -> tuple[Bins, Iterable[Any]]:
    """A vocabulary from one text of each two; the others are counted: to those nothing is known."""
    chosen, others = _parted(texts, 2)
    others = others or chosen
    counted = [value for value in values if shape_of(value) != "words"]
    return word_bins(chosen, others, _fitting(others, inner)), [*counted, *others]


def _parted(values: Sequence[Any], size: int) -> tuple[list[Any], list[Any]]:
    """One value of each `size` neighbours, and the others, both in order."""
    parts: tuple[list[Any], list[Any]] = [], []
    for number, value in enumerate(values):
        parts[not is_picked(number, size)].append(value)
    return parts


def _fitting(valid: Sequence[Any], inner: int) -> int:
    """So many bins as are asked for, or as the values can fill."""
    return max(3, min(inner, len(valid) // VALUES_PER_BIN))
