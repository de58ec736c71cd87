"""Counting and folding keep sums right."""

from __future__ import annotations

import math

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from monitor.framing import pack
from monitor.meters import MOST, Meters, add_up
from monitor.recorder.label_limiter import LabelLimiter
from monitor.types import Exemplar, Measurement

NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([-5, 2**64, 10**30, 10**400, -(10**400), math.inf, -math.inf, math.nan]),
)

VALUES = st.lists(st.sampled_from("abcdefgh"), max_size=200)


def total(meters: Meters, name: str) -> float:
    return sum(one.value for one in meters.measurements() if one.name == name)


@given(VALUES, st.sampled_from("abcdefgh"))
def test_folding_a_value_moves_its_counts_and_loses_none(values: list[str], gone: str) -> None:
    """Counters and histograms keep their totals; the value itself is gone."""
    meters = Meters("recorder", "e")
    for place, value in enumerate(values):
        meters.add("monitor_segment_exchanges_total", ("population", value, "ok"))
        meters.observe("monitor_segment_duration_seconds", ("population", value), place / 10)
    meters.fold("value", gone, ("dimension", "population"))
    assert total(meters, "monitor_segment_exchanges_total") == len(values)
    assert total(meters, "monitor_segment_duration_seconds_count") == len(values)
    assert all(one.labels.get("value") != gone for one in meters.measurements())


def test_folding_within_a_dimension_leaves_others_alone() -> None:
    """`a` of one dimension is not `a` of another."""
    meters = Meters("recorder", "e")
    meters.add("monitor_segment_exchanges_total", ("population", "a", "ok"))
    meters.add("monitor_segment_exchanges_total", ("template", "a", "ok"))
    meters.fold("value", "a", ("dimension", "population"))
    left = {
        (one.labels["dimension"], one.labels["value"])
        for one in meters.measurements()
        if one.name == "monitor_segment_exchanges_total"
    }
    assert left == {("population", "other"), ("template", "a")}


@given(st.lists(st.integers(0, 300).map(str), max_size=2000))
def test_labels_never_exceed_their_budget(values: list[str]) -> None:
    """Whatever comes, at most `limit` names are in use at once, and memory is bounded."""
    limiter = LabelLimiter(5)
    alive: set[str] = set()
    for value in values:
        label, given_up = limiter.admit(value)
        alive.discard(given_up or "")
        if label != "other":
            alive.add(label)
        assert len(alive) <= 5


def test_a_frequent_latecomer_gets_a_name() -> None:
    """A hundred values that came once do not hold their places against one that comes often."""
    limiter = LabelLimiter(50)
    for number in range(100):
        limiter.admit(str(number))
    labels = [limiter.admit("late")[0] for _ in range(50)]
    assert labels[0] == "other"
    assert labels[-1] == "late"


def test_a_value_that_few_have_gets_no_name() -> None:
    """Below the least group everybody is `other`, whether or not there is room."""
    limiter = LabelLimiter(2, least=3)
    assert [limiter.admit("a")[0] for _ in range(4)] == ["other", "other", "a", "a"]
    assert limiter.admit("b") == ("other", None)
    assert not limiter.is_full


def test_a_value_may_be_kept_waiting() -> None:
    """A model name gets a label only once the endpoint accepted it."""
    limiter = LabelLimiter(5)
    assert limiter.admit("guess", may_enter=False) == ("other", None)
    assert limiter.admit("guess") == ("guess", None)
    assert limiter.admit("guess", may_enter=False) == ("guess", None)


SAMPLES = st.builds(
    Measurement,
    st.sampled_from(("a", "b")),
    st.dictionaries(st.sampled_from("xy"), st.sampled_from("12")),
    st.integers(0, 100),
)


@given(st.lists(SAMPLES, max_size=30))
def test_what_is_the_same_series_is_added_and_nothing_else(samples: list[Measurement]) -> None:
    """One for each name and labels, in whatever order the labels stand; totals stay."""
    found = add_up(samples)
    series = [(one.name, sorted(one.labels.items())) for one in found]
    assert len(series) == len({str(one) for one in series})
    for name, labels in series:
        same = [
            one.value for one in samples if (one.name, sorted(one.labels.items())) == (name, labels)
        ]
        assert found[series.index((name, labels))].value == sum(same)
    assert sum(one.value for one in found) == sum(one.value for one in samples)


@given(st.lists(NUMBERS, max_size=20))
def test_any_number_can_be_counted(numbers: list[float]) -> None:
    """No counter goes back, no sum is spoilt, and what is measured can be sent."""
    meters = Meters("recorder", "e")
    before = 0.0
    for number in numbers:
        meters.add("monitor_tokens_total", ("m", "input"), number)
        meters.observe("monitor_exchange_duration_seconds", ("chat", "m"), number)
        meters.set("monitor_store_up", number)
        tokens = total(meters, "monitor_tokens_total")
        assert before <= tokens <= before + MOST
        before = tokens
    samples = meters.measurements()
    sent = pack(samples)[4:]
    assert len(msgspec.msgpack.decode(sent, type=list[Measurement])) == len(samples)
    assert math.isfinite(total(meters, "monitor_exchange_duration_seconds_sum"))
    counted = sum(number == number for number in numbers)  # noqa: PLR0124  not a number
    assert total(meters, "monitor_exchange_duration_seconds_count") == counted


def test_a_bucket_shows_the_newest_exemplar_also_when_its_series_is_folded() -> None:
    """One for each bucket, none for other buckets."""
    meters = Meters("recorder", "e")
    name = "monitor_exchange_duration_seconds"
    for model, at in (("a", 1.0), ("a", 3.0), ("b", 2.0), ("c", 9.0)):
        exemplar = Exemplar(f"{model}{at}", "", 0.3, at)
        meters.observe(name, ("chat", model), 0.3, exemplar)
        meters.observe(name, ("chat", model), 0.3)

    def shown() -> dict[str, str]:
        return {
            one.labels["model"]: one.exemplar.trace_id
            for one in meters.measurements()
            if one.exemplar and one.labels["le"] == "0.32"
        }

    assert shown() == {"a": "a3.0", "b": "b2.0", "c": "c9.0"}
    meters.fold("model", "a")
    meters.fold("model", "b")
    assert shown() == {"other": "a3.0", "c": "c9.0"}
    assert sum(one.exemplar is not None for one in meters.measurements()) == 2
