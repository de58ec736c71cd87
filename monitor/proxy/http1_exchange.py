"""An HTTP/1.1 exchange under way: what is known of it so far, and what it holds of the budget."""

from __future__ import annotations

from monitor.proxy.copies import MAX_CHUNKS, PER_ARRIVAL, Budget
from monitor.types import Message

PER_EXCHANGE = 500
"""Bytes that an exchange under way takes beside its messages."""


class OpenExchange:
    """An exchange under way; `request` and `response` are None until they are complete. One that is
    `lost` is only followed."""

    __slots__ = (
        "_budget", "began", "chunks", "ended", "held", "id", "lost", "method", "request",
        "response", "started", "status",
    )  # fmt: skip

    def __init__(
        self, budget: Budget, id_: str, began: float, started: float, method: bytes
    ) -> None:
        self._budget = budget
        self.id = id_
        self.began = began
        self.started = started
        self.ended = began
        self.method = method
        self.request: Message | None = None
        self.response: Message | None = None
        self.status = 0
        self.chunks: list[tuple[float, int]] = []
        self.held = 0
        self.lost = False

    def arrived(self, size: int, at: float, *, merge: bool) -> None:
        """Note that `size` bytes of the answer had come by `at`; `merge` adds them to the piece
        before."""
        chunks = self.chunks
        self.ended = at
        if self.lost:
            return
        if chunks and (merge or len(chunks) >= MAX_CHUNKS):
            chunks[-1] = (at - self.began, size)
        else:
            chunks.append((at - self.began, size))
            self.charge(PER_ARRIVAL)

    def charge(self, size: int) -> None:
        """Charge it to the budget; without room it is lost."""
        if self.lost:
            return
        self.held += size
        self._budget.used += size
        if self._budget.used > self._budget.bound:
            self.forget()

    def forget(self) -> None:
        """Release its copy; remember only that it is under way."""
        self.lost = True
        self.chunks.clear()
        if self.request is not None:
            self.request = Message(b"")
        if self.response is not None:
            self.response = Message(b"")
        self._budget.used += PER_EXCHANGE - self.held
        self.held = PER_EXCHANGE

    def discard(self) -> None:
        """Give back what it holds: it is over."""
        self._budget.used -= self.held
        self.held = 0
