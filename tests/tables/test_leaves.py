"""Columns inside of columns."""

from __future__ import annotations

import pyarrow as pa

from monitor.tables import leaves


def test_structs_are_unfolded_and_maps_are_not() -> None:
    """By the way to each; a field is null where its struct is."""
    inner = pa.struct({"y": pa.int64(), "deep": pa.struct({"z": pa.string()})})
    schema = pa.schema({"x": pa.int64(), "s": inner, "m": pa.map_(pa.string(), pa.int64())})
    found, left = leaves.leaves(schema)
    assert leaves.named(found) == ["x", "s.y", "s.deep.z"]
    assert left == [("m",)]
    rows = [{"x": 1, "s": {"y": 2, "deep": {"z": "a"}}, "m": []}, {"x": 3, "s": None, "m": []}]
    batch = pa.RecordBatch.from_pylist(rows, schema)
    assert [leaves.leaf(batch, one).to_pylist() for one in found] == [
        [1, 3],
        [2, None],
        ["a", None],
    ]


def test_a_reason_is_one_short_line() -> None:
    """Whatever pyarrow says."""
    assert leaves.reason(ValueError("one\ntwo")) == "one"
    assert leaves.reason(ValueError()) == "ValueError"
    assert len(leaves.reason(ValueError("x" * 999))) == 200
    assert issubclass(pa.ArrowInvalid, leaves.damage())
