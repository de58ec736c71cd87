"""Published data sets with known change points, read out of nannyml's package where it is."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from drift_streams import RULES

from monitor.analysis.drift.profiles import profile_of
from monitor.analysis.drift.watches import Baseline
from monitor.analysis.monitors import analysis_of
from monitor.findings import Finding
from monitor.rows import Row
from monitor.types import Kind, Observation


def folder() -> Path | None:
    """nannyml's data, found without importing it."""
    spec = importlib.util.find_spec("nannyml")
    return Path(spec.origin).parent / "datasets" / "data" if spec and spec.origin else None


def car_loan(data: Path) -> list[list[Finding]]:
    """Findings after each of ten chunks; the documented change begins with chunk 6 of 10."""
    import pandas as pd

    reference = pd.read_csv(data / "synthetic_car_loan_reference.csv")
    current = pd.read_csv(data / "synthetic_car_loan_analysis.csv")
    ignored = ["id", "timestamp", "repaid"]
    return judge(reference, [current[i : i + 5000] for i in range(0, 50000, 5000)], ignored)


def census(data: Path) -> list[tuple[int, list[Finding]]]:
    """Findings on employment in Massachusetts in 2016, 2017, 2018 against 2015, each year alone."""
    import pandas as pd

    reference = pd.read_parquet(data / "employment_MA_reference.pq")
    current = pd.read_parquet(data / "employment_MA_analysis.pq")
    ignored = ["id", "year", "employed"]
    years = sorted(current["year"].unique())
    return [
        (int(year), judge(reference, [current[current["year"] == year]], ignored)[0])
        for year in years
    ]


def judge(reference: Any, chunks: list[Any], ignored: list[str]) -> list[list[Finding]]:
    """Findings after each chunk, by the product's own fold."""
    profile = profile_of(_rows(reference, ignored), ())
    rules = replace(RULES, pane=None, samples=1)
    analysis = analysis_of((), rules, Baseline(profile=profile), dimensions=())
    findings = []
    for index, chunk in enumerate(chunks):
        for row in _rows(chunk, ignored):
            analysis.add_row(row)
        findings.append(analysis.findings())
        analysis.close(float(index))
    return findings


def _rows(table: Any, ignored: list[str]) -> Iterator[Row]:
    columns = [name for name in table.columns if name not in ignored]
    values = [
        [None if isinstance(value, float) and math.isnan(value) else value for value in column]
        for column in (table[name].tolist() for name in columns)
    ]
    for row in zip(*values, strict=True):
        yield Row(0.0, {}, [_seen(name, value) for name, value in zip(columns, row, strict=True)])


def _seen(name: str, value: Any) -> Observation:
    kind: Kind = "categorical" if isinstance(value, str | bool) else "numeric"
    return Observation(name, kind, value)
