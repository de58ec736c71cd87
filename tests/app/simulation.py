"""Proxies, recorders and a store in one thread and in simulated time, which can be killed, frozen and
continued at any step: the hand-off, intake, delivery, spool, ledger and snapshot file are the real ones.

A process is an event loop of its own: one that is not stepped is frozen, one that is never stepped again
and whose sockets are closed is killed. Between two steps, or at an effect that others see (`Fuse`).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from monitor.errors import StreamError
from monitor.framing import Batch, Processing
from monitor.proxy.copies import Budget
from monitor.proxy.handoff import Handoff
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.recorder.delivery import Delivery, Item
from monitor.recorder.intake import Intake
from monitor.recorder.sampler import Sampler
from monitor.recorder.spool import Spool
from monitor.supervision import ledger_snapshot
from monitor.supervision.ledger_snapshot import SnapshotFile
from monitor.types import Exchange, Message, Outcome, Receipt, Record, decode_record
from tests.proxy.test_ledger import sums
from tests.recorder.test_spool import DOCUMENT

TIMEOUT = 2.0


class Killed(BaseException):
    """Raised in a process that is no more."""


class Clock:
    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: Clock) -> None:
        self._now = clock
        super().__init__()

    def time(self) -> float:
        return self._now.now


class Process:
    """What can be stepped, frozen and killed. `fuse` counts the effects until it dies by itself."""

    def __init__(self, clock: Clock) -> None:
        self.loop = Loop(clock)
        self.loop.set_exception_handler(self._wrong)
        self.is_dead = self.is_frozen = False
        self.fuse = 0
        self.wrong: list[Any] = []

    def _wrong(self, _loop: Any, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Killed) and not self.is_dead:
            self.wrong.append(context)

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.loop.create_task(coroutine)

    def step(self) -> None:
        if self.is_frozen or self.is_dead:
            return
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()

    def effect(self) -> None:
        """Something happens that others see; the process may not live to do it."""
        if self.fuse:
            self.fuse -= 1
            if not self.fuse:
                self.is_dead = True
        if self.is_dead:
            raise Killed

    def bury(self) -> None:
        """The system closes what it had open."""
        self.is_dead = True
        for task in asyncio.all_tasks(self.loop):
            waiter = task._fut_waiter  # type: ignore[attr-defined]
            if waiter is not None and waiter.done() and not waiter.cancelled():
                with contextlib.suppress(BaseException):
                    waiter.result()[0].close()  # accepted, and not known to anybody yet
            frame = getattr(task.get_coro(), "cr_frame", None)
            if frame is not None and "connection" in frame.f_locals:
                frame.f_locals["connection"].close()  # its reader had not begun
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            with contextlib.suppress(BaseException):
                task.get_coro().close()  # type: ignore[union-attr]
        self.loop.close()


class Store:
    """Redis as its clients see it: commands wait while it is frozen, are gone when it is killed, and
    of those of a client that is gone a frozen one may still do the first when it goes on."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self.clock = clock
        self.chance = chance
        self.entries: list[tuple[float, str]] = []
        self.is_up, self.is_frozen = True, False
        self._waiting: list[tuple[Client, Callable[[], Any], asyncio.Future[Any]]] = []
        self._left: list[list[str]] = []

    def step(self) -> None:
        if not self.is_up or self.is_frozen:
            return
        for ids in self._left:  # what a dead connection had written, before anything newer
            self.add(ids[: self.chance.randint(0, len(ids))])
        self._left.clear()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            client, do, future = one
            if self.chance.random() < 0.3:
                self._waiting.append(one)
                continue
            result = do()
            if not client.process.is_dead and not future.done():
                future.get_loop().call_soon(_answer, future, result)

    def add(self, ids: Sequence[str]) -> None:
        self.entries += [(self.clock.now, id_) for id_ in ids]

    def kill(self) -> None:
        self.is_up = self.is_frozen = False
        for client, do, future in self._waiting:
            if isinstance(do, _Append):
                do.ids = do.ids[: self.chance.randint(0, len(do.ids))]
                do()
            if not client.process.is_dead and not future.done():
                future.get_loop().call_soon(_answer, future, StreamError("gone", ambiguous=True))
        self._waiting.clear()
        self._left.clear()

    def forget(self, client: Client) -> None:
        """A client resets its connection, or dies."""
        for one, do, _ in self._waiting:
            if one is client and isinstance(do, _Append):
                self._left.append(do.ids)
        self._waiting = [one for one in self._waiting if one[0] is not client]

    async def ask(self, client: Client, do: Callable[[], Any]) -> Any:
        if not self.is_up:
            raise StreamError("refused")
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((client, do, future))
        try:
            return await asyncio.wait_for(future, TIMEOUT)
        except TimeoutError:
            self.forget(client)
            raise StreamError("no answer", ambiguous=isinstance(do, _Append)) from None


def _answer(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        if isinstance(result, StreamError):
            future.set_exception(result)
        else:
            future.set_result(result)


class _Append:
    def __init__(self, store: Store, ids: list[str]) -> None:
        self.store, self.ids = store, ids

    def __call__(self) -> None:
        self.store.add(self.ids)


class Client:
    """One recorder's way to the store."""

    def __init__(self, store: Store, process: Process) -> None:
        self.store, self.process = store, process

    async def append(self, records: Sequence[Record]) -> None:
        self.process.effect()
        await self.store.ask(self, _Append(self.store, [one.id for one in records]))
        self.process.effect()

    async def ids_since(self, at: float) -> set[str]:
        self.process.effect()
        entries = self.store.entries
        found: set[str] = await self.store.ask(
            self, lambda: {id_ for when, id_ in entries if when >= at - 5.0}
        )
        return found

    async def ping(self) -> None:
        self.process.effect()
        await self.store.ask(self, lambda: None)


class FusedSpool(Spool):
    """A spool whose process may die before and after each step on the disk."""

    process: Process

    def append(self, *arguments: Any, **options: Any) -> bool:
        self.process.effect()
        done = super().append(*arguments, **options)
        self.process.effect()
        return done

    def settle(self, path: Path, end: int) -> Path:
        self.process.effect()
        done = super().settle(path, end)
        self.process.effect()
        return done

    def forget(self, path: Path) -> None:
        self.process.effect()
        super().forget(path)
        self.process.effect()


class FusedIntake(Intake):
    process: Process

    async def _send(self, *arguments: Any) -> bool:
        self.process.effect()
        done = await super()._send(*arguments)
        self.process.effect()
        return done


class FusedSnapshotFile(SnapshotFile):
    process: Process

    def write(self, snapshot: Any) -> None:
        self.process.effect()
        super().write(snapshot)
        self.process.effect()


class Proxy(Process):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.world.clock)
        self.worker = worker
        self.budget = Budget(worker.world.buffer)
        self.ledger = Ledger()
        self.snapshots = FusedSnapshotFile(worker.fd)
        self.snapshots.process = self
        if (snapshot := self.snapshots.read()) is not None:
            self.ledger.resume(snapshot)
        self.ids = Ids(worker.world.chance.getrandbits(34), worker.world.clock)
        self.loop.run_until_complete(self._begin())
        self.keeping = self.call(self._keep())

    async def _begin(self) -> None:
        self.handoff = Handoff(
            str(self.worker.path), self.budget, self.ledger, self.ids,
            save=self.snapshots.write, clock=self.worker.world.clock,
        )  # fmt: skip

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            self.handoff.save_snapshot()

    def end(self) -> None:
        """An exchange ends."""
        now = self.worker.world.clock.now
        id_ = self.ids.new()
        request = Message(b"POST / HTTP/1.1\r\n\r\n")
        self.handoff.offer(Exchange(id_, now - 0.01, 0.01, request, None, [], Outcome.OK))

    def scrape(self) -> None:
        self.call(self._scrape())

    async def _scrape(self) -> None:
        await self.handoff.label(2.0)
        self.handoff.save_snapshot()
        self.worker.seen(self.ledger)

    def bury(self) -> None:
        super().bury()
        if hasattr(self, "handoff") and self.handoff._socket is not None:
            self.handoff._socket.close()


class Recorder(Process):
    def __init__(self, worker: Worker) -> None:
        super().__init__(worker.world.clock)
        self.worker = worker
        world = worker.world
        self.client = Client(world.store, self)
        self.spool = FusedSpool(worker.directory / "spool", world.spool_bytes)
        self.spool.process = self
        self.intake = FusedIntake(worker.path, self._read)
        self.intake.process = self
        self.delivery = Delivery(
            self.client,
            self.spool,
            acknowledge=self.intake.acknowledge,
            connected=self.intake.connected,
            reconcile=self.intake.notify,
            log=lambda *_: None,
            clock=world.clock,
        )
        self.sampler = world.sample_over and Sampler(world.sample_over, b"key")
        self.call(self._serve())

    async def _serve(self) -> None:
        await self.delivery.survey()
        self.intake.listen(self.delivery.state, self.delivery.proxy_connected)
        await self.delivery.run()

    async def _read(self, batches: list[Batch]) -> None:
        unsampled: list[Receipt] = []
        for each, exchange in [(batch, one) for batch in batches for one in batch.exchanges]:
            if each.suspect:
                await self.intake.notify(Processing(exchange.id))
            else:
                await self.delivery.room(self.worker.world.queue)
            times = b'"started":%f,"duration":%f' % (exchange.started, exchange.duration)
            document = DOCUMENT.replace(b'"started":1,"duration":1', times) % exchange.id.encode()
            if exchange.id in self.worker.world.poison:
                self.is_dead = True
                raise Killed
            ended = exchange.started + exchange.duration
            if self.sampler and not (
                each.redelivered or self.sampler.keep(exchange.id, ended, exchange.outcome)
            ):
                unsampled.append(Receipt(exchange.id, "lost", "sampled", outcome="ok"))
                continue
            self.delivery.offer(Item(decode_record(document), "m", each.redelivered, 100))
        if unsampled:
            await self.intake.acknowledge(unsampled)
        if any(each.suspect for each in batches):
            await self.intake.notify(Processing(""))

    async def stop(self) -> None:
        self.intake.stop()
        await self.delivery.close()
        self.intake.close()

    def bury(self) -> None:
        self.worker.world.store.forget(self.client)
        super().bury()
        for one in (self.intake._listener, self.intake._connection):
            if one is not None:
                one.close()


class Worker:
    """A proxy and a recorder, each started again a while after its death."""

    def __init__(self, world: World, number: int) -> None:
        self.world = world
        self.directory = world.directory / str(number)
        self.directory.mkdir()
        self.path = self.directory / "r.sock"
        self.fd = ledger_snapshot.create()
        self.ended = 0
        self.proxies_killed = self.recorders_killed = 0
        self.shown = (0.0, 0.0, 0.0)
        self.wrong: list[Any] = []
        self.proxy: Proxy | None = Proxy(self)
        self.recorder: Recorder | None = Recorder(self)
        self.starts = {"proxy": 0.0, "recorder": 0.0}

    def seen(self, ledger: Ledger) -> None:
        exchanges, appended, lost, pending = sums(ledger)
        if exchanges != appended + lost + pending:
            self.wrong.append(("the law", exchanges, appended, lost, pending))
        now = exchanges, appended, lost
        if any(new < old for new, old in zip(now, self.shown, strict=True)):
            self.wrong.append(("went back", self.shown, now))
        self.shown = now

    def final(self) -> list[Any]:
        """What is wrong when all has come to its end."""
        wrong: list[Any] = []
        assert self.proxy is not None
        ledger = self.proxy.ledger
        ledger.label_unknown(ledger.unlabelled())
        self.seen(ledger)
        exchanges, appended, lost, pending = sums(ledger)
        reasons = {name: count for name, count in ledger.lost.items() if count}
        poison = reasons.get("poison", 0)
        lost -= reasons.get("sampled", 0)
        if pending:
            wrong.append(("pending", pending, exchanges, appended, reasons))
        if poison > self.recorders_killed // 3 + len(self.world.poison):
            wrong.append(("poison", poison))
        if not self.proxies_killed and (lost > poison or exchanges != self.ended):
            wrong.append(("lost without need", reasons, exchanges, self.ended))
        if exchanges > self.ended:
            wrong.append(("more than there were", exchanges, self.ended))
        if self.proxy.budget.used:
            wrong.append(("budget", self.proxy.budget.used))
        return wrong

    def step(self) -> None:
        roles = ["proxy", "recorder"]
        self.world.chance.shuffle(roles)
        for role in roles:
            process: Process | None = getattr(self, role)
            if process is None:
                if self.world.clock.now >= self.starts[role]:
                    setattr(self, role, Proxy(self) if role == "proxy" else Recorder(self))
                continue
            process.step()
            self.wrong += process.wrong
            process.wrong = []
            if process.is_dead:
                self.kill(role)

    def kill(self, role: str) -> None:
        process: Process | None = getattr(self, role)
        if process is None:
            return
        if role == "proxy":
            self.proxies_killed += 1
        else:
            self.recorders_killed += 1
        process.bury()
        self.world.dead.append(process)
        setattr(self, role, None)
        self.starts[role] = self.world.clock.now + self.world.chance.choice([0.1, 0.5, 2.0])


class World:
    """All of it. `play` does an order of faults, `settle` lets everything come to its end."""

    def __init__(
        self,
        seed: int,
        *,
        spool_bytes: int,
        workers: int,
        queue: int,
        dt: float,
        sample_over: float = 0.0,
    ) -> None:
        self.chance = random.Random(seed)
        self.sample_over = sample_over
        self.clock = Clock()
        self.directory = Path(tempfile.mkdtemp(prefix="monitor-sim-"))
        self.store = Store(self.clock, self.chance)
        self.spool_bytes, self.queue, self.buffer, self.dt = spool_bytes, queue, 1 << 30, dt
        self.poison: set[str] = set()
        self.dead: list[Process] = []
        self.rate = 150.0
        self.workers = [Worker(self, number) for number in range(workers)]

    def run(self, seconds: float, *, load: bool = True) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            dt = self.dt * self.chance.random() * 2
            self.clock.now += dt
            self.store.step()
            for worker in self.workers:
                proxy = worker.proxy
                if load and proxy is not None and not proxy.is_frozen:
                    for _ in range(int(self.rate * dt + self.chance.random())):
                        worker.ended += 1
                        proxy.end()
                    if self.chance.random() < dt * 2:
                        proxy.scrape()
                worker.step()

    def do(self, action: str) -> None:
        worker = self.chance.choice(self.workers)
        what, _, whom = action.partition(" ")
        if whom == "store":
            if what == "kill":
                self.store.kill()
            elif what == "start":
                self.store.is_up = True
            elif self.store.is_up:
                self.store.is_frozen = what == "freeze"
            return
        process: Process | None = getattr(worker, whom)
        if process is None:
            return
        if what == "kill":
            worker.kill(whom)
        elif what == "doom":
            process.fuse = self.chance.randint(1, 30)
        else:
            process.is_frozen = what == "freeze"

    def settle(self, seconds: float = 60.0) -> list[Any]:
        """Everything goes on, works and has time; returns what is wrong then."""
        self.let_go_on(seconds)
        wrong: list[Any] = [one for worker in self.workers for one in worker.wrong]
        for worker in self.workers:
            wrong += worker.final()
        ids = [id_ for _, id_ in self.store.entries]
        appended = sum(worker.shown[1] for worker in self.workers)
        if len(set(ids)) != len(ids):
            wrong.append(("twice", len(ids) - len(set(ids))))
        if appended != len(ids):
            wrong.append(("appended", appended, "in the stream", len(ids)))
        return wrong

    def let_go_on(self, seconds: float) -> None:
        """Until nothing is pending, or so long."""
        self.store.is_up, self.store.is_frozen = True, False
        for worker in self.workers:
            for process in (worker.proxy, worker.recorder):
                if process is not None:
                    process.is_frozen, process.fuse = False, 0
        end = self.clock.now + seconds
        self.run(0.5)
        while self.clock.now < end:
            self.run(1.0, load=False)
            if all(
                one.proxy is not None and one.recorder is not None and self.pending(one) == 0
                for one in self.workers
            ):
                break
        self.run(1.0, load=False)

    @staticmethod
    def pending(worker: Worker) -> float:
        assert worker.proxy is not None
        ledger = worker.proxy.ledger
        ledger.label_unknown(ledger.unlabelled())
        return sums(ledger)[3]

    def close(self) -> None:
        for worker in self.workers:
            for role in ("proxy", "recorder"):
                worker.kill(role)
            os.close(worker.fd)
        shutil.rmtree(self.directory, ignore_errors=True)


ACTIONS = (
    *("kill recorder", "doom recorder", "freeze recorder", "thaw recorder"),
    *("kill proxy", "doom proxy", "freeze proxy", "thaw proxy"),
    *("kill store", "start store", "freeze store", "thaw store"),
)


def order(seed: int) -> tuple[dict[str, Any], list[tuple[float, str]]]:
    """The order of faults of a seed: what the world is like, and pauses with what comes after each."""
    chance = random.Random(f"order {seed}")
    shape = {
        "spool_bytes": chance.choice([0, 1 << 24, 60_000]),
        "workers": chance.choice([1, 1, 2]),
        "queue": chance.choice([20, 500, 2048]),
        "dt": chance.choice([0.003, 0.01, 0.03]),
    }
    actions = ACTIONS if seed % 3 else [one for one in ACTIONS if not one.endswith("proxy")]
    steps = [
        (chance.choice([0.0, 0.02, 0.1, 0.6, 2.5]), chance.choice(actions))
        for _ in range(chance.randint(2, 14))
    ]
    return shape, steps


def play(seed: int, sample_over: float = 0.0) -> list[Any]:
    """Play an order of faults; what was wrong at its end. `sample_over` is that setting (0: none)."""
    shape, steps = order(seed)
    world = World(seed, **shape, sample_over=sample_over)
    try:
        world.run(0.5)
        for pause, action in steps:
            world.do(action)
            world.run(pause)
        return world.settle()
    finally:
        world.close()
        gc.collect() if seed % 50 == 0 else None
