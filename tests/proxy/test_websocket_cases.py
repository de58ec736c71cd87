"""WebSockets as Autobahn's suite tests them: an endpoint answers the same with and without us.

Autobahn|Testsuite itself is written for Python 2 and runs nowhere here. These are the cases of its
sections 1 to 7, 9, 10, 12 and 13, said by a raw client to an endpoint on wsproto.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import random
import zlib
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import pytest
import wsproto
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError

from tests.proxy.test_corpus import Seen, cut
from tests.proxy.test_splice import PATIENCE, Streams, proxied, run
from tests.proxy.test_websocket import frame

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MASK = b"\x37\xfa\x21\x3d"
BYE = frame(CLOSE, b"\x03\xe8", mask=MASK)


def said(kind: int, payload: bytes = b"", **more: Any) -> bytes:
    return frame(kind, payload, mask=MASK, **more)


def raw(first: int, payload: bytes = b"") -> bytes:
    """A frame whose first byte is of one's own making."""
    return bytes([first]) + said(TEXT, payload)[1:]


def parts(kind: int, payload: bytes, size: int, between: bytes = b"", **more: Any) -> bytes:
    """A message in frames of `size` bytes."""
    pieces = [payload[at : at + size] for at in range(0, len(payload), size)] or [b""]
    out = []
    for number, piece in enumerate(pieces):
        final = number == len(pieces) - 1
        out.append(said(0 if number else kind, piece, final=final, **({} if number else more)))
        if not final and between:
            out.append(between)
    return b"".join(out)


def close(code: int, reason: bytes = b"") -> bytes:
    return said(CLOSE, code.to_bytes(2) + reason)


SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536)
GREEK = "κόσμε".encode()
CASES: dict[str, bytes] = {
    **{f"1.1 text of {size}": said(TEXT, b"*" * size) for size in SIZES},
    **{f"1.2 data of {size}": said(BINARY, b"\xfe" * size) for size in SIZES},
    "2 pings": said(PING) + said(PING, b"x" * 125) + said(PING, b"\0\xff") * 10,
    "2 a ping that is too long": said(PING, bytes(126)),
    "2 pongs nobody asked for": said(PONG, b"x") + said(TEXT, b"and a text"),
    **{f"3 reserved bits {bits}": said(TEXT, b"a") + raw(0x81 | bits << 4, b"b") for bits in (1, 2, 3, 4, 7)},
    **{f"4 opcode {kind}": said(TEXT, b"a") + raw(0x80 | kind, b"b") for kind in (*range(3, 8), *range(11, 16))},
    "5 a ping in pieces": said(PING, b"a", final=False) + said(0, b"b"),
    "5 two pieces": parts(TEXT, b"fragment1fragment2", 9),
    "5 pings between pieces": parts(TEXT, b"fragment1fragment2", 3, said(PING, b"beat")),
    "5 a continuation of nothing": said(0, b"x") + said(TEXT, b"y"),
    "5 a text within a text": said(TEXT, b"a", final=False) + said(TEXT, b"b"),
    "5 empty pieces": said(TEXT, final=False) + said(0, final=False) + said(0),
    "5 data in pieces": parts(BINARY, bytes(range(256)) * 9, 100),
    "6 UTF-8": said(TEXT, GREEK) + said(TEXT, "\U0001f600é\0".encode()),
    "6 UTF-8 in pieces of a byte": parts(TEXT, GREEK * 3, 1),
    **{
        f"6 no UTF-8: {text!r}": said(TEXT, b"good") + said(TEXT, text)
        for text in (b"\xc0\xaf", b"\xed\xa0\x80edited", b"\xf4\x90\x80\x80", GREEK[:-1], b"\x80", b"\xff")
    },
    "6 no UTF-8 in pieces": parts(TEXT, GREEK + b"\xed\xa0\x80", 2),
    **{
        f"7 close {code}": said(TEXT, b"a") + close(code, b"why")
        for code in (
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
            0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535,
        )
    },
    "7 close without a code": said(CLOSE),
    "7 close with half a code": said(CLOSE, b"\x03"),
    "7 close with a long reason": close(1000, b"*" * 123),
    "7 close with a reason that is too long": close(1000, b"*" * 124),
    "7 close with no UTF-8": close(1000, b"\xce\xba\xe1"),
    "7 words after the close": BYE + said(TEXT, b"late") + said(PING),
    "7 no close": said(TEXT, b"a"),
    "9 a large text": said(TEXT, b"*" * (1 << 19)),
    "9 a large text in pieces": parts(TEXT, b"*" * (1 << 18), 4096),
    "9 many small ones": said(TEXT, b"x" * 16) * 1000,
    "12 bits of compression that was not agreed on": said(TEXT, b"a", compressed=True),
}  # fmt: skip


def compressed(messages: list[bytes], *, forget: bool, size: int) -> bytes:
    window, out = zlib.compressobj(wbits=-15), []
    for message in messages:
        if forget:
            window = zlib.compressobj(wbits=-15)
        packed = (window.compress(message) + window.flush(zlib.Z_SYNC_FLUSH))[:-4]
        out.append(parts(TEXT, packed, size, compressed=True))
    return b"".join(out)


WORDS = [
    json.dumps({"n": n, "text": "the same words again " * (n % 7)}).encode() for n in range(40)
]
OFFERS = {
    "": (False, 1 << 20), "; client_no_context_takeover": (True, 1 << 20),
    "; server_no_context_takeover": (False, 64),
    "; client_no_context_takeover; server_no_context_takeover; server_max_window_bits=9": (True, 7),
}  # fmt: skip
PACKED = {
    f"13 compressed{offer}": compressed(WORDS, forget=forget, size=size)
    for offer, (forget, size) in OFFERS.items()
}
PACKED["13 no deflate"] = said(TEXT, b"\x00\xff\xff", compressed=True)
PACKED["13 plain among compressed"] = (
    compressed([b"one one one"], forget=False, size=99) + said(TEXT, b"plain")
)  # fmt: skip


@dataclass
class Endpoint:
    """Answers each message with itself; `heard` are those that came whole."""

    heard: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        side = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        part: list[Any] = []
        while side.state is not ConnectionState.CLOSED:
            data = await reader.read(65536)
            try:
                side.receive_data(data or None)
                for event in side.events():
                    writer.write(self.answer(side, event, part))
            except RemoteProtocolError as error:
                if error.event_hint is not None:
                    writer.write(side.send(error.event_hint))
                break
            if not data:
                break
        while await reader.read(65536):  # else the rest of it would make the end a reset
            pass
        writer.close()

    def answer(self, side: wsproto.WSConnection, event: Any, part: list[Any]) -> bytes:
        if isinstance(event, Request):
            return side.send(AcceptConnection(extensions=[PerMessageDeflate()]))
        if isinstance(event, TextMessage | BytesMessage):
            part.append(event.data)
            if not event.message_finished:
                return b""
            whole: Any = ("" if isinstance(event, TextMessage) else b"").join(part)
            part.clear()
            is_text = isinstance(whole, str)
            kind = "text" if is_text else "binary"
            self.heard.append((kind, whole if is_text else base64.b64encode(whole).decode()))
            return side.send(type(event)(data=whole))
        if isinstance(event, Ping):
            return side.send(event.response())
        if isinstance(event, CloseConnection):
            return side.send(event.response()) if side.state is not ConnectionState.CLOSED else b""
        assert isinstance(event, Pong)
        return b""


async def talk(streams: Streams, offer: str | None, wire: bytes, chance: random.Random) -> bytes:
    """All that comes back, masks of the endpoint's randomness aside: it uses none."""
    reader, writer = streams
    extension = (
        f"Sec-WebSocket-Extensions: permessage-deflate{offer}\r\n" if offer is not None else ""
    )
    writer.write(
        b"GET /live HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%b\r\n"
        % extension.encode()
    )
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)

    async def say() -> None:
        with contextlib.suppress(ConnectionError):  # the endpoint may have ended it
            for piece in cut(wire, chance):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            writer.write_eof()

    saying = asyncio.ensure_future(say())
    body = b""
    with contextlib.suppress(ConnectionError):
        body = await asyncio.wait_for(reader.read(), PATIENCE)
    await saying
    writer.close()
    return head + body


def story(offer: str | None, wire: bytes, seed: str) -> None:
    async def direct() -> tuple[bytes, Endpoint]:
        endpoint = Endpoint()
        server = await asyncio.start_server(endpoint, "127.0.0.1", 0)
        to = server.sockets[0].getsockname()
        answer = await talk(await asyncio.open_connection(*to), offer, wire, random.Random(seed))
        server.close()
        return answer, endpoint

    async def through(seen: Seen) -> tuple[bytes, Endpoint]:
        endpoint = Endpoint()
        async with proxied(build=seen.build) as proxy:
            client, far = await proxy.pair()
            serving: Awaitable[None] = asyncio.ensure_future(endpoint(*far))
            answer = await talk(client, offer, wire, random.Random(seed))
            await serving
            async with asyncio.timeout(PATIENCE):
                while len(proxy.listener):
                    await asyncio.sleep(0.002)
            seen.opaque += list(proxy.listener.opaque)
        return answer, endpoint

    seen = Seen()
    alone, first = run(direct())
    proxied_, second = run(through(seen))
    assert proxied_ == alone
    assert second.heard == first.heard
    (exchange,) = seen.exchanges
    lines = [json.loads(line) for line in exchange.request.body.splitlines()]
    recorded = [(line["type"], line["data"]) for line in lines if line["type"] != "close"]
    assert recorded[: len(first.heard)] == first.heard, "what the endpoint heard is on record"
    assert seen.budget.used == 0
    assert seen.opaque in ([], ["malformed_frame"])
    if not seen.opaque:
        assert exchange.response is not None
        answers = [json.loads(line) for line in exchange.response.body.splitlines()]
        assert [
            (one["type"], one["data"]) for one in answers if one["type"] != "close"
        ] == first.heard


@pytest.mark.parametrize("name", CASES)
def test_an_endpoint_answers_the_same(name: str) -> None:
    """Byte for byte, good frames and bad ones; what it heard is what is on record."""
    story(None, CASES[name] + ("7" not in name[:1]) * BYE, name)


@pytest.mark.parametrize("name", PACKED)
def test_an_endpoint_answers_the_same_when_compressed(name: str) -> None:
    """With every combination of windows that are kept and forgotten."""
    story(
        name.partition("compressed")[2] if name[3:].startswith("compressed") else "",
        PACKED[name] + BYE,
        name,
    )
