"""Every framing: an event has come when the last of its bytes has, however these were sent."""

from __future__ import annotations

import itertools
import json
import random
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.chat import arrival
from monitor.framings import aws_eventstream, grpc, json_array, multipart, ndjson, sse
from monitor.recorder import calls
from monitor.types import Exchange, Message, Outcome
from tests.chances import seeded
from tests.framings.test_grpc import encoded

FORM = "multipart/form-data; boundary=b"
DOCUMENTS = [{"text": text} for text in ("Grüß", " Gott", "", ", }]\n\n{[", '"\\', "x" * 300)]
LINES = [json.dumps(one, ensure_ascii=False) for one in DOCUMENTS]
GOLDEN = Path(__file__).parent / "goldens" / "aws_eventstream.bin"

BODIES: dict[str, tuple[Callable[[bytes], Iterator[Any]], bytes]] = {
    "sse": (sse.events, "".join(f"event: x\r\ndata: {one}\r\n\r\n" for one in LINES).encode()),
    "ndjson": (ndjson.lines, "\n".join([*LINES, ""]).encode()),
    "json_array": (json_array.elements, ("[" + "\r\n,\r\n".join(LINES) + "]").encode()),
    "aws_eventstream": (aws_eventstream.messages, GOLDEN.read_bytes()),
    "grpc": (
        lambda body: grpc.messages(body, "gzip"),
        b"".join(encoded(one.encode(), coding) for one in LINES for coding in ("", "gzip")),
    ),
    "multipart": (
        lambda body: multipart.parts(body, FORM),
        b"".join(
            b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n%b\r\n' % one.encode()
            for one in LINES
        )
        + b"--b--\r\n",
    ),
}


def sent(body: bytes, cuts: list[int], *, gzipped: bool) -> Exchange:
    """A response that came in these pieces, a second after each other."""
    coding = b"Content-Encoding: gzip\r\n" if gzipped else b""
    head = b"HTTP/1.1 200 OK\r\n%b\r\n" % coding
    chunks = [(float(at), end) for at, end in enumerate(cuts)]
    response = Message(head, body, len(body))
    request = Message(b"POST / HTTP/1.1\r\n\r\n")
    return Exchange("id", 0.0, 1.0, request, response, chunks, Outcome.OK)


def check(name: str, coded: bytes, cuts: list[int], *, gzipped: bool) -> None:
    """Each event comes with the first piece after which a reader could read it whole."""
    read, body = BODIES[name]
    call = calls.read(sent(coded, cuts, gzipped=gzipped))
    assert call.response_body == body
    came = [end for _, end in call.arrivals]
    for one in read(body):
        at = int(arrival(call, one.end) or 0)
        assert one in list(read(body[: came[at]]))
        assert at == 0 or one not in list(read(body[: came[at - 1]]))


@pytest.mark.parametrize("name", BODIES)
def test_each_byte_for_itself(name: str) -> None:
    """And all at once."""
    _, body = BODIES[name]
    check(name, body, list(range(1, len(body) + 1)), gzipped=False)
    check(name, body, [len(body)], gzipped=False)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_pieces_that_end_beside_an_event(name: str, beside: int) -> None:
    """At its end, a byte before, a byte behind."""
    read, body = BODIES[name]
    cuts = sorted({min(one.end + beside, len(body)) for one in read(body)} | {len(body)})
    check(name, body, cuts, gzipped=False)


@pytest.mark.parametrize("name", BODIES)
@seeded(100)
def test_any_pieces_gzipped(name: str, chance: random.Random) -> None:
    """Flushed where a server would, or anywhere."""
    read, body = BODIES[name]

    def some(end: int) -> list[int]:
        return sorted(chance.sample(range(1, end), chance.randint(0, min(end - 1, 12))))

    ends = [one.end for one in read(body)]
    places = chance.choice([ends, [], some(len(body)), some(len(body))])
    packer = zlib.compressobj(wbits=31)
    coded = b""
    for start, end in itertools.pairwise([0, *places, len(body)]):
        coded += packer.compress(body[start:end]) + packer.flush(zlib.Z_SYNC_FLUSH)
    coded += packer.flush()
    cuts = {*some(len(coded)), len(coded)}
    check(name, coded, sorted(cuts), gzipped=True)
