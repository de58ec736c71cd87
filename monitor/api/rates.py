"""Requests → whether they come too fast: a token bucket for each who asks."""

from __future__ import annotations

import ipaddress
import math

RATE = 50.0
"""Requests a second that one may go on with."""
BURST = 200
"""Requests that may come at once after a pause."""
REMEMBERED = 1024
"""Names that are known at a time; who has not asked for longest is forgotten."""


class Rates:
    """Buckets by name: each holds `BURST` requests and is filled again by `RATE` a second."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, name: str, now: float) -> int:
        """Take one request of a name at `now` (seconds of any clock that never goes back). Return
        0, or in how many seconds to ask again where the bucket is empty."""
        left, at = self._buckets.pop(name, (float(BURST), now))
        left = min(float(BURST), left + (now - at) * RATE)
        if len(self._buckets) >= REMEMBERED:
            del self._buckets[next(iter(self._buckets))]
        is_taken = left >= 1
        self._buckets[name] = left - is_taken, now  # the last to ask is the last in the table
        return 0 if is_taken else max(1, math.ceil((1 - left) / RATE))


def neighbourhood(address: str) -> str:
    """Return whom an address stands for: of IPv6 the network of 64 bits, which one machine may have
    to itself (RFC 4291, section 2.5.4).

    >>> neighbourhood("10.0.0.1"), neighbourhood("::ffff:10.0.0.1"), neighbourhood("2001:db8::1:2")
    ('10.0.0.1', '10.0.0.1', '2001:db8::')
    >>> neighbourhood("")
    ''
    """
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if known.version == 4:
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(known) >> 64 << 64))
