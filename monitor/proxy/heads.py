"""HTTP/1.1 head bytes → where the body ends; what may be read in two ways raises Ambiguous.

A head is matched whole by one regular expression instead of being parsed: names and values are
read by the recorder, later, off the path of the traffic. RFC 9112 sections 3, 4, 5 and 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
"""What an HTTP/2 client begins with, as far as it looks like a head (RFC 9113 section 3.4)."""
MAX_HEAD = 65536

CHUNKED = -1
UNTIL_CLOSE = -2

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# Possessive: nothing is tried twice, so a hostile head costs no more than an honest one.
_FIELDS = rb"(?:" + _TOKEN + rb":[^\r\n\0]*+\r\n)*+\r\n"
_REQUEST = re.compile(_TOKEN + rb" [\x21-\x7e\x80-\xff]++ HTTP/1\.[01]\r\n" + _FIELDS)
_RESPONSE = re.compile(
    rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + _FIELDS
)
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\r\n\0]*?)[ \t]*\r\n")

# Fields that say nothing of where the body ends, told apart by how they begin.
_OTHERS = (
    rb"(?:(?![cCtTuUeE](?i:ontent-length|ransfer-encoding|pgrade:|xpect:))"
    + _TOKEN + rb":[^\r\n\0]*+\r\n)*+"
)  # fmt: skip
_LENGTH = rb"(?i:content-length):[ \t]*+([0-9]{1,18}+)[ \t]*+\r\n"
plain_request = re.compile(
    rb"(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) [\x21-\x7e\x80-\xff]++ HTTP/1\.1\r\n"
    + _OTHERS + rb"(?:" + _LENGTH + _OTHERS + rb")?+\r\n"
).match  # fmt: skip
"""Matches the head of a plain request, whose group 1 is the length of its body (None: 0). Most are
plain: nothing is coded, upgraded, expected or said twice, and one look is enough for them."""
plain_response = re.compile(
    rb"HTTP/1\.1 (20[0-35-9]|30[0-35-9]|[45][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n"
    + _OTHERS + _LENGTH + _OTHERS + rb"\r\n"
).match  # fmt: skip
"""Matches the head of a plain response, one with a length: groups are status and length."""
lone_newline = re.compile(rb"(?<!\r)\n").search
"""Finds the end of a line that only some parsers see."""


class Ambiguous(Exception):  # noqa: N818  it names what the head is
    """Parsers may disagree on this message; the argument is one of the OPAQUE_REASONS."""


def request_length(head: bytes) -> int:
    """Length of the body that follows a request head, or CHUNKED.

    >>> request_length(b"POST / HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\n")
    5
    """
    if _REQUEST.fullmatch(head) is None:
        raise Ambiguous("malformed_head")
    length = _length(head)
    return 0 if length == UNTIL_CLOSE else length


def response_status(head: bytes) -> int:
    """The status code of a response head.

    >>> response_status(b"HTTP/1.1 404 Not Found\\r\\n\\r\\n")
    404
    """
    match = _RESPONSE.fullmatch(head)
    if match is None:
        raise Ambiguous("malformed_head")
    return int(match[1])


def response_length(head: bytes, status: int, method: bytes) -> int:
    """Length of the body that follows a response head (after `response_status` has accepted it),
    CHUNKED or UNTIL_CLOSE.

    >>> response_length(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n", 200, b"HEAD")
    0
    """
    length = _length(head)
    if status < 200 or status in {204, 304} or method == b"HEAD":
        return 0
    return length


def value(head: bytes, name: bytes) -> bytes:
    """The value of the field `name` (lower case), b"" where there is none or more than one.

    >>> value(b"HTTP/1.1 101 Upgrade:\\r\\nUpgrade: WebSocket\\r\\n\\r\\n", b"upgrade")
    b'WebSocket'
    """
    found = [head[start:end] for known, start, end in fields(head) if known == name]
    return found[0] if len(found) == 1 else b""


def fields(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each field of a head that was accepted: its name in lower case, and where in the head
    its value begins and ends, without the blanks around it.

    >>> list(fields(b"GET /a:b HTTP/1.1\\r\\nX:  Host: a \\r\\nhOST:\\r\\n\\r\\n"))
    [(b'x', 23, 30), (b'host', 38, 38)]
    """
    for field in _FIELD.finditer(head, head.index(b"\r\n") + 2):
        yield field[1].lower(), *field.span(2)


def has(head: bytes, name: bytes) -> bool:
    """True when a head that was accepted has the field `name` (lower case).

    No name or value holds a line's end, so what stands right behind one and before a colon is a
    name: what a value says is never mistaken for a field.

    >>> has(b"GET / HTTP/1.1\\r\\nX: Upgrade: h2c\\r\\n\\r\\n", b"upgrade")
    False
    """
    return b"\r\n%b:" % name in head.lower()


def upgrades(head: bytes) -> bool:
    """True when a request asks for another protocol."""
    return has(head, b"upgrade")


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.find(b"content-length")
    if b"transfer-encoding" in lower:
        return _strict_length(head)
    if start < 0:
        return UNTIL_CLOSE
    if lower.find(b"content-length", start + 14) >= 0 or lower[start - 1] != 10:
        return _strict_length(head)
    if lower[start + 14] != 58:
        return _strict_length(head)
    return _decimal(lower[start + 15 : lower.find(b"\r", start)].strip(b" \t"))


def _strict_length(head: bytes) -> int:
    """The same for a head that names a length twice, or a transfer coding, or not in a name."""
    start = head.index(b"\r\n") + 2
    lengths, codings = [], []
    while start < len(head) - 2:
        field = _FIELD.match(head, start)
        if field is None:
            raise Ambiguous("malformed_head")
        name = field[1].lower()
        if name == b"content-length":
            lengths.append(field[2])
        elif name == b"transfer-encoding":
            codings.append(field[2].lower())
        start = field.end()
    if codings:
        old = b"HTTP/1.0" in head[: head.index(b"\r")]
        if lengths or old or codings != [b"chunked"]:
            raise Ambiguous("ambiguous_length")
        return CHUNKED
    if not lengths:
        return UNTIL_CLOSE
    if len(lengths) > 1:
        raise Ambiguous("ambiguous_length")
    return _decimal(lengths[0])


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise Ambiguous("ambiguous_length")
    return int(text)
