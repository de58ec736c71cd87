"""What is known early: the same measures, marked, without an interval or a status."""

from __future__ import annotations

from monitor.analysis.quality.early import CLASSES, SEGMENTS, early
from monitor.rows import Row, Truth


def rows(count: int) -> list[Row]:
    return [
        Row(float(at), {"site": "ab"[at % 2]}, [], truth=Truth("1", None, "01"[at % 4 > 0]))
        for at in range(count)
    ]


def test_every_measure_is_marked_and_has_no_interval() -> None:
    """The whole first, then segments; rows without a label say nothing."""
    found = early([*rows(40), Row(1.0, {}, [], truth=Truth("1")), Row(2.0, {}, [])], "1")
    assert all(one.early and one.lower is one.upper is one.status is None for one in found)
    accuracy = [one for one in found if one.measure == "accuracy"]
    assert [(one.value, one.number, one.labels) for one in accuracy] == [
        ("all", 0.75, 40), ("a", 0.5, 20), ("b", 1.0, 20),
    ]  # fmt: skip
    assert early([], "1") == []


def test_what_strangers_name_is_bounded() -> None:
    """Segments and classes beyond their number are left out, or `other`."""
    some = [
        Row(float(at), {"who": f"w{at}"}, [], truth=Truth(f"c{at}", None, f"c{at % 3}"))
        for at in range(3 * max(SEGMENTS, CLASSES))
    ]
    found = early(some, "1")
    assert len({(one.dimension, one.value) for one in found}) == SEGMENTS
    assert found[0].labels == len(some)
