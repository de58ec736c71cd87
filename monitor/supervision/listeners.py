"""Settings → listening sockets, made before any process is started."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Generator

from monitor.errors import ConfigError
from monitor.settings.addresses import address
from monitor.settings.schema import Settings


@contextlib.contextmanager
def bound(
    settings: Settings, *, proxy: bool, accept: bool = True
) -> Generator[tuple[list[socket.socket], socket.socket]]:
    """Yield the traffic sockets, one per worker (none without `proxy`), and the admin socket.

    All listen already. Without `accept` none does, so no client is let in and then reset. Raises
    ConfigError, naming the key, if an address cannot be bound.
    """
    with contextlib.ExitStack() as stack:
        traffic: list[socket.socket] = []
        if proxy:
            host, port = address(settings.listen, "listen")
            shared = settings.workers > 1
            if shared and port:
                # Bind alone first: SO_REUSEPORT would also share the port with another monitor.
                _bind(host, port, "listen", accept=False).close()
            for _ in range(settings.workers):
                one = _bind(host, port, "listen", shared=shared, accept=accept)
                port = one.getsockname()[1]
                traffic.append(stack.enter_context(one))
        host, port = address(settings.admin, "admin")
        admin = stack.enter_context(_bind(host, port, "admin", accept=accept))
        if traffic and _overlap(traffic[0].getsockname(), admin.getsockname()):
            raise ConfigError(f"admin: cannot listen on {host}:{port}: address already in use")
        yield traffic, admin


def name(listener: socket.socket) -> str:
    """Return the address of a socket, as in a URL."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind(
    host: str, port: int, key: str, *, shared: bool = False, accept: bool = True
) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        if accept:
            listener.listen(1024)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{key}: cannot listen on {host}:{port}: {reason}") from None
    return listener


def _overlap(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Return whether two bound addresses are the same to some client. Only listening sockets
    exclude each other."""
    everywhere = {"0.0.0.0", "::"}  # noqa: S104
    same = one[0] == other[0] or not everywhere.isdisjoint({one[0], other[0]})
    return one[1] == other[1] and same
