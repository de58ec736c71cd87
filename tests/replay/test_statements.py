"""Files of feedback: what each line says, and where what cannot be read stands."""

from __future__ import annotations

import datetime
import gzip
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from monitor.damage import Damage
from monitor.errors import SourceError
from monitor.feedback import Statement, Verdict
from monitor.replay.statements import Said, statements

ID = "019ad2b6-6800-7def-9abc-e20000000001"


def read(path: Path, **options: Any) -> tuple[list[Said], list[tuple[str, str]]]:
    damage = Damage()
    found = list(statements(path, damage, **options))
    return found, [(one.place, one.error) for one in damage.listed()]


def test_a_csv_has_the_keys_of_an_item_as_columns(tmp_path: Path) -> None:
    """Empty cells say nothing; labels stay texts, what must be a number is read as one."""
    path = tmp_path / "f.csv"
    path.write_text(
        "id,business.order,label,attributes.sex,event,value,verdict.reviewer,verdict.passed,at,key\n"
        f"{ID},,1,,,,,,2026-11-28T10:00:00Z,a\n"
        ",o-17,,,order_placed,12.5,,,,b\n"
        f"{ID},,,f,,,,,,c\n"
        f"{ID},,,,,,kim,true,17.5,d\n"
    )
    found, broken = read(path)
    assert not broken
    assert [one.place for one in found] == [f"{path}:{line}" for line in range(2, 6)]
    at = datetime.datetime(2026, 11, 28, 10, tzinfo=datetime.UTC)
    assert [one.statement for one in found] == [
        Statement(id=ID, label="1", at=at, key="a"),
        Statement(business={"order": "o-17"}, event="order_placed", value=12.5, key="b"),
        Statement(id=ID, attributes={"sex": "f"}, key="c"),
        Statement(id=ID, verdict=Verdict("kim", passed=True), at=17.5, key="d"),
    ]


def test_another_column_may_hold_the_ids(tmp_path: Path) -> None:
    """It is named; one that is not there is a sentence."""
    path = tmp_path / "f.csv"
    path.write_text(f"record;label\n{ID};1\n")
    ((said, _),) = read(path, id_column="record")[0]
    assert said.id == ID
    with pytest.raises(SourceError, match=r"has no column 'x' \(--id-column\); it has record, lab"):
        read(path, id_column="x")
    with pytest.raises(SourceError, match="column 'record' is none of the keys of an item"):
        read(path)


@pytest.mark.parametrize("name", ["businesss.order", "business", "label.x", "", "id.x", "churned"])
def test_a_column_that_is_no_key_is_an_error(name: str, tmp_path: Path) -> None:
    """Before anything is taken; one without a name is an index that pandas writes."""
    path = tmp_path / "f.csv"
    path.write_text(f"id,label,{name}\n{ID},1,2\n")
    if not name:
        assert len(read(path)[0]) == 1
        return
    with pytest.raises(SourceError, match=re.escape(f"{path}: column {name!r} is none of the key")):
        read(path)


def test_parquet_has_types(tmp_path: Path) -> None:
    """Ids that are numbers become texts, times without a zone are UTC, a NaN is nothing."""
    path = tmp_path / "f.parquet"
    at = datetime.datetime(2026, 11, 28, 10)  # noqa: DTZ001  as pandas writes it
    table = pa.table({
        "response_id": [7, 8], "label": [1, 0], "name": ["a", None], "at": [at, None],
        "key": [1, 2],
    })  # fmt: skip
    pq.write_table(table, path)
    found, broken = read(path)
    assert not broken
    assert [one.statement for one in found] == [
        Statement(response_id="7", label=1, name="a", at=at.replace(tzinfo=datetime.UTC), key="1"),
        Statement(response_id="8", label=0, key="2"),
    ]
    assert found[1].place == f"{path}: row 2"
    frame = pa.table({"id": ["a", "b"], "rating": [float("nan"), 2.0]})
    pq.write_table(frame, path)
    found, broken = read(path)
    assert [one.statement.rating for one in found] == [2.0]
    assert broken[0][0] == f"{path}: row 1"
    pq.write_table(pa.table({"id": ["a"], "attributes": [{"sex": "f"}]}), path)
    assert read(path)[0][0].statement.attributes == {"sex": "f"}


def test_each_wrong_line_is_named(tmp_path: Path) -> None:
    """With what is wrong; the others are read."""
    path = tmp_path / "f.jsonl"
    good = json.dumps({"id": ID, "label": 1})
    path.write_bytes(
        b"\xef\xbb\xbf" + "\n".join([good, "", "nope", '{"id": "a"}', "[" * 5000, good]).encode()
        + b"\n" + b"x" * (1 << 21) + b"\n" + good.encode()
    )  # fmt: skip
    found, broken = read(path)
    assert [one.place for one in found] == [f"{path}:{line}" for line in (1, 6, 8)]
    assert broken == [
        (f"{path}:3", "is not JSON"),
        (f"{path}:4", "says none of label, attributes, correction, rating, event, verdict"),
        (f"{path}:5", "is not an object, as {…}"),
        (f"{path}:7", "is longer than 1,048,576 bytes"),
    ]
    table = tmp_path / "f.csv"
    table.write_text(f'id,rating\n{ID},4\n{ID},"five\nstars"\n{ID}\n{ID},5\n')
    found, broken = read(table)
    assert [one.place for one in found] == [f"{table}:2", f"{table}:6"]
    assert broken == [
        (f"{table}:4", "rating: is not a number"),
        (f"{table}:5", "1 fields where the header has 2"),
    ]


def test_an_item_without_a_key_has_one_of_its_line(tmp_path: Path) -> None:
    """So the same file counts once, also after it has grown, and equal lines count each."""
    path = tmp_path / "f.jsonl"
    line = json.dumps({"id": ID, "event": "click"}) + "\n"
    path.write_text(line * 2)
    first = [one.statement.key for one in read(path)[0]]
    path.write_text(line * 3)
    again = [one.statement.key for one in read(path)[0]]
    assert again[:2] == first
    assert len(set(again)) == 3
    table = tmp_path / "f.csv"
    table.write_text(f"id,event\n{ID},click\n{ID},click\n")
    keys = [one.statement.key for one in read(table)[0]]
    assert keys == [one.statement.key for one in read(table)[0]]
    assert len(set(keys)) == 2


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    """Not there, a directory, cut gzip, no file of feedback."""
    cut = tmp_path / "f.jsonl.gz"
    lines = b"".join(b'{"id": "%d", "label": 1}\n' % n for n in range(20000))
    cut.write_bytes(gzip.compress(lines)[:20000])
    found, broken = read(cut)
    assert found
    assert broken == [(f"{cut}:{len(found) + 1}", "is cut off within what gzip has packed")]
    listed = tmp_path / "f.json"
    listed.write_text("[]")
    for path, sentence in (
        (tmp_path / "none", "cannot be read: no such file or directory"),
        (tmp_path, "cannot be read: is a directory"),
        (listed, "is a JSON list; write an object a line"),
    ):
        with pytest.raises(SourceError, match=re.escape(f"{path}: {sentence}")):
            read(path)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300)
    | st.lists(
        st.sampled_from(["id", "label", ",", "\n", '"', "a", "1", "{", "}", ":", "business.x"])
    ).map(lambda parts: "".join(parts).encode())
)
@example(b"PAR1")
@example(b"id,label\n\xff,1\n")
def test_any_file_is_statements_and_places(tmp_path: Path, content: bytes) -> None:
    """Or one line about the file."""
    path = tmp_path / "any"
    path.write_bytes(content)
    try:
        found, broken = read(path)
        places = [*(one.place for one in found), *(place for place, _ in broken)]
    except SourceError as error:
        places = [str(error)]
    assert all(place.startswith(str(path)) for place in places)
