"""What became of every exchange → counters that add up at every moment.

`monitor_exchanges_total = monitor_records_appended_total + monitor_exchanges_lost_total +
monitor_records_pending`. Each way in which an exchange can end is one method here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import msgspec

from monitor.exchange_numbers import Numbers, place
from monitor.framing import Reconciliation, RecorderState
from monitor.metrics.labels import LOSS_REASONS, UNKNOWN
from monitor.types import Exchange, Measurement, Outcome, Receipt


class LedgerSnapshot(msgspec.Struct, frozen=True):
    """What the successor of a proxy that died needs to go on counting.

    `exchanges`, `appended` and `lost` are the counters; labels may come twice. `unsent` counts
    exchanges that only this proxy had. `sent` are the ids of exchanges that it had sent to a
    recorder and that have no Receipt. `accounts` has one row for each process, this one first: its
    name; how many of its outstanding exchanges may be in no spool; the Unix time from which on the
    stream may hold some that are not counted as appended; and the numbers of the outstanding ones
    (first number and bits of a `Numbers`). `spool_adopted` says that the counters include
    what an earlier run left in the spool.
    """

    exchanges: list[tuple[str, str, str, str, int]]
    appended: int
    lost: dict[str, int]
    unsent: int
    sent: list[str]
    accounts: list[tuple[str, int, float, int, bytes]]
    spool_adopted: bool


@dataclass
class Account:
    """The exchanges of an earlier proxy that have no final Receipt yet, by number.

    `died` of them may have been only in the memory of that proxy and of a recorder that died. The
    stream holds none of them that was appended before `since` (Unix seconds).
    """

    outstanding: Numbers
    since: float
    died: int = 0


class Ledger:
    """Counts exchanges, each once, however often its Receipt comes.

    It knows an exchange in the buffer by id, a spooled one by number, and one of an earlier proxy
    by process and number.
    """

    def __init__(self) -> None:
        self.appended = 0
        self.lost = dict.fromkeys(LOSS_REASONS, 0)
        self.held = 0
        self.spooled = Numbers()
        self.predecessors: dict[str, Account] = {}
        self._spool_adopted = False  # whether what an earlier run left in the spool is counted
        self._exchanges: Counter[tuple[str, str, str, str]] = Counter()
        self._unlabelled: dict[str, Exchange] = {}  # in order of arrival
        self._failed: Counter[Outcome] = Counter()  # those of them that are not `ok`

    @property
    def outstanding(self) -> int:
        """Return how many exchanges are in the spool, or wait for a Reconciliation."""
        return len(self.spooled) + sum(len(one.outstanding) for one in self.predecessors.values())

    def hold(self, exchange: Exchange) -> None:
        """Count an exchange that has ended and waits for its Receipt."""
        self.held += 1
        self._unlabelled[exchange.id] = exchange
        if exchange.outcome is not Outcome.OK:
            self._failed[exchange.outcome] += 1

    def lose(self, outcome: Outcome, reason: str) -> None:
        """Count an exchange that has ended and whose copy was dropped at once."""
        self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, outcome] += 1
        self.lost[reason] += 1

    def settle(self, receipt: Receipt, number: int = 0) -> None:
        """Count the Receipt of an exchange in the buffer; `number` is needed if it is spooled."""
        self.held -= 1
        exchange = self._labelled(receipt.id)
        if exchange is not None:
            self._exchanges[
                receipt.protocol or UNKNOWN,
                receipt.operation or UNKNOWN,
                receipt.model or UNKNOWN,
                receipt.outcome or exchange.outcome,
            ] += 1
        if receipt.state == "spooled":
            self.spooled.add(number)
        else:
            self._end(receipt)

    def settle_spooled(self, receipt: Receipt, number: int) -> None:
        """Count the final Receipt of an exchange that is known as spooled; ignore any other."""
        if receipt.state != "spooled" and self.spooled.discard(number):
            self._end(receipt)

    def _end(self, receipt: Receipt) -> None:
        if receipt.state == "appended":
            self.appended += 1
        else:
            self.lost[receipt.reason if receipt.reason in self.lost else "unreadable"] += 1

    def lose_held(self, id_: str, reason: str) -> None:
        """Count an exchange in the buffer as lost: it will never have a Receipt."""
        self.held -= 1
        self.lost[reason] += 1
        self.label_unknown([id_])

    def _labelled(self, id_: str) -> Exchange | None:
        """Return an exchange that has no labels yet, as one that will have some; else None."""
        exchange = self._unlabelled.pop(id_, None)
        if exchange is not None and exchange.outcome is not Outcome.OK:
            self._failed[exchange.outcome] -= 1
        return exchange

    def unlabelled(self) -> list[str]:
        """Return the ids of the exchanges that have no labels yet, in order of arrival."""
        return list(self._unlabelled)

    def is_labelled(self, id_: str) -> bool:
        """Return whether an exchange that was held is counted under its labels by now."""
        return id_ not in self._unlabelled

    def label_unknown(self, ids: Iterable[str]) -> None:
        """Count those of these exchanges that have no labels yet under `unknown`, for good."""
        for id_ in ids:
            exchange = self._labelled(id_)
            if exchange is not None:
                self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, exchange.outcome] += 1

    # --- from one proxy to the next --------------------------------------------------------------

    def snapshot(
        self, process: str, since: float, sent: Iterable[str], unsent: int
    ) -> LedgerSnapshot:
        """Return what a successor would need now. For the arguments see LedgerSnapshot."""
        exchanges = [(*labels, count) for labels, count in self._exchanges.items()]
        fine = len(self._unlabelled)
        for outcome, count in self._failed.items():
            if count:
                fine -= count
                exchanges.append((UNKNOWN, UNKNOWN, UNKNOWN, outcome, count))
        if fine:
            exchanges.append((UNKNOWN, UNKNOWN, UNKNOWN, Outcome.OK, fine))
        accounts = [(process, 0, since, *self.spooled.packed())]
        for name, one in self.predecessors.items():
            accounts.append((name, one.died, one.since, *one.outstanding.packed()))
        return LedgerSnapshot(
            exchanges,
            self.appended,
            dict(self.lost),
            unsent,
            list(sent),
            accounts,
            self._spool_adopted,
        )

    def resume(self, snapshot: LedgerSnapshot) -> None:
        """Go on where a predecessor ended. What only it had is lost, `proxy_died`."""
        for protocol, operation, model, outcome, count in snapshot.exchanges:
            self._exchanges[protocol, operation, model, outcome] += count
        self.appended += snapshot.appended
        for reason, count in snapshot.lost.items():
            self.lost[reason] += count
        self.lost["proxy_died"] += snapshot.unsent
        for process, died, since, first, bits in snapshot.accounts:
            self.predecessors[process] = Account(Numbers(first, bits), since, died)
        for id_ in snapshot.sent:
            process, number = place(id_)
            self.predecessors[process].outstanding.add(number)
            self.predecessors[process].died += 1
        self._spool_adopted = snapshot.spool_adopted

    def adopt_spool(self, state: RecorderState, process: str, now: float) -> None:
        """Count what an earlier run left in the spool as pending.

        Skips this process and its predecessors, whose spooled exchanges are counted already.
        `process` is the part of an id that names this proxy; `now` is in Unix seconds.
        """
        known = {process, *self.predecessors}
        for name, protocol, operation, outcome, first, bits in state.records:
            if name in known:
                continue
            numbers = Numbers(first, bits)
            account = self.predecessors.setdefault(name, Account(Numbers(), now))
            for number in numbers:
                account.outstanding.add(number)
            self._exchanges[protocol, operation, UNKNOWN, outcome] += len(numbers)
        if not self._spool_adopted and state.damaged:
            self._exchanges[UNKNOWN, UNKNOWN, UNKNOWN, Outcome.OK] += state.damaged
            self.lost["spool_damaged"] += state.damaged
        self._spool_adopted = True

    def reconcile_since(self) -> list[tuple[str, float]]:
        """Return each predecessor with the Unix time from which on the stream may hold its
        outstanding exchanges; infinite where it has none."""
        return [
            (name, one.since if one.outstanding else inf) for name, one in self.predecessors.items()
        ]

    def settle_predecessor(self, receipt: Receipt) -> None:
        """Count the final Receipt of an exchange that an earlier proxy sent, once."""
        process, number = place(receipt.id)
        account = self.predecessors.get(process)
        if (
            account is not None
            and receipt.state != "spooled"
            and account.outstanding.discard(number)
        ):
            self._end(receipt)

    def reconcile(self, reconciliation: Reconciliation) -> None:
        """Close the accounts of predecessors: what the stream does not have is lost.

        It was in the memory of a proxy that died (`proxy_died`), or in a part of the spool that is
        gone (`spool_damaged`).
        """
        for process, first, bits in reconciliation.records:
            account = self.predecessors.pop(process, None)
            if account is None:
                continue
            self.appended += sum(map(account.outstanding.discard, Numbers(first, bits)))
            died = min(len(account.outstanding), account.died)
            self.lost["proxy_died"] += died
            self.lost["spool_damaged"] += len(account.outstanding) - died
        self.lost["spool_damaged"] += len(self.spooled)
        self.spooled = Numbers()

    def measurements(self, endpoint: str) -> list[Measurement]:
        """Return samples that add up: an exchange without labels is in neither sum yet."""
        base = {"endpoint": endpoint}
        waiting = self.held - len(self._unlabelled)
        exchanges = [
            Measurement(
                "monitor_exchanges_total",
                {
                    "endpoint": endpoint, "protocol": protocol, "operation": operation,
                    "model": model, "outcome": outcome,
                },
                count,
            )
            for (protocol, operation, model, outcome), count in self._exchanges.items()
        ]  # fmt: skip
        lost = [
            Measurement("monitor_exchanges_lost_total", {**base, "reason": reason}, count)
            for reason, count in self.lost.items()
        ]
        return [
            *exchanges,
            *lost,
            Measurement("monitor_records_appended_total", base, self.appended),
            Measurement("monitor_records_pending", {**base, "place": "buffer"}, waiting),
            Measurement("monitor_records_pending", {**base, "place": "spool"}, self.outstanding),
        ]
