"""What the tests of splices share."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import uvloop


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all examples of a search."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        yield runner
