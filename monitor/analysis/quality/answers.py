"""A Truth → what is counted of it: a pair of classes, of numbers or of texts, and probabilities."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from monitor.analysis.classes import LARGE, another, is_nameless, scores_of, spelt, value_of
from monitor.rows import Truth

LONG = 64
"""A string of more characters is a text and not the name of a class."""

FEW = 4
"""So is one of so many words."""

_WORD = re.compile(r"\w+")

Trouble = Literal["unlabelled", "unsaid", "score", "kind", "number"]
"""Why a row says less than it could: no label; nothing predicted; a score outside 0 to 1; a label
of another kind than the prediction; a number that is none."""


@dataclass(frozen=True)
class Answer:
    """What a model said, and what was true, of one kind both: names of classes, numbers, texts.

    `scores` are probabilities by class, that of the positive class alone where there are two. With
    `is_binary` the score was that of the positive class. What is true of one that `is_corrected` is
    the answer as it should have been: a text, however short.
    """

    said: str | float
    true: str | float
    scores: dict[str, float]
    is_binary: bool = False
    is_corrected: bool = False

    @property
    def is_number(self) -> bool:
        """Whether numbers are compared."""
        return isinstance(self.said, float)

    @property
    def is_text(self) -> bool:
        """Whether texts are compared rather than names of classes."""
        is_long = _is_long(str(self.said)) or _is_long(str(self.true))
        return not self.is_number and (self.is_corrected or is_long)


def read(truth: Truth, positive: str) -> tuple[Answer | None, list[Trouble]]:
    """What is counted of a row's truth, None where nothing can be; and what is wrong with it.

    `positive` is the class that a score is the probability of. Without a prediction the likeliest
    class was predicted; of a score the positive one from one half on.
    """
    troubles: list[Trouble] = []
    true = value_of(truth.label)
    if true is None:
        return _corrected(truth)
    scores, is_binary = scores_of(truth, positive)
    if truth.score not in (None, {}) and not scores:
        troubles.append("score")
    said = value_of(truth.prediction)
    if is_wordless := is_binary and is_nameless(positive, spelt(true)):
        scores, is_binary = {}, False
    if said is None and not scores:
        return None, [*troubles, "kind" if is_wordless else "unsaid"]
    if said is None:
        said = _likeliest(scores, positive, is_binary=is_binary, true=spelt(true))
    if is_binary and said == f"not {positive}" and spelt(true) != positive:
        said = true  # as the label calls it
    if scores or is_wordless:
        return Answer(spelt(said), spelt(true), scores, is_binary), troubles
    if isinstance(said, str) and isinstance(true, str):
        return Answer(spelt(said), spelt(true), {}), troubles
    numbers = _numbers(said, true)
    if isinstance(numbers, tuple):
        return Answer(*numbers, {}), troubles
    return None, [*troubles, numbers]


def _corrected(truth: Truth) -> tuple[Answer | None, list[Trouble]]:
    """The same of a truth without a label: an answer as it should have been is a text."""
    if truth.correction is None:
        return None, ["unlabelled"]
    said = value_of(truth.prediction)
    if said is None:
        return None, ["unsaid"]
    return Answer(str(said), truth.correction, {}, is_corrected=True), []


def plain(text: str) -> str:
    """A text as texts are compared: without case, and with one space for any white space.

    >>> plain("  Forty  Two\\n") == plain("forty two")
    True
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def overlap(said: str, true: str) -> float:
    """The F1 of the words that two texts share, 0 to 1 (SQuAD; Rajpurkar et al. 2016).

    >>> overlap("the red house", "The house"), overlap("", "")
    (0.8, 1.0)
    """
    ours, theirs = Counter(_WORD.findall(plain(said))), Counter(_WORD.findall(plain(true)))
    total = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / total if total else float(plain(said) == plain(true))


def _likeliest(scores: dict[str, float], positive: str, *, is_binary: bool, true: str) -> str:
    if not is_binary:
        return min(scores, key=lambda name: (-scores[name], name))
    if scores[positive] >= 0.5:
        return positive
    return true if true != positive else another(positive)


def _numbers(said: str | float, true: str | float) -> tuple[float, float] | Trouble:
    """Both as numbers, or why they are none."""
    try:
        numbers = float(said), float(true)
    except ValueError:
        return "kind"
    return numbers if max(map(abs, numbers)) < LARGE else "number"


def _is_long(text: str) -> bool:
    return len(text) > LONG or len(text.split(maxsplit=FEW)) >= FEW
