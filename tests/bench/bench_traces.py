"""`make bench`: what a span costs the recorder; written to TRACES.md.

The same exchanges are read without a tracer, with one that samples none of them and with one that samples all, in turn,
round by round. Then what is between a recorder and a collector, span by span: making the body of a delivery.
`--rounds N --count N` (printed, not written).
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.assembly import build
from monitor.assembly.keyring import keyring
from monitor.conventions import Conventions
from monitor.meters import Meters
from monitor.privacy.cache import Cache
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.proxy.ids import Ids
from monitor.recorder import calls, span_fields
from monitor.recorder.capture import Capture
from monitor.recorder.spans import Tracer
from monitor.settings.schema import Settings
from monitor.types import Exchange, Message, Outcome
from tests.bench.tables import other_work, spread, table

OUT = Path(__file__).with_name("TRACES.md")
HEAD = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n%b\r\n"
)
REPLY = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
PARAMETERS = {"max_tokens": 256, "temperature": 0.2, "top_p": 0.9, "seed": 7, "stop": ["###"]}


def exchanges(count: int) -> list[Exchange]:
    """Chats of about 3 KB with five parameters; half belong to a trace of the client's."""
    ids, chance = Ids(7, time.time), random.Random(3)
    words = [
        "the",
        "order",
        "that",
        "you",
        "sent",
        "us",
        "on",
        "monday",
        "has",
        "not",
        "come",
        "and",
        "nothing",
    ]
    system = "You answer customers of a shop. " + " ".join(chance.choices(words, k=300))
    made = []
    for number in range(count):
        said = " ".join(chance.choices(words, k=150))
        messages = [{"role": "system", "content": system}, {"role": "user", "content": said}]
        asked = json.dumps({"model": "acme-large", "messages": messages, **PARAMETERS}).encode()
        usage = {
            "prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460,
            "prompt_tokens_details": {"cached_tokens": 256},
            "completion_tokens_details": {"reasoning_tokens": 20},
        }  # fmt: skip
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": said[:300]},
        }
        told = json.dumps(
            {"id": f"chatcmpl-{number:024x}", "object": "chat.completion", "created": 1, "model": "acme-large",
             "choices": [choice], "usage": usage}
        ).encode()  # fmt: skip
        trace = (
            b"traceparent: 00-%032x-%016x-01\r\n" % (number + 1, number + 1) if number % 2 else b""
        )
        made.append(
            Exchange(
                ids.new(),
                time.time(),
                0.1,
                Message(HEAD % trace, asked, len(asked)),
                Message(REPLY % len(told), told, len(told)),
                [(0.09, len(told))],
                Outcome.OK,
            )
        )
    return made


def tracer(privacy: Privacy, sample: float, offer: Callable[[bytes], bool]) -> Tracer:
    """One as `assembly.tracing` makes it."""
    return Tracer(
        Conventions(), sample=sample, slow=10.0, name=privacy.name, offer=offer,
        server=("127.0.0.1", 9000), template="template",
    )  # fmt: skip


def untraced(made: Sequence[Exchange]) -> list[Exchange]:
    """The same, of which the client's traces say that they are not sampled."""
    return [
        Exchange(
            one.id,
            one.started,
            one.duration,
            Message(
                one.request.head.replace(b"-01\r\n", b"-00\r\n"), one.request.body, one.request.size
            ),
            one.response,
            one.chunks,
            one.outcome,
        )
        for one in made
    ]


class Bench:
    """What is measured, and CPU µs of one exchange by what is done, round by round."""

    def __init__(self, count: int) -> None:
        settings = Settings(data=tempfile.mkdtemp())
        self.ring, self.scanner = keyring(settings), build.scanner(settings)
        self.spans: list[bytes] = []
        self.costs: dict[str, list[float]] = {}
        self.sampled = exchanges(count)
        self.unsampled = untraced(self.sampled)

    def take(self, span: bytes) -> bool:
        """As an exporter does."""
        self.spans.append(span)
        return True

    def capture(self, sample: float | None) -> Capture:
        """A recorder's, with a tracer or without."""
        privacy = Privacy(
            scanner=self.scanner,
            keyring=self.ring,
            clock=time.monotonic,
            cache=Cache(os.urandom(32)),
        )
        made = None if sample is None else tracer(privacy, sample, self.take)
        return Capture(
            "default", PROTOCOLS, [], privacy, Meters("recorder", "default"), tracer=made
        )

    def timed(self, name: str, count: int, work: Callable[[], object]) -> None:
        """Note what `count` of something cost."""
        began = time.process_time()
        work()
        self.costs.setdefault(name, []).append((time.process_time() - began) / count * 1e6)

    def whole(self, rounds: int) -> None:
        """Reading exchanges without a tracer and with one, in turn."""
        ways = {
            "recorded, no tracer": (self.capture(None), self.unsampled),
            "recorded, unsampled": (self.capture(0.0), self.unsampled),
            "recorded, sampled": (self.capture(1.0), self.sampled),
        }
        for reader, some in ways.values():
            for one in some:
                reader.read(one)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)  # as a recorder does
        names = list(ways)
        for number in range(rounds):
            for name in names[number % 3 :] + names[: number % 3]:
                self.spans.clear()
                reader, some = ways[name]
                self.timed(
                    name,
                    len(some),
                    lambda some=some, reader=reader: [reader.read(one) for one in some],
                )  # type: ignore[misc]

    def alone(self, rounds: int) -> None:
        """The span by itself, and the body of a delivery."""
        privacy = Privacy(scanner=self.scanner, keyring=self.ring, clock=time.monotonic)
        every, none = tracer(privacy, 1.0, self.take), tracer(privacy, 0.0, self.take)
        plain = Capture("default", PROTOCOLS, [], privacy, Meters("recorder", "default"))
        read = [
            (call := calls.read(one), plain._understood(call, {}), plain.read(one)[0])
            for one in self.sampled
        ]
        unread = [calls.read(one) for one in self.unsampled]
        body = span_fields.whole({"service.name": "monitor"}, "monitor", "1")
        spans, count = self.spans, len(read)

        def make() -> None:
            spans.clear()
            for call, inference, record in read:
                trace = every.begin(call, record.outcome)
                assert trace
                every.end(trace, call, inference, record, record.model)

        def pack() -> None:
            for at in range(0, count, 512):
                gzip.compress(body(b"".join(spans[at : at + 512])), 1)

        for _ in range(rounds):
            self.timed(
                "the decision against a span",
                count,
                lambda: [none.begin(one, Outcome.OK) for one in unread],
            )
            self.timed("the decision and the span", count, make)
            self.timed("body of a delivery, gzip", count, pack)


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    busy = other_work()
    bench = Bench(options.count)
    bench.whole(options.rounds)
    bench.alone(options.rounds)
    costs, spans = bench.costs, bench.spans
    first = costs["recorded, no tracer"]
    rows = [
        [name, spread(each, ".1f"), "" if not name.startswith("recorded") or each is first else
         spread([one - other for one, other in zip(each, first, strict=True)], ".1f")]
        for name, each in costs.items()
    ]  # fmt: skip
    size = sum(map(len, spans)) / len(spans)
    lines = [
        "# Traces",
        "",
        f"Written by `tests/bench/bench_traces.py` on {datetime.now(UTC):%Y-%m-%d}: monitor {monitor.__version__}, "
        f"Python {platform.python_version()}, {os.cpu_count()} cores,",
        f"of which other work had {busy:.1f} at the beginning. CPU µs for one exchange: the median of {options.rounds} rounds, the smallest and",
        "the largest. The exchanges are chats of 3 KB with five parameters and counted tokens; half belong to a trace.",
        f"A span has {size:.0f} bytes.",
        "",
        *table(["", "CPU µs", "more than without"], rows),
    ]  # fmt: skip
    text = "\n".join(lines).rstrip("\n") + "\n"
    print(text)
    if (options.rounds, options.count) == (9, 2000):
        OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
