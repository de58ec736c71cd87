"""redis-py's client for keys of one hash tag, wherever in the store they are.

It connects to the node that holds them now. Where that says that it does not any more, or is no
primary any more, it connects anew, and redis-py tries again: what is refused like this was not
done.
"""

from __future__ import annotations

from typing import Any

from monitor.errors import StreamError
from monitor.extras import without
from monitor.streams.address import parse_url
from monitor.streams.connection import refusal
from monitor.streams.topology import Topology, options_of

# It would load the SDK to measure itself, which nobody asks it for: a third of its time to load.
with without("opentelemetry", "opentelemetry.sdk"):
    import redis.asyncio as redis
    from redis import exceptions
    from redis.asyncio.connection import (
        Connection,
        ConnectionPool,
        SSLConnection,
        UnixDomainSocketConnection,
    )
    from redis.asyncio.retry import Retry
    from redis.backoff import ExponentialBackoff

RedisError = exceptions.RedisError
WatchError = exceptions.WatchError

RETRIES = 4
"""How often what another node refused is tried again, after 0.1 to 0.5 s each: nothing else is."""

_GONE = (
    exceptions.ReadOnlyError,
    exceptions.BusyLoadingError,
    exceptions.MasterDownError,
    exceptions.ClusterDownError,
)
_CODES = {
    exceptions.NoPermissionError: "NOPERM",
    exceptions.AuthenticationWrongNumberOfArgsError: "WRONGPASS",
    exceptions.AuthenticationError: "WRONGPASS",
    exceptions.OutOfMemoryError: "OOM",
    exceptions.ReadOnlyError: "READONLY",
    exceptions.BusyLoadingError: "LOADING",
    exceptions.MasterDownError: "MASTERDOWN",
    exceptions.ClusterDownError: "CLUSTERDOWN",
    exceptions.MovedError: "MOVED",
    exceptions.AskError: "ASK",
    exceptions.TryAgainError: "TRYAGAIN",
}
"""Kinds of refusals as redis-py tells them apart → the first word of the store's answer."""


class _Refused(exceptions.ConnectionError):
    """A node that does not do what it was told now; the words are ours."""


class _Routed(Connection):
    """A connection to the node that holds `key`."""

    def __init__(self, *, topology: Topology, key: str, **options: Any) -> None:
        super().__init__(**options)
        self._topology = topology
        self._key = key
        self._is_wrong = False

    async def _connect(self) -> None:
        try:
            node = await self._topology.node(self._key)
            self.host, self.port = node.host, node.port
            await super()._connect()  # type: ignore[no-untyped-call]
        except StreamError as error:
            self._topology.forget()
            raise _Refused(str(error)) from None
        except Exception:
            self._topology.forget()
            raise

    async def send_packed_command(self, *arguments: Any, **options: Any) -> None:
        """Send commands, over a new connection where the last reply told to."""
        if self._is_wrong:
            self._is_wrong = False
            await self.disconnect()
        await super().send_packed_command(*arguments, **options)

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Return a reply, or raise what it says; a node that is the wrong one now is left."""
        try:
            return await super().read_response(*arguments, **options)
        except exceptions.MovedError as error:
            self._topology.moved(error.slot_id, error.host, error.port, self.host)
            await self.disconnect()
            raise _Refused(words(error)) from None
        except _GONE:
            self._topology.forget()
            self._is_wrong = True
            raise


class _RoutedTls(_Routed, SSLConnection):
    """The same over TLS."""


def client_for(url: str, key: str, timeout: float) -> redis.Redis:
    """Return a client for keys of the hash tag of `key`, in the store at `url`; raises StreamError
    for a URL that cannot work.

    Every command has `timeout` seconds.
    """
    address = parse_url(url)
    options = options_of(address.plain) | {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "db": address.database,
        "retry": Retry(ExponentialBackoff(base=0.05, cap=0.5), RETRIES, (_Refused,)),
    }
    is_tls = options.pop("ssl", False)
    if address.path:
        pool = ConnectionPool(
            connection_class=UnixDomainSocketConnection, path=address.path, **options
        )
    else:
        pool = ConnectionPool(
            connection_class=_RoutedTls if is_tls else _Routed,
            topology=Topology(address, timeout),
            key=key,
            **options,
        )
    return redis.Redis.from_pool(pool)


def words(error: Exception) -> str:
    """Return a closed sentence for what redis-py raises, which may quote keys and addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Refused):
            return str(cause)
        cause = cause.__cause__
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return refusal(Exception(code))
    if isinstance(error, exceptions.ResponseError) or "max number of clients" in str(error):
        # What has no kind of its own begins with its code, also where it tells of a transaction.
        said = str(error).rpartition("pipeline caused error: ")[2].lstrip("('\"")
        return refusal(Exception(said))
    if isinstance(error, exceptions.TimeoutError):
        return "the store did not answer in time"
    if isinstance(error, (exceptions.ConnectionError, OSError)):
        return "the store cannot be reached"
    return f"the store's client failed ({type(error).__name__})"
