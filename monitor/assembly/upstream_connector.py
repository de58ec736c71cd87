"""Settings → the upstream connection of a splice, the TLS context for its client, and its edits."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from urllib.parse import SplitResult, urlsplit

from monitor.proxy import tls
from monitor.proxy.edits import Edits
from monitor.proxy.side import Side
from monitor.proxy.splice import Splice
from monitor.settings.schema import Settings


class UpstreamConnector:
    """Makes the upstream connection of a splice, and says which TLS context and edits it gets."""

    def __init__(self, settings: Settings, log: tls.Log) -> None:
        url = urlsplit(settings.upstream)
        self._secure = url.scheme == "https"
        self._host, self._port = url.hostname or "", _port(url, log)
        pem = settings.tls
        self._certificate = tls.Certificate(pem.cert, pem.key, log) if pem.cert else None
        self._upstream = None
        if self._secure:
            self._upstream = tls.Upstream(
                self._host,
                self._port,
                ca=pem.ca,
                client_cert=pem.client_cert,
                client_key=pem.client_key,
                log=log,
            )
        self._name = rewritten(settings).encode()
        self._forwarded = settings.edits.forwarded_for

    async def protocols(self) -> tuple[str, ...]:
        """Return the protocols that clients are offered by ALPN."""
        return (tls.H1,) if self._upstream is None else await self._upstream.protocols()

    async def shown(self) -> ssl.SSLContext | None:
        """Return the TLS context for a new client; None without TLS."""
        if self._certificate is None:
            return None
        return self._certificate.context(await self.protocols())

    async def before_dial(self, splice: Splice) -> None:
        """Wait for a client's first bytes if only they can tell its protocol (without TLS)."""
        if self._certificate is None and tls.H2 in await self.protocols():
            await splice.first(len(b"PRI"))

    async def dial(self, side: Side) -> None:
        """Connect to the endpoint; raises OSError if it cannot."""
        if not self._port:
            raise OSError("the upstream has no address")
        if self._upstream is not None:
            await self._upstream.connect(side, side.splice.speaks())
        else:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: side, self._host, self._port)

    def edits(self, peer: str) -> Edits | None:
        """Return the edits of a connection from the address `peer`; None if no edit is on."""
        if not (self._name or self._forwarded):
            return None
        forwarded = peer.encode() if self._forwarded else b""
        return Edits(host=self._name, peer=forwarded)


def _port(url: SplitResult, log: tls.Log) -> int:
    """Return the port of the upstream, or 0 and a log line if the URL has no usable one."""
    try:
        port = url.port
    except ValueError:
        port = 0
    if port == 0 or not url.hostname:
        log(
            logging.WARNING,
            "upstream: the URL names no host and port to connect to; clients get 502 until it does",
        )
        return 0
    return port or (443 if url.scheme == "https" else 80)


def rewritten(settings: Settings) -> str:
    """Return the value of Host for the endpoint; "" leaves it.

    >>> rewritten(Settings(upstream="https://api.example.com/v1")), rewritten(Settings())
    ('api.example.com', '')
    """
    url = urlsplit(settings.upstream)
    wanted = settings.edits.host
    # A model in a private network accepts any Host; a public API needs its own.
    public = url.scheme == "https" and is_remote(url.hostname or "localhost")
    if wanted == "always" or (wanted == "auto" and public):
        return url.netloc.rpartition("@")[2]
    return ""


def is_remote(host: str) -> bool:
    """
    >>> [is_remote(host) for host in ("localhost", "127.0.0.2", "::1", "api.example.com")]
    [False, False, False, True]
    """
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
