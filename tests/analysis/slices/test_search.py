"""All pairs of conditions are counted, exactly, and the worst are found."""

from __future__ import annotations

import itertools
import random

import numpy as np

from monitor.analysis.slices.losses import MEASURES, ONE
from monitor.analysis.slices.search import BEAM, CONDITIONS, HORIZON, Search, Slice

NAMES = [f"c{number}" for number in range(200)]


def drawn(seed: int, count: int, kinds: int = 12) -> list[tuple[Slice, int]]:
    """(conditions, how bad) of rows; those that meet 0 and 5 are worse."""
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        codes = tuple(sorted(rng.sample(range(kinds), 4)))
        rows.append((codes, ONE * (rng.random() < (0.5 if {0, 5} <= set(codes) else 0.1))))
    return rows


def counted(search: Search, rows: list[tuple[Slice, int]], each: int = 1) -> None:
    sums = np.zeros((len(rows), len(MEASURES), 2), dtype=np.int64)
    for place, (_, bad) in enumerate(rows):
        sums[place, 0] = each, each * bad
    search.count([codes for codes, _ in rows], sums)


def ready(kinds: int = 12) -> Search:
    search = Search()
    search.admit(dict.fromkeys(range(kinds), 300), 1000, NAMES)
    return search


def test_pairs_are_counted_as_by_hand() -> None:
    """Rows of a pair, how bad they were, and the same of all."""
    rows, search = drawn(1, 500), ready()
    counted(search, rows)
    for pair in itertools.combinations(range(12), 2):
        here = [bad for codes, bad in rows if set(pair) <= set(codes)]
        expected = (len(here), sum(here), 500, sum(bad for _, bad in rows))
        assert search.beside(0, pair) == expected
    assert search.beside(0, (1, 2, 3)) is None


def test_a_crossed_pair_is_the_worst() -> None:
    """What is only a part of it, or holds it, comes after it."""
    search = ready()
    counted(search, drawn(2, 4000))
    found = search.promising(0, 0.05)
    assert found[0][1] == (0, 5)


def test_pairs_that_look_bad_are_tried_with_a_third_condition() -> None:
    """A slice of three is found once its pair was in the beam for a while."""
    rng, search = random.Random(3), ready()

    def rows(count: int) -> list[tuple[Slice, int]]:
        made = []
        for _ in range(count):
            codes = tuple(sorted(rng.sample(range(12), 5)))
            made.append((codes, ONE * (rng.random() < (0.8 if {1, 2, 3} <= set(codes) else 0.1))))
        return made

    for _ in range(3):
        counted(search, rows(3000))
        search.turn()
    assert (1, 2, 3) in [codes for _, codes in search.promising(0, 0.05)]


def test_what_is_kept_is_bounded_and_fades() -> None:
    """So many conditions, so many pairs with a third one, so many rows."""
    search = Search()
    search.admit(dict.fromkeys(range(200), 300), 1000, NAMES)
    assert len(search.used) == CONDITIONS
    search.admit(dict.fromkeys(range(200), 300), 1000, NAMES)
    assert len(search.used) == CONDITIONS
    search, rows = ready(), drawn(4, 1000)
    for _ in range(15):
        counted(search, rows, HORIZON // 10_000)
        search.turn()
    beside = search.beside(0, (0, 5))
    assert beside is not None
    assert beside[2] < HORIZON
    assert len(search._beams[0]) <= BEAM


def test_it_goes_on_from_what_was_saved() -> None:
    """To the last integer."""
    search, rows = ready(), drawn(5, 1500)
    counted(search, rows[:1000])
    search.turn()
    again = Search.restored(search.saved())
    for one in (search, again):
        counted(one, rows[1000:])
        one.turn()
    assert search.saved() == again.saved()
    assert search.promising(0, 0.0) == again.promising(0, 0.0)
