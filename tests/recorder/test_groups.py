"""Several exchanges that are read together come to what they come to one after the other."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from monitor.app.recorder import GROUP, GROUP_BYTES, _groups
from monitor.checks import CHECKS
from monitor.conventions import Conventions
from monitor.edge_cases import EDGE_CASES
from monitor.framing import Batch
from monitor.meters import Meters
from monitor.privacy.cache import Cache
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder import calls
from monitor.recorder.agreements import Agreements
from monitor.recorder.capture import Capture
from monitor.recorder.repeats import Repeats
from monitor.recorder.sampler import Sampler
from monitor.recorder.spans import Tracer
from monitor.templates.miner import Miner
from monitor.types import Exchange, Inference, Message, Outcome, Part
from tests.recorder.test_capture import SCANNER, exchange, reader_of, varied

GIVEN = [one for one in CHECKS if one.tried is None]
REPORT = "The mill made 12,480 tonnes in 92 days, call +49 171 {0} for more. " * 8


def talks(count: int) -> list[Exchange]:
    """Turns of two conversations, in turn, about numbers and people."""
    made = []
    for number in range(count):
        asked = [{"role": "system", "content": REPORT.format(2345678 + number % 2)}]
        for turn in range(number // 2):
            asked += [
                {"role": "user", "content": f"What about {turn}? Write to u{turn}@example.org."},
                {"role": "assistant", "content": f"It is {turn * 97} tonnes, says u{turn}@example.org."},
            ]  # fmt: skip
        asked.append({"role": "user", "content": "How much is it in all?"})
        told = {"role": "assistant", "content": f"It was {number * 1311} tonnes [3]. I'm sure."}
        answer = {"id": f"c{number}", "choices": [{"message": told, "finish_reason": "stop"}]}
        made.append(
            exchange(
                json.dumps({"model": f"m{number % 3}", "messages": asked}).encode(),
                json.dumps(answer).encode(),
                headers={"x-population": f"p{number % 60}"},
            )
        )
    return made


class Reading:
    """A Capture with all that it can have, and what came out of it."""

    def __init__(self, *, samples: bool) -> None:
        self.spans: list[bytes] = []
        self.meters = Meters("recorder", "e")
        tracer = Tracer(Conventions("latest"), sample=0.5, slow=10.0, name=str, offer=self._offer)
        privacy = Privacy(
            scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: 0.0,
            cache=Cache(bytes(32)),
        )  # fmt: skip
        dimensions = [one for one in reader_of()[0]._dimensions if one.name == "population"]
        self.capture = Capture(
            "e", PROTOCOLS, dimensions, privacy, self.meters, edge_cases=EDGE_CASES, checks=GIVEN,
            repeats=Repeats(b"key"), agreements=Agreements(b"key"), tracer=tracer,
            mined="template", miner=Miner(1),
        )  # fmt: skip
        self.sampler = Sampler(20, b"key") if samples else None

    def _offer(self, span: bytes) -> bool:
        self.spans.append(span)
        return True

    def all(self) -> tuple[list[Any], list[bytes]]:
        return self.meters.measurements(), self.spans


@pytest.mark.parametrize("samples", [False, True])
def test_groups_come_to_the_same(samples: bool) -> None:
    """Records, Receipts, samples and spans, whatever the exchanges and the sizes of the groups."""
    made = [*talks(60), *varied(), *talks(60)]
    made = [
        msgspec.structs.replace(one, id=f"01a2239a-1a11-7819-bcbb-{n:012x}")
        for n, one in enumerate(made)
    ]
    single, grouped = Reading(samples=samples), Reading(samples=samples)
    apart = [single.capture.take([one], single.sampler)[0] for one in made]
    together: list[Any] = []
    for size in (16, 1, 7, 40, len(made)):
        at = len(together)
        together += grouped.capture.take(made[at : at + size], grouped.sampler)
    assert together == apart
    assert grouped.all() == single.all()
    assert not any(isinstance(one, Exception) for one in apart)
    assert len({type(one) for one in apart}) == 1 + samples


def test_one_that_cannot_be_read_costs_no_other() -> None:
    """What it raises comes in its place, from whatever step."""
    reader, _ = reader_of()
    broken: Any = msgspec.structs.replace(exchange(), request=None)
    late: Any = msgspec.structs.replace(exchange(), duration="long")
    fine = exchange()
    one, two, three, four = reader.take([fine, broken, late, fine])
    assert isinstance(two, AttributeError)
    assert isinstance(three, TypeError)
    assert one == four == reader.read(fine)


def test_the_time_of_a_record_stands_still_while_others_have_their_turn() -> None:
    """A text that takes long costs no other Record its texts; its own time is bounded all the same."""
    now = [0.0]
    privacy = Privacy(
        scanner=SCANNER, keyring=Keyring((Key("k1", bytes(range(32))),)), clock=lambda: now[0]
    )
    call, scrub = privacy.ruled(calls.read(exchange()))
    now[0] += 100.0
    inference = Inference("p", "chat", "m", inputs=[Part(role="user", text="hello")])
    record = privacy.record(call, inference, endpoint="e", segments={}, scrub=scrub)
    assert [part.text for part in record.inputs] == ["hello"]
    now[0] += 100.0
    assert scrub.text("hello").startswith("<REDACTED:timeout:")


def test_a_span_that_was_counted_is_not_counted_again_after_others() -> None:
    """Where a later part raises on a Record of a group, that group has been counted."""
    reading = Reading(samples=False)
    tracer = reading.capture._tracer
    assert tracer is not None
    made = [
        msgspec.structs.replace(one, id=f"01a2239a-1a11-7819-bcbb-{n:012x}")
        for n, one in enumerate(talks(16))
    ]
    reading.capture.take(made)
    for one in made:
        tracer.missed(one.id)
    assert tracer.dropped == 0
    assert len(reading.spans) + tracer.unsampled == 16


def _sized(size: int, id_: str) -> Exchange:
    request = Message(b"GET / HTTP/1.1\r\n\r\n", b"x" * size, size)
    return Exchange(id_, 1.0, 0.1, request, None, [], Outcome.OK)


def test_groups_are_bounded_and_in_order() -> None:
    """In number and in bytes; suspects come one by one, and what was handed over again apart."""
    small = [_sized(10, f"a{n}") for n in range(GROUP + 4)]
    large = [_sized(GROUP_BYTES, f"b{n}") for n in range(2)]
    batches = [
        Batch(small[:3]), Batch([]), Batch(small[3:]), Batch(large[:1]), Batch([large[1], small[0]]),
        Batch(small[:2], redelivered=True), Batch(small[:2], redelivered=True, suspect=True), Batch(small[:1]),
    ]  # fmt: skip
    found = [
        (batch.redelivered, batch.suspect, [one.id for one in group])
        for batch, group in _groups(batches)
    ]
    assert found == [
        (False, False, [f"a{n}" for n in range(GROUP)]),
        (False, False, [f"a{n}" for n in range(GROUP, GROUP + 4)]),
        (False, False, ["b0"]), (False, False, ["b1"]), (False, False, ["a0"]),
        (True, False, ["a0", "a1"]), (True, True, ["a0"]), (True, True, ["a1"]),
        (False, False, ["a0"]),
    ]  # fmt: skip
