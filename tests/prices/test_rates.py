"""What an exchange costs by given rates: every case by hand, in dollars."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.prices.rates import FEMTO, Rates, sums
from monitor.types import Tokens


def per_million(dollars: str) -> list[tuple[int, int]]:
    return [(0, int(Decimal(dollars) * FEMTO / 10**6))]


def each(dollars: str) -> list[tuple[int, int]]:
    return [(0, int(Decimal(dollars) * FEMTO))]


CHAT = Rates(
    input=per_million("2.5"), output=per_million("10"), cached=per_million("1.25"),
    cache_write=per_million("3.125"), cache_write_1h=per_million("5"),
    audio_input=per_million("40"), audio_output=per_million("80"), searches=each("0.01"),
)  # fmt: skip
PLAIN = Rates(input=per_million("0.15"), output=per_million("0.6"))
TIERED = Rates(
    input=[*per_million("1.25"), (200_000, per_million("2.5")[0][1])],
    output=[*per_million("10"), (200_000, per_million("15")[0][1])],
    cached=[*per_million("0.125"), (200_000, per_million("0.25")[0][1])],
)
THINKS = Rates(input=per_million("2"), output=per_million("8"), reasoning=per_million("3"))
UNITS = Rates(
    seconds=each("0.36"), characters=per_million("15"), images=each("0.04"), pages=each("0.001")
)
ASKED = Rates(input=per_million("1"), output=per_million("1"), requests=each("0.005"))


def cost(
    rates: Rates, read: int | None, written: int | None, units: dict[str, float], **parts: int
) -> Decimal | None:
    found = sums(
        rates, None if read is None and written is None else Tokens(read, written, **parts), units
    )
    return None if found is None else Decimal(sum(found)) / 10**9


@pytest.mark.parametrize(
    ("rates", "read", "written", "parts", "units_dollars"),
    [
        (CHAT, 1000, 500, {}, ({}, "0.0075")),
        (CHAT, 0, 0, {}, ({}, "0")),
        (CHAT, 1, 0, {}, ({}, "0.0000025")),
        (CHAT, 1000, 500, {"cached": 0}, ({}, "0.0075")),
        (CHAT, 1000, 500, {"cached": 400}, ({}, "0.007")),
        (CHAT, 1000, 500, {"cached": 1000}, ({}, "0.00625")),
        (CHAT, 1000, 0, {"cached": 600, "cache_write": 400}, ({}, "0.002")),
        (CHAT, 1000, 0, {"cache_write": 400}, ({}, "0.00275")),
        (CHAT, 1000, 0, {"cache_write": 400, "cache_write_1h": 400}, ({}, "0.0035")),
        (CHAT, 1000, 0, {"cache_write": 400, "cache_write_1h": 100}, ({}, "0.0029375")),
        (CHAT, 1000, 0, {"audio_input": 500}, ({}, "0.02125")),
        (CHAT, 0, 1000, {"audio_output": 500}, ({}, "0.045")),
        (CHAT, 0, 1000, {"reasoning": 900}, ({}, "0.01")),
        (CHAT, 0, 1000, {}, ({"searches": 3}, "0.04")),
        (CHAT, None, None, {}, ({"searches": 1}, "0.01")),
        (CHAT, 8_000_000, 1_000_000, {}, ({}, "30")),
        (PLAIN, 7, 3, {}, ({}, "0.00000285")),
        (PLAIN, 1, 1, {}, ({}, "0.00000075")),
        (PLAIN, 1000, 1000, {"reasoning": 1000}, ({}, "0.00075")),
        (TIERED, 200_000, 1000, {}, ({}, "0.26")),
        (TIERED, 200_001, 1000, {}, ({}, "0.5150025")),
        (TIERED, 200_001, 0, {}, ({}, "0.5000025")),
        (TIERED, 100_000, 300_000, {}, ({}, "3.125")),
        (TIERED, 300_000, 0, {"cached": 250_000}, ({}, "0.1875")),
        (TIERED, 200_000, 0, {"cached": 200_000}, ({}, "0.025")),
        (THINKS, 0, 1000, {"reasoning": 400}, ({}, "0.006")),
        (THINKS, 0, 1000, {"reasoning": 1000}, ({}, "0.003")),
        (UNITS, None, None, {}, ({"seconds": 3600}, "0.36")),
        (UNITS, None, None, {}, ({"seconds": 1}, "0.0001")),
        (UNITS, None, None, {}, ({"seconds": 12.5}, "0.00125")),
        (UNITS, None, None, {}, ({"characters": 1200}, "0.018")),
        (UNITS, None, None, {}, ({"images": 4}, "0.16")),
        (UNITS, None, None, {}, ({"pages": 3}, "0.003")),
        (UNITS, None, None, {}, ({"images": 1, "pages": 10}, "0.05")),
        (ASKED, 100, 100, {}, ({}, "0.0052")),
        (ASKED, 0, 0, {}, ({}, "0.005")),
        # what has no rate, or cannot be, costs nothing that could be said
        (PLAIN, 100, 10, {"cached": 1}, ({}, None)),
        (PLAIN, 100, 10, {"cache_write": 1}, ({}, None)),
        (PLAIN, 100, 10, {"audio_input": 1}, ({}, None)),
        (PLAIN, 100, 10, {"audio_output": 1}, ({}, None)),
        (PLAIN, 100, 10, {}, ({"searches": 1}, None)),
        (PLAIN, 100, 10, {}, ({"searches": 0}, "0.000021")),
        (PLAIN, 100, 10, {}, ({"tables": 1}, None)),
        (PLAIN, None, 10, {}, ({}, None)),
        (PLAIN, 10, None, {}, ({}, None)),
        (CHAT, 100, 10, {"cached": 101}, ({}, None)),
        (CHAT, 100, 10, {"cached": 60, "cache_write": 60}, ({}, None)),
        (CHAT, 100, 10, {"cache_write": 5, "cache_write_1h": 6}, ({}, None)),
        (CHAT, 100, 10, {"audio_output": 11}, ({}, None)),
        (CHAT, 100, 10, {"audio_input": 50, "cached": 10}, ({}, None)),
        (THINKS, 100, 10, {"reasoning": 11}, ({}, None)),
        (UNITS, None, None, {}, ({"images": -1}, None)),
        (UNITS, None, None, {}, ({"images": float("nan")}, None)),
        (UNITS, None, None, {}, ({"images": 1e300}, None)),
        (UNITS, None, None, {}, ({}, None)),
        (UNITS, 10, 0, {}, ({"images": 1}, None)),
        (Rates(input=per_million("1"), output=per_million("1"), apart=["input_image_mtok"]), 1, 1, {}, ({}, None)),
        (Rates(), 1, 1, {}, ({}, None)),
        (Rates(), 0, 0, {}, ({}, "0")),
        (Rates(input=per_million("1")), 10, 0, {}, ({}, "0.00001")),
        (Rates(input=per_million("1")), 10, 1, {}, ({}, None)),
        (Rates(input=per_million("0"), output=per_million("0")), 10, 10, {}, ({}, "0")),
        (Rates(input=[(0, 83_333_333)], output=per_million("0")), 1_000_000, 0, {}, ({}, "0.083333333")),
        (Rates(input=per_million("0.0375"), output=per_million("0")), 3, 0, {}, ({}, "0.000000113")),
    ],
)  # fmt: skip
def test_a_cost_is_what_a_person_reckons(
    rates: Rates, read: int | None, written: int | None, parts: dict[str, int],
    units_dollars: tuple[dict[str, float], str | None],
) -> None:  # fmt: skip
    """To the billionth; a part is paid for once, the whole request at the rate of its input."""
    units, dollars = units_dollars
    right = None if dollars is None else Decimal(dollars)
    assert cost(rates, read, written, units, **parts) == right


COUNTS = st.integers(0, 10**7)


@given(COUNTS, COUNTS, st.lists(st.tuples(COUNTS, COUNTS), max_size=5))
def test_sums_are_the_same_in_any_order(
    read: int, written: int, more: list[tuple[int, int]]
) -> None:
    """Whole numbers add up."""
    each_ = [sums(CHAT, Tokens(*one), {}) for one in [(read, written), *more]]
    assert all(one is not None for one in each_)
    forth: Any = sum(sum(one) for one in each_ if one)
    assert forth == sum(sum(one) for one in reversed(each_) if one)
