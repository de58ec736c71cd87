"""Values → fields of OTLP's protobuf messages, by hand: a library takes longer.

https://github.com/open-telemetry/opentelemetry-proto, `trace/v1/trace.proto` and
`common/v1/common.proto`; the encoding is https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping

_SHORT = [bytes((number,)) for number in range(128)]
_INTEGER = (1 << 64) - 1

_double = struct.Struct("<d").pack
times = struct.Struct("<BQBQ").pack
"""`times(0x39, start, 0x41, end)`: the two times of a span, in nanoseconds."""


def varint(number: int) -> bytes:
    """A number of up to 64 bits; a negative one as its complement.

    >>> varint(300).hex(), len(varint(-1))
    ('ac02', 10)
    """
    number &= _INTEGER
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    found.append(number)
    return bytes(found)


def block(tag: bytes, data: bytes) -> bytes:
    """A field of a text, of bytes or of a message."""
    size = len(data)
    return tag + (_SHORT[size] if size < 128 else varint(size)) + data


def key(name: str) -> bytes:
    """The name of an attribute, as `text` and the others take it; empty: it is left out."""
    return block(b"\x0a", name.encode()) if name else b""


def text(name: bytes, value: str) -> bytes:
    """An attribute of a span that is a text."""
    return _attribute(name, block(b"\x0a", value.encode("utf-8", "replace")))


def texts(name: bytes, values: Iterable[str]) -> bytes:
    """An attribute that is a list of texts."""
    each = [block(b"\x0a", value.encode("utf-8", "replace")) for value in values]
    return _attribute(name, block(b"\x2a", b"".join([block(b"\x0a", one) for one in each])))


def number(name: bytes, value: float) -> bytes:
    """An attribute that is a whole number of 64 bits, or a float."""
    if type(value) is int:
        said = _SHORT[value] if 0 <= value < 128 else varint(value)
        return _attribute(name, b"\x18" + said)
    return _attribute(name, b"\x21" + _double(value))


def flag(name: bytes, value: bool) -> bytes:
    """An attribute that is true or false."""
    return _attribute(name, b"\x10\x01" if value else b"\x10\x00")


def whole(attributes: Mapping[str, str], scope: str, version: str) -> Callable[[bytes], bytes]:
    """Return what makes an `ExportTraceServiceRequest` of spans, each a field of `ScopeSpans`, that
    were sent by a resource with these attributes."""
    pairs = [
        block(b"\x0a", key(name) + block(b"\x12", block(b"\x0a", value.encode("utf-8", "replace"))))
        for name, value in attributes.items()
    ]
    sender = block(b"\x0a", b"".join(pairs))
    by = block(b"\x0a", block(b"\x0a", scope.encode()) + block(b"\x12", version.encode()))
    return lambda spans: block(b"\x0a", sender + block(b"\x12", by + spans))


def _attribute(name: bytes, value: bytes) -> bytes:
    """`Span.attributes`: a KeyValue of a key and an AnyValue."""
    return block(b"\x4a", name + block(b"\x12", value)) if name else b""
