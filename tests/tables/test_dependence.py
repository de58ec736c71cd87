"""Whether rows of a table are independent of each other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from monitor.rows import Row
from monitor.tables.blocks import Block, Column
from monitor.tables.dependence import Dependence
from monitor.types import Observation

Floats = npt.NDArray[np.float64]

ROWS = 2000


def independent(chance: np.random.Generator) -> Floats:
    return chance.normal(size=(ROWS, 2))


def correlated(chance: np.random.Generator) -> Floats:
    """A first-order autoregression with 0.6."""
    found = chance.normal(size=(ROWS, 2)) * 0.8
    for place in range(1, ROWS):
        found[place] += 0.6 * found[place - 1]
    return found


def block(values: Floats) -> Block:
    """The numbers as columns, and one of words that follow the first."""
    size = len(values)
    words = [Observation("word", "categorical", name) for name in ("low", "high")]
    columns = [
        Column(f"x{place}", np.full(size, -1), numbers=values[:, place].copy())
        for place in range(values.shape[1])
    ]
    columns.append(Column("word", (values[:, 0] > 0).astype(np.intp), words))
    return Block(np.arange(size, dtype=np.float64), {}, columns)


def seen(values: Floats, *, as_rows: bool = False) -> Dependence:
    found, whole = Dependence(), block(values)
    blocks = [whole.between(0, 700), whole.between(700, len(values))]
    rows = (row for one in blocks for row in one.rows()) if as_rows else iter(blocks)
    for _ in found.passing(rows):
        pass
    return found


@pytest.mark.parametrize(
    "made",
    [
        independent,
        lambda chance: independent(chance).round(),
        lambda chance: np.sort(independent(chance), axis=0),
        lambda chance: np.zeros((ROWS, 1)),
        lambda chance: independent(chance)[:3],
        lambda chance: np.arange(ROWS)[:, None] + independent(chance) * 3,
        lambda chance: independent(chance) * 1e200,
    ],
    ids=["numbers", "few different ones", "sorted", "one", "few rows", "times", "vast"],
)
def test_independent_rows_are_taken_for_such(
    made: Callable[[np.random.Generator], Floats],
) -> None:
    """Rows that are equal by chance are no copies, and a sorted table tells as much as another."""
    for seed in range(5):
        found = seen(made(np.random.default_rng(seed)))
        assert found.copies() is None
        assert not [one for one in found.neighbours() if one.feature != "word"]


@pytest.mark.parametrize(
    ("times", "shuffled"), [(2, False), (2, True), (10, True)], ids=["appended", "mixed", "tenfold"]
)
def test_copies_are_found_wherever_they_stand(times: int, shuffled: bool) -> None:
    chance = np.random.default_rng(7)
    values = np.concatenate([independent(chance)[: ROWS // times]] * times)
    found = seen(chance.permutation(values) if shuffled else values).copies()
    assert found is not None
    assert found.times == times
    assert found.share == pytest.approx(1 - 1 / times)


def test_copies_of_many_rows_are_counted_in_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row and its copies are in it, or none of them."""
    monkeypatch.setattr("monitor.tables.dependence.KEPT", 200)
    values = np.concatenate([independent(np.random.default_rng(7))] * 2)
    found = seen(values).copies()
    assert found is not None
    assert (found.times, found.share) == (2, 0.5)


def test_neighbours_that_are_alike_are_found() -> None:
    """Numbers by their correlation, words by how often they are the same; as many rows count as
    one as in an autoregression."""
    found = seen(correlated(np.random.default_rng(7))).neighbours()
    sizes = {one.feature: one.correlation for one in found}
    assert sizes.keys() == {"x0", "x1", "word"}
    assert sizes["x0"] == pytest.approx(0.6, abs=0.05)
    assert sizes["word"] == pytest.approx(0.41, abs=0.08)  # 2/pi arcsin 0.6
    assert {one.times for one in found if one.feature != "word"} <= {4, 5}


def test_rows_say_the_same_as_blocks() -> None:
    values = correlated(np.random.default_rng(7))
    values[5:9] = np.nan
    values = np.concatenate([values, values])
    whole, rows = seen(values), seen(values, as_rows=True)
    assert whole.copies() == rows.copies()
    assert [one.feature for one in whole.neighbours()] == [one.feature for one in rows.neighbours()]


@pytest.mark.parametrize("kept", [1 << 14, 200])
def test_shards_say_the_same_as_the_whole(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number is that each of them begins with."""
    monkeypatch.setattr("monitor.tables.dependence.KEPT", kept)
    values = correlated(np.random.default_rng(7)) + 1000
    values = np.concatenate([values, values[::-1]])
    whole, merged = seen(values), Dependence()
    for rows in (block(values).between(0, 700), block(values).between(700, len(values))):
        shard = Dependence()
        for _ in shard.passing([rows]):
            pass
        merged.merge(shard)
    assert merged.rows == whole.rows
    assert merged.copies() == whole.copies()
    assert whole.copies() is not None
    ours, theirs = merged.neighbours(), whole.neighbours()
    assert [one.feature for one in ours] == [one.feature for one in theirs] != []
    for one, other in zip(ours, theirs, strict=True):
        assert one.correlation == pytest.approx(other.correlation, rel=1e-9)


def test_any_value_can_be_looked_at() -> None:
    found = Dependence()
    values = [None, 10**400, float("nan"), b"\xff", [1.0], {"a": 1}, "\ud800", True]
    rows = [Row(0.0, {}, [Observation("a", "categorical", value)]) for value in values]
    for _ in found.passing(iter(rows)):
        pass
    assert found.rows == len(values)
