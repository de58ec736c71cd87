"""A Truth → what is counted of it: a pair of classes, of numbers or of texts, and probabilities."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Literal, TypeGuard

from monitor.types import Truth

LONG = 64
"""A string of more characters is a text and not the name of a class."""

FEW = 4
"""So is one of so many words."""

LARGE = 1e100
"""Numbers from here on cannot be told apart from damage."""

_WHOLE = re.compile(r"(-?[0-9]{1,15})\.0+")
_WORD = re.compile(r"\w+")

Trouble = Literal["unlabelled", "unsaid", "score", "kind", "number"]
"""Why a row says less than it could: no label; nothing predicted; a score outside 0 to 1; a label
of another kind than the prediction; a number that is none."""


@dataclass(frozen=True)
class Answer:
    """What a model said, and what was true, of one kind both: names of classes, numbers, texts.

    `scores` are probabilities by class, that of the positive class alone where there are two. With
    `is_binary` the score was that of the positive class.
    """

    said: str | float
    true: str | float
    scores: dict[str, float]
    is_binary: bool = False

    @property
    def is_number(self) -> bool:
        """Whether numbers are compared."""
        return isinstance(self.said, float)

    @property
    def is_text(self) -> bool:
        """Whether texts are compared rather than names of classes."""
        return not self.is_number and (_is_long(str(self.said)) or _is_long(str(self.true)))


def read(truth: Truth, positive: str) -> tuple[Answer | None, list[Trouble]]:
    """What is counted of a row's truth, None where nothing can be; and what is wrong with it.

    `positive` is the class that a score is the probability of. Without a prediction the likeliest
    class was predicted; of a score the positive one from one half on.
    """
    troubles: list[Trouble] = []
    true = _value(truth.label)
    if true is None:
        return None, ["unlabelled"]
    scores, is_binary = _scores(truth, positive)
    if truth.score is not None and not scores:
        troubles.append("score")
    said = _value(truth.prediction)
    if said is None:
        if not scores:
            return None, [*troubles, "unsaid"]
        said = _likeliest(scores, positive, is_binary=is_binary, true=spelt(true))
    if scores:
        return Answer(spelt(said), spelt(true), scores, is_binary), troubles
    if isinstance(said, str) and isinstance(true, str):
        return Answer(spelt(said), spelt(true), {}), troubles
    numbers = _numbers(said, true)
    if isinstance(numbers, tuple):
        return Answer(*numbers, {}), troubles
    return None, [*troubles, numbers]


def spelt(value: str | float) -> str:
    """The name of a class, one for all spellings: truth values are 1 and 0, numbers plain.

    >>> [spelt(value) for value in (1.0, "1.0", "True", " 1", "cat", 2.5)]
    ['1', '1', '1', '1', 'cat', '2.5']
    """
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < LARGE else repr(value)
    text = value.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else _BOOLEANS.get(text.lower(), text)


_BOOLEANS = {"true": "1", "false": "0"}


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


def _value(value: str | float | None) -> str | float | None:
    """A value as it is compared; None where it is missing."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool):
        return None if value is None else str(int(value))
    try:
        number = float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
    return None if math.isnan(number) else number


def _scores(truth: Truth, positive: str) -> tuple[dict[str, float], bool]:
    """(probabilities by class, whether that of the positive class alone was told)."""
    score = truth.score
    if isinstance(score, dict):
        found = {spelt(name): value for name, value in score.items()}
        if len(found) == 2 and positive in found and all(map(_is_share, found.values())):
            return {positive: found[positive]}, True
        return (found, False) if found and all(map(_is_share, found.values())) else ({}, False)
    return ({positive: float(score)}, True) if _is_share(score) else ({}, False)


def _is_share(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and 0 <= value <= 1


def _likeliest(scores: dict[str, float], positive: str, *, is_binary: bool, true: str) -> str:
    if not is_binary:
        return min(scores, key=lambda name: (-scores[name], name))
    if scores[positive] >= 0.5:
        return positive
    return true if true != positive else "0" if positive == "1" else "other"


def _numbers(said: str | float, true: str | float) -> tuple[float, float] | Trouble:
    """Both as numbers, or why they are none."""
    try:
        numbers = float(said), float(true)
    except ValueError:
        return "kind"
    return numbers if max(map(abs, numbers)) < LARGE else "number"


def _is_long(text: str) -> bool:
    return len(text) > LONG or len(text.split(maxsplit=FEW)) >= FEW
