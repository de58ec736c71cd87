"""`make bench`: what the keyed digest of an image costs the recorder; written to MEDIA.md.

CPU time of this process, the least of seven rounds: an image has one digest however it was sent, and what differs between the ways
is how it comes into one spelling.
"""

from __future__ import annotations

import base64
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from monitor.chat import media, sized
from monitor.privacy.cache import Cache
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.recognizers import select

OUT = Path(__file__).with_name("MEDIA.md")
SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
ROUNDS = 7
DECODED = "(to decode base64 alone)"
EACH = 4_000_000
"""Bytes that a round goes through."""


def ways(size: int) -> dict[str, str]:
    """The text that stands for an image of so many bytes of chance, as dialects leave it."""
    data = random.Random(7).randbytes(size)
    text = base64.b64encode(data).decode()
    return {
        "base64": media("image", "image/png", text),
        "base64, URL-safe": media("image", "image/png", base64.urlsafe_b64encode(data).decode()),
        "bytes of a form": sized("image", "image/png", size, data),
    }


def micros(work: Callable[[], object], times: int) -> float:
    """µs of CPU that one call takes, the least of the rounds."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        least = min(least, (time.process_time() - began) / times)
    return least * 1e6


def measured(sizes: dict[str, int], each: int) -> dict[str, list[float]]:
    """µs by way and size."""
    keyring = Keyring((Key("k1", bytes(range(32))),))
    door = Privacy(
        scanner=Scanner(select()),
        keyring=keyring,
        clock=time.thread_time,
        cache=Cache(os.urandom(32)),
    )
    scrub = door.again()
    found: dict[str, list[float]] = {}
    for size in sizes.values():
        for way, text in ways(size).items():
            assert scrub.media(text), way
            found.setdefault(way, []).append(
                micros(lambda text=text: scrub.media(text), max(1, each // size))
            )
        text = base64.b64encode(bytes(size))
        found.setdefault(DECODED, []).append(
            micros(lambda text=text: base64.b64decode(text), max(1, each // size))
        )
    return found


def main() -> None:
    """Measure, and write what was found."""
    rows = [
        f"| {way} | {' | '.join(f'{one:,.0f}' for one in found)} |"
        for way, found in measured(SIZES, EACH).items()
    ]
    OUT.write_text(
        "# What the digest of an image costs\n\n"
        f"µs of CPU in the recorder for one image, by its size, the least of {ROUNDS} rounds: {platform.machine()}, {os.cpu_count()} cores,\n"
        f"Python {platform.python_version()}. `tests/bench/bench_media.py` measures it.\n\n"
        f"| sent as | {' | '.join(SIZES)} |\n|---|{'--:|' * len(SIZES)}\n"
        + "\n".join(rows)
        + "\n\n"
        "The digest is an HMAC-SHA-256 over the base64 of an image, in its standard letters and without padding. What was sent so is\n"
        "hashed as it is; bytes of a form become base64 first, which takes less than decoding the other.\n"
    )
    print(OUT.read_text())


if __name__ == "__main__":
    main()
