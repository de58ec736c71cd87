"""The ledger adds up at every moment, whatever becomes of exchanges and in whatever order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.framing import Holdings
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


def held(
    *records: tuple[str, int], told: tuple[int, int] = (0, 0), damaged: int = 0, empty: bool = False
) -> Holdings:
    """Of which processes a recorder holds how many."""
    lines = [(process, "openai_chat", "chat", "ok", count) for process, count in records]
    return Holdings(lines, told, damaged, empty)


def test_what_an_earlier_run_left_in_the_spool_is_pending_until_it_is_appended() -> None:
    """It is counted when the recorder speaks of it, once, and settled by its Fates."""
    ledger = Ledger()
    ledger.inherit(held(("before", 3), ("own", 7)), "own")
    assert sums(ledger) == (3, 0, 0, 3)
    ledger.settle_inherited(Fate("a", "appended"))
    ledger.settle_inherited(Fate("b", "lost", "unreadable"))
    assert sums(ledger) == (3, 1, 1, 1)
    ledger.inherit(held(("before", 1)), "own")
    ledger.settle_inherited(Fate("c", "appended"))
    assert sums(ledger) == (3, 2, 1, 0)
    ledger.settle_inherited(Fate("d", "spooled"))
    assert sums(ledger) == (3, 2, 1, 0)
    counted = [one.labels for one in ledger.measurements("e") if "exchanges_total" in one.name]
    assert counted == [
        {"endpoint": "e", "protocol": "openai_chat", "operation": "chat", "model": "unknown",
         "outcome": "ok"}
    ]  # fmt: skip


def test_what_a_killed_proxy_handed_over_at_the_last_moment_counts_at_its_end() -> None:
    """Nobody lived to count it before."""
    ledger = Ledger()
    ledger.inherit(held(), "own")
    ledger.settle_inherited(Fate("a", "appended", "", "openai_chat", "chat", "m", "ok"))
    assert sums(ledger) == (1, 1, 0, 0)


def test_a_damaged_place_in_the_spool_of_an_earlier_run_is_lost_once() -> None:
    """What a ledger knew to be in the spool it misses by itself; the first of a run is told."""
    ledger = Ledger()
    ledger.inherit(held(("before", 3), damaged=2), "own")
    assert sums(ledger) == (5, 0, 2, 3)
    ledger.inherit(held(("before", 3), damaged=2), "own")
    assert sums(ledger) == (5, 0, 2, 3)
    successor = Ledger()
    successor.resume(ledger.left())
    successor.inherit(held(("before", 3), damaged=2), "own")
    assert sums(successor) == (5, 0, 2, 3)


def dying() -> Ledger:
    """Two appended; one in the buffer and two in the spool when it is killed."""
    ledger = Ledger()
    ledger.connected()
    for number in range(5):
        ledger.hold(ended(str(number), Outcome.OK, float(number)))
    fates = [Fate(str(number), "appended") for number in range(2)]
    fates += [Fate(str(number), "spooled") for number in range(2, 4)]
    for number, fate in enumerate(fates):
        ledger.settle(fate, number)
    return ledger


@pytest.mark.parametrize(
    ("holdings", "expected", "reasons"),
    [
        (held(("before", 3), told=(2, 0)), (5, 2, 0, 3), {}),
        (held(("before", 2), told=(3, 0), empty=True), (5, 3, 0, 2), {}),
        (held(("before", 2), told=(2, 0)), (5, 2, 1, 2), {"proxy_died": 1}),
        (held(told=(2, 0), empty=True), (5, 2, 3, 0), {"proxy_died": 1, "spool_damaged": 2}),
        (held(("before", 6), told=(2, 0)), (8, 2, 0, 6), {}),
        (held(told=(9, 1), empty=True), (10, 9, 1, 0), {"unreadable": 1}),
    ],
)
def test_a_successor_goes_on_where_a_killed_proxy_ended(
    holdings: Holdings, expected: tuple[int, ...], reasons: dict[str, int]
) -> None:
    """Whether its last exchanges came through, are held, or died with it, is the recorder's to say;
    no counter goes back meanwhile."""
    before = dying()
    before.label(10.0)
    assert sums(before) == (5, 2, 0, 3)
    ledger = Ledger()
    ledger.resume(before.left())
    assert sums(ledger) == (5, 2, 0, 3)
    third = Ledger()
    third.resume(ledger.left())  # the second died before it met the recorder
    third.connected()
    third.inherit(holdings, "own")
    assert sums(third) == expected
    assert {reason: count for reason, count in third.lost.items() if count} == reasons


def test_what_is_in_no_spool_any_more_is_lost() -> None:
    """A corrupt segment names nobody; once the spool is empty, all that was said to be in it and
    has no last Fate was there."""
    ledger = dying()
    ledger.inherit(held(("own", 2)), "own")
    assert ledger.lost["spool_damaged"] == 0
    ledger.settle_spooled(Fate("2", "appended"), 2)
    ledger.inherit(held(("own", 1), empty=True), "own")
    assert ledger.lost["spool_damaged"] == 1
    assert len(ledger.spooled) == 0
