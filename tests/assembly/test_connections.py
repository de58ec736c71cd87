"""How many connections a proxy serves, and what is said of it."""

from __future__ import annotations

import sys

import pytest

from monitor.assembly import connections
from monitor.assembly.explanation import explain
from monitor.settings.schema import Limits, Settings


@pytest.mark.parametrize("files", [1024, 20_000, 20_064, 2**20, sys.maxsize])
def test_the_default_fits_the_descriptors_and_is_no_news(files: int) -> None:
    """Nobody asked for 10000."""
    served = connections.served(None, files)
    assert served == min(10_000, (files - connections.SPARE) // 2)
    assert connections.shortage(None, files) == ""


def test_more_than_can_be_served_is_said() -> None:
    """With what it would take."""
    assert connections.served(10_000, 20_000) == 9968
    said = connections.shortage(10_000, 20_000)
    assert "20064 file descriptors" in said
    assert "20000 (ulimit -n)" in said
    assert "9968 at a time" in said
    assert connections.shortage(9968, 20_000) == ""


def test_there_is_always_room_for_one() -> None:
    """However few descriptors there are."""
    assert connections.served(None, 3) == connections.served(7, 0) == 1


def test_a_check_says_that_fewer_are_served_than_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And nothing where nobody asked, or all can be served."""
    monkeypatch.setattr(connections, "descriptors", lambda: 1024)
    for limits, said in ((Limits(500), True), (Limits(480), False), (Limits(), False)):
        text = "\n".join(explain(Settings(upstream="http://127.0.0.1:9000", limits=limits)))
        assert ("it serves at most 480 at a time" in text) == said
