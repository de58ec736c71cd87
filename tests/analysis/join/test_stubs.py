"""What is remembered of a Record: little, and all that its Row needs."""

from __future__ import annotations

import zlib

import msgspec

from monitor.analysis.join.items import UNKNOWN
from monitor.analysis.join.predictions import PredictionReader
from monitor.analysis.join.stubs import decode, encode, row_of, stub_of
from monitor.types import Cost, Outcome
from tests.analysis.join.exchanges import BEGIN, record


def test_a_row_has_what_the_record_had() -> None:
    """Segments, edge cases, outcome, duration, cost and weight come back from the bytes."""
    seen = record(
        "r", segments={"population": "a", "variant": "b"}, edge_cases=["truncated"], sampled=0.25,
        cost=Cost(0.5, "USD", "own/m"), outcome=Outcome.SERVER_ERROR, status=500,
    )  # fmt: skip
    row = row_of(decode(encode(stub_of(seen, PredictionReader(), 0))), UNKNOWN, 3)
    assert (row.at, row.segments, row.edge_cases) == (BEGIN, seen.segments, ["truncated"])
    assert (row.accepted, row.weight) == (False, 4 * 8)
    assert row.truth is not None
    truth = row.truth
    assert (truth.duration, truth.outcome, truth.cost) == (0.25, Outcome.SERVER_ERROR, 0.5)
    assert (truth.prediction, truth.label) == (None, None)


def test_no_name_of_an_exchange_stands_in_it() -> None:
    """Digests alone: whoever reads a checkpoint learns no id and no business key."""
    seen = record("the-id", trace_id="a" * 32, response_id="the-answer", business={"o": "the-key"})
    packed = encode(stub_of(seen, PredictionReader(), 0))
    assert len(decode(packed).names) == 4
    for name in (b"the-id", b"aaaa", b"the-answer", b"the-key"):
        assert name not in packed


def test_a_stub_at_rest_takes_no_more_than_120_bytes() -> None:
    """Of a classifier's exchange with id, trace, score and three segments, in pieces of 256."""
    packed = [
        encode(stub_of(
            record(
                f"{number}", number * 0.731, trace_id=f"{number * 7919:032x}",
                duration=0.1 + number / 1e4, confidence=number / 257,
                segments={"population": "adults", "template": "none", "variant": "b"},
            ), PredictionReader(), 0,
        ))
        for number in range(256)
    ]  # fmt: skip
    assert len(zlib.compress(msgspec.msgpack.encode(packed), 1)) / 256 <= 120
