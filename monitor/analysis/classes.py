"""What was said and what was true → classes and probabilities, as all monitors of outcomes read
them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TypeGuard

from monitor.rows import Truth

LARGE = 1e100
"""Numbers from here on cannot be told apart from damage."""

_WHOLE = re.compile(r"(-?[0-9]{1,15})\.0+")
_BOOLEANS = {"true": "1", "false": "0"}


def spelt(value: str | float) -> str:
    """The name of a class, one for all spellings: truth values are 1 and 0, numbers plain.

    >>> [spelt(value) for value in (1, 1.0, True, "1.0", "True", " 1", "cat", 2.5)]
    ['1', '1', '1', '1', '1', '1', 'cat', '2.5']
    """
    if not isinstance(value, str):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < LARGE else repr(number)
    text = value.strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else _BOOLEANS.get(text.lower(), text)


def value_of(value: str | float | None) -> str | float | None:
    """A prediction or label as it is compared; None where it is missing. Booleans are 1 and 0."""
    if isinstance(value, str):
        return value if value.strip() else None
    if value is None or isinstance(value, bool):
        return None if value is None else str(int(value))
    try:
        number = float(value)
    except OverflowError:  # an integer beyond any float
        return math.inf
    return None if math.isnan(number) else number


def scores_of(truth: Truth, positive: str) -> tuple[dict[str, float], bool]:
    """(probabilities by class, whether that of the positive class alone was told).

    Two probabilities one of which is that of the class `positive` tell no more than that. There are
    none where one is not from 0 to 1.
    """
    score = truth.score
    if isinstance(score, dict):
        found = {spelt(name): value for name, value in score.items()}
        if len(found) == 2 and positive in found and all(map(is_share, found.values())):
            return {positive: found[positive]}, True
        return (found, False) if found and all(map(is_share, found.values())) else ({}, False)
    return ({positive: float(score)}, True) if is_share(score) else ({}, False)


def claim(truth: Truth, positive: str) -> tuple[float, bool] | None:
    """(probability, whether it came true) of what a score claims; None without a label or score.

    It claims the class `positive`, or of more than two classes the likeliest, the first by name of
    equal ones. A label that is a word says nothing of a score whose positive class is a number:
    that is what `positive` is where nobody has said what it is called.

    >>> claim(Truth(score=0.8, label="1"), "1")
    (0.8, True)
    >>> claim(Truth(score={"a": 0.3, "b": 0.7}, label="a"), "1")
    (0.7, False)
    """
    label = value_of(truth.label)
    scores, _ = scores_of(truth, positive)
    if label is None or not scores:
        return None
    said, true = min(scores, key=lambda name: (-scores[name], name)), spelt(label)
    if len(scores) == 1 and is_nameless(said, true):
        return None
    return float(scores[said]), true == said


def is_nameless(positive: str, true: str) -> bool:
    """Whether a label is a word and the positive class a number: nobody has said what that class is
    called among the labels, so a score of it says nothing of them.

    >>> is_nameless("1", "yes"), is_nameless("1", "-1"), is_nameless("yes", "no")
    (True, False, False)
    """
    return _is_number(positive) and not _is_number(true)


def another(positive: str) -> str:
    """What is predicted by a score below one half, where labels may call it otherwise.

    >>> another("1"), another("yes"), another("approved")
    ('0', 'no', 'not approved')
    """
    return _OPPOSITES.get(positive, f"not {positive}")


_OPPOSITES = {"1": "0", "true": "false", "yes": "no", "True": "False"}


def renamed(pairs: Iterable[tuple[str, str]], positive: str) -> dict[str, str]:
    """How labels call what `another` names, by that name, of pairs of (what was true, what was
    said): where there is one class beside the positive one, and nobody else has said that name.

    >>> renamed([("-1", "-1"), ("1", "0"), ("1", "1")], "1"), renamed([("0", "0"), ("1", "0")], "1")
    ({'0': '-1'}, {})
    """
    pairs, name = list(pairs), another(positive)
    others = {true for true, _ in pairs} - {positive}
    if (
        len(others) != 1
        or name in others
        or any(name == said for true, said in pairs if true in others)
    ):
        return {}
    return {name: others.pop()}


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


def is_share(value: object) -> TypeGuard[float]:
    """Whether a value is a probability, 0 to 1.

    >>> [is_share(value) for value in (0, 0.5, 1.5, "0.5", None)]
    [True, True, False, False, False]
    """
    return isinstance(value, int | float) and 0 <= value <= 1
