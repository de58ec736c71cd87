"""Process id → which part of the time it waited for a core: too little machine is not frozen.

Linux says of each thread how long it ran and how long it was ready and waited (`schedstat`,
nanoseconds); a wait that is still going on is seen by the state R. A kernel that keeps no such
account shows the state alone: who is in R there waits. Where it shows neither, nobody waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PING_SECONDS, PINGS = 1.0, 10
"""Seconds between two pings of a process; it is killed after so many without an answer. The time in
which it waits for a core does not count: a new start would make a busy machine busier."""


class RunQueue:
    """What one process waited for, from look to look."""

    def __init__(self) -> None:
        self.is_still = False
        """Whether its first thread did nothing between the last two looks: it is stopped, or it
        sleeps. Who computes, or waits for a core or a disk, does not stand still."""
        self._at = 0.0
        self._seen: dict[tuple[int, str], tuple[int, int]] = {}

    def waited(self, pid: int, now: float) -> float:
        """Return the share of the time since the last look in which a thread of it waited for a
        core, 0 to 1; the thread that waited longest. The first look returns 0.

        What runs in circles waits, too, where others want the core, but not while it runs; what is
        stopped, asleep or waits for a disk does not.
        """
        before, elapsed = self._seen, max(now - self._at, 1e-9) * 1e9
        self._at, self._seen = now, {}
        self.is_still = False
        longest = 0.0
        for thread, state, ran, queued in _threads(pid):
            self._seen[pid, thread] = ran, queued
            if (last := before.get((pid, thread))) is None:
                continue
            now_ran, now_queued = ran - last[0], queued - last[1]
            if thread == str(pid):
                self.is_still = state not in {"R", "D"} and not now_ran
            # The kernel adds a wait when it ends.
            longest = max(longest, elapsed - now_ran if state == "R" else now_queued)
        return min(longest / elapsed, 1.0)


@dataclass
class Waits:
    """A process that does not answer: how many pings it has left `unanswered`, less the `seconds`
    that do not count."""

    queue: RunQueue = field(default_factory=RunQueue)
    seconds: float = 0.0
    unanswered: float = 0.0

    def look(self, pid: int, silent: int, now: float, *, is_awaited: bool) -> bool:
        """Return whether it stands still, at each ping and with the `silent` ones so far.

        Where nobody waits for it no time counts in which it computes or waits for a disk, either:
        the work would have to be done again.
        """
        waited = self.queue.waited(pid, now)
        is_free = not is_awaited and not self.queue.is_still
        self.seconds += 1.0 if is_free else waited
        self.unanswered = silent - self.seconds
        return self.unanswered >= PINGS


def _threads(pid: int) -> list[tuple[str, str, int, int]]:
    """Return (id, state, ns run, ns waited) of each thread; 0, 0 where there is no account."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            state = (task / "stat").read_text(errors="replace").rpartition(")")[2].split()[0]
            found.append((task.name, state, *_account(task)))
    except (OSError, IndexError):  # it has ended, or there is no such kernel
        return []
    return found


def _account(task: Path) -> tuple[int, int]:
    try:
        ran, queued = map(int, (task / "schedstat").read_bytes().split()[:2])
    except (OSError, ValueError):
        return 0, 0
    return ran, queued
