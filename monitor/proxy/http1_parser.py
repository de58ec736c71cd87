"""The bytes of any HTTP/1.1 connection, in pieces of any size → Exchanges.

Passive and sans-IO (RFC 9112). It parses only what all HTTP implementations agree on. At the first
ambiguity it calls `opaque` and stops. `http1_fast_path` reads plain exchanges without it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from monitor.proxy.copies import Budget, Copy
from monitor.proxy.exchange_ids import NAME
from monitor.proxy.heads import (
    MAX_HEAD,
    PREFACE,
    Ambiguous,
    has,
    lone_newline,
    patience,
    request_length,
    response_length,
    response_status,
    upgrades,
    value,
)
from monitor.proxy.http1_exchange import PER_EXCHANGE, OpenExchange
from monitor.proxy.observer import Observer, Upgraded
from monitor.proxy.outcomes import of_status
from monitor.types import Exchange, Message, Outcome

STALE = 0.1
"""Seconds. If a reused connection ends this soon after a request, without a byte of an answer, the
endpoint had closed it before the request came. The client retries, so this is no exchange."""

_ANSWERS = {
    Outcome.UPSTREAM_REFUSED: (b"502 Bad Gateway", b"the model endpoint cannot be reached"),
    Outcome.UPSTREAM_TIMEOUT: (b"504 Gateway Timeout", b"the model endpoint did not answer"),
}


class Http1Parser:
    """Observes one connection.

    `become(kind, upgraded)` returns the observer that takes over, or None. `decided` is called with
    the protocol to which an upgrade led, "" for none. `named` is called with the place where the
    head of an answer ends and its exchange's id (see `exchange_ids`).
    """

    def __init__(
        self,
        *,
        emit: Callable[[Exchange], None],
        lose: Callable[[Outcome, str], None],
        opaque: Callable[[str], None],
        become: Callable[[str, Upgraded | None], Observer | None],
        new_id: Callable[[], str],
        started_unix: Callable[[float], float],
        max_body_bytes: int,
        budget: Budget,
        decided: Callable[[str], None] = lambda protocol: None,
        named: Callable[[int, int, str], None] | None = None,
    ) -> None:
        self.emit = emit
        self._decided = decided
        self.named = named
        self.lose = lose
        self._opaque = opaque
        self._become = become
        self.new_id = new_id
        self.started_unix = started_unix
        self.bound = max_body_bytes
        self.budget = budget
        self._queue: deque[OpenExchange] = deque()
        self._request_copy: Copy | None = None
        self._response_copy: Copy | None = None
        self._request_part = bytearray()
        self._request_at = 0.0
        self._response_part = b""
        self._unclaimed = 0  # bytes of the parts and of `_after_upgrade` that are charged
        self._after_upgrade: bytearray | None = (
            None  # what follows a request that may change the protocol
        )
        self._successor: Observer | None = None
        self._stopped = False  # opaque
        self.fresh = True  # no exchange has ended on this connection yet
        self._client_ended = False
        self._server_ended = False
        self._cause: Outcome | None = None

    def adopt(self, data: bytes, head: int, began: float, id_: str, *, admitted: bool) -> None:
        """Take over a plain request that came whole; its head is the first `head` bytes. Of one
        that is not `admitted` `data` begins with the method, and the exchange is only followed."""
        method = data[: data.index(b" ")]
        exchange = OpenExchange(self.budget, id_, began, self.started_unix(began), method)
        exchange.request = Message(data[:head], data[head:], len(data) - head)
        exchange.charge(PER_EXCHANGE + len(data))
        if not admitted:
            exchange.forget()
        self._queue.append(exchange)

    def is_clean(self) -> bool:
        """Return True between exchanges, when the next bytes can only begin a new one."""
        return not (
            self._queue or self._stopped or self._successor or self._after_upgrade is not None
            or self._request_part or self._response_part
            or self._request_copy or self._response_copy
        )  # fmt: skip

    # --- from the splice ---------------------------------------------------------------------

    def downstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._successor is not None:
            self._successor.downstream(data, at)
            return
        try:
            self._requests(data, at)
            if self._request_part or self._after_upgrade or self._unclaimed:
                self._charge_unclaimed()
        except Ambiguous as error:
            self._give_up(error.args[0])

    def upstream(self, data: bytes, at: float) -> None:
        """See Observer."""
        if self._successor is not None:
            self._successor.upstream(data, at)
            return
        try:
            self._responses(data, at)
            if self._response_part or self._unclaimed:
                self._charge_unclaimed()
        except Ambiguous as error:
            self._give_up(error.args[0])

    def downstream_eof(self, at: float) -> None:
        """See Observer."""
        self._client_ended = not self._server_ended  # the side that ends first is to blame
        if self._successor is not None:
            self._successor.downstream_eof(at)

    def upstream_eof(self, at: float) -> None:
        """See Observer."""
        self._server_ended = True
        if self._successor is not None:
            self._successor.upstream_eof(at)
            return
        copy = self._response_copy
        if copy is not None and copy.until_close() and self._queue:
            self._response_copy = None
            self._responded(self._queue[0], copy.message(), at, lost=copy.dropped)

    def closed(self, at: float, cause: Outcome | None) -> None:
        """See Observer."""
        if self._successor is not None:
            self._successor.closed(at, cause)
            return
        if cause is None:
            cause = Outcome.CLIENT_GONE if self._client_ended else Outcome.UPSTREAM_BROKEN
        while self._queue:
            exchange = self._queue[0]
            if exchange.response is None and not self._stale(exchange, at, cause):
                self._partial(exchange, cause, at)
            elif exchange.response is not None:
                self._take_partial_request(
                    exchange
                )  # the answer came before the end of its request
                self._finish(exchange, None)
            else:
                exchange.discard()
            self._queue.popleft()
        self.abandon()

    def abandon(self) -> None:
        """See Observer."""
        self._stopped = True
        if self._successor is not None:
            self._successor.abandon()
        while self._queue:
            exchange = self._queue.popleft()
            exchange.discard()
            reason = "buffer_full" if exchange.lost else "opaque"
            self.lose(of_status(exchange.status), reason)
        for copy in (self._request_copy, self._response_copy):
            if copy is not None:
                copy.release()
        self._request_copy = self._response_copy = None
        self._request_part.clear()
        self._response_part = b""
        self._after_upgrade = None
        self._charge_unclaimed()

    def refuse(self, at: float, cause: Outcome) -> bytes:
        """See Observer."""
        if self._successor is not None:
            return self._successor.refuse(at, cause)
        if (
            self._stopped
            or not self._queue
            or self._response_copy is not None
            or self._response_part
        ):
            return b""
        status, text = _ANSWERS[cause]
        body = b'{"error":{"type":"%s","message":"%s"}}' % (cause.value.encode(), text)
        head = (
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
            b"Connection: close\r\n\r\n" % (status, len(body))
        )
        if self._queue[0].method == b"HEAD":
            body = b""
        self._cause = cause
        self._responses(head + body, at)
        self.closed(at, cause)
        return head + body

    def busy(self) -> bool:
        """See Observer."""
        if self._successor is not None:
            return self._successor.busy()
        return bool(self._queue or self._request_part)

    def awaiting(self) -> bool:
        """See Observer."""
        if self._successor is not None:
            return self._successor.awaiting()
        if not self._queue:
            return False
        first = self._queue[0]
        return first.response is None and (first.request is not None or first.status > 0)

    def begun(self) -> float:
        """See Observer."""
        if self._successor is not None:
            return self._successor.begun()
        return self._request_at if self._request_part and not self._queue else 0.0

    # --- requests ----------------------------------------------------------------------------

    def _requests(self, data: bytes, at: float) -> None:
        rest: bytes | None = data
        while rest:
            if self._stopped:
                return
            if self._successor is not None:
                self._successor.downstream(rest, at)
                return
            copy = self._request_copy
            if copy is not None:
                if copy.size == 0 and self._queue[-1].response is not None and copy.expects():
                    raise Ambiguous(
                        "ambiguous_length"
                    )  # this may be the body after all, or a new request
                rest = copy.feed(rest)
                if rest is not None:
                    self._request_copy = None
                    self._requested(self._queue[-1], copy, at)
            elif self._after_upgrade is not None:
                self._after_upgrade += rest
                if len(self._after_upgrade) > MAX_HEAD:
                    raise Ambiguous("head_too_large")
                return
            else:
                rest = self._request_head(rest, at)

    def _request_head(self, data: bytes, at: float) -> bytes | None:
        part = self._request_part
        if part:
            searched = max(0, len(part) - 3)
            part += data
            if part[0] == 13:  # the rest of an empty line comes only now
                data = bytes(part)
                part.clear()
                return self._request_head(data, at)
            end = part.find(b"\r\n\r\n", searched) + 4
            if end < 4:
                self._wait_for_request(part, searched)
                return None
            head, data = bytes(part[:end]), bytes(part[end:])
            part.clear()
            return self._request(head, data, self._request_at, at)
        while data.startswith(b"\r\n"):  # RFC 9112 section 2.2
            data = data[2:]
        end = data.find(b"\r\n\r\n") + 4
        if end >= 4:
            return self._request(data[:end], data[end:], at, at)
        if data:
            self._request_at = at
            part += data
            self._wait_for_request(part, 0)
        return None

    def _request(self, head: bytes, data: bytes, began: float, at: float) -> bytes | None:
        """Begin a request; return the bytes behind what has come of it."""
        if head == PREFACE and self.fresh and not self._queue:
            self._prior_knowledge(data, at)
            return None
        length = request_length(head)
        admitted = self.budget.admits()
        exchange = OpenExchange(
            self.budget, self.new_id(), began, self.started_unix(began), head[: head.index(b" ")]
        )
        self._queue.append(exchange)
        size = len(data)
        if 0 <= length <= size:
            body = data if size == length else data[:length]
            if length > self.bound:
                body = body[: self.bound]
            exchange.request = Message(head, body, length)
            exchange.charge(PER_EXCHANGE + len(head) + len(body))
            data = data[length:]
        else:
            exchange.charge(PER_EXCHANGE)
            self._request_copy = Copy(head, length, self.bound, self.budget)
            if not admitted:
                self._request_copy.drop()
        if not admitted:
            exchange.forget()
        self.budget.check()
        if self._response_part and len(self._queue) == 1:
            raise Ambiguous("unsolicited_response")
        if upgrades(head) or exchange.method == b"CONNECT":
            self._after_upgrade = bytearray()
        return data

    def _wait_for_request(self, part: bytearray, searched: int) -> None:
        if part == b"\r":
            return
        if part[0] in (22, 128) and self.fresh:
            raise Ambiguous("tls")
        if not chr(part[0]).isalnum() or (len(part) > 32 and b" " not in part[:33]):
            raise Ambiguous("not_http" if self.fresh else "malformed_head")
        if lone_newline(part, searched):
            raise Ambiguous("malformed_head")
        if len(part) > MAX_HEAD:
            raise Ambiguous("head_too_large")

    def _requested(self, exchange: OpenExchange, copy: Copy, at: float) -> None:
        request = exchange.request = copy.message()
        if copy.dropped or exchange.lost:
            exchange.forget()
        exchange.charge(len(request.head) + len(request.body) + len(request.trailers))
        if exchange.response is not None:
            exchange.ended = at
            self._queue.popleft()
            self._finish(exchange, None)
            self._resume_requests(at)

    def _prior_knowledge(self, data: bytes, at: float) -> None:
        early, self._response_part = self._response_part, b""
        self._successor = self._become("http2", None)
        if self._successor is None:
            raise Ambiguous("not_http")
        if early:
            self._successor.upstream(early, at)
        self._successor.downstream(PREFACE + data, at)

    # --- responses ---------------------------------------------------------------------------

    def _responses(self, data: bytes, at: float) -> None:
        rest: bytes | None = data
        while rest:
            if self._stopped:
                return
            if self._successor is not None:
                self._successor.upstream(rest, at)
                return
            if not self._queue:
                self._response_part += rest
                if not self.fresh or self._request_part or len(self._response_part) > MAX_HEAD:
                    raise Ambiguous("unsolicited_response")
                return  # an HTTP/2 server may speak first
            exchange = self._queue[0]
            copy = self._response_copy
            if copy is None:
                rest = self._response_head(exchange, rest, at)
                continue
            before = copy.size
            rest = copy.feed(rest)
            if copy.size > before:
                exchange.arrived(copy.size, at, merge=copy.full())
            if rest is not None:
                self._response_copy = None
                self._responded(exchange, copy.message(), at, lost=copy.dropped)

    def _response_head(self, exchange: OpenExchange, data: bytes, at: float) -> bytes | None:
        if exchange.response is not None:
            raise Ambiguous("unsolicited_response")
        size = len(data)
        if self._response_part:
            data = self._response_part + data
            self._response_part = b""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            if len(data) > MAX_HEAD:
                raise Ambiguous("head_too_large")
            if data[:7] != b"HTTP/1."[: len(data)] or lone_newline(data, len(data) - size):
                raise Ambiguous("malformed_head")
            self._response_part = data
            return None
        head, data = data[:end], data[end:]
        status = response_status(head)
        length = response_length(head, status, exchange.method)
        if status < 200:
            return self._interim(exchange, head, status, data, at)
        if 200 <= status < 300 and exchange.method == b"CONNECT":
            self._tunnel(exchange, Message(head), "connect", at)
            return None
        exchange.status = status
        if self.named is not None and not has(head, NAME):
            self.named(len(data), -1, exchange.id)
        size = len(data)
        if 0 <= length <= size:
            if length:
                exchange.chunks.append((at - exchange.began, length))
            body = data[:length] if length <= self.bound else data[: self.bound]
            self._responded(exchange, Message(head, body, length), at)
            return data[length:] if size > length else None
        self._response_copy = Copy(head, length, self.bound, self.budget)
        if exchange.lost:
            self._response_copy.drop()
        self.budget.check()
        exchange.ended = at
        return data

    def _interim(
        self, exchange: OpenExchange, head: bytes, status: int, data: bytes, at: float
    ) -> bytes | None:
        if status != 101:
            return data
        request = exchange.request
        self._decided(value(head, b"upgrade").lower().decode("latin-1") or "?")
        if request is None or len(self._queue) > 1 or self._request_part:
            raise Ambiguous(
                "upgrade"
            )  # unclear: which request was upgraded, and what the client sends
        if value(head, b"upgrade").lower() == b"websocket" and not exchange.lost:
            upgraded = Upgraded(
                exchange.id, exchange.began, exchange.started, request, Message(head)
            )
            self._successor = self._become("websocket", upgraded)
        if self._successor is None:
            self._tunnel(exchange, Message(head), "upgrade", at)
            return None
        self._queue.clear()
        exchange.discard()
        held, self._after_upgrade = self._after_upgrade, None
        if held:
            self._successor.downstream(bytes(held), at)
        return data

    def _tunnel(self, exchange: OpenExchange, response: Message, reason: str, at: float) -> None:
        exchange.ended = at
        exchange.response = response
        exchange.status = 200
        if exchange.request is not None:
            self._finish(exchange, None)
            self._queue.popleft()
        raise Ambiguous(reason)

    def _responded(
        self, exchange: OpenExchange, response: Message, at: float, *, lost: bool = False
    ) -> None:
        exchange.ended = at
        exchange.response = response
        if lost or exchange.lost:
            exchange.forget()
        if exchange.request is not None:
            self._queue.popleft()
            self._finish(exchange, None)
            self._resume_requests(at)
        else:
            exchange.charge(len(response.head) + len(response.body))

    def _resume_requests(self, at: float) -> None:
        """Read what the client sent meanwhile as requests: there was no upgrade."""
        if self._after_upgrade is not None and not self._queue:
            held, self._after_upgrade = self._after_upgrade, None
            self._decided("")
            if held:
                self._requests(bytes(held), at)

    # --- endings -----------------------------------------------------------------------------

    def _finish(self, exchange: OpenExchange, cause: Outcome | None) -> None:
        self.fresh = False
        exchange.discard()
        outcome = cause or self._cause or of_status(exchange.status)
        request = exchange.request
        if exchange.lost or request is None:
            self.lose(outcome, "buffer_full")
            return
        self.emit(
            Exchange(
                exchange.id,
                exchange.started,
                exchange.ended - exchange.began,
                request,
                exchange.response,
                exchange.chunks,
                outcome,
            )
        )

    def _partial(self, exchange: OpenExchange, cause: Outcome, at: float) -> None:
        """Record an exchange that ended before its response did."""
        exchange.ended = at
        self._take_partial_request(exchange)
        asked = b"" if exchange.request is None else exchange.request.head
        if cause is Outcome.CLIENT_GONE and at - exchange.began >= patience(asked):
            cause = Outcome.UPSTREAM_TIMEOUT  # a client of gRPC-Web left because of its deadline
        if self._response_copy is not None:
            exchange.lost = exchange.lost or self._response_copy.dropped
            exchange.response = self._response_copy.message()
            self._response_copy = None
        self._finish(exchange, cause)

    def _take_partial_request(self, exchange: OpenExchange) -> None:
        """Take an incomplete request as far as it has come."""
        if exchange.request is None and self._request_copy is not None:
            exchange.lost = exchange.lost or self._request_copy.dropped
            exchange.request = self._request_copy.message()
            self._request_copy = None

    def _stale(self, exchange: OpenExchange, at: float, cause: Outcome) -> bool:
        if self.fresh or exchange.status or self._response_copy is not None or self._response_part:
            return False
        return cause is Outcome.UPSTREAM_BROKEN and at - exchange.began < STALE

    def _charge_unclaimed(self) -> None:
        """Charge the bytes that wait for more and belong to no exchange yet."""
        unclaimed = (
            len(self._request_part) + len(self._response_part) + len(self._after_upgrade or b"")
        )
        if unclaimed != self._unclaimed:
            grown = unclaimed > self._unclaimed
            self.budget.used += unclaimed - self._unclaimed
            self._unclaimed = unclaimed
            if grown:
                self.budget.check()

    def _give_up(self, reason: str) -> None:
        if not self._stopped:
            self.abandon()
            self._opaque(reason)
