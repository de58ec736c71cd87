"""Settings → listening sockets, made before any process is started."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Generator

from monitor.errors import ConfigError
from monitor.settings.addresses import address
from monitor.settings.schema import Settings

NO_IPV6 = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


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
            where = _shown(host, port)
            raise ConfigError(f"admin: cannot listen on {where}: address already in use")
        yield traffic, admin


def name(listener: socket.socket) -> str:
    """Return the address of a socket, as in a URL."""
    return _shown(*listener.getsockname()[:2])


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind(
    host: str, port: int, key: str, *, shared: bool = False, accept: bool = True
) -> socket.socket:
    """`::` is every address of both families, whatever `net.ipv6.bindv6only` says; where the kernel
    has no IPv6, every address of IPv4."""
    try:
        try:
            return _listening(host, port, shared=shared, accept=accept)
        except OSError as error:
            if host != "::" or error.errno not in NO_IPV6:
                raise
            return _listening("0.0.0.0", port, shared=shared, accept=accept)  # noqa: S104
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"{key}: cannot listen on {_shown(host, port)}: {reason}") from None


def _listening(host: str, port: int, *, shared: bool, accept: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if host == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if shared:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        if accept:
            listener.listen(1024)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _overlap(one: tuple[str, int], other: tuple[str, int]) -> bool:
    """Return whether two bound addresses are the same to some client. Only listening sockets
    exclude each other."""
    everywhere = {"0.0.0.0", "::"}  # noqa: S104
    same = one[0] == other[0] or not everywhere.isdisjoint({one[0], other[0]})
    return one[1] == other[1] and same
