"""Goldens as exchanges: as they are, and bent as the wire may bend them.

Run as a module it writes into each JSON without an `inference` what our reader makes of it today.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from monitor.framings import aws_eventstream, grpc, json_array, ndjson, sse
from monitor.protocols import PROTOCOLS
from monitor.recorder import calls
from monitor.types import Call, Exchange, Inference, Message, Outcome

HERE = Path(__file__).parent
_BLANK = msgspec.to_builtins(Inference("", "", ""))


@dataclass(frozen=True)
class Golden:
    """Three files: `path` is the JSON's."""

    path: Path
    about: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def protocol(self) -> str:
        """The name of the folder."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """As tests are called."""
        return f"{self.protocol}/{self.path.stem}"

    @cached_property
    def request(self) -> tuple[bytes, bytes]:
        """Head and body."""
        return _split(self.path.with_suffix(".req").read_bytes())

    @cached_property
    def response(self) -> tuple[bytes, bytes]:
        """Head and body, without the transfer coding."""
        return _split(self.path.with_suffix(".res").read_bytes())

    def call(
        self,
        *,
        prefix: str = "",
        body: bytes | None = None,
        chunks: Any = None,
        head: bytes = b"",
        asked_up_to: int | None = None,
        told_up_to: int | None = None,
    ) -> Call:
        """As a recorder would read it; with another body, its times, and fields beside the head's;
        or with so many bytes of the bodies alone, as `capture.max_body_bytes` leaves them."""
        asked, question = self.request
        start, _, rest = asked.partition(b" ")
        told, whole = self.response
        answer = whole if body is None else body
        exchange = Exchange(
            "id", 1.0, 9.0,
            Message(start + b" " + prefix.encode() + rest, question[:asked_up_to], len(question)),
            Message(
                told[:-2] + head + b"\r\n", answer[:told_up_to], len(answer),
                self.about.get("trailers", "").encode(),
            ),
            chunks or [(at, end) for at, end in self.about["chunks"]],
            Outcome.OK,
            self.about.get("upgraded", ""),
        )  # fmt: skip
        return calls.read(exchange)

    def gzipped(self) -> Call:
        """The answer in gzip, each chunk flushed as servers do."""
        _, body = self.response
        window, packed, chunks, start = zlib.compressobj(wbits=31), b"", [], 0
        for at, end in self.about["chunks"]:
            packed += window.compress(body[start:end]) + window.flush(zlib.Z_SYNC_FLUSH)
            chunks.append((at, len(packed)))
            start = end
        packed += window.flush()
        assert gzip.decompress(packed) == body
        return self.call(body=packed, chunks=chunks, head=b"content-encoding: gzip\r\n")

    def by_bytes(self) -> Call:
        """The answer in chunks of one byte, each with the time of the chunk it was in."""
        chunks, start = [], 0
        for at, end in self.about["chunks"]:
            chunks += [(at, one + 1) for one in range(start, end)]
            start = end
        return self.call(chunks=chunks)

    def ends(self) -> list[int]:
        """Where the events of the answer end; of a body without events where it does."""
        call = self.call()
        body = call.response_body
        if self.about.get("upgraded") or ndjson.is_stream(call.response_headers):
            return [line.end for line in ndjson.lines(body)]
        if sse.is_stream(call.response_headers):
            return [event.end for event in sse.events(body)]
        if grpc.is_call(call.response_headers):
            return [one.end for one in grpc.messages(body)]
        if aws_eventstream.is_stream(call.response_headers):
            return [one.end for one in aws_eventstream.messages(body)]
        if body[:1] == b"[":
            return [one.end for one in json_array.elements(body)]
        return [len(body)]


def _split(message: bytes) -> tuple[bytes, bytes]:
    head, _, body = message.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", body


def goldens() -> Iterator[Golden]:
    """All of them, by name."""
    for path in sorted(HERE.glob("*/*.json")):
        yield Golden(path, json.loads(path.read_text(encoding="utf-8")))


def read(call: Call) -> Inference:
    """As the first protocol that claims a call reads it."""
    return next(each for each in PROTOCOLS if each.claims(call)).read(call)


def plain(inference: Inference) -> dict[str, Any]:
    """An Inference as JSON has it, without what is at its default; numbers to nine digits."""
    found = msgspec.json.decode(msgspec.json.encode(inference, enc_hook=str))
    kept = {key: value for key, value in found.items() if value != _BLANK[key]}
    for name in ("confidence", "confidence_min"):
        if name in kept:
            kept[name] = round(kept[name], 9)
    return kept


if __name__ == "__main__":
    for golden in goldens():
        if "inference" not in golden.about:
            golden.about["inference"] = plain(read(golden.call()))
            text = json.dumps(golden.about, indent=1, ensure_ascii=False) + "\n"
            golden.path.write_text(text, encoding="utf-8")
            print(golden.name)
