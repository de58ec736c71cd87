"""Processes that the proxy benchmark needs beside the proxies: model and bare splice.

`endpoint.py model PORT | splice PORT UPSTREAM`
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import cast

import uvloop

BODY = json.dumps({"choices": [{"message": {"content": "word " * 250}}]}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"server: model\r\ndate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\r\n" % len(BODY)
) + BODY
EVENTS = 20
GAP = 0.05
"""Seconds between the events of a stream."""


class Model(asyncio.Protocol):
    """Answers each whole request; knows Content-Length bodies only."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 : start + 30].split(b"\r\n")[0]) if start >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            if b"/stream" in head[:40]:
                asyncio.get_running_loop().create_task(self.stream())
            else:
                self.transport.write(ANSWER)

    async def stream(self) -> None:
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        for number in range(EVENTS):
            await asyncio.sleep(GAP)
            event = b'data: {"n":%d,"at":%.6f}\n\n' % (number, time.monotonic())
            self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.transport.write(b"0\r\n\r\n")


class Side(asyncio.Protocol):
    """Half of a bare splice."""

    other: Side | None = None

    def __init__(self, upstream: int = 0) -> None:
        self.upstream = upstream
        self.held: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        if self.upstream:
            asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        _, other = await asyncio.get_running_loop().create_connection(
            Side, "127.0.0.1", self.upstream
        )
        self.other, other.other = other, self
        for data in self.held:
            other.transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self.other is None:
            self.held.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.other is not None:
            self.other.transport.close()


async def listen(factory: type[asyncio.Protocol], port: int, *arguments: int) -> None:
    """Serve until ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: factory(*arguments), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Run what the first argument names."""
    role, *rest = sys.argv[1:]
    if role == "model":
        uvloop.run(listen(Model, int(rest[0])))
    else:
        uvloop.run(listen(Side, int(rest[0]), int(rest[1])))


if __name__ == "__main__":
    main()
