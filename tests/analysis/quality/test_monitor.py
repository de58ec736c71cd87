"""The monitor of quality in its fold: segments, restart, shards, change and odd labels."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

import msgspec
import pytest

from monitor.analysis.fold import Analysis
from monitor.analysis.monitors import outcomes_of
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.analysis.quality.monitor import CLASSES, QualityMonitor
from monitor.findings import Outcome, Quality
from monitor.metrics import BY_NAME
from monitor.rows import Row, Truth

LIVE = OutcomeRules(pane=60.0, lateness=5.0, learn=300)


def rows(first: int, last: int, *, worse_from: int = 10**9) -> Iterator[Row]:
    """A classifier that is right in nine of ten, and in six from some row on."""
    for number in range(first, last):
        chance = random.Random(number)
        true = chance.random() < 0.4
        right = chance.random() < (0.6 if number >= worse_from else 0.9)
        score = 0.8 if true == right else 0.2
        truth = Truth(str(int(true == right)), score, str(int(true)))
        yield Row(number * 2.0, {"population": "ab"[number % 2]}, [], truth=truth)


def folded(fold: Analysis[Outcome], some: Iterable[Row]) -> Analysis[Outcome]:
    for row in some:
        fold.add_row(row)
    return fold


def monitor(fold: Analysis[Outcome]) -> QualityMonitor:
    found = fold.monitors[0]
    assert isinstance(found, QualityMonitor)
    return found


def found(
    fold: Analysis[Outcome], dimension: str = "all", value: str = "all"
) -> dict[str, Quality]:
    return {
        one.measure: one
        for one in monitor(fold).findings()
        if (one.dimension, one.value) == (dimension, value)
    }


def test_every_segment_has_its_measures() -> None:
    """The whole first; a row without a truth is none of its business."""
    fold = folded(outcomes_of(OutcomeRules()), rows(0, 1000))
    folded(fold, [Row(5.0, {"population": "c"}, [])])
    every = monitor(fold).findings()
    assert list(dict.fromkeys((one.dimension, one.value) for one in every)) == [
        ("all", "all"), ("population", "a"), ("population", "b"),
    ]  # fmt: skip
    accuracy = found(fold)["accuracy"]
    assert accuracy.number == pytest.approx(0.9, abs=0.03)
    assert accuracy.labels == 1000
    assert sum(found(fold, "population", one)["accuracy"].labels for one in "ab") == 1000


def test_a_restart_changes_nothing() -> None:
    """Saved from changes alone at any moment, and restored: the same findings and measurements."""
    straight, broken = outcomes_of(LIVE), outcomes_of(LIVE)
    kept: dict[str, bytes] = {}
    for start in range(0, 1500, 130):
        folded(straight, rows(start, start + 130))
        folded(broken, rows(start, start + 130))
        kept |= broken.saved()
        kept = {name: entry for name, entry in kept.items() if entry}
        broken = outcomes_of(LIVE)
        broken.restore(kept)
    assert broken.findings() == straight.findings()
    assert list(monitor(broken).measurements("e")) == list(monitor(straight).measurements("e"))


def test_shards_add_up() -> None:
    """Counted apart and merged, it is what one pass counts."""
    rules = OutcomeRules(learn=0)
    whole = folded(outcomes_of(rules), rows(0, 900))
    parts = [
        folded(outcomes_of(rules), [one for one in rows(0, 900) if int(one.at) % 3 == shard])
        for shard in range(3)
    ]
    for part in parts[1:]:
        parts[0].merge(part)
    assert parts[0].findings() == whole.findings()
    assert monitor(parts[0]).troubles == monitor(whole).troubles


def test_worse_predictions_are_an_alarm_and_the_same_are_none() -> None:
    """The watch of right answers finds a drop from 0.9 to 0.6, for the whole and where it is."""
    steady = found(folded(outcomes_of(LIVE), rows(0, 4000)))
    assert {one.status for one in steady.values()} == {"ok", None}
    dropped = found(folded(outcomes_of(LIVE), rows(0, 3000, worse_from=2500)))
    assert dropped["accuracy"].status == "alarm"
    assert dropped["accuracy"].since == pytest.approx(5000, abs=1500)
    assert (dropped["accuracy"].log_evidence or 0) > 10


def test_better_predictions_are_told_and_are_no_alarm() -> None:
    """Nobody is woken because a model has become better, by classes or by numbers."""
    worse = list(rows(0, 2500, worse_from=0))
    better = found(folded(outcomes_of(LIVE), [*worse, *rows(2500, 4500)]))["accuracy"]
    assert (better.status, better.improved) == ("ok", True)
    assert "improved" in better.words
    assert (better.log_evidence or 0) > 10
    dropped = found(folded(outcomes_of(LIVE), rows(0, 3000, worse_from=2500)))["accuracy"]
    assert "drifted for the worse" in dropped.words
    assert not dropped.improved
    rng = random.Random(3)
    numbers = [
        Row(2.0 * at, {}, [], truth=Truth(100.0 + rng.gauss(0, 9 if at < 2500 else 2), None, 100.5))
        for at in range(4500)
    ]
    close = found(folded(outcomes_of(LIVE), numbers))["mae"]
    assert (close.status, close.improved) == ("ok", True)


def test_a_correction_is_a_text_and_no_class() -> None:
    """It is compared word by word, and however short, it is no class."""
    fold = outcomes_of(LIVE)
    folded(fold, rows(0, 500))
    before = monitor(fold).classes
    folded(fold, [Row(1000.0, {}, [], truth=Truth("1", correction="none of these"))])
    assert monitor(fold).classes == before
    texts = [Truth("a cat", correction=one) for one in ("A  cat", "a dog") * 60]
    told = found(folded(outcomes_of(LIVE), [Row(float(at), {}, [], truth=one)
                                            for at, one in enumerate(texts)]))  # fmt: skip
    assert told["exact_match"].number == 0.5
    assert told["token_overlap"].number == 0.75
    assert "accuracy" not in told


def test_labels_of_other_names_than_predictions_have_are_not_ok() -> None:
    """After a renaming none is ever right, which is no change of a model: it is said, and not `ok`.
    Where some have the old name, fewer are right, and that is an alarm."""

    def renamed(first: int, last: int) -> Iterator[Row]:
        for row in rows(first, last):
            assert row.truth is not None
            truth = msgspec.structs.replace(row.truth, label=f"is {row.truth.label}")
            yield msgspec.structs.replace(row, truth=truth)

    strange = found(folded(outcomes_of(LIVE), renamed(0, 4000)))["accuracy"]
    assert (strange.number, strange.status) == (0, "insufficient")
    assert "no class in common: labels are such as 'is" in strange.words
    mixed = folded(outcomes_of(LIVE), [*rows(0, 2000), *renamed(2000, 4000)])
    assert found(mixed)["accuracy"].status == "alarm"


def test_few_labels_are_insufficient() -> None:
    """Nothing is judged before there is something to compare with."""
    few = found(folded(outcomes_of(LIVE), rows(0, 100)))
    assert few["accuracy"].status == "insufficient"
    assert few["accuracy"].number is not None


def test_measurements_are_of_the_catalogue() -> None:
    """With the labels that it says."""
    fold = folded(outcomes_of(LIVE), rows(0, 500))
    folded(fold, [Row(1000.0, {}, [], truth=Truth("1", 7.0, "1"))])
    told = list(monitor(fold).measurements("e"))
    for one in told:
        assert {"endpoint", *BY_NAME[one.name].labels} == set(one.labels), one.name
    assert {one.name for one in told} == {
        "monitor_quality", "monitor_class_quality", "monitor_quality_labels",
        "monitor_outcome_status", "monitor_outcome_log_evidence",
        "monitor_outcomes_incomplete_total", "monitor_quality_estimate",
        "monitor_quality_estimate_valid",
    }  # fmt: skip


def test_thousands_of_groups_and_classes_are_bounded() -> None:
    """Of 10,000 groups a thousand are counted and the rest is said to be left out; the whole counts
    all. Of as many classes a few have names, and accuracy stays exact."""
    fold = outcomes_of(OutcomeRules(segments=1000))
    for number in range(10_000):
        truth = Truth(f"c{number % 700}", None, f"c{number % 350}")
        fold.add_row(Row(float(number), {"group": f"g{number}"}, [], truth=truth))
    quality = monitor(fold)
    assert len({one.value for one in quality.findings()}) == 1000
    assert quality.overflow == 10_000 - 999
    whole = found(fold)
    assert whole["accuracy"].number == pytest.approx(0.5, abs=0.02)
    assert "precision" not in whole
    assert whole["accuracy"].labels == 10_000
    assert len(list(quality.by_class())) <= 3 * CLASSES * 1000


def test_intervals_have_a_quantile_loss() -> None:
    """The mean pinball loss of both ends, as scikit-learn has it; an end without end has none."""
    from sklearn.metrics import mean_pinball_loss

    fold, truths = outcomes_of(OutcomeRules(target=0.8)), []
    for number in range(400):
        chance = random.Random(number)
        true = chance.gauss(0, 1)
        truths.append(Truth(0.1, None, true, interval=(-1.0, chance.uniform(0.5, 2))))
        fold.add_row(Row(float(number), {}, [], truth=truths[-1]))
    for end in (float("inf"), float("nan")):
        endless = Truth(0.1, None, 0.5, interval=(-1.0, end))
        fold.add_row(Row(400.0, {}, [], truth=endless))
    true = [one.label for one in truths]
    ends = [[one.interval[end] for one in truths if one.interval is not None] for end in (0, 1)]
    expected = [
        mean_pinball_loss(true, end, alpha=level)
        for end, level in zip(ends, (0.1, 0.9), strict=True)
    ]
    loss = found(fold)["quantile_loss"]
    assert loss.number == pytest.approx(sum(expected) / 2)
    assert loss.labels == 400


def test_weighted_labels_stand_for_many() -> None:
    """Failures that were reviewed twice as often count half: the estimate is that of all."""
    fold = outcomes_of(OutcomeRules())
    for number in range(4000):
        wrong = number % 10 == 0
        if wrong or number % 4 == 1:
            weight = 1.0 if wrong else 4.0
            truth = Truth("1", None, "0" if wrong else "1", weight)
            fold.add_row(Row(float(number), {}, [], truth=truth))
    accuracy = found(fold)["accuracy"]
    assert accuracy.number == pytest.approx(0.9, abs=0.02)
    assert accuracy.lower is not None
    assert accuracy.lower < 0.9 < (accuracy.upper or 0)
