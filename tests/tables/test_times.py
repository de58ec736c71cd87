"""Times of a column."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tables.times import SCALES, date, orders, unit
from monitor.texts import seconds

MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2068, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
FORMS = [
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S +0000", "%Y-%m-%d %H:%M:%S UTC", "%Y%m%dT%H%M%SZ",
    "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%d/%m/%y %H:%M:%S",
    "%d %b %Y %H:%M:%S", "%B %d, %Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %I:%M:%S %p",
]  # fmt: skip


@given(at=MOMENTS, form=st.sampled_from(FORMS))
def test_every_form_of_a_time_is_that_time(at: datetime, form: str) -> None:
    """Where the column says that the day comes first."""
    assert seconds(at.strftime(form), day_first=True) == at.timestamp()


@given(moments=st.lists(MOMENTS, min_size=1), day_first=st.booleans())
def test_the_order_of_a_column_is_the_one_it_was_written_in(
    moments: list[datetime], day_first: bool
) -> None:
    """Or it is said that nobody can tell."""
    form = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    found = orders(at.strftime(form) for at in moments)
    said, note = found.decide()
    telling = any(at.day > 12 for at in moments)
    if telling:
        assert (said, note) == (day_first, "")
    assert found.is_certain == (telling or all(at.day == at.month for at in moments))


@given(
    moments=st.lists(MOMENTS.filter(lambda at: at.year < 2050), min_size=1),
    name=st.sampled_from(list(SCALES)),
)
def test_numbers_that_count_since_1970(moments: list[datetime], name: str) -> None:
    """Are told apart by their size."""
    assert unit([at.timestamp() * SCALES[name] for at in moments]) == name  # type: ignore[index]


@pytest.mark.parametrize(
    "numbers", [[], [1.0], [1.7e9, 5.0], [20240230.0], [19000101.5], [-1e9], [4e15]]
)
def test_numbers_that_count_something_else(numbers: list[float]) -> None:
    """One that does not fit is enough."""
    assert unit(numbers) is None


@given(value=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**8))
def test_any_number_is_a_day_or_none(value: float) -> None:
    """YYYYMMDD that is in the calendar."""
    assert isinstance(date(value), float | None)
