"""The last checkpoints of an archive → places apart from it, by a thread for each of them.

What is cut off at the end of an archive, or written anew by who has its key, can be told by these
alone (`archive.verification`). Nobody waits for a place: one that hangs, or that takes nothing,
costs a thread of its own, one text in memory, and nothing else. What it lost is not sent later: the
newest checkpoints vouch for all before them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, Protocol

import monitor
from monitor import logs
from monitor.archive import storage
from monitor.types import Measurement

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds before what failed is tried again; each time twice as long."""

LONGEST_ASKED = 600.0
"""Seconds for which a receiver may ask to be left alone."""

RESULTS = ("put", "failed")


class Answer(NamedTuple):
    """What is wrong, in a few words, empty: it was put; and for how many seconds a place asks to be
    left alone."""

    wrong: str = ""
    asked: float = 0.0


class AnchorTarget(Protocol):
    """Where checkpoints are kept."""

    kind: str
    shown: str

    def put(self, text: bytes, at: float) -> Answer:
        """Put a text there at Unix time `at`; never raises."""

    def close(self) -> None:
        """Give up what is under way, where that can be; from any thread."""


class FileTarget:
    """A file to which each text is appended, at once and synced."""

    kind = "file"

    def __init__(self, path: Path) -> None:
        self.shown = str(path)
        self._path = path

    def put(self, text: bytes, at: float) -> Answer:
        """See AnchorTarget."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            descriptor = os.open(self._path, flags, 0o644)
        except OSError as error:
            return Answer(storage.why(error))
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return Answer("is no file")
            try:
                _written(descriptor, text)
                os.fsync(descriptor)
            except OSError as error:
                with contextlib.suppress(OSError):  # half a checkpoint is none
                    os.ftruncate(descriptor, found.st_size)
                return Answer(storage.why(error))
            return Answer()
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """See AnchorTarget: nobody can."""


def _written(descriptor: int, text: bytes) -> None:
    if os.write(descriptor, text) < len(text):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Line:
    """Keeps one place up to date from a thread; `clock` is in seconds and never jumps, `wall` tells
    Unix seconds.

    It puts what it was given last: at once, when `every` seconds are over, and when it ends.
    """

    def __init__(
        self,
        place: AnchorTarget,
        every: float,
        *,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.place = place
        self.counts = dict.fromkeys(RESULTS, 0)
        self._every = every
        self._clock, self._wall = clock, wall
        self._given = self._put = b""
        self._since: float | None = None
        self._next = 0.0
        self._is_over = False
        self._said = ""
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def offer(self, checkpoints: bytes) -> None:
        """Take the newest checkpoints in the place of those before."""
        with self._changed:
            if checkpoints == self._given:
                return
            self._given = checkpoints
            if self._since is None:
                self._since = self._clock()
            self._changed.notify()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name=f"anchor {self.place.kind}", daemon=True
                )
                self._thread.start()

    @property
    def overdue(self) -> float:
        """How many seconds longer than `every` what is not put yet has waited."""
        with self._changed:
            since = self._since
        return 0.0 if since is None else max(0.0, self._clock() - since - self._every)

    def close(self, deadline: float) -> None:
        """Put what is left, until the clock says `deadline`; then give up."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - self._clock()))
            self.place.close()
            self._thread.join(0.2)

    # --- the thread --------------------------------------------------------------------------

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while (text := self._due()) is not None:
            asked = self._tried(text)
            with self._changed:
                now = self._clock()
                if asked is None:
                    self._put, pause = text, FIRST_PAUSE
                    self._since = None if self._given == text else now
                    self._next = now + self._every
                elif self._is_over:
                    return
                else:
                    self._next = now + max(pause, min(asked, LONGEST_ASKED))
                    pause = min(2 * pause, LONGEST_PAUSE)

    def _due(self) -> bytes | None:
        """Wait until there is something to put; None when it is over."""
        with self._changed:
            while True:
                has_news = self._given != self._put
                left = self._next - self._clock()
                if has_news and (left <= 0 or self._is_over):
                    return self._given
                if self._is_over:
                    return None
                self._changed.wait(left if has_news else None)

    def _tried(self, text: bytes) -> float | None:
        """Put a text; None where that went well, else for how long the place is left alone."""
        at = self._wall()
        try:
            answer = self.place.put(_headed(text, at), at)
        except Exception as error:  # noqa: BLE001  a defect of ours; it is tried again
            answer = Answer(f"it fails ({logs.place(error)})")
        self.counts["failed" if answer.wrong else "put"] += 1
        if answer.wrong and answer.wrong != self._said:
            logs.warning(
                f"checkpoints are not kept at {self.place.shown}: {answer.wrong}; it is tried "
                "again, and the archive goes on"
            )
        elif self._said and not answer.wrong:
            logs.info(f"checkpoints are kept at {self.place.shown} again")
        self._said = answer.wrong
        return answer.asked if answer.wrong else None


def _headed(text: bytes, at: float) -> bytes:
    """A text as it is put, with when that was. It begins a line, whatever stands before it."""
    when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"\n# monitor {monitor.__version__}, {when}\n".encode() + text


class Anchors:
    """All places of an archive, each with a line; `clock` is that of the lines."""

    def __init__(self, lines: Sequence[Line], *, clock: Callable[[], float]) -> None:
        self._lines = lines
        self._clock = clock

    def offer(self, endpoint: str, checkpoints: Sequence[str]) -> None:
        """Take the last checkpoint of each shard, in order; empty where a shard has none."""
        if not self._lines or not any(checkpoints):
            return
        absent = [str(number) for number, one in enumerate(checkpoints) if not one]
        without = f"; without a record: {', '.join(absent)}" if absent else ""
        count = len(checkpoints)
        plural = "" if count == 1 else "s"
        head = f"# {endpoint}: {count} shard{plural}{without}\n"
        text = (head + "".join(checkpoints)).encode()
        for line in self._lines:
            line.offer(text)

    def measurements(self, endpoint: str) -> list[Measurement]:
        """Return what became of them, by kind."""
        found = []
        for kind in dict.fromkeys(one.place.kind for one in self._lines):
            lines = [one for one in self._lines if one.place.kind == kind]
            labels = {"endpoint": endpoint, "kind": kind}
            for result in RESULTS:
                count = sum(one.counts[result] for one in lines)
                labels_too = {**labels, "result": result}
                found.append(Measurement("monitor_audit_anchors_total", labels_too, count))
            overdue = max(one.overdue for one in lines)
            found.append(Measurement("monitor_audit_anchor_overdue_seconds", labels, overdue))
        return found

    def close(self, patience: float) -> None:
        """Put what is left, for at most so many seconds."""
        deadline = self._clock() + patience
        for line in self._lines:
            line.close(deadline)
