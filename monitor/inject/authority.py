"""Chance and time → an authority, and certificates for the webhook that it signs (RFC 5280, 8410).

Everything is Ed25519, so that what is there already can sign it. An API server in FIPS mode takes
no such certificates; it needs cert-manager's.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nacl.signing import SigningKey

from monitor.certificates import Validity, validities
from monitor.errors import ParseError

DAY = 86400.0
AUTHORITY, LEAF = 3650 * DAY, 30 * DAY
"""Seconds that they hold. Both are renewed after two thirds."""
EARLIER = 3600.0
"""Seconds before now from which on they hold: clocks differ."""
LONGEST = 65536
"""Characters of what the Secret holds under a key."""

Draw = Callable[[int], bytes]

_SIGNED = bytes.fromhex("300506032b6570")  # AlgorithmIdentifier of Ed25519
_PUBLIC = bytes.fromhex("302a300506032b6570032100")
_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\n?")
_KEY = re.compile(r"-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----")

_COMMON_NAME, _KEY_ID, _KEY_USAGE, _ALTERNATIVE, _CONSTRAINTS, _SIGNER, _EXTENDED = (
    bytes.fromhex(one)
    for one in ("0603550403", "0603551d0e", "0603551d0f", "0603551d11", "0603551d13",
                "0603551d23", "0603551d25")
)  # fmt: skip
_SERVER = bytes.fromhex("06082b06010505070301")


@dataclass(frozen=True)
class Held:
    """What the Secret holds, as PEM: authorities, the current one first; its key; the leaf and its
    key. All who call the webhook trust all of `authorities`."""

    authorities: str
    authority_key: str
    leaf: str
    leaf_key: str


def made(names: Sequence[str], now: float, draw: Draw) -> Held:
    """Return a new authority with a leaf for `names`, at `now` in Unix seconds."""
    certificate, key = _authority(now, draw)
    return _with_leaf(certificate, certificate, key, names=names, now=now, draw=draw)


def renewed(held: Held, names: Sequence[str], now: float, draw: Draw) -> Held | None:
    """Return what is to come after `held`; None while nothing is due.

    A new authority stands before the old one, for as long as a leaf of the old one may be shown
    somewhere: until the next leaf. What cannot be read is made anew.
    """
    try:
        authority = validities(held.authorities.encode())[0]
        leaf = validities(held.leaf.encode())[0]
        key = _private(held.authority_key)
        _private(held.leaf_key)
    except (ParseError, ValueError, IndexError):
        return made(names, now, draw)
    current = _PEM.findall(held.authorities)[0]
    if _is_due(authority, now):
        if authority.not_after <= now:
            return made(names, now, draw)
        certificate, new = _authority(now, draw)
        return _with_leaf(certificate + current, certificate, new, names=names, now=now, draw=draw)
    if _is_due(leaf, now):
        return _with_leaf(current, current, key, names=names, now=now, draw=draw)
    return None


def _is_due(one: Validity, now: float) -> bool:
    return now >= one.not_before + 2 / 3 * (one.not_after - one.not_before)


def _authority(now: float, draw: Draw) -> tuple[str, bytes]:
    """A certificate of an authority and the seed of its key."""
    seed = draw(32)
    name = f"monitor injector {draw(4).hex()}"
    public = bytes(SigningKey(seed).verify_key)
    extensions = [
        (_CONSTRAINTS, True, _sequence(b"\x01\x01\xff", b"\x02\x01\x00")),
        (_KEY_USAGE, True, _bits(0b00000110, 1)),  # keyCertSign, cRLSign
    ]
    certificate = _certificate(
        name, seed, name, public, begins=now - EARLIER, ends=now + AUTHORITY, serial=draw(15),
        extensions=extensions,
    )  # fmt: skip
    return certificate, seed


def _with_leaf(
    authorities: str, authority: str, key: bytes, *, names: Sequence[str], now: float, draw: Draw
) -> Held:
    seed = draw(32)
    public = bytes(SigningKey(seed).verify_key)
    alternative = _sequence(*(_tagged(0x82, name.encode("ascii")) for name in names))
    extensions = [
        (_CONSTRAINTS, True, _sequence()),
        (_KEY_USAGE, True, _bits(0b10000000, 7)),  # digitalSignature
        (_EXTENDED, False, _sequence(_SERVER)),
        (_ALTERNATIVE, False, alternative),
    ]
    leaf = _certificate(
        _common_name(authority), key, names[0][:64], public, begins=now - EARLIER,
        ends=now + LEAF, serial=draw(15), extensions=extensions,
    )  # fmt: skip
    return Held(authorities, _key_pem(key), leaf, _key_pem(seed))


def _certificate(
    issuer: str,
    key: bytes,
    subject: str,
    public: bytes,
    *,
    begins: float,
    ends: float,
    serial: bytes,
    extensions: list[tuple[bytes, bool, bytes]],
) -> str:
    signer = SigningKey(key)
    known = [
        *extensions,
        (_KEY_ID, False, _tagged(0x04, _key_id(public))),
        (_SIGNER, False, _sequence(_tagged(0x80, _key_id(bytes(signer.verify_key))))),
    ]
    signed = _sequence(
        _tagged(0xA0, b"\x02\x01\x02"),  # version 3
        _tagged(0x02, b"\x01" + serial),  # a serial number, positive
        _SIGNED,
        _name(issuer),
        _sequence(_time(begins), _time(ends)),
        _name(subject),
        _PUBLIC + public,
        _tagged(0xA3, _sequence(*(_extension(*one) for one in known))),
    )
    signature = _tagged(0x03, b"\x00" + signer.sign(signed).signature)
    return _pem("CERTIFICATE", _sequence(signed, _SIGNED, signature))


def _extension(name: bytes, is_critical: bool, value: bytes) -> bytes:
    critical = b"\x01\x01\xff" if is_critical else b""
    return _sequence(name, critical, _tagged(0x04, value))


def _key_id(public: bytes) -> bytes:
    return hashlib.sha256(public).digest()[:20]  # RFC 7093, section 2, method 1


def _bits(bits: int, unused: int) -> bytes:
    return _tagged(0x03, bytes([unused, bits]))


def _name(common_name: str) -> bytes:
    one = _sequence(_COMMON_NAME, _tagged(0x0C, common_name.encode("ascii")))
    return _sequence(_tagged(0x31, one))


def _common_name(pem: str) -> str:
    """The name of an authority of ours."""
    der = base64.b64decode("".join(pem.split("-----")[2].split()))
    found = re.search(rb"monitor injector [0-9a-f]{8}", der)
    if found is None:
        raise ParseError("an authority of somebody else")
    return found[0].decode("ascii")


def _time(at: float) -> bytes:
    moment = datetime.fromtimestamp(at, UTC)
    if moment.year < 2050:  # RFC 5280, section 4.1.2.5
        return _tagged(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))
    return _tagged(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))


def _sequence(*parts: bytes) -> bytes:
    return _tagged(0x30, b"".join(parts))


def _tagged(tag: int, content: bytes) -> bytes:
    """An element as the distinguished encoding rules write it (X.690)."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def _pem(label: str, der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def _key_pem(seed: bytes) -> str:
    return _pem("PRIVATE KEY", _PRIVATE + seed)


def _private(pem: str) -> bytes:
    """The seed of a key; raises ParseError."""
    found = _KEY.search(pem[:LONGEST])
    der = base64.b64decode("".join(found[1].split())) if found else b""
    if not der.startswith(_PRIVATE) or len(der) != len(_PRIVATE) + 32:
        raise ParseError("a key that is none of ours")
    return der[len(_PRIVATE) :]
