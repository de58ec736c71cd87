"""Ports for servers of our own, out of the way of connections that go out."""

from __future__ import annotations

import contextlib
import random
import socket
from pathlib import Path

LOWEST = 11_000
"""Below are the ports that people give their servers, and those that browsers refuse."""

OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port(wanted: int = 0, host: str = "127.0.0.1") -> int:
    """`wanted` where it is free, else a free port that no outgoing connection will get.

    A port that the kernel gives a probe is of the range for outgoing connections (ip(7),
    ip_local_port_range): before the server binds it, or while the server is started anew, any
    connection on the machine may get it. One from below that range is for servers alone. Where the
    range leaves too few, it is the kernel's choice after all.

    Raises OSError when `host` is no address of this machine, or no port is left.
    """
    highest = min(_outgoing() - 1, 65_535)
    ports = [random.randint(LOWEST, highest) for _ in range(50)] if highest > 2 * LOWEST else []  # noqa: S311
    for port in ([wanted] if wanted else []) + ports:
        with contextlib.suppress(OSError):
            return _bound(host, port)
    return _bound(host, 0)


def _bound(host: str, port: int) -> int:
    with socket.socket() as probe:
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def _outgoing() -> int:
    """The first port that outgoing connections may get."""
    try:
        return int(OUTGOING.read_text().split()[0])
    except (OSError, ValueError, IndexError):  # not Linux: at the lowest 32768
        return 32_768
