"""Arrays of columns: Python values, different ones, and what of them are certainly numbers."""

from __future__ import annotations

import math
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.tables import arrays
from monitor.tables.column_types import ColumnType, is_missing, reader
from tests.tables.odd_columns import MAKERS, WORDS, column

LIMIT = 1e11

SPELT = st.text("0123456789.,eE+-_ naNifx()", max_size=12) | st.sampled_from(WORDS)


@given(st.lists(SPELT, min_size=1, max_size=8), st.sampled_from((".", ",")))
@example(["1" * 70], ",")
@example(["1" * 70 + ".5"], ".")
def test_what_is_certain_is_what_a_reader_says(texts: list[str], decimal: str) -> None:
    """Of texts in any spelling, with either decimal sign; what looks like a number is certain."""
    how = ColumnType("numeric", decimal)
    found = arrays.numbers(pa.array(texts), how, LIMIT)
    assert found is not None
    read = reader(how)
    for text, number, certain in zip(texts, found[0].tolist(), found[1].tolist(), strict=True):
        if certain:
            assert repr(read(text)) == repr(number)
    plain = pa.array(["1", "-2", "3" + decimal + "25"])
    assert arrays.numbers(plain, how, LIMIT)[1].all()


@pytest.mark.parametrize("kind", sorted(MAKERS))
def test_typed_values_are_what_a_reader_says(kind: str) -> None:
    """Numbers of every width, dates and times; and every value comes back from the different ones."""
    made = column(kind, random.Random(5), 200)
    usable = arrays.usable(made)
    codes, different = arrays.distinct(usable)
    assert [repr(different[code]) for code in codes.tolist()] == list(
        map(repr, arrays.values(made))
    )
    assert sorted(set(codes.tolist())) == list(range(len(different)))
    for how in (ColumnType("numeric"), ColumnType("datetime"), ColumnType("datetime", unit="ms")):
        found = arrays.numbers(usable, how, LIMIT)
        read = reader(how)
        if found is not None and not pa.types.is_string(made.type):
            for value, number, certain in zip(arrays.values(made), *map(list, found), strict=True):
                if certain:
                    assert float(read(value)).hex() == float(number).hex()


@given(st.lists(SPELT | st.none(), min_size=1, max_size=8))
def test_what_is_present_is_not_missing(texts: list[str | None]) -> None:
    """However that may be written."""
    there = arrays.present(pa.array(texts, pa.string()))
    assert there is not None
    assert not [
        text for text, sure in zip(texts, there.tolist(), strict=True) if sure and is_missing(text)
    ]
    assert arrays.present(pa.array(["order-17", "0f" * 16, "a longer name"])).all()


def test_some_values_are_taken_of_arrays_and_of_lists() -> None:
    """In order; all of them are the same array."""
    places, array = np.array([0, 2]), pa.array([1.5, 2.5, 3.5])
    assert (
        arrays.take(array, places).to_pylist() == [1.5, 3.5] == arrays.take([1.5, 2, 3.5], places)
    )
    assert arrays.take(array, np.arange(3)) is array


def test_nothing_and_minus_nothing_stay_apart() -> None:
    """And NaN is one value."""
    _, different = arrays.distinct(pa.array([0.0, -0.0, math.nan, 0.0, math.nan, None]))
    assert sorted(map(repr, different)) == ["-0.0", "0.0", "nan", "nan"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.float64(),
        pa.float32(),
        pa.int8(),
        pa.uint8(),
        pa.int16(),
        pa.int64(),
        pa.uint64(),
        pa.bool_(),
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "values", [[], [1, 0, 1, 1, 0, 1, 0, 1, 1, 1], [None, 1, 0, None, 1, 1, 0, 1], [None] * 5]
)
def test_a_plain_column_is_what_pyarrow_makes_of_it(
    kind: pa.DataType, values: list[int | None]
) -> None:
    """Whole, and a part of it; a null is NaN, 0 or False."""
    whole = pa.array([None if one is None else kind.to_pandas_dtype()(one) for one in values], kind)
    nothing = math.nan if pa.types.is_floating(kind) else kind.to_pandas_dtype()(0).item()
    for array in (whole, whole.slice(3), whole.slice(2, 4)):
        usual = array.fill_null(nothing).to_numpy(zero_copy_only=False)
        found = arrays.plain(array)
        assert found.dtype == usual.dtype
        assert repr(found.tolist()) == repr(usual.tolist())


def test_an_index_of_a_dictionary_may_be_as_narrow_as_it_can_be() -> None:
    """128 words, a missing one, and indices of 8 bits."""
    words = [f"w{number}" for number in range(128)]
    indices = pa.array([*range(128), None], pa.int8())
    made = pa.DictionaryArray.from_arrays(indices, pa.array(words))
    assert arrays.values(made) == [*words, None]
    codes, different = arrays.distinct(made)
    assert [different[code] for code in codes.tolist()] == [*words, None]
