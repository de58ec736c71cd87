"""Numbers that make another one are found as among all that they make."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.answers.arithmetic import ALL, combine
from monitor.answers.matches import Claim, is_among, is_made
from monitor.answers.quantities import Quantity, quantities

TEXTS = (
    "$50", "$40", "40", "20%", "5%", "3 kWh", "31 ct/kWh", "0 kg", "2.5 mg", "12 thousand", "9 days", "7", "0", "140 mg/dL",
    "$2 million", "4 hours", "1e300", "1e-300",
)  # fmt: skip
KNOWN: list[Quantity] = [one for text in TEXTS for one in quantities(text, 9)]
"""One of each kind that `combine` tells apart."""
MADE = [(unit, value) for a in KNOWN for b in KNOWN for unit, _, value in combine(a, b)]


@given(
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN),
    st.sampled_from([*MADE, *((one.unit, one.value) for one in KNOWN)]),
    st.tuples(st.sampled_from([1.0, 1e3, 1e6, 86400.0]), st.sampled_from([1e-9, 0.02])),
    st.text(st.sampled_from(ALL), min_size=1, max_size=3),
)
def test_two_numbers_make_what_combine_makes_of_them(
    a: Quantity, b: Quantity, said: tuple[str, float], how: tuple[float, float], kinds: str
) -> None:
    """Whatever units they have, by each of the ways that are asked for, and by no other."""
    (unit, value), (scale, off) = said, how
    one = Quantity(value, abs(value), unit, value / scale, 0, 1)
    claim = Claim(one, abs(value) * off)
    assert is_made(claim, [(a, b)], kinds) == is_among(claim, combine(a, b), kinds)


@given(st.sampled_from(KNOWN), st.sampled_from(KNOWN))
def test_what_two_numbers_make_is_made_of_them(a: Quantity, b: Quantity) -> None:
    """Each value, in its unit."""
    for unit, kind, value in combine(a, b):
        if abs(value) < 1e307:
            one = Quantity(value, abs(value), unit, value, 0, 1)
            assert is_made(Claim(one, abs(value) * 1e-9), [(a, b)], kind)
