"""Cells of a vocabulary that more or fewer texts have → the words that they stand for.

What is counted are hashed cells, which cannot be read back. So some texts of both sides are read
once more, made safe as ever, to see which words fall into the cells that moved; of Records, which
words moved in them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from itertools import islice
from typing import NamedTuple

import msgspec

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.findings import BinShift
from monitor.picks import is_picked
from monitor.replay.comparison import Comparison
from monitor.replay.datasets import Dataset
from monitor.replay.document import DataQuality, MovedWords, Replay
from monitor.replay.files import ReadOptions
from monitor.replay.headline import UNKNOWN
from monitor.tables.facts import RARE, WORDS, Facts
from monitor.texts import answer, plain, question, vocabulary

READ = 20000
"""Texts of a table, or Records, that are looked at again, at most."""

NAMED = 16
"""Words of a column that are told, at most."""

TEXTS = {side: {f"{side}_words", f"{side}_unknown_words"} for side in ("input", "output")}
"""Features of Records by the texts that they look at."""

LEAST = 0.02
"""A word is told where so large a share of the texts has it more, or less."""


def with_words(found: Replay, both: Comparison) -> Replay:
    """The document with the words that moved in texts, and without their cells."""
    if not both.current.is_table:
        return _of_records(found, both)
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


def _of_records(found: Replay, both: Comparison) -> Replay:
    """The document with the words that moved in what Records ask and answer, where that changed."""
    changed = {one.feature for one in found.features if one.changed or one.status == "drift"}
    sides = [side for side, names in TEXTS.items() if not names.isdisjoint(changed)]
    if not sides or both.reference is None:
        return found
    try:
        before = _counted(both.reference, both.usual, both.compared.rows)
        now = _counted(both.current, both.options, found.records)
    except SourceError:  # it was there when it was judged
        return found
    safe = both.usual.sanitizer.text
    told = []
    for side in sides:
        words = _told(before[side], now[side], safe)
        told += [MovedWords(side, words)] if words else []
    return msgspec.structs.replace(found, words=told)


class _Texts(NamedTuple):
    """How many texts there were, and how many of them have each word."""

    texts: Counter[str]
    words: Counter[str]


def _counted(side: Dataset, options: ReadOptions, records: int) -> dict[str, _Texts]:
    """What is said in some Records: in so many, spread over all there are, that are nearly READ; of
    somebody else's log in the first, since all that comes before one is made safe as well."""
    step = 1 if side.is_foreign else max(1, records // READ)
    found = {name: _Texts(Counter(), Counter()) for name in TEXTS}
    for number, record in enumerate(islice(side.records(options), READ * step)):
        if not is_picked(number, step):
            continue
        for name, text in (("input", question(record)), ("output", answer(record))):
            if text:
                found[name].texts[name] += 1
                found[name].words.update(set(vocabulary(text).values()))
    return found


def _told(before: _Texts, now: _Texts, safe: Callable[[str], str]) -> list[BinShift]:
    """The words whose share moved most, of those that some texts have."""
    usual, current = max(before.texts.total(), 1), max(now.texts.total(), 1)
    known = [
        (word, before.words[word] / usual, now.words[word] / current)
        for word in before.words.keys() | now.words.keys()
        if max(before.words[word], now.words[word]) >= RARE
    ]
    moved = [one for one in known if abs(one[2] - one[1]) >= LEAST]
    moved.sort(key=lambda one: (-abs(one[2] - one[1]), one[0]))
    return [BinShift(safe(word), was, share) for word, was, share in moved[:NAMED]]


def _bare(one: Facts | None) -> Facts | None:
    return None if one is None else msgspec.structs.replace(one, words={})
