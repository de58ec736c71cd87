"""A table that is counted by column gives the document of one that is counted by row, bit for bit."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.cli import main
from monitor.commands import replay
from monitor.replay import files
from monitor.settings.schema import Settings
from monitor.tables import csv_blocks, rows
from monitor.tables import parquet as batches
from tests.tables.odd_columns import MAKERS, column, numbered

COUNT = 340
"""Rows of a side: more than make the bins, and than are learned from, in what is `quickest`."""

SEEDS = 24
"""Pairs of tables."""


@cache
def _clean() -> Sanitizer:
    return Sanitizer(Settings())


@pytest.fixture
def document(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    quickest: None,
) -> Any:
    """The function (arguments of replay) → (document by column, document by row)."""
    monkeypatch.setattr(replay, "Sanitizer", lambda settings, outputs: _clean())
    monkeypatch.setattr(batches, "WIDE", 128)
    monkeypatch.setattr(csv_blocks, "SMALL", 256)
    monkeypatch.setattr(csv_blocks, "LARGE", 1 << 13)

    def told(*arguments: str) -> tuple[int, bytes]:
        out = tmp_path / "document.json"
        out.write_bytes(b"")
        code = main(["replay", *arguments, "--json", str(out)])
        return code, out.read_bytes()

    def both(*arguments: str) -> tuple[Any, Any]:
        by_column = told(*arguments)
        with monkeypatch.context() as patch:
            patch.setattr(files.by_column, "read", rows.read)
            return by_column, told(*arguments)

    return both


def table(rng: random.Random, kinds: list[str], moved: float, *, flat: bool) -> pa.Table:
    """Columns of these kinds, and some as everybody has them."""
    usual = {
        "at": pa.array([1.7e9 + n for n in range(COUNT)]),
        "x": pa.array(np.random.default_rng(rng.getrandbits(32)).normal(moved, 1, COUNT)),
        "sorted": pa.array(sorted(rng.gauss(0, 1) for _ in range(COUNT))),
        "score": pa.array([rng.random() for _ in range(COUNT)]),
        "truth": pa.array([rng.choice((0, 1)) for _ in range(COUNT)]),
        "region": pa.array(rng.choices(("north", "south", "rare", "none", "é"), (50, 40, 1, 5, 4), k=COUNT)),
        "id": numbered(rng, COUNT),
        "note": pa.array([" ".join(rng.choices(("ships", "sails", "seas"), k=rng.randint(1, 30))) for _ in range(COUNT)]),
    }  # fmt: skip
    odd = {f"c{place}": column(kind, rng, COUNT) for place, kind in enumerate(kinds)}
    made = pa.table(usual | odd)
    if not flat:
        return made
    plain = {
        name: [
            None if one is None else str(one).replace("\r", "") for one in made[name].to_pylist()
        ]
        for name in made.column_names
    }
    return pa.table({name: pa.array(values, pa.string()) for name, values in plain.items()})


OPTIONS = (
    ("--by", "region"), ("--chunks", "3"), ("--timestamp", "at"),
    ("--timestamp", "at", "--from", "2023-11-14T22:20:00Z"), ("--ignore", "x"),
    ("--reference", "region=north"), ("--reference", "SOURCE"),
    ("--reference", "SOURCE", "--score", "score", "--label", "truth"), ("--by", "c0"),
)  # fmt: skip


NOON, FOREVER = datetime(2024, 2, 29, 12, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
ENDS: dict[str, tuple[Any, Any]] = {
    "text": (pa.string(), datetime.isoformat),
    "csv": (pa.string(), lambda at: f"{at:%Y-%m-%d}"),
    "day": (pa.date32(), datetime.date),
    "second": (pa.timestamp("s"), lambda at: at.replace(tzinfo=None)),
    "micro": (pa.timestamp("us", "UTC"), lambda at: at),
}


@pytest.mark.parametrize("how", sorted(ENDS))
def test_a_time_without_end_is_a_late_one(tmp_path: Path, document: Any, how: str) -> None:
    """9999-12-31 is when what is valid until further notice ends, in a column of any type."""
    kind, made = ENDS[how]
    ends = [NOON if row % 4 else FOREVER for row in range(COUNT)]
    table = pa.table({
        "valid_to": pa.array(list(map(made, ends)), kind),
        "x": pa.array(np.random.default_rng(4).normal(0, 1, COUNT)),
    })  # fmt: skip
    path = tmp_path / f"ends.{'csv' if how == 'csv' else 'parquet'}"
    if how == "csv":
        csv.write_csv(table, path)
    else:
        parquet.write_table(table, path, row_group_size=130)
    counts = []
    for range_ in (["--to", "9999-12-31"], ["--from", "9999-12-31T00:00:00Z"]):
        by_column, by_row = document(str(path), "--timestamp", "valid_to", *range_)
        assert by_column == by_row
        counts.append(json.loads(by_column[1])["records"])
    assert counts == [COUNT - COUNT // 4, COUNT // 4]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_columns_equal_rows(tmp_path: Path, document: Any, seed: int) -> None:
    """Whatever stands in them, in whatever format, whatever is asked."""
    rng = random.Random(seed)
    form, kinds = rng.choice(("parquet", "csv")), rng.sample(sorted(MAKERS), rng.randint(1, 4))
    for name, moved in (("current", 0.5), ("reference", 0.0)):
        made, path = table(rng, kinds, moved, flat=form == "csv"), tmp_path / f"{name}.{form}"
        if form == "csv":
            csv.write_csv(made, path, csv.WriteOptions(quoting_style="needed"))
        else:
            parquet.write_table(made, path, row_group_size=130)
    options: dict[str, str] = {}
    for one in rng.sample(OPTIONS, rng.randint(0, 3)):
        options |= dict(zip(one[::2], one[1::2], strict=True))
    if options.get("--reference") == "SOURCE":
        options["--reference"] = str(tmp_path / f"reference.{form}")
    else:
        options = {
            name: said for name, said in options.items() if name not in ("--score", "--label")
        }
    if "--timestamp" not in options:
        options.pop("--from", None)
    asked = [word for pair in options.items() for word in pair]
    by_column, by_row = document(str(tmp_path / f"current.{form}"), *asked)
    assert by_column == by_row
