"""Tables counted, and Records looked at, in shards on Dask workers."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import pickle
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.analysis import fold
from monitor.cli import main
from monitor.errors import UsageError
from monitor.replay import dask, record_shards
from tests.replay.test_record_files import traffic
from tests.replay.test_records_with_feedback import exchanges, labels, written

if TYPE_CHECKING:
    from distributed import LocalCluster


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two CSV files and two Parquet files of several row groups, one table in a directory."""
    rng = random.Random(3)
    folder = tmp_path / "table"
    folder.mkdir()
    for name in ("a.csv", "b.csv", "c.parquet", "d.parquet"):
        count = rng.randint(300, 500)
        columns: dict[str, list[Any]] = {
            "at": [1.7e9 + n for n in range(count)],
            "x": [round(rng.gauss(name > "b.csv", 1), 3) for _ in range(count)],
            "word": [rng.choice("aab") for _ in range(count)],
            "region": [rng.choice(["north", "south"]) for _ in range(count)],
            "note": [f"a longer text of {rng.choice(['apples', 'pears'])} " * 4] * count,
        }
        if name.endswith("csv"):
            lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
            (folder / name).write_text("\n".join([",".join(columns), *lines]))
        else:
            parquet.write_table(pa.table(columns), folder / name, row_group_size=128)
    return folder


def document(table: Path, out: Path, *options: str) -> bytes:
    arguments = ["replay", str(table), "--reference", str(table / "a.csv"), "--json", str(out)]
    assert main([*arguments, "--timestamp", "at", *options]) == 0
    return out.read_bytes()


def test_shards_add_up_bit_for_bit(table: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    """Files and row groups apart give the document of one pass, chunks and segments too, merged on
    the way by twos, all of it by the same processes, which end."""
    made = MagicMock(wraps=dask._processes)
    monkeypatch.setattr(dask, "_processes", made)
    monkeypatch.setattr(dask, "FAN", 2)
    options = ["--by", "region", "--chunks", "5", "--from", "2023-11-14T22:14:00Z"]
    local = document(table, tmp_path / "local.json", *options)
    assert document(table, tmp_path / "dask.json", *options, "--engine", "dask") == local
    assert b'"drift"' in local
    assert made.call_count == 1
    begun = time.monotonic()
    while active_children():  # not `join`: the pool's own thread may take the end of a process
        assert time.monotonic() < begun + 60
        time.sleep(0.02)


def test_a_running_scheduler_does_the_work(
    table: Path, tmp_path: Path, capsys, scheduler: str
) -> None:
    """The same again on a cluster that runs already, with several settings of each kind."""
    several = ["--bins", "10,4,20", "--tolerance", "0.02,5", "--chunks", "3"]
    local = document(table, tmp_path / "local.json", *several)
    options = [*several, "--engine", "dask", "--scheduler", scheduler]
    assert document(table, tmp_path / "dask.json", *options) == local
    assert len(json.loads(local)["what_if"]) == 6


def test_a_segment_is_the_reference_of_the_others(
    table: Path, tmp_path: Path, capsys, scheduler: str
) -> None:
    """Workers leave its rows out, and every shard knows how many of the others come before it."""
    asked = ["--reference", "region=north", "--by", "word", "--chunks", "3"]
    local = document(table, tmp_path / "local.json", *asked)
    options = [*asked, "--engine", "dask", "--scheduler", scheduler]
    assert document(table, tmp_path / "dask.json", *options) == local
    found = json.loads(local)
    assert {one["records"] for one in found["chunks"]} <= {
        found["records"] // 3 + n for n in (0, 1)
    }


# --- records -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records as lines, packed and plain, and as rows of Parquet; some lines are none."""
    folder = tmp_path_factory.mktemp("archives")
    for name, seed in (("now", 1), ("usual", 2)):
        some = [*traffic(seed, 600)]
        some[300:300] = [b"{", b""]
        (folder / name).mkdir()
        (folder / name / "a.jsonl").write_bytes(b"\n".join(some[:360]))
        (folder / name / "b.jsonl.gz").write_bytes(gzip.compress(b"\n".join(some[360:480])))
        (folder / name / "c.jsonl").write_bytes(b"\n".join(some[480:]))
        rows = pa.table({"record": pa.array(some, pa.binary())})
        parquet.write_table(rows, folder / f"{name}.parquet", row_group_size=120)
    return folder


Documents = Callable[..., list[bytes]]


@pytest.fixture
def documents(
    tmp_path: Path, scheduler: str, monkeypatch: pytest.MonkeyPatch, capsys: Any, quickest: None
) -> Documents:
    """The function (arguments of replay) → documents (here, by workers, which are threads)."""
    monkeypatch.setattr(record_shards, "SHARD", 24_000)
    monkeypatch.setattr(record_shards, "PIECE", 24_000)
    monkeypatch.setattr(fold, "FEW", 8)

    def document(arguments: tuple[str, ...]) -> bytes:
        out = tmp_path / "document.json"
        code = main(["replay", *arguments, "--json", str(out)])
        assert code == 0, capsys.readouterr().err
        return out.read_bytes()

    def both(*arguments: str) -> list[bytes]:
        dasks = ("--engine", "dask", "--scheduler", scheduler)
        return [document(arguments), document((*arguments, *dasks))]

    return both


@pytest.mark.parametrize(
    "arguments",
    [
        ("now",), ("now.parquet", "--by", "population", "--chunks", "3"),
        ("now", "now.parquet", "--reference", "usual", "--by", "population"),
        ("now.parquet", "--reference", "usual.parquet", "--chunks", "2", "--timeline"),
        ("now", "--before-after", "1700000014", "--tolerance", "0.2,0.4"),
        ("now", "--reference", "population=a"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_records_give_the_same_document(
    arguments: tuple[str, ...], archives: Path, documents: Documents
) -> None:
    """To the byte: in order, in panes of time, late, refused and damaged ones as they stand."""
    places = {
        name: str(archives / name) for name in ("now", "usual", "now.parquet", "usual.parquet")
    }
    local, far = documents(*(places.get(one, one) for one in arguments))
    assert far == local
    assert json.loads(local)["records"] > 250


def test_records_with_feedback_give_the_same_document(tmp_path: Path, documents: Documents) -> None:
    """What became of Records is joined here."""
    local, far = documents(*written(tmp_path, exchanges(400), labels(400)))
    assert far == local
    assert json.loads(local)["quality"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--engine", "dask"], "--engine dask: needs a --reference"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler: is for --engine dask"),
    ],
)
def test_what_dask_cannot_do_is_said(table: Path, capsys, options: list[str], message: str) -> None:
    """One line, exit code 2."""
    assert main(["replay", str(table), *options]) == 2
    assert message in capsys.readouterr().err


def test_no_worker_is_told_the_key_of_privacy(tmp_path: Path, capsys) -> None:
    """So records of other people's logs are made on this machine alone, which is said."""
    log = tmp_path / "access.log"
    log.write_text(
        '10.0.0.1 - - [28/Nov/2026:10:00:00 +0000] "GET /v1/x HTTP/1.1" 200 12 "-" "-"\n'
    )
    assert main(["replay", str(log), "--engine", "dask"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"monitor: --engine dask: {log} is somebody else's log, and no worker")
    assert told.count("\n") == 1


def test_records_need_no_cluster(archives: Path, tmp_path: Path, capsys) -> None:
    """Without a scheduler this machine looks at them, as it does without Dask."""
    out, found = tmp_path / "document.json", []
    for options in ([], ["--engine", "dask"]):
        arguments = ["replay", str(archives / "now.parquet"), "--json", str(out), *options]
        assert main(arguments) == 0
        found.append(out.read_bytes())
    assert found[0] == found[1]


def test_workers_that_are_lost_again_and_again_are_said() -> None:
    """In one line, as a scheduler that does not answer."""
    from distributed import CancelledError, KilledWorker

    with (
        pytest.raises(UsageError, match=r"--scheduler tcp://x: workers end before they are done"),
        dask._client(
            MagicMock(KilledWorker=KilledWorker, CancelledError=CancelledError), "tcp://x"
        ),
    ):
        raise KilledWorker("a task", None, 3)


def test_without_dask_the_extra_is_named(table: Path, capsys, monkeypatch) -> None:
    """One line says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    reference = ["--reference", str(table / "a.csv")]
    assert main(["replay", str(table), *reference, "--engine", "dask"]) == 2
    assert capsys.readouterr().err == f"monitor: {dask.MISSING}\n"


def test_a_scheduler_that_is_not_there(table: Path, capsys) -> None:
    """Named in one line."""
    options = ["--reference", str(table / "a.csv"), "--engine", "dask"]
    assert main(["replay", str(table), *options, "--scheduler", "no-address"]) == 2
    assert "--scheduler no-address: " in capsys.readouterr().err


def test_no_worker_is_told_a_password(table: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    """What goes to a worker is what it needs: how to read a table, and a reference."""
    sent = []

    def computer(scheduler: str) -> Any:
        def compute(tasks: Any, merge: Any = None) -> Any:
            sent.extend(pickle.dumps(task) for task in tasks)
            found = [pickle.loads(one)() for one in sent[-len(tasks) :]]
            if merge is None:
                return found
            sent.append(pickle.dumps(merge))
            return [pickle.loads(sent[-1])(pickle.loads(pickle.dumps(found)))]

        return compute

    monkeypatch.setattr(dask, "_computer", computer)
    config = tmp_path / "monitor.yaml"
    secrets = ["redis-secret", "user-secret", "upstream-secret", "key-secret"]
    config.write_text(
        "redis: redis://user-secret:redis-secret@store:6379/0\n"
        "upstream: http://user-secret:upstream-secret@model\n"
        "privacy: {key_file: /etc/key-secret, paths: {inputs.note: drop}}\n"
    )
    local = document(table, tmp_path / "local.json", "--config", str(config))
    found = document(table, tmp_path / "o.json", "--config", str(config), "--engine", "dask")
    assert found == local
    assert len(sent) > 4
    assert not [secret for secret in secrets for one in sent if secret.encode() in one]


def test_nothing_to_judge_is_an_error(table: Path, capsys, scheduler: str) -> None:
    """Workers who found no rows are no judges either."""
    (path := table / "none.csv").write_text("at,x,word,region,note\n")
    arguments = ["replay", str(path), "--reference", str(table / "a.csv"), "--fail-on", "drift"]
    assert main([*arguments, "--engine", "dask", "--scheduler", scheduler]) == 2
    assert capsys.readouterr().err == f"monitor: {path}: holds no rows to judge\n"


def test_what_is_broken_is_the_same_in_shards(
    table: Path, tmp_path: Path, capsys, scheduler: str
) -> None:
    """Rows and cells that could not be read, ids, columns that one file lacks."""
    (table / "broken.csv").write_text("at,x,word\n" + "1.7e9,1,a,b\n1.7e9,oops,a\n1.7e9,2,a\n" * 30)
    (table / "void.csv").write_text("")
    local = document(table, tmp_path / "local.json", "--by", "word")
    far = ["--by", "word", "--engine", "dask", "--scheduler", scheduler]
    assert document(table, tmp_path / "dask.json", *far) == local
    found = json.loads(local)
    assert {one["error"] for one in found["unreadable"]} >= {
        "4 fields where the header has 3", "column 'x': not numeric", "is empty",
    }  # fmt: skip


def _work(scheduler: str) -> None:
    """What a worker of its own process does."""
    from distributed import Worker

    async def work() -> None:
        async with Worker(scheduler, nthreads=1, dashboard=False) as worker:
            await worker.finished()

    asyncio.run(work())


@pytest.fixture
def doomed(cluster: LocalCluster) -> Iterator[BaseProcess]:
    """The process of a second worker, which is killed as soon as it has something to do."""
    done = threading.Event()
    process = get_context("spawn").Process(target=_work, args=(cluster.scheduler_address,))
    process.start()

    def worker() -> Any:
        workers = list(cluster.scheduler.workers.values())
        return next((one for one in workers if one.pid == process.pid), None)

    def kill() -> None:
        while not done.wait(0.002):
            if (it := worker()) is not None and it.processing and process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
                return

    killer = threading.Thread(target=kill)
    try:
        while worker() is None and process.is_alive():
            process.join(0.02)
        killer.start()
        yield process
    finally:
        done.set()
        killer.join()
        process.kill()
        process.join()


@pytest.fixture(params=["table", "records"])
def judged(
    request: pytest.FixtureRequest, table: Path, archives: Path, tmp_path: Path, monkeypatch
) -> Callable[..., bytes]:
    """The function (further options of replay) → the document of a table, or of records."""
    monkeypatch.setattr(record_shards, "SHARD", 33_000)
    out = tmp_path / "document.json"
    if request.param == "table":
        return partial(document, table, out)

    def of_records(*options: str) -> bytes:
        assert main(["replay", str(archives / "now"), "--json", str(out), *options]) == 0
        return out.read_bytes()

    return of_records


def test_a_worker_is_lost_half_way(
    judged: Callable[..., bytes], scheduler: str, doomed: BaseProcess, capsys
) -> None:
    """What it was to do others do again: the same document, to the byte."""
    local = judged()
    assert judged("--engine", "dask", "--scheduler", scheduler) == local
    doomed.join(30)
    assert doomed.exitcode == -signal.SIGKILL
