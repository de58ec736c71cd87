"""Records of files or a store, and what was said of them → Rows with a truth.

This is the analyzer's join. What is in a store has the time at which it came there, and what is in
a file has that at which it became known (`at`), or came in time where it says none.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.analysis.join.at_rest import due
from monitor.analysis.join.items import Item, item_of
from monitor.analysis.join.join import ROOM, Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.errors import PrivacyError, SourceError, StreamError
from monitor.feedback import Feedback, Statement
from monitor.rows import Row
from monitor.streams.redis import RedisStream
from monitor.types import Record
from monitor.urls import shown

MakeSafe = Callable[[Statement], Feedback]
"""A Statement, pseudonymized as the Records are; raises PrivacyError where that cannot be."""


@dataclass(frozen=True)
class Joining:
    """How Records are joined: as `joined` and `filed` say. `files` hold feedback beside that of a
    store. With `is_asked_for` outcomes are counted although nobody has said anything. `dimensions`
    are those that experiments and fairness look at, whatever else is asked for, and `units` what
    experiments count by. With `is_detailed` slices are searched for, which look at all dimensions,
    and at more of a Record. `horizons` are those of experiments, in seconds. `late` comes to hold
    how many items the newest reading had of Records that had been counted."""

    reader: PredictionReader
    make_safe: MakeSafe
    wait: float
    room: int = ROOM
    files: tuple[Path, ...] = ()
    is_asked_for: bool = False
    dimensions: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    is_detailed: bool = False
    horizons: tuple[float, ...] = ()
    late: list[int] = field(default_factory=list)


def joined(
    records: Iterable[Record],
    *said: Iterable[Item],
    reader: PredictionReader,
    wait: float,
    room: int = ROOM,
    dimensions: Sequence[str] | None = None,
    units: Sequence[str] = (),
    is_detailed: bool = False,
    horizons: Sequence[float] = (),
    late: list[int] | None = None,
) -> Iterator[Row]:
    """Yield a Row with a truth for every Record, in the order in which they are due: `wait` seconds
    after they ended, or at the end; and one for each of `horizons`, so many seconds after that.

    Each of `said` is in order of time (`stored`, `filed`). More than `room` Records that wait are
    an even share, as they are live. At the end `late` holds how many items came too late.
    """
    join = Join(
        reader, wait=wait, room=room, dimensions=dimensions, units=units, is_detailed=is_detailed,
        horizons=horizons,
    )  # fmt: skip
    yield from due(join, records, heapq.merge(*said, key=_came))
    if late is not None:
        late[:] = [join.late]


def filed(statements: Iterable[Statement], make_safe: MakeSafe) -> list[Item]:
    """What files say, in order of time; what cannot be made safe is left out."""
    found = []
    for number, statement in enumerate(statements):
        try:
            said = make_safe(statement)
        except PrivacyError:
            continue
        found.append(item_of(said, said.at, f"{number}"))
    return sorted(found, key=_came)


def stored(url: str, endpoint: str, make_safe: MakeSafe) -> Iterator[Item]:
    """What the feedback of an endpoint in a store says, in the order in which it came.

    Raises SourceError, which shows no password, where the store cannot be read.
    """
    with asyncio.Runner() as runner:
        stream = None
        try:
            stream = RedisStream(url, endpoint)
            position = ""
            while True:
                position, entries = runner.run(stream.next_feedback(position, block=0.001))
                if not entries:
                    return
                for entry in entries:
                    try:
                        said = entry.feedback()
                        if said is not None and not isinstance(said, Feedback):
                            said = make_safe(said)
                    except PrivacyError:
                        continue
                    if said is not None:
                        yield item_of(said, entry.at, entry.id)
        except StreamError as error:
            raise SourceError(f"{shown(url)}: {error}") from None
        finally:
            if stream is not None:
                runner.run(stream.close())


def _came(item: Item) -> float:
    return float("-inf") if item.came is None else item.came
