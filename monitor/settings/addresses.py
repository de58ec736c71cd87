"""Texts that say where something is → hosts, ports and URLs that can be connected to."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from monitor.errors import ConfigError
from monitor.urls import shown

ANY, LOOPBACK = "any", frozenset(("127.0.0.1", "::1"))


def address(text: str, key: str) -> tuple[str, int]:
    """`HOST:PORT` or `[V6]:PORT` → (host, port); raises ConfigError naming `key`.

    No host means `::`, which is all addresses of both families (`supervision.listeners`)."""
    host, colon, port = text.rpartition(":")
    if not colon or not _is_port(port) or not _is_host(host.strip("[]") or "all"):
        raise ConfigError(f"{key}: {shown(text)!r} is not HOST:PORT, as in 127.0.0.1:8080")
    return host.strip("[]") or "::", int(port)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and int(text) < 65536


def _is_host(text: str) -> bool:
    """Whether it can be looked up: no spaces, no name with an empty or an overlong part."""
    if not text.isprintable() or " " in text or len(text) > 253:
        return False
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    return True


def url(text: str, key: str, schemes: Sequence[str], example: str) -> SplitResult:
    """A URL that can be connected to; ConfigError names `key` and repeats no user part."""
    wrong = ConfigError(f"{key}: {shown(text)!r} is not a URL like {example}")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise wrong from None
    if parts.scheme not in schemes or " " in text:
        raise wrong
    if parts.scheme == "unix":
        return parts
    if not parts.hostname or not _is_host(parts.hostname):
        raise wrong
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigError(f"{key}: the port in {shown(text)!r} is not a number from 1 to 65535")
    return parts


def meet(ours: tuple[str, int], theirs: tuple[str, int]) -> bool:
    """Whether what connects to `theirs` reaches a listener on `ours`, as far as names tell.

    >>> meet(("0.0.0.0", 80), ("localhost", 80)), meet(("10.0.0.1", 80), ("127.0.0.1", 80))
    (True, False)
    >>> meet(("127.0.0.1", 80), ("0.0.0.0", 80)), meet(("127.0.0.1", 80), ("127.0.0.1", 81))
    (True, False)
    """
    mine, reached = _addresses(ours[0]), _addresses(theirs[0])
    everywhere = ANY in mine and any(one == ANY or _is_local(one) for one in reached)
    return ours[1] == theirs[1] and bool(
        everywhere or mine & reached or (mine & LOOPBACK and ANY in reached)
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("10.0.0.1"), is_loopback("::"), is_loopback("pod-1")
    (False, False, False, False)
    """
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _addresses(host: str) -> set[str]:
    name = host.rstrip(".").lower()
    if name == "localhost":
        return set(LOOPBACK)
    try:
        ip = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return {name}
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return {ANY if mapped.is_unspecified else str(mapped)}


def _is_local(host: str) -> bool:
    return host.startswith("127.") or host in ("::1", socket.gethostname().lower())
