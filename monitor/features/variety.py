"""Record → lexical variety of the input and the output: how often words come again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from monitor.interfaces import Feature
from monitor.texts import answer, question, words
from monitor.types import Observation, Record

WINDOW = 25
WORDS = 200


def observe(record: Record) -> Iterator[Observation]:
    """`input_variety` and `output_variety`, 0 … 1, of texts of at least 25 words."""
    for name, text in (("input_variety", question(record)), ("output_variety", answer(record))):
        found = words(text, WORDS)
        if len(found) >= WINDOW:
            yield Observation(name, "numeric", moving_type_token_ratio(found, WINDOW))


def moving_type_token_ratio(tokens: Sequence[str], window: int) -> float:
    """The mean share of distinct words in every stretch of `window` words.

    Unlike the plain ratio it does not fall with the length of the text (Covington and McFall
    2010, The moving-average type-token ratio).

    >>> moving_type_token_ratio(["a", "b", "a", "c"], 2), moving_type_token_ratio(["a"] * 4, 2)
    (1.0, 0.5)
    """
    counts = Counter(tokens[:window])
    types = total = len(counts)
    for old, new in zip(tokens, tokens[window:], strict=False):
        counts[old] -= 1
        types -= counts[old] == 0
        types += counts[new] == 0
        counts[new] += 1
        total += types
    return total / (window * (len(tokens) - window + 1))


FEATURE = Feature("variety", observe)
