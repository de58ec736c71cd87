"""The client's bytes → the bytes for the endpoint, with Host and X-Forwarded-For edited.

Sans-IO. With an edit on, the parser decides what is forwarded. It refuses what it cannot follow,
because that could pass an unedited request on. Bodies, other fields, their order and spelling stay
as they are. HTTP/2 with prior knowledge is edited by `http2_edits`.
"""

from __future__ import annotations

from monitor.proxy.copies import Budget, Copy
from monitor.proxy.heads import MAX_HEAD, PREFACE, Ambiguous, fields, has, request_length, upgrades
from monitor.proxy.http2_edits import FORWARDED, Http2Edits

Change = tuple[int, int, bytes]
"""Where in a head a change begins and ends, and the new bytes there."""

MAX_HELD = 65536
"""The most bytes of a client that wait for the answer to an upgrade."""

_WORDS = b'{"error":{"type":"client_error","message":"the request cannot be read in one way only"}}'
REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b" % (len(_WORDS), _WORDS)
)


class Edits:
    """Edits the bytes of one client.

    `host` is the value of Host for the endpoint (b"": leave it). `peer` is added to
    X-Forwarded-For (b"": do not). `tunnel`: what follows is not HTTP/1.1 and passes unchanged.
    `waiting`: bytes wait for `decided`. `blind`: no observer will call `decided`.
    """

    __slots__ = (
        "_body", "_fresh", "_gone", "_held", "_host", "_part", "_peer", "_upgrades", "blind",
        "http2", "tunnel", "waiting",
    )  # fmt: skip

    def __init__(self, *, host: bytes, peer: bytes) -> None:
        self._host = host
        self._peer = peer
        self._part = b""  # of a head
        self._body: Copy | None = None
        self._upgrades = False  # once the body is over
        self._held = b""
        self._fresh = True
        self._gone = False
        self.waiting = False
        self.tunnel = False
        self.blind = False
        self.http2: Http2Edits | None = None

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to forward now; raises Ambiguous if the client must be refused."""
        out: list[bytes] = []
        rest: bytes | None = data
        while rest:
            if self._gone:
                raise Ambiguous("upgrade")
            if self.http2 is not None:
                out.append(self.http2.feed(rest))
                break
            if self.tunnel:
                out.append(rest)
                break
            if self.waiting:
                self._held += rest
                if len(self._held) > MAX_HELD:
                    raise Ambiguous("upgrade")
                break
            rest = self._content(rest, out) if self._body is not None else self._head(rest, out)
        return b"".join(out)

    def holds(self) -> bool:
        """Return True while bytes wait for `decided`."""
        return bool(self._held)

    def decided(self, protocol: str) -> bytes:
        """Take the endpoint's decision: it changed to `protocol`, or declined ("").

        Returns the bytes that waited for it. Raises Ambiguous for a protocol with requests of its
        own, which would pass unedited.
        """
        held, self._held = self._held, b""
        waiting, self.waiting = self.waiting, False
        if protocol:
            self.tunnel = waiting and protocol == "websocket"
            self._gone = not self.tunnel
            if self._gone:
                raise Ambiguous("upgrade")
        return self.feed(held)

    def _content(self, data: bytes, out: list[bytes]) -> bytes | None:
        body = self._body
        rest = None if body is None else body.feed(data)
        if rest is None:
            out.append(data)
            return None
        out.append(data[: len(data) - len(rest)])
        self._body = None
        self.waiting = self._upgrades
        return rest

    def _head(self, data: bytes, out: list[bytes]) -> bytes | None:
        data = self._part + data
        self._part = b""
        while data.startswith(b"\r\n"):  # RFC 9112 section 2.2
            data = data[2:]
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(data) > MAX_HEAD:
                raise Ambiguous("head_too_large")
            self._part = data
            return None
        head, rest = data[:end], data[end:]
        if head == PREFACE and self._fresh:
            self.http2 = Http2Edits(host=self._host, peer=self._peer)
            return data
        self._fresh = False
        length = request_length(head)
        self._upgrades = upgrades(head)
        if head.startswith(b"CONNECT "):
            raise Ambiguous("connect")
        if self.blind and (self._upgrades or has(head, b"expect")):
            raise Ambiguous("upgrade")
        out.append(self._edit(head))
        if length:
            self._body = Copy(b"", length, 0, Budget(0))
        else:
            self.waiting = self._upgrades
        return rest

    def _edit(self, head: bytes) -> bytes:
        """Return the head with its fields edited in place."""
        hosts, claims = [], []
        for name, start, end in fields(head):
            if name == b"host":
                hosts.append((start, end))
            elif name == FORWARDED:
                claims.append((start, end))
            elif self._peer and name.replace(b"_", b"-") == FORWARDED:
                raise Ambiguous(
                    "malformed_head"
                )  # CGI and WSGI read `_` as `-`: it would be the same field
        changes = []
        if self._host:
            changes.append(self._name(head, hosts))
        if self._peer:
            changes.append(self._forward(head, claims))
        for start, end, text in sorted(changes, reverse=True):
            head = head[:start] + text + head[end:]
        return head

    def _name(self, head: bytes, hosts: list[tuple[int, int]]) -> Change:
        target = head.split(b" ", 2)[1]
        if not target.startswith(b"/") and target != b"*":
            raise Ambiguous(
                "malformed_head"
            )  # an absolute URI has a host of its own, RFC 9112 section 3.2.2
        if len(hosts) > 1:
            raise Ambiguous("malformed_head")
        if hosts:
            return *hosts[0], self._host
        line = head.index(b"\r\n") + 2
        return line, line, b"Host: " + self._host + b"\r\n"

    def _forward(self, head: bytes, claims: list[tuple[int, int]]) -> Change:
        if len(claims) == 1:
            ((start, end),) = claims
            return end, end, b", " + self._peer if start < end else self._peer
        # Several lines of a field are one list, in their order (RFC 9110 section 5.3).
        blank = len(head) - 2
        return blank, blank, b"X-Forwarded-For: " + self._peer + b"\r\n"
