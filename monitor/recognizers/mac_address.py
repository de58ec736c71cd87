"""MAC addresses (IEEE 802: EUI-48 as six pairs or, on Cisco's devices, three dotted groups)."""

from __future__ import annotations

from monitor.finders import alphanumeric, anchored
from monitor.interfaces import Recognizer


def _mixed(value: str) -> bool:
    """With colons anything will do; else a letter and a digit tell it from a date or a name."""
    letters = any(map(str.isalpha, value))
    return ":" in value or (letters and any(map(str.isdigit, value)))


RECOGNIZER = Recognizer(
    name="mac_address",
    entity="MAC_ADDRESS",
    triggers=(
        r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}",
        r"[0-9a-f]{2}(?:-[0-9a-f]{2}){5}",
        r"[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}",
    ),
    find=anchored(
        r"(?a)(?<![0-9A-Za-z])(?<![0-9A-Za-z][:.-])(?:[0-9a-fA-F]{2}([:-])(?:[0-9a-fA-F]{2}\1){4}[0-9a-fA-F]{2}"
        r"|(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4})(?![0-9A-Za-z]|[:.-][0-9A-Za-z])",
        _mixed,
    ),
    canonical=alphanumeric,
    examples=(
        "eth0 «00:1A:2b:3c:4D:5e», «00-1a-2b-3c-4d-5e» and «001a.2b3c.4d5e»",
        "mac=«12:34:56:78:90:12».",
    ),
    counterexamples=(
        "10-20-30-40-50-60, 12:30:45 to 13:30:45, 1234.5678.9012, dead.beef.cafe",
        "fingerprint 00:1a:2b:3c:4d:5e:6f:70, 2001:db8:85a3:8d3:1319:8a2e:370:7348",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    ),
    keys=frozenset({"mac", "macaddress", "macaddr"}),
    plausible=lambda text: len(alphanumeric(text)) == 12,
)
