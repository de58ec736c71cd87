"""JSON documents that somebody signed or proved: each key must be there once.

Readers of JSON differ about a key that is there twice: some take the first value, some the last
(RFC 8259, section 4). A person could then read something else than what was proved.
"""

from __future__ import annotations

import json
from typing import Any

LONGEST_KEY = 60
"""Characters of a key that are quoted."""


class TwiceError(ValueError):
    """An object has a key twice; the message says which."""


def require_unique_keys(data: bytes) -> None:
    """Raise TwiceError where an object of a JSON document has a key twice, at whatever depth;
    ValueError or RecursionError where it is no JSON, or nested too deep."""
    json.loads(data, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> None:
    seen = set()
    for name, _ in pairs:
        if name in seen:
            raise TwiceError(f"`{name[:LONGEST_KEY]}` is there twice")
        seen.add(name)
