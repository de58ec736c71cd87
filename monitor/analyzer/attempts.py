"""What ends the analyzer → set aside: what is written down before an entry is folded.

A running analyzer keeps a *horizon* in its checkpoint: it may have folded what was appended up to
then. A clean stop removes it. An analyzer that is started again and finds one follows a crash. It
writes down each entry up to there before it reads and folds it. When the process ends once more,
that entry is suspect, and when it ends at the same one again, it is passed over from then on. Twice
would not do: who is killed from outside while it catches up is always at some entry. Without a
crash this costs one command for every `STEP` of the stream's time.

An analyzer that takes over from another one does not write down each, which takes long, unless the
other did; and it passes over none for it. The other was frozen, or its machine went; if it was an
entry after all, this one ends too, and is started again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from monitor.errors import StreamError
from monitor.streams.entries import Entry, time_of

HORIZON, ATTEMPT, SUSPECT, POISON = FIELDS = ("horizon", "attempt", "suspect", "poison")
"""Fields of the checkpoint."""

STEP = 10.0
"""Seconds of the stream's time that a horizon reaches beyond what is read."""

Write = Callable[[Mapping[str, bytes]], Awaitable[None]]
"""Writes fields of the checkpoint, removes those that are empty, or raises StreamError."""


class Attempts:
    """Which entries may be tried; `is_marked` while the one that is being tried is written down."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._horizon = 0.0
        self._careful = 0.0
        self._poison: set[str] = set()
        self.is_marked = False

    async def resume(self, state: Mapping[str, bytes], *, is_again: bool = True) -> None:
        """Begin after what the last process has left in the checkpoint, which was this one where it
        `is_again`; or raise StreamError."""
        kept = {name: state.get(name, b"").decode(errors="replace") for name in FIELDS}
        self._poison = set(kept[POISON].splitlines())
        try:
            self._horizon = self._careful = float(kept[HORIZON] or 0)
        except ValueError:  # somebody else's writing
            self._horizon = self._careful = 0.0
        if not is_again and not kept[ATTEMPT]:
            self._careful = 0.0
        if is_again and kept[ATTEMPT] and kept[ATTEMPT] == kept[SUSPECT]:
            self._poison.add(kept[ATTEMPT])
        if self._horizon:
            horizon, suspect = str(self._horizon).encode(), kept[ATTEMPT].encode()
            await self._write(
                {HORIZON: horizon, POISON: self._kept(), SUSPECT: suspect, ATTEMPT: b""}
            )

    async def begin(self, newest: float) -> None:
        """Say that entries up to that time of the store are going to be folded; or raise
        StreamError."""
        if newest > self._horizon:
            await self._write({HORIZON: str(newest + STEP).encode()})
            self._horizon = newest + STEP

    async def may_try(self, entry: Entry) -> bool:
        """Whether an entry may be read and folded, which is then written down where need be."""
        if not (self._poison or self._careful):
            return True
        name = f"{entry.key}/{entry.id}"
        if name in self._poison:
            self._poison.discard(name)
            return False
        if entry.at <= self._careful or self.is_marked:  # a mark must not outlive its entry
            await self._mark(name.encode())
        return True

    def is_careful(self, position: str) -> bool:
        """Whether what comes after a position is written down entry by entry."""
        return bool(self._careful) and not (position and time_of(position) > self._careful)

    @property
    def suspect(self) -> set[str]:
        """The keys of streams in which an entry is to be passed over."""
        return {name.rpartition("/")[0] for name in self._poison}

    async def end(self) -> None:
        """Say that all of them have been folded."""
        if self.is_marked:
            await self._mark(b"")

    def saved(self, *, stopping: bool) -> dict[str, bytes]:
        """What belongs into the checkpoint together with a position."""
        fields = {POISON: self._kept(), ATTEMPT: b""}
        return fields | {HORIZON: b"", SUSPECT: b""} if stopping else fields

    async def _mark(self, name: bytes) -> None:
        # A store that is away now must not keep what is read already from being folded once.
        try:
            await self._write({ATTEMPT: name})
        except StreamError:
            self._careful = 0.0
        self.is_marked = bool(name)

    def _kept(self) -> bytes:
        return "\n".join(sorted(self._poison)).encode()
