"""Exchange → whether it leaves a Record, so that at most about so many a second do.

The share that is kept follows the rate of exchanges, averaged exponentially over about the last
second of their own time. So it changes smoothly, and an outage of the recorder makes no burst.

Whether an exchange is kept depends on a keyed hash of its id and on that share alone: on nothing
that it says, and on nothing that a client could know beforehand. A Record carries its share, so
counts weighted by 1 / share are unbiased (Horvitz and Thompson 1952), however the share changes.

Exchanges that ended well and those that failed each have half of the Records, and what the other
kind leaves of its half. So a few failures among much traffic are all kept, and a flood of failures
leaves room for the rest. The larger share of the two holds some Records too many for an even sample
of all; these are `oversampled`. Without them, each moment's Records are in the proportions of its
traffic.
"""

from __future__ import annotations

import hashlib
import math

from monitor.types import Outcome

MEMORY = 1.0
"""Seconds in which what was counted for the rate fades to 1/e."""


class Sampler:
    """Keeps about `records` exchanges per second, and all while there are fewer.

    `key` are up to 64 secret bytes. Recorders with the same key and the same shares keep the same
    exchanges.

    >>> sampler = Sampler(10, b"secret")
    >>> sampler.keep("018bcfe5-6800-7def-9abc-e20000000001", 1700000000.0, Outcome.OK)
    (1.0, False)
    """

    def __init__(self, records: float, key: bytes) -> None:
        self._records = records
        self._hash = hashlib.blake2b(key=key, digest_size=8)
        self._at = -math.inf
        self._well = self._failed = 0.0  # exchanges per second

    def keep(self, id_: str, at: float, outcome: Outcome) -> tuple[float, bool] | None:
        """Return the share that is kept and whether the Record is oversampled, None to keep none.

        `at` is when the exchange ended, in Unix seconds. It counts for the rate after this look: an
        exchange has no say in its own share.
        """
        fade = math.exp(-max(0.0, at - self._at) / MEMORY)
        self._at = at  # also backwards, as the system's clock goes
        well, failed = self._well * fade, self._failed * fade
        shares = self._share(well, failed), self._share(failed, well)
        is_well = outcome is Outcome.OK
        self._well = well + is_well / MEMORY
        self._failed = failed + (not is_well) / MEMORY
        share, even = shares[0 if is_well else 1], min(shares)
        if even == 1.0:
            return 1.0, False
        chance = self._chance(id_)
        return (share, chance >= even) if chance < share else None

    def _share(self, rate: float, other: float) -> float:
        room = max(self._records / 2, self._records - other)
        return room / rate if rate > room else 1.0

    def _chance(self, id_: str) -> float:
        """Return a number from 0 to below 1, evenly spread over ids."""
        hash_ = self._hash.copy()
        hash_.update(id_.encode())
        return (int.from_bytes(hash_.digest()) >> 11) / (1 << 53)
