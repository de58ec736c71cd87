"""PEM files → when the certificates in them begin and end to hold."""

from __future__ import annotations

import binascii
import re
from datetime import UTC, datetime
from typing import NamedTuple

from monitor.errors import ParseError

_PEM = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)"
    rb"-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)
_UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x17, 0x18, 0xA0


class Validity(NamedTuple):
    """When a certificate holds, in Unix seconds."""

    not_before: float
    not_after: float


def validities(pem: bytes) -> list[Validity]:
    """Return when each certificate in a PEM file holds, in its order. Raises ParseError where there
    is none, or one that cannot be read.

    The place is that of RFC 5280, section 4.1: the fifth field of what is signed, or the fourth
    where the version is left out.
    """
    found = [_validity(one) for one in _PEM.findall(pem)]
    if not found:
        raise ParseError("no certificate in PEM")
    return found


def _validity(base64: bytes) -> Validity:
    try:
        der = binascii.a2b_base64(base64)
        certificate, _ = _element(der, 0)
        signed, _ = _element(certificate[1], 0)
        fields = _elements(signed[1], 5)
        if fields[0][0] != _VERSION:
            fields = [(_VERSION, b""), *fields]
        begin, end = _elements(fields[4][1], 2)
        return Validity(_moment(*begin), _moment(*end))
    except (IndexError, ValueError) as error:
        raise ParseError("a certificate that is none") from error


def _elements(data: bytes, count: int) -> list[tuple[int, bytes]]:
    found, at = [], 0
    for _ in range(count):
        one, at = _element(data, at)
        found.append(one)
    return found


def _element(data: bytes, at: int) -> tuple[tuple[int, bytes], int]:
    """A tag with its content, and where the next one begins (X.690, the distinguished rules)."""
    tag, size = data[at], data[at + 1]
    at += 2
    if size & 0x80:
        length = size & 0x7F
        size = int.from_bytes(data[at : at + length], "big")
        at += length
    if at + size > len(data):
        raise ValueError("it ends early")
    return (tag, data[at : at + size]), at + size


def _moment(tag: int, text: bytes) -> float:
    said = text.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280, section 4.1.2.5.1: from 1950 to 2049
        said = ("19" if said >= "50" else "20") + said
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(said, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()
