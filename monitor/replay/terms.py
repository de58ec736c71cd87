"""Cells of a vocabulary that more or fewer texts have → the words that they stand for.

What is counted are hashed cells, which cannot be read back. So some texts of both sides are read
once more, made safe as ever, to see which words fall into the cells that moved.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from itertools import islice

import msgspec

from monitor.damage import Damage
from monitor.findings import BinShift
from monitor.replay.comparison import Comparison
from monitor.replay.document import DataQuality, Replay
from monitor.replay.headline import UNKNOWN
from monitor.tables.facts import WORDS, Facts
from monitor.texts import plain, vocabulary

READ = 20000
"""Texts of a table that are read again, at most."""

NAMED = 16
"""Words of a column that are told, at most."""

LEAST = 0.02
"""A word is told where so large a share of the texts has it more, or less."""


def with_words(found: Replay, both: Comparison) -> Replay:
    """The document with the words that moved in columns of texts, and without their cells."""
    if found.data_quality is None:
        return found
    entries = [_with_words(one, both) for one in found.data_quality]
    return msgspec.structs.replace(found, data_quality=entries)


def _with_words(one: DataQuality, both: Comparison) -> DataQuality:
    before, now = one.before, one.now
    moved: dict[int, tuple[float, float]] = {}
    if before is not None and now is not None and before.words and now.words:
        moved = _moved(before, now)
    one = msgspec.structs.replace(one, before=_bare(before), now=_bare(now))
    if not moved:
        return one
    names = _names(one.feature.removesuffix(UNKNOWN), moved, both)
    told = [BinShift(names[cell], *shares) for cell, shares in moved.items() if cell in names]
    return msgspec.structs.replace(one, words=told)


def _moved(before: Facts, now: Facts) -> dict[int, tuple[float, float]]:
    """The cells whose share moved most, with it before and now."""
    sides = [(one.words, _rest(one), max(one.values - one.missing, 1)) for one in (before, now)]
    shares = {
        cell: tuple(words.get(cell, rest) / texts for words, rest, texts in sides)
        for cell in {*before.words, *now.words}
    }
    ordered = sorted(shares.items(), key=lambda one: (-abs(one[1][1] - one[1][0]), one[0]))
    return {cell: (a, b) for cell, (a, b) in ordered[:NAMED] if abs(b - a) >= LEAST}


def _rest(one: Facts) -> int:
    """Texts that may have a word which is not among the counted ones."""
    return min(one.words.values()) if len(one.words) == WORDS else 0


def _names(column: str, cells: Collection[int], both: Comparison) -> dict[int, str]:
    """The most frequent word of each cell, of those that some of the texts have."""
    safe = both.usual.sanitizer
    seen: defaultdict[int, Counter[str]] = defaultdict(Counter)
    tables = [*both.current.tables, *(both.reference.tables if both.reference else ())]
    for table in {id(table): table for table in tables}.values():
        named = [name for name in table.names if name and safe.text(name) == column]
        for name in named:
            for _, (value,) in islice(table.rows([name], Damage()), READ):
                text = safe.cell(name, value) if type(value) is str else None
                if type(text) is str:
                    for cell, word in vocabulary(plain(text)).items():
                        if cell in cells:
                            seen[cell][word] += 1
    return {cell: min(words, key=lambda w: (-words[w], w)) for cell, words in seen.items()}


def _bare(one: Facts | None) -> Facts | None:
    return None if one is None else msgspec.structs.replace(one, words={})
