"""JSON objects as a table."""

from __future__ import annotations

import contextlib
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.sources.jsonl import COLUMNS, open_objects

ROWS = [{"a": 1, "b": {"c": "x", "d": [1, 2]}}, {"a": None, "e": True}, {"b": None}]


@pytest.mark.parametrize("form", ["lines", "list", "pretty", "packed", "marked"])
def test_objects_in_any_form_are_the_same_table(tmp_path: Path, form: str) -> None:
    """One a line or in a list; names of all of them, missing values where one has none."""
    lines = "\n".join(map(json.dumps, ROWS)).encode()
    path = tmp_path / "t"
    path.write_bytes(
        {
            "lines": lines + b"\n\n",
            "list": json.dumps(ROWS).encode(),
            "pretty": b"\n" + json.dumps(ROWS, indent=2).encode(),
            "packed": gzip.compress(lines),
            "marked": b"\xef\xbb\xbf" + lines,
        }[form]
    )
    table, damage = open_objects(path), Damage()
    assert table.names == ["a", "b.c", "b.d", "e"]
    assert [list(values) for _, values in table.rows(table.names, damage)] == [
        [1, "x", [1, 2], None],
        [None, None, None, True],
        [None, None, None, None],
    ]
    assert not damage.listed()


@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_table_or_an_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """One line that names the file, or rows."""
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(content)
    with contextlib.suppress(SourceError):
        table = open_objects(path)
        list(table.rows(table.names, Damage()))


def test_names_are_bounded(tmp_path: Path) -> None:
    """A column for each of a million names is no table; what is left out is said."""
    path = tmp_path / "t.jsonl"
    path.write_text("\n".join(json.dumps({f"k{n}": 1}) for n in range(COLUMNS + 7)))
    table = open_objects(path)
    assert (len(table.names), table.beyond) == (COLUMNS, 7)
