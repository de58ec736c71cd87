"""Cases: an exchange as JSON (`request`, `response` in timed pieces) and the `record` it should make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monitor.types import Exchange, Message, Outcome

CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return case


def exchange(case: dict[str, Any]) -> Exchange:
    """The exchange as the proxy would have seen it."""
    asked, told = case["request"], case["response"]
    body, chunks, at = b"", [], 0.0
    for pause, text in told["pieces"]:
        at += pause
        body += text.encode()
        chunks.append((at, len(body)))
    question = asked["body"].encode()
    request = _head(f"{asked['method']} {asked['path']} HTTP/1.1", asked["headers"])
    response = _head(f"HTTP/1.1 {told['status']} Fine", told["headers"])
    return Exchange(
        "id", 1.0, at, Message(request, question, len(question)), Message(response, body, len(body)),
        chunks, Outcome.OK,
    )  # fmt: skip


def _head(start: str, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{start}\r\n{lines}\r\n".encode()


def seen(record: dict[str, Any]) -> dict[str, Any]:
    """Of a record, what a case speaks of: what the exchange meant. Parts are `[role, text]` or
    `[name, data]`."""
    kept = ("protocol", "operation", "model", "outcome", "streamed", "tokens", "finish_reasons")
    return {name: record[name] for name in kept} | {
        side: [
            [part["role"], part["text"]] if part.get("text") is not None
            else [part["name"], part["data"]]
            for part in record[side]
        ]
        for side in ("inputs", "outputs")
    }  # fmt: skip
