"""A Truth → what fairness counts of it: was it favourable, was it right, how likely did it seem."""

from __future__ import annotations

from typing import NamedTuple

from monitor.analysis.classes import is_share, spelt, value_of
from monitor.rows import Truth

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "error_rate")
"""Shares of rows. Whom a rate looks at: all; those whose label is favourable, or is not; all with a
label. What it counts: favourable predictions; of the last one wrong ones."""

GOOD = RATES[:2]
"""Those of which more is better for a group, which may be held against a ratio."""

CALIBRATION = "calibration"
"""How much more often the favourable class was true than scores said, a difference of two means."""

MEASURES = (*RATES, CALIBRATION)

RESIDUAL = 1 << 20
"""Units in a residual of 1."""


class Seen(NamedTuple):
    """What a row says: for each rate that looks at it (place in `RATES`, whether it counts); and
    its residual, of a row with score and label: 1 if the favourable class was true, else 0, less
    the score, in `RESIDUAL`s."""

    rates: tuple[tuple[int, bool], ...]
    residual: int | None


def read(truth: Truth, favourable: str, positive: str) -> Seen | None:
    """What a truth says, None where that is nothing.

    `positive` is the class that a score which is one number is the probability of. Where no class
    was predicted, the likeliest by the score was. Labels of reviewers, who are asked about a sample
    with another composition, are not looked at.
    """
    score = _score(truth, favourable, positive)
    said = _class(truth.prediction)
    selected = said == favourable if said is not None else _likeliest(truth, score, favourable)
    true = _class(truth.label) if truth.weight == 1 else None
    rates: list[tuple[int, bool]] = []
    if selected is not None:
        rates.append((0, selected))
        if true is not None:
            rates.append((1 if true == favourable else 2, selected))
            wrong = said != true if said is not None else selected != (true == favourable)
            rates.append((3, wrong))
    off = None if score is None or true is None else _residual(true == favourable, score)
    return Seen(tuple(rates), off) if rates or off is not None else None


def residual(truth: Truth, score: float, favourable: str, positive: str) -> int:
    """The residual of a truth with a label had it this score, in `RESIDUAL`s."""
    own = score if favourable == positive else 1 - score
    return _residual(_class(truth.label) == favourable, own)


def _residual(came_true: bool, score: float) -> int:
    return round((came_true - score) * RESIDUAL)


def _class(value: str | float | None) -> str | None:
    """The class that a value names, None for a missing one."""
    found = value_of(value)
    return None if found is None else spelt(found)


def _score(truth: Truth, favourable: str, positive: str) -> float | None:
    """The probability of the favourable class."""
    score = truth.score
    if isinstance(score, dict):
        found = {spelt(name): value for name, value in score.items()}.get(favourable)
        return float(found) if is_share(found) else None
    if not is_share(score):
        return None
    return float(score) if favourable == positive else 1 - float(score)


def _likeliest(truth: Truth, score: float | None, favourable: str) -> bool | None:
    if score is None:
        return None
    if isinstance(truth.score, dict):
        others = [
            value for name, value in truth.score.items()
            if spelt(name) != favourable and is_share(value)
        ]  # fmt: skip
        return score >= max(others, default=0.0)
    return score >= 0.5
