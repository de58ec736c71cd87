"""Evidently's report, on rows as we see them."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from monitor.cli import main
from monitor.errors import UsageError
from monitor.replay import evidently_report
from monitor.types import Observation, Row, Truth


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


def test_the_report_is_written_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    """A column that one side lacks does not stop the rest."""
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
