"""`make bench`: what the keyed digest of an image costs the recorder, and how much memory many large ones take; written to MEDIA.md.

CPU time of this process, the least of seven rounds: an image has one digest however it was sent, and what differs between the ways
is how it comes into one spelling. Memory is that of the processes of a `monitor run` through which chats with an image go, all of
them at once.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import random
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from monitor.chat import media, sized
from monitor.privacy.cache import Cache
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.recognizers import select
from tests.bench import peers

OUT = Path(__file__).with_name("MEDIA.md")
SIZES = {"10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
ROUNDS = 7
DECODED = "(to decode base64 alone)"
EACH = 4_000_000
"""Bytes that a round goes through."""

LARGE, AT_ONCE = 20_000_000, 50
"""Bytes of a large image, and chats with one at the same time."""
BOUNDS = ((1 << 20, 64 << 20), (32 << 20, 64 << 20), (32 << 20, 256 << 20))
"""`capture.max_body_bytes` and `capture.buffer_bytes`: the defaults, an image whole, and room for some of them."""
_MB = 1 << 20


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


def chat(size: int) -> bytes:
    """A request with an image of so many bytes."""
    image = base64.b64encode(random.Random(7).randbytes(size)).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}"}},
    ]
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": parts}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\ncontent-length: {len(body)}\r\n"
    return f"{head}content-type: application/json\r\nconnection: close\r\n\r\n".encode() + body


def model() -> int:
    """The port of an endpoint that reads what comes, keeps nothing of it, and answers."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=AT_ONCE)
    said = json.dumps({"model": "m", "choices": [{"message": {"content": "A tower."}}]}).encode()
    answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
    answer += b"content-length: %d\r\n\r\n" % len(said) + said

    def serve(connection: socket.socket) -> None:
        with connection:
            head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")
            if b"content-length: " not in head:
                return  # a probe
            left = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(body)
            while left > 0 and (more := connection.recv(1 << 16)):
                left -= len(more)
            connection.sendall(answer)

    def accept() -> None:
        while True:
            Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    Thread(target=accept, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


def send(port: int, request: bytes) -> bool:
    """Whether the endpoint's answer came."""
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(request)
        found = b""
        while more := connection.recv(1 << 16):
            found += more
    return found.startswith(b"HTTP/1.1 200") and found.endswith(b"}")


def peaks(bounds: tuple[int, int], size: int, at_once: int) -> dict[str, float]:
    """MB that proxy and recorder had at most, beyond what they had after a small one; and how many of the chats left a
    Record."""
    longest, room = bounds
    settings: dict[str, object] = {"capture": {"max_body_bytes": longest, "buffer_bytes": room}}
    with peers.whole(model(), settings) as whole:
        assert send(whole.port, chat(1000))
        whole.settle()
        before = {role: whole.memory()[role][0] for role in ("proxy", "recorder")}
        for role in before:
            for pid in whole.pids()[role]:
                Path(f"/proc/{pid}/clear_refs").write_text("5")  # begins VmHWM anew, proc(5)
        request = chat(size)
        with ThreadPoolExecutor(at_once) as pool:
            assert all(pool.map(lambda _: send(whole.port, request), range(at_once)))
        whole.settle()
        page = whole.system.settled()
        found = {
            role: sum(map(peers.highest, whole.pids()[role])) - before[role] for role in before
        }
        return {**found, "recorded": page.total("monitor_records_appended_total") - 1}


def memory(size: int, at_once: int) -> list[str]:
    """The table of it."""
    rows = []
    for bounds in BOUNDS:
        found = peaks(bounds, size, at_once)
        kept, room = (one // _MB for one in bounds)
        rows.append(
            f"| {kept} | {room} | {found['proxy']:.0f} | {found['recorder']:.0f} | {found['recorded']:.0f} of {at_once} |"
        )
    return rows


def main() -> None:
    """Measure, and write what was found."""
    rows = [
        f"| {way} | {' | '.join(f'{one:,.0f}' for one in found)} |"
        for way, found in measured(SIZES, EACH).items()
    ]
    large = memory(LARGE, AT_ONCE)
    OUT.write_text(
        "# What the digest of an image costs\n\n"
        f"µs of CPU in the recorder for one image, by its size, the least of {ROUNDS} rounds: {platform.machine()}, {os.cpu_count()} cores,\n"
        f"Python {platform.python_version()}. `tests/bench/bench_media.py` measures it.\n\n"
        f"| sent as | {' | '.join(SIZES)} |\n|---|{'--:|' * len(SIZES)}\n"
        + "\n".join(rows)
        + "\n\n"
        "The digest is an HMAC-SHA-256 over the base64 of an image, in its standard letters and without padding. What was sent so is\n"
        "hashed as it is; bytes of a form become base64 first, which takes less than decoding the other.\n\n"
        "## How much memory large images take\n\n"
        f"{AT_ONCE} chats at once through a `monitor run`, each with an image of {LARGE // 1_000_000} MB in base64, 27 MB in all. Bounds in MiB; MB that\n"
        "proxy and recorder took at most (`VmHWM`) beyond what they had before. All answers reached their clients. What has no room\n"
        "is lost and counted (`buffer_full`).\n\n"
        "| `max_body_bytes` | `buffer_bytes` | proxy | recorder | recorded |\n|--:|--:|--:|--:|--:|\n"
        + "\n".join(large)
        + "\n\n"
        "The bound of the buffer is on copies that wait. One that is whole is joined and then encoded for the recorder, which takes twice\n"
        "its size for that time; what freed pieces of 64 KiB leave between others is likely the rest. The recorder reads one such exchange after\n"
        "the other: what came, the body, its text, and the letters of the image are there at once.\n"
    )
    print(OUT.read_text())


if __name__ == "__main__":
    main()
