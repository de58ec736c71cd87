"""Calls to take dimensions from."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.recorder import calls
from monitor.types import Call, Exchange, Message, Outcome


@pytest.fixture
def call() -> Callable[..., Call]:
    """Makes a Call of a target, head fields and bodies."""

    def make(
        target: str = "/",
        fields: str = "",
        body: bytes = b"",
        answer: bytes = b"",
        *,
        cut: bool = False,
    ) -> Call:
        head = f"POST {target} HTTP/1.1\r\n{fields}\r\n".encode()
        size = len(body) + (10 if cut else 0)
        return calls.read(
            Exchange(
                "i", 0.0, 0.0, Message(head, body, size),
                Message(b"HTTP/1.1 200 OK\r\n\r\n", answer, len(answer)), [], Outcome.OK,
            )
        )  # fmt: skip

    return make
