"""Rows of any file: JSON in lines, in lists and one behind the other, and CSV; good parts are read, bad ones are told with
their line."""

from __future__ import annotations

import bz2
import gzip
import json
import tempfile
import tracemalloc
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.foreign import documents


def read(path: Path, data: bytes) -> tuple[list[tuple[int, object]], list[tuple[str, str]]]:
    path.write_bytes(data)
    damage = Damage()
    found = []
    for line, row in documents.rows(path, damage):
        try:
            found.append((line, json.loads(row)))
        except ValueError:
            found.append((line, None))
    return found, [(one.place.removeprefix(f"{path}:"), one.error) for one in damage.listed()]


@pytest.mark.parametrize(
    ("data", "rows", "broken"),
    [
        (b'{"a": 1}\n\n{"a": 2}', [(1, {"a": 1}), (3, {"a": 2})], []),
        (b'\xef\xbb\xbf{"a": 1}\r\n{"a": 2}\r\n', [(1, {"a": 1}), (2, {"a": 2})], []),
        (b'{"a": 1}\n{"a": \n{"a": 3}', [(1, {"a": 1}), (2, None), (3, {"a": 3})], []),
        (b'[{"a": 1},\n {"a": 2}]\n', [(1, {"a": 1}), (2, {"a": 2})], []),
        (b'\n\n[\n  {\n "a": 1\n },\n {"a": 2}\n]', [(4, {"a": 1}), (7, {"a": 2})], []),
        (b'{\n "a": 1\n}\n{\n "a": 2\n}', [(1, {"a": 1}), (4, {"a": 2})], []),
        (b'[{"a": 1}, {"a": 2x, "b": {"c": 1}},\n{"a": 3}]', [(1, {"a": 1}), (2, {"a": 3})], [("1", "not JSON")]),
        (b'[{"a": 1}, 12, {"a": 3}]', [(1, {"a": 1}), (1, {"a": 3})], [("1", "not a JSON object")]),
        (b'[{"a": 1},\n{"a": {"b": [{"c": 3}', [(1, {"a": 1})], [("2", "is cut off")]),
        (b'[{"a": "\xff"}]', [(1, {"a": "\ufffd"})], []),
        (b'[{"a": 1},\n{"a": ' + b"[" * 100_000 + b'},\n{"a": 3}]', [(1, {"a": 1}), (3, {"a": 3})], [("2", "nested too deeply")]),
        (b"[", [], [("1", "is cut off")]),
        (b'[{"a": 1},\n', [(1, {"a": 1})], [("2", "is cut off")]),
        (b"", [], []),
        (b"a,b\n1,\"{\"\"x\"\": 2}\"\n3,\"{x\"\n", [(2, {"a": "1", "b": {"x": 2}}), (3, {"a": "3", "b": "{x"})], []),
        (b'a,b\n1,2,3\n"x\ny",5\n\n6,7\n', [(3, {"a": "x\ny", "b": "5"}), (6, {"a": "6", "b": "7"})], [("2", "3 fields where there are 2 names")]),
        (b"a,b\n,\n", [(2, {})], []),
    ],
)  # fmt: skip
def test_rows_are_read_and_broken_ones_are_told(
    tmp_path: Path, data: bytes, rows: object, broken: object
) -> None:
    """Each with the line in which it begins."""
    assert read(tmp_path / "a", data) == (rows, broken)


def test_packed_files_are_read_and_damaged_ones_as_far_as_they_go(tmp_path: Path) -> None:
    """The place is the line that cannot be read."""
    path, lines = tmp_path / "a", b"".join(b'{"a": "%x"}\n' % (i**9) for i in range(3000))
    assert len(read(path, bz2.compress(lines))[0]) == 3000
    cut = gzip.compress(lines)[:-50]
    found, broken = read(path, cut)
    assert len(found) == zlib.decompressobj(31).decompress(cut).count(b"\n")
    assert broken == [(f"{len(found) + 1}", "is cut off within what gzip has packed")]
    with pytest.raises(SourceError, match="cannot be read"):
        list(documents.rows(tmp_path / "none", Damage()))


@pytest.mark.parametrize("form", [b'{"a": 1}\n%s\n{"a": 3}', b'[{"a": 1},\n%s,\n{"a": 3}]'])
def test_a_row_without_an_end_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: bytes
) -> None:
    """In memory for a few times the longest row, however long it is."""
    monkeypatch.setattr(documents, "LONGEST", 1 << 18)
    monkeypatch.setattr(documents, "READ", 1 << 16)
    path = tmp_path / "a"
    path.write_bytes(form % (b'{"a": "' + b"x" * (20 << 20) + b'"}'))
    damage = Damage()
    tracemalloc.start()
    try:
        found = [json.loads(row) for _, row in documents.rows(path, damage)]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == [{"a": 1}, {"a": 3}]
    assert [(one.place, one.error) for one in damage.listed()] == [
        (f"{path}:2", "longer than 0 MB")
    ]
    assert peak < 8 << 20


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.lists(st.sampled_from([b"[", b"{", b'"a"', b":", b"1", b"}", b"]", b",", b"\n", b"\\"]), max_size=60).map(b"".join))  # fmt: skip
def test_any_bytes_are_read_to_their_end(data: bytes) -> None:
    """Nothing is raised, and every row is of bytes that stand there."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "a")
        path.write_bytes(data)
        rows = list(documents.rows(path, Damage()))
    assert all(line >= 1 and row for line, row in rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=40) | st.integers() | st.none(), min_size=1, max_size=4), max_size=30), st.integers(1, 40), st.sampled_from([None, 2]))  # fmt: skip
def test_a_list_is_read_whole_wherever_it_is_cut_for_reading(
    items: list[dict[str, object]], size: int, indent: int | None
) -> None:
    """As `json.load` reads it."""
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "READ", size)
        found, broken = read(Path(directory, "a"), json.dumps(items, indent=indent).encode())
    assert ([row for _, row in found], broken) == (items, [])


def test_files_that_were_put_one_behind_the_other_are_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each list of them, with the lines of the whole, whatever stands before and behind a list."""
    monkeypatch.setattr(documents, "READ", 1024)
    many = json.dumps([{"n": n} for n in range(300)])
    one = '{"log": {"entries": ' + many + ', "comment": "' + "c" * 5000 + '"}}\n'
    other = '{"log": {"version": "1",\n"entries": [{"n": 300},\n{"n": 301}]}}'
    path = tmp_path / "a.har"
    path.write_text(one + other + '{"log": {"entries": []}}' + one)
    damage = Damage()
    found = list(documents.within(b"entries")(path, damage))
    assert [json.loads(row)["n"] for _, row in found] == [*range(302), *range(300)]
    assert [line for line, _ in found] == [1] * 300 + [3, 4] + [4] * 300
    assert damage.listed() == []
