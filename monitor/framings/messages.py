"""The copy of one side of a WebSocket → its messages, with the time of each.

The proxy writes them one a line, as JSON (`types.Exchange`).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Message(msgspec.Struct, frozen=True):
    """`type` is `text`, `binary` (`data` is base64) or `close`; `at` is seconds since the start."""

    type: str = ""
    data: str = ""
    at: float | None = None


_decoder = msgspec.json.Decoder(Message)


def messages(body: bytes) -> Iterator[Message]:
    """The messages in order; a last line that the capture bound cut is left out.

    >>> list(messages(b'{"type":"text","data":"hi","at":0.5}\\n{"type":"te'))
    [Message(type='text', data='hi', at=0.5)]
    """
    for line in body.splitlines():
        try:
            yield _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
