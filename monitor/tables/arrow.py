"""A file of Arrow's IPC, as a file (Feather) or as a stream → batches of columns.

Both are read from the beginning on: what comes before the place where one breaks off is read.
https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from monitor import packing
from monitor.errors import SourceError
from monitor.extras import advice
from monitor.tables import leaves

ROWS = 1 << 15
"""Rows that are read at a time."""

MAGIC = b"ARROW1"
"""How a file begins and ends."""

STREAM = b"\xff\xff\xff\xff"
"""How a stream begins."""

_HEAD = 8
"""Bytes of a file before what is a stream."""


def columns(path: Path) -> tuple[list[str], tuple[str, ...]]:
    """(the names of the columns, those that cannot be looked at).

    Raises SourceError naming the file when it cannot be read.
    """
    with _opened(path) as reader:
        found, left = leaves.leaves(reader.schema)
    return leaves.named(found), tuple(leaves.named(left))


def batches(
    path: Path,
    wanted: Sequence[str],
    form: Callable[[Any], Any],
    damaged: Callable[[int, int, str], None],
) -> Iterator[tuple[int, int, list[Any]]]:
    """(number of the first row, how many there are, columns as `form` makes them of arrays).

    `damaged` is told of what cannot be read the number of the row, how many are lost, 0 where
    nothing more can be read and nobody knows, and why.
    """
    number = 0
    with _opened(path) as reader:
        found = leaves.leaves(reader.schema)[0]
        places = dict(zip(leaves.named(found), found, strict=True))
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                if not reader.is_whole():
                    damaged(number + 1, 0, "ends early")
                return
            except leaves.damage() as error:
                damaged(number + 1, 0, f"is damaged, or ends early: {leaves.reason(error)}")
                return
            for start in range(0, batch.num_rows, ROWS):
                part = batch.slice(start, ROWS)
                try:
                    yield number + 1, len(part), [
                        form(leaves.leaf(part, places[name])) for name in wanted
                    ]  # fmt: skip
                except leaves.damage() as error:
                    damaged(number + 1, len(part), leaves.wrong(error))
                number += len(part)


class _Reader:
    """What is read of a stream in an open file."""

    def __init__(self, stream: Any, *, is_file: bool) -> None:
        import pyarrow as pa

        self._stream, self._is_file = stream, is_file
        self._reader = pa.ipc.open_stream(pa.PythonFile(stream, mode="r"))
        self.schema = self._reader.schema
        self.read_next_batch = self._reader.read_next_batch

    def is_whole(self) -> bool:
        """Whether the file ends as it should; of a stream nobody knows."""
        try:
            return not self._is_file or self._stream.read().endswith(MAGIC)
        except OSError:
            return False


@contextmanager
def _opened(path: Path) -> Generator[_Reader]:
    try:
        import pyarrow as pa
    except ImportError:
        raise SourceError(advice("replay", f"{path}: Arrow")) from None
    try:
        with packing.opened(path) as stream:
            is_file = stream.read(len(MAGIC)) == MAGIC
        with packing.opened(path) as stream:
            stream.read(_HEAD if is_file else 0)
            yield _Reader(stream, is_file=is_file)
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: is not Arrow: {leaves.reason(error)}") from None
