"""Exchanges of users who come often: what they say is as much as so many users do."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator

import pytest

from monitor.analysis.experiments.declared import Experiment, Metric
from monitor.analysis.experiments.monitor import ExperimentsMonitor
from monitor.analysis.experiments.units import BUCKETS, LEAST, Clusters, Units, judged
from monitor.rows import Row, Truth
from monitor.sequential.confidence_sequences import Moments
from monitor.texts import numbered

EVEN = (("a", 0.5), ("b", 0.5))
CLICKED = Metric("clicked", "event", "clicked")
PER_VIEW = Metric("per view", "event", "clicked", is_mean=True, per="seen")
BROKEN = Metric("broken", "event", "broken", guardrail=True, margin=0.05, less_is_better=True)
BY_USER = Experiment(
    "prompt", "variant", "a", (CLICKED, PER_VIEW, BROKEN), EVEN, 0.05, 20_000, unit="user"
)


def exchanges(
    seed: int, users: int, each: int = 20, *, better: float = 0.0, spread: float = 2.0
) -> Iterator[Row]:
    """Each user is in one arm and comes so often, at any time; how likely they click differs by
    `spread` logits, and is larger in `b`."""
    rng = random.Random(seed)
    of = [
        (user, rng.choice("ab"), rng.gauss(-1, spread)) for user in range(users)
    ]  # fmt: skip
    coming = [one for one in of for _ in range(each)]
    rng.shuffle(coming)
    for at, (user, arm, logit) in enumerate(coming):
        rate = 1 / (1 + math.exp(-logit - better * (arm == "b")))
        events = {"seen": 2.0} | ({"clicked": 1.0} if rng.random() < rate else {})
        truth = Truth(events=events, units={"user": numbered(f"{seed}/{user}")})
        yield Row(float(at), {"variant": arm}, [], truth=truth)


def monitor(experiment: Experiment = BY_USER) -> ExperimentsMonitor:
    return ExperimentsMonitor([experiment], positive="1", pane=None)


def fed(found: ExperimentsMonitor, rows: Iterator[Row]) -> ExperimentsMonitor:
    for row in rows:
        found.add(row, 0, row.at)
    return found


def verdicts(found: ExperimentsMonitor) -> dict[str, str]:
    return {one.metric: one.verdict for one in found.findings()}


def test_users_who_resemble_themselves_are_no_evidence_that_arms_differ() -> None:
    """In 8 runs with 20 exchanges of each user no verdict is ever wrong, in 10 looks; those that
    count each exchange are wrong in a third of them and more."""
    # If one of four were, that would be found with a probability of 90 %.
    alone = Experiment("prompt", "variant", "a", (CLICKED,), EVEN, 0.02, 20_000)
    wrong = {"user": 0, "": 0}
    for seed in range(4, 12):
        for experiment in (BY_USER, alone):
            found = monitor(experiment)
            for number, row in enumerate(exchanges(seed, 500)):
                found.add(row, 0, row.at)
                if number % 1000 == 999 and {"better", "worse"} & {verdicts(found)["clicked"]}:
                    wrong[experiment.unit] += 1
                    break
    assert wrong["user"] == 0
    assert wrong[""] >= 3


def test_an_effect_is_found_and_a_guardrail_holds() -> None:
    """The ratio to another event is half as large, as each exchange has two of these."""
    found = fed(monitor(), exchanges(1, 2500, each=8, better=1.5))
    assert verdicts(found) == {"clicked": "better", "per view": "better", "broken": "keep_going"}
    clicked, per_view, _ = found.findings()
    assert clicked.effect is not None
    assert clicked.relative is not None
    assert clicked.relative_lower is not None
    assert per_view.effect == pytest.approx(clicked.effect / 2)
    assert 0 < clicked.relative_lower < clicked.relative


def test_few_users_have_no_interval() -> None:
    """However often each of them comes."""
    found = fed(monitor(), exchanges(1, LEAST // 2, each=40, better=3))
    assert {one.lower for one in found.findings()} == {None}
    assert set(verdicts(found).values()) == {"keep_going"}


def test_sums_by_bucket_are_what_the_delta_method_needs() -> None:
    """One after the other they are what they are at once."""
    clusters, sums = Clusters(), [[0, 0] for _ in range(BUCKETS)]
    rng = random.Random(3)
    for _ in range(5000):
        unit, value, base = rng.randrange(1 << 64), rng.randrange(-3, 9), rng.randrange(1, 4)
        clusters.add(unit, value, base)
        sums[unit % BUCKETS][0] += value << 20
        sums[unit % BUCKETS][1] += base << 20
    used = [(x, k) for x, k in sums if k]
    assert clusters.moments == Moments(
        len(used), sum(x for x, _ in used), sum(k for _, k in used), sum(x * x for x, _ in used),
        sum(x * k for x, k in used), sum(k * k for _, k in used),
    )  # fmt: skip


def test_an_arm_without_a_base_is_not_judged() -> None:
    """There is no ratio to nothing."""
    one, other = Clusters(), Clusters()
    one.add(1, 1.0, 1.0)
    other.add(2, 1.0, 0.0)
    assert judged(one, other, 1000, 0.05) is None


def test_shards_add_up_bit_for_bit() -> None:
    """And so does what was saved and restored."""
    rows = list(exchanges(2, 600, better=1.0))
    whole = fed(monitor(), iter(rows))
    parts = [fed(monitor(), iter(rows[start::3])) for start in range(3)]
    parts[0].merge(parts[2])
    parts[0].merge(parts[1])
    assert parts[0].findings() == whole.findings()
    again = monitor()
    again.restore(whole.state(), newest=0.0, place=int, keeps=lambda _: True)
    assert again.findings() == whole.findings()
    assert list(again.measurements("e")) == list(whole.measurements("e"))


def test_counts_by_another_unit_are_not_gone_on_with() -> None:
    """Nor those of exchanges, where there is a unit now; what was kept of them is removed."""
    alone = Experiment("prompt", "variant", "a", (CLICKED,), EVEN)
    before = fed(monitor(), exchanges(2, 300)).state()
    found = monitor(alone)
    found.restore(before, newest=0.0, place=int, keeps=lambda _: True)
    assert [one.samples for one in found.findings()] == [0]
    assert {name for name, kept in found.state().items() if not kept} == before.keys() - {"exposed"}


def test_a_user_in_two_arms_is_said_and_counted() -> None:
    """In whatever order the exchanges come."""
    found = fed(monitor(), exchanges(1, 300))
    row = Row(-1.0, {"variant": "a"}, [], truth=Truth(units={"user": 7}))
    for arm in "ab":
        found.add(Row(-1.0, {"variant": arm}, [], truth=row.truth), 0, -1.0)
    assert {one.reason for one in found.findings()} == {
        "1 of 301 values of user were seen in more than one arm"
    }
    told = {
        one.labels["arms"]: one.value for one in found.measurements("e")
        if one.name == "monitor_experiment_units"
    }  # fmt: skip
    assert told == {"all": 301.0, "several": 1.0}


def test_an_exchange_without_a_user_is_left_out_and_said() -> None:
    """It could be anybody's."""
    found = fed(monitor(), exchanges(1, 300))
    before = [one.samples for one in found.findings()]
    found.add(Row(0.0, {"variant": "a"}, [], truth=Truth()), 0, 0.0)
    assert [one.samples for one in found.findings()] == before
    assert {one.reason for one in found.findings()} == {"1 exchanges have no user"}


def test_users_not_exchanges_are_held_against_the_shares() -> None:
    """Of `b` each comes more often, which is no mismatch; a third of the users are."""
    units = Units()
    for user in range(3000):
        for _ in range(1 + 9 * (user % 2)):
            units.add(numbered(str(user)), "ab"[user % 2], 0.0)
    assert units.mismatch(EVEN) < 0
    uneven = Units()
    for user in range(3000):
        uneven.add(numbered(str(user)), "ab"[user % 3 == 0], 0.0)
    assert uneven.mismatch(EVEN) > 100


def test_of_too_many_users_an_even_share_is_known() -> None:
    """The same one in whatever order they come, and in shards."""
    coming = [(numbered(str(user)), "ab"[user % 2], float(user)) for user in range(5000)]
    coming += [(numbered(str(user)), "a", float(user)) for user in range(0, 5000, 5)]
    whole, back, part, other = (Units(1000) for _ in range(4))
    for place, one in enumerate(coming):
        whole.add(*one)
        (part if place % 3 else other).add(*one)
    for one in reversed(coming):
        back.add(*one)
    part.merge(other)
    kept = [(len(one), one.several, one.mismatch(EVEN)) for one in (whole, back, part)]
    assert kept[0] == kept[1] == kept[2]
    assert len(whole) == pytest.approx(5000, rel=0.1)
    assert whole.several == pytest.approx(500, rel=0.3)


@pytest.mark.parametrize("count", [0, 1, 256, 1000])
def test_what_is_known_of_units_comes_back(count: int) -> None:
    """Of however many there are; one in three was seen in both arms."""
    units = Units()
    for user in range(count):
        for arm in "ab"[: 1 + (user % 3 == 0)]:
            units.add(numbered(str(user)), arm, user / 7)
    units.unnamed = 3
    again = Units.restored(units.saved())
    assert again.saved() == units.saved()
    assert (len(again), again.several, again.unnamed) == (count, -(-count // 3), 3)
    assert again.mismatch(EVEN) == units.mismatch(EVEN)


PAIRED = Experiment(
    "shadow", "variant", "a", (CLICKED,), minimum_effect=0.05, planned=4000, unit="trace_id",
    paired=True,
)  # fmt: skip


def pairs(seed: int, count: int, rate: float) -> Iterator[Row]:
    """Both arms answer the same requests, which are easy or hard for both; at this rate each turns
    out otherwise."""
    rng = random.Random(seed)
    for number in range(count):
        is_easy = rng.random() < 0.5
        for arm in "ab":
            events = {"clicked": 1.0} if is_easy != (rng.random() < rate) else {}
            truth = Truth(events=events, units={"trace_id": numbered(f"{seed}/{number}")})
            yield Row(float(number), {"variant": arm}, [], truth=truth)


def test_answers_to_the_same_requests_are_compared_with_each_other() -> None:
    """What makes requests easy or hard is no chance: the interval is half as wide."""
    alone = dataclasses.replace(PAIRED, paired=False)
    widths = []
    for experiment in (PAIRED, alone):
        (one,) = fed(monitor(experiment), pairs(1, 2000, 0.05)).findings()
        assert one.lower is not None
        assert one.upper is not None
        widths.append(one.upper - one.lower)
        assert (one.reason == "") == experiment.paired
    assert widths[0] < 0.55 * widths[1]


def test_paired_arms_that_are_equal_are_not_told_apart() -> None:
    """In 15 runs with 10 looks none are."""
    # At most two in 40 would find one false verdict in ten runs as often: 79 %.
    wrong = 0
    for seed in range(15):
        found = monitor(PAIRED)
        for number, row in enumerate(pairs(seed, 1500, 0.1)):
            found.add(row, 0, row.at)
            if number % 300 == 299 and {"better", "worse"} & {verdicts(found)["clicked"]}:
                wrong += 1
                break
    assert wrong == 0


def test_a_request_that_one_arm_alone_answered_is_said() -> None:
    """It counts for its arm; whoever reads the verdict should know how many there are."""
    found = fed(monitor(PAIRED), iter(list(pairs(1, 300, 0.1))[:-1]))
    (one,) = found.findings()
    assert one.reason == "1 of 300 values of trace_id were seen in one arm alone"
    assert not [one for one in found.measurements("e") if one.name == "monitor_experiment_units"]


SLOW = Metric("slow", "latency", 2.0, less_is_better=True)
BY_MINUTE = dataclasses.replace(PAIRED, metrics=(SLOW,), unit="minute", planned=20_000)


def shaken(seed: int, minutes: int, *, slower: float = 0.0) -> Iterator[Row]:
    """Arms on machines of their own, each of which is slow for all or for none in a minute."""
    rng = random.Random(seed)
    for minute in range(minutes):
        for arm in "ab":
            logit = rng.gauss(-1 + slower * (arm == "b"), 1.5)
            rate = 1 / (1 + math.exp(-logit))
            for _ in range(20):
                took = 3.0 if rng.random() < rate else 1.0
                truth = Truth(duration=took)
                yield Row(60.0 * minute + rng.uniform(0, 59), {"variant": arm}, [], truth=truth)


def misled(experiment: Experiment, seed: int) -> bool:
    found = monitor(experiment)
    for number, row in enumerate(shaken(seed, 260)):
        found.add(row, 0, row.at)
        if number % 2000 == 1999 and {"better", "worse"} & {verdicts(found)["slow"]}:
            return True
    return False


def test_what_shakes_a_machine_for_a_minute_is_no_difference_of_arms() -> None:
    """Minute by minute in none of three runs; counted as so many exchanges it is in two of them."""
    alone = dataclasses.replace(BY_MINUTE, unit="", paired=False)
    assert not [seed for seed in range(3) if misled(BY_MINUTE, seed)]
    assert len([seed for seed in range(3) if misled(alone, seed)]) >= 2


def test_minute_by_minute_a_slower_arm_is_found() -> None:
    """And exchanges, not minutes, are held against the shares of the arms."""
    found = fed(
        monitor(dataclasses.replace(BY_MINUTE, allocation=EVEN)), shaken(1, 400, slower=1.0)
    )
    assert verdicts(found) == {"slow": "worse"}
    uneven = dataclasses.replace(BY_MINUTE, allocation=(("a", 0.6), ("b", 0.4)))
    assert verdicts(fed(monitor(uneven), shaken(1, 400))) == {"slow": "invalid"}
