"""The bytes of an HTTP/1.1 connection → Exchanges: heads as they are, bodies without their coding.

Most exchanges are plain: a request and an answer, each in one piece and of a stated length. They
are read here with one regular expression each. Anything else goes to `http1_parser`.
"""

from __future__ import annotations

from monitor.proxy.exchange_ids import NAME
from monitor.proxy.heads import has, plain_request, plain_response
from monitor.proxy.http1_parser import Http1Parser
from monitor.proxy.outcomes import of_status
from monitor.types import Exchange, Message, Outcome

_PER_REQUEST = 220
"""Bytes that a request takes beside its own while it waits for its answer."""

_LONGEST_METHOD = 8
"""Bytes of the longest method of a plain request with the space behind it."""

_IDLE, _WAITING, _PARSING = range(3)
"""The state of a connection: between exchanges; one plain request waits for its answer; anything
else, which the parser reads."""


class Http1FastPath:
    """Observes one connection; `parser` reads what is not plain."""

    def __init__(self, parser: Http1Parser) -> None:
        self._parser = parser
        self._emit = parser.emit
        self._lose = parser.lose
        self._named = parser.named
        self._new_id = parser.new_id
        self._started_unix = parser.started_unix
        self._bound = parser.bound
        self._budget = parser.budget
        self._state = _IDLE
        self._request = b"", 0, 0.0, ""  # a request: its bytes, size of its head, arrival, id
        self._charged = 0  # bytes that the budget was charged for it
        self._admitted = True  # else it is only followed: of its bytes the method is kept

    def downstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._state == _IDLE:
            match = plain_request(data)
            if match is not None:
                head = match.end()
                size = len(data)
                if int(match[1] or 0) == size - head <= self._bound and self._ask(data, head, at):
                    return
        self._leave().downstream(data, at)

    def _ask(self, data: bytes, head: int, at: float) -> bool:
        """Wait for the answer to a plain request; return False if even that has no room."""
        budget = self._budget
        used = budget.used
        charged = len(data) + _PER_REQUEST
        admitted = used + charged <= budget.bound and (used <= budget.early or budget.admits())
        if not admitted:
            data, charged = data[:_LONGEST_METHOD], _PER_REQUEST
            if used + charged > budget.limit:
                return False
        budget.used = used + charged
        self._request = data, head, at, self._new_id()
        self._charged = charged
        self._admitted = admitted
        self._state = _WAITING
        return True

    def upstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._state == _WAITING and self._answered(data, at):
            return
        parser = self._leave()
        parser.upstream(data, at)
        if parser.is_clean():
            self._state = _IDLE

    def _answered(self, data: bytes, at: float) -> bool:
        """Emit the exchange if the answer is plain and in one piece; return whether it was."""
        match = plain_response(data)
        if match is None:
            return False
        start = match.end()
        size = len(data) - start
        if int(match[2]) != size or size > self._bound:
            return False
        request, head, began, id_ = self._request
        self._budget.used -= self._charged
        self._state = _IDLE
        self._parser.fresh = False
        if self._named is not None and not has(data[:start], NAME):
            self._named(size, -1, id_)
        outcome = Outcome.OK if match[1] < b"400" else of_status(int(match[1]))
        if not self._admitted:
            self._lose(outcome, "buffer_full")
            return True
        took = at - began
        self._emit(
            Exchange(
                id_,
                self._started_unix(began),
                took,
                Message(request[:head], request[head:], len(request) - head),
                Message(data[:start], data[start:], size),
                [(took, size)] if size else [],
                outcome,
            )
        )
        return True

    def _leave(self) -> Http1Parser:
        """Hand the connection to the parser, with the request that waits for its answer."""
        if self._state == _WAITING:
            self._budget.used -= self._charged
            self._parser.adopt(*self._request, admitted=self._admitted)
        self._state = _PARSING
        return self._parser

    def downstream_eof(self, at: float) -> None:
        """See Observer."""
        self._leave().downstream_eof(at)

    def upstream_eof(self, at: float) -> None:
        """See Observer."""
        self._leave().upstream_eof(at)

    def abandon(self) -> None:
        """See Observer."""
        self._leave().abandon()

    def closed(self, at: float, cause: Outcome | None) -> None:
        """See Observer."""
        self._leave().closed(at, cause)

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """See Observer."""
        return self._leave().refuse(at, cause)

    def busy(self) -> bool:
        """See Observer."""
        return self._state == _WAITING or self._parser.busy()

    def awaiting(self) -> bool:
        """See Observer."""
        return self._state == _WAITING or self._parser.awaiting()

    def begun(self) -> float:
        """See Observer."""
        return self._parser.begun() if self._state == _PARSING else 0.0
