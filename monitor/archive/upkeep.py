"""What there is to do for the files of a shard while nothing waits to be archived.

Files of hours that are over are put together; what was replaced is deleted when it was kept aside
long enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from monitor.archive import compaction, manifests
from monitor.archive.chain import Chain, Sign
from monitor.archive.held import Held, Holdings

CLEAR_EVERY = 3600.0
"""Seconds between two looks for files that need not be kept aside any longer."""

OVER = 3600.0
"""Seconds after the end of an hour from which on its files are put together."""

RECENT = 7 * 86400.0
"""Seconds within which files were archived that are put together."""


class Upkeep:
    """Looks after the files of an open chain, a moment at a time. Once an hour it finds out what is
    to be put together (`runs`); each time it does one of these."""

    def __init__(
        self, chain: Chain, sign: Sign, writer: str, may_go_on: Callable[[], bool]
    ) -> None:
        self.runs: deque[list[Held]] = deque()
        self._chain = chain
        self._sign = sign
        self._writer = writer
        self._may_go_on = may_go_on
        self._hour = ""
        self._looked = self._next = 0
        self._clear_at = 0.0

    def forget(self) -> None:
        """Find out anew what is to be put together: others may have done it."""
        self._hour = ""
        self.runs.clear()

    def turn(self, now: float) -> None:
        """Do what is next at Unix time `now`; raises ArchiveError and OSError."""
        if now >= self._clear_at:
            self._chain.clear(now)
            self._clear_at = now + CLEAR_EVERY
        if self._hour != (hour := manifests.hour(f"{int((now - OVER) * 1000)}-0")):
            self._look(now, hour)
        if self.runs:
            run = self.runs.popleft()
            if self._is_as_it_was(run):
                self._put_together(run, now)
            else:
                self.forget()

    def _look(self, now: float, hour: str) -> None:
        """Find out what there is to be put together of the time before an hour: at the first look
        of a day of all that is recent, else of what was not yet over at the last look.

        A file of before that was replaced since is not looked at: nobody has seen what stands
        beside it, and a file that took the place of both would leave out what is between them.
        """
        is_first = self._hour[:10] != hour[:10] or bool(self.runs)
        links = self._chain.since(now - RECENT) if is_first else self._chain.links(self._next)
        found = [link.manifest for link in links]
        self._looked = self._chain.next_number
        first = found[0].number if found else 0
        held = [one for one in Holdings(found).kept(self._kept) if one.first >= first]
        self.runs = deque(compaction.runs(held, hour))
        later = (one.first for one in held if manifests.hour(one.file.first) >= hour)
        self._next = next(later, self._looked)
        self._hour = hour

    @property
    def _kept(self) -> int:
        return self._chain.head.manifest.kept if self._chain.head else 0

    def _is_as_it_was(self, run: list[Held]) -> bool:
        """Whether no manifest since the look has deleted or replaced a file of a run."""
        later = (link.manifest.replaces for link in self._chain.links(self._looked))
        return self._kept <= run[0].first and not any(
            one is not None and one.first <= run[-1].last and one.last >= run[0].first
            for one in later
        )

    def _put_together(self, run: list[Held], now: float) -> None:
        """Let one file take the place of those of a run."""
        chain = self._chain
        path = chain.storage.scratch()
        try:
            done, file = compaction.written(chain, run, path, self._may_go_on)
            if rest := run[len(done) :]:
                self.runs.appendleft(rest)
            if file is not None:
                new = compaction.step(chain, done, file, at=now, writer=self._writer)
                chain.storage.publish(path, new.unnamed)
                chain.add(new, self._sign)
        finally:
            path.unlink(missing_ok=True)
