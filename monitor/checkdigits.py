"""Check digits: digits → whether they hold together. The arithmetic that recognizers share.

Each function takes ASCII characters already freed of separators and says True or False; they are
the hot path's own and are held against `python-stdnum` in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters, digits

_DOUBLE = bytes.maketrans(b"0123456789", b"0246813579")
_BASE_36 = {character: str(int(character, 36)) for character in digits + ascii_letters}
_DIHEDRAL = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
_PERMUTATION = (
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B, modulus 10 with every second digit doubled.

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    raw = digits.encode()
    total = sum(raw[-1::-2]) + sum(raw[-2::-2].translate(_DOUBLE))
    return (total - 48 * len(raw)) % 10 == 0


def mod97(value: str) -> bool:
    """ISO 7064 MOD 97-10 over upper-case alphanumerics (A = 10 … Z = 35): the rest is 1.

    >>> mod97("370400440532013000DE89")
    True
    """
    return int("".join(map(_BASE_36.__getitem__, value))) % 97 == 1


def verhoeff(digits: str) -> bool:
    """Verhoeff's check over the dihedral group of order 10 (1969; Aadhaar).

    >>> verhoeff("2363"), verhoeff("2364")
    (True, False)
    """
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_DIHEDRAL[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0


def mod11_10(digits: str) -> bool:
    """ISO 7064 MOD 11,10 (German tax id, Croatian OIB).

    >>> mod11_10("36574261809")
    True
    """
    check = 5
    for digit in digits:
        check = ((check or 10) * 2 % 11 + int(digit)) % 10
    return check == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights; what is left of the longer one does not count.

    >>> weighted("123", (3, 2, 1))
    10
    """
    return sum([int(digit) * weight for digit, weight in zip(digits, weights, strict=False)])
