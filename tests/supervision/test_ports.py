"""A port found is nobody else's, now and while its server is started anew."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from monitor.supervision import ports
from monitor.supervision.ports import LOWEST, free_port


def test_no_outgoing_connection_gets_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It lies below the ports of outgoing connections, as the kernel says them or by default."""
    limit = int(ports.OUTGOING.read_text().split()[0])
    assert all(LOWEST <= free_port() < limit for _ in range(20))
    monkeypatch.setattr(ports, "OUTGOING", tmp_path / "none")
    assert all(LOWEST <= free_port() < 32_768 for _ in range(20))


def test_searches_begin_apart() -> None:
    """Two processes that look at the same time do not find the same one."""
    assert len({free_port() for _ in range(40)}) > 35


def test_the_wanted_port_where_it_is_free() -> None:
    """Another one where somebody listens on it, on this address or on all."""
    wanted = free_port()
    assert free_port(wanted) == wanted
    for host in ("127.0.0.1", "0.0.0.0"):
        with socket.create_server((host, wanted)):
            assert free_port(wanted) != wanted


def test_a_range_that_leaves_none_below(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose outgoing connections may have every port gets a free one all the same."""
    monkeypatch.setattr(ports, "OUTGOING", tmp_path / "range")
    for text in ("1024\t65535\n", "what\n", "\n"):
        ports.OUTGOING.write_text(text)
        assert free_port() >= 1024


def test_an_address_of_another_machine() -> None:
    """There is none to find."""
    with pytest.raises(OSError, match="assign requested address"):
        free_port(host="192.0.2.1")
