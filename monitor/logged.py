"""What somebody else's log says of one exchange, raw: in memory only."""

from __future__ import annotations

import msgspec

from monitor.types import Outcome, Tokens


class Logged(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A row of somebody's log. What the log does not say is None, or empty: nothing is guessed.

    `started` is Unix seconds, `duration` and `first_token` are seconds from then. `request` and
    `response` are the bodies, which the protocol that claims `method` and `target` reads; what they
    do not say, `model`, `tokens`, `finish_reasons` and `streamed` do. `cost` is in US dollars.
    `outcome` is how it ended, where that is more than the `status` tells. Sizes are those of bodies
    that the log has not. `segments` are values by dimension, as the log names it; `id` is the log's
    own name of the exchange.
    """

    started: float | None = None
    duration: float | None = None
    first_token: float | None = None
    outcome: Outcome | None = None
    status: int | None = None
    method: str = "POST"
    target: str = ""
    request_headers: dict[str, str] = {}
    response_headers: dict[str, str] = {}
    request: bytes = b""
    response: bytes = b""
    request_size: int | None = None
    response_size: int | None = None
    request_truncated: bool = False
    response_truncated: bool = False
    operation: str = ""
    model: str = ""
    tokens: Tokens | None = None
    finish_reasons: list[str] = []
    streamed: bool = False
    cost: float | None = None
    segments: dict[str, str] = {}
    trace_id: str = ""
    id: str = ""

    @property
    def ended(self) -> Outcome | None:
        """How the exchange ended; None where the log says nothing of it."""
        if self.outcome is not None:
            return self.outcome
        return None if self.status is None else outcome_of(self.status)


def outcome_of(status: int) -> Outcome:
    """How an exchange with this HTTP status ended.

    >>> outcome_of(200).value, outcome_of(404).value, outcome_of(429).value, outcome_of(502).value
    ('ok', 'client_error', 'rate_limited', 'server_error')
    """
    if status < 400:
        return Outcome.OK
    if status == 429:
        return Outcome.RATE_LIMITED
    return Outcome.CLIENT_ERROR if status < 500 else Outcome.SERVER_ERROR
