"""A table's rows with what became of them."""

from __future__ import annotations

import dataclasses
import math
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.replay.files import ReadOptions, find, open_tables, read_truths
from monitor.rows import Row, Truth
from monitor.settings.schema import Settings
from monitor.tables.columns import Columns
from monitor.tables.truths import TruthColumns
from tests.tables.odd_columns import MAKERS, column


def rows(tmp_path: Path, text: str, **said: Any) -> list[Row]:
    path = tmp_path / "t.csv"
    path.write_text(text)
    by = said.pop("by", ())
    columns = Columns(by, said.pop("timestamp", ""))
    written = frozenset(name for name in said.values() if isinstance(name, str))
    options = ReadOptions(
        (), columns, TruthColumns(**said), sanitizer=Sanitizer(Settings(), written)
    )
    return list(read_truths(open_tables(find([str(path)]), Damage()), options))


def test_predictions_scores_and_labels_are_read(tmp_path: Path) -> None:
    """As their columns are read: numbers, truth values, names; what is empty is missing."""
    text = "said,p,paid,who,sex\n" + "1,0.75,true,x,f\n0,0.25,false,y,m\n1,,,x,\n" * 30
    found = rows(tmp_path, text, prediction="said", score="p", label="paid", protected=("sex",))
    assert len(found) == 90
    assert [row.truth for row in found[:3]] == [
        Truth(1.0, 0.75, "true", attributes={"sex": "f"}),
        Truth(0.0, 0.25, "false", attributes={"sex": "m"}),
        Truth(1.0, attributes={"sex": "none"}),
    ]
    assert all(row.observations == [] and row.segments == {} for row in found)


def test_segments_and_times_are_those_of_the_rows(tmp_path: Path) -> None:
    """Rows are numbered as ever, and one without a time is left out."""
    text = "at,site,said,true\n1700000000,a,x,y\nsoon,b,x,y\n1700000060,b,y,y\n"
    found = rows(
        tmp_path, text, by=("site",), timestamp="at", prediction="said", label="true"
    )  # fmt: skip
    assert [(row.at, row.segments["site"]) for row in found] == [
        (1700000000.0, "a"), (1700000060.0, "b"),
    ]  # fmt: skip
    with pytest.raises(SourceError, match="no column 'region'"):
        rows(tmp_path, text, by=("region",), prediction="said", label="true")


def test_values_that_nearly_all_differ_count_each(tmp_path: Path) -> None:
    """Whole numbers as those of an id are what was predicted here; texts stay whole."""
    lines = [
        f"{1000 + n},{1001 + 2 * n},the answer {n} is a text of some length, {n}"
        for n in range(400)
    ]
    found = rows(
        tmp_path, "said,true,words,n\n" + "\n".join(lines), prediction="said", label="true"
    )
    assert [row.truth for row in found[:2]] == [
        Truth(1000.0, None, 1001.0),
        Truth(1001.0, None, 1003.0),
    ]
    found = rows(
        tmp_path,
        "words,true\n" + "\n".join(f"the answer {n} is some text,x{n}" for n in range(400)),
        prediction="words",
        label="true",
    )
    assert found[7].truth == Truth("the answer 7 is some text", None, "x7")


def test_a_score_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    """It is no missing score: the row counts as one with a bad score."""
    text = "p,true\n" + "0.5,1\n" * 200 + "maybe,1\n1.5,0\n"
    last = [row.truth for row in rows(tmp_path, text, score="p", label="true")[-2:]]
    assert last[0] is not None
    assert last[1] is not None
    assert isinstance(last[0].score, float)
    assert math.isnan(last[0].score)
    assert last[1].score == 1.5


def test_probabilities_of_classes_are_lists_or_objects(tmp_path: Path) -> None:
    """Written as JSON in a text; a list has the classes 0, 1 and so on; what is no probability is
    said to be none."""
    cells = [
        "[0.2, 0.7, 0.1]",
        '{""a"": 0.25, ""b"": 0.75}',
        "[0.2, 0.7",
        '[""x"", true]',
        "[]",
        "[" * 9999,
        "9" * 400,
    ]
    text = "p,true\n" + "".join(f'"{cell}",a\n' for cell in cells)
    scores = [
        row.truth and row.truth.score for row in rows(tmp_path, text, score="p", label="true")
    ]
    assert scores[:2] == [{"0": 0.2, "1": 0.7, "2": 0.1}, {"a": 0.25, "b": 0.75}]
    assert isinstance(scores[2], float)
    assert math.isnan(scores[2])
    assert isinstance(scores[3], dict)
    assert all(map(math.isnan, scores[3].values()))
    assert scores[4] == {}
    assert isinstance(scores[5], float)
    assert math.isnan(scores[5])
    assert not isinstance(scores[6], dict)


def test_a_table_without_labels_has_none(tmp_path: Path) -> None:
    """Columns that are in another table of the source are missing here."""
    found = rows(tmp_path, "said\nx\ny\n", prediction="said", label="true")
    assert [row.truth for row in found] == [Truth("x"), Truth("y")]


@pytest.mark.parametrize("seed", range(8))
def test_what_is_read_by_column_is_read_by_row(tmp_path: Path, seed: int) -> None:
    """Whatever stands in the columns that tell it, and in those of segments, units and slices."""
    rng = random.Random(seed)
    names = ["said", "p", "true", "sex", "bought", "took", "ended", "user", "site", "more"]
    made = pa.table({name: column(rng.choice(sorted(MAKERS)), rng, 200) for name in names})
    path = tmp_path / "t.parquet"
    if seed % 2:
        texts = {
            name: [None if one is None else str(one).replace("\r", "") for one in made[name].to_pylist()]
            for name in names
        }  # fmt: skip
        path = tmp_path / "t.csv"
        csv.write_csv(pa.table({k: pa.array(v, pa.string()) for k, v in texts.items()}), path)
    else:
        parquet.write_table(made, path, row_group_size=70)
    said = TruthColumns(
        "said", "true", "p", ("sex",), ("bought",), "took", "ended", ("arm",), ("user",),
        is_sliced=seed % 4 > 1,
    )  # fmt: skip
    found = []
    for is_by_column in (True, False):
        tables = open_tables(find([str(path)]), Damage())
        assert tables[0].batches is not None
        if not is_by_column:
            tables = [dataclasses.replace(one, batches=None) for one in tables]
        by = tuple({"site"}.intersection(tables[0].names))
        options = ReadOptions((), Columns(by), said, sanitizer=Sanitizer(Settings()))
        found.append(repr(list(read_truths(tables, options))))
    assert found[0] == found[1]
