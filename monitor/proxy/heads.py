"""HTTP/1.1 head bytes → where the body ends. A head with two readings raises Ambiguous.

One regular expression accepts or rejects a head as a whole. The recorder parses names and values
later, off the path of the traffic. RFC 9112 sections 3, 4, 5 and 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import inf

PREFACE = b"PRI * HTTP/2.0\r\n\r\n"
"""The part of the HTTP/2 connection preface that looks like a head (RFC 9113 section 3.4)."""
MAX_HEAD = 65536

CHUNKED = -1
UNTIL_CLOSE = -2

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
# Possessive quantifiers and atomic groups do not backtrack, so a hostile head costs no more than an
# honest one. Groups are atomic, not possessive: Python before 3.11.5 matches those wrongly.
_FIELDS = rb"(?>(?:" + _TOKEN + rb":[^\r\n\0]*+\r\n)*)\r\n"
_REQUEST = re.compile(_TOKEN + rb" [\x21-\x7e\x80-\xff]++ HTTP/1\.[01]\r\n" + _FIELDS)
_RESPONSE = re.compile(
    rb"HTTP/1\.[01] ([1-9][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n" + _FIELDS
)
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\r\n\0]*?)[ \t]*\r\n")

# Fields that do not say where the body ends, recognized by their first letters.
_OTHERS = (
    rb"(?>(?:(?![cCtTuUeE](?i:ontent-length|ransfer-encoding|pgrade:|xpect:))"
    + _TOKEN + rb":[^\r\n\0]*+\r\n)*)"
)  # fmt: skip
_LENGTH = rb"(?i:content-length):[ \t]*+([0-9]{1,18}+)[ \t]*+\r\n"
plain_request = re.compile(
    rb"(?:GET|POST|PUT|PATCH|DELETE|OPTIONS) [\x21-\x7e\x80-\xff]++ HTTP/1\.1\r\n"
    + _OTHERS + rb"(?>(?:" + _LENGTH + _OTHERS + rb")?)\r\n"
).match  # fmt: skip
"""Matches the head of a plain request; group 1 is the length of its body (None: 0). Plain: without
transfer coding, Upgrade, Expect or a second length. Most requests are."""
plain_response = re.compile(
    rb"HTTP/1\.1 (20[0-35-9]|30[0-35-9]|[45][0-9][0-9])(?: [\t\x20-\x7e\x80-\xff]*+)?\r\n"
    + _OTHERS + _LENGTH + _OTHERS + rb"\r\n"
).match  # fmt: skip
"""Matches the head of a plain response with a length; the groups are status and length."""
lone_newline = re.compile(rb"(?<!\r)\n").search
"""Finds a bare LF, which only some parsers take for the end of a line."""


class Ambiguous(Exception):  # noqa: N818  it names what the head is
    """Raised for bytes that parsers may read differently; its argument is an OPAQUE_REASON."""


def request_length(head: bytes) -> int:
    """Return the length of the body behind a request head in bytes, or CHUNKED; raises Ambiguous.

    >>> request_length(b"POST / HTTP/1.1\\r\\nContent-Length: 5\\r\\n\\r\\n")
    5
    """
    if _REQUEST.fullmatch(head) is None:
        raise Ambiguous("malformed_head")
    length = _length(head)
    return 0 if length == UNTIL_CLOSE else length


def response_status(head: bytes) -> int:
    """Return the status code of a response head; raises Ambiguous.

    >>> response_status(b"HTTP/1.1 404 Not Found\\r\\n\\r\\n")
    404
    """
    match = _RESPONSE.fullmatch(head)
    if match is None:
        raise Ambiguous("malformed_head")
    return int(match[1])


def response_length(head: bytes, status: int, method: bytes) -> int:
    """Return the length of the body behind a response head in bytes, CHUNKED or UNTIL_CLOSE.

    The head must have passed `response_status`. Raises Ambiguous.

    >>> response_length(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\n", 200, b"HEAD")
    0
    """
    length = _length(head)
    if status < 200 or status in {204, 304} or method == b"HEAD":
        return 0
    return length


def value(head: bytes, name: bytes) -> bytes:
    """Return the value of the field `name` (lower case); b"" if there is none or more than one.

    >>> value(b"HTTP/1.1 101 Upgrade:\\r\\nUpgrade: WebSocket\\r\\n\\r\\n", b"upgrade")
    b'WebSocket'
    """
    found = [head[start:end] for known, start, end in fields(head) if known == name]
    return found[0] if len(found) == 1 else b""


def fields(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield each field of an accepted head: its name in lower case, and where in the head its
    value begins and ends, without surrounding blanks.

    >>> list(fields(b"GET /a:b HTTP/1.1\\r\\nX:  Host: a \\r\\nhOST:\\r\\n\\r\\n"))
    [(b'x', 23, 30), (b'host', 38, 38)]
    """
    for field in _FIELD.finditer(head, head.index(b"\r\n") + 2):
        yield field[1].lower(), *field.span(2)


def has(head: bytes, name: bytes) -> bool:
    """Return True if an accepted head has the field `name` (lower case).

    No name or value contains a line end. So text between a line end and a colon is a name, and a
    value is never mistaken for a field.

    >>> has(b"GET / HTTP/1.1\\r\\nX: Upgrade: h2c\\r\\n\\r\\n", b"upgrade")
    False
    """
    return b"\r\n%b:" % name in head.lower()


def upgrades(head: bytes) -> bool:
    """Return True if a request asks for another protocol."""
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
    """Return the length for a head that has a second length or a transfer coding."""
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


_grpc_timeout = re.compile(rb"\r\n(?i:grpc-timeout): *([0-9]{1,8})([HMSmun])\r\n").search
_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


def patience(head: bytes) -> float:
    """Return after how many seconds a client of gRPC or gRPC-Web gives a call up by the deadline in
    its head.

    It is 5 % less than is written there: clients round up, and the head was under way.

    >>> patience(b"POST /a HTTP/2\\r\\ngrpc-timeout: 200m\\r\\n\\r\\n"), patience(b"")
    (0.19, inf)
    """
    found = _grpc_timeout(head)
    return 0.95 * int(found[1]) * _SECONDS[found[2]] if found else inf
