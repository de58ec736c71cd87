"""What goes out in the place of a pseudonym has its form, and is nobody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban, luhn

from monitor.redrive import surrogates

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789_-", min_size=16, max_size=24)


@given(TOKENS)
def test_a_surrogate_has_a_form_that_nobody_was_given(token: str) -> None:
    """Cards and accounts have right check digits; telephones, networks and domains are for examples."""
    made = {
        entity: surrogates.of(f"<{entity}:k1:{token}>")
        for entity in (
            "EMAIL_ADDRESS",
            "PHONE_NUMBER",
            "CREDIT_CARD",
            "IBAN_CODE",
            "IP_ADDRESS",
            "US_SSN",
        )
    }
    assert made["EMAIL_ADDRESS"].endswith("@example.com")
    assert "-555-01" in made["PHONE_NUMBER"]
    assert len(made["CREDIT_CARD"]) == 16
    assert luhn.is_valid(made["CREDIT_CARD"])
    assert made["CREDIT_CARD"].startswith("0")
    assert iban.calc_check_digits(made["IBAN_CODE"]) == made["IBAN_CODE"][2:4]
    assert made["IBAN_CODE"].startswith("XX")
    assert made["IP_ADDRESS"].rpartition(".")[0] in ("192.0.2", "198.51.100", "203.0.113")
    assert made["US_SSN"].startswith("666-")


@given(TOKENS, TOKENS)
def test_one_value_is_one_surrogate(one: str, other: str) -> None:
    """In every text and every run; another value is nearly always another."""
    texts = [surrogates.of(f"{start}<PERSON:k1:{one}>")[-13:] for start in ("", "Dear ")]
    assert texts[0] == texts[1]
    if one != other:
        assert surrogates.of(f"<PERSON:k1:{one}>") != surrogates.of(f"<PERSON:k1:{other}>")


def test_kinds_stand_in_for_pseudonyms_when_texts_are_compared() -> None:
    """Whatever was made of them."""
    text = "Ask <EMAIL_ADDRESS:k1:abcdefghijklmnop> or <IP_ADDRESS:k2:abcdefghijklmnop>, <b>now</b>"
    assert surrogates.masked(text) == "Ask <EMAIL_ADDRESS> or <IP_ADDRESS>, <b>now</b>"
