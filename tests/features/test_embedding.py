"""Embeddings along fixed directions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from monitor.features.embedding import FEATURE, SLICES, directions
from monitor.types import Part


def embedding(values: list[object]) -> Part:
    return Part(name="embedding", datatype="FP64", shape=[1, len(values)], data=values)


def test_a_vector_has_a_length_and_slices(record, seen) -> None:
    """The length aside, slices are of the unit vector."""
    values = np.random.default_rng(1).normal(size=384)
    one = seen(FEATURE, record(outputs=[embedding(values.tolist())]))
    twice = seen(FEATURE, record(outputs=[embedding((2 * values).tolist())]))
    assert one["embedding.norm"] == pytest.approx([np.linalg.norm(values)])
    assert twice["embedding.norm"] == pytest.approx([2 * np.linalg.norm(values)])
    for index in range(SLICES):
        name = f"embedding.slice[{index}]"
        assert one[name] == pytest.approx(twice[name])
        assert abs(one[name][0]) < 6


def test_directions_are_fixed_and_apart() -> None:
    """The same in every process and release; nearly at right angles."""
    found = directions(384)
    assert found is directions(384)
    assert set(np.unique(found)) == {-1.0, 1.0}
    assert found[:, :8].tolist()[0] == [1, 1, -1, -1, 1, 1, 1, 1]
    angles = found @ found.T / 384
    assert np.abs(angles - np.eye(SLICES)).max() < 0.2


@pytest.mark.parametrize("bad", [["x"] * 100, [None] * 100, [math.nan] * 100, [0.0] * 100])
def test_what_is_no_vector_has_no_slices(record, seen, bad: list[object]) -> None:
    """Texts and nothing are left to `tensors`, which counts them as a wrong type."""
    found = seen(FEATURE, record(outputs=[embedding(bad)]))
    assert set(found) <= {"embedding.norm"}


def test_columns_are_no_embedding(record, seen) -> None:
    """Up to 64 numbers are a feature each."""
    assert seen(FEATURE, record(outputs=[embedding([0.5] * 10)])) == {}
