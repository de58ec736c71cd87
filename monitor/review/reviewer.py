"""Records as the analyzer reads them → the review queue."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator

from monitor.errors import StreamError
from monitor.findings import Finding
from monitor.review.queue import Item, ReviewQueue, Stats
from monitor.review.sampling import Policy, is_read_once, pick
from monitor.streams.entries import Entry
from monitor.types import Record, Segment

_NAME = re.compile(r"[0-9A-Za-z._-]{1,100}\Z")
"""The id of a record as a proxy makes it; others may write into the stream, too."""

AT_ONCE = 500
"""Items of one command."""
MOST = 20_000
"""Items that wait for the store; more are dropped, the oldest first."""


class Reviewer:
    """Picks Records for people to look at, and knows the queue's numbers."""

    def __init__(self, policy: Policy, queue: ReviewQueue) -> None:
        self._policy = policy
        self._queue = queue
        self._drifting: frozenset[Segment] = frozenset()
        self._waiting: deque[tuple[Item, float]] = deque(maxlen=MOST)
        self._stats: Stats | None = None

    def drift(self, findings: Iterable[Finding]) -> None:
        """Learn in which segments something drifts now."""
        self._drifting = frozenset(
            Segment(found.dimension, found.value) for found in findings if found.status == "drift"
        )

    def look(self, record: Record, entry: Entry) -> None:
        """Keep a Record for the queue if people are to be asked about it."""
        if record.is_redriven:
            return
        found = pick(record, self._policy, self._drifting)
        if found is not None and _NAME.match(record.id):
            item = Item(
                record.id, entry.key, entry.id, found.reason, found.propensity, record.started,
                is_read_once(record.id, self._policy.second),
            )  # fmt: skip
            self._waiting.append((item, found.ratio))

    async def put(self) -> None:
        """Put what was picked into the queue, or raise StreamError; nothing goes in twice."""
        while self._waiting:
            some = [self._waiting[place] for place in range(min(AT_ONCE, len(self._waiting)))]
            await self._queue.add(some)
            for _ in some:
                self._waiting.popleft()

    async def refresh(self, now: float) -> None:
        """Read the queue's numbers as of `now` (Unix seconds); without the store the last stay."""
        try:
            self._stats = await self._queue.stats(now)
        except StreamError:
            return

    def counted(self) -> Iterator[tuple[str, dict[str, str], float]]:
        """The numbers as (metric, labels, value); none before they were read once."""
        stats = self._stats
        if stats is None:
            return
        yield "monitor_review_queue", {"state": "waiting"}, stats.waiting
        yield "monitor_review_queue", {"state": "leased"}, stats.leased
        for result in ("passed", "failed", "skipped"):
            yield "monitor_reviews_total", {"result": result}, getattr(stats, result)
        for reason in ("expired", "thinned"):
            yield "monitor_review_items_dropped_total", {"reason": reason}, getattr(stats, reason)
        for measure in ("raw", "gwet_ac1"):
            number = getattr(stats.agreement, measure)
            if number is not None:
                yield "monitor_review_agreement_ratio", {"measure": measure}, number

    async def close(self) -> None:
        """Close the connections to the store."""
        await self._queue.close()
