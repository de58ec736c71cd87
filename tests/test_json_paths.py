"""Walks into JSON values."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monitor import json_paths

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)
STEPS = st.lists(st.none() | st.integers(-5, 5) | st.text(max_size=3), max_size=6)


@given(VALUES, STEPS)
def test_any_path_into_any_value_is_something_or_none(value: Any, steps: list[Any]) -> None:
    """No walk raises, and what it finds is a text or none."""
    found = json_paths.text(json_paths.at(value, steps))
    assert found is None or found == found.strip() != ""


def test_any_place_looks_at_the_first_items_only() -> None:
    """A list of a million items costs as much as one of the bound."""
    value = [{}] * json_paths.MAX_ITEMS + [{"a": 1}]
    assert json_paths.at(value, [None, "a"]) is None
    assert json_paths.at(value[1:], [None, "a"]) == 1


def test_a_number_beyond_what_python_writes_is_none() -> None:
    """Its text would take quadratic time."""
    assert json_paths.text(10**5000) is None
