"""Counts of groups: bounded, additive, the same after a restart."""

from __future__ import annotations

import random

import msgspec
import pytest

from monitor.analysis.fairness.groups import GROUPS, OTHER, STRATA, VALUES, Groups
from monitor.analysis.fairness.reading import Seen

TOLERANCE = 0.1


def filled(seed: int, count: int, *, groups: int = 3, strata: int = 2) -> Groups:
    rng = random.Random(seed)
    found = Groups(TOLERANCE, stratified=True)
    for number in range(count):
        seen = Seen(((0, rng.random() < 0.4), (3, rng.random() < 0.1)), None)
        others = [("plan", str(rng.randrange(3)))]
        found.add(
            number // 50, f"g{rng.randrange(groups)}", f"s{rng.randrange(strata)}", others, seen
        )
    return found


def test_a_group_and_the_rest_are_all() -> None:
    """Open panes too, for each rate that looked."""
    groups = filled(1, 400)
    groups.close(3)
    for name in groups.names():
        n, x, m, y = groups.beside(name, 0)
        assert n + m == 400
        assert 0 < x < n
        assert 0 < y < m
        assert groups.beside(name, 1) == (0, 0, 0, 0)


def test_without_a_closed_pane_there_is_no_evidence() -> None:
    """The first pane is bet on nothing."""
    groups = filled(1, 400)
    assert groups.log_evidence("g0", 0) == pytest.approx(0)
    groups.close(0)
    assert groups.log_evidence("g0", 0) == pytest.approx(0)


def test_names_are_bounded() -> None:
    """Of groups, strata, and the values of other dimensions."""
    groups = Groups(TOLERANCE, stratified=True)
    for number in range(5 * VALUES * GROUPS):
        others = [("plan", str(number))]
        groups.add(0, f"g{number}", f"s{number}", others, Seen(((0, True),), None))
    assert len(list(groups.names())) == GROUPS + 1
    assert OTHER in groups.names()
    assert len(groups._strata) <= STRATA
    assert len(groups._mixes) <= VALUES * GROUPS
    groups.close(0)
    assert groups.closed_rows == 5 * VALUES * GROUPS


def test_what_was_saved_is_restored() -> None:
    """To the same bytes; open panes may have other numbers."""
    groups = filled(2, 500)
    groups.close(4)
    entry = groups.saved()
    again = Groups.restored(entry, TOLERANCE, lambda pane: pane, stratified=True)
    assert again.saved() == entry
    for each in (groups, again):
        each.close(100)
    assert again.saved() == groups.saved()
    assert again.log_evidence("g1", 0) == groups.log_evidence("g1", 0)


@pytest.mark.parametrize("entry", [b"", b"{}", b"[1]", b'[["a"],["b"],[],[],[],[],7]'])
def test_a_damaged_entry_is_an_error_of_its_own(entry: bytes) -> None:
    """As of every monitor."""
    with pytest.raises(msgspec.DecodeError):
        Groups.restored(entry, TOLERANCE, lambda pane: pane, stratified=False)
