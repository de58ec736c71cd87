"""`make bench`: the proxy's CPU, latency and memory beside its peers, written to RESULTS.md.

All proxies run at the same time and are loaded in turn, round by round, so that the machine's drift
hits all alike; figures are medians over the rounds. `--rounds N --seconds S`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import platform
import re
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.bench import endpoint, pacing, peers
from tests.bench.tables import other_work, quantile, ratio, spread, table
from tests.conftest import Authority

OUT = Path(__file__).with_name("RESULTS.md")
CONNECTIONS = 16
OURS = "monitor"
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer sk-abcdefghijklmnopqrstuvwxyz0123"
wrk.headers["User-Agent"] = "OpenAI/Python 1.60.0"
wrk.headers["X-Population"] = "north"
wrk.headers["X-Template"] = "triage"
wrk.body = '{"model":"m","messages":[{"role":"user","content":"'
  .. string.rep("lorem ", 180) .. '"}]}'
wrk.path = "/v1/chat/completions"
"""


REQUEST = (
    b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 1200\r\n\r\n" + b"x" * 1200
)


def wrk(peer: peers.Peer, seconds: float) -> tuple[int, float]:
    """Load one proxy as much as CONNECTIONS clients can, a second at least: (requests, requests a second)."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT)
        script.flush()
        command = [
            "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", script.name,
            f"{peer.scheme}://127.0.0.1:{peer.port}",
        ]  # fmt: skip
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+) requests in.*Requests/sec: +([\d.]+)", text, re.DOTALL)
    if match is None or "Non-2xx" in text:
        raise RuntimeError(f"{peer.name}: wrk says {text}")
    return int(match[1]), float(match[2])


def load(peer: peers.Peer, seconds: float) -> tuple[float, float]:
    """wrk against one proxy: (CPU microseconds a request, requests a second)."""
    before = peer.cpu()
    requests, rate = wrk(peer, seconds)
    peer.settle()
    return (peer.cpu() - before) / requests * 1e6, rate


def streams(peer: peers.Peer, count: int) -> tuple[float, float, float]:
    """`count` concurrent event streams: (CPU µs an event, median and worst delay of an event, s).

    An event holds the moment it was sent; both ends read the same clock.
    """

    async def one(delays: list[float]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
        writer.write(b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n")
        data = b""
        while not data.endswith(b"0\r\n\r\n"):
            piece = await reader.read(65536)
            now = time.monotonic()
            delays += [now - float(sent) for sent in re.findall(rb'"at":([\d.]+)', piece)]
            data += piece
        writer.close()
        if data.count(b"data:") != endpoint.EVENTS:
            raise RuntimeError("events are missing")

    async def run() -> list[float]:
        delays: list[float] = []
        await asyncio.gather(*(one(delays) for _ in range(count)))
        return delays

    before = peer.cpu()
    delays = uvloop.run(run())
    used = peer.cpu() - before
    return used / (count * endpoint.EVENTS) * 1e6, statistics.median(delays), max(delays)


def handshakes(peer: peers.Peer, seconds: float) -> float:
    """CPU µs of a TLS connection with one request on it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    async def one(end: float) -> int:
        count = 0
        while time.monotonic() < end:
            reader, writer = await asyncio.open_connection("127.0.0.1", peer.port, ssl=context)
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
            count += 1
        return count

    async def run() -> int:
        return sum(await asyncio.gather(*(one(time.monotonic() + seconds) for _ in range(4))))

    before = peer.cpu()
    count = uvloop.run(run())
    return (peer.cpu() - before) / count * 1e6


def at_full_load(running: list[peers.Peer], rounds: int, seconds: float) -> Iterator[str]:
    """CPU and rate where nothing waits."""
    costs: dict[str, list[float]] = {peer.name: [] for peer in running}
    rates: dict[str, list[float]] = {peer.name: [] for peer in running}
    for peer in running:
        load(peer, 1)
    for _ in range(rounds):
        for peer in running:
            cost, rate = load(peer, seconds)
            costs[peer.name].append(cost)
            rates[peer.name].append(rate)
    yield f"## CPU a request (1.2 KB POST, 1.3 KB JSON answer, keep-alive, {CONNECTIONS} clients)"
    yield ""
    rows = [
        [name, spread(costs[name]), spread(rates[name], ",.0f"), ratio(costs[OURS], costs[name])]
        for name in costs
    ]
    yield from table(("proxy", "CPU µs a request", "requests/s", "ours is"), rows)


def at_a_rate(
    upstream: int, running: list[peers.Peer], rounds: int, seconds: float, rate: float
) -> Iterator[str]:
    """Latency from when each request was due."""
    requests = [REQUEST] * int(rate * seconds)
    end = endpoint.ANSWER[-16:]
    taken: dict[str, list[list[float]]] = {}
    used: dict[str, list[float]] = {}
    for _ in range(rounds):
        taken.setdefault("direct", []).append(pacing.paced(upstream, requests, rate, end))
        for peer in running:
            before = peer.cpu()
            taken.setdefault(peer.name, []).append(pacing.paced(peer.port, requests, rate, end))
            peer.settle()
            used.setdefault(peer.name, []).append((peer.cpu() - before) / len(requests) * 1e6)
    yield f"## Latency at {rate:g} requests a second, open loop"
    yield ""
    rows = [
        [name, *(spread([quantile(one, q) * 1000 for one in rows], ".2f") for q in (0.5, 0.99)),
         spread(used[name]) if name in used else ""]
        for name, rows in taken.items()
    ]  # fmt: skip
    yield from table(("path", "p50 ms", "p99 ms", "CPU µs a request"), rows)


def streamed(running: list[peers.Peer], rounds: int, count: int) -> Iterator[str]:
    """Many event streams at once."""
    found: dict[str, list[tuple[float, float, float]]] = {peer.name: [] for peer in running}
    for _ in range(rounds):
        for peer in running:
            found[peer.name].append(streams(peer, count))
            peer.settle()
    yield f"## {count} concurrent event streams, one event each {endpoint.GAP * 1000:g} ms"
    yield ""
    rows = []
    for name, results in found.items():
        costs, delays, worst = zip(*results, strict=True)
        late = [spread([one * 1000 for one in some], ".1f") for some in (delays, worst)]
        rows.append([name, spread(costs), *late])
    yield from table(("proxy", "CPU µs an event", "median delay ms", "worst delay ms"), rows)


def over_tls(upstream: int, rounds: int, seconds: float) -> Iterator[str]:
    """CPU where clients are shown a certificate (P-256), kept alive and on connections anew."""
    with contextlib.ExitStack() as stack:
        pair = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory()))).issue("bench")
        running = [
            stack.enter_context(peers.monitor(upstream, pair=pair)),
            stack.enter_context(peers.nginx(upstream, pair)),
        ]
        kept: dict[str, list[float]] = {peer.name: [] for peer in running}
        anew: dict[str, list[float]] = {peer.name: [] for peer in running}
        for _ in range(rounds):
            for peer in running:
                kept[peer.name].append(load(peer, seconds)[0])
            for peer in running:
                anew[peer.name].append(handshakes(peer, seconds))
    yield "## CPU a request over TLS (TLS 1.3, P-256; the endpoint speaks plain HTTP)"
    yield ""
    rows = [
        [name, *(part for costs in (kept, anew)
                 for part in (spread(costs[name]), ratio(costs[OURS], costs[name])))]
        for name in kept
    ]  # fmt: skip
    head = ("kept alive, CPU µs", "ours is", "a connection and one request, CPU µs", "ours is")
    yield from table(("proxy", *head), rows)


def outage(ours: peers.Peer, rest: float, seconds: float) -> Iterator[str]:
    """Memory while the recorder stands still under full load, and afterwards."""
    assert ours.whole is not None
    after = ours.memory()
    with ours.whole.frozen("recorder"):
        wrk(ours, seconds)
        frozen = ours.memory()
    time.sleep(10)
    yield "## Memory of our proxy process (RSS, MB), once"
    yield ""
    yield f"- at rest: {rest:.0f}"
    yield f"- after the load above: {after:.0f}"
    yield f"- recorder frozen, buffer full (64 MiB): {frozen:.0f}"
    yield f"- 10 s after it thawed: {ours.memory():.0f}"


def report(options: argparse.Namespace) -> Iterator[str]:
    """Run everything, yield the page line by line."""
    rounds, seconds, busy = options.rounds, options.seconds, other_work()
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.model())
        ours = stack.enter_context(peers.monitor(upstream))
        rest = ours.memory()
        running = [
            stack.enter_context(peers.bare_splice(upstream)),
            ours,
            stack.enter_context(peers.nginx(upstream)),
            stack.enter_context(peers.envoy(upstream)),
        ]
        versions = ", ".join(f"{peer.name} {peer.version}" for peer in running if peer.version)
        yield "# The proxy beside its peers"
        yield ""
        yield f"Written by `tests/bench/bench_proxy.py` on {datetime.now(UTC):%Y-%m-%d}: {platform.machine()}, {os.cpu_count()} cores, of which other work took"
        yield f"{busy:.1f} at the beginning; CPython {platform.python_version()}, uvloop {version('uvloop')}, {versions}."
        yield ""
        yield "`monitor` is a whole `monitor run`: recorder, analyzer, pages and the embedded store work beside the proxy on"
        yield "the same cores. Only the proxy's own CPU is counted here; [WHOLE](WHOLE.md) counts all. The proxies run side by"
        yield f"side and are loaded in turn, in {rounds} rounds of {seconds:g} s. Figures are medians, in brackets the smallest and the"
        yield "largest round. Absolute figures drift with the machine; the ratios, taken within a round, are what counts."
        yield ""
        yield from at_full_load(running, rounds, seconds)
        yield from at_a_rate(upstream, running, rounds, seconds, options.rate)
        yield from streamed(running, rounds, options.streams)
        yield from over_tls(upstream, rounds, seconds)
        yield from outage(ours, rest, max(8.0, seconds))


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--streams", type=int, default=500)
    lines = []
    for line in report(parser.parse_args()):
        print(line, flush=True)
        lines.append(line)
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
