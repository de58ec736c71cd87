"""Workers of pytest-xdist that are forks of one process that has collected: what pytest says and
does is what it says and does with others."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import workers

ROOT = Path(__file__).parent.parent
CONFTEST = """
from tests import workers

def pytest_xdist_setupnodes(config, specs):
    workers.fork(config, specs)

def pytest_xdist_make_scheduler(config, log):
    return workers.scheduler(config, log)
"""


def _begin(folder: Path, *arguments: str, **files: str) -> subprocess.Popen[str]:
    for name, content in {"conftest": CONFTEST, **files}.items():
        (folder / f"{name}.py").write_text(content)
    usual = {name: value for name, value in os.environ.items() if name != "CI"}  # says all twice
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "-p", "xdist", "--numprocesses=2", "--dist=loadfile"),
            *("-c", os.devnull, "--rootdir", str(folder), *arguments),
        ],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**usual, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip


def _said(folder: Path, *arguments: str, **files: str) -> str:
    with _begin(folder, *arguments, **files) as running:
        said, _ = running.communicate(timeout=200)
    return said


MARK = """
import os
from pathlib import Path

def mark(kind):
    with Path("marks").open("a") as marks:
        marks.write(f"{kind} {os.getpid()}\\n")
"""


def _marks(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "marks").read_text().splitlines()]


def test_a_file_is_imported_once_and_each_worker_runs_a_part(tmp_path: Path) -> None:
    files = {
        f"test_{name}": f"{MARK}\nmark('import {name}')\n\ndef test_it(): mark('test {name}')\n"
        for name in ("first", "second")
    }

    said = _said(tmp_path, **files)

    assert "2 passed" in said
    kinds = sorted(mark[:2] for mark in _marks(tmp_path))
    assert kinds == [
        ["import", "first"], ["import", "second"], ["test", "first"], ["test", "second"]
    ]  # fmt: skip
    assert len({mark[2] for mark in _marks(tmp_path)}) == 3


def test_a_crash_is_told_and_another_worker_takes_over(tmp_path: Path) -> None:
    said = _said(
        tmp_path,
        "--dist=load",  # by file, pytest-xdist may wait for ever for what comes after a crash
        test_crash="import os, signal\n\ndef test_crash(): os.kill(os.getpid(), signal.SIGKILL)\n",
        test_others="".join(f"def test_{number}(): pass\n" for number in range(20)),
    )

    assert "crashed while running 'test_crash.py::test_crash'" in said
    assert "replacing crashed worker" in said
    assert "1 failed, 20 passed" in said


@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        ([], "2 failed, 2 passed, 1 skipped, 1 error"),
        (["-k", "well or no_setup"], "1 passed, 1 error"),
        (["--maxfail=1"], "stopping after 1 failures"),
    ],
)
def test_what_is_told_of_tests_is_told(arguments: list[str], summary: str, tmp_path: Path) -> None:
    said = _said(
        tmp_path,
        *arguments,
        test_all="""
import os, sys
import pytest

@pytest.fixture
def bad():
    raise ValueError("bad setup")

def test_well(): pass
def test_no_setup(bad): pass
def test_shown():
    print("printed")
    os.write(2, b"written")
    assert [1, 2] == [1, 3]
def test_where(tmp_path): assert tmp_path.parent.name.startswith("popen-gw")
@pytest.mark.skip(reason="not now")
def test_skipped(): pass
def test_left(): raise SystemExit(3)
""",
    )

    assert summary in said
    assert "bad setup" in said
    if not arguments:
        for part in ("printed", "written", "At index 1 diff: 2 != 3", "SystemExit: 3"):
            assert part in said


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["test_broken.py"], "ModuleNotFoundError: No module named 'nowhere'"),
        (["test_missing.py"], "ERROR: file or directory not found: test_missing.py"),
    ],
)
def test_what_cannot_be_collected_is_told_once(
    arguments: list[str], told: str, tmp_path: Path
) -> None:
    said = _said(tmp_path, *arguments, test_broken="import nowhere\n")

    assert said.count(told) == 1


class _Worker:
    """A worker as pytest-xdist sees it."""

    shutting_down = False

    def __init__(self, name: str) -> None:
        self.gateway = SimpleNamespace(id=name)
        self.told: list[int] = []
        self.done = 0

    def send_runtest_some(self, indices: Sequence[int]) -> None:
        self.told += indices

    def shutdown(self) -> None:
        self.shutting_down = True


def _shared_out(scheduling: Any, config: Any) -> list[list[int]]:
    """What each of three workers is told, of which one or another is done with its next test."""
    names = [f"test_{file}.py::test[{n}]" for file in range(40) for n in range(file * 5 % 7 + 1)]
    log = dict.fromkeys(("loadscopesched", "loadfilesched"), lambda *_: None)
    shared, chance = scheduling(config, SimpleNamespace(**log)), random.Random(1)
    at_work = everyone = [_Worker(name) for name in "abc"]
    for worker in everyone:
        shared.add_node(worker)
        shared.add_node_collection(worker, names)
    shared.schedule()
    while at_work := [one for one in at_work if one.done < len(one.told)]:
        worker = chance.choice(at_work)
        shared.mark_test_complete(worker, worker.told[worker.done])
        worker.done += 1
    assert shared.tests_finished
    assert not shared.has_pending
    assert sorted(n for one in everyone for n in one.told) == [*range(len(names))]
    assert [shared.remove_node(one) for one in everyone] == [None] * 3
    return [one.told for one in everyone]


def test_files_are_shared_out_as_pytest_xdist_does_it() -> None:
    from xdist.scheduler import LoadFileScheduling  # pytest begins without pytest-xdist, too

    option = SimpleNamespace(loadscopereorder=False, debug=False)
    given = {"dist": "loadfile", "tx": ["popen"] * 3}
    config = SimpleNamespace(getvalue=given.get, option=option)
    assert _shared_out(workers.scheduler, config) == _shared_out(LoadFileScheduling, config)
    given["dist"] = "load"
    assert workers.scheduler(config, None) is None


def test_no_fork_stays_when_the_tests_are_killed(tmp_path: Path) -> None:
    test = f"{MARK}\nimport time\n\ndef test_it():\n    mark('test it')\n    time.sleep(1000)\n"
    with _begin(tmp_path, test_first=test, test_second=test) as running:
        _wait_until(lambda: (tmp_path / "marks").exists() and len(_marks(tmp_path)) == 2)
        running.send_signal(signal.SIGKILL)
        _wait_until(lambda: not any(_is_alive(int(mark[2])) for mark in _marks(tmp_path)))


def _wait_until(is_so: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() < begun + 60
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    """Whether the process runs; one that has ended may not have been waited for yet."""
    try:
        return not Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("Z")
    except OSError:
        return False
