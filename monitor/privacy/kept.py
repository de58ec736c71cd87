"""What takes long to compute → a file for the next process, which reads only what we wrote."""

from __future__ import annotations

import importlib.util
import os
from hashlib import blake2b
from hmac import compare_digest
from pathlib import Path

import msgspec

_DIGEST = 32
_MOST = 64 << 20
"""Bytes of a file that are read."""


class Kept(msgspec.Struct, frozen=True):
    """A file of one result, nothing personal in it. Whoever does not know the `secret` can write
    nothing that is read: some libraries trust what they load.

    A file that is not there, damaged or of something else is as none, and one that cannot be
    written costs nothing but the time to compute the result again.
    """

    path: Path
    secret: bytes
    mode: int = 0o600

    def read(self, made_of: bytes) -> bytes | None:
        """Return what was written with the same `made_of`, or None."""
        try:
            with self.path.open("rb") as file:
                content = file.read(_MOST)
        except OSError:
            return None
        digest, result = content[:_DIGEST], content[_DIGEST:]
        return result if compare_digest(digest, self._digest(made_of, result)) else None

    def write(self, made_of: bytes, result: bytes) -> bool:
        """Keep a result instead of the one before, and return whether that was possible. `made_of`
        is all that it depends on."""
        draft = self.path.with_suffix(".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(draft, flags, self.mode), "wb") as file:
                file.write(self._digest(made_of, result) + result)
            draft.replace(self.path)
        except OSError:
            return False
        return True

    def _digest(self, made_of: bytes, result: bytes) -> bytes:
        mac = blake2b(len(made_of).to_bytes(8, "big"), digest_size=_DIGEST, key=self.secret)
        mac.update(made_of)
        mac.update(result)
        return mac.digest()


def beside_code(name: str) -> Kept:
    """Return the file of a result that our code alone decides: where Python keeps what it compiled
    of the code. Whoever can write there can change the code, so there is no secret."""
    cache = importlib.util.cache_from_source(__file__)
    return Kept(Path(cache).with_name(name), b"", 0o644)
