"""A scenario's endpoint: it knows the script of a seed, and answers each request as that says.

`python -m monitor.demo.scripted HOST:PORT DOMAIN SEED [--no-problem]` serves it. Requests are told
apart by their `traceparent`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from monitor.demo.scenario import Turn, trace_id
from monitor.demo.scenarios import SCENARIOS

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Scripted:
    """The application (ASGI): /v2/health/ready, and the answer of a turn on every other path."""

    def __init__(self, turns: list[Turn], seed: int) -> None:
        self._turns = {trace_id(seed, number): turn for number, turn in enumerate(turns)}

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request once it has been read, after the seconds of its turn."""
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = dict(scope["headers"])
        turn = self._turns.get(headers.get(b"traceparent", b"").decode()[3:35])
        status, answer = (200, b"{}") if scope["path"] == "/v2/health/ready" else (404, b"{}")
        if turn is not None:
            await asyncio.sleep(turn.seconds)
            status, answer = 200, json.dumps(turn.answer).encode()
        kind = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": answer})


def main() -> None:
    """Serve on the address given, until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description="Serve a scenario's endpoint.")
    parser.add_argument("address", metavar="HOST:PORT")
    parser.add_argument("domain", choices=SCENARIOS)
    parser.add_argument("seed", type=int)
    parser.add_argument("--no-problem", action="store_true")
    options = parser.parse_args()
    turns = SCENARIOS[options.domain].turns(options.seed, not options.no_problem)
    host, _, port = options.address.rpartition(":")
    application = Scripted(turns, options.seed)
    uvicorn.run(
        application, host=host, port=int(port), log_level="error", access_log=False, lifespan="off"
    )  # fmt: skip


if __name__ == "__main__":
    main()
