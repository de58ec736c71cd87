"""The interface of observers: a copy of the bytes of one connection → Exchanges.

An observer takes the keyword arguments `emit`, `lose`, `opaque`, `new_id`, `started_unix`,
`max_body_bytes` and `budget`. It does not raise; if it does all the same, the splice turns the
connection opaque, `observer_failed`. Every exchange that it has begun goes exactly once to `emit`
or, with a reason of `metrics.LOSS_REASONS`, to `lose`.
"""

from __future__ import annotations

from typing import Protocol

from monitor.proxy.heads import value
from monitor.types import Message, Outcome

OPAQUE_REASONS = (
    "not_http",  # the first bytes belong to no observed protocol
    "tls",  # TLS that this proxy does not terminate
    "malformed_head",  # a start line or field that parsers may read differently
    "ambiguous_length",  # parsers may disagree where a body ends
    "malformed_chunk",  # parsers may disagree within a chunked body
    "head_too_large",  # more than 64 KiB without the end of a head
    "unsolicited_response",  # the server sent something without a request
    "connect",  # a tunnel opened with CONNECT
    "buffer_full",  # `capture.buffer_bytes` has no room even for following the connection
    "upgrade",  # a 101 to a protocol that is not observed
    "observer_failed",  # a defect of this program
)
"""Why an HTTP/1.1 connection turns opaque; other observers have lists of their own."""


class Observer(Protocol):
    """Sees what each side sent, in order of arrival; `at` is monotonic time in seconds."""

    def downstream(self, data: bytes, at: float) -> None:
        """Take bytes from the client that were forwarded."""

    def upstream(self, data: bytes, at: float) -> None:
        """Take bytes from the model endpoint that were forwarded."""

    def downstream_eof(self, at: float) -> None:
        """Note that the client will send no more (it may still read)."""

    def upstream_eof(self, at: float) -> None:
        """Note that the endpoint will send no more."""

    def abandon(self) -> None:
        """Stop observing: count exchanges under way as lost (`opaque`) and release all memory."""

    def closed(self, at: float, cause: Outcome | None) -> None:
        """End all open exchanges: the connection is over, because of `cause` if there is one."""

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """Return and record an answer in place of the endpoint's; empty if none is possible."""

    def busy(self) -> bool:
        """Return True while an exchange is under way: a drain waits for it."""

    def awaiting(self) -> bool:
        """Return True while the endpoint owes bytes: `timeouts.idle` runs."""

    def begun(self) -> float:
        """Return when an incomplete head began, if nothing else is under way; else 0."""


class Upgraded:
    """What the observer of an upgraded connection gets: its id, request, response and times."""

    __slots__ = ("began", "id", "protocol", "request", "response", "started")

    def __init__(
        self, id_: str, began: float, started: float, request: Message, response: Message
    ) -> None:
        self.id = id_
        self.began = began
        self.started = started
        self.request = request
        self.response = response
        self.protocol = value(response.head, b"upgrade").lower().decode("latin-1")
