"""Latencies."""

from __future__ import annotations

from monitor.features.latency import FEATURE
from monitor.types import Outcome, RequestSummary


def test_durations_of_what_went_well(record, seen) -> None:
    """Streams have a time to first token."""
    one = record(time_to_first_token=0.1, time_per_output_token=0.02)
    assert seen(FEATURE, one) == {
        "duration": [0.5],
        "time_to_first_token": [0.1],
        "time_per_output_token": [0.02],
    }


def test_fast_errors_do_not_make_the_model_look_fast(record, seen) -> None:
    """A 429 has an outcome, not a duration."""
    assert seen(FEATURE, record(outcome=Outcome.RATE_LIMITED)) == {}


def test_what_crossed_no_wire_took_no_time(record, seen) -> None:
    """A record made from a table has no duration to watch."""
    assert seen(FEATURE, record(request=RequestSummary("", "", {}, 0, False))) == {}
