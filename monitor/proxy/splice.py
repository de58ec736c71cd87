"""One client connection ⇄ one connection to the model endpoint: the same bytes, both ways, at once.

Half-closes, resets and back-pressure are passed on as they come. An observer sees every piece after
it was forwarded, so no observer can change or delay the bytes. It may see it later (`deferral`),
before anything is asked of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple, TypeVar

from monitor.proxy.deferral import AT_ONCE, AtOnce, Deferral
from monitor.proxy.edits import REFUSAL, Edits
from monitor.proxy.exchange_ids import InsertionPoint, insert
from monitor.proxy.hangups import Hangups
from monitor.proxy.heads import Ambiguous
from monitor.proxy.observer import Observer
from monitor.proxy.side import FAILED, Side, discard, ignore
from monitor.types import Outcome

HOLD_BYTES = 65536
"""Bytes that are read from a client while its upstream connection is made."""
LINGER = 5.0
"""Seconds that a peer has to close its side after the last byte."""

_FULL = "buffer_full"

T = TypeVar("T")


class Limits(NamedTuple):
    """Seconds that a connection may stay in one state; 0: no limit. See ARCHITECTURE.md."""

    idle: float
    """The endpoint owes bytes and sends none, or a side takes none of those that wait for it."""
    head: float
    """To the client's first byte, and from a head's first byte to its last."""
    quiet: float
    """No byte either way, whether or not an exchange is under way."""


def _abandon(observer: Observer) -> None:
    """Let a failed observer count the exchanges that it had begun, as far as it can."""
    with contextlib.suppress(Exception):
        observer.abandon()


class Splice:
    """A pair of connections. `on_closed` is called once both are gone; `is_us` says whether an
    upstream connection leads back to this proxy; `deferral` may keep pieces for the observer."""

    __slots__ = (
        "_answered", "_count_opaque", "_deferral", "_descriptor", "_first_bytes", "_hangups",
        "_held", "_is_us", "_on_closed", "_out_of_memory", "_places", "_refused", "broken_by",
        "closing", "downstream", "edits", "finished", "loops", "observer", "opened", "peer",
        "task", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        on_closed: Callable[[Splice], None],
        count_opaque: Callable[[str], None],
        hangups: Hangups,
        is_us: Callable[[asyncio.Transport], bool] = lambda transport: False,
        deferral: AtOnce | Deferral = AT_ONCE,
    ) -> None:
        self._on_closed = on_closed
        self._deferral = deferral
        self._hangups = hangups
        self._is_us = is_us
        self.loops = False
        self._descriptor = -1  # of the client's socket, once it is watched
        self._places: list[InsertionPoint] | None = None  # where ids go, if that edit is on
        self._count_opaque = count_opaque
        self._held = bytearray()
        self._first_bytes: asyncio.Future[None] | None = None
        self._refused: Outcome | None = None
        self._answered = False
        self._out_of_memory = False  # opaque for lack of memory, and not because of the bytes
        self.observer: Observer | None = None
        self.edits: Edits | None = None
        self.peer = ""
        self.downstream = Side(self)
        self.upstream = Side(self)
        self.downstream.other = self.upstream
        self.upstream.other = self.downstream
        self.broken_by: Exception | None = None
        """What ended the upstream's connection, if not the upstream itself by closing it."""
        self.opened = monotonic()
        self.closing = 0.0
        self.finished = False
        self.task: asyncio.Task[None] | None = None

    def observe(self, observer: Observer) -> None:
        """Show `observer` all bytes from now on."""
        self.observer = observer
        self.downstream.observe = observer.downstream
        self.upstream.observe = observer.upstream
        if self.edits is None and self._places is None:
            self.downstream.defer = self.upstream.defer = self._deferral.keep

    def _observe_no_more(self) -> Observer | None:
        observer, self.observer = self.observer, None
        self.downstream.observe = self.upstream.observe = ignore
        self.downstream.defer = self.upstream.defer = AT_ONCE.keep
        return observer

    def opaque(self, reason: str) -> None:
        """Stop observing; the bytes keep flowing."""
        observer = self._observe_no_more()
        if observer is not None:
            if reason == FAILED:
                _abandon(observer)
            self._count_opaque(reason)
            self._out_of_memory = reason == _FULL
            if self.edits is not None:
                self.edits.blind = True
                if self.edits.waiting:
                    asyncio.get_running_loop().call_soon(self.abort, None)

    # --- the upstream connection is being made --------------------------------------------------

    async def first(self, size: int) -> bytes:
        """Wait for the client's first `size` bytes and return them; fewer if it ends before."""
        while len(self._held) < size and not self.downstream.ended:
            self._first_bytes = asyncio.get_running_loop().create_future()
            await self._first_bytes
        return bytes(self._held[:size])

    def speaks(self) -> str:
        """Return the client's protocol, by ALPN or its first bytes: `h2` or `http/1.1`."""
        transport = self.downstream.transport
        tls: Any = transport and transport.get_extra_info("ssl_object")
        if tls is not None:
            return str(tls.selected_alpn_protocol() or "http/1.1")
        return "h2" if self._held.startswith(b"PRI") else "http/1.1"

    def hold(self, data: bytes) -> None:
        """Keep what the client sends until the upstream connection is made."""
        self._held += data
        self._wake_first()
        transport = self.downstream.transport
        if transport is not None and len(self._held) >= HOLD_BYTES:
            transport.pause_reading()

    def _wake_first(self) -> None:
        if self._first_bytes is not None and not self._first_bytes.done():
            self._first_bytes.set_result(None)

    def made(self, side: Side) -> None:
        """Note that a connection is made; splice them once both are."""
        if side is self.downstream:
            return
        up, down = self.upstream.transport, self.downstream.transport
        if up is None or down is None or down.is_closing():
            self.upstream.reset()
            return
        if self._is_us(up):
            self.loops = True
            self.upstream.reset()
            self.upstream.transport = (
                None  # as if never made; the caller that dialled refuses the client
            )
            return
        self.downstream.forward = up.write
        if self._places is None or self.observer is None:
            self.upstream.forward = down.write
        else:
            self.upstream.forward = self._name_answers
            self.upstream.observe = ignore
        held = bytes(self._held)
        self._held = bytearray()
        if self.edits is not None:
            self._begin_edits(held, self.edits)
        elif held:
            up.write(held)
        if self.downstream.ended:
            self.upstream.write_eof()
        elif not self.upstream.full:
            down.resume_reading()

    def refused(self, cause: Outcome) -> None:
        """Answer in place of the endpoint once there is a request: it cannot be reached."""
        self._refused = cause
        self._held.clear()
        self.upstream.forward = discard
        self.downstream.forward = self._answer_later
        self.closing = monotonic()
        if self.downstream.transport is not None and not self.downstream.ended:
            self.downstream.transport.resume_reading()
        self._answer()

    def _answer_later(self, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(self._answer)  # once the observer has seen it

    def _answer(self) -> None:
        transport = self.downstream.transport
        if transport is None or transport.is_closing() or self._refused is None:
            return
        self._deferral.settle()
        if self.observer is None:
            self.downstream.reset()
            return
        answer = self._observed_answer(self._refused)
        if answer:
            self._send_answer(transport, answer)
        elif self.downstream.ended:
            self.downstream.close()

    def _send_answer(self, transport: asyncio.Transport, answer: bytes) -> None:
        """Send our own answer, then read until the client closes: a reset could destroy it."""
        self._answered = True
        self._refused = None
        self.closing = monotonic()
        self.upstream.forward = self.downstream.forward = discard
        transport.write(answer)
        self.downstream.write_eof()

    def _observed_answer(self, cause: Outcome) -> bytes:
        self._deferral.settle()
        try:
            return self.observer.refuse(monotonic(), cause) if self.observer else b""
        except Exception:  # noqa: BLE001
            self.opaque(FAILED)
            return b""

    # --- edits: here the parser decides what goes on ---------------------------------------------

    def _begin_edits(self, held: bytes, edits: Edits) -> None:
        self.downstream.forward = self._edited
        self.downstream.observe = ignore
        if edits.blind:
            self._reject(owed=False)
        else:
            self._pass(held, edits, owed=False)

    def _edited(self, data: bytes) -> None:
        """Observe first, then forward what may be forwarded."""
        edits, owed = self.edits, self._awaiting()
        up = self.upstream.transport
        if edits is None or up is None:
            return
        if edits.tunnel:
            self.downstream.forward = up.write
            if self.observer is not None:
                self.downstream.observe = self.observer.downstream
            up.write(data)
            return
        if self.observer is not None:
            try:
                self.observer.downstream(data, monotonic())
            except Exception:  # noqa: BLE001
                self.opaque(FAILED)
            else:
                if self.observer is None and not self._out_of_memory:  # the observer cannot follow
                    self._reject(owed=owed)
                    return
        self._pass(data, edits, owed=owed)

    def _pass(self, data: bytes, edits: Edits, *, owed: bool) -> None:
        try:
            data = edits.feed(data)
        except Ambiguous as error:
            self._count_opaque(error.args[0])
            self._reject(owed=owed)
            return
        if self.upstream.transport is not None:
            self.upstream.transport.write(data)

    def decided(self, protocol: str) -> None:
        """Take from the observer to which protocol an upgrade led, "" for none."""
        if self.edits is None or self.upstream.transport is None:
            return
        try:
            waited = self.edits.decided(protocol)
        except Ambiguous as error:
            self._count_opaque(error.args[0])
            asyncio.get_running_loop().call_soon(self.abort, None)
            return
        if waited:
            self.upstream.transport.write(waited)
            if self.downstream.ended and not self.edits.holds():
                self.upstream.write_eof()

    def _reject(self, *, owed: bool) -> None:
        """Refuse the client with an answer. Reset instead if the client could take that for an
        answer that is `owed`, or if the endpoint has ended."""
        transport = self.downstream.transport
        self.conclude(Outcome.CLIENT_ERROR)
        http2 = self.edits is not None and self.edits.http2 is not None
        if owed or http2 or transport is None or self.upstream.ended:
            self.abort(None)
            return
        self._send_answer(transport, REFUSAL)
        self.upstream.close()

    def name_answers(self) -> Callable[[int, int, str], None]:
        """Insert the exchange's id into each answer; return what the observer must call."""
        places = self._places = []
        return lambda behind, length, id_: places.append((behind, length, id_))

    def _name_answers(self, data: bytes) -> None:
        """Observe first, then forward with the ids whose places are certain."""
        places, down = self._places, self.downstream.transport
        if places is None or down is None:
            return
        places.clear()
        if self.observer is not None:
            try:
                self.observer.upstream(data, self.upstream.at)
            except Exception:  # noqa: BLE001
                self.opaque(FAILED)
        if self.observer is None:
            self.upstream.forward = down.write
            down.write(data)
        else:
            down.write(insert(data, places) if places else data)

    # --- endings ---------------------------------------------------------------------------------

    def ended(self, side: Side) -> None:
        """Handle that a side sends no more; it may still receive."""
        self._deferral.settle()
        at = monotonic()
        observer = self.observer
        if observer is not None:
            try:
                if side is self.downstream:
                    observer.downstream_eof(at)
                else:
                    observer.upstream_eof(at)
            except Exception:  # noqa: BLE001
                self.opaque(FAILED)
        if side is self.upstream or self.edits is None or not self.edits.holds():
            side.other.write_eof()  # else `decided` does, after the bytes that wait
        self._wake_first()
        if self._answered or side.other.ended or (self.observer is not None and not self.busy()):
            self.close()  # no side owes anything
        elif self._refused is not None:
            self._answer()
        elif side is self.upstream and self.observer is not None:
            self.closing = self.closing or at

    def busy(self) -> bool:
        """Return True while an exchange is under way, as far as the observer knows."""
        return self._observed(lambda observer: observer.busy(), False)

    def _observed(self, question: Callable[[Observer], T], unknown: T) -> T:
        """Return the observer's answer, or `unknown` if there is no observer or it fails."""
        self._deferral.settle()
        if self.observer is not None:
            try:
                return question(self.observer)
            except Exception:  # noqa: BLE001
                self.opaque(FAILED)
        return unknown

    def idle(self, now: float, quiet: float) -> bool:
        """Return True if the observer knows of no exchange now and in the last `quiet` seconds."""
        if self.observer is None or self.busy() or self.observer is None:
            return False
        return now - max(self.downstream.at, self.upstream.at) >= quiet

    def watch(self) -> None:
        """Watch for a reset of the client while nothing is read from it."""
        transport = self.downstream.transport
        if self._descriptor < 0 and transport is not None and not transport.is_closing():
            self._descriptor = transport.get_extra_info("socket").fileno()
            self._hangups.watch(self._descriptor, self._hung_up)

    def _hung_up(self) -> None:
        self.abort(Outcome.CLIENT_GONE)

    def lost(self, side: Side, exc: Exception | None) -> None:
        """Handle that one connection is gone: end the other in the same way."""
        self._deferral.settle()
        if side is self.downstream:
            self._hangups.forget(self._descriptor, self._hung_up)
            cause = Outcome.CLIENT_GONE
            if self.task is not None:
                self.task.cancel()
        else:
            cause = Outcome.UPSTREAM_BROKEN
            self.broken_by = exc
        clean = exc is None and side.ended
        # Many servers end TLS without a close_notify; between exchanges that breaks nothing.
        quiet = exc is None and self.observer is not None and not self.busy()
        self.conclude(None if clean else cause)
        if side.other.transport is None:
            self._finish()
        elif clean or quiet or (exc is None and side.other.transport.is_closing()):
            side.other.close()
        elif not self._answered:
            side.other.reset()

    def conclude(self, cause: Outcome | None) -> None:
        """Tell the observer once how the connection ended."""
        self._deferral.settle()
        observer = self._observe_no_more()
        if observer is not None:
            try:
                observer.closed(monotonic(), cause)
            except Exception:  # noqa: BLE001
                _abandon(observer)
                self._count_opaque(FAILED)

    def close(self) -> None:
        """Close both connections once what was written has gone."""
        self.closing = self.closing or monotonic()
        self.downstream.close()
        self.upstream.close()

    def abort(self, cause: Outcome | None) -> None:
        """Reset both connections now."""
        self.conclude(cause)
        self.downstream.reset()
        self.upstream.reset()

    def tick(self, now: float, limits: Limits) -> None:
        """End what no event will end; called about once a second."""
        self._deferral.settle()
        waiting = self.downstream.progress(now) + self.upstream.progress(now)
        silent = now - max(self.downstream.at, self.upstream.at)
        if self.closing:
            stuck = limits.idle and silent > limits.idle
            if now - self.closing > LINGER and (stuck or not waiting):
                self.abort(None)
        elif limits.quiet and silent > limits.quiet:
            self._expire()
        elif self.observer is None:
            return
        elif (self.downstream.ended or self.upstream.ended) and not self.busy():
            self.close()
        elif self._is_too_slow(now, limits.head):
            self._expire()
        elif limits.idle and silent > limits.idle:
            if self.downstream.full:
                self.abort(Outcome.CLIENT_GONE)
            elif self.upstream.full or self._awaiting():
                self.timeout()

    def _awaiting(self) -> bool:
        return self._observed(lambda observer: observer.awaiting(), False)

    def _is_too_slow(self, now: float, head: float) -> bool:
        """Return True if the client takes too long to begin, or to end a head."""
        if self.downstream.at == self.downstream.made:
            return now - self.downstream.made > head
        begun = self._observed(lambda observer: observer.begun(), 0.0)
        return begun > 0 and now - begun > head

    def _expire(self) -> None:
        """End a silent connection; an exchange under way counts as left by the client."""
        if self.observer is not None and not self.busy():
            self.close()
        else:
            self.abort(Outcome.CLIENT_GONE)

    def timeout(self) -> None:
        """Answer 504 or reset: the endpoint was silent for too long."""
        answer = self._observed_answer(Outcome.UPSTREAM_TIMEOUT)
        transport = self.downstream.transport
        if not answer or transport is None:
            self.abort(Outcome.UPSTREAM_TIMEOUT)
            return
        self._send_answer(transport, answer)
        self.upstream.reset()

    def _finish(self) -> None:
        if not self.finished:
            self.finished = True
            self._on_closed(self)
