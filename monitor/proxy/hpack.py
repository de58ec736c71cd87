"""Header block → field lines: the decoding half of HPACK (RFC 7541), for one direction.

A decoded field has its line as HTTP/1.1 writes it. The line is made once and kept in the dynamic
table, so a field sent by index costs one look-up. Nothing is logged, because a value may be
personal data. Every bound is ours and not the peers'.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import deque

from monitor.proxy.heads import Ambiguous

Field = tuple[bytes, bytes, bytes, int]
"""Name, value, the line `name: value\\r\\n` (empty for a pseudo-header), size in a table."""

MAX_TABLE = 65536
"""The largest dynamic table that is followed, in bytes as RFC 7541 section 4.1 counts."""

MAX_FIELDS = 65536
"""The largest list of fields that one block may decode to, counted in the same way."""

_PER_FIELD = 130
"""Bytes that an entry of the table takes, beside twice its size (its texts, and its line)."""

_MALFORMED = "malformed_head"
_TOO_LARGE = "head_too_large"


class HeaderDecoder:
    """Decodes the header blocks of one direction of one connection; feed all of them, in order."""

    __slots__ = ("_capacity", "_size", "_table", "memory")

    def __init__(self) -> None:
        self._table: deque[Field] = deque()
        self._size = 0
        self._capacity = 4096
        self.memory = 0  # bytes that the table takes

    def fields(self, block: bytes) -> list[Field]:
        """Return the fields of a complete header block, in order.

        Raises Ambiguous(`malformed_head`) if the block is not HPACK, or has a name or value that
        cannot be in a field line, and Ambiguous(`head_too_large`) if it decodes beyond a bound.
        The decoder cannot be used afterwards.
        """
        try:
            return self._fields(block)
        except IndexError:  # the block ends within a field, or points beyond the table
            raise Ambiguous(_MALFORMED) from None

    def _fields(self, block: bytes) -> list[Field]:
        fields: list[Field] = []
        table = self._table
        room = MAX_FIELDS
        position, end = 0, len(block)
        while position < end:
            first = block[position]
            if first & 0x80:
                index = first & 0x7F
                position += 1
                if index == 0x7F:
                    index, position = _integer(block, position - 1, 0x7F)
                field = table[index - _DYNAMIC] if index >= _DYNAMIC else _STATIC[index]
            elif first & 0x60 != 0x20:
                field, position = self._literal(block, position)
            elif fields:
                raise Ambiguous(_MALFORMED)
            else:
                capacity, position = _integer(block, position, 0x1F)
                self._resize(capacity)
                continue
            room -= field[3]
            if room < 0:
                raise Ambiguous(_TOO_LARGE)
            fields.append(field)
        if _NOTHING in fields:
            raise Ambiguous(_MALFORMED)
        return fields

    def _literal(self, block: bytes, position: int) -> tuple[Field, int]:
        kept = block[position] & 0x40
        index, position = _integer(block, position, 0x3F if kept else 0x0F)
        if index:
            name = (self._table[index - _DYNAMIC] if index >= _DYNAMIC else _STATIC[index])[0]
        else:
            name, position = _string(block, position)
            if not _NAME(name):
                raise Ambiguous(_MALFORMED)
        value, position = _string(block, position)
        field = _field(name, value)
        if kept:
            self._add(field)
        return field, position

    def _add(self, field: Field) -> None:
        self._table.appendleft(field)
        self._size += field[3]
        self.memory += _PER_FIELD + 2 * field[3]
        if self._size > self._capacity:
            self._evict()

    def _evict(self) -> None:
        while self._size > self._capacity:
            size = self._table.pop()[3]
            self._size -= size
            self.memory -= _PER_FIELD + 2 * size

    def _resize(self, capacity: int) -> None:
        # The peers agree on a limit in SETTINGS, but the size in use is always stated in the
        # blocks themselves (RFC 7541, section 4.2); only our own bound is added here.
        if capacity > MAX_TABLE:
            raise Ambiguous(_TOO_LARGE)
        self._capacity = capacity
        self._evict()


def size_updates(block: bytes) -> bytes:
    """Return the beginning of a decoded block: its updates of the table's size.

    >>> size_updates(b"\\x20\\x3f\\x45\\x82")
    b' ?E'
    """
    position = 0
    while position < len(block) and block[position] & 0xE0 == 0x20:
        _, position = _integer(block, position, 0x1F)
    return block[:position]


_NAME = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_FORBIDDEN = re.compile(rb"[\r\n\0]").search


def _field(name: bytes, value: bytes) -> Field:
    said = value
    if _FORBIDDEN(value):
        if not (name.endswith(b"-bin") and value.startswith(b"\0")):
            raise Ambiguous(_MALFORMED)
        # Peers that speak gRPC send such metadata as it is, behind a 0, where both have said that
        # they can (gRPC proposal G1). The line has what they send otherwise.
        said = b64encode(value[1:]).rstrip(b"=")
    line = b"" if name[0] == 0x3A else b"%b: %b\r\n" % (name, said)
    return name, value, line, len(name) + len(value) + 32


def _integer(block: bytes, position: int, prefix: int) -> tuple[int, int]:
    """Decode an integer (RFC 7541, section 5.1): a prefix of a byte, then seven bits a byte."""
    value = block[position] & prefix
    position += 1
    if value < prefix:
        return value, position
    for shift in range(0, 28, 7):
        byte = block[position]
        position += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise Ambiguous(_MALFORMED)


def _string(block: bytes, position: int) -> tuple[bytes, int]:
    coded = block[position] & 0x80
    length, position = _integer(block, position, 0x7F)
    end = position + length
    if end > len(block):
        raise Ambiguous(_MALFORMED)
    text = block[position:end]
    return (_unfold(text) if coded else text), end


# --- Huffman code (RFC 7541, appendix B) -----------------------------------------------------
#
# The code is canonical, so the lengths say everything: one character a symbol, base 36, symbol
# 256 (end of string) last. Decoding walks the code tree a byte at a time. The table of a state
# (an inner node of the tree) is made when the state is first met: 256 × (text, next state).

_LENGTHS = (
    "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca"
    "d67777777777777777777777878djde6f56565666577666567655677777fbeds"
    "kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn"
    "qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq"
    "u"
)
_BROKEN = ~256
_Step = tuple[bytes, int]


def _tree() -> list[list[int]]:
    """Return the inner nodes as [child for 0, child for 1]: another node, or `~symbol`."""
    nodes = [[0, 0]]
    code = length = 0
    for symbol in sorted(range(257), key=lambda each: (int(_LENGTHS[each], 36), each)):
        code <<= int(_LENGTHS[symbol], 36) - length
        length = int(_LENGTHS[symbol], 36)
        node = 0
        for bit in range(length - 1, 0, -1):
            side = code >> bit & 1
            if not nodes[node][side]:
                nodes[node][side] = len(nodes)
                nodes.append([0, 0])
            node = nodes[node][side]
        nodes[node][code & 1] = ~symbol
        code += 1
    return nodes


def _padding(nodes: list[list[int]]) -> frozenset[int]:
    """Return the states in which a string may end: up to 7 ones, the beginning of symbol 256."""
    states = [0]
    for _ in range(7):
        states.append(nodes[states[-1]][1])
    return frozenset(states)


_NODES = _tree()
_ENDS = _padding(_NODES)
_HALVES: list[list[_Step]] = [[] for _ in _NODES]
_STEPS: list[list[_Step]] = [[] for _ in _NODES]


def _halves(state: int) -> list[_Step]:
    """Return where each of the sixteen half-bytes leads from a state."""
    steps = _HALVES[state]
    for half in range(0 if steps else 16):
        text, node = b"", state
        for bit in (3, 2, 1, 0):
            if node != _BROKEN:
                node = _NODES[node][half >> bit & 1]
                if node < 0 and node != _BROKEN:
                    text += bytes((~node,))
                    node = 0
        steps.append((text, node))
    return steps


def _steps(state: int) -> list[_Step]:
    steps = _STEPS[state]
    for text, node in _halves(state):
        if node == _BROKEN:
            steps += [(text, _BROKEN)] * 16
        else:
            steps += [(text + more, after) for more, after in _halves(node)]
    return steps


def _unfold(coded: bytes) -> bytes:
    text = []
    state = 0
    for byte in coded:
        piece, state = (_STEPS[state] or _steps(state))[byte]
        text.append(piece)
        if state < 0:
            raise Ambiguous(_MALFORMED)  # the end-of-string symbol within a string
    if state not in _ENDS:
        raise Ambiguous(_MALFORMED)
    return b"".join(text)


# --- static table (RFC 7541, appendix A) -----------------------------------------------------

_NOTHING: Field = (b"", b"", b"", 0)
"""A placeholder for index 0, which names no field."""

_STATIC: list[Field] = [_NOTHING] + [
    _field(name, value)
    for name, _, value in (
        # A value follows the name after a blank; `:` belongs to the name of a pseudo-header.
        line.strip().encode().partition(b" ")
        for line in """
        :authority
        :method GET
        :method POST
        :path /
        :path /index.html
        :scheme http
        :scheme https
        :status 200
        :status 204
        :status 206
        :status 304
        :status 400
        :status 404
        :status 500
        accept-charset
        accept-encoding gzip, deflate
        accept-language
        accept-ranges
        accept
        access-control-allow-origin
        age
        allow
        authorization
        cache-control
        content-disposition
        content-encoding
        content-language
        content-length
        content-location
        content-range
        content-type
        cookie
        date
        etag
        expect
        expires
        from
        host
        if-match
        if-modified-since
        if-none-match
        if-range
        if-unmodified-since
        last-modified
        link
        location
        max-forwards
        proxy-authenticate
        proxy-authorization
        range
        referer
        refresh
        retry-after
        server
        set-cookie
        strict-transport-security
        transfer-encoding
        user-agent
        vary
        via
        www-authenticate
        """.strip().splitlines()
    )
]
_DYNAMIC = len(_STATIC)
