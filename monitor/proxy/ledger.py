"""What became of every exchange → the counters that always add up.

`monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
monitor_records_pending`, at every moment: whatever ends an exchange is one method here.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice, takewhile

import msgspec

from monitor.framing import Holdings
from monitor.metrics import LOSS_REASONS, UNKNOWN
from monitor.types import Exchange, Fate, Measurement, Outcome


class Left(msgspec.Struct, frozen=True):
    """What the successor of a proxy that died must know to go on counting.

    `buffered` and `spooled` are the exchanges that had no last Fate; `heard` is how many Fates
    `appended` and `lost` had come on the last connection to the recorder.
    """

    exchanges: list[tuple[str, str, str, str, int]]
    appended: int
    lost: dict[str, int]
    buffered: int
    spooled: int
    heard: tuple[int, int]


class Ledger:
    """Counts exchanges. Those held (in the buffer) are known by id, those spooled by number, those
    `inherited` (an earlier proxy gave their ids, the recorder holds their records) not at all."""

    def __init__(self) -> None:
        self.appended = 0
        self.lost = dict.fromkeys(LOSS_REASONS, 0)
        self.held = 0
        self.spooled = Numbers()
        self.inherited = 0
        self._left: Left | None = None  # by a predecessor, until the recorder says what it holds
        self._is_first = True  # of a run: nobody before counted what is in the spool
        self._before = 0  # appended when the connection to the recorder began
        self._heard = Counter[str]()  # Fates on it that `appended` does not show
        self._exchanges: Counter[tuple[str, str, str, str]] = Counter()
        self._unlabelled: dict[str, Exchange] = {}  # oldest first

    def hold(self, exchange: Exchange) -> None:
        """An exchange has ended and waits for its Fate."""
        self.held += 1
        self._unlabelled[exchange.id] = exchange

    def lose(self, outcome: Outcome, reason: str) -> None:
        """An exchange ended and its copy was dropped at once."""
        self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, outcome] += 1
        self.lost[reason] += 1

    def settle(self, fate: Fate, number: int = 0) -> None:
        """The Fate of an exchange that is held; `number` is its number if it is spooled."""
        self.held -= 1
        exchange = self._unlabelled.pop(fate.id, None)
        if exchange is not None:
            self._exchanges[
                fate.protocol or UNKNOWN,
                fate.operation or UNKNOWN,
                fate.model or UNKNOWN,
                fate.outcome or exchange.outcome,
            ] += 1
        if fate.state == "spooled":
            self.spooled.add(number)
        else:
            self._end(fate)

    def settle_spooled(self, fate: Fate, number: int) -> None:
        """A later Fate; it counts once, and only for what this process knows to be spooled."""
        if fate.state == "spooled":
            return
        if self.spooled.discard(number):
            self._end(fate)
        else:
            self._heard[fate.state] += 1

    def _end(self, fate: Fate) -> None:
        if fate.state == "appended":
            self.appended += 1
        else:
            self._heard["lost"] += 1
            self.lost[fate.reason if fate.reason in self.lost else "unreadable"] += 1

    def lose_held(self, id_: str, reason: str) -> None:
        """An exchange that is held will never have a Fate."""
        self.held -= 1
        self.lost[reason] += 1
        exchange = self._unlabelled.pop(id_, None)
        if exchange is not None:
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, exchange.outcome] += 1

    def waits(self, until: float) -> bool:
        """Whether anything that had ended at `until` (Unix seconds) has no labels yet."""
        return any(_ended(one) <= until for one in islice(self._unlabelled.values(), 1))

    def label(self, until: float) -> None:
        """Count what had ended at `until` and has no labels yet under `unknown`, for good."""
        old = list(takewhile(lambda one: _ended(one) <= until, self._unlabelled.values()))
        for exchange in old:
            del self._unlabelled[exchange.id]
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, exchange.outcome] += 1

    # --- from one proxy to the next --------------------------------------------------------------

    def left(self) -> Left:
        """What a successor would need now."""
        exchanges = self._exchanges.copy()
        for exchange in self._unlabelled.values():
            exchanges[UNKNOWN, UNKNOWN, UNKNOWN, exchange.outcome] += 1
        appended = self.appended - self._before + self._heard["appended"]
        return Left(
            [(*labels, count) for labels, count in exchanges.items()],
            self.appended,
            dict(self.lost),
            self.held + (self._left.buffered if self._left else 0),
            len(self.spooled) + self.inherited - (self._left.buffered if self._left else 0),
            self._left.heard if self._left else (appended, self._heard["lost"]),
        )

    def resume(self, left: Left) -> None:
        """Go on where a predecessor ended; what it had pending is inherited."""
        for protocol, operation, model, outcome, count in left.exchanges:
            self._exchanges[protocol, operation, model, outcome] += count
        self.appended += left.appended
        for reason, count in left.lost.items():
            self.lost[reason] += count
        self.inherited += left.buffered + left.spooled
        self._left = left
        self._is_first = False

    def connected(self) -> None:
        """A connection to a recorder begins."""
        self._before = self.appended
        self._heard.clear()

    def inherit(self, holdings: Holdings, process: str) -> None:
        """Square what is inherited with what the recorder holds.

        More is taken over: from the spool of an earlier run, or handed over by a predecessor that
        did not live to write it down. What nobody holds is lost: it was in the buffer of a proxy
        that died, or in a part of the spool that cannot be read. `process` is what is in our ids.
        """
        others = [one for one in holdings.records if one[0] != process]
        held = sum(count for *_, count in others)
        left, self._left = self._left, None
        if left is not None:  # Fates that a predecessor was told and did not write down
            appended = max(0, holdings.told[0] - left.heard[0])
            lost = max(0, holdings.told[1] - left.heard[1])
            self.appended += appended
            self._before += appended
            self.lost["unreadable"] += lost
            self.inherited -= appended + lost
        missing = self.inherited - held
        if missing > 0:
            died = min(missing, left.buffered) if left else 0
            self.lost["proxy_died"] += died
            self.lost["spool_damaged"] += missing - died
        for _, protocol, operation, outcome, count in others:
            more = min(count, max(0, -missing))
            if more:
                missing += more
                self._exchanges[protocol, operation, UNKNOWN, outcome] += more
        if missing < 0:
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, Outcome.OK] -= missing  # nobody knows better
        self.inherited = held
        if self._is_first and holdings.damaged:
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, Outcome.OK] += holdings.damaged
            self.lost["spool_damaged"] += holdings.damaged
        self._is_first = False
        if holdings.spool_is_empty:
            self.lost["spool_damaged"] += len(self.spooled)
            self.spooled = Numbers()

    def settle_inherited(self, fate: Fate) -> None:
        """A Fate of an exchange that an earlier proxy handed over, just before its end perhaps."""
        if fate.state == "spooled":
            return
        if self.inherited:
            self.inherited -= 1
        else:
            outcome = fate.outcome or Outcome.OK
            self._exchanges[fate.protocol, fate.operation, fate.model or UNKNOWN, outcome] += 1
        self._end(fate)

    def measurements(self, endpoint: str) -> list[Measurement]:
        """A snapshot that adds up: what came after `label`'s moment is in neither sum yet."""
        base = {"endpoint": endpoint}
        names = ("protocol", "operation", "model", "outcome")
        waiting = self.held - len(self._unlabelled)
        spooled = len(self.spooled) + self.inherited
        exchanges = [
            Measurement(
                "monitor_exchanges_total",
                {**base, **dict(zip(names, map(str, labels), strict=True))},
                count,
            )
            for labels, count in self._exchanges.items()
        ]
        lost = [
            Measurement("monitor_exchanges_lost_total", {**base, "reason": reason}, count)
            for reason, count in self.lost.items()
        ]
        return [
            *exchanges,
            *lost,
            Measurement("monitor_records_appended_total", base, self.appended),
            Measurement("monitor_records_pending", {**base, "place": "buffer"}, waiting),
            Measurement("monitor_records_pending", {**base, "place": "spool"}, spooled),
        ]


def _ended(exchange: Exchange) -> float:
    return exchange.started + exchange.duration


class Numbers:
    """A set of numbers that come in rising order and leave in about that order: a bit each.

    >>> numbers = Numbers()
    >>> numbers.add(70), numbers.add(1000), len(numbers)
    (None, None, 2)
    >>> numbers.discard(70), numbers.discard(70), len(numbers)
    (True, False, 1)
    """

    def __init__(self) -> None:
        self._bits = bytearray()
        self._first = 0  # the number of the first bit of `_bits`, a multiple of 8
        self._count = 0
        self._empty = 0  # leading bytes without a number

    def __len__(self) -> int:
        return self._count

    def add(self, number: int) -> None:
        """Add a number; one from before the oldest that is left costs a move."""
        if not self._count:
            self._bits.clear()
            self._first, self._empty = number & ~7, 0
        if number < self._first:
            first = number & ~7
            self._bits[:0] = bytes((self._first - first) >> 3)
            self._first = first
        place, bit = (number - self._first) >> 3, 1 << (number & 7)
        if place >= len(self._bits):
            self._bits += bytes(place + 1 - len(self._bits))
        if not self._bits[place] & bit:
            self._bits[place] |= bit
            self._count += 1
            self._empty = min(self._empty, place)

    def discard(self, number: int) -> bool:
        """Take a number out; False when it was not in."""
        place, bit = (number - self._first) >> 3, 1 << (number & 7)
        if not 0 <= place < len(self._bits) or not self._bits[place] & bit:
            return False
        self._bits[place] ^= bit
        self._count -= 1
        while self._empty < len(self._bits) and not self._bits[self._empty]:
            self._empty += 1
        if self._empty > 4096:
            del self._bits[: self._empty]
            self._first += 8 * self._empty
            self._empty = 0
        return True
