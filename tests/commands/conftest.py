"""What commands that look into a store look at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from monitor.cli import main
from monitor.streams.redis import RedisStream
from monitor.supervision.embedded_store import EmbeddedStore

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def ended_run(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Callable[[RedisStream], Awaitable[None]]], Path]:
    """Makes the data directory of a `monitor run` that has ended, filled by a function."""

    def make(fill: Callable[[RedisStream], Awaitable[None]]) -> Path:
        directory = tmp_path_factory.mktemp("data")

        async def run() -> None:
            store = EmbeddedStore(directory / "store", log=print)
            await store.start()
            stream = RedisStream(store.url, "default")
            await fill(stream)
            await stream.close()
            await store.stop()

        asyncio.run(run())
        return directory

    return make


@pytest.fixture
def run(request: pytest.FixtureRequest, data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the module's `COMMAND` on its `data`; returns the exit code, what was said and told."""

    def command(*arguments: str) -> tuple[int, str, str]:
        code = main([request.module.COMMAND, *arguments, "--data", str(data)])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command
