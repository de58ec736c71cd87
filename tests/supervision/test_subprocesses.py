"""A child's end is seen, with and without a pidfd."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from monitor.supervision.subprocesses import ended


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize(
    ("script", "code"),
    [("", 0), ("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)],
)
def test_the_exit_code_is_that_of_the_child(
    monkeypatch: pytest.MonkeyPatch, script: str, code: int, watched: bool
) -> None:
    """Also for two who wait, and for one who asks later."""
    if not watched:
        monkeypatch.delattr(os, "pidfd_open", raising=False)

    async def story() -> None:
        process = subprocess.Popen([sys.executable, "-c", script])
        async with asyncio.timeout(60):
            assert await asyncio.gather(ended(process), ended(process)) == [code, code]
            assert await ended(process) == code

    asyncio.run(story())
