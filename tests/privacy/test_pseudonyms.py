"""Pseudonyms: joinable under one key, unlinkable without it, never forged."""

from __future__ import annotations

import hashlib
import hmac
import re

from hypothesis import given
from hypothesis import strategies as st

from monitor.marks import PSEUDONYM
from monitor.privacy.pseudonyms import Key, Tokens, derive, escape, fingerprint

ONE, TWO = Key("k1", bytes(32)), Key("k2", bytes([1]) * 32)


@given(st.text(max_size=40))
def test_equal_values_have_equal_tokens_of_the_stated_form(value: str) -> None:
    """On every replica with the key; surrogates included."""
    token = Tokens(ONE, "t")("EMAIL_ADDRESS", value)
    assert token == Tokens(ONE, "t")("EMAIL_ADDRESS", value)
    assert re.fullmatch(r"<[A-Z_]+:[a-z0-9]+:[A-Za-z0-9_-]{16,}>", token)
    assert PSEUDONYM.fullmatch(token)


def test_key_tenant_and_entity_separate_tokens() -> None:
    """Nothing joins across any of them."""
    tokens = {
        Tokens(key, tenant)(entity, "v")
        for key in (ONE, TWO) for tenant in ("a", "b") for entity in ("EMAIL_ADDRESS", "US_SSN")
    }  # fmt: skip
    assert len({token.rpartition(":")[2] for token in tokens}) == 8


def test_hkdf_is_rfc_5869() -> None:
    """Written out a second time, with length-prefixed parts as info."""
    extracted = hmac.new(bytes(32), b"r" * 32, hashlib.sha256).digest()
    info = b"\0\0\0\x01a" + b"\0\0\0\x02bc"
    expected = hmac.new(extracted, info + b"\x01", hashlib.sha256).digest()
    assert derive(b"r" * 32, "a", "bc") == expected
    assert derive(b"r" * 32, "ab", "c") != expected


def test_a_fingerprint_tells_keys_apart_and_nothing_else() -> None:
    """Equal id and root, equal fingerprint."""
    assert fingerprint(ONE) == fingerprint(Key("k1", bytes(32)))
    assert fingerprint(ONE) != fingerprint(Key("k1", bytes([1]) * 32))


@given(st.text(alphabet="<>:LITEMAI_ADRS k1abcdefghijklmnop", max_size=60))
def test_after_escaping_nothing_looks_like_ours(text: str) -> None:
    """And the text can be had back by taking the marks out."""
    escaped = escape(text)
    assert not PSEUDONYM.search(escaped)
    if "LIT" not in text:
        assert escaped.replace("<LIT:", "<") == text
