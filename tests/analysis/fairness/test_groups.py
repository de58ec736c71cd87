"""Counts of groups: bounded, additive, the same after a restart."""

from __future__ import annotations

import random

import msgspec
import pytest

from monitor.analysis.fairness.groups import GROUPS, OTHER, STRATA, VALUES, Groups
from monitor.analysis.fairness.reading import Seen

TOLERANCE = 0.1


def fresh(*, stratified: bool = True) -> Groups:
    return Groups(TOLERANCE, 43200, stratified=stratified)


def filled(seed: int, count: int, *, groups: int = 3, strata: int = 2) -> Groups:
    rng = random.Random(seed)
    found = fresh()
    for number in range(count):
        seen = Seen(((0, rng.random() < 0.4), (3, rng.random() < 0.1)), None)
        others = [("plan", str(rng.randrange(3)))]
        group, stratum = f"g{rng.randrange(groups)}", f"s{rng.randrange(strata)}"
        found.add((number // 50, float(number)), group, stratum, seen, others)
    return found


def test_a_group_and_the_rest_are_all() -> None:
    """Open panes too, for each rate that looked."""
    groups = filled(1, 400)
    groups.close(3, float)
    for name in groups.names():
        n, x, m, y = groups.beside(name, 0)
        assert n + m == 400
        assert 0 < x < n
        assert 0 < y < m
        assert groups.beside(name, 1) == (0, 0, 0, 0)


def test_without_a_closed_pane_there_is_no_evidence() -> None:
    """The first pane is bet on nothing."""
    groups = filled(1, 400)
    assert groups.log_evidence("g0", 0)[0] == pytest.approx(0)
    groups.close(0, float)
    assert groups.log_evidence("g0", 0)[0] == pytest.approx(0)


def test_names_are_bounded() -> None:
    """Of groups, strata, and the values of other dimensions."""
    groups = fresh()
    for number in range(5 * VALUES * GROUPS):
        others = [("plan", str(number))]
        groups.add((0, 0.0), f"g{number}", f"s{number}", Seen(((0, True),), None), others)
    assert len(list(groups.names())) == GROUPS + 1
    assert OTHER in groups.names()
    assert len(groups._strata) <= STRATA
    assert len(groups._mixes) <= VALUES * GROUPS
    groups.close(0, float)
    assert groups.closed_rows == 5 * VALUES * GROUPS


def test_what_was_saved_is_restored() -> None:
    """To the same bytes; open panes may have other numbers."""
    groups = filled(2, 500)
    groups.close(4, float)
    entry = groups.saved()
    again = Groups.restored(entry, fresh(), lambda pane: pane)
    assert again.saved() == entry
    for each in (groups, again):
        each.close(100, float)
    assert again.saved() == groups.saved()
    assert again.log_evidence("g1", 0) == groups.log_evidence("g1", 0)


@pytest.mark.parametrize("entry", [b"", b"{}", b"[1]", b'[["a"],["b"],[],[],[],[],7]'])
def test_a_damaged_entry_is_an_error_of_its_own(entry: bytes) -> None:
    """As of every monitor."""
    with pytest.raises(msgspec.DecodeError):
        Groups.restored(entry, fresh(stratified=False), lambda pane: pane)


def test_what_a_version_without_change_points_saved_is_gone_on_with() -> None:
    """All that was won then is from before the first pane of now."""
    groups = filled(2, 500)
    groups.close(100, float)
    logs = [(key, one.total.reshape(STRATA, -1)[:2].tolist())
            for key, one in groups._histories.items()]  # fmt: skip
    kept = msgspec.json.decode(groups.saved())
    again = Groups.restored(msgspec.json.encode([*kept[:4], logs, *kept[5:7]]), fresh(), int)
    for key, history in groups._histories.items():
        assert again._histories[key].total.tolist() == history.total.tolist()


def test_merging_bounds_what_is_kept_of_a_mix() -> None:
    """Shards that saw other values are no way around it."""
    whole = fresh()
    for shard in range(3):
        part = fresh()
        for number in range(VALUES * GROUPS):
            others = [("plan", f"{shard}-{number}")]
            part.add((0, 0.0), f"g{number % 9}", "s", Seen(((0, True),), None), others)
        whole.merge(part)
    assert len(whole._mixes) <= VALUES * GROUPS
