"""Fairness by groups: what is believed, what is not, and that nothing depends on restarts."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import pytest

from monitor.analysis.fairness import monitor as fairness_monitor
from monitor.analysis.fairness.gaps import Gap
from monitor.analysis.fairness.monitor import FairnessMonitor
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Fairness
from monitor.rows import Row, Truth
from tests.analysis.fairness.test_gaps import BERKELEY

ALPHA = 0.05
PANE = 60.0


def monitor(
    *, pane: float | None = None, strata: Iterable[str] = (), dimensions: Iterable[str] = ("sex",),
    **rules: Any,
) -> FairnessMonitor:  # fmt: skip
    fair = {"fair": tuple(dimensions), "strata": tuple(strata)}
    return FairnessMonitor(OutcomeRules(pane=pane, **fair, **rules), ALPHA)


def people(seed: int, count: int, rates: dict[str, float], **more: Any) -> Iterator[Row]:
    """Rows of groups that come equally often, selected with these rates."""
    rng = random.Random(seed)
    for number in range(count):
        group = rng.choice(list(rates))
        said = "1" if rng.random() < rates[group] else "0"
        yield Row(float(number), {"sex": group}, [], truth=Truth(prediction=said, **more))


def fed(fairness: FairnessMonitor, rows: Iterable[Row], each: int = 100) -> FairnessMonitor:
    """All rows, in panes of so many."""
    for number, row in enumerate(rows):
        if number and number % each == 0:
            fairness.close(number // each - 1, float)
        fairness.add(row, number // each, row.at)
    fairness.close(1 << 30, float)
    return fairness


def alarms(fairness: FairnessMonitor) -> list[Fairness]:
    return [one for one in fairness.findings() if one.status == "alarm"]


@pytest.mark.parametrize("pane", [None, PANE])
def test_a_gap_beyond_what_is_tolerated_is_found(pane: float | None) -> None:
    """Signed, of the group minus the rest, with an interval that holds it."""
    found = fed(monitor(pane=pane), people(1, 4000, {"f": 0.25, "m": 0.5})).findings()
    (one,) = [each for each in found if each.value == "f"]
    assert (one.dimension, one.measure, one.status) == ("sex", "selection_rate", "alarm")
    assert one.gap == pytest.approx(-0.25, abs=0.04)
    assert one.lower is not None
    assert one.upper is not None
    assert one.lower < -0.25 < one.upper


def test_a_gap_that_is_tolerated_raises_no_alarm() -> None:
    """On the border, in none of 15 runs of 2,000 rows."""
    # At most one in 30 would find one false alarm in ten runs hardly more often: 82 %, and not 79.
    for seed in range(15):
        assert not alarms(fed(monitor(), people(seed, 2000, {"f": 0.4, "m": 0.5})))


@pytest.mark.parametrize("ratio", [None, 0.8])
@pytest.mark.parametrize(("rate", "status"), [(0.5, "ok"), (0.25, "insufficient"), (0.05, "alarm")])
def test_nothing_is_well_whose_gap_is_beyond_what_is_tolerated(
    ratio: float | None, rate: float, status: str
) -> None:
    """Of some hundred people it is not certain; nobody says `ok` beside such a number."""
    found = fed(monitor(fair_ratio=ratio), people(1, 300, {"f": rate, "m": 0.5})).findings()
    assert {one.status for one in found} == {status}
    uncertain = "more than is tolerated, and not certain yet"
    assert {one.reason for one in found} == {uncertain if status == "insufficient" else ""}


def test_within_strata_the_number_of_all_is_no_reason_to_doubt() -> None:
    """They are compared within departments, where the gaps are tolerated."""
    found = fed(monitor(strata=("department",)), berkeley(1)).findings()
    assert {abs(one.gap or 0) > 0.1 for one in found} == {True}
    assert {one.status for one in found} == {"ok"}


def test_ten_groups_without_a_gap_raise_no_alarm() -> None:
    """The four-fifths rule of the best group would cry out in nearly each of these runs."""
    rates = {f"g{place}": 0.3 for place in range(10)}
    rule = 0
    for seed in range(12):  # one false alarm in five runs would be found in 93 of 100
        fairness = fed(monitor(fair_minimum=20), people(seed, 1500, rates))
        assert not alarms(fairness)
        counts = [fairness._groups["sex"].beside(name, 0)[:2] for name in rates]
        shares = [x / n for n, x in counts]
        rule += min(shares) < 0.8 * max(shares)
    assert rule > 10


def test_a_small_group_is_not_judged_and_says_why() -> None:
    """Neither is a dimension in which nobody, or everybody, is favoured."""
    rows = [*people(1, 2000, {"m": 0.5}), *people(2, 30, {"f": 0.0})]
    for one in fed(monitor(), rows).findings():
        assert one.status == "insufficient"
        assert "fairness.minimum is 100" in one.reason
    for one in fed(monitor(favourable="yes"), people(1, 2000, {"f": 0.3, "m": 0.6})).findings():
        assert one.status == "insufficient"
        assert one.reason == "all predictions or none are 'yes' (fairness.favourable)"


def test_labels_of_other_names_are_no_gap() -> None:
    """Where none is the favourable class, scores and labels say nothing of each other."""
    rng = random.Random(9)
    rows = []
    for number in range(6000):
        group, score = rng.choice("fm"), rng.random()
        score *= 0.2 if group == "f" else 1.0
        label = "yes" if rng.random() < score else "no"
        rows.append(Row(float(number), {"sex": group}, [], truth=Truth(score=score, label=label)))
    found = {one.measure: one for one in fed(monitor(), rows).findings()}
    for measure in ("calibration", "false_positive_rate"):
        assert found[measure].status == "insufficient"
        assert found[measure].reason == "all labels or none are '1' (fairness.favourable)"


def test_who_says_nothing_is_no_group_and_no_rest() -> None:
    """`none` is not compared, and nobody is compared with it."""
    rows = [*people(1, 1000, {"f": 0.5}), *people(2, 1000, {"none": 0.9})]
    (one,) = fed(monitor(), rows).findings()
    assert (one.value, one.gap, one.status) == ("f", None, "insufficient")


def test_a_protected_attribute_is_a_dimension() -> None:
    """It comes with the truth, and a few people are not spoken of."""

    def rows() -> Iterator[Row]:
        for one in people(3, 3000, {"f": 0.2, "m": 0.5}):
            assert one.truth is not None
            truth = Truth(one.truth.prediction, attributes={"sex": one.segments["sex"]})
            yield Row(one.at, {}, [], truth=truth)
        for number in range(19):
            yield Row(float(number), {}, [], truth=Truth("1", attributes={"sex": "x"}))

    found = fed(monitor(), rows()).findings()
    assert {one.value for one in found} == {"f", "m"}
    assert {one.status for one in found} == {"alarm"}


def berkeley(seed: int) -> list[Row]:
    rows = [
        Row(0.0, {"sex": sex, "department": name}, [], truth=Truth(prediction=said))
        for name, counts in BERKELEY.items()
        for (sex, said), count in zip(
            (("f", "1"), ("f", "0"), ("m", "1"), ("m", "0")), counts, strict=True
        )
        for _ in range(count)
    ]
    random.Random(seed).shuffle(rows)
    return rows


def test_a_gap_that_the_mix_makes_names_its_drivers() -> None:
    """All departments together favour men; hardly any alone does."""
    (women,) = [
        one for one in fed(monitor(fair_tolerance=0.05), berkeley(1)).findings()
        if one.value == "f"
    ]  # fmt: skip
    assert women.status == "alarm"
    assert {one.dimension for one in women.drivers} == {"department"}


def test_within_strata_the_mix_makes_no_gap() -> None:
    """What legitimately differs is never pooled."""
    for seed in range(3):
        fairness = monitor(fair_tolerance=0.05, strata=("department",))
        assert alarms(fed(fairness, berkeley(seed))) == []


def test_scores_that_are_off_for_a_group_are_found() -> None:
    """Calibration of the group, beside that of the rest."""
    rng = random.Random(5)
    rows = []
    for number in range(9000):
        group, score = rng.choice("fm"), rng.random()
        true = min(1.0, score + 0.25 * (group == "f"))
        label = "1" if rng.random() < true else "0"
        rows.append(Row(float(number), {"sex": group}, [], truth=Truth(score=score, label=label)))
    found = {(one.value, one.measure): one for one in fed(monitor(), rows).findings()}
    assert found["f", "calibration"].status == "alarm"
    assert found["f", "calibration"].gap == pytest.approx(0.22, abs=0.05)
    assert found["f", "error_rate"].gap is not None


def test_scores_that_are_off_alike_for_all_groups_are_no_gap() -> None:
    """That is a matter of calibration, and raises its alarm."""
    rng = random.Random(6)
    rows = []
    for _ in range(3000):
        score = rng.random() / 2
        label = "1" if rng.random() < score + 0.4 else "0"
        truth = Truth(score=score, label=label)
        rows.append(Row(0.0, {"sex": rng.choice("fm")}, [], truth=truth))
    found = [one for one in fed(monitor(), rows).findings() if one.measure == "calibration"]
    assert {one.status for one in found} == {"ok"}


@pytest.mark.parametrize("pane", [None, PANE])
def test_a_restart_changes_nothing(pane: float | None) -> None:
    """What was saved in the middle goes on to the same findings, bit for bit."""
    rows = list(people(4, 3000, {"f": 0.3, "m": 0.45, "x": 0.4}, label="1"))
    whole = monitor(pane=pane)
    halves = [monitor(pane=pane), monitor(pane=pane)]
    state: dict[str, bytes] = {}
    for number, row in enumerate(rows):
        at = number // 100
        for one in (whole, halves[number >= 1550]):
            if number % 100 == 0:
                one.close(at - 1, float)
            one.add(row, at, row.at)
        if number == 1549:
            state |= halves[0].state()
            halves[1].restore(state, newest=0.0, place=lambda pane: pane, keeps=lambda _: True)
    assert whole.findings() == halves[1].findings()
    assert whole.findings() != []


def test_shards_add_up_before_a_pane_is_closed() -> None:
    """Two analyzers that share a pane find what one would."""
    rows = list(people(6, 2000, {"f": 0.3, "m": 0.45}, label="1"))
    whole, one, other = (monitor(pane=PANE) for _ in range(3))
    for number, row in enumerate(rows):
        whole.add(row, number // 500, row.at)
        (one if number % 3 else other).add(row, number // 500, row.at)
    one.merge(other)
    for each in (whole, one):
        each.close(3, float)
    assert whole.findings() == one.findings()


@pytest.mark.parametrize("pane", [None, PANE])
def test_what_was_closed_is_not_left_out_in_silence(pane: float | None) -> None:
    """A shard that has closed a pane, or a block by itself, is refused before anything is added."""
    rows = list(people(6, 200, {"f": 0.3, "m": 0.45}, label="1"))
    one, other = monitor(pane=pane), monitor(pane=pane)
    for row in rows:
        other.add(row, 0, row.at)
    if pane is not None:
        other.close(0, float)
    with pytest.raises(ValueError, match="before a pane is closed"):
        one.merge(other)
    assert one.findings() == []


def test_thousands_of_groups_are_bounded() -> None:
    """Names beyond the budget are `other`; a name is shown printable."""
    rng = random.Random(8)
    rows = [
        Row(0.0, {"sex": f"g{rng.randrange(10_000)}\n", "plan": str(number)}, [],
            truth=Truth(prediction=rng.choice("01"), label=rng.choice("01"), score=rng.random()))
        for number in range(5000)
    ]  # fmt: skip
    found = fed(monitor(), rows).findings()
    assert len({one.value for one in found}) <= 51
    assert all(one.value.isprintable() for one in found)
    assert {one.status for one in found if one.value != "other"} == {"insufficient"}


def test_measurements_are_the_findings() -> None:
    """A gap, evidence and a status for each."""
    fairness = fed(monitor(), people(1, 3000, {"f": 0.25, "m": 0.5}))
    samples = list(fairness.measurements("e"))
    gaps = {one.labels["value"]: one.value for one in samples if one.name == "monitor_fairness_gap"}
    assert gaps == {one.value: one.gap for one in fairness.findings()}
    raised = [
        one for one in samples
        if one.name == "monitor_outcome_status" and one.labels["status"] == "alarm" and one.value
    ]  # fmt: skip
    assert {one.labels["monitor"] for one in raised} == {"fairness"}
    assert len(raised) == 2


def test_a_gap_that_begins_late_is_found_and_dated() -> None:
    """After 20,000 fair rows in panes of 100; without change points these would have to be made up
    for first."""
    fair = people(3, 20_000, {"f": 0.5, "m": 0.5})
    unfair = (
        Row(20_000 + row.at, row.segments, [], truth=row.truth)
        for row in people(4, 4_000, {"f": 0.3, "m": 0.55})
    )
    rows = [*fair, *unfair]
    found = fed(monitor(pane=PANE), iter(rows[:20_000]))
    assert not alarms(found)
    found = fed(monitor(pane=PANE), iter(rows))
    one = next(one for one in alarms(found) if one.value == "f")
    assert one.since == pytest.approx(200, abs=8)  # the ends of panes are their numbers
    again = monitor(pane=PANE)
    again.restore(found.state(), newest=0.0, place=int, keeps=lambda _: True)
    assert again.findings() == found.findings()


@pytest.mark.parametrize(
    ("rates", "by_gap", "by_ratio"),
    [
        ({"f": 0.06, "m": 0.12}, False, True),  # half as often, .06 apart
        ({"f": 0.78, "m": 0.95}, True, False),  # .17 apart, a ratio of .82
        ({"f": 0.24, "m": 0.30}, False, False),  # exactly four fifths
    ],
)
def test_a_ratio_is_another_question_than_a_gap(
    rates: dict[str, float], by_gap: bool, by_ratio: bool
) -> None:
    """Of rates of what is favourable, of the smaller and of the larger group; the others keep their
    gap."""
    rows = list(people(8, 8000, rates, label="1"))
    for ratio, expected in ((None, by_gap), (0.8, by_ratio)):
        found = alarms(fed(monitor(pane=PANE, fair_ratio=ratio), rows))
        groups = {one.value for one in found if one.measure == "selection_rate"}
        assert groups == ({"f", "m"} if expected else set())
        good = {one.value for one in found if one.measure == "true_positive_rate"}
        assert good == groups
        wrong = {one.value for one in found if one.measure == "error_rate"}
        assert wrong == ({"f", "m"} if by_gap else set())


# --- intersections ------------------------------------------------------------------------------

PAIR = {"crossed": (("sex", "population"),)}
UNEVEN = {("f", "north"): 0.25, ("f", "south"): 0.55, ("m", "north"): 0.55, ("m", "south"): 0.25}


def crossed(seed: int, count: int, rates: dict[tuple[str, str], float]) -> Iterator[Row]:
    """Rows of people whose sex is a protected attribute and whose population is of the traffic."""
    rng = random.Random(seed)
    for number in range(count):
        sex, population = place = rng.choice(list(rates))
        said = "1" if rng.random() < rates[place] else "0"
        truth = Truth(prediction=said, attributes={"sex": sex})
        yield Row(float(number), {"population": population, "plan": "free"}, [], truth=truth)


@pytest.mark.parametrize("pane", [None, PANE])
def test_a_gap_that_only_an_intersection_has_is_found(pane: float | None) -> None:
    """Of an attribute and a dimension together, where neither alone shows it; beside all others,
    signed, and the same from a checkpoint and of shards."""
    one = fed(
        monitor(pane=pane, dimensions=("sex", "population"), **PAIR), crossed(1, 6000, UNEVEN)
    )
    found = {(each.dimension, each.value): each for each in alarms(one)}
    assert {place for place, _ in found} == {"sex|population"}
    assert {value for _, value in found} == {"f|north", "f|south", "m|north", "m|south"}
    gap = found["sex|population", "f|north"].gap
    assert gap == pytest.approx(0.25 - (0.55 + 0.55 + 0.25) / 3, abs=0.04)
    again = monitor(pane=pane, dimensions=("sex", "population"), **PAIR)
    again.restore(one.state(), newest=0.0, place=lambda pane: pane, keeps=lambda _: True)
    assert again.findings() == one.findings()
    elsewhere = monitor(pane=pane, dimensions=("sex", "population"), **PAIR)
    elsewhere.restore(
        one.state() | again.state(), newest=0.0, place=lambda pane: pane,
        keeps=lambda key: key[1] != "population",
    )  # fmt: skip
    assert {each.dimension for each in elsewhere.findings()} <= {"sex"}


def test_shards_of_an_intersection_add_up() -> None:
    """Counted apart in one pane, as together."""
    rows = list(crossed(2, 1200, UNEVEN))
    whole, *parts = (monitor(pane=PANE, **PAIR) for _ in range(4))
    for number, row in enumerate(rows):
        whole.add(row, 0, 0.0)
        parts[number % 3].add(row, 0, 0.0)
    for part in parts[1:]:
        parts[0].merge(part)
    for each in (whole, parts[0]):
        each.close(0, float)
    assert whole.findings() == parts[0].findings()
    assert any(one.dimension == "sex|population" for one in whole.findings())


@pytest.mark.parametrize(("rows", "status"), [(99, "insufficient"), (100, "alarm")])
def test_an_intersection_needs_a_hundred_rows_on_each_side(rows: int, status: str) -> None:
    """However few `fairness.minimum` asks for; and attributes of fewer than 20 are not told of."""
    few = [
        Row(0.0, {"population": "north"}, [], truth=Truth("0", attributes={"sex": "f"}))
        for _ in range(rows)
    ]
    rare = msgspec.structs.replace(few[0], segments={"population": "south"})
    rest = list(crossed(3, 3000, {("m", "north"): 0.6, ("m", "south"): 0.6}))
    everybody = [*few, *[rare] * 19, *rest]
    random.Random(4).shuffle(everybody)
    found = fed(monitor(pane=PANE, fair_minimum=10, dimensions=(), **PAIR), everybody).findings()
    seen = {one.value: one for one in found if one.measure == "selection_rate"}
    assert seen["f|north"].status == status
    assert ("the least of an intersection is 100" in seen["f|north"].reason) == (rows == 99)
    assert "f|south" not in seen
    smaller = fed(monitor(pane=PANE, fair_minimum=10, fair_tolerance=0.05), everybody).findings()
    assert all(one.status != "insufficient" or one.measure != "selection_rate" for one in smaller)


def test_intersections_leave_dimensions_half_of_the_budget() -> None:
    """As many as there are: their groups are many, and nobody looks for groups without asking."""
    both = monitor(dimensions=("sex",), crossed=(("sex", "population"), ("sex", "plan")))
    alone = monitor(dimensions=("sex",))
    look = groups_look()
    bars = both._bars({("sex", "f", "selection_rate"): look})
    before = alone._bars({("sex", "f", "selection_rate"): look})
    assert bars["sex", "f", "selection_rate"] == pytest.approx(
        before["sex", "f", "selection_rate"] + math.log(2)
    )
    crossing = both._bars({("sex|plan", "f|free", "selection_rate"): look})
    assert crossing["sex|plan", "f|free", "selection_rate"] == pytest.approx(
        before["sex", "f", "selection_rate"] + math.log(4)
    )


def groups_look() -> fairness_monitor._Look:
    return fairness_monitor._Look(Gap(0.0, None, None), 500, 0.0, 0.0, "")
