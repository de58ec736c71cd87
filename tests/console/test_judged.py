"""Without an alarm a page says what was judged, and what nobody looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from monitor.findings import Outcomes, Quality
from tests.console.test_pages import Sits, asked, console
from tests.queries.house import House


def test_no_alarm_is_told_of_what_nobody_looks_at() -> None:
    """The overview says how much was judged, and slices alarm there as in a notification."""

    class Told(House):
        def __init__(self, told: Outcomes) -> None:
            super().__init__()
            self.told = told

        async def outcomes(self) -> Outcomes:
            return self.told

    def overview(told: Outcomes) -> str:
        page = asked("", console(Told(told), Sits("north"))).text
        return " ".join(page.partition("<h2>Alarms</h2>")[2].partition("<h2>")[0].split())

    well = Quality("all", "all", "accuracy", 0.9, 0.8, 1.0, 500, "ok")
    young = Quality("site", "a", "accuracy", 0.9, 0.8, 1.0, 5, "insufficient")
    assert "None, and nothing was judged." in overview(Outcomes())
    assert "of quality, calibration, coverage, fairness." in overview(Outcomes())
    said = overview(Outcomes(True, [well, young]))
    assert "None among 1 of quality. Nothing can be said yet of 1 of quality." in said
    assert "There is nothing to judge of calibration, coverage, fairness." in said
    found = asyncio.run(House().outcomes())
    alone = overview(Outcomes(True, slices=found.slices))
    assert "slices (error)" in alone
    assert "None" not in alone


def test_the_page_of_slices_says_whether_anybody_looks_for_them() -> None:
    """And by which measures: none is found by others."""

    class Told(House):
        measures: Sequence[str] = ()

        async def outcomes(self) -> Outcomes:
            return Outcomes(True, sliced=list(self.measures))

    house = Told()
    assert "Slices are not looked for" in asked("slices", console(house, Sits("north"))).text
    house.measures = ["error", "cost"]
    said = asked("slices", console(house, Sits("north"))).text
    assert "Slices are not looked for" not in said
    assert "looked for by error, cost alone" in said
