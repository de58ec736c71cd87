"""A client's HTTP/2 bytes → the same with `:authority` and `x-forwarded-for` edited.

Sans-IO (RFC 9113, RFC 7541). Header blocks are decoded and written again as literals, which leave
the endpoint's dynamic table empty. All other frames pass unchanged.
"""

from __future__ import annotations

from struct import Struct

from monitor.proxy.frames import CONTINUATION, HEADERS, MAX_BLOCK, PUSH_PROMISE, frame
from monitor.proxy.heads import Ambiguous
from monitor.proxy.hpack import HeaderDecoder, size_updates

Pair = tuple[bytes, bytes]
FORWARDED = b"x-forwarded-for"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
MAX_FRAME = 16384
"""The largest frame that every endpoint accepts, in bytes."""

_read_head = Struct(">BHBBI").unpack_from
_END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x4, 0x8, 0x20


class Http2Edits:
    """Edits the bytes of one client, from the preface on; see `monitor.proxy.edits`."""

    __slots__ = ("_block", "_flags", "_heads", "_host", "_left", "_number", "_peer", "_rest")

    def __init__(self, *, host: bytes, peer: bytes) -> None:
        self._host = host
        self._peer = peer
        self._heads = HeaderDecoder()
        self._rest = b""
        self._left = len(PREFACE)  # bytes that pass as they are
        self._block: bytes | None = None  # of HEADERS, while CONTINUATION is to come
        self._flags = 0
        self._number = 0

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to forward now; raises Ambiguous if the client must be refused."""
        data = self._rest + data
        out: list[bytes] = []
        position = 0
        while position < len(data):
            if self._left:
                piece = data[position : position + self._left]
                self._left -= len(piece)
                position += len(piece)
                out.append(piece)
                continue
            if len(data) - position < 9:
                break
            high, low, kind, flags, number = _read_head(data, position)
            length = high << 16 | low
            number &= 0x7FFFFFFF
            if (self._block is not None) != (kind == CONTINUATION) or kind == PUSH_PROMISE:
                raise Ambiguous("malformed_frame")
            if kind not in (HEADERS, CONTINUATION):
                self._left = 9 + length
                continue
            if length > MAX_BLOCK:
                raise Ambiguous("head_too_large")
            end = position + 9 + length
            if len(data) < end:
                break
            out.append(self._headers(kind, flags, number, data[position + 9 : end]))
            position = end
        self._rest = data[position:]
        return b"".join(out)

    def _headers(self, kind: int, flags: int, number: int, payload: bytes) -> bytes:
        if kind == HEADERS:
            if flags & _PADDED:
                if not payload or payload[0] >= len(payload):
                    raise Ambiguous("malformed_frame")
                payload = payload[1 : len(payload) - payload[0]]
            self._flags, self._number, self._block = flags, number, b""
        elif number != self._number:
            raise Ambiguous("malformed_frame")
        block = self._block = (self._block or b"") + payload
        if len(block) > MAX_BLOCK:
            raise Ambiguous("head_too_large")
        if not flags & _END_HEADERS:
            return b""
        self._block = None
        start = 5 if self._flags & _PRIORITY else 0
        if len(block) < start:
            raise Ambiguous("malformed_frame")
        return self._frames(block[:start] + self._edit(block[start:]))

    def _frames(self, block: bytes) -> bytes:
        """Return a block as HEADERS, and CONTINUATION for what does not fit."""
        pieces = [block[at : at + MAX_FRAME] for at in range(0, len(block), MAX_FRAME)] or [b""]
        out = []
        for index, piece in enumerate(pieces):
            flags = _END_HEADERS if index == len(pieces) - 1 else 0
            if not index:
                flags |= self._flags & (_END_STREAM | _PRIORITY)
            out.append(frame(CONTINUATION if index else HEADERS, flags, self._number, piece))
        return b"".join(out)

    def _edit(self, block: bytes) -> bytes:
        fields = [(name, value) for name, value, *_ in self._heads.fields(block)]
        names = [name for name, _ in fields]
        if b":method" in names:  # and no trailers
            if (b":method", b"CONNECT") in fields and b":protocol" not in names:
                raise Ambiguous("connect")
            if self._host:
                fields = self._name(fields, names)
            if self._peer:
                fields = self._forward(fields, names)
        # Which fields were marked as never indexed is lost by now, so all are (section 6.2.3).
        lines = (b"\x10" + _string(name) + _string(value) for name, value in fields)
        return size_updates(block) + b"".join(lines)

    def _name(self, fields: list[Pair], names: list[bytes]) -> list[Pair]:
        places = (b":authority", b"host")
        if max(map(names.count, places)) > 1:
            raise Ambiguous("malformed_head")
        if not set(places) & set(names):
            return [(b":authority", self._host), *fields]
        return [(name, self._host if name in places else value) for name, value in fields]

    def _forward(self, fields: list[Pair], names: list[bytes]) -> list[Pair]:
        if any(name != FORWARDED and name.replace(b"_", b"-") == FORWARDED for name in names):
            raise Ambiguous(
                "malformed_head"
            )  # CGI and WSGI read `_` as `-`: it would be the same field
        if names.count(FORWARDED) != 1:
            return [*fields, (FORWARDED, self._peer)]
        return [
            (name, (value and value + b", ") + self._peer if name == FORWARDED else value)
            for name, value in fields
        ]


def _string(text: bytes) -> bytes:
    """Encode a string (RFC 7541, section 5.2), without Huffman coding.

    >>> _string(b"ab"), _string(bytes(200))[:2]
    (b'\\x02ab', b'\\x7fI')
    """
    size = len(text)
    if size < 0x7F:
        return bytes((size,)) + text
    head, size = bytearray((0x7F,)), size - 0x7F
    while size >= 0x80:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + text
