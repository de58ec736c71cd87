"""What works on what flows: the whole extension surface on one page.

A part is a frozen value holding plain functions. Its room's `__init__` lists it in a tuple; that
tuple is the registry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol as Interface

from monitor.types import Call, Inference, Measurement, Record


@dataclass(frozen=True)
class Protocol:
    """A dialect: Call → Inference. `read` raises ParseError, nothing else, on any bytes."""

    name: str
    claims: Callable[[Call], bool]
    read: Callable[[Call], Inference]


@dataclass(frozen=True)
class Dimension:
    """A way to slice the traffic: (Call, Inference) → value; `none` where there is none."""

    name: str
    value: Callable[[Call, Inference], str]


class Stream(Interface):
    """Records at rest, in order."""

    async def append(self, records: Sequence[Record]) -> None:
        """Append all, in order, or raise StreamError."""

    def read(self, after: str = "") -> AsyncIterator[tuple[str, Record]]:
        """Yield `(position, record)` for what stands after `after`, then end."""


class Source(Interface):
    """Somebody's log: an iterable of Records."""

    def __iter__(self) -> Iterable[Record]: ...


@dataclass(frozen=True)
class Exporter:
    """Measurements → bytes for somebody, with their content type."""

    name: str
    export: Callable[[Iterable[Measurement]], tuple[bytes, str]]
