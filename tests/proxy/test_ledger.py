"""The ledger adds up at every moment, whatever becomes of exchanges and in whatever order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.metrics import LOSS_REASONS
from monitor.proxy.ledger import Ledger, Numbers
from monitor.types import Exchange, Fate, Message, Outcome

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
    """Exchanges end, have Fates, late Fates, Fates twice, and scrapes come between."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = 0.0
        self.number = 0
        self.held: dict[int, str] = {}
        self.spooled: set[int] = set()
        self.ended = self.appended = self.lost = 0
        self.shown = 0.0

    @rule(outcome=outcomes)
    def hold(self, outcome: Outcome) -> None:
        self.number += 1
        self.ended += 1
        self.now += 1
        self.held[self.number] = str(self.number)
        self.ledger.hold(ended(str(self.number), outcome, self.now))

    @rule(outcome=outcomes, reason=reasons)
    def lose(self, outcome: Outcome, reason: str) -> None:
        self.ended += 1
        self.lost += 1
        self.ledger.lose(outcome, reason)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), state=states, reason=st.one_of(reasons, st.text(max_size=3)))
    def settle(self, data: st.DataObject, state: str, reason: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.held)))
        del self.held[number]
        self.ledger.settle(Fate(str(number), state, reason, "openai_chat", "chat", "m"), number)
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
        self.ledger.settle_spooled(Fate(str(number), state, "spool_full"), number)
        if number in self.spooled and state != "spooled":
            self.spooled.discard(number)
            self.appended += state == "appended"
            self.lost += state == "lost"

    @rule()
    def scrape(self) -> None:
        self.ledger.label(self.now)
        assert not self.ledger.waits(self.now)
        pending = len(self.held) + len(self.spooled)
        assert sums(self.ledger) == (self.ended, self.appended, self.lost, pending)

    @invariant()
    def adds_up(self) -> None:
        """Also between scrapes, and no counter ever goes back."""
        exchanges, appended, lost, pending = sums(self.ledger)
        assert exchanges == appended + lost + pending
        assert exchanges >= self.shown
        self.shown = exchanges


TestLife = Life.TestCase


def test_labels_come_with_the_fate_and_are_unknown_without() -> None:
    """A scrape that comes first counts under `unknown`, for good."""
    ledger = Ledger()
    ledger.hold(ended("a", Outcome.OK, 1.0))
    ledger.hold(ended("b", Outcome.OK, 2.0))
    ledger.label(1.5)
    fates = [Fate(id_, "appended", "", "openai_chat", "chat", "m", "server_error") for id_ in "ab"]
    ledger.settle(fates[0], 1)
    ledger.settle(fates[1], 2)
    counted = [
        (one.labels["model"], one.labels["outcome"], one.value)
        for one in ledger.measurements("e")
        if one.name == "monitor_exchanges_total"
    ]
    assert counted == [("unknown", "ok", 1), ("m", "server_error", 1)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200_000)), max_size=60))
def test_numbers_are_a_set(steps: list[tuple[bool, int]]) -> None:
    """In any order, although they are made for rising ones."""
    numbers, expected = Numbers(), set[int]()
    for adds, number in steps:
        if adds:
            numbers.add(number)
            expected.add(number)
        else:
            assert numbers.discard(number) is (number in expected)
            expected.discard(number)
        assert len(numbers) == len(expected)


def test_a_million_spooled_numbers_cost_a_bit_each() -> None:
    """An outage of hours must not cost the proxy its memory, nor leave anything behind."""
    numbers = Numbers()
    for number in range(1_000_000):
        numbers.add(number)
    assert len(numbers._bits) <= 1_000_000 // 8 + 1
    assert all(numbers.discard(number) for number in range(1_000_000))
    assert len(numbers) == 0
    assert len(numbers._bits) <= 4097
