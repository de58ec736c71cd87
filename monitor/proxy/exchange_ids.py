"""The endpoint's bytes → the same, with the exchange's id in the head of each answer.

Sans-IO. The id is added only where an observer is certain where a head ends. Nothing is held back
for it: a head whose end was already forwarded in part stays as it is.
"""

from __future__ import annotations

NAME = b"x-monitor-exchange-id"

InsertionPoint = tuple[int, int, str]
"""The bytes of a piece behind the head that ends in it; the payload length of the head's last frame
in HTTP/2, -1 in HTTP/1.1; the exchange's id."""

_END_HEADERS, _PADDED = 0x4, 0x8
_MAX_FRAME = 16384
"""The largest frame that every client accepts (RFC 9113, section 4.2)."""


def insert(data: bytes, places: list[InsertionPoint]) -> bytes:
    """Return the piece with an id inserted at each place; places are in order.

    >>> head = b"HTTP/1.1 200 OK\\r\\nA: b\\r\\n\\r\\n"
    >>> insert(head + b"hi", [(2, -1, "1234")])
    b'HTTP/1.1 200 OK\\r\\nA: b\\r\\nx-monitor-exchange-id: 1234\\r\\n\\r\\nhi'
    """
    out: list[bytes] = []
    done = 0
    for behind, length, id_ in places:
        end = len(data) - behind
        if length < 0:
            if end - 2 < done:  # an earlier piece already has part of the blank line
                continue
            out += data[done : end - 2], b"%b: %b\r\n" % (NAME, id_.encode())
            done = end - 2
            continue
        start = end - length - 9
        field = b"\x00%c%b%c%b" % (len(NAME), NAME, len(id_), id_.encode())  # RFC 7541, 6.2.2
        if start < done or length + len(field) > _MAX_FRAME:
            continue
        flags = data[start + 4]
        if not flags & _END_HEADERS or flags & _PADDED:
            continue
        size = (length + len(field)).to_bytes(3)
        out += data[done:start], size, data[start + 3 : end], field
        done = end
    out.append(data[done:])
    return b"".join(out)
