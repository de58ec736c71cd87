"""What the chat dialects share: content lists → one text, streamed fragments → whole parts."""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Iterable
from typing import Any

from monitor import bodies
from monitor.errors import ParseError
from monitor.types import Call, Part

_TEXT_KEYS = ("text", "refusal", "thinking", "reasoning", "content", "input_text", "output_text")


def content_text(content: Any) -> str:
    """The text of a message's content: a string, or a list of content parts, media by their kind.

    >>> image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
    >>> content_text([{"type": "text", "text": "What is this?"}, image])
    'What is this?\\n[image_url image/png 8 characters]'
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return lines(map(_piece_text, content))
    return bodies.dump(content)


def lines(pieces: Iterable[str]) -> str:
    """The pieces that say something, a line each; a single one is handed on as it is."""
    said = list(filter(None, pieces))
    return said[0] if len(said) == 1 else "\n".join(said)


def _piece_text(piece: Any) -> str:
    if not isinstance(piece, dict):
        return piece if isinstance(piece, str) else bodies.dump(piece)
    for key in _TEXT_KEYS:
        value = piece.get(key)
        if isinstance(value, str) and piece.get("type") != "tool_result":
            return value
    kind = piece.get("type")
    media = _media(piece)
    if media:
        return f"[{kind} {media}]"
    if kind == "tool_result":
        return content_text(piece.get("content"))
    return bodies.dump({key: value for key, value in piece.items() if key != "type"})


def _media(piece: dict[str, Any]) -> str:
    """`image/png 1234 characters` or a URL, where a piece holds media; else empty."""
    for value in piece.values():
        found = value
        kind = ""
        if isinstance(value, dict):
            kind = str(value.get("media_type") or value.get("format") or "")
            found = value.get("url") or value.get("data") or value.get("file_data")
        if not isinstance(found, str):
            continue
        if found.startswith("data:"):
            kind, _, data = found[5:].partition(",")
            return f"{kind.partition(';')[0]} {len(data)} characters"
        if isinstance(value, dict):
            is_address = found.startswith(("http://", "https://"))
            return found if is_address else f"{kind} {len(found)} characters".strip()
    return ""


def tool_call(name: Any, arguments: Any) -> str:
    """A call of a tool as one JSON text; arguments that are JSON text become JSON.

    >>> tool_call("find", '{"city": "Ulm"}')
    '{"name":"find","arguments":{"city":"Ulm"}}'
    """
    if isinstance(arguments, str):
        with contextlib.suppress(ParseError):
            arguments = bodies.document(arguments.encode("utf-8", "replace"))
    return bodies.dump({"name": name, "arguments": arguments})


def error_part(body: bytes) -> list[Part]:
    """The parts of a body that is an error, or that its protocol could not read."""
    found = bodies.text(body)
    return [Part(role="error", text=found)] if found else []


def arrival(call: Call, offset: int) -> float | None:
    """Seconds from the start of the exchange until the first `offset` bytes of the response had
    come; None where the proxy kept no times."""
    arrivals = call.arrivals
    if not arrivals:
        return None
    index = bisect_left(arrivals, offset, key=lambda one: one[1])
    return arrivals[min(index, len(arrivals) - 1)][0]


class Choices:
    """Streamed fragments, gathered by (choice, channel); a channel is `assistant`, `reasoning`,
    `refusal` or one tool call."""

    def __init__(self) -> None:
        self._texts: dict[tuple[int, str], list[str]] = {}
        self._tools: dict[tuple[int, str], str] = {}

    def add(self, choice: int, channel: str, fragment: str) -> None:
        self._texts.setdefault((choice, channel), []).append(fragment)

    def add_tool(self, choice: int, index: int, name: str, fragment: str) -> None:
        key = (choice, f"tool_call {index}")
        self._texts.setdefault(key, []).append(fragment)
        self._tools[key] = self._tools.get(key, "") + name

    def parts(self) -> list[Part]:
        found = []
        for key in sorted(self._texts, key=lambda key: key[0]):
            whole = "".join(self._texts[key])
            if key in self._tools:
                found.append(Part(role="tool_call", text=tool_call(self._tools[key], whole)))
            else:
                found.append(Part(role=key[1], text=whole))
        return found
