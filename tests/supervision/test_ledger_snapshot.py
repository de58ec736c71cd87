"""The estate: a successor reads what was last written whole, however its predecessor died."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from monitor.proxy.ledger import Left
from monitor.supervision import ledger_snapshot
from monitor.supervision.ledger_snapshot import Estate


def left(appended: int) -> Left:
    accounts = [("process", 0, 1.5, 8, b"\x01")]
    exchanges = [("p", "o", "m", "ok", appended)]
    return Left(exchanges, appended, {"shutdown": 1}, 2, ["id"], accounts, met=True)


@pytest.fixture
def fd() -> Generator[int]:
    found = ledger_snapshot.found()
    yield found
    os.close(found)


def test_the_first_one_finds_nothing_and_each_next_one_the_last_words(fd: int) -> None:
    """Also what a successor left."""
    assert Estate(fd).read() is None
    for number in range(5):
        here = Estate(fd)
        here.read()
        here.write(left(number))
        here.write(left(number + 100))
        assert Estate(fd).read() == left(number + 100)


@pytest.mark.parametrize("cut", [0, 3, 9, 20])
def test_words_that_were_cut_short_do_not_count(fd: int, cut: int) -> None:
    """A kill in the middle of a write leaves the ones before."""
    here = Estate(fd)
    here.write(left(1))
    here.write(left(2))
    slot = here._number % 2 * ledger_snapshot._SLOT
    os.pwrite(fd, b"\xff" * 5, slot + cut)
    assert Estate(fd).read() == left(1)
    successor = Estate(fd)
    successor.read()
    successor.write(left(3))
    assert Estate(fd).read() == left(3)
