"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.tables.numerals import number, signs


@given(
    value=st.decimals(-(10**9), 10**9, places=2),
    decimal=st.sampled_from([".", ","]),
    group=st.sampled_from(["", ".", ",", " ", "'", "\u00a0", "\u202f", "\u2019"]),
    around=st.sampled_from(["{}", " {} ", "$ {}", "{} €", "{} EUR", "{} %", "{}%", "CHF {}"]),
)
def test_every_spelling_of_a_number_is_that_number(value, decimal, group, around) -> None:
    """Whatever groups its digits and stands around it, as long as it is not the decimal sign."""
    group = "" if group == decimal else group
    digits = f"{abs(value):,.2f}".replace(",", "g").replace(".", decimal).replace("g", group)
    plain = around.format(digits)
    assert number(plain, decimal) == pytest.approx(float(abs(value)))
    for minus in (f"-{plain}", f"({plain})", f"{plain}-", around.format(f"-{digits}")):
        assert number(minus, decimal) == pytest.approx(-float(abs(value))), minus


@pytest.mark.parametrize(
    "text",
    ["", "-", "()", "abc", "12 Main St", "1_000", "1,23", "1.2.3", "--5", "-(5)", "(5", "5)", "1-2",
     "192.168.1.1", "2026-01-31", "12:30", "#5", "5x", "1,2345", "0x1f", "1'23", "EUR", "%"],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    """Dates, addresses, names and mistakes stay texts."""
    assert number(text) is None


@given(text=st.text() | st.from_regex(r"[-(]?[0-9.,' ]{0,70}[-)%]?", fullmatch=True))
def test_any_text_is_a_number_or_none(text: str) -> None:
    """In either reading; and what stands in a column decides its sign without an error."""
    for decimal in (".", ","):
        assert isinstance(number(text, decimal), float | None)  # type: ignore[arg-type]
    assert signs([text]).decide(".")[0] in (".", ",")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("٣٤٥٫٦", 345.6),
        ("١٬٢٣٤٫٥", 1234.5),
        ("۱۲٫۵ ٪", 12.5),
        ("१२.५", 12.5),
        ("１，２３４．５", 1234.5),
        ("٫", None),
    ],
)
def test_digits_of_other_scripts(text: str, value: float | None) -> None:
    """With the signs between them, which tell that of the column."""
    assert number(text) == value
    assert signs([text]).decide(",")[0] == ("," if value is None else ".")


def test_money_around_brackets() -> None:
    """As accounts have it on either side; brackets that do not close are none."""
    texts = ["(3.21) €", "$(1,234.50)", "EUR (3)", "(3 €)", "($ 3)"]
    assert [number(text) for text in texts] == [-3.21, -1234.5, -3.0, -3.0, -3.0]
    assert [number(text) for text in ("(3 €) €)", "(3", "3) €", "$", "$ (")] == [None] * 5
