"""Check digits: digits → whether they hold together. The arithmetic that recognizers share.

Each function takes ASCII characters already freed of separators and says True or False; they are
the hot path's own and are held against `python-stdnum` in the tests.
"""

from __future__ import annotations

from collections.abc import Sequence

_DOUBLE = bytes.maketrans(b"0123456789", b"0246813579")


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
    return int("".join([str(int(character, 36)) for character in value])) % 97 == 1


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights; what is left of the longer one does not count.

    >>> weighted("123", (3, 2, 1))
    10
    """
    return sum([int(digit) * weight for digit, weight in zip(digits, weights, strict=False)])
