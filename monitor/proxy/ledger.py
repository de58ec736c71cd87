"""What became of every exchange → the counters that always add up.

`monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
monitor_records_pending`, at every moment: whatever ends an exchange is one method here.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice, takewhile

from monitor.metrics import LOSS_REASONS
from monitor.types import Exchange, Fate, Measurement, Outcome

UNKNOWN = "unknown"


class Ledger:
    """Counts exchanges. Those held (in the buffer) are known by id, those spooled by number."""

    def __init__(self) -> None:
        self.appended = 0
        self.lost = dict.fromkeys(LOSS_REASONS, 0)
        self.held = 0
        self.spooled = Numbers()
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
        if fate.state == "appended":
            self.appended += 1
        elif fate.state == "spooled":
            self.spooled.add(number)
        else:
            self._lost(fate)

    def settle_spooled(self, fate: Fate, number: int) -> None:
        """A later Fate; it counts once, and only for what this process knows to be spooled."""
        if fate.state != "spooled" and self.spooled.discard(number):
            if fate.state == "appended":
                self.appended += 1
            else:
                self._lost(fate)

    def _lost(self, fate: Fate) -> None:
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

    def measurements(self, endpoint: str) -> list[Measurement]:
        """A snapshot that adds up: what came after `label`'s moment is in neither sum yet."""
        base = {"endpoint": endpoint}
        names = ("protocol", "operation", "model", "outcome")
        waiting = self.held - len(self._unlabelled)
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
            Measurement("monitor_records_pending", {**base, "place": "spool"}, len(self.spooled)),
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
