"""A scripted server on loopback, and the files that a real client's exchange with it becomes.

Times are those of the script: nothing waits.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

HERE = Path(__file__).parent
PAUSE = 0.125
_SECRET = re.compile(
    rb"(?im)^(authorization|api-key|x-api-key|x-goog-api-key): ?(bearer )?.*\r$", re.IGNORECASE
)
_HOST = re.compile(rb"(?im)^(host): ?.*\r$")


@dataclass
class Answer:
    """A response: body in pieces that are sent PAUSE seconds apart, the first after one pause."""

    pieces: list[bytes]
    kind: str = "application/json"
    status: str = "200 OK"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        """As HTTP/1.1 writes it; one piece has its length, several come in chunks."""
        fields = {"content-type": self.kind, **self.headers}
        if len(self.pieces) == 1:
            fields["content-length"] = str(len(self.pieces[0]))
        else:
            fields["transfer-encoding"] = "chunked"
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode()


def whole(document: Any, **more: Any) -> Answer:
    """A JSON document in one piece."""
    return Answer([json.dumps(document).encode()], **more)


def events(*documents: Any, end: bytes = b"", named: bool = False, **more: Any) -> Answer:
    """An event stream of JSON documents, an event a piece."""
    head = "event: {}\n" if named else ""
    pieces = [
        f"{head.format(one.get('type'))}data: {json.dumps(one)}\n\n".encode() for one in documents
    ]
    return Answer([*pieces, *([end] if end else [])], "text/event-stream", **more)


def lines(*documents: Any) -> Answer:
    """A JSON document a line."""
    return Answer([json.dumps(one).encode() + b"\n" for one in documents], "application/x-ndjson")


def framed(headers: dict[str, str], payload: bytes) -> bytes:
    """A message of an AWS event stream, whose headers are strings."""
    block = b"".join(
        bytes([len(name)]) + name.encode() + b"\7" + len(value).to_bytes(2, "big") + value.encode()
        for name, value in headers.items()
    )
    prelude = (len(block) + len(payload) + 16).to_bytes(4, "big") + len(block).to_bytes(4, "big")
    message = prelude + crc32(prelude).to_bytes(4, "big") + block + payload
    return message + crc32(message).to_bytes(4, "big")


def aws(*messages: tuple[str, bytes], **more: Any) -> Answer:
    """(event type, payload) each; an exception where the type says so."""
    pieces = []
    for name, payload in messages:
        kind = "exception" if name.lower().endswith(("exception", "error")) else "event"
        headers = {
            f":{kind}-type": name,
            ":content-type": "application/json",
            ":message-type": kind,
        }
        pieces.append(framed(headers, payload))
    return Answer(pieces, "application/vnd.amazon.eventstream", **more)


class Server:
    """Answers one request after another with what it is given; keeps the last request's bytes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.answer = Answer([b"{}"])
        self.request = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while (request := _request(connection)) is not None:
                self.request = request
                answer = self.answer
                connection.sendall(answer.head)
                is_whole = len(answer.pieces) == 1
                for piece in answer.pieces:
                    connection.sendall(piece if is_whole else b"%x\r\n%b\r\n" % (len(piece), piece))
                if not is_whole:
                    connection.sendall(b"0\r\n\r\n")


def _request(connection: socket.socket) -> bytes | None:
    """The bytes of one request, without the transfer coding; None at the end."""
    file = connection.makefile("rb")
    head = b""
    for line in file:
        head += line
        if line == b"\r\n":
            break
    else:
        return None
    length = re.search(rb"(?im)^content-length: ?(\d+)", head)
    if length is not None:
        return head + file.read(int(length[1]))
    body = b""
    while re.search(rb"(?im)^transfer-encoding: ?chunked", head):
        size = int(file.readline(), 16)
        body += file.read(size)
        file.readline()
        if not size:
            break
    return head + body


Case = tuple[str, str, Answer, Callable[[str], Iterable[str | None]]]
"""Protocol, case, the answer, and what a client does with the server's URL: the texts it gives."""


def record(cases: Iterable[Case], client: str) -> None:
    """Play the cases that the command line names, all without names, and write their files."""
    server = Server()
    wanted = sys.argv[1:]
    version = f"{client} {importlib.metadata.version(client)}"
    for protocol, case, answer, drive in cases:
        if wanted and f"{protocol}/{case}" not in wanted:
            continue
        server.answer = answer
        texts = [text for text in drive(server.url) if text]
        request = _SECRET.sub(rb"\1: \2test\r", server.request)
        request = _HOST.sub(rb"\1: model.example\r", request)
        chunks, size = [], 0
        for number, piece in enumerate(answer.pieces):
            size += len(piece)
            chunks.append([(number + 1) * PAUSE, size])
        about = {"client": version, "texts": texts, "chunks": chunks}
        write(protocol, case, request, answer.head + b"".join(answer.pieces), about)


def write(protocol: str, case: str, request: bytes, response: bytes, about: dict[str, Any]) -> None:
    """Write the three files of a golden; what is said of the Inference stays as it is."""
    folder = HERE / protocol
    folder.mkdir(exist_ok=True)
    (folder / f"{case}.req").write_bytes(request)
    (folder / f"{case}.res").write_bytes(response)
    path = folder / f"{case}.json"
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    about |= {"inference": before["inference"]} if "inference" in before else {}
    path.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{protocol}/{case}")
