"""`make bench`: the proxy's CPU, latency and memory beside its peers, written to RESULTS.md.

All proxies run at the same time and are loaded in turn, round by round, so that the machine's drift
hits all alike; figures are medians over the rounds. `--rounds N --seconds S`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
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
from tests.conftest import Authority

OUT = Path(__file__).with_name("RESULTS.md")
CONNECTIONS = 16
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


def outage(peer: peers.Peer, seconds: float) -> Iterator[tuple[str, float]]:
    """Memory (MB) while the recorder stands still under full load, and afterwards."""
    if peer.whole is None:
        return
    with peer.whole.frozen("recorder"):
        wrk(peer, seconds)
        yield "recorder frozen, buffer full (64 MiB)", peer.memory()
    time.sleep(10)
    yield "10 s after it thawed", peer.memory()


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


def over_tls(upstream: int, rounds: int, seconds: float) -> Iterator[str]:
    """CPU where clients are shown a certificate (P-256), kept alive and on connections anew."""
    yield "## CPU a request over TLS (TLS 1.3, P-256; the endpoint speaks plain HTTP)"
    yield ""
    yield "| proxy | kept alive, CPU µs | ours is | a connection and one request, CPU µs | ours is |"
    yield "|---|---|---|---|---|"
    with contextlib.ExitStack() as stack:
        pair = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory()))).issue("bench")
        running = [
            stack.enter_context(peers.monitor(upstream, pair=pair)),
            stack.enter_context(peers.nginx(upstream, pair)),
        ]
        costs: dict[tuple[str, bool], list[float]] = {}
        for _ in range(rounds):
            for anew in (False, True):
                for peer in running:
                    cost = handshakes(peer, seconds) if anew else load(peer, seconds)[0]
                    costs.setdefault((peer.name, anew), []).append(cost)
        for peer in running:
            row = f"| {peer.name} |"
            for anew in (False, True):
                pairs = zip(costs[running[0].name, anew], costs[peer.name, anew], strict=True)
                ratio = statistics.median(one / other for one, other in pairs)
                row += f" {statistics.median(costs[peer.name, anew]):.0f} | {ratio:.2f} × |"
            yield row
    yield ""


def quantile(values: list[float], q: float) -> float:
    """The q-quantile by rank."""
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def report(options: argparse.Namespace) -> Iterator[str]:
    """Run everything, yield the page line by line."""
    with contextlib.ExitStack() as stack:
        upstream = stack.enter_context(peers.model())
        ours = stack.enter_context(peers.monitor(upstream))
        memory = [("at rest", ours.memory())]
        running = [
            stack.enter_context(peers.bare_splice(upstream)),
            ours,
            stack.enter_context(peers.nginx(upstream)),
            stack.enter_context(peers.envoy(upstream)),
        ]
        yield "# The proxy beside its peers"
        yield ""
        yield f"Written by `make bench` on {datetime.now(UTC):%Y-%m-%d}: one run, all proxies side by"
        yield f"side, loaded in turn in {options.rounds} rounds of {options.seconds:g} s each; medians."
        yield "`monitor` is a whole `monitor run`: recorder, analyzer, pages and the embedded store work beside the"
        yield "proxy, on the same cores. Here only the proxy's own CPU is counted; [WHOLE](WHOLE.md) counts all."
        yield f"{platform.machine()}, {peers.psutil.cpu_count()} cores, CPython"
        yield f"{platform.python_version()}, uvloop {version('uvloop')},"
        yield ", ".join(f"{peer.name} {peer.version}" for peer in running if peer.version) + "."
        yield "Absolute figures drift with the machine; the ratios are what counts."
        yield ""
        costs: dict[str, list[float]] = {peer.name: [] for peer in running}
        rates: dict[str, list[float]] = {peer.name: [] for peer in running}
        for peer in running:
            load(peer, 1)
        for _ in range(options.rounds):
            for peer in running:
                cost, rate = load(peer, options.seconds)
                costs[peer.name].append(cost)
                rates[peer.name].append(rate)
        own = statistics.median(costs[ours.name])
        yield f"## CPU a request (1.2 KB POST, 1.3 KB JSON answer, keep-alive, {CONNECTIONS} clients)"
        yield ""
        yield "| proxy | CPU µs a request | requests/s | ours is |"
        yield "|---|---|---|---|"
        for peer in running:
            cost = statistics.median(costs[peer.name])
            ratio = statistics.median(
                one / other for one, other in zip(costs[ours.name], costs[peer.name], strict=True)
            )
            rate = statistics.median(rates[peer.name])
            yield f"| {peer.name} | {cost:.0f} | {rate:,.0f} | {ratio:.2f} × |"
        yield ""
        yield f"Above the bare splice: {own - statistics.median(costs[running[0].name]):.0f} µs."
        yield ""
        requests = [REQUEST] * int(options.rate * options.seconds)
        end = endpoint.ANSWER[-16:]
        yield f"## Latency at {options.rate:g} requests a second, open loop, ms"
        yield ""
        yield "| path | p50 | p99 | CPU µs a request |"
        yield "|---|---|---|---|"
        taken: dict[str, list[float]] = {}
        used: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            taken.setdefault("direct", []).extend(
                pacing.paced(upstream, requests, options.rate, end)
            )
            for peer in running:
                before = peer.cpu()
                values = pacing.paced(peer.port, requests, options.rate, end)
                peer.settle()
                taken.setdefault(peer.name, []).extend(values)
                used.setdefault(peer.name, []).append((peer.cpu() - before) / len(values) * 1e6)
        for name, values in taken.items():
            p50, p99 = quantile(values, 0.5) * 1000, quantile(values, 0.99) * 1000
            cost = f"{statistics.median(used[name]):.0f}" if name in used else ""
            yield f"| {name} | {p50:.2f} | {p99:.2f} | {cost} |"
        yield ""
        yield f"## {options.streams} concurrent event streams, one event each {endpoint.GAP * 1000:g} ms"
        yield ""
        yield "| proxy | CPU µs an event | median delay ms | worst delay ms |"
        yield "|---|---|---|---|"
        for peer in running:
            results = [streams(peer, options.streams) for _ in range(max(1, options.rounds // 2))]
            cost, delay, worst = (
                statistics.median(column) for column in zip(*results, strict=True)
            )
            yield f"| {peer.name} | {cost:.0f} | {delay * 1000:.1f} | {worst * 1000:.1f} |"
        yield ""
        yield from over_tls(upstream, options.rounds, options.seconds)
        memory.append(("after the load above", ours.memory()))
        memory += outage(ours, max(8.0, options.seconds))
        yield "## Memory of our proxy process (RSS, MB)"
        yield ""
        for when, size in memory:
            yield f"- {when}: {size:.0f}"


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
