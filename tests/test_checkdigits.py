"""Check digits agree with an independent library (python-stdnum)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban
from stdnum import luhn as stdnum_luhn
from stdnum import verhoeff as stdnum_verhoeff
from stdnum.iso7064 import mod_11_10 as stdnum_mod_11_10

from monitor.checkdigits import luhn, mod11_10, mod97, verhoeff


@given(st.text("0123456789", min_size=1, max_size=25))
def test_luhn_agrees(digits: str) -> None:
    """For every row of digits."""
    assert luhn(digits) == stdnum_luhn.is_valid(digits)


@given(st.sampled_from(["DE", "GB", "FR"]), st.text("0123456789ABCDEFGH", min_size=12, max_size=28))
def test_mod97_agrees(country: str, rest: str) -> None:
    """ISO 7064 MOD 97-10, on which the IBAN stands."""
    value = country + "00" + rest
    right = stdnum_iban.calc_check_digits(value)
    assert mod97(rest + country + right)
    wrong = int(right) + 1 if int(right) < 98 else int(right) - 1
    assert not mod97(f"{rest}{country}{wrong:02}")


@given(st.text("0123456789", min_size=1, max_size=25))
def test_verhoeff_and_mod11_10_agree(digits: str) -> None:
    """For every row of digits, whose right last digit is accepted too."""
    assert verhoeff(digits) == stdnum_verhoeff.is_valid(digits)
    assert verhoeff(digits + stdnum_verhoeff.calc_check_digit(digits))
    assert mod11_10(digits) == stdnum_mod_11_10.is_valid(digits)
    assert mod11_10(digits + stdnum_mod_11_10.calc_check_digit(digits))
