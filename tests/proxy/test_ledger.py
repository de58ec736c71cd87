"""The ledger adds up at every moment, whatever becomes of exchanges and in whatever order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.exchange_numbers import Numbers
from monitor.framing import Reconciliation, RecorderState
from monitor.metrics.labels import LOSS_REASONS
from monitor.proxy.ids import Ids
from monitor.proxy.ledger import Ledger
from monitor.types import Exchange, Message, Outcome, Receipt

outcomes = st.sampled_from(list(Outcome))
reasons = st.sampled_from(LOSS_REASONS)
states = st.sampled_from(["appended", "lost", "spooled"])


def sums(ledger: Ledger) -> tuple[float, float, float, float]:
    """Exchanges, appended, lost, pending, as a scrape shows them."""
    found = ledger.measurements("e")

    def total(name: str) -> float:
        return sum(one.value for one in found if one.name == name)

    return (
        total("monitor_exchanges_total"),
        total("monitor_records_appended_total"),
        total("monitor_exchanges_lost_total"),
        total("monitor_records_pending"),
    )


def ended(id_: str, outcome: Outcome, at: float) -> Exchange:
    """An exchange that ended at the time `at`."""
    return Exchange(id_, at - 0.5, 0.5, Message(b""), None, [], outcome)


class Life(RuleBasedStateMachine):
    """Exchanges end, have Receipts, late Receipts, Receipts twice, and scrapes come between."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = 0.0
        self.number = 0
        self.held: dict[int, str] = {}
        self.spooled: set[int] = set()
        self.ended = self.appended = self.lost = 0
        self.shown = 0.0
        self.outcomes: Counter[Outcome] = Counter()

    @rule(outcome=outcomes)
    def hold(self, outcome: Outcome) -> None:
        self.number += 1
        self.ended += 1
        self.outcomes[outcome] += 1
        self.now += 1
        self.held[self.number] = str(self.number)
        self.ledger.hold(ended(str(self.number), outcome, self.now))

    @rule(outcome=outcomes, reason=reasons)
    def lose(self, outcome: Outcome, reason: str) -> None:
        self.ended += 1
        self.outcomes[outcome] += 1
        self.lost += 1
        self.ledger.lose(outcome, reason)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=states, reason=st.one_of(reasons, st.text(max_size=3)))
    def settle(self, data: st.DataObject, state: str, reason: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[number]
        self.ledger.settle(Receipt(str(number), state, reason, "openai_chat", "chat", "m"), number)
        if state == "spooled":
            self.spooled.add(number)
        self.appended += state == "appended"
        self.lost += state == "lost"

    @precondition(lambda self: self.held)
    @rule(data=st.data(), reason=reasons)
    def lose_held(self, data: st.DataObject, reason: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[number]
        self.lost += 1
        self.ledger.lose_held(str(number), reason)

    @rule(data=st.data(), state=states)
    def settle_later(self, data: st.DataObject, state: str) -> None:
        """Also for what was never spooled, or is settled already."""
        number = data.draw(st.integers(1, self.number + 2))
        if number in self.held:
            return
        self.ledger.settle_spooled(Receipt(str(number), state, "spool_full"), number)
        if number in self.spooled and state != "spooled":
            self.spooled.discard(number)
            self.appended += state == "appended"
            self.lost += state == "lost"

    @rule()
    def scrape(self) -> None:
        self.ledger.label_unknown(self.ledger.unlabelled())
        assert not self.ledger.unlabelled()
        pending = len(self.held) + len(self.spooled)
        assert sums(self.ledger) == (self.ended, self.appended, self.lost, pending)

    @invariant()
    def adds_up(self) -> None:
        """Also between scrapes, and no counter ever goes back."""
        exchanges, appended, lost, pending = sums(self.ledger)
        assert exchanges == appended + lost + pending
        assert exchanges >= self.shown
        self.shown = exchanges

    @invariant()
    def a_successor_would_know_all(self) -> None:
        """What has ended stands in the snapshot, with labels or without."""
        counted: Counter[str] = Counter()
        for *_, outcome, count in self.ledger.snapshot("p", 0.0, [], 0).exchanges:
            counted[outcome] += count
        assert counted == self.outcomes


TestLife = Life.TestCase


def test_labels_come_with_the_receipt_and_are_unknown_without() -> None:
    """A scrape that comes first counts under `unknown`, for good."""
    ledger = Ledger()
    ledger.hold(ended("a", Outcome.OK, 1.0))
    ledger.hold(ended("b", Outcome.OK, 2.0))
    assert ledger.unlabelled() == ["a", "b"]
    ledger.label_unknown(["a"])
    assert (ledger.is_labelled("a"), ledger.is_labelled("b")) == (True, False)
    receipts = [
        Receipt(id_, "appended", "", "openai_chat", "chat", "m", "server_error") for id_ in "ab"
    ]
    ledger.settle(receipts[0], 1)
    ledger.settle(receipts[1], 2)
    counted = [
        (one.labels["model"], one.labels["outcome"], one.value)
        for one in ledger.measurements("e")
        if one.name == "monitor_exchanges_total"
    ]
    assert counted == [("unknown", "ok", 1), ("m", "server_error", 1)]


BEFORE, OWN = (Ids(process, lambda: 1_700_000_000.0) for process in (1, 2))


def id_of(ids: Ids, number: int) -> str:
    """The id with that number."""
    return ids.new()[:26] + f"{number:010x}"


def receipt(number: int, state: str, reason: str = "") -> Receipt:
    """Of an exchange of the process before."""
    return Receipt(id_of(BEFORE, number), state, reason)


def packed(*found: int) -> tuple[int, bytes]:
    """As in a frame."""
    numbers = Numbers()
    for number in found:
        numbers.add(number)
    return numbers.packed()


def held(*found: int, ids: Ids = BEFORE, damaged: int = 0) -> RecorderState:
    """What a recorder found of a process in the spool."""
    records = [(ids.process, "openai_chat", "chat", "ok", *packed(*found))] if found else []
    return RecorderState(records, damaged)


def test_what_an_earlier_run_left_in_the_spool_is_pending_until_it_is_appended() -> None:
    """It is counted when the recorder speaks of it, once, and settled by its Receipts, once."""
    ledger = Ledger()
    both = RecorderState([*held(1, 2, 3).records, *held(1, 2, 3, 4, 5, 6, 7, ids=OWN).records], 0)
    ledger.adopt_spool(both, OWN.process, 0.0)
    assert sums(ledger) == (3, 0, 0, 3)
    ledger.settle_predecessor(receipt(1, "appended"))
    ledger.settle_predecessor(receipt(2, "lost", "unreadable"))
    assert sums(ledger) == (3, 1, 1, 1)
    ledger.settle_predecessor(
        receipt(2, "appended")
    )  # a recorder died before it had written it down
    ledger.adopt_spool(held(2, 3), OWN.process, 0.0)
    ledger.settle_predecessor(receipt(3, "appended"))
    assert sums(ledger) == (3, 2, 1, 0)
    ledger.settle_predecessor(receipt(4, "spooled"))
    ledger.settle_predecessor(receipt(4, "appended"))
    ledger.settle_predecessor(Receipt("of nobody", "appended"))
    assert sums(ledger) == (3, 2, 1, 0)
    counted = [one.labels for one in ledger.measurements("e") if "exchanges_total" in one.name]
    assert counted == [
        {"endpoint": "e", "protocol": "openai_chat", "operation": "chat", "model": "unknown",
         "outcome": "ok"}
    ]  # fmt: skip


def test_a_damaged_place_in_the_spool_of_an_earlier_run_is_lost_once() -> None:
    """What a ledger knew to be in the spool it misses by itself; only the first of a run is counted."""
    ledger = Ledger()
    ledger.adopt_spool(held(1, 2, 3, damaged=2), OWN.process, 0.0)
    assert sums(ledger) == (5, 0, 2, 3)
    ledger.adopt_spool(held(1, 2, 3, damaged=2), OWN.process, 0.0)
    assert sums(ledger) == (5, 0, 2, 3)
    successor = Ledger()
    successor.resume(ledger.snapshot(OWN.process, 0.0, [], 0))
    successor.adopt_spool(held(1, 2, 3, damaged=2), "third", 0.0)
    assert sums(successor) == (5, 0, 2, 3)


def dying() -> Ledger:
    """Two appended, 1 and 2; 3 and 4 in the spool, 5 and 6 in the buffer when it is killed."""
    ledger = Ledger()
    for number in range(1, 7):
        ledger.hold(ended(id_of(BEFORE, number), Outcome.OK, float(number)))
    for number in (1, 2):
        ledger.settle(receipt(number, "appended"), number)
    for number in (3, 4):
        ledger.settle(receipt(number, "spooled"), number)
    return ledger


@pytest.mark.parametrize(
    ("receipts", "in_stream", "expected", "reasons"),
    [
        ([], (), (6, 2, 4, 0), {"proxy_died": 2, "spool_damaged": 2}),
        ([3, 4, 5], (), (6, 5, 1, 0), {"proxy_died": 1}),
        ([3], (1, 2, 3, 4, 5), (6, 5, 1, 0), {"proxy_died": 1}),
        ([1, 2, 3, 3], (5,), (6, 4, 2, 0), {"proxy_died": 2}),
    ],
)
def test_a_successor_goes_on_where_a_killed_proxy_ended(
    receipts: list[int],
    in_stream: tuple[int, ...],
    expected: tuple[int, ...],
    reasons: dict[str, int],
) -> None:
    """What became of its last exchanges comes by Receipts, some twice, and in the end from the
    stream; what nobody had but itself is lost. No counter goes back meanwhile."""
    before = dying()
    before.label_unknown(before.unlabelled())
    assert sums(before) == (6, 2, 0, 4)
    ledger = Ledger()
    ledger.resume(before.snapshot(BEFORE.process, 5.0, [id_of(BEFORE, 5)], 1))
    assert sums(ledger) == (6, 2, 1, 3)
    third = Ledger()
    third.resume(ledger.snapshot(OWN.process, 6.0, [], 0))  # died before it met the recorder
    third.adopt_spool(held(3, 4), "third", 7.0)
    assert sums(third) == (6, 2, 1, 3)
    assert {one: reconcile.since for one, reconcile in third.predecessors.items()} == {
        BEFORE.process: 5.0, OWN.process: 6.0,
    }  # fmt: skip
    for number in receipts:
        third.settle_predecessor(receipt(number, "appended"))
    third.reconcile(
        Reconciliation([(BEFORE.process, *packed(*in_stream)), (OWN.process, *packed())])
    )
    assert sums(third) == expected
    assert {reason: count for reason, count in third.lost.items() if count} == reasons
    assert not third.predecessors


def test_what_is_in_no_spool_any_more_is_lost() -> None:
    """A corrupt segment names nobody; once the spool is empty, all that was said to be in it and
    has no last Receipt was there."""
    ledger = dying()
    ledger.settle_spooled(receipt(3, "appended"), 3)
    assert ledger.lost["spool_damaged"] == 0
    ledger.reconcile(Reconciliation([]))
    assert ledger.lost["spool_damaged"] == 1
    assert len(ledger.spooled) == 0
