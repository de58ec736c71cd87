"""Every item has one final result, or waits."""

from __future__ import annotations

from monitor.analysis.join.ledger import Ledger
from monitor.metrics import BY_NAME
from monitor.metrics.labels import FEEDBACK_KINDS
from monitor.metrics.metric import FEEDBACK_DELAY_BUCKETS


def told(ledger: Ledger) -> dict[tuple[str, ...], float]:
    return {
        (one.name, *(value for key, value in one.labels.items() if key != "endpoint")): one.value
        for one in ledger.measurements("e")
    }


def test_a_ledger_adds_up_and_goes_on() -> None:
    """The sum of the results is what was said; a successor has the same."""
    ledger = Ledger()
    ledger.joined("label", 30.0)
    ledger.joined("label", -5.0)
    ledger.joined("label", 1e12)
    ledger.end("rating", "unmatched")
    ledger.end("event", "duplicate")
    ledger.invalid()
    ledger.waiting["label"] += 2
    assert ledger.said == 8
    again = Ledger()
    again.restore(ledger.saved())
    assert again.said == 6
    again.waiting["label"] += 2
    assert told(again) == told(ledger)


def test_delays_are_a_histogram_of_the_catalogue() -> None:
    """Cumulative, with the catalogue's bounds, and 0 for clocks that disagree."""
    ledger = Ledger()
    for delay in (-5.0, 30.0, 1e12):
        ledger.joined("label", delay)
    seen = told(ledger)
    name = "monitor_feedback_delay_seconds"
    assert BY_NAME[name].buckets == FEEDBACK_DELAY_BUCKETS
    assert [seen[f"{name}_bucket", "label", le] for le in ("1.0", "10.0", "60.0", "+Inf")] == [
        1, 1, 2, 3,
    ]  # fmt: skip
    assert (seen[f"{name}_count", "label"], seen[f"{name}_sum", "label"]) == (3, 1e9 + 30)


def test_every_series_exists_before_its_first_event() -> None:
    """So that its first event is seen to rise."""
    seen = told(Ledger())
    for kind in FEEDBACK_KINDS:
        for result in ("joined", "waiting", "unmatched", "duplicate"):
            assert seen["monitor_feedback_total", kind, result] == 0
    assert seen["monitor_feedback_total", "unknown", "invalid"] == 0
