"""168 references: what an hour is compared with, and how much other days count."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from monitor.analysis.drift.evidence import splits
from monitor.analysis.drift.seasonal import LEAST, SHARE_UNIT, SLOTS, Seasonal, slot_of
from monitor.sequential.beta_binomials import Ints

PRIOR = np.array([1.0, 20.0, 20.0, 1.0, 0.5, 0.5, 0.5])
TREE = splits(PRIOR, 4, ordered=True)
WEEK = SLOTS * 3600.0
MONDAY = 4 * 86400.0


def counts(left: int, right: int) -> Ints:
    return np.array([0, left, right, 0, 0, 0, 0])


def filled(night: tuple[int, int] = (90, 10), day: tuple[int, int] = (10, 90)) -> Seasonal:
    """A week in which nights are left and days are right."""
    seasonal = Seasonal(len(PRIOR))
    for hour in range(SLOTS):
        seasonal.add(MONDAY + hour * 3600.0, counts(*(night if hour % 24 < 12 else day)))
    return seasonal


def test_an_hour_is_compared_with_itself() -> None:
    """The week after, what comes at night is expected to be as nights were."""
    seasonal = filled()
    for hour, left in ((3, 0.9), (15, 0.1)):
        judged = seasonal.judge(MONDAY + WEEK + hour * 3600.0, counts(50, 50), PRIOR, TREE, 1.0)
        assert judged is not None
        expected = judged[: len(PRIOR)] / SHARE_UNIT
        assert expected.sum() == pytest.approx(100, abs=0.1)
        assert expected[1] == pytest.approx(100 * left, abs=2)


@pytest.mark.parametrize(("seen", "is_judged"), [(0, False), (LEAST - 1, False), (LEAST, True)])
def test_an_hour_that_was_hardly_seen_is_not_judged(seen: int, is_judged: bool) -> None:
    """Its neighbours do not make up for that."""
    seasonal = filled()
    seasonal.slots[5] = counts(seen, 0)
    judged = seasonal.judge(MONDAY + WEEK + 5 * 3600.0, counts(5, 5), PRIOR, TREE, 1.0)
    assert (judged is not None) == is_judged


def test_within_its_first_week_no_hour_is_known() -> None:
    """An hour is compared with that of earlier weeks, not with its own beginning."""
    seasonal = Seasonal(len(PRIOR))
    for pane in range(60):
        assert seasonal.judge(MONDAY + pane * 60.0, counts(5, 5), PRIOR, TREE, 1.0) is None
        seasonal.add(MONDAY + pane * 60.0, counts(5, 5))
    assert seasonal.judge(MONDAY + WEEK, counts(5, 5), PRIOR, TREE, 1.0) is not None


def test_other_days_count_as_far_as_they_are_alike() -> None:
    """Days that are the same strengthen each other; where each is another, they do not."""
    alike, apart = filled(), Seasonal(len(PRIOR))
    rng = np.random.default_rng(1)
    for hour in range(SLOTS):
        left = int(rng.integers(0, 101))
        apart.add(MONDAY + hour * 3600.0, counts(left, 100 - left))
    for seasonal in (alike, apart):
        seasonal.judge(MONDAY + WEEK, counts(1, 1), PRIOR, TREE, 1.0)
    assert alike.strength >= 256
    assert apart.strength <= 16


def test_its_state_is_all_of_it() -> None:
    """Through msgpack, as a checkpoint keeps it."""
    seasonal = filled()
    seasonal.judge(MONDAY + WEEK, counts(1, 1), PRIOR, TREE, 1.0)
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(seasonal.state()))
    again = Seasonal.restore(len(PRIOR), kept)
    assert again.state() == seasonal.state()
    args = (MONDAY + WEEK + 7200.0, counts(30, 40), PRIOR, TREE, 1.0)
    first, second = again.judge(*args), seasonal.copy().judge(*args)
    assert first is not None
    assert second is not None
    assert (first == second).all()


def test_the_week_begins_on_monday() -> None:
    """UTC; also before 1970."""
    assert slot_of(MONDAY) == 0
    assert slot_of(MONDAY - 1) == SLOTS - 1
    assert slot_of(MONDAY - 3 * WEEK + 3600) == 1
