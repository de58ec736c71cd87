"""Faults under load: what clients saw, what the ledger says and what the stream holds agree, id by id.

The page is scraped all the time meanwhile: at every scrape it adds up, and no counter goes back.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

import httpx
import psutil
import redis

from tests.end_to_end.load import Load, Watch

SMALL = {"buffer_bytes": 300_000}
"""Of `capture`: room for a hundred exchanges or so."""
SELDOM = 0.5
"""Seconds between two requests of a client while a recorder, which comes last on a busy machine, works off
what has piled up."""


@contextlib.contextmanager
def under_load(system: Any, **options: Any) -> Generator[Load]:
    """Load and a watched page; leaves when both have ended."""
    load, watch = Load(system.run["listen"], **options), Watch(system)
    with watch.running(), load.running():
        yield load
    assert not watch.wrong
    assert watch.scrapes
    assert not system.complaints()


def progress(system: Any, load: Load, more: int) -> None:
    """Let `more` requests go by."""
    target = len(load.seen) + more
    system.until(lambda: len(load.seen) >= target)


def pending(system: Any, place: str) -> float:
    total: float = system.page().total("monitor_records_pending", place=place)
    return total


def check(system: Any, load: Load, page: Any = None) -> int:
    """All accounts agree, request by request; returns how many were lost."""
    page = page or system.settled()
    records = system.records()
    assert len({record["id"] for record in records}) == len(records)
    recorded = {record["trace_id"]: record["outcome"] for record in records}
    assert len(recorded) == len(records) == page.total("monitor_records_appended_total")
    assert "cut" not in load.outcomes()
    lost = page.total("monitor_exchanges_lost_total")
    assert page.total("monitor_exchanges_total") == len(load.seen) == len(records) + lost
    assert recorded.items() <= load.seen.items()
    return int(lost)


def test_a_recorder_that_is_killed_again_and_again_loses_and_repeats_nothing(
    share: Any, fast: str
) -> None:
    """Five times, at whatever it was doing, under full load, once it is up with what came before."""
    system = share()
    with under_load(system) as load:
        for _ in range(5):
            load.pause = 0.003
            progress(system, load, 300)
            (recorder,) = system.run["pids"]["recorder"]
            os.kill(recorder, signal.SIGKILL)
            load.pause = SELDOM
            system.until(
                lambda killed=recorder: system.run["pids"]["recorder"] not in ([killed], [])
            )
            # The next one is killed at its work, and not twice over the same exchange, which would be lost.
            system.until(lambda: system.page().pending() < 20)
    assert check(system, load) == 0
    assert system.page().total("monitor_restarts_total", role="recorder") == 5


def test_a_frozen_recorder_is_waited_for_by_nobody(share: Any, fast: str) -> None:
    """Requests go on under load, exchanges wait, and after ten seconds a new recorder has them all."""
    system = share()
    with under_load(system, pause=0.03) as load:
        progress(system, load, 300)
        (recorder,) = system.run["pids"]["recorder"]
        os.kill(recorder, signal.SIGSTOP)
        progress(system, load, 100)
        system.until(
            lambda: pending(system, "buffer") >= 100 or system.run["pids"]["recorder"] != [recorder]
        )
        system.until(lambda: system.run["pids"]["recorder"] not in ([recorder], []))
        progress(system, load, 100)
    assert check(system, load) == 0


def test_a_full_buffer_drops_whole_exchanges_and_counts_them(share: Any, fast: str) -> None:
    """With room for a hundred or so, the rest is lost for a stated reason; clients see nothing."""
    system = share(capture=SMALL)
    with under_load(system) as load:
        (recorder,) = system.run["pids"]["recorder"]
        os.kill(recorder, signal.SIGSTOP)
        progress(system, load, 800)
        with contextlib.suppress(ProcessLookupError):  # on a busy machine there is another by now
            os.kill(recorder, signal.SIGCONT)
    lost = check(system, load)
    assert lost > 100
    assert system.page().total("monitor_exchanges_lost_total", reason="buffer_full") == lost


def test_a_store_that_fails_in_any_way_costs_nothing_but_time(share: Any, fast: str) -> None:
    """Frozen, out of memory, a read-only replica, busy, refusing everybody: one after the other.
    What it appended without saying so is not appended again. On a machine so slow that it is frozen
    for 11 s it is replaced, and that costs nothing, either."""
    system = share()
    client: Any = redis.Redis.from_url(system.redis)
    pid = client.info("server")["process_id"]

    def is_up() -> bool:
        return bool(system.page().total("monitor_store_up") == 1)

    def thaw() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def never() -> bool:
        return False

    def is_replaced() -> bool:
        return "the embedded store ended (SIGKILL)" in system.log()

    faults: tuple[tuple[Callable[[], Any], Callable[[], Any], Callable[[], Any]], ...] = (
        (lambda: os.kill(pid, signal.SIGSTOP), is_replaced, thaw),
        (
            lambda: client.config_set("maxmemory", 1),
            never,
            lambda: client.config_set("maxmemory", 0),
        ),
        (lambda: client.replicaof("127.0.0.1", "1"), never, lambda: client.replicaof("NO", "ONE")),
        (lambda: client.client_pause(60_000, all=False), never, client.client_unpause),
    )
    with client, under_load(system, pause=0.03) as load:
        for begin, is_over, end in faults:
            load.pause = 0.03
            progress(system, load, 200)
            begin()
            try:
                system.until(lambda over=is_over: not is_up() or over())
                system.until(lambda over=is_over: pending(system, "spool") > 100 or over())
            finally:
                end()
            load.pause = SELDOM
            system.until(is_up)
            system.until(lambda: pending(system, "spool") == 0)
    assert check(system, load) == 0


def test_a_disk_without_room_and_a_store_away_lose_what_the_buffer_cannot_hold(
    share: Any, fast: str
) -> None:
    """The spool takes what it can; then the buffer fills, and drops are counted; what was taken
    arrives."""
    system = share(capture=SMALL)
    client: Any = redis.Redis.from_url(system.redis)
    (recorder,) = system.run["pids"]["recorder"]
    limits = resource.prlimit(recorder, resource.RLIMIT_FSIZE)
    room = 20_000  # of each file: some records, and the log is far from it
    reason = {"reason": "buffer_full"}

    def spooled() -> dict[str, int]:
        files = (system.data / "spool").glob("*/*.spool")
        return {path.stem.partition("-")[0]: path.stat().st_size for path in files}

    with client, under_load(system) as load:
        client.config_set("maxmemory", 1)
        system.until(lambda: pending(system, "spool") > 100)
        resource.prlimit(recorder, resource.RLIMIT_FSIZE, (room, limits[1]))
        system.until(lambda: "the disk spool takes no more" in system.log())
        before = spooled()
        system.until(lambda: system.page().total("monitor_exchanges_lost_total", **reason) > 200)
        # At each probe of the store the spool begins another file.
        assert all(size <= max(room, before.get(number, 0)) for number, size in spooled().items())
        assert max(spooled().values()) > room
        client.config_set("maxmemory", 0)
        load.pause = SELDOM
        system.until(lambda: pending(system, "spool") == 0)
        load.pause = 0.01
        progress(system, load, 100)
    lost = check(system, load)
    assert lost == system.page().total("monitor_exchanges_lost_total", **reason)
    resource.prlimit(recorder, resource.RLIMIT_FSIZE, limits)


def test_a_killed_store_comes_back_with_everything(share: Any, fast: str) -> None:
    """The embedded store is started again on its append-only file; appends go on after it."""
    system = share()
    with under_load(system) as load:
        progress(system, load, 200)
        # What the store had answered is on disk once this says so.
        with redis.Redis.from_url(system.redis) as client:
            assert client.execute_command("WAITAOF", 1, 0, 30_000)[0] == 1
        children = psutil.Process(system.process.pid).children(recursive=True)
        (server,) = (child for child in children if "valkey" in child.name())
        server.kill()
        progress(system, load, 300)
        system.until(lambda: system.page().total("monitor_store_up") == 1)
        progress(system, load, 100)
    page = system.settled()
    assert page.total("monitor_exchanges_total") == len(load.seen)
    assert page.total("monitor_exchanges_lost_total") == 0
    assert len({record["id"] for record in system.records()}) == len(system.records())


def test_whichever_worker_dies_the_page_adds_up_and_does_not_go_back(start: Any, fast: str) -> None:
    """Two workers under load; proxies, recorders, analyzer and pages are killed in turn. What a client
    had an answer to is in the stream, but for what a killed proxy had not handed over yet."""
    system = start("run", "--upstream", fast, "--listen", "127.0.0.1:0", "--workers", "2")
    killed_at = []
    with under_load(system, clients=4, pause=0.02) as load:
        for role, index in [
            ("proxy", 0), ("pages", 0), ("recorder", 1), ("analyzer", 0), ("proxy", 1),
            ("pages", 0), ("recorder", 0),
        ]:  # fmt: skip
            progress(system, load, 80)
            load.pause = SELDOM
            system.until(lambda: system.page().pending() < 20)  # a recorder is there for each
            load.pause = 0.02
            killed = system.run["pids"][role][index]
            if role == "proxy":
                killed_at.append(time.monotonic())
            os.kill(killed, signal.SIGKILL)
            count = 2 if role in ("proxy", "recorder") else 1
            system.until(
                lambda role=role, killed=killed, count=count: (
                    killed not in system.run["pids"][role]
                    and len(system.run["pids"][role]) == count
                )
            )
    page = system.settled()
    records = system.records()
    assert len({record["id"] for record in records}) == len(records)
    assert page.total("monitor_records_appended_total") == len(records)
    assert page.is_conserved()
    recorded = {record["trace_id"]: record["outcome"] for record in records}
    assert len(recorded) == len(records)
    assert all(load.seen[trace] in (said, "cut") for trace, said in recorded.items())
    missing = load.seen.keys() - recorded.keys()
    for trace in missing:  # a proxy hands over every 50 ms
        # A machine may let anybody wait, proxies and clients alike.
        early, late = -1 - load.stall, 2 + load.stall
        assert any(early < load.at[trace] - kill < late for kill in killed_at), load.seen[trace]
    lost = page.total("monitor_exchanges_lost_total")
    assert page.total("monitor_exchanges_lost_total", reason="proxy_died") == lost <= len(missing)
    assert page.total("monitor_exchanges_total") == len(records) + lost
    cut = [load.at[trace] for trace, said in load.seen.items() if said == "cut"]
    for at in cut:
        assert any(-1 - load.stall < at - kill < 2 + load.stall for kill in killed_at), (
            at - killed_at[0]
        )
    assert len(cut) <= 4 * 2  # every client once, whenever a proxy is killed


def test_what_a_run_leaves_in_the_spool_the_next_one_delivers_and_accounts_for(
    start: Any, fast: str, store: str
) -> None:
    """Also that of workers that are no more, and what is damaged."""
    client: Any = redis.Redis.from_url(store)
    options = "sidecar", "--upstream", fast, "--redis", store, "--listen", "127.0.0.1:0"
    client.config_set("maxmemory", 1)
    system = start(*options, "--workers", "2")
    with under_load(system) as load:
        progress(system, load, 300)
    system.until(lambda: pending(system, "spool") == len(load.seen))
    assert system.stop() == 0
    spools = sorted((system.data / "spool").glob("*/*.spool"))
    assert {path.parent.name for path in spools} == {"default-0", "default-1"}
    damaged = bytearray(spools[0].read_bytes())
    damaged[1000] ^= 0xFF
    spools[0].write_bytes(damaged)

    again = start(*options)
    damaged_ = {"reason": "spool_damaged"}
    again.until(lambda: again.page().total("monitor_exchanges_lost_total", **damaged_) > 0)
    page = again.page()
    left = len(load.seen) - 1
    assert page.is_conserved()
    assert page.total("monitor_records_pending", place="spool") == left
    assert page.total("monitor_exchanges_total") == len(load.seen)
    assert page.total("monitor_exchanges_lost_total", **damaged_) == 1
    with under_load(again) as later:
        progress(again, later, 100)
        client.config_set("maxmemory", 0)
        later.pause = SELDOM
        again.until(lambda: pending(again, "spool") == 0)
    client.close()
    page = again.settled()
    traces = Counter(record["trace_id"] for record in again.records())
    assert traces.total() == left + len(later.seen) == page.total("monitor_records_appended_total")
    assert page.total("monitor_exchanges_total") == traces.total() + 1
    assert not list((again.data / "spool").glob("*/*.spool"))


def test_a_drain_under_load_loses_nothing_and_accepts_for_its_delay(
    start: Any, fast: str, store: str
) -> None:
    """Not ready at once, new connections all the while, exit 0, and every answer that a client got
    has its record."""
    system = start(
        "sidecar", "--upstream", fast, "--redis", store, "--listen", "127.0.0.1:0",
        capture={"buffer_bytes": 1 << 29}, drain={"delay": 6, "timeout": 30},
    )  # fmt: skip
    # Made before: on a busy machine a client takes longer to make than the delay leaves. The load is
    # what a recorder keeps up with there: for what it does not, a drain has some seconds alone.
    client = httpx.Client(headers={"Connection": "close"})
    with client, under_load(system, pause=0.1) as load:
        progress(system, load, 200)
        began = time.monotonic()
        system.process.send_signal(signal.SIGTERM)
        system.until(lambda: system.admin("/readyz")[0] == 503, patience=5)
        accepted = 0
        while accepted <= 3 or time.monotonic() < began + 2.5:
            assert client.post(system.url + "/", content=b"{}").status_code == 200
            accepted += 1
            time.sleep(0.05)
        assert system.process.wait(60) == 0
    with redis.Redis.from_url(store) as stream:
        entries: Any = stream.xrange("monitor:{default:0}:records")
    traces = Counter(json.loads(fields[b"record"])["trace_id"] for _, fields in entries)
    assert max(count for trace, count in traces.items() if trace) == 1
    answered = {trace for trace, outcome in load.seen.items() if outcome != "cut"}
    assert answered <= set(traces)
    assert traces[None] == accepted


def test_connections_that_nobody_can_follow_pass_and_are_counted(share: Any, fast: str) -> None:
    """Among others, under load: they are no exchanges, and the law holds."""
    system = share()
    host, _, port = system.run["listen"].rpartition(":")
    with under_load(system) as load:
        for number in range(30):
            with socket.create_connection((host, int(port)), timeout=30) as connection:
                connection.sendall(b"\x16\x03\x01 something else %d\n" % number)
        progress(system, load, 200)
    assert check(system, load) == 0
    system.until(lambda: system.page().total("monitor_connections_opaque_total") == 30)


def test_children_do_not_outlive_a_killed_supervisor(share: Any) -> None:
    """SIGKILL on the parent leaves no orphans behind, and they say why they end."""
    system = share()
    children = psutil.Process(system.process.pid).children(recursive=True)
    system.process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    for role in ("proxy", "recorder", "analyzer", "pages"):
        assert (
            system.log().count(f" {role}: the supervisor has ended; finishing what is under") == 1
        )
