"""Record → stub: what has to be remembered of it until its outcome is due, packed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from monitor.analysis.join.items import UNKNOWN, Known, digest
from monitor.analysis.join.predictions import PredictionReader, alike
from monitor.rows import Row, Truth
from monitor.texts import numbered
from monitor.types import ABSENT, Outcome, Record

UNIT = 256
"""Bytes of a stub that take one place; a larger one takes several."""
OVERHEAD = 350
"""Bytes that a stub takes in memory beside its own, about: its names, and where it stands."""


class Details(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """What only slices look at, as in `types.Truth`."""

    id: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    passed: bool | None = None


NO_DETAILS = Details("")


TRACE = "trace_id"
"""The unit that the exchanges of one trace are."""


class Stub(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """What is remembered of a Record; `names` are digests, that of its id first.

    `level`: of so many halvings of the traffic (`share`) it was left over when it came.
    """

    ended: float
    duration: float
    names: list[int]
    segments: dict[str, str]
    prediction: str | float | None = None
    score: float | dict[str, float] | None = None
    level: int = 0
    weight: float = 1.0
    accepted: bool = True
    outcome: Outcome = Outcome.OK
    edge_cases: list[str] = []
    cost: float | None = None
    interval: tuple[float, float] | None = None
    choices: list[str] | None = None
    units: dict[str, int] = {}
    is_outside: bool = False
    details: Details | None = None


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Stub).decode


def stub_of(
    record: Record,
    reader: PredictionReader,
    level: int,
    units: Sequence[str] = (),
    *,
    is_detailed: bool = False,
) -> Stub:
    """What is remembered of a Record; `units` are dimensions and business keys that experiments
    count by."""
    said = reader.of(record)
    names = [digest("id", record.id)]
    if record.trace_id:
        names.append(digest("trace_id", record.trace_id))
    if record.response_id:
        names.append(digest("response_id", record.response_id))
    for which, value in record.business.items():
        names.append(digest(f"business.{which}", value))
    return Stub(
        record.started + record.duration,
        record.duration,
        names,
        record.segments,
        said.prediction,
        said.score,
        level,
        1 / record.sampled,
        record.is_accepted,
        record.outcome,
        record.edge_cases,
        None if record.cost is None else record.cost.amount,
        said.interval,
        said.choices,
        {name: numbered(value) for name in units if (value := _unit(record, name))},
        said.is_outside,
        _details(record) if is_detailed else None,
    )


def _details(record: Record) -> Details:
    tokens = record.tokens
    passed = all(one.passed for one in record.checks.values()) if record.checks else None
    if tokens is None:
        return Details(record.id, passed=passed)
    return Details(record.id, tokens.input, tokens.output, passed)


def row_at_once(stub: Stub) -> Row:
    """What is known of a Record when it has ended: for slices by what nobody has to say."""
    return before_due(row_of(stub, UNKNOWN, 0), 0.0)


def before_due(row: Row, horizon: float) -> Row:
    """The same Row as one of what was known `horizon` seconds after its Record ended."""
    assert row.truth is not None  # noqa: S101  every stub has one
    truth = msgspec.structs.replace(row.truth, is_due=False, horizon=horizon)
    return msgspec.structs.replace(row, truth=truth)


def _unit(record: Record, name: str) -> str:
    """What a Record says of a unit; empty where that is nothing."""
    if name == TRACE:
        return record.trace_id or ""
    found = record.business.get(name, record.segments.get(name, ABSENT))
    return "" if found == ABSENT else found


def row_of(stub: Stub, known: Known, halvings: int) -> Row:
    """What is known of a Record when its outcome is due, at the moment when it ended.

    It stands for 2 ** `halvings` times as many exchanges as when nothing was left out.
    """
    prediction, label = alike(stub.prediction, known.label)
    details = stub.details or NO_DETAILS
    truth = Truth(
        prediction, stub.score, label, known.weight, known.events, known.rating,
        known.attributes, stub.interval, stub.choices, stub.duration or None, stub.outcome,
        stub.cost, stub.units,
        known.correction, details.id, details.input_tokens, details.output_tokens, details.passed,
        verdicts=known.verdicts,
    )  # fmt: skip
    if stub.is_outside:
        truth = msgspec.structs.replace(truth, score=math.nan)
    weight = stub.weight * (1 << halvings)
    return Row(stub.ended, stub.segments, [], stub.accepted, weight, stub.edge_cases, truth)
