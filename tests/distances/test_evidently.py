"""What we measure beside what Evidently does, and its report on rows as we see them: in one file,
because each process that imports Evidently pays eight seconds for it."""

from __future__ import annotations

import gc
import importlib
import math
import sys
import warnings
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from monitor.cli import main
from monitor.distances import hellinger, jensen_shannon, psi, total_variation, wasserstein
from monitor.errors import UsageError
from monitor.replay import evidently_report
from monitor.rows import Row, Truth
from monitor.types import Observation
from tests.analysis.join.exchanges import BEGIN
from tests.replay.test_records_with_feedback import COUNT as RECORDS
from tests.replay.test_records_with_feedback import written

Values = npt.NDArray[np.float64]


# --- measures ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evidently() -> Callable[[str], Any]:
    """The name of a measure's module in Evidently → the module, which takes seconds to import."""

    def of(name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it uses what numpy has deprecated, on import
            evidently_report.load()
            return importlib.import_module(f"evidently.legacy.calculations.stattests.{name}")

    return of


@pytest.fixture
def theirs(evidently) -> Callable[..., float]:
    """Evidently's distance of two samples."""
    peer = evidently("wasserstein_distance_norm")

    def distance(reference: Values, current: Values) -> float:
        samples = pd.Series(reference), pd.Series(current)
        return float(peer._wasserstein_distance_norm(*samples, peer.ColumnType.Numerical, 0.1)[0])

    return distance


def test_categories_agree_by_hellinger(categories, evidently) -> None:
    """On categories only the correction (off the square) and the smoothing differ."""
    reference, current, windows = categories
    peer = evidently("hellinger_distance")
    theirs, _ = peer._hellinger_distance(
        pd.Series(reference), pd.Series(current), peer.ColumnType.Categorical, 0.1
    )
    chance = 7 * (1 / len(reference) + 1 / len(current)) / 8
    ours = math.sqrt(hellinger.MEASURE.score(*windows) ** 2 + chance)
    assert ours == pytest.approx(theirs, rel=0.002)


def test_categories_agree_by_jensen_shannon(categories, evidently) -> None:
    """Evidently reports the distance, the square root of the divergence."""
    reference, current, windows = categories
    peer = evidently("jensenshannon")
    theirs, _ = peer._jensenshannon(
        pd.Series(reference), pd.Series(current), peer.ColumnType.Categorical, 0.1
    )
    chance = 7 * (1 / len(reference) + 1 / len(current)) / 8
    assert math.sqrt(jensen_shannon.MEASURE.score(*windows) + chance) == pytest.approx(
        theirs, rel=0.002
    )


def test_categories_agree_by_psi(categories, evidently) -> None:
    """On categories there is no binning: what is left is the correction and the smoothing."""
    reference, current, windows = categories
    peer = evidently("psi")
    kind = peer.ColumnType.Categorical
    theirs, _ = peer._psi(pd.Series(reference), pd.Series(current), kind, 0.1)
    chance = 7 * (1 / len(reference) + 1 / len(current))
    assert psi.MEASURE.score(*windows) + chance == pytest.approx(theirs, rel=0.002)


def test_categories_agree_by_total_variation(categories, evidently) -> None:
    """The score is their distance less the mean of |normal| in every bin."""
    reference, current, windows = categories
    measure = evidently("tvd_stattest")._total_variation_distance
    theirs = measure(pd.Series(reference), pd.Series(current))
    pooled = np.bincount(np.concatenate([reference, current])) / (len(reference) + len(current))
    v = 1 / len(reference) + 1 / len(current)
    chance = 0.5 * np.sqrt(2 * v * pooled * (1 - pooled) / np.pi).sum()
    assert total_variation.MEASURE.score(*windows) == pytest.approx(theirs - chance, rel=1e-9)


def test_numbers_agree_by_psi(samples, binned, evidently) -> None:
    """20 quantile bins lose less than 10 % against Evidently's equal-width ones."""
    peer = evidently("psi")
    kind = peer.ColumnType.Numerical
    theirs, _ = peer._psi(pd.Series(samples[0]), pd.Series(samples[1]), kind, 0.1)
    assert psi.MEASURE.score(*binned(*samples)) == pytest.approx(theirs, rel=0.1)


def test_numbers_agree_by_wasserstein(samples, binned, theirs) -> None:
    """20 bins put the distance within 0.03 standard deviations of the raw one."""
    assert wasserstein.MEASURE.score(*binned(*samples)) == pytest.approx(theirs(*samples), abs=0.03)


def test_a_skewed_distribution_agrees_by_wasserstein(binned, theirs) -> None:
    """Likewise for a lognormal, whose bins are far from equally wide."""
    rng = np.random.default_rng(9)
    reference, current = rng.lognormal(0, 1, 20000), rng.lognormal(0.2, 1, 20000)
    expected = theirs(reference, current)
    assert wasserstein.MEASURE.score(*binned(reference, current)) == pytest.approx(
        expected, abs=0.03
    )


# --- the report ----------------------------------------------------------------------------------


def frame(seen: list[Row]) -> pd.DataFrame:
    sample = evidently_report.Sample()
    for row in seen:
        sample.add(row)
    return sample.frame()


def rows(count: int, **columns: object) -> list[Row]:
    """`count` rows; a callable makes the value of the n-th."""
    return [
        Row(
            float(n),
            {},
            [
                Observation(name, "numeric", value(n) if callable(value) else value)
                for name, value in columns.items()
            ],
        )
        for n in range(count)
    ]


def test_a_frame_has_a_column_for_each_feature() -> None:
    """Missing values stay missing; vectors and objects are left out; mixed columns are text."""
    found = frame(
        [
            Row(
                0.0,
                {},
                [
                    Observation("x", "numeric", 1.5),
                    Observation("x", "numeric", 9.0),
                    Observation("e", "vector", [1.0]),
                ],
            ),
            Row(1.0, {}, [Observation("x", "numeric", None), Observation("m", "categorical", "a")]),
            Row(2.0, {}, [Observation("m", "numeric", 3)]),
        ]
    )
    assert list(found.columns) == ["x", "m"]
    assert found["x"].tolist()[0] == 1.5
    assert found["x"].isna().tolist() == [False, True, True]
    assert found["m"].tolist()[1:] == ["a", "3"]


def test_the_report_is_written_and_what_was_left_out_is_said(
    evidently, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that one side lacks does not stop the rest. How well chance tells two texts apart
    Evidently tries a thousand times; here it is told."""
    evidently("registry")
    tries = "evidently.legacy.utils.data_drift_utils.roc_auc_random_classifier_percentile"
    monkeypatch.setattr(tries, lambda *_, **__: 0.6)
    reference = frame(rows(60, x=float, only=1.0, turned=float))
    current = frame(rows(60, x=lambda n: n * 2.0, turned=str))
    said = evidently_report.write(reference, current, tmp_path / "e.html")
    assert said == ["--evidently: left out, because one side has no such values: only"]
    assert "<html" in (tmp_path / "e.html").read_text()[:500].lower()


def test_a_command_that_fails_on_drift_has_written_it(tmp_path: Path) -> None:
    """Exit code 1 is for what was asked."""
    for name, shift in (("a.csv", 0), ("b.csv", 300)):
        cells = "".join(f"{row % 97 + shift}\n" for row in range(1000))
        (tmp_path / name).write_text(f"x\n{cells}")
    one, other, page = (str(tmp_path / name) for name in ("a.csv", "b.csv", "e.html"))
    arguments = ["replay", other, "--reference", one, "--evidently", page]
    assert main([*arguments, "--fail-on", "drift"]) == 1
    assert Path(page).stat().st_size > 100_000


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    """One line instead of an empty page."""
    one, other = frame(rows(5, x=1.0)), frame(rows(5, y=1.0))
    with pytest.raises(UsageError, match="no feature in common"):
        evidently_report.write(one, other, tmp_path / "e.html")


def test_what_stops_it_is_said_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it has no place before anything is read; that a part of Evidently is missing in the same
    sentence as that it is."""
    (tmp_path / "file").touch()
    for place, why in (
        ("nowhere/e.html", "No such file"), ("file/e.html", "Not a directory"),
        (".", "Is a directory"), (f"{'a' * 300}/e.html", "File name too long"),
        (f"{'a' * 300}.html", "File name too long"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=f"^--evidently: .*: cannot be written: {why}"):
            evidently_report.need(tmp_path / place)
    evidently_report.need(tmp_path / "e.html")
    monkeypatch.setitem(sys.modules, "evidently.presets", None)
    side = frame(rows(5, x=1.0))
    with pytest.raises(UsageError, match=r"--evidently: install what it needs"):
        evidently_report.write(side, side, tmp_path / "e.html")
    assert gc.isenabled()


class Elements(HTMLParser):
    """Names the elements of a page, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep one more."""
        self.names.append(tag)


def test_no_name_and_no_value_becomes_an_element_of_the_page(tmp_path: Path) -> None:
    """A page of names and values that look like elements has the elements of a harmless one, and
    says the names all the same."""
    found = []
    for evil in ("harmless", "</script><script>alert(1)</script>", "<!--<script>"):
        path = tmp_path / "e.html"
        side = [rows(40, **{evil: lambda n, of=of: n % 7.0 + of, "c": evil}) for of in (0, 1)]
        evidently_report.write(frame(side[0]), frame(side[1]), path)
        page = path.read_text()
        assert evil.replace("<", r"\u003c") in page
        found.append(Elements(page).names)
    assert found[0] == found[1] == found[2]
    assert "script" in found[0]


@pytest.mark.parametrize(
    ("label", "said", "names"),
    [
        (lambda n: n % 2, lambda n: float(n % 3 == 1), {"Accuracy", "Precision", "Recall"}),
        (lambda n: "abc"[n % 3], lambda n: "abc"[n % 4 % 3], {"Accuracy"}),
        (lambda n: n * 1.5, lambda n: n * 1.4, {"MAE"}),
    ],
)
def test_where_labels_are_known_it_says_how_good_predictions_were(
    tmp_path: Path, label: Any, said: Any, names: set[str]
) -> None:
    """By Evidently's measures for classes or numbers, in any spelling; rows without a label are
    left out of these."""
    sides = []
    for _ in range(2):
        side = frame(rows(120, x=float, label=label, said=said))
        side.loc[::10, "label"] = None
        sides.append(side)
    path = tmp_path / "e.html"
    columns = evidently_report.Said("label", "said", "1")
    assert evidently_report.write(sides[0], sides[1], path, columns) == []
    page = path.read_text()
    assert all(name in page for name in names)


def test_what_became_of_records_stands_in_lines_of_its_own() -> None:
    """Label and prediction of an outcome in one line; where one of the two is not known, there is
    none."""
    sample = evidently_report.Sample()
    for row in rows(3, x=float):
        sample.add(row)
    told = [Truth("a", label="b"), Truth("a"), Truth(label="b"), Truth(2.0, label=1.0)]
    sample.add_outcomes(Row(0.0, {}, [], truth=one) for one in [*told, None])
    found = sample.frame()
    assert found["x"].tolist()[:3] == [0.0, 1.0, 2.0]
    assert found["x"].isna().tolist()[3:] == [True, True]
    assert found[evidently_report.LABEL].tolist()[3:] == ["b", "1.0"]
    assert found[evidently_report.PREDICTION].tolist()[3:] == ["a", "2.0"]


def test_where_it_has_no_measure_it_says_why(tmp_path: Path) -> None:
    """And writes the rest."""
    path = tmp_path / "e.html"
    one = rows(60, x=float, label="1", said="1")
    for target, why in (("label", "there are 1 classes"), ("gone", "no values of 'gone'")):
        (remark,) = evidently_report.write(
            frame(one), frame(one), path, evidently_report.Said(target, "said")
        )
        assert remark.startswith("--evidently: no quality, because")
        assert why in remark
        assert path.stat().st_size > 1000


def test_it_says_how_good_predictions_of_records_were(capsys, tmp_path: Path) -> None:
    """By what feedback says, as of tables by what columns say; without any it says of drift alone."""
    page, files = tmp_path / "e.html", written(tmp_path)
    half = ["--before-after", str(BEGIN + 5 * RECORDS), "--evidently", str(page)]
    assert main(["replay", *files, *half]) == 0
    assert "--evidently" not in capsys.readouterr().err
    assert all(name in page.read_text() for name in ("Accuracy", "Recall", "outcomes.label"))
    assert main(["replay", files[0], *half]) == 0
    assert "outcomes.label" not in page.read_text()
