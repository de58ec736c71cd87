"""Records as rows, and the values in them as the fold counts them."""

from __future__ import annotations

import math
import random
from typing import Any

import msgspec
import pytest

from monitor.analysis.drift.judgement import Rules
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.analysis.rows import row_of, segments_of, values
from monitor.distances import LIVE, psi
from monitor.features import FEATURES
from monitor.recorder.sampler import Sampler
from monitor.rows import Row
from monitor.types import Observation, Outcome, Record, RequestSummary, ResponseSummary


def record(outcome: Outcome, status: int | None) -> Record:
    return Record(
        "i", "e", "p", "o", "m", 5.0, 0.5, None, None, status, outcome, False, {"a": "1"},
        RequestSummary("POST", "/", {}, 1, False), ResponseSummary({}, 1, False),
        [], [], None, [], {}, "k", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "status", "expected"),
    [
        (Outcome.OK, 200, True), (Outcome.OK, None, True), (Outcome.OK, 101, True),
        (Outcome.OK, 301, False), (Outcome.CLIENT_ERROR, 404, False),
        (Outcome.RATE_LIMITED, 429, False), (Outcome.CLIENT_GONE, 200, False),
        (Outcome.SERVER_ERROR, 200, False),
    ],
)  # fmt: skip
def test_accepted_is_what_ended_well(outcome: Outcome, status: int | None, expected: bool) -> None:
    """By outcome and status."""
    assert record(outcome, status).is_accepted == expected
    assert row_of((), record(outcome, status)).accepted == expected


def test_a_record_is_a_row_at_its_end_in_the_segments_asked_for() -> None:
    """A dimension that it does not state has no value, and is no segment."""
    row = row_of(FEATURES, record(Outcome.OK, 200), ("a", "b"))
    assert (row.at, row.segments) == (5.5, {"a": "1", "b": "none"})
    assert list(segments_of(row, ("a", "b"))) == [("all", "all"), ("a", "1")]


def test_a_row_is_in_the_segment_of_each_of_its_edge_cases() -> None:
    """In none where it is of none, or where that dimension is not asked for."""
    plain = record(Outcome.OK, 200)
    row = row_of((), msgspec.structs.replace(plain, edge_cases=["refusal", "truncated"]))
    both = [("edge_case", "refusal"), ("edge_case", "truncated")]
    assert list(segments_of(row, None)) == [("all", "all"), ("a", "1"), *both]
    assert list(segments_of(row, ("edge_case",))) == [("all", "all"), *both]
    assert list(segments_of(row, ("a",))) == [("all", "all"), ("a", "1")]
    assert list(segments_of(row_of((), plain), None)) == [("all", "all"), ("a", "1")]


def test_nothing_is_observed_in_an_oversampled_record() -> None:
    """It is a row with its time and segments; every record has the weight that its share gives."""
    plain = record(Outcome.SERVER_ERROR, 500)
    one = msgspec.structs.replace(plain, sampled=0.25)
    assert row_of(FEATURES, one) == msgspec.structs.replace(row_of(FEATURES, plain), weight=4.0)
    assert row_of(FEATURES, one).observations
    more = msgspec.structs.replace(one, oversampled=True)
    assert row_of(FEATURES, more) == Row(5.5, {"a": "1"}, [], False, 4.0)


def test_nothing_is_observed_in_what_was_sent_again() -> None:
    """`monitor redrive` through a sidecar is no traffic; the record says which run it was."""
    one = msgspec.structs.replace(record(Outcome.OK, 200), lineage={"replay": "r1"})
    assert one.is_redriven
    assert row_of(FEATURES, one).observations == []


@pytest.mark.parametrize("marked", [True, False])
def test_a_sample_with_all_failures_is_no_drift(marked: bool) -> None:
    """The load rises to ten times what is recorded while 3 % fail, as before. Would the records that
    are there because failures have a part of their own not be marked, they would be drift."""
    sampler, chance = Sampler(30, b"key"), random.Random(4)
    outcome = next(feature for feature in FEATURES if feature.name == "outcome")
    rules = Rules(psi.MEASURE, LIVE, pane=10.0, lateness=2.0)
    analysis = analysis_of((outcome,), rules, Baseline(learn=500))
    at = 0.0
    for number in range(30_000):
        at += 0.05 if number < 2000 else 0.0033
        ended = Outcome.SERVER_ERROR if chance.random() < 0.03 else Outcome.OK
        if (kept := sampler.keep(f"id-{number}", at, ended)) is not None:
            share, more = kept
            one = record(ended, 200)
            analysis.add(
                msgspec.structs.replace(one, started=at, sampled=share, oversampled=more and marked)
            )
    analysis.close()
    assert analysis.records > 4000
    (found,) = (one for one in analysis.findings() if one.dimension == "all")
    assert found.status == ("ok" if marked else "drift")


@pytest.mark.parametrize(
    ("kind", "value", "counted"),
    [
        ("categorical", 5, "5"), ("categorical", 1.5, "1.5"), ("categorical", None, None),
        pytest.param("categorical", 10**5000, "a number beyond all", id="more digits than are written"),
        ("datetime", 40.0, 60.0), pytest.param("datetime", 10**400, math.inf, id="beyond any float"), ("datetime", "x", "x"),
        ("numeric", 7, 7),
    ],
)  # fmt: skip
def test_a_value_is_counted_by_its_kind(kind: Any, value: Any, counted: Any) -> None:
    """A category given as a number is its name, a moment how long ago it was."""
    assert values(Row(100.0, {}, [Observation("x", kind, value)])) == [("x", counted, kind)]
