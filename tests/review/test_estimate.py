"""First verdicts: what they say of all exchanges, however they were picked."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from monitor.review.estimate import estimate

TRUTH = 0.08


def verdicts(seed: int, exchanges: int) -> Counter[tuple[int, bool]]:
    """Three quarters of the bad ones are suspects, one of four of which is read; of the others one
    of 64."""
    rng = random.Random(seed)
    found: Counter[tuple[int, bool]] = Counter()
    for _ in range(exchanges):
        bad = rng.random() < TRUTH
        level = 2 if rng.random() < (0.75 if bad else 0.1) else 6
        if rng.random() < 2.0**-level:
            found[level, bad] += 1
    return found


def test_the_estimate_is_of_all_exchanges() -> None:
    """Of what was read five times as many are bad. In 40 runs the interval leaves the truth out at
    most twice."""
    wrong, numbers = 0, []
    for seed in range(40):
        said = verdicts(seed, 12_000)
        found = estimate(said)
        assert found is not None
        assert found.lower is not None
        assert found.upper is not None
        wrong += not found.lower <= TRUTH <= found.upper
        numbers.append(found.failed)
        assert sum(n for (_, bad), n in said.items() if bad) / said.total() > 2 * TRUTH
        assert found.effective < found.verdicts == said.total()
    assert wrong <= 2
    assert sum(numbers) / 40 == pytest.approx(TRUTH, abs=0.01)


def test_more_bad_answers_than_asked_about_are_certain() -> None:
    """And no more than there are never are."""
    said = verdicts(1, 60_000)
    evidence = [estimate(said, share) for share in (0.04, 0.08, 0.2)]
    logs = [one.log_evidence for one in evidence if one is not None]
    assert logs[0] is not None
    assert logs[0] > math.log(20)
    assert all(log is not None and log < math.log(20) for log in logs[1:])


def test_few_verdicts_have_no_interval() -> None:
    """None at all say nothing, and an estimate comes from the first."""
    assert estimate({}) is None
    found = estimate({(3, True): 2, (0, False): 4})
    assert found is not None
    assert (found.failed, found.lower, found.log_evidence) == (0.8, None, None)
