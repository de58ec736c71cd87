"""Rows → which of them have a label, by score: labels that are chosen, or come late, by what they
say make quality of one kind of rows look like that of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from monitor.readable import rounded
from monitor.replay.experiments import UNLIKE, apart
from monitor.rows import Row

PARTS = 10
"""Equal parts of the scores."""

LEAST = 30
"""Rows of a part that is named, at least."""


class Labelled:
    """How many rows have scores of each part, with a label and without."""

    def __init__(self) -> None:
        self._with = Counter[str]()
        self._without = Counter[str]()

    def passing(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, each counted on its way."""
        for row in rows:
            truth = row.truth
            score = None if truth is None or not truth.is_due else truth.score
            if truth is not None and isinstance(score, int | float) and 0 <= score <= 1:
                part = min(int(score * PARTS), PARTS - 1)
                (self._without if truth.label is None else self._with)[str(part)] += 1
            yield row

    def remark(self, before: Labelled) -> str:
        """What a reader should know where rows of some scores have labels more often than others;
        `before` is the reference. Empty where labels come as rows do."""
        if apart(self._with, self._without) < UNLIKE:
            return ""
        shares = {part: self._share(part) for part in range(PARTS)}
        known = {part: share for part, share in shares.items() if share is not None}
        if len(known) < 2:
            return ""
        ends = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        told = " and ".join(
            f"{rounded(known[part])} of scores from {part / PARTS:g} to {(part + 1) / PARTS:g}"
            + ("" if (usual := before._share(part)) is None else f" (reference: {rounded(usual)})")
            for part in ends
        )
        return (
            f"which rows have a label depends on the score: {told}; quality is that of the "
            "labelled rows, and looks changed where these are chosen otherwise than in the "
            "reference; where labels of one answer come later than of the other, scores that are "
            "right look off"
        )

    def _share(self, part: int) -> float | None:
        """The share of the rows of a part that have a label."""
        known = self._with[str(part)]
        count = known + self._without[str(part)]
        return known / count if count >= LEAST else None
