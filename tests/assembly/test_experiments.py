"""Experiments in the settings: each contradiction is one sentence that names its key."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from monitor.assembly.experiments import experiments_of
from monitor.errors import ConfigError
from monitor.settings.schema import Settings

CONTRACT: dict[str, Any] = {
    "name": "new-prompt",
    "dimension": "variant",
    "control": "a",
    "allocation": {"a": 0.5, "b": 0.5},
    "metrics": [
        {"name": "converted", "event": "converted"},
        {"name": "revenue", "event": "revenue", "aggregate": "mean", "bounds": [0, 500]},
        {"name": "slow", "latency_above": 2.0, "guardrail": True, "margin": 0.01},
        {"name": "errors", "outcome": "server_error", "guardrail": True, "margin": 0.005},
    ],
    "minimum_effect": 0.01,
}


def settings(*experiments: dict[str, Any]) -> Settings:
    return msgspec.convert({"experiments": list(experiments)}, Settings)


def with_metric(**metric: Any) -> dict[str, Any]:
    return CONTRACT | {"metrics": [{"name": "m"} | metric]}


EVEN = {"a": 0.5, "b": 0.5}


def ramped(
    *later: dict[str, Any], began: Any = datetime(2026, 12, 1, tzinfo=UTC)
) -> dict[str, Any]:
    shares = [one | {"from": began} for one in later]
    return CONTRACT | {"allocation": [{"a": 0.9, "b": 0.1}, *shares]}


@pytest.mark.parametrize(
    "began",
    [
        datetime(2026, 12, 1, tzinfo=UTC),
        date(2026, 12, 1),
        "2026-12-01",
        "2026-12-01T01:00:00+01:00",
    ],
)
def test_shares_that_change_have_a_time(began: Any) -> None:
    """As YAML reads it, or as text; UTC where no offset is said. The order of arms is one."""
    (found,) = experiments_of(settings(ramped({"b": 0.5, "a": 0.5}, began=began)))
    assert found.allocation == (("a", 0.9), ("b", 0.1))
    assert found.ramp == ((1796083200.0, (("a", 0.5), ("b", 0.5))),)


def test_what_is_documented_is_an_experiment() -> None:
    """Of latency and of an outcome less is better."""
    (found,) = experiments_of(settings(CONTRACT))
    assert (found.name, found.control, dict(found.allocation)) == (
        "new-prompt", "a", {"a": 0.5, "b": 0.5}
    )  # fmt: skip
    assert [one.less_is_better for one in found.metrics] == [False, False, True, True]
    assert [one.is_mean for one in found.metrics] == [False, True, False, False]
    assert found.metrics[1].bounds == (0, 500)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            CONTRACT | {"dimension": "varient"},
            r"experiments\[0\].dimension: .*did you mean variant",
        ),
        (CONTRACT | {"control": "A"}, r"experiments\[0\].control: 'A' is not one of the arms"),
        (CONTRACT | {"allocation": {"a": 0.5, "b": 0.4}}, r"add up to 0.9, not to 1"),
        (ramped({"a": 0.5, "b": 0.4}), r"allocation\[1\]: the shares .* add up to 0.9, not to 1"),
        (ramped({"a": 0.5, "c": 0.5}), r"allocation\[1\]: has other arms \(a, c\) than .*\(a, b\)"),
        (ramped({"a": 0.5, "b": "0.5"}), r"allocation\[1\]: the share of 'b' is not above 0 and"),
        (
            ramped(EVEN, began=None),
            r"allocation\[1\].from: give the time .* as 2026-12-01T00:00:00Z",
        ),
        (ramped(EVEN, began="soon"), r"allocation\[1\].from: give the time"),
        (
            ramped(EVEN, EVEN),
            r"allocation\[2\].from: is not later than that of experiments\[0\].allocation\[1\]",
        ),
        (
            CONTRACT | {"allocation": [EVEN | {"from": "2026-12-01"}]},
            r"allocation\[0\].from: the first shares hold from the beginning",
        ),
        (CONTRACT | {"allocation": [{}]}, r"allocation\[0\]: has other arms \(none\)"),
        (CONTRACT | {"control": "c", "allocation": [EVEN]}, r"control: 'c' is not one of the arms"),
        (
            CONTRACT | {"horizon": 700_000},
            r"experiments\[0\].horizon: 700000 s is longer than outcomes.wait, 604800 s, after which",
        ),
        (CONTRACT | {"follow_up": 60}, r"experiments\[0\].follow_up: needs experiments\[0\].unit"),
        (CONTRACT | {"unit": "usr"}, r"experiments\[0\].unit: 'usr' is not one of outcomes.key"),
        (CONTRACT | {"unit": "variant"}, r"experiments\[0\].unit: 'variant' is not one of"),
        (
            CONTRACT | {"paired": "trace"},
            r"experiments\[0\].paired: 'trace' is not trace_id, minute or hour, nor",
        ),
        (CONTRACT | {"paired": "trace_id"}, r"experiments\[0\].allocation: goes not with experi"),
        (
            CONTRACT | {"paired": "trace_id", "allocation": {}, "unit": "population"},
            r"experiments\[0\].unit: goes not with experiments\[0\].paired",
        ),
        (
            ramped(EVEN) | {"paired": "minute"},
            r"experiments\[0\].allocation: shares that change go not with experiments\[0\].paired",
        ),
        (with_metric(event="x", per="y"), r"metrics\[0\].per: needs experiments\[0\].unit"),
        (with_metric(), "give one of event, outcome, latency_above and of"),
        (with_metric(event="x", of="label"), "give one of event, outcome, latency_above and of"),
        (with_metric(outcome="server_eror"), "did you mean server_error"),
        (with_metric(event="x", bounds=[0, 1]), "bounds: are for aggregate: mean"),
        (with_metric(event="x", aggregate="mean", bounds=[1, 0]), "the lower one first"),
        (with_metric(event="x", aggregate="mean", bounds=[1]), "give two numbers"),
        (with_metric(of="rating"), "of rating there is a mean only"),
        (with_metric(event="x", margin=2), "margin: 2 is not below 1"),
        (CONTRACT | {"metrics": [CONTRACT["metrics"][0]] * 2}, "name of another metric"),
    ],
)
def test_a_contradiction_is_named(given: dict[str, Any], sentence: str) -> None:
    """The key, and what would be right."""
    with pytest.raises(ConfigError, match=sentence):
        experiments_of(settings(given))


def test_two_experiments_have_two_names() -> None:
    """Their metrics are told apart by it."""
    with pytest.raises(ConfigError, match=r"experiments\[1\].name"):
        experiments_of(settings(CONTRACT, CONTRACT))
    assert len(experiments_of(settings(CONTRACT, CONTRACT | {"name": "other"}))) == 2


def test_a_horizon_is_at_most_the_wait() -> None:
    """One as long is none: then outcomes are due."""
    given = [CONTRACT | {"name": f"{one}", "horizon": one} for one in (3600, 604_800)]
    assert [one.horizon for one in experiments_of(settings(*given))] == [3600.0, None]


def test_users_that_are_followed_may_be_counted_once_each() -> None:
    """`per` the unit is that; by another name it is an event's."""
    given = CONTRACT | {"unit": "population", "follow_up": 600, "metrics": [
        {"name": "ever", "event": "sold", "per": "population"},
        {"name": "revenue", "event": "revenue", "aggregate": "mean", "per": "population"},
        {"name": "each", "event": "sold", "per": "seen"},
    ]}  # fmt: skip
    (found,) = experiments_of(settings(given))
    assert found.follow_up == 600
    assert [(one.of_units, one.per, one.is_mean) for one in found.metrics] == [
        (True, "", False), (True, "", True), (False, "seen", True),
    ]  # fmt: skip


def test_arms_may_be_compared_minute_by_minute() -> None:
    """With the shares that they are given; of pairs of requests there are none."""
    (found,) = experiments_of(settings(CONTRACT | {"paired": "minute"}))
    assert (found.unit, found.paired) == ("minute", True)
    assert dict(found.allocation) == {"a": 0.5, "b": 0.5}
