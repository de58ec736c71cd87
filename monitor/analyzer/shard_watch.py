"""What the shards of a stream do that nobody expects → one line in the log each time."""

from __future__ import annotations

from monitor import logs
from monitor.streams.entries import ShardPosition, went_back


class ShardWatch:
    """Follows the shards that one reader reads; `stated` is the setting `stream.shards`.

    `rewinds` is how often the store had less than was read of it or saved in it.
    """

    def __init__(self, stated: int) -> None:
        self._stated = self._known = stated
        self.rewinds = 0

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
            self.rewinds += 1
            gone = _gone(before, after, shards)
            logs.warning(
                f"the stream of shard {named} ends before what was read of it: another store took "
                f"over without its last records, {gone} that were read; how many others is not "
                "known, and the analysis goes on from the stream's end"
            )


def _gone(before: str, after: str, shards: list[int]) -> str:
    """In words, how many entries were read and are there no more.

    >>> _gone("1700000000000-5/120/20,1700000001000-0/7/0", "1699999999999-9/110/20,0-1", [0, 1])
    'at least 10'
    """
    stood, stands = (list(map(ShardPosition.of, one.split(","))) for one in (before, after))
    pairs = [(stood[one].number, stands[one].number) for one in shards]
    known = [old - new for old, new in pairs if new >= 0 and old > new]
    return f"at least {sum(known):,}" if known else "some"
