"""Decoded header fields of HTTP/2 → heads and trailers as HTTP/1.1 writes them, and the Outcome."""

from __future__ import annotations

import re

from monitor.proxy.heads import Ambiguous
from monitor.proxy.hpack import Field
from monitor.proxy.outcomes import of_grpc_status, of_status
from monitor.types import Message, Outcome

_PSEUDO = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))

_token = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_target = re.compile(rb"[\x21-\x7e\x80-\xff]+").fullmatch
_grpc = re.compile(rb"\r\ncontent-type: *application/grpc(?!-web)").search
_grpc_status = re.compile(rb"(?:^|\r\n)grpc-status: *([0-9]{1,3})\r\n").search


def request_head(fields: list[Field]) -> bytes:
    """Return the head as HTTP/1.1 writes it (RFC 9113, section 8.3.1): `:authority` as `host`.

    Raises Ambiguous for fields that HTTP implementations could read in different ways.
    """
    lines = [field[2] for field in fields]
    count = lines.count(b"")
    pseudo = {field[0]: field[1] for field in fields[:count]}
    if len(pseudo) != count or not pseudo.keys() <= _PSEUDO:  # twice, unknown, or not in front
        raise Ambiguous("malformed_head")
    method, authority = pseudo.get(b":method", b""), pseudo.get(b":authority", b"")
    if method == b"CONNECT" and b":protocol" not in pseudo:
        target, sound = authority, b":path" not in pseudo and b":scheme" not in pseudo
    else:
        target, sound = pseudo.get(b":path", b""), b":scheme" in pseudo
    if not (sound and _token(method) and _target(target)):
        raise Ambiguous("malformed_head")
    del lines[:count]
    if authority:
        host = b"host: %b\r\n" % authority
        if host in lines:
            lines.remove(host)
        lines.insert(0, host)
    return b"%b %b HTTP/2\r\n%b\r\n" % (method, target, b"".join(lines))


def response_head(fields: list[Field]) -> bytes:
    """Return the head as HTTP/1.1 writes it, with an empty reason; raises Ambiguous."""
    lines = [field[2] for field in fields]
    status = fields[0][1] if fields and fields[0][0] == b":status" else b""
    if len(status) != 3 or not status.isdigit() or status < b"100" or lines.count(b"") != 1:
        raise Ambiguous("malformed_head")
    return b"HTTP/2 %b \r\n%b\r\n" % (status, b"".join(lines))


def trailer_lines(fields: list[Field]) -> bytes:
    """Return trailers as HTTP/1.1 writes them; raises Ambiguous for pseudo-header fields."""
    lines = [field[2] for field in fields]
    if b"" in lines:
        raise Ambiguous("malformed_head")
    return b"".join(lines)


def essence(lines: bytes) -> bytes:
    """Return the lines of a response's head or trailers that decide its outcome.

    >>> essence(b"HTTP/2 200 \\r\\na: b\\r\\ncontent-type: application/grpc+proto\\r\\n\\r\\n")
    b'HTTP/2 200 \\r\\ncontent-type: application/grpc\\r\\n\\r\\n'
    >>> essence(b"a: b\\r\\ngrpc-status: 8\\r\\n"), essence(b"a: b\\r\\n"), essence(b"")
    (b'grpc-status: 8\\r\\n', b'', b'')
    """
    status = _grpc_status(lines)
    said = b"grpc-status: %b\r\n" % status[1] if status else b""
    if not lines.startswith(b"HTTP/2 "):
        return said
    kind = b"content-type: application/grpc\r\n" if _grpc(lines) else b""
    return b"%b%b%b\r\n" % (lines[:13], kind, said)


def outcome_of(response: Message) -> Outcome:
    """Return the outcome of a complete answer: by its gRPC status, else by its HTTP status."""
    status = int(response.head[7:10])
    if status >= 400 or not _grpc(response.head):
        return of_status(status)
    # A trailers-only answer has its gRPC status in the head.
    found = _grpc_status(response.trailers or response.head)
    return of_grpc_status(int(found[1]) if found else None)
