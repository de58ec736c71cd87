"""What a value is, in a column that is read in some way."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from monitor.tables.column_types import ColumnType, Kind, plain_value, reader

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats() | st.text() | st.dates() | st.times()
    | st.datetimes() | st.decimals() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


@given(
    value=st.text() | st.from_regex(r"[-(]?[0-9.,' ]{1,9}[-)]?", fullmatch=True) | ANYTHING,
    kind=st.sampled_from(get_args(Kind)),
    decimal=st.sampled_from(".,"),
    unit=st.sampled_from([None, "s", "ns", "date"]),
)
def test_anything_is_read(value: Any, kind: Any, decimal: Any, unit: Any) -> None:
    """What cannot be read as it should be stays a text, for the window to count as a wrong type."""
    found = reader(ColumnType(kind, decimal, unit=unit))(value)
    assert isinstance(found, str | int | float | None | list | dict)
    assert found == found or kind == "vector"  # noqa: PLR0124  no NaN is left


def test_values_of_typed_tables() -> None:
    """Every type of Parquet becomes one that windows know; NaN is missing, infinity is not."""
    moment = datetime(2024, 2, 29, 12, tzinfo=UTC)
    given_ = [1, "a", True, None, moment, moment.replace(tzinfo=None), date(2024, 2, 29)]
    expected = [1, "a", True, None, 1709208000.0, 1709208000.0, 1709164800.0]
    assert [plain_value(value) for value in given_] == expected
    assert plain_value(float("nan")) is plain_value(Decimal("nan")) is None
    assert plain_value(float("inf")) == float("inf")
    assert plain_value(timedelta(minutes=1)) == 60.0
    assert plain_value(b"caf\xc3\xa9") == "café"
    assert plain_value([1.0, 2.0]) == [1.0, 2.0]
    assert plain_value(time(1, 30)) == 5400.0
