"""PEM files ↔ Ed25519 keys (RFC 8410): PKCS#8 for the private one, SPKI for public ones.

`openssl genpkey -algorithm ed25519 -out audit.key` makes the one, `openssl pkey -in audit.key
-pubout` prints the other.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from nacl.signing import SigningKey, VerifyKey

from monitor.errors import ConfigError

MOST_BYTES = 65536
"""Bytes of a file of keys."""

_PRIVATE = (
    bytes.fromhex("302e020100300506032b657004220420"),  # version 1: the seed alone
    bytes.fromhex("3051020101300506032b657004220420"),  # version 2: with the public key behind it
)
_PUBLIC = bytes.fromhex("302a300506032b6570032100")
_BLOCK = re.compile(r"-----BEGIN ([A-Z ]+)-----\s([A-Za-z0-9+/=\s]*)-----END \1-----")


def private(path: Path, key: str) -> SigningKey:
    """Read the private key of a PEM file; raises ConfigError that begins with the setting `key`."""
    for label, data in blocks(path, key):
        if label == "ENCRYPTED PRIVATE KEY":
            raise ConfigError(f"{key}: {path} is encrypted; give the key without a passphrase")
        for prefix in _PRIVATE:
            if label == "PRIVATE KEY" and data.startswith(prefix) and len(data) >= 48:
                return SigningKey(data[16:48])
    raise ConfigError(
        f"{key}: {path} holds no Ed25519 private key as PEM (PKCS#8); make one with `openssl "
        "genpkey -algorithm ed25519`"
    )


def public(path: Path, key: str) -> list[VerifyKey]:
    """Read the public keys of a PEM file, one or more; raises ConfigError as `private`."""
    found = _public(path, key)
    if not found:
        raise ConfigError(
            f"{key}: {path} holds no Ed25519 public key as PEM; `openssl pkey -in audit.key "
            "-pubout` prints it"
        )
    return found


def trusted(path: Path, key: str) -> list[VerifyKey]:
    """Read whose signatures count beside the private key of a PEM file: its own, and those of the
    public keys that stand in the file, such as the ones of before. Raises ConfigError."""
    return [private(path, key).verify_key, *_public(path, key)]


def _public(path: Path, key: str) -> list[VerifyKey]:
    return [
        VerifyKey(data[12:])
        for label, data in blocks(path, key)
        if label == "PUBLIC KEY" and data.startswith(_PUBLIC) and len(data) == 44
    ]


def blocks(path: Path, key: str) -> list[tuple[str, bytes]]:
    """Read the blocks of a PEM file, as (label, bytes); raises ConfigError as `private`."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("latin-1")
    except OSError as error:
        raise ConfigError(
            f"{key}: {path} cannot be read: {(error.strerror or '').lower()}"
        ) from None
    except ValueError:
        raise ConfigError(f"{key}: {str(path)!r} is not the name of a file") from None
    found = []
    for label, body in _BLOCK.findall(text):
        try:
            found.append((label, base64.b64decode("".join(body.split()), validate=True)))
        except binascii.Error:
            continue
    return found
