"""Dimensions crossed from others."""

from __future__ import annotations

from monitor.dimensions.cross import crossed


def test_a_cross_joins_what_is_stated() -> None:
    """In the order of the configuration; a value that is not stated leaves no corner."""
    segments = {"a": "x", "b": "y", "c": "none"}
    assert crossed(["b", "a"], segments) == "y|x"
    assert crossed(["a", "c"], segments) == "none"
    assert crossed(["a", "d"], segments) == "none"
