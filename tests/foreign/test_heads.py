"""The first bytes of a file tell what its rows are like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.foreign import heads
from monitor.interfaces import Head


@pytest.mark.parametrize(
    ("start", "names"),
    [
        (b'{"a": 1, "b": {"c": 2}}\n', {"a", "b"}),
        (b'[{"a": 1, "b": {"c": 2}},\n{"a": 2}]', {"a", "b"}),
        (b'[\n  {\n    "a": "x\\"y", "b": {"c"', {"a", "b"}),
        (b'{"a": "' + b"x" * 70_000, {"a"}),
        (b'nothing\n{"a": 1}', {"nothing"}),
        (b'{"a": 1\n{"b": 2}\n', {"b"}),
        (b'a, b,"c d"\n1,2,3', {"a", "b", "c d"}),
        (b'"', {""}),
        (b"", set()),
        (b"[[[", set()),
    ],
)
def test_the_names_of_the_first_row_are_known(start: bytes, names: set[str]) -> None:
    """Of objects in whatever form, cut anywhere, and of CSV."""
    assert set(heads.first(Head(Path("a"), start))) == names


def test_any_cut_of_an_object_has_the_names_before_the_cut() -> None:
    """Two deep."""
    whole = json.dumps({"a": [{"x": 1}], "b": {"c": "{", "d": [1]}, "e": None}, indent=1).encode()
    for end in range(len(whole)):
        found = heads.first(Head(Path("a"), whole[:end]))
        assert set(found) <= {"a", "b", "e"}
        assert set(found.get("b") or {}) <= {"c", "d"}
    assert set(heads.first(Head(Path("a"), whole[:-2]))["b"]) == {"c", "d"}
