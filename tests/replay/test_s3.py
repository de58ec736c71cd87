"""Archives and tables on an object store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor import places
from monitor.cli import main
from monitor.places import Remote
from tests.replay.test_record_files import traffic
from tests.s3_server import S3, log_in, served


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """Two archives in Parquet, the same in lines, and tables as CSV and Parquet."""
    folder = tmp_path_factory.mktemp("s3")
    (folder / "plain").mkdir()
    with served() as server:
        for name, seed in (("now", 1), ("usual", 2)):
            lines = traffic(seed, 400)
            rows = pa.table({"record": pa.array(lines, pa.binary())})
            parquet.write_table(rows, folder / "x", row_group_size=150)
            table = "x,word\n" + "".join(f"{n % (7 + seed)},{'ab'[n % 2]}\n" for n in range(900))
            server.put("lake", **{
                f"{name}/lines/a.jsonl": b"\n".join(lines[:200]),
                f"{name}/lines/b.jsonl": b"\n".join(lines[200:]),
                f"{name}/rows/part-0.parquet": (folder / "x").read_bytes(),
                f"{name}/csv/a.csv": table.encode(),
            })  # fmt: skip
        yield server


def local(store: S3, place: str, folder: Path) -> str:
    """The same objects as files."""
    for one in store.client.list_objects_v2(Bucket="lake", Prefix=place)["Contents"]:
        path = folder / one["Key"]
        path.parent.mkdir(parents=True, exist_ok=True)
        store.client.download_file("lake", one["Key"], str(path))
    return str(folder / place)


def judged(capsys: Any, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    del found["compared"]  # which names the places
    return found


@pytest.mark.parametrize("kind", ["lines", "rows", "csv"])
def test_a_prefix_is_what_a_directory_is(
    store: S3, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path, kind: str
) -> None:
    """Records in lines and in Parquet, and tables: the same document as of files, also of a
    pattern of names, and by whom the store knows alone."""
    log_in(monkeypatch, store, store.known)
    here = [local(store, f"{name}/{kind}", tmp_path) for name in ("now", "usual")]
    expected = judged(capsys, here[0], "--reference", here[1])
    assert expected["records"] > 300
    far = ["s3://lake/now/" + kind, "--reference", f"s3://lake/usual/{kind}/*"]
    store.asks_who(asks=True)
    try:
        assert judged(capsys, *far) == expected
    finally:
        store.asks_who(asks=False)


def test_workers_read_what_is_there(
    store: S3, monkeypatch: pytest.MonkeyPatch, capsys: Any, scheduler: str
) -> None:
    """Records in lines and in Parquet, and a table: the document of here, to the byte."""
    dask = ["--engine", "dask", "--scheduler", scheduler]
    for kind in ("lines", "rows", "csv"):
        far = [f"s3://lake/now/{kind}", "--reference", f"s3://lake/usual/{kind}"]
        assert judged(capsys, *far, *dask) == judged(capsys, *far)


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (("test", "test"), ("s3://nobody/now", "s3://nobody/now: cannot be read: is not there")),
        (("test", "test"), ("s3://lake/none.csv", "/none.csv: cannot be read: is not there")),
        (("test", "test"), ("s3://lake/none/*", "s3://lake/none/*: holds no file")),
        (("nobody", "secret-word"), ("s3://lake/now/rows", "/rows: cannot be read: access")),
        (("", "secret-word"), ("s3://lake/now/csv/a.csv", "cannot be read: access is denied")),
        (None, ("s3://lake/now/rows", "no credentials; they come from the environment")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(
    store: S3, monkeypatch: pytest.MonkeyPatch, capsys: Any,
    known: tuple[str, str] | None, said: tuple[str, str],
) -> None:  # fmt: skip
    """A bucket or an object that is not there, and whom the store does not know: exit code 2."""
    if known == ("", "secret-word"):
        known = (store.known[0], "secret-word")
    log_in(monkeypatch, store, known)
    store.asks_who(asks=known != ("test", "test"))
    try:
        assert main(["replay", said[0]]) == 2
    finally:
        store.asks_who(asks=False)
    (line,) = capsys.readouterr().err.splitlines()
    assert said[1] in line
    assert "secret" not in line


def test_an_object_that_vanishes_is_told(
    store: S3, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Between the list and the reading: the others are judged, and it is named."""
    log_in(monkeypatch, store, store.known)
    found = places.found

    def with_another(url: str) -> tuple[list[Path], Path | None]:
        inside, base = found(url)
        return [*inside, Remote.at(f"{url}/gone.csv")], base

    monkeypatch.setattr("monitor.replay.files.found_at", with_another)
    told = judged(capsys, "s3://lake/now/csv")
    assert told["records"] == 900
    assert told["unreadable"] == [
        {"place": "s3://lake/now/csv/gone.csv", "error": "cannot be read: is not there", "count": 0}
    ]
