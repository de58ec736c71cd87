"""The bytes of an HTTP/1.1 connection → Exchanges: heads as they are, bodies without their coding.

Most exchanges are plain: a request and an answer, each in one piece and of a stated length. They
are read here, at one look each. Anything else is read with care (`http1_careful`).
"""

from __future__ import annotations

from monitor.proxy.exchange_ids import NAME
from monitor.proxy.heads import has, plain_request, plain_response
from monitor.proxy.http1_parser import Careful
from monitor.proxy.outcomes import of_status
from monitor.types import Exchange, Message, Outcome

_PER_REQUEST = 220
"""Bytes that a request takes, beside its own, while it waits for its answer."""

_IDLE, _ASKED, _CAREFUL = range(3)
"""Where a connection is: between exchanges; with one plain request, and nothing else under way;
anywhere else."""


class Http1:
    """Observes one connection; `careful` reads what is not plain."""

    def __init__(self, careful: Careful) -> None:
        self._careful = careful
        self._emit = careful.emit
        self._named = careful.named
        self._new_id = careful.new_id
        self._started_unix = careful.started_unix
        self._bound = careful.bound
        self._budget = careful.budget
        self._state = _IDLE
        self._asked = b"", 0, 0.0, ""  # a request: its bytes, size of its head, arrival, id

    def downstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._state == _IDLE:
            match = plain_request(data)
            if match is not None:
                head = match.end()
                size = len(data)
                budget = self._budget
                if (
                    int(match[1] or 0) == size - head <= self._bound
                    and budget.used + size + _PER_REQUEST <= budget.bound
                ):
                    budget.used += size + _PER_REQUEST
                    self._asked = data, head, at, self._new_id()
                    self._state = _ASKED
                    return
        self._take_care().downstream(data, at)

    def upstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._state == _ASKED and self._answered(data, at):
            return
        careful = self._take_care()
        careful.upstream(data, at)
        if careful.is_clean():
            self._state = _IDLE

    def _answered(self, data: bytes, at: float) -> bool:
        """One plain request, one plain answer, each in one piece: the exchange is over."""
        match = plain_response(data)
        if match is None:
            return False
        start = match.end()
        size = len(data) - start
        if int(match[2]) != size or size > self._bound:
            return False
        request, head, began, id_ = self._asked
        self._budget.used -= len(request) + _PER_REQUEST
        self._state = _IDLE
        self._careful.fresh = False
        if self._named is not None and not has(data[:start], NAME):
            self._named(size, -1, id_)
        took = at - began
        self._emit(
            Exchange(
                id_,
                self._started_unix(began),
                took,
                Message(request[:head], request[head:], len(request) - head),
                Message(data[:start], data[start:], size),
                [(took, size)] if size else [],
                Outcome.OK if match[1] < b"400" else of_status(int(match[1])),
            )
        )
        return True

    def _take_care(self) -> Careful:
        """Leave the short cut, with the request that waits for its answer."""
        if self._state == _ASKED:
            self._budget.used -= len(self._asked[0]) + _PER_REQUEST
            self._careful.adopt(*self._asked)
        self._state = _CAREFUL
        return self._careful

    def downstream_eof(self, at: float) -> None:
        """See Observer."""
        self._take_care().downstream_eof(at)

    def upstream_eof(self, at: float) -> None:
        """See Observer."""
        self._take_care().upstream_eof(at)

    def abandon(self) -> None:
        """See Observer."""
        self._take_care().abandon()

    def closed(self, at: float, cause: Outcome | None) -> None:
        """See Observer."""
        self._take_care().closed(at, cause)

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """See Observer."""
        return self._take_care().refuse(at, cause)

    def busy(self) -> bool:
        """See Observer."""
        return self._state == _ASKED or self._careful.busy()

    def awaiting(self) -> bool:
        """See Observer."""
        return self._state == _ASKED or self._careful.awaiting()

    def begun(self) -> float:
        """See Observer."""
        return self._careful.begun() if self._state == _CAREFUL else 0.0
