"""A tree and what vouches for it → a checkpoint that can be signed, as transparency logs write it.

The form is that of C2SP's `tlog-checkpoint` in a `signed-note`: lines of text, an empty line, and a
line for each signature. The fourth line of the text is ours, and names what was written with it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

NAME = "monitor"
"""Who signs, in the line of a signature."""

_DASH = "— "


class Checkpoint(NamedTuple):
    """What a checkpoint says: whose tree (`origin`), how many leaves, their root, and the number
    and the digest of the manifest that was written with it."""

    origin: str
    size: int
    root: bytes
    number: int
    digest: str

    @property
    def text(self) -> str:
        """The lines that are signed: origin, size, root and manifest (C2SP tlog-checkpoint)."""
        root = base64.b64encode(self.root).decode()
        return f"{self.origin}\n{self.size}\n{root}\nmanifest {self.number} {self.digest}\n"


def signed(checkpoint: Checkpoint, key: SigningKey | None) -> str:
    """Return a checkpoint with its signature, or without one where there is no key."""
    if key is None:
        return f"{checkpoint.text}\n"
    signature = key.sign(checkpoint.text.encode()).signature
    said = base64.b64encode(_hint(key.verify_key) + signature).decode()
    return f"{checkpoint.text}\n{_DASH}{NAME} {said}\n"


def is_signed(note: str) -> bool:
    """Whether a checkpoint has any signature."""
    return _DASH in note.partition("\n\n")[2]


def is_vouched_for(note: str, keys: Sequence[VerifyKey]) -> bool:
    """Whether one of the keys has signed a checkpoint."""
    text, _, signatures = note.partition("\n\n")
    for line in signatures.splitlines():
        name, _, said = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or name != NAME:
            continue
        try:
            data = base64.b64decode(said, validate=True)
        except ValueError:
            continue
        for key in keys:
            if data[:4] == _hint(key) and _holds(
                key, f"{text}\n".encode(errors="surrogatepass"), data[4:]
            ):
                return True
    return False


def _holds(key: VerifyKey, text: bytes, signature: bytes) -> bool:
    try:
        key.verify(text, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def _hint(key: VerifyKey) -> bytes:
    """The four bytes by which a signed note says which key of that name it was."""
    return sha256(f"{NAME}\n".encode() + b"\x01" + bytes(key)).digest()[:4]
