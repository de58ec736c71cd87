"""Columns with a structure: what DuckDB, pandas and Spark see of a Record beside its flat facts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from pyarrow import parquet

from monitor.archive import nested
from monitor.archive.chain import Chain, signer
from monitor.archive.rows import COLUMNS, PROOF, RECORD, Kept, Writer
from monitor.archive.storage import Directory
from monitor.archive.verification import Verifier
from monitor.audit.merkle import NONCE, Tree
from monitor.types import Cost, Record, Tokens, Verdict, encode_record
from tests.archive import replacing
from tests.archive.conftest import BEGAN, add
from tests.archive.test_erasure import HOW, eraser, named
from tests.replay.some_records import record

FULL = record(
    1, tokens=Tokens(9, 5, cached=3, reasoning=2), cost=Cost(0.25, "EUR", "own/m"),
    time_to_first_token=0.5, time_per_output_token=0.01, segments={"population": "a", "plan": "é"},
    lineage={"adapter": "lora-17", "monitor": "0.1.0"}, edge_cases=["refusal", "long_input"],
    checks={"citation": Verdict(False, 2, 3)}, finish_reasons=["stop", "length"],
)  # fmt: skip
"""A Record that has something in every column."""
BARE = record(2, tokens=None, segments={}, finish_reasons=[])


def fields(value: Any, names: tuple[str, ...]) -> Any:
    return None if value is None else {name: getattr(value, name) for name in names}


def wanted(one: Record) -> dict[str, Any]:
    """What the columns hold of a Record, as pyarrow tells it."""
    checks = {name: fields(verdict, nested.VERDICT) for name, verdict in one.checks.items()}
    return {
        "tokens": fields(one.tokens, nested.TOKENS), "latency": fields(one, nested.LATENCY),
        "cost": fields(one.cost, nested.COST), "segments": list(one.segments.items()),
        "lineage": list(one.lineage.items()), "checks": list(checks.items()),
        "edge_cases": one.edge_cases, "finish_reasons": one.finish_reasons,
    }  # fmt: skip


def written(path: Path, records: list[Record], columns: tuple[str, ...] = COLUMNS) -> Path:
    rows = [
        Kept(f"{BEGAN + number}-0", encode_record(one), one) for number, one in enumerate(records)
    ]
    writer = Writer(path, Tree(), columns)
    writer.add(rows, os.urandom(NONCE * len(rows)))
    writer.close("bot", 0)
    return path


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
maps = st.dictionaries(texts, texts, max_size=3)
verdicts = st.builds(Verdict, st.booleans(), st.integers(0, 9), st.integers(0, 9))
some = st.lists(
    st.builds(
        lambda **facts: replace(BARE, **facts),
        segments=maps, lineage=maps, edge_cases=st.lists(texts, max_size=3),
        checks=st.dictionaries(texts, verdicts, max_size=2),
        tokens=st.none() | st.builds(Tokens, st.none() | st.integers(0, 9), st.integers(0, 9)),
    ),
    max_size=5,
)  # fmt: skip


@given(some)
@settings(max_examples=50)
def test_any_records_come_back_as_they_were(records: list[Record]) -> None:
    """By the row, where some have much and others nothing; a list or a map is empty, never null."""
    found = {
        name: nested.array(name, records, of).to_pylist() for name, of in nested.types().items()
    }
    assert found == {name: [wanted(one)[name] for one in records] for name in nested.NAMES}


def test_pandas_and_arrow_read_them_from_a_file(tmp_path: Path) -> None:
    """Beside the flat columns; all are compressed, and what repeats is stored once."""
    path = written(tmp_path / "a.parquet", [FULL, BARE])
    table = parquet.read_table(path)
    assert table.column_names == [*COLUMNS, *PROOF, RECORD]
    assert table.select(nested.NAMES).to_pylist() == [wanted(FULL), wanted(BARE)]
    frame = pandas.read_parquet(path)
    assert frame["tokens"][0]["cached"] == 3
    assert dict(frame["segments"][0]) == FULL.segments
    assert list(frame["edge_cases"][0]) == FULL.edge_cases
    group = parquet.read_metadata(path).row_group(0)
    parts = [group.column(each) for each in range(group.num_columns)]
    assert {one.compression for one in parts} == {"ZSTD"}
    of = {one.path_in_schema: one.has_dictionary_page for one in parts}
    assert (of["lineage.key_value.value"], of["tokens.input"], of["record"]) == (True, False, False)


def test_a_column_is_stored_as_its_leaves() -> None:
    """By the names that Parquet's specification gives to elements, keys and values."""
    of = nested.types()
    assert list(nested.leaves("checks", of["checks"])) == [
        "checks.key_value.key",
        *(f"checks.key_value.value.{name}" for name in nested.VERDICT),
    ]
    assert list(nested.leaves("edge_cases", of["edge_cases"])) == ["edge_cases.list.element"]
    assert list(nested.leaves("cost", of["cost"])) == ["cost.amount", "cost.currency"]
    assert list(nested.leaves("id", pa.string())) == ["id"]


def test_nothing_of_them_is_left_of_a_record_that_was_erased(tmp_path: Path) -> None:
    """A tombstone has no part of a structure either; the row beside it has all of its own."""
    storage = Directory(tmp_path)
    chain = Chain(storage, "bot", 0)
    chain.open()
    rows = [Kept(f"{BEGAN + number}-0", encode_record(FULL), FULL) for number in range(2)]
    assert add(chain, named(rows, 0))
    assert list(eraser(chain).erase(HOW, signer(None), clock=lambda: 2e9)) == [1]
    (held,) = replacing.current(chain)
    gone, left = parquet.ParquetFile(storage.place(held.file.path)).read().to_pylist()
    assert {name for name, value in gone.items() if value is not None} == {"number", "sid", "leaf"}
    assert {name: left[name] for name in nested.NAMES} == wanted(FULL)
    assert Verifier(storage).shard("bot", 0).erased == 1
