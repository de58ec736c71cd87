"""Call → Inference for a connection upgraded to WebSocket: every message is a text part.

The proxy writes an upgraded connection's messages one a line, as JSON (see `types.Exchange`).
"""

from __future__ import annotations

from monitor.chat import base64_size, sized
from monitor.columns import Piece
from monitor.framings.messages import messages
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part


def claims(call: Call) -> bool:
    """Upgraded connections, whatever their path."""
    return call.exchange.upgraded != ""


def read(call: Call) -> Inference:
    """Binary messages are named by their size alone; first and last token are texts' times."""
    inputs, _ = _messages(call.request_body, "user")
    outputs, times = _messages(call.response_body, "assistant")
    return Inference(
        protocol="websocket",
        operation="connection",
        model="",
        inputs=inputs,
        outputs=outputs,
        streamed=True,
        first_token=times[0] if times else None,
        last_token=times[-1] if times else None,
    )


PROTOCOL = Protocol("websocket", claims, read)


def _messages(body: bytes, role: str) -> tuple[list[Part], list[float]]:
    parts: list[Part] = []
    times: list[float] = []
    for message in messages(body):
        if message.type == "text":
            parts.append(Part(role=role, text=Piece(message.data)))
        elif message.type == "binary":
            size = base64_size(message.data)
            parts.append(Part(role=role, text=sized("binary", "", size, message.data)))
        if message.type != "close" and message.at is not None:
            times.append(message.at)
    return parts, times
