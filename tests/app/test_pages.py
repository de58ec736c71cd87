"""The pages' own process; what becomes of it among the others is in `end_to_end/test_keepers.py`."""

from __future__ import annotations

import asyncio

import pytest

from monitor.api import door
from monitor.app import pages


def test_a_server_whom_nobody_asks_sleeps_and_still_stops_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks at the clock for its date alone, seldom, and does not wait for that to stop."""
    monkeypatch.setattr(door, "DATE_EVERY", 1000.0)
    looks: list[int] = []

    async def run() -> None:
        stopping = asyncio.Event()
        server = door.Server(pages.FastAPI(), stopping, 1)
        on_tick = server.on_tick

        async def look(counter: int) -> bool:
            looks.append(counter)
            return await on_tick(counter)

        monkeypatch.setattr(server, "on_tick", look)
        serving = asyncio.create_task(server.main_loop())
        while not looks:
            await asyncio.sleep(0)
        assert dict(server.server_state.default_headers)[b"date"]
        stopping.set()
        await asyncio.wait_for(serving, 60)

    asyncio.run(run())
    assert looks == [0]
