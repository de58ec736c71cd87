"""(pseudonym, value) ↔ box: sealed to a public key (X25519), opened only with the private one.

A key file holds one line: `reveal-public HEX` or `reveal-private HEX`. The process that sees the
traffic has the public key alone, so it cannot open what it sealed.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from monitor.errors import ConfigError

PUBLIC, PRIVATE = "reveal.pub", "reveal.key"
_LINE = re.compile(r"reveal-(public|private) ([0-9a-f]{64})\s*")


def make_pair(directory: Path, entropy: Callable[[int], bytes]) -> tuple[Path, Path]:
    """Write a new pair into a directory: (public, private, mode 0600).

    Raises ConfigError where there is one already or the directory cannot be written.
    """
    key = PrivateKey(entropy(32))
    public, private = directory / PUBLIC, directory / PRIVATE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if public.exists():
            raise FileExistsError(17, "File exists")
        for path, kind, raw, mode in (
            (private, "private", bytes(key), 0o600),
            (public, "public", bytes(key.public_key), 0o644),
        ):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(path, flags, mode), "w", encoding="ascii") as file:
                file.write(f"reveal-{kind} {raw.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"--out: {directory}: {(error.strerror or '').lower()}") from None
    return public, private


def sealer(path: Path) -> Callable[[str, str], str]:
    """(pseudonym, value) → box in base64url, for the holder of the private key of `path`'s pair.

    Raises ConfigError when the file is not a public key.
    """
    box = SealedBox(PublicKey(_read(path, "public", "privacy.seal_to")))

    def seal(token: str, value: str) -> str:
        sealed = box.encrypt(f"{token}\0{value}".encode("utf-8", "surrogatepass"))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    return seal


def opener(path: Path) -> Callable[[str, str], str | None]:
    """(pseudonym, box) → value; None for a box of another pair, damaged, or moved to another
    pseudonym. Raises ConfigError when the file is not a private key that only its owner can read.
    """
    box = SealedBox(PrivateKey(_read(path, "private", "--private-key")))

    def open_box(token: str, sealed: str) -> str | None:
        try:
            data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            said, _, value = box.decrypt(data).decode("utf-8", "surrogatepass").partition("\0")
        except (CryptoError, binascii.Error, ValueError):
            return None
        return value if said == token else None

    return open_box


def _read(path: Path, kind: str, key: str) -> bytes:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(4096).decode("ascii", "replace")
    except OSError as error:
        raise ConfigError(f"{key}: {path}: {error.strerror}") from None
    match = _LINE.fullmatch(text)
    if match is None or match[1] != kind:
        raise ConfigError(f"{key}: {path}: is not a {kind} key, as `monitor keys pair` writes it")
    if kind == "private" and mode & 0o077:
        raise ConfigError(
            f"{key}: {path}: others may read it (mode {stat.S_IMODE(mode):04o}); chmod 600 it"
        )
    return bytes.fromhex(match[2])
