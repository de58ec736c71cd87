"""The recorder's reading: whatever one exchange makes it raise, that one is lost and no other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from monitor.app.recorder import Recorder, _sampler
from monitor.framing import Batch, Processing, Reconciliation
from monitor.privacy.pseudonyms import Key
from monitor.recorder.capture import Taken
from monitor.recorder.delivery import Item
from monitor.recorder.sampler import Sampler
from monitor.settings.schema import Capture, Settings
from monitor.types import Exchange, Message, Outcome, Receipt, Record, decode_record
from tests.recorder.test_spool import DOCUMENT


class Parts:
    """What the recorder reads with and tells; `raises` where the exchange is called `bad`."""

    def __init__(self, raises: Exception, *, where: str) -> None:
        self.raises, self.where = raises, where
        self.sent: list[Any] = []
        self.offered: list[str] = []
        self.groups: list[list[str]] = []

    def read(self, exchange: Exchange) -> tuple[Record, str]:
        if exchange.id == "bad" and self.where == "capture":
            raise self.raises
        record = decode_record(DOCUMENT % exchange.id.encode())
        if exchange.id == "bad" and self.where == "encoding":
            record = msgspec.structs.replace(record, model="\ud800")
        return record, "m"

    def take(self, exchanges: Sequence[Exchange], sampler: Sampler | None) -> list[Taken]:
        self.groups.append([one.id for one in exchanges])
        found: list[Taken] = []
        for one in exchanges:
            if sampler is not None and one.id.startswith("more"):
                found.append(Receipt(one.id, "lost", "sampled"))
                continue
            try:
                found.append(self.read(one))
            except Exception as error:  # noqa: BLE001  as the real one
                found.append(error)
        return found

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
    recorder._sampler = recorder._tracing = None
    found: Recorder = recorder
    return found


def batch(*ids: str, suspect: bool = False, redelivered: bool = False) -> Batch:
    request = Message(b"GET / HTTP/1.1\r\n\r\n")
    exchanges = [Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK) for id_ in ids]
    return Batch(exchanges, suspect or redelivered, suspect)


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
    """Whatever it raises, and wherever; its span is counted as none that could be made."""
    parts = Parts(raises, where=where)
    missed: list[str] = []
    recorder: Any = reading(parts)
    recorder._tracing = SimpleNamespace(tracer=SimpleNamespace(missed=missed.append))
    asyncio.run(recorder._read([batch("a", "bad"), batch("b")]))
    assert parts.offered == ["a", "b"]
    assert missed == ["bad"]
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


def test_what_is_not_in_the_sample_has_its_receipt_at_once() -> None:
    """It is neither offered to the store nor shown to the model of names; one that cannot be read is
    unreadable all the same."""
    parts = Parts(ValueError(), where="capture")
    recorder: Any = reading(parts)
    recorder._sampler = Sampler(1, b"")
    asyncio.run(recorder._read([batch("a", "more-1", "bad"), batch("more-2", "b")]))
    assert parts.offered == ["a", "b"]
    assert sorted(parts.sent) == [
        ("bad", "lost", "unreadable"), ("more-1", "lost", "sampled"), ("more-2", "lost", "sampled"),
    ]  # fmt: skip


def test_what_is_handed_over_again_is_in_every_sample() -> None:
    """An earlier recorder may have appended it: it must not count as lost."""
    parts = Parts(ValueError(), where="capture")
    recorder: Any = reading(parts)
    recorder._sampler = Sampler(1, b"")
    asyncio.run(recorder._read([batch("more-1", suspect=True), batch("more-2", redelivered=True)]))
    assert parts.offered == ["more-1", "more-2"]
    assert parts.sent == [Processing("more-1"), Processing("")]


@pytest.mark.parametrize(("workers", "kept"), [(1, 100), (4, 25)])
def test_workers_share_the_records_equally(workers: int, kept: int) -> None:
    """Each recorder keeps its part of `capture.sample_over`; without the setting nothing decides."""
    key = Key("k1", bytes(32))
    assert _sampler(Settings(workers=workers), key) is None
    sampler = _sampler(Settings(workers=workers, capture=Capture(sample_over=100)), key)
    assert sampler is not None
    shares = [sampler.keep(f"id-{number}", 1.0, Outcome.OK) for number in range(1000)]
    assert shares[:kept] == [(1.0, False)] * kept
    assert min(share for share, _ in filter(None, shares)) < 1.1 * kept / 1000
