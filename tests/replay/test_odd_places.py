"""Tables wherever people have them: directories of all sorts, URLs, pipes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.cli import main
from tests.file_server import served
from tests.replay.test_odd_tables import ROWS, csv_of, gauss, jsonl_of, judge, parquet_of, status

pytestmark = pytest.mark.usefixtures("quickest")


def named(found: dict[str, Any]) -> dict[str, str]:
    return {Path(one["place"].partition(":")[0]).name: one["error"] for one in found["unreadable"]}


def archive(path: Path) -> Path:
    """A record of ours."""
    record = {
        "id": "a", "endpoint": "e", "protocol": "openai_chat", "operation": "chat", "model": "m",
        "started": 1.7e9, "duration": 0.5, "request": {},
    }  # fmt: skip
    path.write_text(json.dumps(record) + "\n")
    return path


def test_a_directory_of_all_sorts(capsys, tmp_path: Path) -> None:
    """What most files are is judged; records among tables, images, texts, links to nowhere and pipes
    are named, and what programs leave for themselves is not looked at."""
    folder = tmp_path / "mixed"
    (folder / "_delta_log").mkdir(parents=True)
    (folder / "day.csv").mkdir()
    usual = csv_of(tmp_path / "usual.csv", {"x": gauss(1)})
    csv_of(folder / "a.csv", {"x": gauss(2)})
    csv_of(folder / "day.csv" / "part-0.csv", {"x": gauss(3)})
    parquet_of(folder / "b.parquet", {"x": gauss(4)})
    archive(folder / "c.jsonl")
    (folder / "README.md").write_text("# Data")
    (folder / "plot.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "image.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    (folder / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.csv")
    for name in ("_SUCCESS", ".a.csv.crc", "_delta_log/0.csv"):
        (folder / name).write_text("x\n1\n")
    found = judge(capsys, folder, "--reference", str(usual))
    assert (found["records"], found["verdict"]) == (3 * ROWS, "insufficient")
    lost = [Path(one.partition(":")[0]).name for one in found["unread"][0]["ends"]]
    assert lost == ["gone.csv", "image.csv", "loop.csv"]  # which are called like tables
    no_table = "is not called like a table, an archive or a log"
    assert named(found) == {
        "README.md": no_table, "plot.png": no_table, "image.csv": "is an image",
        "c.jsonl": "is records; most files here are tables", "pipe.csv": "is no file",
        "gone.csv": "cannot be read: No such file or directory",
        "loop.csv": "cannot be read: Too many levels of symbolic links",
    }  # fmt: skip
    assert main(["replay", str(folder), "--format", "csv", "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["records"] == 2 * ROWS
    assert named(found).keys() > {"b.parquet", "c.jsonl"}


def test_many_foreign_files_are_counted(capsys, tmp_path: Path) -> None:
    """Some by name, the others by number."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    csv_of(folder / "a.csv", {"x": gauss(1)})
    for number in range(100):
        (folder / f"{number:03}.txt").write_text("")
    found = judge(capsys, folder, "--reference", str(folder))
    assert [one["count"] for one in found["unreadable"]] == [*[1] * 20, 80]


def judged(capsys, *arguments: str) -> dict[str, Any]:
    assert main(["replay", *arguments, "--json", "-"]) == 0
    said = capsys.readouterr()
    assert "secret" not in said.out + said.err
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_a_partitioned_table_in_an_object_store(capsys, tmp_path: Path) -> None:
    """A directory, and a pattern of names, with the columns that directories hold."""
    store = fsspec.filesystem("memory")
    for number, place in enumerate(("north", "south")):
        path = parquet_of(tmp_path / f"{place}.parquet", {"x": gauss(2 + number, 28 + 3 * number)})
        store.pipe(f"/lake/region={place}/{number}.parquet", path.read_bytes())
    store.pipe("/lake/_SUCCESS", b"")
    store.pipe("/lake/notes.txt", b"")
    usual = ["--reference", "region=north"]
    for place in ("memory://lake", "memory://lake/*/*.parquet"):
        found = judged(capsys, place, *usual)
        assert (found["records"], status(found)) == (ROWS, {"x": "drift"})
    found = judged(capsys, "memory://lake", *usual)
    assert named(found) == {"memory": "is not called like a table, an archive or a log"}


def test_a_pattern_of_names_on_this_machine(capsys, tmp_path: Path) -> None:
    """As SOURCE and as `--reference`; one that fits nothing is said, and a file that is called like
    a pattern is that file."""
    for name, shift in (("a", 0.0), ("b", 0.0), ("late", 9.0), ("[b]", 9.0)):
        csv_of(tmp_path / f"{name}.csv", {"x": gauss(1, 28 + shift)})
    usual = ("--reference", f"{tmp_path}/[ab].csv")
    for place in ("l*.csv", "[b].csv"):
        assert status(judged(capsys, f"{tmp_path}/{place}", *usual)) == {"x": "drift"}
    assert main(["replay", f"{tmp_path}/a.csv", "--reference", f"{tmp_path}/*.parquet"]) == 2
    assert capsys.readouterr().err == (
        f"monitor: {tmp_path}/*.parquet: is a pattern that the name of no file fits\n"
    )


def test_a_pattern_without_a_directory(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Is one of names here, as a shell has it, and so is one that begins with such a directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d1").mkdir()
    for name, shift in (("a", 0.0), ("late", 9.0), ("d1/late", 9.0)):
        csv_of(tmp_path / f"{name}.csv", {"x": gauss(1, 28 + shift)})
    for place in ("l*.csv", "d?/*.csv", "./l*"):
        assert status(judged(capsys, place, "--reference", "[a].csv")) == {"x": "drift"}
    for place in ("z*.csv", "d?/z*.csv", "z[1].csv", "[z", "d1/**x"):
        assert main(["replay", place, "--reference", "a.csv"]) == 2
        wrong = f"monitor: {place}: is a pattern that the name of no file fits\n"
        assert capsys.readouterr().err == wrong


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet", "jsonl", "json"])
def test_a_table_of_the_web(capsys, tmp_path: Path, form: str) -> None:
    """A shift is found in every format, and nothing of what is secret in a URL is shown."""
    columns = {"x": gauss(2, 31.0)}
    rows = [{"x": value} for value in columns["x"]]
    usual = csv_of(tmp_path / "usual.csv", {"x": gauss(1)})
    path = tmp_path / f"t.{form}"
    if form == "parquet":
        parquet.write_table(pa.table(columns), path)
    elif form.startswith("json"):
        path.write_text(json.dumps(rows)) if form == "json" else jsonl_of(path, rows)
    else:
        csv_of(path, columns)
    with served() as server:
        server.files["/t"] = path.read_bytes()
        place = f"{server.url.replace('//', '//user:secret@')}/t?signature=secret"
        found = judged(capsys, place, "--reference", str(usual))
        assert (found["records"], status(found)) == (ROWS, {"x": "drift"})
        server.trouble["/t"] = 403
        assert main(["replay", place]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line == f"monitor: {server.url}/t: cannot be read: access is denied (403)"
        assert main(["replay", place, "--reference", place, "--engine", "dask"]) == 2
        assert "secret" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "gopher://host/a?secret",
            "gopher://host/a: cannot be read: no files have a URL with gopher://",
        ),
        (
            "http://127.0.0.1:1/a.csv?secret",
            "http://127.0.0.1:1/a.csv: cannot be read: the server cannot",
        ),
        ("memory://nowhere/a.csv", "memory://nowhere/a.csv: cannot be read: is not there"),
        ("memory://nowhere/*.csv", "memory://nowhere/*.csv: holds no file"),
    ],
)
def test_a_url_of_nothing_is_one_line(capsys, place: str, message: str) -> None:
    """Exit code 2."""
    assert main(["replay", place]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert "secret" not in line


@contextmanager
def fed(content: bytes) -> Iterator[None]:
    """Standard input that says so much."""
    read, write = os.pipe()
    saved = os.dup(0)
    os.dup2(read, 0)
    os.close(read)
    feeder = threading.Thread(target=_feed, args=(write, content))
    feeder.start()
    try:
        yield
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        feeder.join()


def _feed(descriptor: int, content: bytes) -> None:
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_a_table_through_a_pipe(capsys, tmp_path: Path, form: str) -> None:
    """As standard input, and as a named pipe that is the reference; read more than once."""
    usual, fifo = csv_of(tmp_path / "usual.csv", {"x": gauss(1)}), tmp_path / "fifo"
    path, moved = tmp_path / f"t.{form}", gauss(2, 31.0)
    if form == "jsonl":
        jsonl_of(path, [{"x": value} for value in moved])
    else:
        (csv_of if form == "csv" else parquet_of)(path, {"x": moved})
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(usual.read_bytes(),))
    writer.start()
    with fed(path.read_bytes()):
        found = judged(capsys, "-", "--reference", str(fifo))
    writer.join()
    assert (found["records"], status(found)) == (ROWS, {"x": "drift"})
    assert len(list(tmp_path.iterdir())) == 3


def test_an_empty_pipe_is_one_line(capsys) -> None:
    """Exit code 2."""
    with fed(b""):
        assert main(["replay", "-"]) == 2
    assert capsys.readouterr().err == "monitor: stdin: is empty\n"


def test_where_something_was_written_is_said_safely(
    capsys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what may be secret in it, and on one line, whatever it is called."""
    monkeypatch.chdir(tmp_path)
    usual = str(csv_of(tmp_path / "usual.csv", {"x": gauss(1)}))
    assert main(["reference", "build", usual, "--out", "http:/u:secret@h/x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "monitor: http:/h/x: cannot be written: No such file or directory"
    place = ["--evidently", "http:/u:secret@h/x"]
    assert main(["replay", usual, "--reference", usual, *place]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == "monitor: --evidently: http:/h/x: cannot be written: No such file or directory"
    assert main(["reference", "build", usual, "--out", "a\nb\x1b[31m.json"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("a b [31m.json: ")
