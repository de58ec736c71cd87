"""Profile ⇄ a small JSON document: the references of an endpoint, without a raw value in it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from monitor.analysis.drift.fourier_features import SIZE
from monitor.analysis.drift.reference import Learner, Reference
from monitor.analysis.drift.windows import INNER_BINS
from monitor.analysis.rows import parts_of, segments_of, values
from monitor.errors import SourceError
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.tables.column_types import ColumnType
from monitor.tables.facts import Facts
from monitor.texts import VOCABULARY, visible
from monitor.types import WHOLE, WatchKey

VERSION = 1

LIMIT = 20_000
"""Features and segments that a profile has, at most, where nobody says another number."""


class Profile(msgspec.Struct, frozen=True):
    """The references of an endpoint by (feature, dimension, value); `types` say how the columns
    of the table that they were made of were read, `facts` what they hold. Of columns that are
    `labels` what is missing was not counted, for it comes later."""

    references: dict[WatchKey, Reference] = {}
    types: dict[str, ColumnType] = {}
    facts: dict[str, Facts] = {}
    labels: frozenset[str] = frozenset()

    def merge(self, other: Profile) -> Profile:
        """The profile of both; raises SourceError where bins differ."""
        merged = dict(self.references)
        for key, reference in other.references.items():
            merged[key] = merged[key].merge(reference) if key in merged else reference
        facts, labels = self.facts | other.facts, self.labels | other.labels
        return Profile(merged, self.types | other.types, facts, labels)


class _Entry(msgspec.Struct, frozen=True):
    feature: str
    dimension: str
    value: str
    reference: Reference


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    version: int
    references: list[_Entry]
    readings: dict[str, ColumnType] = {}
    facts: dict[str, Facts] = {}
    labels: list[str] = []


def dump_profile(profile: Profile) -> bytes:
    """The profile as a JSON document, in an order that depends on its content only."""
    entries = [_Entry(*key, reference) for key, reference in sorted(profile.references.items())]
    types, labels = dict(sorted(profile.types.items())), sorted(profile.labels)
    return msgspec.json.encode(_Document(VERSION, entries, types, profile.facts, labels)) + b"\n"


def load_profile(document: bytes, name: str) -> Profile:
    """Read what `dump_profile` wrote; raises SourceError naming the file `name`."""
    try:
        read = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise SourceError(f"{name}: not a reference profile: {error}") from None
    if read.version != VERSION:
        raise SourceError(
            f"{name}: reference profile version {read.version}, expected {VERSION}; build it again "
            "with `monitor reference build`"
        )
    references: dict[WatchKey, Reference] = {}
    for entry in read.references:
        reference, bins = entry.reference, entry.reference.bins
        sums = bins.ordinary if bins.shape == "numeric" else 0
        if (
            len(reference.counts) != bins.size
            or len(reference.sums) != sums
            or min(reference.counts) < 0
            or len(reference.prior) not in (0, bins.size)
            or not all(0 <= weight < math.inf for weight in reference.prior)
            or bins.edges != sorted(bins.edges)
            or len(bins.vocabulary) not in (0, VOCABULARY // 8)
            or (bins.shape == "numeric" and len(bins.edges) < 2)
            or (bins.shape == "vector" and not (bins.centers and bins.bandwidth > 0))
            or len(reference.fourier) != (SIZE if bins.shape == "vector" else 0)
        ):
            raise SourceError(
                f"{name}: the reference of feature {entry.feature!r} is damaged; build it again "
                "with `monitor reference build`"
            )
        references[entry.feature, entry.dimension, entry.value] = reference
    return Profile(references, read.readings, read.facts, frozenset(read.labels))


def profile_of(
    rows: Iterable[Row | Block],
    dimensions: Sequence[str] | None = None,
    *,
    learn: int | None = None,
    bins: Profile | None = None,
    inner: int = INNER_BINS,
    limit: int = LIMIT,
) -> Profile:
    """The reference profile of `rows`, for the whole and each segment of `dimensions`.

    Of each feature and segment the first `learn` values make it, or all; small segments are shrunk
    to the whole. With `bins` the profile stands on that profile's bins, so that it can be merged
    with others that do; what is not in there is left out. Without, numbers have `inner` bins. At
    most `limit` features and segments.
    """
    learners = Learners(dimensions, learn=learn, bins=bins, inner=inner, limit=limit)
    for one in rows:
        learners.fold(one)
    return learners.profile()


class Learners:
    """Rows → a learner for each feature and segment → a Profile; see `profile_of`."""

    def __init__(
        self,
        dimensions: Sequence[str] | None,
        *,
        learn: int | None = None,
        bins: Profile | None = None,
        inner: int = INNER_BINS,
        limit: int = LIMIT,
    ) -> None:
        self._by_key: dict[WatchKey, Learner] = {}
        self._dimensions = dimensions
        self._learn = learn
        self._given = None if bins is None else bins.references
        self._inner = inner
        self._limit = limit

    def fold(self, one: Row | Block) -> None:
        """Learn from a row, or from the rows of a block."""
        if isinstance(one, Block):
            self.add_block(one)
        else:
            self.add(one)

    def add(self, row: Row) -> None:
        """Learn from a row."""
        observations = values(row)
        for dimension, value in segments_of(row, self._dimensions):
            for name, seen, kind in observations:
                learner = self._by_key.get((name, dimension, value))
                if learner is None:
                    key = (visible(name), visible(dimension), visible(value))
                    learner = self._of(
                        key, accepted=row.accepted, autocorrelated=kind == "duration"
                    )
                if learner is not None and not learner.complete:
                    learner.add(seen)

    def add_block(self, block: Block) -> None:
        """Learn from the rows of a block, as `add` would from one after the other."""
        parts = parts_of(block, self._dimensions)
        keys = {part.key for part in parts}
        known = len(self._by_key)
        new = len(self._by_key.keys() | keys) - known
        if (
            known < self._limit < known + new  # it matters whose value comes first
            or len(keys) < len(parts)
            or (new and block.accepted is not None)  # what is refused begins no reference
        ):
            for row in block.rows():
                self.add(row)
            return
        for part in parts:
            learner = self._of(part.key, accepted=True)
            if learner is not None:
                learner.add_column(part.column)

    def profile(self) -> Profile:
        """The references of what has come, those of small segments shrunk to the whole."""
        references = {
            key: learner.reference()
            for key, learner in self._by_key.items()
            if key[1] == WHOLE.dimension
        }
        for key, learner in self._by_key.items():
            whole = references.get((key[0], WHOLE.dimension, WHOLE.value))
            if key not in references and whole is not None:
                references[key] = learner.within(whole)
        return Profile(references)

    def _of(self, key: WatchKey, *, accepted: bool, autocorrelated: bool = False) -> Learner | None:
        """The learner of a key, made if new; None where there is none."""
        learner, given = self._by_key.get(key), self._given
        if learner is not None or not accepted or len(self._by_key) >= self._limit:
            return learner
        if given is not None and key not in given:
            return None
        bins = None if given is None else given[key].bins
        learner = self._by_key[key] = Learner(
            self._learn, bins, autocorrelated=autocorrelated, inner=self._inner
        )
        return learner
