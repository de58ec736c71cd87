"""A WebSocket's messages are texts of the two sides."""

from __future__ import annotations

import json

from monitor.protocols.websocket import PROTOCOL
from monitor.recorder import calls
from monitor.types import Exchange, Message, Outcome


def test_messages_become_parts_in_order() -> None:
    """Text as it is; the client's are inputs, the model's outputs."""
    asked = b"".join(
        json.dumps({"type": "text", "data": text, "at": at}).encode() + b"\n"
        for text, at in (("hello", 0.1), ("again", 0.4))
    )
    told = json.dumps({"type": "text", "data": "hi", "at": 0.2}).encode() + b"\n"
    exchange = Exchange(
        "id", 1.0, 1.0,
        Message(b"GET /ws HTTP/1.1\r\nupgrade: websocket\r\n\r\n", asked, len(asked)),
        Message(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n", told, len(told)),
        [(0.2, len(told))], Outcome.OK, "websocket",
    )  # fmt: skip
    call = calls.read(exchange)
    assert PROTOCOL.claims(call)
    seen = PROTOCOL.read(call)
    assert [part.text for part in seen.inputs] == ["hello", "again"]
    assert [part.text for part in seen.outputs] == ["hi"]
