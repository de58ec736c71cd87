"""The recorder's reading: whatever one exchange makes it raise, that one is lost and no other."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from monitor.app.recorder import Recorder
from monitor.framing import Batch, Processing, Reconciliation
from monitor.recorder.delivery import Item
from monitor.types import Exchange, Message, Outcome, Receipt, Record, decode_record
from tests.recorder.test_spool import DOCUMENT


class Parts:
    """What the recorder reads with and tells; `raises` where the exchange is called `bad`."""

    def __init__(self, raises: Exception, *, where: str) -> None:
        self.raises, self.where = raises, where
        self.sent: list[Any] = []
        self.offered: list[str] = []

    def read(self, exchange: Exchange) -> tuple[Record, str]:
        if exchange.id == "bad" and self.where == "capture":
            raise self.raises
        record = decode_record(DOCUMENT % exchange.id.encode())
        if exchange.id == "bad" and self.where == "encoding":
            record = msgspec.structs.replace(record, model="\ud800")
        return record, "m"

    async def cover(self, record: Record) -> Record:
        if record.id == "bad" and self.where == "names":
            raise self.raises
        return record

    async def room(self, *_: int) -> None:
        pass

    def offer(self, item: Item) -> None:
        self.offered.append(item.record.id)

    async def acknowledge(self, receipts: list[Receipt]) -> None:
        self.sent += [(receipt.id, receipt.state, receipt.reason) for receipt in receipts]

    async def notify(self, message: Reconciliation | Processing) -> bool:
        self.sent.append(message)
        return True


def reading(parts: Parts) -> Recorder:
    """A recorder of which nothing but the reading is there."""
    recorder: Any = object.__new__(Recorder)
    recorder._capture = recorder._names = recorder._delivery = recorder._intake = parts
    recorder._warned_at = 0.0
    found: Recorder = recorder
    return found


def batch(*ids: str, suspect: bool = False) -> Batch:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    exchanges = [Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]
    return Batch(exchanges, suspect, suspect)


@pytest.mark.parametrize("where", ["capture", "names"])
@pytest.mark.parametrize(
    "raises",
    [
        RecursionError(), OverflowError(), MemoryError(), ValueError("text"), KeyError("x"),
        msgspec.ValidationError("text"), msgspec.EncodeError("text"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "text"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_an_exchange_that_cannot_be_read_is_lost_and_no_other(
    raises: Exception, where: str
) -> None:
    """Whatever it raises, and wherever."""
    parts = Parts(raises, where=where)
    asyncio.run(reading(parts)._read([batch("a", "bad"), batch("b")]))
    assert parts.offered == ["a", "b"]
    assert parts.sent == [("bad", "lost", "unreadable")]


def test_of_suspects_it_says_which_it_begins_to_read() -> None:
    """One after the other, and that the last has been read; what cannot be written down is not
    offered to be written."""
    parts = Parts(ValueError(), where="encoding")
    asyncio.run(reading(parts)._read([batch("a", "bad", suspect=True), batch("b")]))
    assert parts.offered == ["a", "b"]
    assert parts.sent == [
        Processing("a"), Processing("bad"), ("bad", "lost", "unreadable"), Processing(""),
    ]  # fmt: skip
