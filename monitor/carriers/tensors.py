"""The bytes of a tensor, little-endian in row-major order → its values, as Triton packs them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from monitor import bodies
from monitor.errors import ParseError
from monitor.media import Media, WithMedia

_FORMATS = {
    "BOOL": "?", "UINT8": "B", "UINT16": "H", "UINT32": "I", "UINT64": "Q", "INT8": "b",
    "INT16": "h", "INT32": "i", "INT64": "q", "FP16": "e", "FP32": "f", "FP64": "d",
}  # fmt: skip


def unpack(datatype: str, raw: bytes) -> list[Any]:
    """Values of a V2 datatype; strings stand behind a length of four bytes each. Raises ParseError
    for an unknown datatype.

    >>> unpack("INT16", bytes([1, 0, 255, 255])), unpack("BYTES", bytes([2, 0, 0, 0]) + b"hi")
    ([1, -1], ['hi'])
    """
    if datatype == "BYTES":
        return list(_strings(raw))
    if datatype == "BF16":
        words = struct.unpack(f"<{len(raw) // 2}H", raw[: len(raw) // 2 * 2])
        return brains(words)
    form = _FORMATS.get(datatype)
    if form is None:
        raise ParseError("a binary tensor has an unknown datatype")
    count = len(raw) // struct.calcsize(form)
    values = struct.unpack(f"<{count}{form}", raw[: count * struct.calcsize(form)])
    return [_short(one) for one in values] if datatype == "FP16" else list(values)


def brains(words: tuple[int, ...]) -> list[float]:
    """Values of BF16, the upper half of a float, of their bits.

    >>> brains((0x3F80, 0x4049))
    [1.0, 3.141]
    """
    wide = struct.pack(f"<{len(words)}I", *((word & 0xFFFF) << 16 for word in words))
    return [float(f"{one:.4g}") for one in struct.unpack(f"<{len(words)}f", wide)]


def halves(words: tuple[int, ...]) -> list[float]:
    """Values of FP16 of their bits.

    >>> halves((0x3C00, 0x3555))
    [1.0, 0.33325]
    """
    return unpack("FP16", struct.pack(f"<{len(words)}H", *(word & 0xFFFF for word in words)))


def _short(value: float) -> float:
    """As many digits as tell a half float from its neighbours: all of a double's are eight times
    it."""
    return float(f"{value:.5g}")


def text(element: bytes) -> str:
    """An element of BYTES: a text, or the size of what is none.

    >>> text(b"hi"), text(bytes(4)), text(b"")
    ('hi', '[4 bytes]', '')
    """
    found = bodies.text(element)
    if found is None and element:
        return WithMedia.of(f"[{len(element)} bytes]", (Media("", (element,)),))
    return found or ""


def _strings(raw: bytes) -> Iterator[str]:
    start = 0
    while start + 4 <= len(raw):
        end = start + 4 + int.from_bytes(raw[start : start + 4], "little")
        yield text(raw[start + 4 : end])
        start = end
