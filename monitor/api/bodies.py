"""Bodies of requests within bounds, and answers in JSON."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from monitor.api import access
from monitor.web import Request, Response


class Refused(Exception):  # noqa: N818
    """How a request is answered that is not taken."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.answer = answer(status, {"error": sentence}, **headers)


async def body(request: Request, most: int) -> bytes:
    """Return the body of at most `most` bytes; what is too long is not read to its end. Raises
    Refused."""
    too_long = Refused(413, f"send at most {most:,} bytes in a request", connection="close")
    told = request.headers.get("content-length", "")
    if told.isdigit() and int(told[:20]) > most:
        raise too_long
    data = bytearray()
    try:
        async with asyncio.timeout(access.BODY_PATIENCE):
            async for chunk in request.stream():
                data += chunk
                if len(data) > most:
                    raise too_long
    except TimeoutError:
        raise Refused(
            408, f"the body did not come within {access.BODY_PATIENCE:g} s", connection="close"
        ) from None
    return bytes(data)


def answer(status: int, document: Any, **headers: str) -> Response:
    """An answer with a JSON document."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(msgspec.json.encode(document), status, fields, "application/json")
