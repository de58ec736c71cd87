"""Documents ↔ what only the holder of a private key can read (X25519).

Each file has a data key of its own, which is chance. It stands in each row, sealed to the public
key (libsodium's sealed box: X25519, XSalsa20-Poly1305, as `privacy.sealing` seals values), behind
eight bytes that say to which. A document is compressed with zstd, then encrypted with the data key
by XChaCha20-Poly1305. Its nonce is that of the row, and the id of its entry is authenticated with
it, so that none can be put in the place of another one. Who writes has the public key alone, and
cannot read again what it wrote.

`openssl genpkey -algorithm x25519` makes a private key, `openssl pkey -pubout` prints its public
one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from monitor.audit import keys
from monitor.errors import ConfigError, SourceError
from monitor.zstd import ZstdError, compressor, decompressor

KEY = 32
"""Bytes of a data key."""

HINT = 8
"""Bytes by which a sealed data key says to which public key."""

LONGEST = 256 << 20
"""Bytes of a document, at most."""

Opener = Callable[[bytes, bytes, bytes, bytes], bytes | None]
"""(the sealed data key, nonce, id of the entry, sealed document) → the document; None where it is
not what was sealed. Raises SourceError where it was sealed to another key."""

_PUBLIC = bytes.fromhex("302a300506032b656e032100")
_PRIVATE = (
    bytes.fromhex("302e020100300506032b656e04220420"),
    bytes.fromhex("3051020101300506032b656e04220420"),
)
_FILL = bytes(8)
"""What a nonce of 16 bytes lacks: of two under one data key none are the same."""


class Seal:
    """Seals the documents of one file to a public key; `chance` are `KEY` bytes of it."""

    def __init__(self, public: PublicKey, chance: bytes) -> None:
        self.key = hint(public) + SealedBox(public).encrypt(chance)
        self._key = chance
        self._compressed = compressor()

    def document(self, document: bytes, sid: bytes, nonce: bytes) -> bytes:
        """Return a document sealed."""
        return crypto_aead_xchacha20poly1305_ietf_encrypt(
            self._compressed(document), sid, nonce + _FILL, self._key
        )


def hint(public: PublicKey) -> bytes:
    """Return by what a public key is told from others."""
    return sha256(bytes(public)).digest()[:HINT]


def recipient(path: Path, key: str) -> PublicKey:
    """Read the public key of a PEM file; raises ConfigError that begins with the setting `key`."""
    for label, data in keys.blocks(path, key):
        if label == "PUBLIC KEY" and data.startswith(_PUBLIC) and len(data) == 44:
            public = PublicKey(data[12:])
            try:
                Seal(public, bytes(KEY))
            except (CryptoError, ValueError, RuntimeError):
                break
            return public
        if label == "PRIVATE KEY" and data.startswith(_PRIVATE):
            raise ConfigError(
                f"{key}: {path} holds a private key, which must not be where records are written; "
                "give the public one, as `openssl pkey -pubout` prints it"
            )
    raise ConfigError(
        f"{key}: {path} holds no X25519 public key as PEM; `openssl genpkey -algorithm x25519` "
        "makes a private one, and `openssl pkey -pubout` prints its public one"
    )


def opener_of(name: str | None, key: str = "--private-key") -> Opener | None:
    """Return what opens documents with the private keys of a PEM file, one or more, which only its
    owner may read; None where no file is named. Raises ConfigError as `recipient`."""
    if not name:
        return None
    path = Path(name)
    found = [
        PrivateKey(data[16:48])
        for label, data in keys.blocks(path, key)
        if label == "PRIVATE KEY" and data.startswith(_PRIVATE) and len(data) >= 48
    ]
    if not found:
        raise ConfigError(
            f"{key}: {path} holds no X25519 private key as PEM (PKCS#8), as `openssl genpkey "
            "-algorithm x25519` makes it"
        )
    mode = os.stat(path).st_mode  # noqa: PTH116
    if mode & 0o077:
        raise ConfigError(
            f"{key}: {path}: others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 it"
        )
    return Opening({hint(one.public_key): SealedBox(one) for one in found})


class Opening:
    """Opens documents that were sealed to one of some keys, which are known by their hints."""

    def __init__(self, boxes: dict[bytes, SealedBox[PrivateKey]]) -> None:
        self._boxes = boxes
        self._data_key = lru_cache(64)(self._unsealed)

    def __call__(self, key: bytes, nonce: bytes, sid: bytes, sealed: bytes) -> bytes | None:
        """See Opener."""
        try:
            data = crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, sid, nonce + _FILL, self._data_key(key)
            )
            return decompressor().decompress(data, LONGEST)
        except (CryptoError, ZstdError, ValueError, TypeError):
            return None

    def _unsealed(self, key: bytes) -> bytes:
        box = self._boxes.get(key[:HINT])
        if box is None:
            raise SourceError(
                f"is sealed to the key {key[:HINT].hex()}, and the private key is of "
                f"{', '.join(sorted(one.hex() for one in self._boxes))}"
            )
        return bytes(box.decrypt(key[HINT:]))
