"""What features see in lines of Records, by feature: what is usual, and what is left to others."""

from __future__ import annotations

import math
from array import array

import pytest

from monitor.analysis import observed
from monitor.features import FEATURES
from monitor.replay import record_files
from monitor.types import Outcome, Part, Verdict, encode_record
from tests.replay.some_records import record


def test_what_is_usual_is_looked_at_in_pieces() -> None:
    """Chats and tensors, refused ones among them, with other features than their neighbours'."""
    wanted = observed.Wanted(tuple(range(len(FEATURES))), ("population",), -math.inf, math.inf)
    tensor = {"inputs": [Part(name="x", datatype="FP64", shape=[1], data=[0.5])], "outputs": []}
    some = [
        record(1),
        record(2, outcome=Outcome.SERVER_ERROR, status=500),
        record(3, **tensor),
        record(4),
    ]
    looked = record_files.look(b"\n".join(map(encode_record, some)), wanted)
    assert looked is not None
    assert looked.records == 4
    assert list(looked.accepted) == [1, 0, 1, 1]
    assert {"x", "outcome", "input_words"} <= {seen.feature for seen in looked.columns}


@pytest.mark.parametrize(
    "unusual",
    [
        b"{}",
        encode_record(record(1, sampled=0.5)),
        encode_record(
            record(1, inputs=[Part(name="x", datatype="FP64", shape=[2], data=[0.5, 1.5])])
        ),
        encode_record(
            record(1, inputs=[Part(name="x", datatype="BYTES", shape=[1], data=["2024-02-29"])])
        ),
    ],
    ids=["no record", "a sample", "a batch", "a date"],
)
def test_what_is_unusual_is_not(unusual: bytes) -> None:
    """It is left to who reads record by record."""
    wanted = observed.Wanted(tuple(range(len(FEATURES))), (), -math.inf, math.inf)
    assert record_files.look(encode_record(record(0)) + b"\n" + unusual, wanted) is None


def test_records_that_name_features_in_another_order_are_unusual() -> None:
    """In one order they are told; where there is none for all, nobody guesses."""
    x, y = (Part(name=name, datatype="FP64", shape=[1], data=[0.5]) for name in "xy")
    wanted = observed.Wanted(tuple(range(len(FEATURES))), (), -math.inf, math.inf)

    def names(*inputs: list[Part]) -> list[str] | None:
        lines = [encode_record(record(1, inputs=each, outputs=[])) for each in inputs]
        looked = record_files.look(b"\n".join(lines), wanted)
        return None if looked is None else [one.feature for one in looked.columns][:2]

    assert names([x], [x, y]) == names([y], [x, y]) == ["x", "y"]
    assert names([y, x], [x, y]) is None


def test_checks_that_are_skipped_here_and_there_are_usual() -> None:
    """Any of them may be, in any Record; the order is that of the list of checks."""
    wanted = observed.Wanted(tuple(range(len(FEATURES))), (), -math.inf, math.inf)
    names = ["empty", "refusal", "schema", "sections", "citation", "language"]
    some = [
        record(n, checks={name: Verdict(True, 0, 1 + n % 2) for place, name in enumerate(names)
                          if n >> place & 1})
        for n in range(64)
    ]  # fmt: skip
    looked = record_files.look(b"\n".join(map(encode_record, some[::-1] + some)), wanted)
    assert looked is not None
    seen = [one.feature for one in looked.columns if one.feature.startswith("check.")]
    assert [one for one in seen if one.count(".") == 1] == [f"check.{name}" for name in names]
    assert [len(one.rows) // 8 for one in looked.columns if one.feature == "check.schema"] == [64]


def test_values_are_told_as_they_are() -> None:
    """Floats and integers as arrays; what else comes among them once, with its kind."""
    wanted = observed.Wanted((0,), (), -math.inf, math.inf)
    data = [0.5, 1.5, None, "a", 7, None, 0.5]
    lines = [
        encode_record(record(1, inputs=[Part(name="x", datatype="FP64", shape=[1], data=[one])]))
        for one in data
    ]
    looked = record_files.look(b"\n".join(lines), wanted)
    assert looked is not None
    (x,) = looked.columns
    codes = memoryview(x.codes).cast("q").tolist()
    numbers = memoryview(x.numbers).cast("d").tolist()
    assert codes == [-1, -1, 0, 1, 2, 0, -1]
    assert [one for one, code in zip(numbers, codes, strict=True) if code == -1] == [0.5, 1.5, 0.5]
    assert x.rest == [("numeric", None), ("numeric", "a"), ("numeric", 7)]


def test_what_no_feature_looks_at_moves_nothing_to_another_record() -> None:
    """What was re-driven is no traffic; who comes after it, in the next piece too, keeps its place."""
    wanted = observed.Wanted(tuple(range(len(FEATURES))), (), -math.inf, math.inf)
    some = [record(number) for number in range(3 * observed.SOME)]
    some[1] = record(1, lineage={"replay": "r"})
    some[-1] = record(
        2, inputs=[Part(name="x", datatype="FP64", shape=[1], data=[0.5])], outputs=[]
    )
    looked = record_files.look(b"\n".join(map(encode_record, some)), wanted)
    assert looked is not None
    (seen,) = [one for one in looked.columns if one.feature == "x"]
    assert array("q", seen.rows).tolist() == [len(some) - 1]
