"""Rows of an archive: what DuckDB, pandas or Spark see of a Record."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pyarrow import parquet

from monitor.archive import rows
from monitor.archive.rows import Kept, Writer
from monitor.audit.merkle import NONCE, Tree, leaf
from monitor.damage import Damage
from monitor.sources import archive
from monitor.types import Tokens, encode_record
from tests.archive.conftest import kept
from tests.replay.some_records import record


def test_a_file_holds_records_and_what_proves_them(tmp_path: Path) -> None:
    """Documents byte for byte in `record`, facts beside them, and leaves that make the tree."""
    path, before = tmp_path / "a.part", Tree().grown([bytes(32)])
    wanted = kept(0, 5)
    writer = Writer(path, before)
    writer.add(wanted[:2], os.urandom(2 * NONCE))
    writer.add([], b"")
    writer.add(wanted[2:], os.urandom(3 * NONCE))
    file = writer.close("bot", 0)
    table = parquet.read_table(path).to_pydict()
    assert [one.encode() for one in table["record"]] == [one.document for one in wanted]
    assert table["number"] == [1, 2, 3, 4, 5]
    assert table["population"] == ["a", "b", "a", "b", "a"]
    assert (table["outcome"][0], table["input_tokens"][0], table["variant"][0]) == ("ok", 9, None)
    proof = zip(table["nonce"], table["sid"], table["record"], strict=True)
    found = [leaf(nonce, sid.encode(), document.encode()) for nonce, sid, document in proof]
    assert table["leaf"] == found
    assert writer.tree == before.grown(found)
    assert (file.rows, file.bytes, file.first) == (5, path.stat().st_size, wanted[0].sid)
    assert (file.start, file.end) == (wanted[0].record.started, wanted[4].record.started)
    assert list(archive.read(path, Damage())) == [one.record for one in wanted]


def test_a_number_that_no_column_holds_is_null_there(tmp_path: Path) -> None:
    """It stands in the Record as it was said, and stops no archiver."""
    huge = 1 << 63
    one = record(0, status=huge, tokens=Tokens(-huge, huge, cached=-huge - 1))
    writer = Writer(tmp_path / "a.part", Tree())
    writer.add([Kept("1-0", encode_record(one), one), *kept(1, 1)], os.urandom(2 * NONCE))
    writer.close("bot", 0)
    first, second = parquet.read_table(tmp_path / "a.part").to_pylist()
    assert (first["status"], first["input_tokens"], first["output_tokens"]) == (None, -huge, None)
    assert (first["tokens"]["input"], first["tokens"]["cached"]) == (-huge, None)
    assert (second["status"], second["output_tokens"]) == (200, 5)
    assert next(iter(archive.read(tmp_path / "a.part", Damage()))) == one


def test_what_is_held_in_memory_is_a_row_group(tmp_path: Path, monkeypatch) -> None:
    """By rows, and by bytes of documents."""
    monkeypatch.setattr(rows, "GROUP_ROWS", 4)
    writer = Writer(tmp_path / "a.part", Tree())
    for each in range(10):
        writer.add(kept(each, 1), os.urandom(NONCE))
    monkeypatch.setattr(rows, "GROUP_BYTES", 1)
    writer.add(kept(10, 1), os.urandom(NONCE))
    writer.close("bot", 0)
    metadata = parquet.read_metadata(tmp_path / "a.part")
    groups = [metadata.row_group(each).num_rows for each in range(metadata.num_row_groups)]
    assert groups == [4, 4, 3]


def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    """Also where it has been made whole already."""
    for is_whole in (False, True):
        writer = Writer(tmp_path / "a.part", Tree())
        writer.add(kept(0, 1), bytes(NONCE))
        if is_whole:
            writer.close("bot", 0)
        writer.abandon()
        assert not (tmp_path / "a.part").exists()


FIRST = """
import sys
from pathlib import Path
from types import SimpleNamespace
from monitor.archive import rows
from monitor.audit.merkle import NONCE, Tree
from monitor.types import Outcome, Tokens

rows.load()
before = set(sys.modules)
writer = rows.Writer(Path(sys.argv[1]), Tree())
one = SimpleNamespace(
    id="a", started=1.0, duration=1.0, protocol="p", operation="o", model="m", status=200,
    outcome=Outcome.OK, segments={"population": "a"}, tokens=Tokens(1, 2), trace_id="t", key="k",
    time_to_first_token=None, time_per_output_token=None, cost=None, lineage={}, checks={},
    edge_cases=["refusal"], finish_reasons=[],
)
writer.add([rows.Kept("1-0", b"{}", one)], bytes(NONCE))
writer.close("bot", 0)
print({name.partition(".")[0] for name in set(sys.modules) - before} & {"numpy", "pandas", "pyarrow"})
"""


def test_what_takes_long_to_load_is_loaded_before_the_first_row(tmp_path: Path) -> None:
    """At the start: an archiver that is told to stop soon after has little time for its last row."""
    command = [sys.executable, "-c", FIRST, str(tmp_path / "a.part")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
