"""Value → pseudonym: HMAC-SHA-256 under a key derived per tenant and entity from a root key.

A pseudonym is `<ENTITY:KEYID:TOKEN>`; TOKEN is 96 bits of the MAC in the letters a to p, so that no
recognizer of numbers finds anything in it. Equal values have equal tokens under one key, on every
replica, and none can be computed or checked without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from monitor import marks
from monitor.turns import give_way

MARK = re.compile(rf"<(?:{marks.ENTITY}:{marks.TOKEN}>|(?:LIT|MEDIA):|REDACTED[:>])", re.ASCII)
"""The beginning of anything that this program writes in place of a text, forged or genuine."""

MARK_WHOLE = re.compile(
    rf"<(?:LIT:)*(?:{marks.ENTITY}:{marks.TOKEN}|MEDIA:[\w.+/-]+:\d+:{marks.DIGEST}"
    rf"|{marks.REDACTED})>",
    re.ASCII,
)

_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
_STRETCH = 1 << 18
"""Bytes that are taken in at a time, in a fraction of a millisecond."""
_LETTERS = bytes.maketrans(b"0123456789abcdef", b"abcdefghijklmnop")


@dataclass(frozen=True)
class Key:
    """A root key; `id` is what stands in pseudonyms."""

    id: str
    root: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """Root keys, the current one first.

    A second key is the one before the current: while it is there, a Record also says which old
    pseudonym each new one continues (overlap). Later keys are only kept.
    """

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key that makes pseudonyms."""
        return self.keys[0]

    @property
    def previous(self) -> Key | None:
        """The key whose pseudonyms are still linked to, during an overlap."""
        return self.keys[1] if len(self.keys) > 1 else None


def derive(root: bytes, *info: str) -> bytes:
    """HKDF-SHA-256 (RFC 5869), no salt, 32 bytes; every part of `info` length-prefixed."""
    parts = (part.encode() for part in info)
    context = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    extracted = hmac.digest(bytes(32), root, "sha256")
    return hmac.digest(extracted, context + b"\x01", "sha256")


def fingerprint(key: Key) -> str:
    """What may be shown of a key: the HMAC of a constant, 16 hex digits.

    >>> fingerprint(Key("k1", bytes(32)))
    '2e789e7f175a8ad5'
    """
    return derive(key.root, "monitor-fingerprint-v1", key.id).hex()[:16]


_OPEN, _CLOSE = (rf"(?:{sign}|\\u00{hex_}|%{hex_}|&{name};)" for sign, hex_, name in (
    ("<", "3[cC]", "lt"), (">", "3[eE]", "gt"),
))  # fmt: skip
"""A bracket as it stands in texts: escaped in JSON, in a URL, in HTML."""


class Mentions:
    """Whether a text has one of some pseudonyms in it, whole, in whatever way it is escaped. Each
    text that has one holds one of `needles`."""

    def __init__(self, pseudonyms: Sequence[str]) -> None:
        self.needles: Sequence[str] = [one[1:-1] for one in pseudonyms]
        self._bytes = [one.encode() for one in self.needles]
        any_of = "|".join(map(re.escape, self.needles))
        self._search = re.compile(f"{_OPEN}(?:{any_of}){_CLOSE}").search

    def __call__(self, text: str) -> bool:
        """Whether it has.

        >>> has = Mentions(["<PERSON:k1:abcdefghijklmnop>"])
        >>> has('"\\\\u003cPERSON:k1:abcdefghijklmnop>"'), has("<PERSON:k1:abcdefghijklmnopq>")
        (True, False)
        """
        return self._search(text) is not None

    def within(self, data: bytes) -> bool:
        """Return the same of a text in UTF-8, or of any bytes."""
        return any(one in data for one in self._bytes) and self(data.decode(errors="replace"))


class Tokens:
    """(entity, canonical value) → pseudonym, for one key and tenant; keeps derived keys only."""

    def __init__(self, key: Key, tenant: str) -> None:
        self.key = key
        self._tenant = tenant
        self._macs: dict[str, _Mac] = {}
        self._digest = self._mac("monitor-digest-v1", "")
        self._media = self._mac("monitor-media-v1", "")

    def _mac(self, purpose: str, entity: str) -> _Mac:
        return _Mac(derive(self.key.root, purpose, self._tenant, entity))

    def __call__(self, entity: str, canonical: str) -> str:
        """The pseudonym of a value in its canonical form; entities are few and `[A-Z_]+`."""
        mac = self._macs.get(entity)
        if mac is None:
            mac = self._macs[entity] = self._mac("monitor-token-v1", entity)
        return f"<{entity}:{self.key.id}:{mac.letters(canonical)}>"

    def digest(self, text: str) -> str:
        """24 letters that equal texts share: what is kept of a text that is not kept."""
        return self._digest.letters(text)

    def media(self, letters: bytes) -> str:
        """24 letters that equal media share, given in the one spelling of `Media.letters`."""
        return self._media.letters_of(letters)


class _Mac:
    """HMAC-SHA-256 (RFC 2104) under one key of at most 64 bytes. Both hashes have taken in their
    half of the key, so that a value costs less than half of what `hmac` would."""

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(64, b"\0")
        self._inner = hashlib.sha256(padded.translate(_INNER))
        self._outer = hashlib.sha256(padded.translate(_OUTER))

    def letters(self, text: str) -> str:
        return self.letters_of(text.encode("utf-8", "surrogatepass"))

    def letters_of(self, data: bytes) -> str:
        inner, outer = self._inner.copy(), self._outer.copy()
        if len(data) <= _STRETCH:
            inner.update(data)
        else:
            for start in range(0, len(data), _STRETCH):
                inner.update(memoryview(data)[start : start + _STRETCH])
                give_way()
        outer.update(inner.digest())
        return outer.hexdigest()[:24].encode().translate(_LETTERS).decode()


def escape(text: str) -> str:
    """Whatever in `text` looks like a mark of ours but came from outside, made to look otherwise.

    Taking out one `LIT:` behind each `<` that has one gives the text back.

    >>> escape("<PERSON:k1:abcdefghijklmnop>")
    '<LIT:PERSON:k1:abcdefghijklmnop>'
    """
    return MARK.sub(lambda match: "<LIT:" + match[0][1:], text) if "<" in text else text
