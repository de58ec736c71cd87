"""Measures against scikit-learn's, and their intervals."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from monitor.analysis.quality.answers import read
from monitor.analysis.quality.counts import Counts, added_by, units
from monitor.analysis.quality.measures import Measured, by_class, kind_of, of
from monitor.rows import Truth


def counted(truths: list[Truth], weights: list[float] | None = None, positive: str = "1") -> Counts:
    counts = Counts()
    for number, truth in enumerate(truths):
        answer, _ = read(truth, positive)
        assert answer is not None
        counts.add(added_by(answer, str), units(weights[number] if weights else 1.0))
    return counts


def measured(truths: list[Truth], weights: list[float] | None = None) -> dict[str, Measured]:
    return {one.measure: one for one in of(counted(truths, weights), "1")}


def binary(count: int, seed: int = 1) -> tuple[list[Truth], list[int], list[int], list[float]]:
    chance = random.Random(seed)
    scores = [chance.betavariate(1, 2) for _ in range(count)]
    true = [int(chance.random() < score) for score in scores]
    said = [int(score > 0.4) for score in scores]
    truths = [Truth(str(s), p, str(t)) for s, p, t in zip(said, scores, true, strict=True)]
    return truths, true, said, scores


@pytest.mark.parametrize("weighted", [False, True])
def test_two_classes(weighted: bool) -> None:
    """Every measure is scikit-learn's, also of weighted labels; each lies in its interval."""
    from sklearn import metrics

    truths, true, said, scores = binary(3000)
    chance = random.Random(2)
    weights = [2.0 ** chance.randrange(5) for _ in true] if weighted else None
    found = measured(truths, weights)
    known: dict[str, Any] = {"sample_weight": weights}
    expected = {
        "accuracy": metrics.accuracy_score(true, said, **known),
        "precision": metrics.precision_score(true, said, **known),
        "recall": metrics.recall_score(true, said, **known),
        "f1": metrics.f1_score(true, said, **known),
        "precision_macro": metrics.precision_score(true, said, average="macro", **known),
        "recall_macro": metrics.recall_score(true, said, average="macro", **known),
        "f1_macro": metrics.f1_score(true, said, average="macro", **known),
        "log_loss": metrics.log_loss(true, scores, **known),
    }
    assert {name: found[name].number for name in expected} == pytest.approx(expected, rel=1e-9)
    auc = metrics.roc_auc_score(true, scores, **known)
    assert found["auc"].number == pytest.approx(auc, abs=1e-3)
    for one in found.values():
        assert one.lower is not None
        assert one.upper is not None
        assert one.number is not None
        assert one.lower < one.number < one.upper
        assert one.labels == 3000
        assert one.upper - one.lower < (0.4 if weighted else 0.15)


@pytest.mark.parametrize(
    ("labels", "positive"), [(("0", "1"), "1"), (("-1", "1"), "1"), (("no", "yes"), "yes"),
                             (("rejected", "approved"), "approved"), (("2", "1"), "1")],
)  # fmt: skip
def test_a_score_alone_predicts_the_classes_that_labels_name(
    labels: tuple[str, str], positive: str
) -> None:
    """However the class is called that a score below one half predicts, measures are scikit-learn's
    of two classes: no third one makes means over classes less."""
    from sklearn import metrics

    _, true, _, scores = binary(500)
    truths = [Truth(None, score, labels[one]) for one, score in zip(true, scores, strict=True)]
    said = [int(score >= 0.5) for score in scores]
    counts = counted(truths, positive=positive)
    found = {one.measure: one.number for one in of(counts, positive)}
    for name in ("precision", "recall", "f1"):
        each = getattr(metrics, f"{name}_score")
        assert found[name] == pytest.approx(each(true, said))
        assert found[f"{name}_macro"] == pytest.approx(each(true, said, average="macro"))
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(true, said))
    assert {name for name, _ in by_class(counts, positive)} == set(labels)


def test_several_classes() -> None:
    """Means over the classes, each class by itself, and the area of each against the others."""
    from sklearn import metrics

    chance = random.Random(4)
    names = ["a", "b", "c", "d"]
    truths, true, said, scores = [], [], [], []
    for _ in range(2000):
        mixed = [chance.expovariate(1 / size) for size in (4, 2, 1, 0.5)]
        shares = [one / sum(mixed) for one in mixed]
        true.append(chance.choices(names, shares)[0])
        said.append(names[shares.index(max(shares))])
        scores.append(shares)
        truths.append(Truth(said[-1], dict(zip(names, shares, strict=True)), true[-1]))
    counts = counted(truths)
    found = {one.measure: one.number for one in of(counts, "1")}
    assert found == pytest.approx({
        "accuracy": metrics.accuracy_score(true, said),
        "precision": metrics.precision_score(true, said, average="macro"),
        "recall": metrics.recall_score(true, said, average="macro"),
        "f1": metrics.f1_score(true, said, average="macro"),
        "auc": metrics.roc_auc_score(true, scores, multi_class="ovr"),
        "log_loss": metrics.log_loss(true, scores),
    }, abs=1e-3)  # fmt: skip
    each = {(name, one.measure): one.number for name, one in by_class(counts, "1")}
    recalls = metrics.recall_score(true, said, average=None)
    assert [each[name, "recall"] for name in names] == pytest.approx(list(recalls))


def test_numbers_and_what_looks_like_them() -> None:
    """Errors of numbers; but a few whole numbers are classes."""
    from sklearn import metrics

    chance = random.Random(5)
    pairs = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(500)]
    found = measured([Truth(said, None, true) for said, true in pairs])
    said, true = zip(*pairs, strict=True)
    assert found["mae"].number == pytest.approx(metrics.mean_absolute_error(true, said))
    assert found["rmse"].number == pytest.approx(metrics.root_mean_squared_error(true, said))
    bias = math.fsum(a - b for a, b in pairs) / 500
    assert found["mean_error"].number == pytest.approx(bias)
    classes = measured([Truth(float(n % 3 == 0), None, float(n % 2)) for n in range(600)])
    assert classes["accuracy"].number == pytest.approx(0.5)
    assert "mae" not in classes
    ages = measured([Truth(float(n % 50), None, float(n % 51)) for n in range(600)])
    assert "mae" in ages


def test_texts() -> None:
    """Exact but for case and white space, and the share of words."""
    truths = [Truth("The invoice is  due on Friday", None, "the invoice is due on friday")] * 60
    truths += [Truth("It is due on Friday", None, "The invoice is due on Friday")] * 60
    found = measured(truths)
    assert found["exact_match"].number == 0.5
    assert found["token_overlap"].number == pytest.approx((1 + 8 / 11) / 2)
    assert found["exact_match"].labels == 120


def test_labels_of_one_class_have_no_area() -> None:
    """What would divide by 0 is null; the rest is told."""
    found = measured([Truth("1", 0.8, "1")] * 200)
    assert found["accuracy"].number == found["recall"].number == 1.0
    assert found["accuracy"].lower == pytest.approx(0.96, abs=0.01)
    assert found["auc"] == Measured("auc", None, None, None, 200)
    none = measured([Truth("0", 0.2, "1"), Truth("0", 0.2, "0")])
    assert none["precision"].number is None


def test_nothing_counted_is_nothing_said() -> None:
    """No number stands for no label."""
    assert of(Counts(), "1") == []
    assert kind_of(Counts()) == ""


def test_rare_mistakes_have_no_asymptotic_interval() -> None:
    """Weighted labels with a handful of mistakes: the number is told, an interval would not hold."""
    truths = [Truth("1", None, "0" if n % 50 == 0 else "1") for n in range(500)]
    few = measured(truths, [2.0] * 500)["accuracy"]
    assert few == Measured("accuracy", pytest.approx(0.98), None, None, 500)
    more = measured(truths * 3, [2.0] * 1500)["accuracy"]
    assert more.lower is not None


def test_precision_is_covered_at_every_look() -> None:
    """The interval of a ratio with weights loses the truth in at most 5 % of runs; judged once in
    fifty labels."""
    lost, runs = {"precision": 0, "f1": 0}, 60
    for seed in range(runs):
        chance = random.Random(seed)
        counts, ever = Counts(), set()
        for number in range(1, 1201):
            said = chance.random() < 0.5
            true = chance.random() < (0.7 if said else 0.1)
            answer, _ = read(Truth(str(int(said)), None, str(int(true))), "1")
            assert answer is not None
            if chance.random() < (kept := 1.0 if chance.random() < 0.5 else 0.25):
                counts.add(added_by(answer, str), units(1 / kept))
            if number % 50 == 0 and counts.labels >= 100:
                found = {one.measure: one for one in of(counts, "1")}
                for measure, expected in (("precision", 0.7), ("f1", 2 * 0.35 / 0.9)):
                    one = found[measure]
                    if one.lower is None or one.upper is None:
                        assert counts.labels < 250
                    elif not one.lower <= expected <= one.upper:
                        ever.add(measure)
        for measure in ever:
            lost[measure] += 1
    assert max(lost.values()) <= 0.05 * runs


def test_a_few_numbers_among_classes_do_not_hide_these() -> None:
    """Somebody's labels of another type are wrong answers, and no regression."""
    truths = [*([Truth("1", None, "1")] * 90), *([Truth(1.0, None, 3.5)] * 10)]
    found = measured(truths)
    assert "mae" not in found
    assert found["accuracy"].number == pytest.approx(0.9)
    assert kind_of(counted(truths[85:])) == "number"
