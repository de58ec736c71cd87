"""The room of recognizers: one file per kind of personal data. The order is the rank: where two
find the same characters, the earlier one names them."""

from __future__ import annotations

from monitor.interfaces import Recognizer
from monitor.recognizers import (
    api_key,
    bearer_token,
    credential,
    credit_card,
    email_address,
    iban_code,
    ip_address,
    phone_number,
    private_key,
    url_userinfo,
    us_ssn,
)

RECOGNIZERS: tuple[Recognizer, ...] = (
    private_key.RECOGNIZER,
    api_key.RECOGNIZER,
    bearer_token.RECOGNIZER,
    url_userinfo.RECOGNIZER,
    credential.RECOGNIZER,
    email_address.RECOGNIZER,
    iban_code.RECOGNIZER,
    credit_card.RECOGNIZER,
    us_ssn.RECOGNIZER,
    ip_address.RECOGNIZER,
    phone_number.RECOGNIZER,
)


REGIONS = phone_number.REGIONS
"""Regions whose national telephone numbers can be completed, with their calling codes."""


def select(without: frozenset[str] = frozenset(), region: str = "US") -> tuple[Recognizer, ...]:
    """All recognizers less those of the entities `without`; `region` completes national telephone
    numbers."""
    return tuple(
        phone_number.recognizer(region) if each is phone_number.RECOGNIZER else each
        for each in RECOGNIZERS
        if each.entity not in without
    )
