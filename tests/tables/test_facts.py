"""What columns hold, counted row by row, block by block, shard by shard."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.rows import Row
from monitor.tables.blocks import NUMBER, Block, Column
from monitor.tables.facts import TableFacts, outwards
from monitor.types import Observation

CELLS = st.one_of(
    st.none(), st.booleans(), st.floats(), st.integers(-(10**30), 10**30), st.sampled_from("abcde"),
    st.just(b"ab"), st.just([1.0, 2.0]),
)  # fmt: skip


def rows(values: list[Any]) -> list[Row]:
    return [Row(0.0, {}, [Observation("x", "numeric", value)]) for value in values]


def block(values: list[Any]) -> Block:
    """The same as columns: plain numbers in an array, the rest once each."""
    seen, codes, numbers = list[Observation](), list[int](), list[float]()
    for value in values:
        plain = type(value) is float and math.isfinite(value)
        codes.append(NUMBER if plain else len(seen))
        numbers.append(value if plain else 0.0)
        if not plain:
            seen.append(Observation("x", "numeric", value))
    column = Column("x", np.array(codes, dtype=np.intp), seen, np.array(numbers))
    return Block(np.zeros(len(values)), {}, [column])


@given(st.lists(CELLS, min_size=1, max_size=30), st.integers(0, 30))
def test_rows_blocks_and_shards_say_the_same(values: list[Any], cut: int) -> None:
    """In whatever parts it comes."""
    one, other, first, second = TableFacts(), TableFacts(), TableFacts(), TableFacts()
    for row in rows(values):
        one.add(row)
    other.add(block(values))
    for table, part in ((first, values[:cut]), (second, values[cut:])):
        if part:
            table.add(block(part))
    second.merge(first)
    assert one.facts() == other.facts() == second.facts()
    one.merge(other)  # a value has the same place in the bitmap, whichever way it came
    assert one.facts()["x"].different == other.facts()["x"].different


def test_what_is_told() -> None:
    """Counts by kind, the range rounded outwards, about how many values differ, frequent categories."""
    table = TableFacts()
    for row in rows([None, 1234.5, -7.77777, *range(500), math.nan, True, *"aaaaab"]):
        table.add(row)
    (facts,) = table.facts().values()
    assert (facts.values, facts.missing) == (511, 1)
    assert facts.kinds == {"not finite": 1, "number": 502, "word": 6, "yes or no": 1}
    assert (facts.smallest, facts.largest) == (-7.78, 1240.0)
    assert facts.categories == {"a": 5}
    assert facts.different is not None
    assert abs(facts.different - 505) < 10


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([-1, 1]))
def test_ranges_hold_what_is_in_them(number: float, way: int) -> None:
    """Whatever is rounded."""
    assert (outwards(number, way) - number) * way >= 0


def test_thousands_of_names_are_not_kept() -> None:
    """Neither is their number exact, but near."""
    table = TableFacts()
    for row in rows([f"name {n}" for n in range(5000)] * 5):
        table.add(row)
    (facts,) = table.facts().values()
    assert facts.categories == {}
    assert facts.different is not None
    assert abs(facts.different - 5000) < 150
