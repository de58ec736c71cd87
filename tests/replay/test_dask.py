"""Tables counted in shards on Dask workers."""

from __future__ import annotations

import json
import logging
import os
import pickle
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from monitor.cli import main
from monitor.replay import dask


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
    the way by twos."""
    monkeypatch.setattr(dask, "FAN", 2)
    options = ["--by", "region", "--chunks", "5", "--from", "2023-11-14T22:14:00Z"]
    local = document(table, tmp_path / "local.json", *options)
    assert document(table, tmp_path / "dask.json", *options, "--engine", "dask") == local
    assert b'"drift"' in local


def test_a_running_scheduler_does_the_work(table: Path, tmp_path: Path, capsys) -> None:
    """The same again on a cluster that runs already."""
    from distributed import LocalCluster

    local = document(table, tmp_path / "local.json")
    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None,
        host="127.0.0.1", protocol="tcp",
    ) as cluster:  # fmt: skip
        options = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
        assert document(table, tmp_path / "dask.json", *options) == local


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


def test_what_is_broken_is_the_same_in_shards(table: Path, tmp_path: Path, capsys) -> None:
    """Rows and cells that could not be read, ids, columns that one file lacks."""
    (table / "broken.csv").write_text("at,x,word\n" + "1.7e9,1,a,b\n1.7e9,oops,a\n1.7e9,2,a\n" * 30)
    (table / "void.csv").write_text("")
    local = document(table, tmp_path / "local.json", "--by", "word")
    assert document(table, tmp_path / "dask.json", "--by", "word", "--engine", "dask") == local
    found = json.loads(local)
    assert {one["error"] for one in found["unreadable"]} >= {
        "4 fields where the header has 3", "column 'x': not numeric", "is empty",
    }  # fmt: skip


def test_a_worker_is_lost_half_way(table: Path, tmp_path: Path, capsys) -> None:
    """What it was to count others count again: the same document, to the byte."""
    from distributed import LocalCluster

    local = document(table, tmp_path / "local.json")
    done, killed = threading.Event(), list[int]()

    def kill(cluster: Any) -> None:
        """End the first worker that has something to do."""
        while not done.wait(0.005):
            for worker in list(cluster.scheduler.workers.values()):
                if worker.processing:
                    killed.append(cluster.workers[worker.name].pid)
                    os.kill(killed[0], signal.SIGKILL)
                    return

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", protocol="tcp",
        silence_logs=logging.CRITICAL,
    ) as cluster:  # fmt: skip
        killer = threading.Thread(target=kill, args=(cluster,))
        killer.start()
        try:
            options = ["--engine", "dask", "--scheduler", cluster.scheduler_address]
            assert document(table, tmp_path / "dask.json", *options) == local
        finally:
            done.set()
            killer.join()
    assert killed
