"""Finding what stands at files."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.assembly.sanitizer import Sanitizer
from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.features import FEATURES
from monitor.replay import files
from monitor.replay.files import ReadOptions
from monitor.settings.schema import Settings
from monitor.sources import records
from monitor.tables.columns import Columns
from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, encode_record

CLEAN = Sanitizer(Settings())


def record(number: int) -> Record:
    return Record(
        id=f"id-{number}", endpoint="test", protocol="openai_chat", operation="chat", model="m",
        started=1000.0 + number, duration=0.5, time_to_first_token=None, time_per_output_token=None,
        status=200, outcome=Outcome.OK, streamed=False, segments={"population": "ab"[number % 2]},
        request=RequestSummary("POST", "/", {}, 1, False),
        response=ResponseSummary({}, 1, False), inputs=[Part(role="user", text="hello")],
        outputs=[], tokens=None, finish_reasons=[], pseudonyms={}, key="k1", trace_id=None,
    )  # fmt: skip


@pytest.fixture
def archived(tmp_path: Path) -> Path:
    """The same four records three times over, as three kinds of file in a directory."""
    lines = [encode_record(record(number)) for number in range(4)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    table = pa.table({"record": [line.decode() for line in lines]})
    parquet.write_table(table, tmp_path / "c.parquet")
    (tmp_path / "notes.txt").write_text("not meant")
    return tmp_path


def test_a_record_is_in_each_of_its_edge_cases_where_they_are_asked_for() -> None:
    """Names of somebody else's log are cleaned, as all labels are."""
    names = ["refusal", "by jo@example.org", "refusal"]
    one = msgspec.structs.replace(record(0), edge_cases=names)
    look = ReadOptions(FEATURES, Columns(by=("edge_case", "model")), sanitizer=CLEAN)
    (row,) = files.observe([one], look)
    assert row.edge_cases == ["refusal", "by <EMAIL_ADDRESS>"]
    assert row.segments == {"model": "m"}
    (row,) = files.observe([one], ReadOptions(FEATURES, Columns(by=("model",)), sanitizer=CLEAN))
    assert row.edge_cases == []


def test_every_form_of_the_same_records_gives_the_same_rows(archived: Path) -> None:
    """JSONL, gzipped JSONL and Parquet differ in nothing."""
    look = ReadOptions(FEATURES, Columns(by=("population", "model")), sanitizer=CLEAN)
    found = list(files.read(files.find([str(archived)]), look))
    assert len(found) == 12
    assert found[:4] == found[4:8] == found[8:]
    assert found[1].segments == {"population": "b", "model": "m"}
    assert found[1].at == 1001.5
    assert {seen.feature for seen in found[0].observations} >= {"input_text_length", "outcome"}


def test_a_range_of_time_is_of_beginnings(archived: Path) -> None:
    """From is included, to is not."""
    look = ReadOptions(start=1001.0, end=1003.0, sanitizer=CLEAN)
    found = files.read(files.find([str(archived / "a.jsonl")]), look)
    assert [row.at for row in found] == [1001.5, 1002.5]


def test_tables_are_numbered_through_and_narrowed_by_their_times(tmp_path: Path) -> None:
    """Two files are one table."""
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("at,x\n10,1\n20,2\n")
    found = files.find([str(tmp_path)])
    assert files.is_table(found)
    assert [row.at for row in files.read(found, ReadOptions(sanitizer=CLEAN))] == [
        0.0,
        1.0,
        2.0,
        3.0,
    ]
    timed = ReadOptions(columns=Columns(timestamp="at"), start=15.0, sanitizer=CLEAN)
    assert [row.at for row in files.read(found, timed)] == [20.0, 20.0]
    assert [table.names for table in files.open_tables(found, Damage())] == [["at", "x"]] * 2


def test_a_table_without_times_has_no_range(tmp_path: Path) -> None:
    """One line says what is missing."""
    (tmp_path / "t.csv").write_text("x\n1\n")
    with pytest.raises(SourceError, match="--from and --to need --timestamp"):
        list(
            files.read(files.find([str(tmp_path / "t.csv")]), ReadOptions(end=1.0, sanitizer=CLEAN))
        )


def test_what_cannot_be_told_or_mixed_is_said(tmp_path: Path, archived: Path) -> None:
    """Empty files, empty directories, tables among records, strange formats."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.csv").write_text("x\n1\n")
    (tmp_path / "void.csv").write_text("")
    with pytest.raises(SourceError, match="holds no file that ends in") as refused:
        files.find([str(tmp_path / "empty")])
    assert refused.match(
        r"in \.csv, \.parquet, \.jsonl, \.json, \.log, \.xlsx \(docs/tables.md and"
    )
    with pytest.raises(SourceError, match=r"empty: holds no file that ends in \.arrow$"):
        files.find([str(tmp_path / "empty")], "arrow")
    with pytest.raises(SourceError, match=r"void\.csv: is empty"):
        files.find([str(tmp_path / "void.csv")])
    with pytest.raises(
        SourceError, match=r"is a table and .* were read as csv and records, and --format"
    ):
        files.find([str(tmp_path / "t.csv"), str(archived / "a.jsonl")])
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        files.find(["nowhere.csv"])


def test_a_said_format_is_believed(tmp_path: Path) -> None:
    """A file of records that begins oddly can still be read as what it is."""
    (tmp_path / "odd").write_bytes(b"  \n" + encode_record(record(0)))
    assert files.find([str(tmp_path / "odd")], "records") == [(tmp_path / "odd", records.SOURCE)]


@pytest.mark.parametrize("said", ["csv", "jsonl", "records"])
def test_a_file_that_is_certainly_of_another_format_is_named(tmp_path: Path, said: str) -> None:
    """Nobody is told to change the encoding of a table that is no text."""
    path = tmp_path / "usual.parquet"
    parquet.write_table(pa.table({"x": [1.0, 2.0]}), path)
    with pytest.raises(SourceError, match=f"is parquet and no {said}; --format .* leave it out"):
        files.find([str(path)], said)
    assert files.find([str(path)], "parquet")


def test_a_directory_that_may_not_be_looked_into_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files beside it are read; where the whole may not be, that is the sentence."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "shut").mkdir()
    scan = os.scandir

    def shut(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", shut)
    damage = Damage()
    assert [path.name for path, _ in files.find([str(tmp_path)], damage=damage)] == ["a.csv"]
    (told,) = damage.listed()
    assert (told.place, told.error) == (f"{tmp_path}/shut", "cannot be read: Permission denied")
    with pytest.raises(SourceError, match="/shut: cannot be read: Permission denied"):
        files.find([str(tmp_path / "shut")])


@pytest.mark.parametrize(
    "place",
    [
        "http:/u:PW@h/a?token=PW",
        "HTTP:/u:PW@h/a",
        "u:PW@h/a.csv",
        "https:u:PW@h/a",
        "s3::/u:PW@h/a",
    ],
)
def test_what_is_nearly_a_url_is_shown_without_its_password(place: str) -> None:
    """A mistyped one too."""
    with pytest.raises(SourceError, match="cannot be read: No such file") as raised:
        files.find([place])
    assert "PW" not in str(raised.value)


NGINX = '10.0.0.{} - - [28/Nov/2026:00:00:{:02} +0000] "GET /v1 HTTP/1.1" 200 5 "-" "agent, {}"'
ENVOY = (
    '[2026-11-28T00:00:{1:02}.000Z] "POST /v1/chat HTTP/1.1" 200 - 100 500 7 4 "-" "agent, {0}" '
    '"id-{2}" "api.example" "10.0.0.1:80"'
)
SPENT = (
    '{{"request_id": "r{}", "call_type": "acompletion", "spend": 0.1, "total_tokens": {}, '
    '"startTime": "2026-11-01T00:00:00", "endTime": "2026-11-01T00:00:01", "model": "a", "n": {}}}'
)
BEFORE = "2026/11/28 20:00:00 [error] 31#31: *1 upstream timed out, one, two"


@pytest.mark.parametrize(("line", "name"), [(NGINX, "nginx"), (ENVOY, "envoy"), (SPENT, "litellm")])
@pytest.mark.parametrize("end", [".log", ".jsonl"])
def test_a_log_is_known_by_most_of_its_lines(
    tmp_path: Path, line: str, name: str, end: str
) -> None:
    """It may be cut at its beginning, in whatever place, and begin with what is none of its lines;
    what is left of a line is told as unreadable by its number, and costs itself alone."""
    whole = [line.format(n, n % 60, n) for n in range(40)]
    heads = [whole[0][place:] for place in (30, 45, 60, len(whole[0]) - 3)]
    for head in heads if name == "litellm" else [*heads, f"# a remark\n\n{BEFORE}\n{BEFORE}"]:
        path = tmp_path / f"cut{end}"
        path.write_text("\n".join([head, *whole[1:]]))
        ((found, source),) = files.find([str(path)])
        assert source.name == name
        assert source.exchanges is not None
        damage = Damage()
        assert len(list(source.exchanges([found], damage))) == 39
        lost = len([one for one in head.split("\n") if one])
        assert sum(one.count for one in damage.listed()) == lost
        assert damage.first().startswith(f"{path}:1: ")


def test_a_table_with_lines_of_a_log_in_it_is_a_table(tmp_path: Path) -> None:
    """Where its name says that it is one."""
    path = tmp_path / "lines.csv"
    path.write_text("\n".join(["line", *(NGINX.format(1, n, n) for n in range(9))]))
    ((_, source),) = files.find([str(path)])
    assert source.name == "csv"
