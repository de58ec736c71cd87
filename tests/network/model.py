"""A model whose answer depends on every byte it was sent: `python -m tests.network.model HOST PORT`.

`/chat` answers at once, `/stream/N` with N events, `/bytes/N` with N bytes. Each answer has a digest of the request.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from asyncio import StreamReader, StreamWriter

GAP = 0.05
"""Seconds between the events of a stream."""


async def answer(reader: StreamReader, writer: StreamWriter) -> None:
    """Serve one connection, until a request wants it closed or the client has gone."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            body = await _body(reader, head.lower())
            digest = hashlib.sha256(head + body).hexdigest()
            path = head.split(b" ", 2)[1].decode()
            kind, _, number = path.strip("/").partition("/")
            if kind == "stream":
                await _stream(writer, digest, int(number))
            elif kind == "bytes":
                _whole(writer, digest, b"0123456789" * (int(number) // 10))
            else:
                message = {"role": "assistant", "content": f"You sent {digest}."}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
                answer = {"object": "chat.completion", "model": "m", "choices": [choice]}
                _whole(writer, digest, json.dumps({**answer, "usage": usage}).encode())
            await writer.drain()
            if b"\r\nconnection: close" in head.lower():
                break
    except (OSError, EOFError):
        pass
    finally:
        writer.close()


async def _body(reader: StreamReader, head: bytes) -> bytes:
    if b"transfer-encoding: chunked" in head:
        return await reader.readuntil(b"\r\n0\r\n\r\n")
    place = head.find(b"content-length:")
    return (
        await reader.readexactly(int(head[place + 15 :].split(b"\r\n")[0])) if place >= 0 else b""
    )


def _whole(writer: StreamWriter, digest: str, body: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Digest: {digest}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def _stream(writer: StreamWriter, digest: str, events: int) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Digest: {digest}\r\n"
    writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
    for number in range(events):
        await asyncio.sleep(GAP)
        delta = {"index": 0, "delta": {"content": f"word {number} "}, "finish_reason": None}
        event = f"data: {json.dumps({'object': 'chat.completion.chunk', 'choices': [delta]})}\n\n"
        writer.write(f"{len(event):x}\r\n{event}\r\n".encode())
        await writer.drain()
    writer.write(b"0\r\n\r\n")


async def main(host: str, port: int) -> None:
    """Serve until ended."""
    server = await asyncio.start_server(answer, host, port, limit=1 << 22)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
