"""The paths that `bench_whole` compares, running side by side, and what their rounds come to."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench import pacing, peers
from tests.bench.tables import quantile, ratio, spread
from tests.bench.traffic import END, Traffic

ROLES = ("proxy", "recorder", "analyzer", "supervisor", "pages")
DIRECT, OURS, NGINX, ENVOY = "direct", "monitor", "nginx", "Envoy"
WARM_RATE = 500
"""Requests a second of the first conversations."""


@dataclass
class Round:
    """What one path's turn came to: latencies (s), CPU seconds of an exchange by role."""

    latencies: list[float]
    cpu: dict[str, float] = field(default_factory=dict)

    def ms(self, q: float) -> float:
        """The q-quantile of the latencies."""
        return quantile(self.latencies, q) * 1000

    def micros(self, *roles: str) -> float:
        """CPU µs of an exchange: of these roles, or of all but the store."""
        chosen = roles or tuple(set(self.cpu) - {"store"})
        return sum(self.cpu.get(role, 0.0) for role in chosen) * 1e6


Rounds = dict[str, list[Round]]
Send = Callable[[int, list[bytes]], list[float]]
"""Port and requests → latencies."""


class Paths:
    """All of them, running; `few` rounds where `--rounds` would take too long."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-")))
        self.options = options
        self.few = min(3, options.rounds)
        self.short: list[list[str]] = []
        directory.chmod(0o755)  # nginx gives up root
        self.traffic = Traffic(directory)
        self.chats = self.traffic.conversations()
        self.upstream = stack.enter_context(peers.files(directory))
        self.nginx = stack.enter_context(peers.nginx(self.upstream))
        self.envoy = stack.enter_context(peers.envoy(self.upstream))
        self.whole = stack.enter_context(peers.whole(self.upstream))
        self.ports = {
            DIRECT: self.upstream, NGINX: self.nginx.port, ENVOY: self.envoy.port,
            OURS: self.whole.port,
        }  # fmt: skip
        self.whole.settle()
        self.fresh = self.whole.memory()

    def warm(self) -> None:
        """Send the first conversations, faster than later."""
        pacing.paced(self.whole.port, self.take(self.chats, self.options.warm), WARM_RATE, END)
        self.whole.settle()

    def take(self, kind: Iterator[bytes], count: float) -> list[bytes]:
        """The next requests of a kind, at least one."""
        return list(itertools.islice(kind, max(1, int(count))))

    def cpu(self, path: str) -> dict[str, float]:
        """CPU seconds so far, by role."""
        if path == OURS:
            return self.whole.cpu()
        peer = {NGINX: self.nginx, ENVOY: self.envoy}.get(path)
        return {path: peer.cpu()} if peer else {}

    def paced(self, kind: Iterator[bytes], rate: float, rounds: int) -> Rounds:
        """All paths in turn, each with the same requests, so many a second."""
        return self._in_turn(
            (DIRECT, NGINX, ENVOY, OURS), kind, int(rate * self.options.seconds), rounds,
            lambda port, requests: pacing.paced(port, requests, rate, END),
        )  # fmt: skip

    def one_by_one(self, kind: Iterator[bytes], count: int, rounds: int) -> Rounds:
        """All proxies in turn, each with the same requests, one after the other."""
        send = lambda port, requests: pacing.one_by_one(port, requests, END)  # noqa: E731
        return self._in_turn((NGINX, ENVOY, OURS), kind, count, rounds, send)

    def _in_turn(
        self, paths: Sequence[str], kind: Iterator[bytes], count: int, rounds: int, send: Send
    ) -> Rounds:
        found: Rounds = {path: [] for path in paths}
        for number in range(rounds):
            requests = self.take(kind, count)
            for at in range(len(paths)):
                path = paths[(at + number) % len(paths)]
                found[path].append(self._turn(path, requests, send))
        return found

    def _turn(self, path: str, requests: list[bytes], send: Send) -> Round:
        """Let one path have its turn; read its CPU time when all its work is done."""
        before = self.cpu(path)
        latencies = send(self.ports[path], requests)
        if path == OURS:
            self.whole.settle()
        after = self.cpu(path)
        return Round(
            latencies, {role: (after[role] - before[role]) / len(requests) for role in before}
        )

    def lost(self) -> float:
        """Exchanges lost so far."""
        return self.whole.system.page().total("monitor_exchanges_lost_total")


def totals(found: Rounds, path: str) -> list[float]:
    """CPU µs of an exchange of all processes but the store, round by round."""
    return [one.micros() for one in found[path]]


def beside(found: Rounds, peer: str) -> str:
    """Our total by a peer's."""
    return ratio(totals(found, OURS), totals(found, peer))


def cost_row(title: str, found: Rounds) -> list[str]:
    """A row of the table of CPU."""
    roles = {
        role: f"{statistics.median(one.micros(role) for one in found[OURS]):.0f}"
        for role in (*ROLES, "store")
    }
    row = [
        title,
        *(roles[role] for role in ROLES),
        f"**{spread(totals(found, OURS))}**",
        roles["store"],
    ]
    for peer in (NGINX, ENVOY):
        row += [spread(totals(found, peer)), beside(found, peer)]
    return row


COST_HEAD = (
    "CPU µs an exchange", *ROLES, "**ours, sum**", "store", "nginx", "ours is", "Envoy", "ours is",
)  # fmt: skip


def latency_rows(title: str, found: Rounds) -> Iterator[list[str]]:
    """For each path p50 and p99, what they are above direct in the same round, and p99 beside Envoy's."""
    for path, rounds in found.items():
        row = [title, path, *quantiles(rounds)]
        row += [spread(added(found, path, q), ".2f") if path != DIRECT else "" for q in (0.5, 0.99)]
        yield [*row, beside_envoy(found) if path == OURS else ""]


def quantiles(rounds: Sequence[Round]) -> list[str]:
    """p50 and p99, ms."""
    return [spread([one.ms(q) for one in rounds], ".2f") for q in (0.5, 0.99)]


def added(found: Rounds, path: str, q: float) -> list[float]:
    """ms above direct, round by round."""
    return [one.ms(q) - bare.ms(q) for one, bare in zip(found[path], found[DIRECT], strict=True)]


def beside_envoy(found: Rounds) -> str:
    """Our added p99 by Envoy's, both medians; nothing where the machine was too busy for a positive one."""
    ours, theirs = (statistics.median(added(found, path, 0.99)) for path in (OURS, ENVOY))
    return f"{ours / theirs:.2f} ×" if theirs > 0 else ""


LATENCY_HEAD = (
    "traffic", "path", "p50 ms", "p99 ms", "added p50", "added p99", "added p99, of Envoy's",
)  # fmt: skip
