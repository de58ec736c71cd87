"""Traits of paired answers → a verdict that holds at every moment one looks.

With a baseline, each request goes to it twice. While the candidate is the same endpoint, its answer
and the two of the baseline are exchangeable, so the contrast of every feature has mean 0 whatever
the noise: of a signed feature the mean of c - p and c - p', of a distance the mean of d(c, p) and
d(c, p') less d(p, p'). Only latency is not of all three, because a prompt that was asked before may
be cached: it is that of the two that were asked first, where one of them is the candidate. In
random order either is the first equally often, so that its mean is 0 too. Evidence and intervals
are those of `sequential.bounded_means`: exact for every distribution of bounded values, where those
of Clopper and Pearson (1934) or Newcombe (1998) are of shares alone, and valid at every moment,
because people send more where there was too little.

A feature is *different* where evidence is against its margin, the *same* where its interval lies
within the margin (two one-sided tests, Schuirmann 1987), and otherwise there is too little to tell.
Of the whole, one feature is enough to be different, so the budget of false alarms is shared
(`e_values.believed`). All features must be the same, so nothing need be shared there: where one
is beyond its margin, its own interval alone says "the same" wrongly in one of 40 runs at most
(intersection-union test; Berger 1982).

Without a baseline the recorded answer stands in for p. One answer does not tell noise, so only
signed features can be different, and the numbers of models that answer in columns, which have no
noise. A distance that is within its margin is so with all its noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.redrive.compare import FEATURES, SIGNED, Feature, Traits, distances, signs
from monitor.redrive.document import Found, Status, Verdict
from monitor.redrive.wording import Wording
from monitor.sequential import bounded_means, e_values
from monitor.sequential.beta_binomials import Floats
from monitor.sequential.confidence_sequences import Interval
from monitor.types import ABSENT, WHOLE

MINIMUM = 20
"""Pairs below which nothing is said to be the same."""
CONFIDENCE = 0.05
"""The probability with which an interval may ever leave out what is true."""
MOST_MORE = 1_000_000
"""More records than that are not asked for."""
MOST_VALUES = 50
"""Values of a dimension that are judged; those that come later are in the whole alone."""

_SURE = ("exact", "structure", "values", "meaning")
"""Distances that are judged without a baseline, of answers in columns."""


@dataclass(frozen=True)
class Answers:
    """The answers to one request: the candidate's, and the baseline's two in the order in which
    they were asked for, or what was recorded. `place` is how many were asked for before the
    candidate's."""

    candidate: Traits
    others: tuple[Traits, ...]
    place: int = 0

    @property
    def all_good(self) -> bool:
        """Whether there is something to compare on every side."""
        return self.candidate.ok and all(one.ok for one in self.others)


class Judge:
    """Adds up contrasts by feature and segment; `alpha` is the budget of false alarms, `features`
    say by their margins what matters."""

    def __init__(
        self,
        by: Sequence[str],
        alpha: float,
        *,
        baseline: bool,
        features: Mapping[str, Feature] = FEATURES,
    ) -> None:
        self._by = by
        self._alpha = alpha
        self._baseline = baseline
        self._features = features
        self._wording = Wording()
        self._contrasts: dict[tuple[str, str, str], list[float]] = {}
        self._noise: dict[tuple[str, str, str], list[float]] = {}
        self._segments: dict[str, set[str]] = {}
        self._added = 0
        self.paired = 0

    def add(self, answers: Answers, segments: Mapping[str, str]) -> dict[str, float]:
        """Count the answers to one request; return the contrast of each feature."""
        found, noise = self.contrasts(answers)
        self._added += 1
        self.paired += answers.all_good
        for dimension, value in self._of(segments):
            for feature, contrast in found.items():
                self._contrasts.setdefault((feature, dimension, value), []).append(contrast)
            for feature, apart in noise.items():
                self._noise.setdefault((feature, dimension, value), []).append(apart)
        return found

    def contrasts(self, answers: Answers) -> tuple[dict[str, float], dict[str, float]]:
        """Return the contrasts of a request's answers, and how far the baseline's are apart."""
        candidate, others = answers.candidate, answers.others
        sides = [signs(candidate, other) for other in others]
        found = {name: _mean(side[name] for side in sides if name in side) for name in sides[0]}
        if not self._baseline or answers.place > 1:
            found.pop("latency", None)  # it was taken elsewhere, or from a cache that others filled
        elif "latency" in sides[0]:
            found["latency"] = sides[0]["latency"]
        if not answers.all_good:
            return {"failed": found["failed"]}, {}
        if any(one.words for one in (candidate, *others)):
            found["wording"] = self._guessed(answers)
        apart = [distances(candidate, other) for other in others]
        names = {name for one in apart for name in one}
        if not self._baseline:
            return found | {name: apart[0][name] for name in names}, {}
        own = distances(*others)
        noise = {name: own.get(name, 0.0) for name in names | own.keys()}
        for name, between in noise.items():
            found[name] = _mean(one.get(name, 0.0) for one in apart) - between
        return found, noise

    def _guessed(self, answers: Answers) -> float:
        mine = answers.candidate.words
        right = _mean(self._wording.guess(mine, other.words) for other in answers.others)
        for other in answers.others:
            self._wording.learn(mine, other.words)
        return right

    def _of(self, segments: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        yield WHOLE.dimension, WHOLE.value
        for dimension in self._by:
            value = segments.get(dimension, ABSENT)
            known = self._segments.setdefault(dimension, set())
            if value in known or (value != ABSENT and len(known) < MOST_VALUES):
                known.add(value)
                yield dimension, value

    # --- what is said -------------------------------------------------------------------------

    def found(self, is_text: bool = True) -> list[Found]:
        """Return what is known of each feature and segment, what differs most first.

        `is_text` says of answers that were recorded that they are words, whose noise is unknown.
        """
        judged = {key for key in self._contrasts if self._is_judged(key[0], is_text)}
        values = {key: np.array(self._contrasts[key]) for key in self._contrasts}
        logs = {
            key: bounded_means.log_evidence_beyond(values[key], self._features[key[0]].tolerance)
            for key in judged
        }
        thresholds = e_values.thresholds(logs, _shares(judged), self._alpha) if judged else {}
        found = [
            self._one(key, values[key], logs.get(key), thresholds.get(key, math.inf))
            for key in values
        ]
        order = {"different": 0, "insufficient": 1, "not judged": 2, "same": 3}
        places = {name: place for place, name in enumerate(FEATURES)}
        return sorted(
            found,
            key=lambda one: (
                order[one.status], one.dimension != WHOLE.dimension, one.dimension, one.value,
                places[one.feature],
            ),
        )  # fmt: skip

    def _is_judged(self, feature: str, is_text: bool) -> bool:
        if self._baseline or feature in (one.name for one in SIGNED):
            return True
        return not is_text and feature in _SURE

    def _one(
        self,
        key: tuple[str, str, str],
        values: Floats,
        log: float | None,
        threshold: float,
    ) -> Found:
        feature = self._features[key[0]]
        around = bounded_means.interval(values, CONFIDENCE)
        ends = Interval(*(feature.scale**end for end in around)) if feature.scale else around
        harmless = feature.is_harmless(ends.lower, ends.upper)
        enough = len(values) >= MINIMUM
        status: Status = "same" if harmless and enough else "insufficient"
        if log is not None and log >= threshold:
            status = "different"
        more = math.inf
        if status == "insufficient":
            more = self._more(values, around, feature, threshold)
        if log is None and status == "insufficient" and more == math.inf:
            status = "not judged"
        name, dimension, value = key
        return Found(
            feature=name,
            dimension=dimension,
            value=value,
            unit="ratio" if feature.scale else "share",
            pairs=len(values),
            difference=round(ends.number, 4),
            lower=round(ends.lower, 4),
            upper=round(ends.upper, 4),
            log_evidence=round(log or 0.0, 2),
            threshold=0.0 if log is None else round(threshold, 2),
            status=status,
            noise=round(_mean(self._noise[key]), 4) if key in self._noise else None,
            harmless=status == "same",
            margin=round(feature.margin, 4),
            more=_rounded(more) if more <= MOST_MORE else None,
        )

    def _more(
        self, values: Floats, around: Interval, feature: Feature, threshold: float
    ) -> float:  # fmt: skip
        """How many more records would tell whether a feature is the same or, below an infinite
        threshold, different. Its pairs are as many of them as they were so far. Where there may be
        no difference, none is taken for granted: what few pairs seem to show is mostly noise."""
        like = values
        if around.lower <= 0 <= around.upper:
            like = (values - around.number) / (1 + abs(around.number))
        within = bounded_means.times_until_within(like, feature.tolerance, CONFIDENCE)
        beyond = bounded_means.times_until_beyond(values, feature.tolerance, threshold)
        return self._added * (max(min(within, beyond), MINIMUM / len(values)) - 1)


def verdict(found: Sequence[Found], paired: int) -> Verdict:
    """Return what is to be said of all: `same` where every feature of the whole is."""
    if any(one.status == "different" for one in found):
        return "different"
    whole = (one.status for one in found if one.dimension == WHOLE.dimension)
    return "same" if paired >= MINIMUM and set(whole) == {"same"} else "insufficient"


def more(found: Sequence[Found]) -> int | None:
    """Return about how many more records would tell, if they are like these; None where it is told,
    and where more would not help. One feature that seems to differ is enough, or all are needed."""
    whole = [one for one in found if one.dimension == WHOLE.dimension and one.status != "same"]
    differing = [one.more for one in whole if one.more is not None and one.seems_different]
    if differing:
        return min(differing)
    needed = [one.more for one in whole]
    return None if None in needed else max((one for one in needed if one is not None), default=None)


def _rounded(number: float) -> int:
    """Rounded up to two digits, for more would say more than is known.

    >>> _rounded(482.1), _rounded(7.2), _rounded(0.0)
    (490, 8, 1)
    """
    number = max(1.0, number)
    unit: int = 10 ** max(0, math.floor(math.log10(number)) - 1)
    return int(math.ceil(number / unit) * unit)


def _shares(keys: set[tuple[str, str, str]]) -> dict[tuple[str, str, str], float]:
    """The part of the budget for each: by segment, and equal for the features in it."""
    segments = {(dimension, value) for _, dimension, value in keys}
    of = e_values.shares_of(segments)
    sizes = {one: sum(key[1:] == one for key in keys) for one in segments}
    return {key: of[key[1:]] / sizes[key[1:]] for key in keys}


def _mean(values: Iterator[float] | Sequence[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
