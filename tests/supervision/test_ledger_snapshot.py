"""The snapshot file: a successor reads what was last written whole, however its predecessor died."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from monitor.proxy.ledger import LedgerSnapshot
from monitor.supervision import ledger_snapshot
from monitor.supervision.ledger_snapshot import SnapshotFile


def snapshot(appended: int) -> LedgerSnapshot:
    accounts = [("process", 0, 1.5, 8, b"\x01")]
    exchanges = [("p", "o", "m", "ok", appended)]
    return LedgerSnapshot(
        exchanges, appended, {"shutdown": 1}, 2, ["id"], accounts, spool_adopted=True
    )


@pytest.fixture
def fd() -> Generator[int]:
    made = ledger_snapshot.create()
    yield made
    os.close(made)


def test_the_first_one_finds_nothing_and_each_next_one_the_last_words(fd: int) -> None:
    """Also what a successor left."""
    assert SnapshotFile(fd).read() is None
    for number in range(5):
        here = SnapshotFile(fd)
        here.read()
        here.write(snapshot(number))
        here.write(snapshot(number + 100))
        assert SnapshotFile(fd).read() == snapshot(number + 100)


@pytest.mark.parametrize("cut", [0, 3, 9, 20])
def test_words_that_were_cut_short_do_not_count(fd: int, cut: int) -> None:
    """A kill in the middle of a write leaves the ones before."""
    here = SnapshotFile(fd)
    here.write(snapshot(1))
    here.write(snapshot(2))
    slot = here._number % 2 * ledger_snapshot._SLOT
    os.pwrite(fd, b"\xff" * 5, slot + cut)
    assert SnapshotFile(fd).read() == snapshot(1)
    successor = SnapshotFile(fd)
    successor.read()
    successor.write(snapshot(3))
    assert SnapshotFile(fd).read() == snapshot(3)
