"""The WebSocket observer: messages however they are framed, compressed and cut; bounded always."""

from __future__ import annotations

import base64
import json
import random
import zlib
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.proxy.copies import Budget
from monitor.proxy.heads import Ambiguous
from monitor.proxy.observer import Upgraded
from monitor.proxy.websocket import OPAQUE_REASONS, WebSocket, _unmasked, deflate
from monitor.types import Exchange, Message, Outcome
from tests.chances import SEEDED

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
DEFLATE = HEAD + b"Sec-WebSocket-Extensions: permessage-deflate"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9


@dataclass
class Seen:
    """A connection that is played, and what came of it."""

    head: bytes = HEAD + b"\r\n"
    bound: int = 1 << 20
    room: int = 1 << 30
    exchanges: list[Exchange] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    lost: list[tuple[Outcome, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.budget = Budget(self.room)
        request = Message(b"GET /ws HTTP/1.1\r\n\r\n")
        self.observer = WebSocket(
            Upgraded("id", 10.0, 1000.0, request, Message(self.head)),
            emit=self.exchanges.append,
            lose=lambda *one: self.lost.append(one),
            opaque=self.opaque.append,
            max_body_bytes=self.bound,
            budget=self.budget,
        )

    def play(
        self, up: bytes = b"", down: bytes = b"", size: int = 0, cause: Outcome | None = None
    ) -> Seen:
        """All of one side, then all of the other, `size` bytes at a time; then the close."""
        fixed = self.budget.used
        for see, data in ((self.observer.downstream, up), (self.observer.upstream, down)):
            for start in range(0, len(data), size or len(data) or 1):
                see(data[start : start + (size or len(data))], 12.5)
                assert self.budget.used <= fixed + 3 * self.bound + 4096
        self.observer.closed(14.0, cause)
        assert self.budget.used == 0, "memory is accounted for to the last byte"
        assert len(self.exchanges) + len(self.lost) == 1, "one exchange a connection, always"
        assert set(self.opaque) <= set(OPAQUE_REASONS)
        return self

    def said(self, side: str = "request") -> list[tuple[str, str]]:
        message: Message = getattr(self.exchanges[0], side)
        lines = [json.loads(line) for line in message.body.splitlines()]
        return [(line["type"], line["data"]) for line in lines]


def frame(
    kind: int, payload: bytes, *, mask: bytes = b"", final: bool = True, compressed: bool = False
) -> bytes:
    head = bytes([kind | (0x80 if final else 0) | (0x40 if compressed else 0)])
    size, flag = len(payload), 0x80 if mask else 0
    if size < 126:
        head += bytes([size | flag])
    elif size < 65536:
        head += bytes([126 | flag]) + size.to_bytes(2)
    else:
        head += bytes([127 | flag]) + size.to_bytes(8)
    if not mask:
        return head + payload
    masks = (mask * (size // len(mask) + 1))[:size]
    masked = int.from_bytes(payload) ^ int.from_bytes(masks)  # a byte at a time takes long
    return head + mask + masked.to_bytes(size)


def pressed(*messages: bytes, forget: bool = False) -> list[bytes]:
    """Messages as permessage-deflate writes them."""
    window, found = zlib.compressobj(wbits=-15), []
    for message in messages:
        if forget:
            window = zlib.compressobj(wbits=-15)
        found.append((window.compress(message) + window.flush(zlib.Z_SYNC_FLUSH))[:-4])
    return found


messages = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.text(max_size=300)),
        st.tuples(st.just("binary"), st.binary(max_size=300)),
    ),
    max_size=6,
)


def on_the_wire(
    said: list[tuple[str, Any]], chance: random.Random, *, masked: bool, compress: bool
) -> bytes:
    """The same messages in frames as a peer might send them: fragments, pings between, masks."""
    raw = [data.encode() if kind == "text" else data for kind, data in said]
    packed = pressed(*raw) if compress else raw
    out = []

    def mask() -> bytes:
        return chance.randbytes(4) if masked else b""

    for (kind, _), payload in zip(said, packed, strict=True):
        cuts = sorted(chance.randint(0, len(payload)) for _ in range(chance.randint(0, 3)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for number, part in enumerate(parts):
            opcode = 0 if number else TEXT if kind == "text" else BINARY
            out.append(
                frame(
                    opcode, part, mask=mask(), final=number == len(parts) - 1,
                    compressed=compress and not number,
                )
            )  # fmt: skip
            if chance.random() < 0.3:
                out.append(frame(PING, b"beat", mask=mask()))
    return b"".join(out)


@given(messages, messages, st.integers(0, 50), st.booleans(), SEEDED)
@settings(deadline=None)
def test_messages_come_out_as_they_were_said(
    up: list[tuple[str, Any]],
    down: list[tuple[str, Any]],
    size: int,
    compress: bool,
    chance: random.Random,
) -> None:
    """Fragmented, masked, compressed with one window, with pings between, cut anywhere."""
    seen = Seen(head=(DEFLATE if compress else HEAD) + b"\r\n\r\n").play(
        on_the_wire(up, chance, masked=True, compress=compress),
        on_the_wire(down, chance, masked=False, compress=compress),
        size,
    )
    for side, said in (("request", up), ("response", down)):
        expected = [
            (kind, data if kind == "text" else base64.b64encode(data).decode())
            for kind, data in said
        ]
        assert seen.said(side) == expected
        message: Message = getattr(seen.exchanges[0], side)
        assert message.size == len(message.body), "nothing was cut"
    assert not seen.opaque
    assert seen.exchanges[0].upgraded == "websocket"


@given(st.lists(st.binary(max_size=200), max_size=8), st.booleans(), st.booleans())
def test_any_bytes_are_followed_or_given_up(
    pieces: list[bytes], compress: bool, by_client: bool
) -> None:
    """Nothing is raised; one exchange comes of it, whatever it was."""
    seen = Seen(head=(DEFLATE if compress else HEAD) + b"\r\n\r\n", bound=100)
    for piece in pieces:
        (seen.observer.downstream if by_client else seen.observer.upstream)(piece, 11.0)
    seen.play()


@given(st.integers(0, 3000), st.integers(1, 400), st.booleans(), st.booleans())
def test_what_is_cut_says_so_and_can_still_be_read(
    length: int, bound: int, compress: bool, binary: bool
) -> None:
    """Every line that is kept is whole JSON; the true size is larger than what is kept."""
    content = b"\\" * length
    payload = pressed(content)[0] if compress else content
    wire = frame(BINARY if binary else TEXT, payload, compressed=compress)
    seen = Seen(head=(DEFLATE if compress else HEAD) + b"\r\n\r\n", bound=bound).play(
        down=wire * 1, size=7
    )
    message = seen.exchanges[0].response
    assert message is not None
    assert len(message.body) <= bound
    for kind, data in seen.said("response"):
        whole = base64.b64decode(data) if kind == "binary" else data.encode()
        assert content.startswith(whole)
        assert message.size > len(message.body) or len(whole) == length


def test_a_compression_bomb_costs_what_the_bound_allows() -> None:
    """A hundred megabytes in a hundred kilobytes, message after message."""
    bomb = pressed(bytes(100 << 20))[0]
    seen = Seen(head=DEFLATE + b"\r\n\r\n", bound=10_000)
    seen.play(down=frame(TEXT, bomb, compressed=True) * 20)
    message = seen.exchanges[0].response
    assert message is not None
    assert len(message.body) <= 10_000 < message.size
    assert not seen.opaque


def test_a_forgotten_window_is_forgotten() -> None:
    """`no_context_takeover` is for each direction alone."""
    head = DEFLATE + b"; client_no_context_takeover; server_max_window_bits=12\r\n\r\n"
    said = [b"hello hello", b"hello hello", b"hello again"]
    up = b"".join(
        frame(TEXT, one, mask=b"abcd", compressed=True) for one in pressed(*said, forget=True)
    )
    down = b"".join(frame(TEXT, one, compressed=True) for one in pressed(*said))
    seen = Seen(head=head).play(up, down)
    expected = [("text", one.decode()) for one in said]
    assert seen.said("request") == seen.said("response") == expected


def test_an_uncompressed_message_may_stand_between_compressed_ones() -> None:
    """RFC 7692 section 6: each message says for itself."""
    first, second = pressed(b"one one one", b"one one one")
    wire = (
        frame(TEXT, first, compressed=True)
        + frame(TEXT, b"plain")
        + frame(TEXT, second, compressed=True)
    )
    seen = Seen(head=DEFLATE + b"\r\n\r\n").play(down=wire)
    assert [data for _, data in seen.said("response")] == ["one one one", "plain", "one one one"]


def final(message: bytes) -> bytes:
    window = zlib.compressobj(wbits=-15)
    return window.compress(message) + window.flush(zlib.Z_FINISH)


def test_a_message_may_end_in_a_final_block() -> None:
    """RFC 7692 section 7.2.3.4; the next one begins a stream of its own."""
    wire = b"".join(
        frame(TEXT, final(text) + b"\0", compressed=True) for text in (b"Hello", b"Hello again")
    )
    seen = Seen(head=DEFLATE + b"\r\n\r\n").play(down=wire)
    assert not seen.opaque
    assert [data for _, data in seen.said("response")] == ["Hello", "Hello again"]


def test_a_message_that_goes_on_behind_its_final_block_is_given_up() -> None:
    """Some decoders read on, some stop: nobody knows what was said, and it is never cut silently."""
    wire = frame(TEXT, b"before") + frame(TEXT, final(b"one") + pressed(b"two")[0], compressed=True)
    seen = Seen(head=DEFLATE + b"\r\n\r\n").play(down=wire)
    assert seen.opaque == ["malformed_frame"]
    assert [data for _, data in seen.said("response")] == ["before"]


def close(code: int, reason: bytes = b"", mask: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason, mask=mask)


@pytest.mark.parametrize(
    ("up", "down", "cause", "outcome"),
    [
        (close(1000, mask=b"abcd"), close(1000), None, "ok"),
        (b"", close(1011, b"out of memory"), None, "server_error"),
        (b"", close(1008), None, "client_error"),
        (b"", close(4429), None, "rate_limited"),
        (close(1001, mask=b"abcd"), b"", Outcome.CLIENT_GONE, "ok"),
        (frame(CLOSE, b"", mask=b"abcd"), b"", None, "ok"),
        (b"", b"", Outcome.CLIENT_GONE, "client_gone"),
        (b"", b"", Outcome.UPSTREAM_BROKEN, "upstream_broken"),
        (b"", b"", None, "upstream_broken"),
    ],
)
def test_the_first_close_code_is_the_outcome(
    up: bytes, down: bytes, cause: Outcome | None, outcome: str
) -> None:
    """Without one it is who left."""
    seen = Seen().play(up, down, cause=cause)
    assert seen.exchanges[0].outcome.value == outcome


def test_a_close_is_a_line_with_code_and_reason() -> None:
    """And what follows it is nothing."""
    seen = Seen().play(down=close(1011, b"out of memory") + b"\xff\xff\xff")
    assert seen.said("response") == [("close", "1011 out of memory")]
    assert not seen.opaque


@pytest.mark.parametrize(
    "wire",
    [
        frame(TEXT, b"x", mask=b"abcd"),  # a server that masks
        frame(0, b"x"),  # a continuation of nothing
        frame(TEXT, b"x", final=False) + frame(TEXT, b"y"),
        frame(TEXT, b"x", compressed=True),  # not agreed on
        frame(3, b"x"),
        frame(PING, bytes(126)),
        frame(PING, b"", final=False),
        frame(CLOSE, b"x"),
        b"\xa1\x00",  # a reserved bit
        b"\x81\x7f" + b"\xff" * 8,
    ],
)
def test_what_no_peer_may_send_ends_the_record_and_says_who_broke_it(wire: bytes) -> None:
    """What had been said before is kept."""
    seen = Seen().play(down=frame(TEXT, b"before") + wire)
    assert seen.opaque == ["malformed_frame"]
    assert seen.exchanges[0].outcome is Outcome.SERVER_ERROR
    assert seen.said("response") == [("text", "before")]


def test_without_room_it_is_followed_counted_and_not_kept() -> None:
    """The budget of the whole process is smaller than what is said."""
    seen = Seen(room=2000).play(down=frame(TEXT, b"x" * 1500) * 3 + close(1000))
    assert seen.lost == [(Outcome.OK, "buffer_full")]
    assert not seen.exchanges


def test_times_are_of_messages_since_the_request() -> None:
    """Chunks stand at the ends of the server's lines; `at` is in each line."""
    seen = Seen()
    seen.observer.upstream(frame(TEXT, b"one"), 11.0)
    seen.observer.upstream(frame(TEXT, b"two")[:2], 12.0)
    seen.observer.upstream(frame(TEXT, b"two")[2:], 13.0)
    seen.play()
    exchange = seen.exchanges[0]
    assert exchange.response is not None
    assert [json.loads(line)["at"] for line in exchange.response.body.splitlines()] == [1.0, 3.0]
    assert [at for at, _ in exchange.chunks] == [1.0, 3.0]
    assert exchange.chunks[-1][1] == exchange.response.size
    assert (exchange.id, exchange.started, exchange.duration) == ("id", 1000.0, 4.0)


def test_an_unknown_extension_is_not_followed() -> None:
    """Its frames could mean anything."""
    with pytest.raises(Ambiguous):
        Seen(head=HEAD + b"Sec-WebSocket-Extensions: x-brotli\r\n\r\n")
    assert deflate(HEAD + b"\r\n") is None


@given(st.binary(max_size=3000), st.binary(min_size=4, max_size=4))
def test_unmasking_is_the_same_for_every_length(payload: bytes, mask: bytes) -> None:
    """RFC 6455 section 5.3, by definition."""
    by_definition = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert _unmasked(bytearray(payload), mask) == by_definition
