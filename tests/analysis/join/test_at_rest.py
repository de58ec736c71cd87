"""Records and feedback at rest give the Rows that live traffic had."""

from __future__ import annotations

import math
from random import Random

import pytest

from monitor.analysis.join.at_rest import due
from monitor.analysis.join.items import Item
from monitor.analysis.join.join import Join
from monitor.analysis.join.predictions import PredictionReader
from monitor.types import Record
from tests.analysis.join.exchanges import BEGIN, item, record
from tests.analysis.join.test_join import WAIT, history, join, label, live


@pytest.mark.parametrize("seed", range(8))
def test_what_is_at_rest_has_the_rows_it_had_live(seed: int) -> None:
    """The same Rows, in the same order, and the same end of every item."""
    events = history(seed)
    lived, rows = live(events, seed, kills=3)
    records = [event for _, event in events if isinstance(event, Record)]
    said = [event for _, event in events if isinstance(event, Item)]
    rested = join()
    assert list(due(rested, records, said)) == rows
    assert rested.ledger.final == lived.ledger.final


def test_the_end_of_the_records_makes_all_due() -> None:
    """What a file says without a time came in time, also when it is read last."""
    records = [record(f"r{number}", number * 50.0) for number in range(5)]
    said = [item(None, f"{number}", id=f"r{number}", label=str(number)) for number in range(5)]
    assert [label(row) for row in due(join(), records, said)] == list("01234")
    late = [item(5000.0, "late", id="r4", label="4"), item(9000.0, "nobody", id="x", label="0")]
    one = join()
    assert [label(row) for row in due(one, records, late)] == [None] * 5
    assert one.ledger.final["label"]["unmatched"] == 2


def test_only_the_dimensions_asked_for_are_in_a_row() -> None:
    """As in the rest of replay."""
    seen = record("r", segments={"population": "a", "variant": "b"})
    one = Join(PredictionReader(), wait=WAIT, dimensions=("variant",))
    (row,) = due(one, [seen], [])
    assert row.segments == {"variant": "b"}


def test_rows_come_while_records_are_read() -> None:
    """Memory holds what is not due, not all that was ever there."""
    one, random = join(), Random(1)
    most = 0
    for _ in due(one, (record(f"{n}", n + random.random()) for n in range(5000)), []):
        most = max(most, len(one))
    assert most <= 2 * WAIT
    assert math.isfinite(BEGIN)
