"""One Record with its path in a tree ↔ a document that proves it without all the others.

It holds the Record and what its leaf is made of (or the leaf alone), the path from the leaf to the
root (RFC 6962), and a checkpoint of the tree, which may be signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated

import msgspec
from nacl.signing import VerifyKey

from monitor.audit import checkpoints
from monitor.audit.documents import TwiceError, require_unique_keys
from monitor.audit.merkle import NONCE, leaf, root_by

VERSION = 1
LARGEST = 256 << 20
"""Bytes of a proof, at most: those of a Record, and some."""

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}\\Z")]
Nonce = Annotated[str, msgspec.Meta(pattern=f"^[0-9a-f]{{{2 * NONCE}}}\\Z")]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9]{1,20}-[0-9]{1,20}\\Z")]
Whole = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
Path = Annotated[list[Digest], msgspec.Meta(max_length=64)]


class Proof(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """That a leaf is the one with this `index`, from 0, in the tree of a checkpoint. With `nonce`,
    `sid` (the id of the entry) and `record` it is that of this document."""

    version: int
    checkpoint: str
    index: Whole
    path: Path
    leaf: Digest
    sid: Id | None = None
    nonce: Nonce | None = None
    record: str | None = None


class Proven(msgspec.Struct, frozen=True):
    """What a proof is about: whose tree, of how many leaves, the number of the manifest that has
    it, and whether the checkpoint is signed."""

    origin: str
    size: int
    manifest: str
    is_signed: bool


class Wrong(Exception):  # noqa: N818  what somebody did to a proof is no error of ours
    """A proof does not prove what it says."""


_decode = msgspec.json.Decoder(Proof).decode
_encode = msgspec.json.Encoder().encode


def encode(proof: Proof) -> bytes:
    """Return the document, with a line end."""
    return msgspec.json.format(_encode(proof), indent=1) + b"\n"


def decode(data: bytes) -> Proof:
    """Return the proof in a document; raises ValueError, which says what is wrong with it."""
    if len(data) > LARGEST:
        raise ValueError(f"is no proof: it has more than {LARGEST:,} bytes")
    try:
        proof = _decode(data)
        require_unique_keys(data)
    except TwiceError as error:
        raise ValueError(f"is no proof: {error}") from None
    except RecursionError:
        raise ValueError("is no proof: it is nested too deep") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
        raise ValueError(f"is no proof: {why}") from None
    if proof.version != VERSION:
        raise ValueError(f"has version {proof.version}; this monitor reads version {VERSION}")
    parts = (proof.sid, proof.nonce, proof.record)
    if None in parts and any(one is not None for one in parts):
        raise ValueError("is no proof: of `sid`, `nonce` and `record` it has all, or none")
    return proof


def verify(proof: Proof, keys: Sequence[VerifyKey]) -> Proven:
    """Return what is proven; raises Wrong where it is not. With `keys` one of them must have signed
    the checkpoint."""
    said = bytes.fromhex(proof.leaf)
    if proof.record is not None and proof.nonce is not None and proof.sid is not None:
        document = proof.record.encode(errors="surrogatepass")
        if leaf(bytes.fromhex(proof.nonce), proof.sid.encode(), document) != said:
            raise Wrong("the record was altered: its leaf is another one")
    text, _, _ = proof.checkpoint.partition("\n\n")
    lines = text.split("\n")
    words = lines[3].split() if len(lines) == 4 else []
    if len(words) != 3 or words[0] != "manifest" or not lines[1].isdecimal() or len(lines[1]) > 19:
        raise Wrong("its checkpoint is none")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("its checkpoint is none") from None
    size = int(lines[1])
    path = [bytes.fromhex(one) for one in proof.path]
    if root_by(proof.index, size, said, path) != root:
        raise Wrong("its path does not lead from the leaf to the root of its checkpoint")
    is_signed = checkpoints.is_signed(proof.checkpoint)
    if keys and not checkpoints.is_vouched_for(proof.checkpoint, keys):
        raise Wrong(f"its checkpoint is signed {'by another key' if is_signed else 'by nobody'}")
    return Proven(lines[0].removeprefix("monitor/"), size, words[1], is_signed)
