"""Records that were passed over, or whose time was corrected: counted, said at most once a minute,
without content."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping

import msgspec

from monitor import logs
from monitor.metrics.labels import SET_ASIDE_REASONS
from monitor.streams.entries import Entry
from monitor.types import Record

FIELD = "set_aside"
"""Field of the checkpoint: the counts belong to its position."""

AHEAD = "ahead"
"""Its key there for records whose time was corrected."""

SAY_EVERY = 60.0

_WHY = {
    "unreadable": "it holds no record of this version",
    "failed": "counting it failed",
    "poison": "this process ended at it again and again",
}


class SetAside:
    """How many records were set aside, by reason, and how many checkpoints were `damaged`.

    `clock` is in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.counts: dict[str, int] = dict.fromkeys(SET_ASIDE_REASONS, 0)
        self.ahead = 0
        self.damaged = 0
        self._deleted = 0
        self._clock = clock
        self._said: dict[str, float] = {}

    def note(self, reason: str, entry: Entry, error: Exception | None = None) -> None:
        """Count an entry of the stream; its id is what is needed to look at it."""
        self.counts[reason] += 1
        why = _WHY[reason] + (f": {logs.place(error)}" if error else "")
        self._say(reason, f"entry {entry.id} of {entry.key} was set aside: {why}")

    def record(self, entry: Entry, now: float) -> Record | None:
        """Return the Record of an entry at Unix time `now`, None where there is none; count one
        whose time is corrected, which is not set aside."""
        record, is_ahead = entry.read(now)
        if is_ahead:
            self.ahead += 1
            self._say(
                AHEAD,
                f"entry {entry.id} of {entry.key} says that it ended later than it was appended: a "
                "sidecar's clock is ahead; it counts as ended when it was appended",
            )
        return record

    def deleted(self, count: int) -> None:
        """Say that the stream deleted so many records before they were read."""
        if count > 0:
            self._deleted += count
            self._say(
                "deleted",
                f"the stream deleted records before they were read, {self._deleted:,} since this "
                "process started: this analyzer was away or is slower than they come, or "
                "stream.max_length or stream.max_age is too small; nothing is known of them here",
            )

    @contextlib.contextmanager
    def failing(self, what: str) -> Iterator[None]:
        """Say what is raised inside, and go on."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  nothing that is only told may end the analysis
            self._say(what, f"{what} failed: {logs.place(error)}")

    def saved(self) -> dict[str, bytes]:
        """The field to be saved with a position."""
        return {FIELD: msgspec.json.encode({**self.counts, AHEAD: self.ahead})}

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Go on from what was saved; raises msgspec.DecodeError where it is damaged."""
        if FIELD in state:
            kept = msgspec.json.decode(state[FIELD], type=dict[str, int])
            self.counts |= {reason: kept[reason] for reason in self.counts if reason in kept}
            self.ahead = kept.get(AHEAD, 0)

    def clear(self) -> None:
        """Forget the counts: they go on where somebody else has saved them."""
        self.counts.update(dict.fromkeys(SET_ASIDE_REASONS, 0))
        self.ahead = 0

    def _say(self, kind: str, line: str) -> None:
        now = self._clock()
        if now >= self._said.get(kind, now):
            self._said[kind] = now + SAY_EVERY
            logs.warning(f"{line} (at most one such line a minute)")
