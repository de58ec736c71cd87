"""Stores as they are in production, of real servers on loopback: a cluster, sentinels, with TLS."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from monitor.supervision.embedded_store import binary
from monitor.supervision.ports import free_port

PATIENCE = 30.0
"""Seconds that anything may take."""

SERVER = os.environ.get("STORE_SERVER") or shutil.which("redis-server") or str(binary())
"""Redis where it is installed, else Valkey; both are clusters, sentinels and single servers."""

FAILOVERS = int(os.environ.get("FAILOVERS", "1"))
"""How often in a row a primary is taken away: `make nightly` does it for some minutes."""

QUICK = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")


def until(is_so: Callable[[], Any], what: str) -> Any:
    """Wait for a condition; what it gave."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError):
            if found := is_so():
                return found
        time.sleep(0.02)
    raise AssertionError(f"not within {PATIENCE:g} s: {what}")


class Server:
    """A redis-server, which can be killed, frozen and started again."""

    def __init__(self, directory: Path, *options: str, login: dict[str, Any] | None = None) -> None:
        self.port, self.bus = free_port(), free_port()
        self.directory = directory / str(self.port)
        self.directory.mkdir(parents=True)
        self._options = options
        self.login = login or {}
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        port = ("--port", str(self.port))
        if "--tls-port" in self._options:
            port = ("--port", "0")
        words = {"PORT": str(self.port), "BUS": str(self.bus)}
        options = [words.get(one, one) for one in self._options]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [SERVER, *options, *port, "--bind", "127.0.0.1", "--dir", str(self.directory)],
                stdout=log,
                stderr=log,
            )
        try:
            until(lambda: self.ask("PING"), f"redis-server at port {self.port} answers")
        except BaseException:
            self.kill()
            raise

    def client(self, **login: Any) -> redis.Redis:
        """A client of it alone."""
        given = {"socket_timeout": 20, "retry": Retry(NoBackoff(), 0), **self.login, **login}
        return redis.Redis("127.0.0.1", self.port, protocol=2, **given)

    def ask(self, *command: str | int | bytes) -> Any:
        """Its answer to a command."""
        with self.client() as client:
            return client.execute_command(*command)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Cluster:
    """Masters, each with one replica, that share the slots."""

    def __init__(self, directory: Path, masters: int, *, replicas: bool = True) -> None:
        self.servers: list[Server] = []
        # A machine that is busy may stop a node for a second; without replicas nobody takes over.
        patience = "3000" if replicas else "30000"
        options = (
            *QUICK,
            *("--cluster-enabled", "yes", "--cluster-node-timeout", patience),
            *("--cluster-config-file", "nodes.conf", "--cluster-replica-validity-factor", "0"),
        )
        try:
            for _ in range(masters * (1 + replicas)):
                self.servers.append(Server(directory, *options, "--cluster-port", "BUS"))
            self._meet(masters)
        except BaseException:
            self.close()
            raise

    def _meet(self, masters: int) -> None:
        first, *others = self.servers
        for number, one in enumerate(self.servers[:masters]):
            low, high = number * 16384 // masters, (number + 1) * 16384 // masters - 1
            one.ask("CLUSTER", "ADDSLOTSRANGE", low, high)
            one.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for one in others:
            first.ask("CLUSTER", "MEET", "127.0.0.1", one.port, one.bus)
        everybody = f"cluster_known_nodes:{len(self.servers)}\r".encode()
        until(
            lambda: all(everybody in one.ask("CLUSTER", "INFO") for one in self.servers),
            "all nodes know each other",
        )
        for number, one in enumerate(self.servers[masters:]):
            one.ask("CLUSTER", "REPLICATE", self.id_of(self.servers[number % masters]))
        self.settled()

    def settled(self) -> None:
        """Wait until all slots are served, and all that live agree on who is what."""
        alive = [one for one in self.servers if one._process is not None]

        def is_so() -> bool:
            views = set()
            for one in alive:
                if b"cluster_state:ok" not in one.ask("CLUSTER", "INFO"):
                    return False
                role = one.ask("ROLE")
                if role[0] == b"slave" and role[3] != b"connected":
                    return False
                if role[0] == b"master" and role[2] and not one.ask("WAIT", 1, 100):
                    return False
                views.add(str(sorted(one.ask("CLUSTER", "SLOTS"), key=str)))
            return True

        until(is_so, "the cluster is whole")

    @property
    def urls(self) -> list[str]:
        """A URL for each node."""
        return [f"redis://127.0.0.1:{one.port}/0" for one in self.servers]

    @staticmethod
    def id_of(server: Server) -> str:
        """The id of a node."""
        found = server.ask("CLUSTER", "MYID")
        return found.decode() if isinstance(found, bytes) else str(found)

    def holder(self, key: str) -> Server:
        """The primary that holds a key."""

        def found() -> Server | None:
            for one in self.servers:
                if one._process is None or one.ask("ROLE")[0] != b"master":
                    continue
                try:
                    one.ask("EXISTS", key)
                except redis.ResponseError:
                    continue
                return one
            return None

        server: Server = until(found, f"somebody holds {key}")
        return server

    def move(self, key: str, to: Server, *, at_ask: Callable[[], None] | None = None) -> None:
        """Move the slot of a key to another primary, as `redis-cli --cluster reshard` does;
        `at_ask` is called while the key itself is moved already, and the slot is not."""
        source = self.holder(key)
        slot = source.ask("CLUSTER", "KEYSLOT", key)
        to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(to))
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", to.port, "", 0, 5000, "KEYS", *keys)
        if at_ask is not None:
            at_ask()
        for one in (to, source):
            one.ask("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(to))

    def close(self) -> None:
        """End all nodes."""
        for one in self.servers:
            one.kill()


class Watched:
    """A primary, its replica, and a sentinel that watches them as the service `m`."""

    def __init__(self, directory: Path) -> None:
        self.servers: list[Server] = []
        try:
            self.servers.append(Server(directory, *QUICK))
            first = self.servers[0].port
            self.servers.append(Server(directory, *QUICK, "--replicaof", f"127.0.0.1 {first}"))
            self._linked(self.servers[1])
            configuration = directory / "sentinel.conf"
            configuration.write_text(
                f"sentinel monitor m 127.0.0.1 {first} 1\n"
                "sentinel down-after-milliseconds m 1500\nsentinel failover-timeout m 3000\n"
            )
            self.sentinel = Server(directory, str(configuration), "--sentinel")
            self.servers.append(self.sentinel)
            until(lambda: self.sentinel.ask("SENTINEL", "REPLICAS", "m"), "the replica is seen")
            self.settled()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _linked(replica: Server) -> None:
        until(lambda: replica.ask("ROLE")[3] == b"connected", "the replica follows")

    def settled(self) -> None:
        """Wait until the other server follows the primary, and has all of it."""

        def is_so() -> bool:
            primary = self.primary
            (other,) = (one for one in self.servers[:2] if one is not primary)
            roles = primary.ask("ROLE")[0], other.ask("ROLE")[0]
            return roles == (b"master", b"slave") and bool(primary.ask("WAIT", 1, 100))

        until(is_so, "the replica is in step")

    @property
    def url(self) -> str:
        """A URL that names a sentinel that is not there, too."""
        return f"redis+sentinel://127.0.0.1:1,127.0.0.1:{self.sentinel.port}/m/0"

    @property
    def primary(self) -> Server:
        """The one that the sentinel names."""
        _, port = self.sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "m")
        return next(one for one in self.servers if one.port == int(port))

    def close(self) -> None:
        """End all of them."""
        for one in self.servers:
            one.kill()


FROZEN, GOING_ON = signal.SIGSTOP, signal.SIGCONT
