"""Experiments as they are watched: verdicts that may be read at every moment."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from typing import Any

import pytest

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.experiments.run import ARMS
from monitor.rows import Row, Truth

CONVERTED = Metric("converted", "event", "converted")
ERRORS = Metric(
    "errors", "outcome", "server_error", guardrail=True, margin=0.02, less_is_better=True
)
EVEN = (("a", 0.5), ("b", 0.5))


def experiment(**changes: Any) -> Experiment:
    declared = {"metrics": (CONVERTED, ERRORS), "allocation": EVEN, "minimum_effect": 0.03}
    return Experiment("prompt", "variant", "a", **(declared | changes))


def monitor(*experiments: Experiment, pane: float | None = None) -> ExperimentsMonitor:
    return ExperimentsMonitor(experiments, positive="1", pane=pane)


def exchanges(
    seed: int, count: int, rates: dict[str, float], *, errors: float = 0.05, share: float = 0.5
) -> Iterator[Row]:
    """Of the control `a` and others, which convert at these rates; `errors` are the others'."""
    rng = random.Random(seed)
    others = [one for one in rates if one != "a"]
    for number in range(count):
        arm = "a" if rng.random() < share else rng.choice(others)
        events = {"converted": 1.0} if rng.random() < rates[arm] else {}
        failed = rng.random() < (0.05 if arm == "a" else errors)
        truth = Truth(events=events, outcome="server_error" if failed else "ok")  # type: ignore[arg-type]
        yield Row(float(number), {"variant": arm}, [], truth=truth)


def fed(found: ExperimentsMonitor, rows: Iterator[Row], each: int = 200) -> ExperimentsMonitor:
    for number, row in enumerate(rows):
        if number and number % each == 0:
            found.close(number // each - 1, float)
        found.add(row, number // each, row.at)
    found.close(1 << 30, float)
    return found


def verdicts(found: ExperimentsMonitor) -> dict[tuple[str, str], str]:
    return {(one.variant, one.metric): one.verdict for one in found.findings()}


@pytest.mark.parametrize("pane", [None, 60.0])
def test_a_better_variant_is_found(pane: float | None) -> None:
    """And its guardrail holds."""
    found = fed(monitor(experiment(), pane=pane), exchanges(1, 9000, {"a": 0.10, "b": 0.16}))
    assert verdicts(found) == {("b", "converted"): "better", ("b", "errors"): "no_difference"}
    (effect,) = [one for one in found.findings() if one.metric == "converted"]
    assert effect.effect == pytest.approx(0.06, abs=0.02)
    assert effect.lower is not None
    assert 0 <= effect.lower < 0.06


def test_a_guardrail_that_is_broken_is_worse() -> None:
    """Though the decision metric has no verdict."""
    rows = exchanges(1, 4000, {"a": 0.1, "b": 0.1}, errors=0.15)
    assert verdicts(fed(monitor(experiment()), rows))["b", "errors"] == "worse"


def test_equal_arms_are_not_told_apart() -> None:
    """Read after every 125 exchanges, in 20 runs: at most one ever has a false verdict."""
    # Where one of five had, it would be found with a probability of 93 %.
    wrong = 0
    for seed in range(20):
        found = monitor(experiment())
        for number, row in enumerate(exchanges(seed, 1000, {"a": 0.1, "b": 0.1})):
            found.add(row, 0, row.at)
            if number % 125 == 124 and {"better", "worse"} & set(verdicts(found).values()):
                wrong += 1
                break
    assert wrong <= 1


def test_exchanges_that_do_not_come_as_declared_make_every_verdict_invalid() -> None:
    """No effect is shown, and it is said why."""
    found = fed(monitor(experiment()), exchanges(1, 4000, {"a": 0.1, "b": 0.3}, share=0.4))
    for one in found.findings():
        assert (one.verdict, one.effect, one.lower) == ("invalid", None, None)
        assert "do not come to the arms of variant as declared" in one.reason
    (told,) = [
        one.value for one in found.measurements("e")
        if one.name == "monitor_experiment_allocation_log_evidence"
    ]  # fmt: skip
    assert told > 4.6


def test_an_arm_that_is_misspelt_makes_the_experiment_invalid() -> None:
    """Its exchanges are of no arm, and the declared one never comes."""
    declared = experiment(allocation=(("a", 0.5), ("B", 0.5)))
    found = fed(monitor(declared), exchanges(1, 2000, {"a": 0.1, "b": 0.1}))
    assert set(verdicts(found).values()) == {"invalid"}
    assert all("are of no arm that was declared, such as 'b'" in one.reason
               for one in found.findings())  # fmt: skip
    again = monitor(declared)
    again.restore(found.state(), newest=0.0, place=int, keeps=lambda _: True)
    assert again.findings() == found.findings()


def test_strangers_are_named() -> None:
    """Exchanges of no declared arm are not compared, and said."""
    rows = [
        *exchanges(1, 1000, {"a": 0.1, "b": 0.1}),
        Row(0.0, {"variant": "c"}, [], truth=Truth()),
    ]
    found = fed(monitor(experiment()), iter(rows))
    assert {one.reason for one in found.findings()} == {
        "1 exchanges are of no arm that was declared, such as 'c'"
    }
    rows[-1] = Row(0.0, {"variant": "other"}, [], truth=Truth())
    found = fed(monitor(experiment()), iter(rows))
    assert {one.reason for one in found.findings()} == {
        "1 exchanges are of no arm that was declared, or came before it had been seen "
        "privacy.min_group times, such as 'other'"
    }


def test_without_an_allocation_every_value_is_an_arm() -> None:
    """Up to a bound; each beside the control."""
    rates = {"a": 0.1} | {f"v{place}": 0.1 for place in range(50)}
    found = fed(monitor(experiment(allocation=())), exchanges(1, 3000, rates))
    assert len({one.variant for one in found.findings()}) == ARMS - 1
    assert "invalid" not in verdicts(found).values()


def test_values_that_are_too_rare_to_be_told_apart_are_no_arm() -> None:
    """`other` is a mix of them; with a `min_group` every arm begins in it."""
    rates = {"a": 0.1, "b": 0.1, "other": 0.9}
    found = fed(monitor(experiment(allocation=())), exchanges(1, 2000, rates))
    assert {one.variant for one in found.findings()} == {"b"}
    assert all("too rare to be told apart, such as 'other'" in one.reason
               for one in found.findings())  # fmt: skip


@pytest.mark.parametrize("is_mean", [False, True])
def test_the_control_may_come_before_all_other_arms(is_mean: bool) -> None:
    """As in a table that is sorted by arm: the effect is that of the arms in any order."""
    metrics = (Metric("converted", "event", "converted", is_mean=is_mean),)
    rates = {"a": 0.2, "b": 0.4, "c": 0.2}
    rows = list(exchanges(8, 3_000, rates))
    mixed = fed(monitor(experiment(allocation=(), metrics=metrics)), iter(rows))
    rows.sort(key=lambda row: row.segments["variant"])
    found = fed(monitor(experiment(allocation=(), metrics=metrics)), iter(rows))
    effects = {one.variant: one.effect for one in found.findings()}
    assert effects == {one.variant: one.effect for one in mixed.findings()}
    assert 0.1 < (effects["b"] or 0) < 0.3
    again = monitor(experiment(allocation=(), metrics=metrics))
    again.restore(found.state(), newest=0.0, place=lambda pane: pane, keeps=lambda _: True)
    assert again.findings() == found.findings()


def test_a_control_that_nobody_had_is_named() -> None:
    """A misspelt one compares nothing, and says so."""
    misspelt = experiment(allocation=(), metrics=(CONVERTED,))
    misspelt = dataclasses.replace(misspelt, control="A")
    found = fed(monitor(misspelt), exchanges(9, 200, {"a": 0.1, "b": 0.1}))
    assert {one.reason for one in found.findings()} == {
        "no exchange is of the control 'A', so nothing can be compared"
    }


def test_rows_without_truth_or_arm_are_left_out() -> None:
    """And an experiment without exchanges goes on."""
    rows = [Row(0.0, {"variant": "a"}, []), Row(0.0, {}, [], truth=Truth())]
    found = fed(monitor(experiment()), iter(rows))
    assert set(verdicts(found).values()) == {"keep_going"}
    assert all(one.samples == 0 for one in found.findings())


@pytest.mark.parametrize("pane", [None, 60.0])
def test_a_restart_changes_nothing(pane: float | None) -> None:
    """What was saved in the middle goes on to the same findings, bit for bit."""
    rows = list(exchanges(3, 3000, {"a": 0.1, "b": 0.2}))
    whole, first, second = (monitor(experiment(), pane=pane) for _ in range(3))
    for number, row in enumerate(rows):
        for one in (whole, second if number >= 1510 else first):
            if number % 200 == 0:
                one.close(number // 200 - 1, lambda pane: 60.0 * pane)
            one.add(row, number // 200, row.at)
        if number == 1509:
            second.restore(first.state(), newest=0.0, place=lambda p: p, keeps=lambda _: True)
    assert whole.findings() == second.findings()
    assert whole.timelines() == second.timelines()
    assert whole.state().keys() == second.state().keys()


def test_a_timeline_says_what_was_known_when_a_pane_was_closed() -> None:
    """What the findings were at that moment, of every metric; of one pane alone there is none."""
    whole, seen = monitor(experiment(), pane=60.0), []
    for number, row in enumerate(exchanges(3, 3000, {"a": 0.1, "b": 0.2})):
        if number and number % 200 == 0:
            whole.close(number // 200 - 1, lambda pane: 60.0 * pane)
            seen.append(
                {one.metric: (one.effect, one.lower, one.samples) for one in whole.findings()}
            )
        whole.add(row, number // 200, row.at)
    told = {one.metric: one.looks for one in whole.timelines()}
    assert told.keys() == {"converted", "errors"}
    for metric, looks in told.items():
        assert [look.at for look in looks] == [60.0 * pane for pane in range(14)]
        assert [(look.effect, look.lower, look.samples) for look in looks] == [
            one[metric] for one in seen
        ]
    assert fed(monitor(experiment()), exchanges(3, 500, {"a": 0.1, "b": 0.2})).timelines() == []


def test_what_is_no_longer_declared_is_forgotten() -> None:
    """An experiment, a metric, or a dimension that means something else now."""
    state = fed(monitor(experiment()), exchanges(1, 2000, {"a": 0.1, "b": 0.2})).state()
    other = monitor(experiment(metrics=(CONVERTED,)))
    other.restore(state, newest=0.0, place=lambda p: p, keeps=lambda _: True)
    assert {one.metric for one in other.findings()} == {"converted"}
    assert {one.metric for one in other.timelines()} <= {"converted"}
    assert all(one.samples > 0 for one in other.findings())
    changed = monitor(experiment())
    changed.restore(state, newest=0.0, place=lambda p: p, keeps=lambda _: False)
    assert all(one.samples == 0 for one in changed.findings())


@pytest.mark.parametrize("allocation", [EVEN, ()])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_shards_add_up_before_a_pane_is_closed(
    allocation: tuple[tuple[str, float], ...], is_sorted: bool
) -> None:
    """Two analyzers that share a pane find what one would, also where each has seen other arms."""
    shared = experiment(allocation=allocation)
    whole, one, other = (monitor(shared, pane=60.0) for _ in range(3))
    for number, row in enumerate(exchanges(6, 3000, {"a": 0.1, "b": 0.2})):
        is_ours = row.segments["variant"] == "a" if is_sorted else number % 3 > 0
        whole.add(row, number // 500, row.at)
        (one if is_ours else other).add(row, number // 500, row.at)
    one.merge(other)
    for each in (whole, one):
        each.close(99, float)
    assert one.findings() == whole.findings()


def test_shards_that_closed_a_block_are_refused() -> None:
    """Before anything of them is added."""
    one, other = monitor(experiment()), monitor(experiment())
    for row in exchanges(6, 300, {"a": 0.1, "b": 0.2}):
        other.add(row, 0, row.at)
    with pytest.raises(ValueError, match="before a pane is closed"):
        one.merge(other)
    assert all(found.samples == 0 for found in one.findings())


def test_measurements_are_the_findings() -> None:
    """One verdict of each holds."""
    found = fed(monitor(experiment()), exchanges(1, 3000, {"a": 0.1, "b": 0.2}))
    samples = list(found.measurements("e"))
    holds = [one for one in samples if one.name == "monitor_experiment_verdict" and one.value]
    assert {(one.labels["metric"], one.labels["verdict"]) for one in holds} == {
        (one.metric, one.verdict) for one in found.findings()
    }
    effects = {
        one.labels["metric"]: one.value for one in samples
        if one.name == "monitor_experiment_effect"
    }  # fmt: skip
    assert effects == {one.metric: one.effect for one in found.findings()}


RAMP = {"allocation": (("a", 0.9), ("b", 0.1)), "ramp": ((4000.0, EVEN),)}
PAID = Metric("paid", "event", "converted", is_mean=True)


def ramped(seed: int, *, better: float = 0.0, users: int = 0) -> list[Row]:
    """Exchanges of equal arms, 9 : 1 and then 1 : 1, while the rate rises from .1 to .3. An exchange
    takes 50 s, so the first that began with the later shares ended at 4,050."""
    rng, rows = random.Random(seed), []
    for at in range(50, 8000):
        is_late = at >= 4050
        arm = "b" if rng.random() < (0.5 if is_late else 0.1) else "a"
        said = rng.random() < (0.3 if is_late else 0.1) + better * (arm == "b")
        user = {"user": rng.getrandbits(64)} if users else {}
        truth = Truth(events={"converted": 1.0} if said else {}, duration=50.0, units=user)
        rows.append(Row(float(at), {"variant": arm}, [], truth=truth))
    return rows


@pytest.mark.parametrize("unit", ["", "user"])
@pytest.mark.parametrize("pane", [None, 60.0])
def test_a_ramp_as_declared_is_no_effect(pane: float | None, unit: str) -> None:
    """Each exchange is held against the shares of when it began, and arms are compared within one
    allocation: over all, `b` has most of the good hours, and seems to be a half better."""
    rows = ramped(1, users=1 if unit else 0)
    wants = experiment(metrics=(CONVERTED, PAID), unit=unit, **RAMP)
    found = fed(monitor(wants, pane=pane), iter(rows))
    assert {one.verdict for one in found.findings()} <= {"keep_going", "no_difference"}
    assert all(abs(one.effect or 0.0) < 0.03 for one in found.findings())
    assert all(one.upper is not None and one.upper < 0.06 for one in found.findings())
    pooled = fed(
        monitor(experiment(metrics=(PAID,), allocation=(), unit=unit), pane=pane), iter(rows)
    )
    assert [one.verdict for one in pooled.findings()] == ["better"]
    better = fed(monitor(wants, pane=pane), iter(ramped(2, better=0.1, users=1 if unit else 0)))
    assert [one.verdict for one in better.findings()] == ["better", "better"]
    assert all(one.effect == pytest.approx(0.1, abs=0.03) for one in better.findings())


@pytest.mark.parametrize("unit", ["", "user"])
@pytest.mark.parametrize(("began", "is_invalid"), [(4000.0, False), (3000.0, True), (5000.0, True)])
def test_shares_that_change_at_another_time_are_invalid(
    began: float, is_invalid: bool, unit: str
) -> None:
    """Though over all they may come as they were to."""
    declared = RAMP | {"ramp": ((began, EVEN),)}
    found = fed(monitor(experiment(unit=unit, **declared)), iter(ramped(3, users=1)))
    assert ("invalid" in verdicts(found).values()) == is_invalid


@pytest.mark.parametrize("unit", ["", "user"])
def test_a_ramp_is_the_same_in_shards_and_after_a_restart(unit: str) -> None:
    """Bit for bit."""
    wants = experiment(metrics=(CONVERTED, PAID), unit=unit, **RAMP)
    rows = ramped(4, users=1)
    whole = fed(monitor(wants, pane=60.0), iter(rows))
    again, parts = monitor(wants, pane=60.0), [monitor(wants, pane=60.0) for _ in range(2)]
    for number, row in enumerate(rows):
        parts[number % 2].add(row, number // 200, row.at)
    parts[0].merge(parts[1])
    parts[0].close(1 << 30, float)
    assert parts[0].findings() == whole.findings()
    before = fed(monitor(wants, pane=60.0), iter(rows[:5000]))
    again.restore(before.state(), newest=0.0, place=int, keeps=lambda _: True)
    for number, row in enumerate(rows[5000:], 5000):
        if number % 200 == 0:
            again.close(number // 200 - 1, float)
        again.add(row, number // 200, row.at)
    again.close(1 << 30, float)
    assert again.findings() == whole.findings()
    assert list(again.measurements("e")) == list(whole.measurements("e"))
