"""Private key blocks: PEM (RFC 7468), OpenSSH, PGP; to their end line or the end of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from monitor.interfaces import Recognizer

_BEGIN = re.compile(r"-----BEGIN ([A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_PUTTY = re.compile(r"PuTTY-User-Key-File-\d: ")


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        if start < done:
            continue
        if begin := _BEGIN.match(text, start):
            last = f"-----END {begin[1]}-----"
            end = text.find(last, begin.end())
            done = len(text) if end < 0 else end + len(last)
            yield start, done
        elif _PUTTY.match(text, start):
            done = len(text)
            yield start, done


RECOGNIZER = Recognizer(
    name="private_key",
    entity="SECRET",
    triggers=("-----BEGIN [A-Z0-9 ]{0,40}PRIVATE", "PuTTY-User-Key-File"),
    find=_find,
    canonical=str.strip,
    examples=(
        (
            "key: «-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nbob@example.com\n"
            "-----END RSA PRIVATE KEY-----» end"
        ),
        "cut «-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA",
        "«-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----»\\n",
    ),
    counterexamples=(
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    ),
)
