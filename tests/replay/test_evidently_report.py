"""Evidently's report, on rows as we see them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from monitor.errors import UsageError
from monitor.replay import evidently_report
from monitor.types import Observation, Row


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


def test_nothing_in_common_is_an_error(tmp_path: Path) -> None:
    """One line instead of an empty page."""
    one, other = frame(rows(5, x=1.0)), frame(rows(5, y=1.0))
    with pytest.raises(UsageError, match="no feature in common"):
        evidently_report.write(one, other, tmp_path / "e.html")
