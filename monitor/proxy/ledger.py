"""What became of every exchange → the counters that always add up.

`monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
monitor_records_pending`, at every moment: whatever ends an exchange is one method here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from math import inf
from operator import attrgetter

import msgspec

from monitor.framing import Accounted, Holdings
from monitor.metrics import LOSS_REASONS, UNKNOWN
from monitor.numbers import Numbers, place
from monitor.types import Exchange, Fate, Measurement, Outcome


class Left(msgspec.Struct, frozen=True):
    """What the successor of a proxy that died must know to go on counting.

    `unsent` exchanges nobody had but that proxy. `sent` are the ids of those that it had handed
    over and that had no Fate. `accounts` are of processes, it first: how many of the open ones may
    be in no spool, since when (Unix seconds) the stream may hold what is not counted as appended
    here, and the numbers (`numbers.Numbers`) of the others that are open. `met` when
    what an earlier run left in the spool is among them.
    """

    exchanges: list[tuple[str, str, str, str, int]]
    appended: int
    lost: dict[str, int]
    unsent: int
    sent: list[str]
    accounts: list[tuple[str, int, float, int, bytes]]
    met: bool


@dataclass
class Account:
    """What an earlier proxy has open: the numbers of its exchanges that have no last Fate.

    `died` of them may have been in no hands but its own and a recorder's that died. The stream
    holds none of them that was appended before `since`.
    """

    open: Numbers
    since: float
    died: int = 0


class Ledger:
    """Counts exchanges. Those held (in the buffer) are known by id, those spooled by number, and
    those of `others`, earlier proxies, by process and number: a Fate counts once, told twice or
    not."""

    def __init__(self) -> None:
        self.appended = 0
        self.lost = dict.fromkeys(LOSS_REASONS, 0)
        self.held = 0
        self.spooled = Numbers()
        self.others: dict[str, Account] = {}
        self._met = False  # what an earlier run left in the spool has been taken over
        self._exchanges: Counter[tuple[str, str, str, str]] = Counter()
        self._unlabelled: dict[str, Exchange] = {}  # oldest first

    @property
    def open(self) -> int:
        """How many exchanges are in the spool, or in no hands that are known here."""
        return len(self.spooled) + sum(len(one.open) for one in self.others.values())

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
        if fate.state != "spooled" and self.spooled.discard(number):
            self._end(fate)

    def _end(self, fate: Fate) -> None:
        if fate.state == "appended":
            self.appended += 1
        else:
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

    def left(self, process: str, since: float, sent: Iterable[str], unsent: int) -> Left:
        """What a successor would need now; for the arguments see `Left`."""
        exchanges = self._exchanges.copy()
        for outcome, count in Counter(map(_outcome, self._unlabelled.values())).items():
            exchanges[UNKNOWN, UNKNOWN, UNKNOWN, outcome] += count
        accounts = [(process, 0, since, *self.spooled.packed())]
        for name, one in self.others.items():
            accounts.append((name, one.died, one.since, *one.open.packed()))
        return Left(
            [(*labels, count) for labels, count in exchanges.items()],
            self.appended,
            dict(self.lost),
            unsent,
            list(sent),
            accounts,
            self._met,
        )

    def resume(self, left: Left) -> None:
        """Go on where a predecessor ended; what was in nobody else's hands is lost."""
        for protocol, operation, model, outcome, count in left.exchanges:
            self._exchanges[protocol, operation, model, outcome] += count
        self.appended += left.appended
        for reason, count in left.lost.items():
            self.lost[reason] += count
        self.lost["proxy_died"] += left.unsent
        for process, died, since, first, bits in left.accounts:
            self.others[process] = Account(Numbers(first, bits), since, died)
        for id_ in left.sent:
            process, number = place(id_)
            self.others[process].open.add(number)
            self.others[process].died += 1
        self._met = left.met

    def inherit(self, holdings: Holdings, process: str, now: float) -> None:
        """Take over what an earlier run left in the spool. What earlier proxies of this one had
        there is known; `process` is what is in our own ids, `now` in Unix seconds."""
        known = {process, *self.others}
        for name, protocol, operation, outcome, first, bits in holdings.records:
            if name in known:
                continue
            numbers = Numbers(first, bits)
            account = self.others.setdefault(name, Account(Numbers(), now))
            for number in numbers:
                account.open.add(number)
            self._exchanges[protocol, operation, UNKNOWN, outcome] += len(numbers)
        if not self._met and holdings.damaged:
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, Outcome.OK] += holdings.damaged
            self.lost["spool_damaged"] += holdings.damaged
        self._met = True

    def dead(self) -> list[tuple[str, float]]:
        """The earlier proxies, and since when the stream may hold what they have open (Unix
        seconds; infinite where that is nothing)."""
        return [(name, one.since if one.open else inf) for name, one in self.others.items()]

    def settle_other(self, fate: Fate) -> None:
        """A Fate of an exchange that an earlier proxy handed over; it counts once."""
        process, number = place(fate.id)
        account = self.others.get(process)
        if account is not None and fate.state != "spooled" and account.open.discard(number):
            self._end(fate)

    def account(self, accounted: Accounted) -> None:
        """Close the accounts that the recorder has closed: what it holds no more is in the stream,
        or lost. It was in the buffer of a proxy that died, or in a part of the spool that is gone.
        """
        for process, first, bits in accounted.records:
            account = self.others.pop(process, None)
            if account is None:
                continue
            self.appended += sum(map(account.open.discard, Numbers(first, bits)))
            died = min(len(account.open), account.died)
            self.lost["proxy_died"] += died
            self.lost["spool_damaged"] += len(account.open) - died
        self.lost["spool_damaged"] += len(self.spooled)
        self.spooled = Numbers()

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
            Measurement("monitor_records_pending", {**base, "place": "spool"}, self.open),
        ]


def _ended(exchange: Exchange) -> float:
    return exchange.started + exchange.duration


_outcome = attrgetter("outcome")
