"""What is to be expected of predictions by their scores, and when that is withdrawn."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.estimate import Expected, Scored, scored
from monitor.analysis.quality.monitor import QualityMonitor
from monitor.findings import Outcome, Quality
from monitor.rows import Row, Truth

RULES = OutcomeRules(pane=60.0, learn=800)


def rows(
    first: int,
    last: int,
    *,
    harder_from: int = 10**9,
    changed_from: int = 10**9,
    labelled: float = 1.0,
) -> Iterator[Row]:
    """A score that is too sure, whose truth is still what it was worth: from some row on the inputs
    are `harder` (scores nearer to one half), from another the concept has `changed`."""
    for number in range(first, last):
        chance = random.Random(number)
        law = 3.0 if number >= harder_from else 0.5
        share = chance.betavariate(law, law)
        score = share**2 / (share**2 + (1 - share) ** 2)
        worth = 1 - share if number >= changed_from and share > 0.8 else share
        label = str(int(chance.random() < worth)) if chance.random() < labelled else None
        truth = Truth(str(int(score > 0.5)), score, label)
        yield Row(number * 2.0, {"population": "ab"[number % 2]}, [], truth=truth)


def folded(some: Iterable[Row], rules: OutcomeRules = RULES) -> Analysis[Outcome]:
    fold = outcomes_of(rules)
    for row in some:
        fold.add_row(row)
    return fold


def monitor(fold: Analysis[Outcome]) -> QualityMonitor:
    found = fold.monitors[0]
    assert isinstance(found, QualityMonitor)
    return found


def whole(fold: Analysis[Outcome]) -> dict[str, Quality]:
    return {one.measure: one for one in monitor(fold).findings() if one.dimension == "all"}


def realized(some: Iterable[Row]) -> float:
    every = [row.truth for row in some if row.truth is not None and row.truth.label is not None]
    return sum(one.prediction == one.label for one in every) / len(every)


def test_harder_inputs_without_labels_are_expected_to_be_answered_worse() -> None:
    """Labels come for the first rows only; what is expected of the rest is what comes true, although
    scores are too sure; and the estimate stands."""
    known = list(rows(0, 1500))
    coming = rows(1500, 6000, harder_from=1500, labelled=0.0)
    fold = folded([*known, *coming])
    expected = whole(fold)["accuracy"].estimated
    usual = realized(known)
    true = realized([*known[800:], *rows(1500, 6000, harder_from=1500)])
    assert expected == pytest.approx(true, abs=0.03)
    assert expected < usual - 0.05
    assert monitor(fold).is_estimate_valid
    assert {one for one, found in whole(fold).items() if found.estimated is not None} == {
        "accuracy", "precision", "recall", "f1",
    }  # fmt: skip


def test_harder_inputs_with_labels_withdraw_nothing() -> None:
    """The relation of scores to truth is what it was."""
    assert monitor(folded(rows(0, 8000, harder_from=3000))).is_estimate_valid


def test_a_changed_concept_withdraws_the_estimate() -> None:
    """Sure scores that are no longer right: nothing is expected any more, and the metric says so."""
    fold = folded(rows(0, 5000, changed_from=2500))
    assert not monitor(fold).is_estimate_valid
    assert whole(fold)["accuracy"].estimated is None
    told = {one.name: one.value for one in monitor(fold).measurements("e")}
    assert told["monitor_quality_estimate_valid"] == 0
    assert "monitor_quality_estimate" not in told


def test_several_classes_have_an_expected_accuracy() -> None:
    """By how sure the model is of what it says."""
    some = []
    for number in range(4000):
        chance = random.Random(number)
        shares = sorted(chance.expovariate(1) ** 2 for _ in range(4))
        total = sum(shares)
        scores = {name: one / total for name, one in zip("abcd", shares, strict=True)}
        true = chance.choices(list(scores), list(scores.values()))[0]
        some.append(Row(number * 2.0, {}, [], truth=Truth("d", scores, true)))
    fold = folded(some)
    expected = whole(fold)["accuracy"].estimated
    assert expected == pytest.approx(realized(some[800:]), abs=0.03)
    assert whole(fold)["recall"].estimated is None


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        (Truth("1", 0.8, "1"), Scored(0.8, True, True, True)),
        (Truth(None, 0.2, None), Scored(0.2, False, None, True)),
        (Truth("0", 0.8, "0"), Scored(0.8, False, False, True)),
        (Truth("b", {"a": 0.5, "b": 0.3, "c": 0.2}, "a"), Scored(0.3, True, False, False)),
        (Truth("z", {"a": 0.5, "b": 0.3, "c": 0.2}, "a"), None),
        (Truth("1", None, "1"), None),
        (Truth("1", 1.5, "1"), None),
    ],
)
def test_what_a_score_is_of(truth: Truth, found: Scored | None) -> None:
    """Of two classes the positive one, of several the one that was predicted."""
    assert scored(truth, "1") == found


def test_it_goes_on_after_a_restart() -> None:
    """Saved and restored while it learns and after that; what is damaged is said."""
    for stop in (500, 1500):
        straight = folded(rows(0, stop))
        again = outcomes_of(RULES)
        again.restore({name: entry for name, entry in straight.saved().items() if entry})
        for row in rows(stop, 2000):
            straight.add_row(row)
            again.add_row(row)
        assert monitor(again).expected() == monitor(straight).expected() != {}
    with pytest.raises(msgspec.DecodeError):
        Expected.restored(b"[[1]]")


def test_labels_that_were_asked_for_teach_nothing() -> None:
    """Reviews are of another mix than the traffic: their weight says so."""
    some = [
        Row(one.at, {}, [], truth=msgspec.structs.replace(one.truth, weight=4.0))
        for one in rows(0, 1500)
        if one.truth is not None
    ]
    assert monitor(folded(some)).expected() == {("all", "all"): {}}
