"""Numbers of exchanges as bits: a set that is small in memory, in a frame and in a snapshot."""

from __future__ import annotations

from collections.abc import Iterator


def place(id_: str) -> tuple[str, int]:
    """What in an exchange's id names the process that gave it, and the number there; see proxy.ids.
    An id that no proxy gave has the number 0, which none has.

    >>> place("018bcfe5-6800-7def-9abc-e20000000001"), place("a")
    (('-7def-9abc-e2', 1), ('', 0))
    """
    try:
        return id_[13:26], int(id_[26:], 16)
    except ValueError:
        return id_[13:26], 0


class Numbers:
    """A set of numbers that come in rising order and leave in about that order: a bit each.

    >>> numbers = Numbers()
    >>> numbers.add(70), numbers.add(1000), len(numbers)
    (None, None, 2)
    >>> numbers.discard(70), numbers.discard(70), len(numbers)
    (True, False, 1)
    >>> list(Numbers(*numbers.packed()))
    [1000]
    """

    def __init__(self, first: int = 0, bits: bytes = b"") -> None:
        self._bits = bytearray(bits)
        self._first = first  # the number of the first bit of `_bits`, a multiple of 8
        self._count = int.from_bytes(bits, "little").bit_count()
        self._empty = 0  # leading bytes without a number

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[int]:
        for place, byte in enumerate(self._bits):
            if byte:
                for bit in range(8):
                    if byte >> bit & 1:
                        yield self._first + 8 * place + bit

    def packed(self) -> tuple[int, bytes]:
        """What makes an equal set: the number of the first bit, and the bits."""
        if not self._count:
            return 0, b""
        return self._first + 8 * self._empty, bytes(self._bits[self._empty :])

    def add(self, number: int) -> None:
        """Add a number; one from before the oldest that is left costs a move."""
        if not self._count:
            self._bits.clear()
            self._first, self._empty = number & ~7, 0
        if number < self._first:
            first = number & ~7
            self._bits[:0] = bytes((self._first - first) >> 3)
            self._first = first
        place, bit = (number - self._first) >> 3, 1 << (number & 7)
        if place >= len(self._bits):
            self._bits += bytes(place + 1 - len(self._bits))
        if not self._bits[place] & bit:
            self._bits[place] |= bit
            self._count += 1
            self._empty = min(self._empty, place)

    def discard(self, number: int) -> bool:
        """Take a number out; False when it was not in."""
        place, bit = (number - self._first) >> 3, 1 << (number & 7)
        if not 0 <= place < len(self._bits) or not self._bits[place] & bit:
            return False
        self._bits[place] ^= bit
        self._count -= 1
        while self._empty < len(self._bits) and not self._bits[self._empty]:
            self._empty += 1
        if self._empty > 4096:
            del self._bits[: self._empty]
            self._first += 8 * self._empty
            self._empty = 0
        return True
