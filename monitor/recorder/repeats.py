"""Records → how long ago an equal request came: a bounded memory of keyed digests."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from monitor.types import Record

MOST = 10_000
"""Requests that are remembered, the newest: 2 MB. Who sends more makes older ones forgotten, and
nothing else."""

_encode = msgspec.json.Encoder().encode


def asked(record: Record, key: bytes) -> bytes:
    """A keyed digest that equal requests share: of operation, model, path and inputs."""
    model = record.requested_model or record.model
    said = _encode((record.operation, model, record.request.path, record.inputs))
    return blake2b(said, digest_size=16, key=key).digest()


class Repeats:
    """What was asked lately, as digests under a `key` that nobody else has.

    A request equals another if it asks the same of the same model: operation, path, and what the
    model was given, pseudonymized.
    """

    def __init__(self, key: bytes, most: int = MOST) -> None:
        self._key = key
        self._most = most
        self._began: dict[bytes, float] = {}

    def after(self, record: Record) -> float | None:
        """Remember a request; return how many seconds before it the last equal one began, which is
        less than 0 where that came later. None where none is remembered, or nothing was asked."""
        if not record.inputs:
            return None
        digest = asked(record, self._key)
        began = self._began
        before = began.pop(digest, None)
        if before is None and len(began) >= self._most:
            del began[next(iter(began))]
        began[digest] = record.started
        return None if before is None else record.started - before
