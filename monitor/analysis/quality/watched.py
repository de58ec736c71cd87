"""Outcome rows → what is watched of them: whether an answer was right, how far off it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from monitor.analysis.alike import Seen, alike
from monitor.analysis.alike import watched as block_of
from monitor.analysis.quality.answers import Answer, read
from monitor.analysis.quality.counts import LOSS_BITS, Added, added_by, log_loss
from monitor.rows import Row
from monitor.tables.blocks import Block
from monitor.texts import visible
from monitor.types import Observation

PAIRS = 1000
"""So many pairs of classes are counted apart of a reference."""

Pair = tuple[str, str]
"""(what was true, what was said)."""

TOGETHER = 1 << 13
"""Rows that are looked at together, at most."""

LOG_LOSS = "log_loss"
"""The loss that depends on the score."""


def watched(row: Row, positive: str, pairs: Counter[Pair] | None = None) -> Row | None:
    """The row of what is watched of a row's truth; None where that says nothing. Its class and the
    predicted one are counted in `pairs`, of which there are `PAIRS` at most."""
    answer = read(row.truth, positive)[0] if row.truth is not None else None
    if answer is None:
        return None
    added = added_by(answer, visible)
    _count_pair(pairs, added.pair)
    return seen_of(row, answer, added)


def watched_together(
    rows: Iterable[Row], positive: str, pairs: Counter[Pair] | None = None
) -> Iterator[Row | Block]:
    """The same of rows, in Blocks where many of them are alike."""
    rows = iter(rows)
    while some := list(islice(rows, TOGETHER)):
        run = alike([(row, row.at) for row in some])
        if run is None:
            found = (watched(row, positive, pairs) for row in some)
            yield from (row for row in found if row is not None)
            continue
        seen: list[Seen | None] = []
        for row, size, scores in zip(run.kinds, run.sizes(), run.scores_by_kind(), strict=True):
            answer = read(row.truth, positive)[0] if row.truth is not None else None
            if answer is None:
                seen.append(None)
                continue
            added = added_by(answer, visible)
            _count_pair(pairs, added.pair, size)
            seen.append(seen_alike(answer, added, log_losses(answer, scores)))
        block = block_of(run, seen)
        if block is not None:
            yield block


def _count_pair(pairs: Counter[Pair] | None, pair: Pair | None, times: int = 1) -> None:
    if pairs is not None and pair is not None and (pair in pairs or len(pairs) < PAIRS):
        pairs[pair] += times


def log_losses(answer: Answer, scores: Sequence[float]) -> list[int]:
    """The logarithmic losses of answers that are alike but for their scores; none without."""
    if not answer.scores:
        return []
    came_true = answer.true in answer.scores  # that of the positive class alone
    return [log_loss(one if came_true else 1 - one) for one in scores]


def seen_alike(answer: Answer, added: Added, losses: Sequence[int]) -> Seen:
    """What is watched of such answers."""
    same = observed(answer, added)
    if not losses:
        return Seen(same)
    numbers = [loss / (1 << LOSS_BITS) for loss in losses]
    return Seen([one for one in same if one.feature != LOG_LOSS], {LOG_LOSS: numbers})


def seen_of(row: Row, answer: Answer, added: Added) -> Row:
    """What is watched of a row with this answer."""
    return Row(row.at, row.segments, observed(answer, added), True, 1.0, row.edge_cases)


def observed(answer: Answer, added: Added) -> list[Observation]:
    """What is watched of an answer: whether it was right, or how far off it was."""
    losses = dict(added.losses)
    right = Observation("accuracy", "boolean", losses.get("hit", 0) > 0)
    if answer.is_number:
        off = Observation("mae", "numeric", losses["absolute"] / (1 << LOSS_BITS))
        return [off] if added.pair is None else [off, right]
    if answer.is_text:
        found = losses["overlap"] / (1 << LOSS_BITS)
        return [Observation("token_overlap", "numeric", found)]
    seen = [right]
    if "log_loss" in losses:
        found = losses["log_loss"] / (1 << LOSS_BITS)
        seen.append(Observation("log_loss", "numeric", found))
    return seen
