"""Which values of a dimension are watched."""

from __future__ import annotations

import pytest

from monitor.replay import census as module
from monitor.replay.census import Census, within_budget
from monitor.rows import Row


def test_of_a_dimension_the_most_frequent_values_are_kept() -> None:
    """All others are one value, so that nobody's ids become series."""
    found = [Row(0.0, {"user": name}, []) for name in "aaabbcd"]
    census = Census()
    census.count(found)
    assert census.rows == 7
    assert census.kept(2) == {"user": {"a", "b"}}
    told = [row.segments["user"] for row in within_budget(found, census.kept(2))]
    assert told == ["a", "a", "a", "b", "b", "other", "other"]


def test_edge_cases_have_a_budget_too() -> None:
    """A row has each of them, `other` once; somebody else's log may have any number of names."""
    found = [Row(0.0, {}, [], edge_cases=list(names)) for names in ("ab", "abc", "acde", "")]
    census = Census()
    census.count(found)
    assert census.kept(2) == {"edge_case": {"a", "b"}}
    told = [row.edge_cases for row in within_budget(found, census.kept(2))]
    assert told == [["a", "b"], ["a", "b", "other"], ["a", "other"], []]


def test_a_column_of_ids_is_counted_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes often is kept all the same, wherever it stands, row by row and where parts are
    added up."""
    monkeypatch.setattr(module, "LIMIT", 20)
    names = [name for n in range(200) for name in (f"id{n}", "often" if n % 3 else "seldom")]
    whole, other = Census(), Census()
    whole.count(Row(0.0, {"user": name}, []) for name in names)
    other.count(Row(0.0, {"user": f"x{n}"}, []) for n in range(15))
    whole.merge(other)
    assert len(whole.values["user"]) <= 20
    assert whole.kept(2) == {"user": {"often", "seldom"}}
