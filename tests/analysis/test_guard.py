"""A part of a third party may do anything but end the analysis, or spoil what others see."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from monitor.analysis.guard import MOST, PATIENCE, Guard, guarded
from monitor.interfaces import Feature
from monitor.types import Observation, Outcome, Record, RequestSummary, ResponseSummary

SECRET = "what nobody may read in a log"
RECORD = Record(
    SECRET, "e", "p", "o", "m", 5.0, 0.5, None, None, 200, Outcome.OK, False, {},
    RequestSummary("POST", "/", {}, 1, False), ResponseSummary({}, 1, False),
    [], [], None, [], {}, "k", None,
)  # fmt: skip


def part(behave: Callable[[], Iterable[Any]]) -> Guard:
    feature = guarded("package.module:NAME", Feature("theirs", lambda _: behave()))
    assert isinstance(feature.observe, Guard)
    return feature.observe


def raising() -> Iterator[Observation]:
    yield Observation("a", "numeric", 1)
    raise ValueError(SECRET)


@pytest.mark.parametrize(
    "behave",
    [
        raising,
        lambda: None,
        lambda: ["text"],
        lambda: [Observation(5, "numeric", 1)],  # type: ignore[arg-type]
        lambda: 1 / 0,
    ],
)  # fmt: skip
def test_a_part_that_raises_is_counted_and_sees_nothing(behave: Any) -> None:
    """Also one that yields what is no Observation; half of what it saw does not count."""
    guard = part(behave)
    assert [guard(RECORD), guard(RECORD)] == [[], []]
    assert guard.failures == 2


def test_it_is_said_once_without_content(caplog: pytest.LogCaptureFixture) -> None:
    """The type and the place of the first failure, and when it is set aside."""
    guard = part(raising)
    with caplog.at_level(logging.WARNING, "monitor"):
        for _ in range(3 * PATIENCE):
            guard(RECORD)
    assert guard.failures == PATIENCE
    first, last = caplog.messages
    assert "package.module:NAME raised ValueError at " in first
    assert "is set aside" in last
    assert SECRET not in first + last


def test_one_that_works_on_others_is_not_set_aside() -> None:
    """A stranger who knows what makes it raise cannot switch it off for everybody."""
    turn = iter(range(10**6))
    guard = part(lambda: [Observation("a", "numeric", 1 // (next(turn) % 50))])
    seen = sum(len(guard(RECORD)) for _ in range(20 * PATIENCE))
    assert seen == 20 * PATIENCE * 49 // 50
    assert guard.failures == 20 * PATIENCE // 50


def test_one_that_never_ends_is_cut() -> None:
    """So many observations of one record are enough."""
    guard = part(lambda: iter(lambda: Observation("a", "numeric", 1), None))
    assert len(guard(RECORD)) == MOST
