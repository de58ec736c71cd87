"""Pseudonyms in a request that is sent again → surrogates: values of the same form, nobody's own.

The same pseudonym is the same surrogate in every request and every run. Domains, networks and
numbers are those set apart for examples or never given out: `example.com` (RFC 2606), 192.0.2.0/24
and its like (RFC 5737), telephones 555-0100 to 0199, IBANs of the country `XX`, social security
numbers of area 666, and cards that no issuer has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b

from monitor import marks

PSEUDONYM = re.compile(f"<({marks.ENTITY}):{marks.KEY}:({marks.MAC})>")
"""A pseudonym: its entity, and its token."""

SECRET = "SECRET"  # noqa: S105  an entity's name
"""What has no surrogate: a made-up credential opens nothing."""


def of(text: str) -> str:
    """Return a text with a surrogate for each pseudonym.

    >>> of("Write to <EMAIL_ADDRESS:k1:abcdefghijklmnop>.")
    'Write to p-tfwjkz@example.com.'
    >>> of("nothing personal")
    'nothing personal'
    """
    return PSEUDONYM.sub(_surrogate, text) if "<" in text else text


def masked(text: str) -> str:
    """Return a text with the kind of each pseudonym in its place, so that texts made of other
    values of one kind are equal.

    >>> masked("Write to <EMAIL_ADDRESS:k1:abcdefghijklmnop>.")
    'Write to <EMAIL_ADDRESS>.'
    """
    return PSEUDONYM.sub(r"<\1>", text) if "<" in text else text


def _surrogate(match: re.Match[str]) -> str:
    entity, token = match[1], match[2]
    number = int.from_bytes(blake2b(f"{entity} {token}".encode(), digest_size=8).digest())
    form = _FORMS.get(entity)
    return form(number) if form is not None else f"{entity.lower()}-{_letters(number)}"


def _letters(number: int) -> str:
    """Six letters, hardly ever the same for two numbers."""
    return "".join("bcdfghjkmnpqrstvwxz"[number // 19**place % 19] for place in range(6))


def _telephone(number: int) -> str:
    return f"+1 {_AREAS[number // 100 % len(_AREAS)]}-555-01{number % 100:02}"


def _card(number: int) -> str:
    """Sixteen digits with a right check digit; no issuer's number begins with 0."""
    digits = f"0{number % 10**14:014}"
    doubled = [int(one) * (2 if place % 2 == 0 else 1) for place, one in enumerate(digits)]
    return digits + str(-sum(one - 9 * (one > 9) for one in doubled) % 10)


def _iban(number: int) -> str:
    """A right check number; XX is no country (ISO 3166-1, user-assigned)."""
    account = f"{number % 10**16:016}"
    return f"XX{98 - int(account + '333300') % 97:02}{account}"


def _address(number: int) -> str:
    network = ("192.0.2", "198.51.100", "203.0.113")[number // 256 % 3]
    return f"{network}.{number % 256}"


_AREAS = (202, 212, 303, 312, 404, 415, 503, 512, 617, 702, 713, 808)
_FORMS: dict[str, Callable[[int], str]] = {
    "EMAIL_ADDRESS": lambda number: f"p-{_letters(number)}@example.com",
    "PHONE_NUMBER": _telephone,
    "CREDIT_CARD": _card,
    "IBAN_CODE": _iban,
    "IP_ADDRESS": _address,
    "US_SSN": lambda number: f"666-{number // 9999 % 99 + 1:02}-{number % 9999 + 1:04}",
    "URL": lambda number: f"https://example.com/{_letters(number)}",
}
