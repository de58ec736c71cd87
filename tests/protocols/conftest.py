"""Calls made of bodies, as a recorder would read them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from monitor.recorder import calls
from monitor.types import Call, Exchange, Message, Outcome


@pytest.fixture(scope="session")
def call() -> Callable[..., Call]:
    def make(
        path: str,
        body: bytes = b"{}",
        answer: bytes = b"{}",
        *,
        answer_type: str = "application/json",
        status: str = "200 OK",
        headers: str = "content-type: application/json\r\n",
        answer_headers: str = "",
        chunks: list[tuple[float, int]] | None = None,
        method: str = "POST",
        size: int | None = None,
    ) -> Call:
        request = f"{method} {path} HTTP/1.1\r\n{headers}\r\n".encode()
        response = (
            f"HTTP/1.1 {status}\r\ncontent-type: {answer_type}\r\n{answer_headers}\r\n".encode()
        )
        exchange = Exchange(
            "id", 1.0, 1.0, Message(request, body, len(body)),
            Message(response, answer, size or len(answer)), chunks or [(0.5, len(answer))],
            Outcome.OK,
        )  # fmt: skip
        return calls.read(exchange)

    return make
