"""What the shards of a stream do that nobody expects → one line in the log each time."""

from __future__ import annotations

from monitor import logs
from monitor.streams.entries import went_back


class ShardWatch:
    """Follows the shards that one reader reads; `stated` is the setting `stream.shards`."""

    def __init__(self, stated: int) -> None:
        self._stated = self._known = stated

    def look(self, count: int, before: str = "", after: str = "") -> None:
        """Say where records stand in more shards than was known, and where a stream ends before
        what was read of it: `before` and `after` are positions before a read and after it."""
        if count > self._known:
            self._known = count
            logs.warning(
                f"stream.shards is {self._stated}, and records stand in {count} shards: all of "
                "them are read"
            )
        if before and (shards := went_back(before, after)):
            named = ", ".join(map(str, shards))
            logs.warning(
                f"the stream of shard {named} ends before what was read of it: another store took "
                "over without its last records; how many were missed is not known, and the "
                "analysis goes on from the stream's end"
            )
