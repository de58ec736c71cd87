"""What a metric measures of an exchange."""

from __future__ import annotations

import math
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.analysis.experiments.declared import LARGEST, Metric, Source
from monitor.rows import Truth
from monitor.types import Outcome


@pytest.mark.parametrize(
    ("metric", "truth", "value"),
    [
        (Metric("m", "event", "bought"), Truth(events={"bought": 3.0}), 1.0),
        (Metric("m", "event", "bought"), Truth(events={"bought": 0.0}), 0.0),
        (Metric("m", "event", "bought"), Truth(), 0.0),
        (
            Metric("m", "event", "paid", is_mean=True, bounds=(0, 9)),
            Truth(events={"paid": 12.0}),
            9,
        ),
        (Metric("m", "outcome", "server_error"), Truth(outcome=Outcome.SERVER_ERROR), 1.0),
        (Metric("m", "outcome", "server_error"), Truth(outcome=Outcome.OK), 0.0),
        (Metric("m", "outcome", "server_error"), Truth(), None),
        (Metric("m", "latency", 2.0), Truth(duration=2.0), 0.0),
        (Metric("m", "latency", 2.0), Truth(duration=2.1), 1.0),
        (Metric("m", "latency", 2.0), Truth(), None),
        (Metric("m", "latency", "p95"), Truth(duration=2.1), None),
        (Metric("m", "label"), Truth(label="1"), 1.0),
        (Metric("m", "label"), Truth(label="0"), 0.0),
        (Metric("m", "label"), Truth(), None),
        (Metric("m", "prediction", is_mean=True), Truth(prediction="2.5"), 2.5),
        (Metric("m", "prediction", is_mean=True), Truth(prediction="cat"), 0.0),
        (Metric("m", "score", is_mean=True), Truth(score=0.25), 0.25),
        (Metric("m", "score", is_mean=True), Truth(score={"1": 0.25}), None),
        (Metric("m", "rating", is_mean=True), Truth(rating=4.0), 4.0),
        (Metric("m", "cost", is_mean=True), Truth(cost=0.002), 0.002),
    ],
)
def test_a_metric_looks_at_one_thing(metric: Metric, truth: Truth, value: float | None) -> None:
    """What a row does not say has no value; an event that did not happen is 0."""
    assert metric.value(truth, "1") == value


ANYTHING = st.none() | st.floats() | st.text(max_size=20)


@given(
    st.sampled_from(get_args(Source)), st.booleans(), ANYTHING, ANYTHING,
    st.dictionaries(st.just("e"), st.floats()), st.none() | st.floats(),
)  # fmt: skip
def test_any_truth_has_a_finite_value_or_none(  # noqa: PLR0917
    source: Source, is_mean: bool, label: Any, prediction: Any, events: dict[str, float],
    number: float | None,
) -> None:  # fmt: skip
    """Within the bounds; a share is 0 or 1."""
    of: str | float = 1.0 if source == "latency" else "e"
    truth = Truth(
        prediction, number, label, events=events, rating=number, duration=number, cost=number
    )
    value = Metric("m", source, of, is_mean=is_mean).value(truth, "1")
    if value is not None:
        assert math.isfinite(value)
        assert abs(value) <= LARGEST
        assert is_mean or value in (0, 1)
