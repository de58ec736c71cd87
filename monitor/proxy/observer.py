"""What an observer is: the bytes of one connection, seen passively → Exchanges.

An observer is built with keyword arguments `emit`, `lose`, `opaque`, `new_id`, `started_unix`,
`max_body_bytes` and `budget`; it never raises (the splice turns an exception into opaque
`observer_failed`). Every exchange that it has begun goes to `emit` or, with a reason of
`metrics.LOSS_REASONS`, to `lose`: once.
"""

from __future__ import annotations

from typing import Protocol

from monitor.proxy.heads import value
from monitor.types import Message, Outcome

OPAQUE_REASONS = (
    "not_http",  # the first bytes are no protocol that is observed
    "tls",  # TLS that somebody else ends
    "malformed_head",  # a start line or field that parsers may read in different ways
    "ambiguous_length",  # where a body ends is open to interpretation
    "malformed_chunk",  # likewise inside a chunked body
    "head_too_large",  # more than 64 KiB without the end of a head
    "unsolicited_response",  # the server spoke when nothing was asked
    "connect",  # a tunnel opened with CONNECT
    "buffer_full",  # `capture.buffer_bytes` has no room even for following along
    "upgrade",  # a 101 to a protocol that is not observed
    "observer_failed",  # a defect of ours
)
"""Why an HTTP/1.1 connection turns opaque; the other observers name their own."""


class Observer(Protocol):
    """Sees what each side sent, in order of arrival; `at` is a monotonic time in seconds."""

    def downstream(self, data: bytes, at: float) -> None:
        """Bytes from the client, after they were forwarded."""

    def upstream(self, data: bytes, at: float) -> None:
        """Bytes from the model endpoint, after they were forwarded."""

    def downstream_eof(self, at: float) -> None:
        """The client will send no more (it may still read)."""

    def upstream_eof(self, at: float) -> None:
        """The endpoint will send no more."""

    def abandon(self) -> None:
        """Follow no further: what is under way is lost (`opaque`), its memory given back."""

    def closed(self, at: float, cause: Outcome | None) -> None:
        """The connection is over; what is still open ended because of `cause`, if there is one."""

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """The answer the proxy gives in the endpoint's stead, recorded; empty where it cannot."""

    def busy(self) -> bool:
        """True while an exchange is under way: a drain waits for it."""

    def awaiting(self) -> bool:
        """True while the endpoint owes bytes: `timeouts.idle` runs."""

    def begun(self) -> float:
        """When the client began a head that has not ended, with nothing else under way, or 0."""


class Upgraded:
    """What the observer of an upgraded connection starts from."""

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
