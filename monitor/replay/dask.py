"""Shards → what Dask workers make of them, where they are.

Of a table they count each, and what comes back is integers that add up to what one pass would have
counted, bit for bit. At Records they look, and what they have seen is folded here, in order.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import msgspec

from monitor.analysis.fold import Analysis
from monitor.damage import Damage
from monitor.errors import SourceError, UsageError
from monitor.extras import advice
from monitor.interfaces import Source, Table
from monitor.places import Piped, is_secret
from monitor.replay.census import Census, within_budget
from monitor.replay.datasets import within
from monitor.replay.files import File, ReadOptions, read_table
from monitor.replay.parts import Begin, Part, counts
from monitor.replay.periods import Period
from monitor.replay.record_shards import Ahead, FileShard, Found, Tasks
from monitor.rows import Row
from monitor.tables.blocks import Block, count
from monitor.tables.dependence import Dependence
from monitor.tables.facts import TableFacts
from monitor.types import Segment

MISSING = advice("dask", "--engine dask")


class Shard(msgspec.Struct, frozen=True):
    """A file, or a piece of one; `first` rows of the table come before, `kept` of them in the range
    of time that is looked at, and not in the segment that the others are `versus`."""

    path: Path
    source: Source
    piece: int | None
    options: ReadOptions
    versus: Segment | None = None
    first: int = 0
    kept: int = 0


class _Counted(msgspec.Struct, frozen=True):
    """What a shard has counted of a chunk: the saved state of its analysis."""

    index: int
    rows: int
    start: float
    end: float
    state: dict[str, bytes]
    table: TableFacts | None


_Count = tuple[list[list[_Counted]], Damage, Dependence]
"""What a shard has counted in each way, what of it could not be read, and how its rows depend on
each other."""

AHEAD = 2
"""Shards that each thread of a worker is given before the first of them is wanted."""

FAN = 8
"""Shards whose counts are merged at a time, and so on: nobody ever holds those of all."""


class Compute(Protocol):
    """What has tasks done by workers."""

    def __call__(
        self,
        tasks: Sequence[Callable[[], Any]],
        merge: Callable[[Sequence[Any]], Any] | None = None,
    ) -> Sequence[Any]:
        """What the tasks give, in order; with `merge` all of it, merged as a tree, as the only."""


class Shards:
    """A table, shard by shard, without the rows in the segment that the others are `versus`, if
    any. `scheduler` is the address of a Dask scheduler, empty for processes of this machine. Raises
    UsageError where Dask is not installed or does not answer, and for what workers cannot read."""

    def __init__(
        self,
        files: Sequence[File],
        options: ReadOptions,
        scheduler: str,
        versus: Segment | None = None,
    ) -> None:
        self._compute = _computer(scheduler)
        self._damage = options.damage
        self._shards: list[Shard] = []
        here = dataclasses.replace(
            options, features=(), joining=None, recording=None, damage=Damage()
        )
        _check(files)
        for path, source in files:
            pieces = range(source.pieces(path)) if source.pieces is not None else (None,)
            self._shards += [Shard(path, source, piece, here, versus) for piece in pieces]

    def census(self) -> Census:
        """The rows and segments of all; afterwards every shard knows what comes before it."""
        census, first = Census(), 0
        counted = self._compute([partial(_census, shard) for shard in self._shards])
        for place, (rows, part) in enumerate(counted):
            self._shards[place] = msgspec.structs.replace(
                self._shards[place], first=first, kept=census.rows
            )
            first += rows
            census.merge(part)
        return census

    def count(
        self,
        begins: Sequence[Begin],
        kept: Mapping[str, set[str]],
        *,
        chunks: int,
        total: int,
        period: Period | None,
        dependence: Dependence | None = None,
    ) -> Iterator[list[Mapping[int, Part]]]:
        """What `parts.counts` gives of all shards, merged on the workers in order of shard;
        `dependence` is told of their rows."""
        limits = {"chunks": chunks, "total": total, "period": period}
        tasks = [partial(_count, shard, begins, kept, limits) for shard in self._shards]
        for each, damage, depends in self._compute(tasks, partial(_merged, begins)):
            self._damage.merge(damage)
            if dependence is not None:
                dependence.merge(depends)
            yield [
                {one.index: _part(one, begin) for one in counted}
                for counted, begin in zip(each, begins, strict=True)
            ]


def ahead(files: Sequence[File], scheduler: str) -> Ahead | None:
    """What has workers look at files of Records; None without a scheduler: the processes of this
    machine do that as they always do.

    Raises UsageError where Dask is not installed, and for what workers cannot read. What is given
    does, too, where the scheduler does not answer or workers are lost again and again. It holds
    what one shard gave; the workers hold what a few did.
    """
    distributed = _distributed()
    _check(files)
    for path, source in files:
        if source.exchanges is not None:
            raise UsageError(
                f"--engine dask: {path} is somebody else's log, and no worker is told the key of "
                "privacy, which makes records of it; use --engine local"
            )

    def looks(tasks: Tasks) -> Iterator[tuple[FileShard, Found | None]]:
        waiting: deque[tuple[FileShard, Any]] = deque()

        def first() -> tuple[FileShard, Found | None]:
            place, future = waiting.popleft()
            try:
                return place, None if future is None else future.result()
            except SourceError as error:
                raise SourceError(f"{error}; this was a worker, which must see the file") from None

        with _client(distributed, scheduler) as client:
            room = AHEAD * max(sum(client.nthreads().values()), 1)
            for place, task in tasks:
                waiting.append((place, None if task is None else client.submit(task, pure=False)))
                if len(waiting) > room:
                    yield first()
            while waiting:
                yield first()

    return looks if scheduler else None


def _check(files: Sequence[File]) -> None:
    """Raise UsageError for what workers cannot read, or would have to be told a secret for."""
    for path, _ in files:
        if isinstance(path, Piped):
            raise UsageError(f"--engine dask: {path} is a pipe, which no worker can read")
        if is_secret(path):
            raise UsageError(
                f"--engine dask: {path}: its URL holds more than a place, which no worker is "
                "told; let the workers' environment have it"
            )


# --- on the workers ------------------------------------------------------------------------------


def _census(shard: Shard) -> tuple[int, Census]:
    columns = msgspec.structs.replace(shard.options.columns, segments_only=True)
    census, rows = Census(), 0
    for one in _read(shard, dataclasses.replace(shard.options, columns=columns)):
        rows += count(one)
        census.count(_judged(shard, one))
    return rows, census


def _count(
    shard: Shard, begins: Sequence[Begin], kept: Mapping[str, set[str]], limits: Mapping[str, Any]
) -> _Count:
    options = dataclasses.replace(shard.options, damage=Damage())
    rows = (part for one in _read(shard, options) for part in _judged(shard, one))
    dependence = Dependence()
    passing = dependence.passing(within_budget(rows, kept))
    each = counts(passing, begins, first=shard.kept, **limits)
    return list(map(_counted, each)), options.damage, dependence


def _merged(begins: Sequence[Begin], several: Sequence[_Count]) -> _Count:
    """The counts of several shards as those of one."""
    each: list[dict[int, Part]] = [{} for _ in begins]
    damage, dependence = Damage(), Dependence()
    for shard, told, depends in several:
        damage.merge(told)
        dependence.merge(depends)
        for parts, counted, begin in zip(each, shard, begins, strict=True):
            for one in counted:
                # Into a new one: what an analysis has been restored from it does not save again.
                parts.setdefault(one.index, Part(begin)).merge(_part(one, begin))
    return list(map(_counted, each)), damage, dependence


def _counted(parts: Mapping[int, Part]) -> list[_Counted]:
    return [
        _Counted(index, part.rows, part.start, part.end, part.fold.saved(), part.table)
        for index, part in parts.items()
        if isinstance(part.fold, Analysis)
    ]


def _part(one: _Counted, begin: Begin) -> Part:
    part = Part(begin)
    part.rows, part.start, part.end = one.rows, one.start, one.end
    part.table = one.table
    analysis = begin(one.start)
    analysis.restore(one.state)
    part.fold = analysis
    return part


def _judged(shard: Shard, one: Row | Block) -> Iterator[Row | Block]:
    """What of a row or a block is judged."""
    rows = shard.options.included(one)
    return rows if shard.versus is None else within(shard.versus, rows, wanted=False)


def _read(shard: Shard, options: ReadOptions) -> Iterator[Row | Block]:
    return read_table(_opened(shard), options, shard.first)


def _opened(shard: Shard) -> Table:
    path, source = shard.path, shard.source
    if shard.piece is not None and source.piece is not None:
        return source.piece(path, shard.piece)
    assert source.table is not None  # noqa: S101  only tables are read in shards
    return source.table(path)


def _computer(scheduler: str) -> Compute:
    distributed = _distributed()
    dask: Any = import_module("dask")
    pool = None if scheduler else _processes()

    def compute(
        tasks: Sequence[Callable[[], Any]], merge: Callable[[Sequence[Any]], Any] | None = None
    ) -> Sequence[Any]:
        # What is pure may be done twice, where a worker is lost; its name is one of its own.
        level = [dask.delayed(task, pure=False)() for task in tasks]
        while merge is not None and len(level) > 1:
            groups = [level[place : place + FAN] for place in range(0, len(level), FAN)]
            level = [dask.delayed(merge, pure=False)(group) for group in groups]
        if not scheduler:
            return list(dask.compute(*level, scheduler="processes", pool=pool))
        with _client(distributed, scheduler) as client:
            return list(client.gather(client.compute(level)))

    return compute


def _processes() -> Executor:
    """Processes of this machine, for all that is to be done: each loads for a second what it needs.
    They end when nobody holds them."""
    count = import_module("dask").config.get("num_workers", None)
    return ProcessPoolExecutor(
        count or import_module("dask.system").CPU_COUNT,
        mp_context=import_module("dask.multiprocessing").get_context(),
    )


def _distributed() -> Any:
    try:
        return import_module("distributed")
    except ImportError:
        raise UsageError(MISSING) from None


@contextmanager
def _client(distributed: Any, scheduler: str) -> Iterator[Any]:
    """A client of a scheduler; UsageError where that does not answer, or has no workers left."""
    try:
        with distributed.Client(scheduler, timeout=10, set_as_default=False) as client:
            yield client
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--scheduler {scheduler}: does not answer: {error}; start it, or leave this option out"
        ) from None
    except (distributed.KilledWorker, distributed.CancelledError):
        raise UsageError(
            f"--scheduler {scheduler}: workers end before they are done; see what they log, such "
            "as a lack of memory"
        ) from None
