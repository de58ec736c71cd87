"""Embeddings of any form as one tensor."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.carriers.vectors import tensor

SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
ODD = st.one_of(
    st.none(), st.text(max_size=9), st.integers(), st.lists(st.one_of(SINGLE, st.text()))
)


@given(st.lists(st.lists(SINGLE, min_size=3, max_size=3), min_size=1, max_size=4))
def test_packed_and_listed_vectors_are_the_same(rows: list[list[float]]) -> None:
    """Base64 of little-endian float32 is what OpenAI's own clients ask for."""
    packed = [base64.b64encode(struct.pack("<3f", *row)).decode() for row in rows]
    assert tensor(packed) == tensor(rows)
    assert tensor(rows)[0].shape == [len(rows), 3]


@pytest.mark.parametrize(
    "rows", [[], [[]], [[1.0], [1.0, 2.0]], [["a"]], ["!"], ["AAA="], [None], [3]]
)
def test_what_is_no_rectangle_of_numbers_is_no_tensor(rows: list[Any]) -> None:
    """Other widths, texts, bytes that do not make up a value."""
    assert tensor(rows) == []


@given(
    st.lists(ODD, max_size=4),
    st.one_of(st.none(), st.sampled_from(["int8", "binary", "float", "x"]), st.integers()),
)
def test_any_rows_are_read(rows: list[Any], kind: Any) -> None:
    """Without an exception; a tensor has as many values as its shape says."""
    for part in tensor(rows, kind):
        width = (part.shape or [0, 0])[1]
        assert len(part.data or []) == len(rows) * width
