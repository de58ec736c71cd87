"""A body of OTLP → what the collector said of it; how, is the matter of `http` and `grpc`."""

from __future__ import annotations

from typing import NamedTuple, Protocol

LONGEST_PAUSE = 30.0
"""Seconds that a collector may ask for until the next try."""
LONGEST_ANSWER = 1 << 16
"""Bytes of an answer that are read."""


class Answer(NamedTuple):
    """`wrong` says in a few words why a delivery failed; empty: the collector took it.

    `may_retry` is whether OTLP lets it be sent again, `said` the message of a collector that took
    it, `pause` the seconds to wait that it asks for, 0 if it asks for none.
    """

    wrong: str = ""
    may_retry: bool = False
    said: bytes = b""
    pause: float = 0.0


class Transport(Protocol):
    """Carries bodies to one place, one after the other."""

    shown: str
    """The place, without what is secret in its URL."""

    def send(self, body: bytes) -> Answer:
        """Deliver once, within the transport's time-out as a whole; never raises."""

    def close(self) -> None:
        """Give up what is under way, at once and from any thread."""
