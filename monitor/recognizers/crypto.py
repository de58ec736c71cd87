"""Wallets: Bitcoin addresses (Base58Check, BIP 173 and 350 Bech32) and Ethereum's (20 bytes in hex)."""

from __future__ import annotations

import hashlib

from monitor.finders import anchored
from monitor.interfaces import Recognizer

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _valid(value: str) -> bool:
    if value[:2] == "0x":
        return True
    if value[:3].lower() == "bc1":
        return value in (value.lower(), value.upper()) and _bech32(value.lower())
    return _base58(value)


def _base58(value: str) -> bool:
    """25 bytes of which the last four are the first of a double SHA-256."""
    number = 0
    for character in value:
        number = number * 58 + _BASE58.index(character)
    if number >> 200:
        return False
    raw = number.to_bytes(25, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _bech32(value: str) -> bool:
    """The checksum polynomial of BIP 173 over `bc`; 1 for version 0, another of BIP 350 for later."""
    check = 1
    for code in (3, 3, 0, 2, 3, *map(_BECH32.index, value[3:])):
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ code
        for bit, part in enumerate(_GENERATOR):
            check ^= part if top >> bit & 1 else 0
    return check == (1 if value[3] == "q" else 0x2BC830A3)


def canonical(value: str) -> str:
    """As written, but in lower case where case does not count.

    >>> canonical("BC1QAR0"), canonical("1BoatSLR")
    ('bc1qar0', '1BoatSLR')
    """
    return value.lower() if value[:2] in ("0x", "bc", "BC") else value


RECOGNIZER = Recognizer(
    name="crypto",
    entity="CRYPTO",
    triggers=(r"\b[13][1-9a-z]{25}", r"\bbc1[02-9a-z]{25}", r"\b0x[0-9a-f]{40}\b"),
    find=anchored(
        r"(?<![A-Za-z0-9_])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71})"
        r"|0x[0-9a-fA-F]{40})(?![A-Za-z0-9_])",
        _valid,
    ),
    canonical=canonical,
    examples=(
        "send to «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa», «3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy»",
        (
            "«bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4» and "
            "«bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr»"
        ),
        "eth «0x52908400098527886E0F7030069857D2E4169EE7»",
    ),
    counterexamples=(
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb and bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "0x52908400098527886E0F7030069857D2E4169EE752908400098527886E0F7030 and 0xdeadbeef",
        "commit 1f2d3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b",
    ),
    keys=frozenset({"wallet", "walletaddress", "bitcoinaddress", "btcaddress", "ethaddress"}),
    plausible=lambda text: len(text.strip()) >= 20,
)
