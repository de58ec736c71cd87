"""What the chat dialects share: content lists, calls of tools and errors → text."""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec

from monitor import bodies
from monitor.errors import ParseError
from monitor.media import Media, WithMedia, joined
from monitor.types import Call, Part

_DEPLOYMENT = re.compile(r"/deployments/([^/]+)/")
_THROTTLES = frozenset((
    "429", "insufficient_quota", "rate_limit", "rate_limit_error", "rate_limit_exceeded",
    "resource_exhausted", "throttlingexception", "too_many_requests",
))  # fmt: skip

Request = TypeVar("Request", bound=msgspec.Struct)

_TEXT_KEYS = ("text", "refusal", "thinking", "reasoning", "content", "input_text", "output_text")
_MAX_DEPTH = 8
_OPAQUE = frozenset(
    ("encrypted_content", "encrypted_index", "signature", "thoughtSignature", "thought_signature")
)
"""Members that are no text: what a server encrypts or signs for itself, which is long."""
_FORMS = ("media_type", "mime_type", "mimeType", "format")
_CONTENTS = ("url", "data", "file_data")
_ADDRESSES = ("file_data", "file_url", "image_url", "audio_url", "video_url")


def question(
    body: bytes, decoder: msgspec.json.Decoder[Request], inputs: Callable[[Request], list[Part]]
) -> tuple[Request, list[Part]]:
    """Return the request of a body, and its inputs as `inputs` reads them.

    A body of another shape is one text, and its request has the defaults of every field.
    """
    try:
        request = bodies.decode(body, decoder)
        return request, inputs(request)
    except ParseError:
        found = bodies.text(body)
        return decoder.type(), [Part(role="user", text=found)] if found else []


def content_text(content: Any, depth: int = 0) -> str:
    """The text of a message's content: a string, or a list of content parts, media by their kind.

    >>> image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}}
    >>> content_text([{"type": "text", "text": "What is this?"}, image])
    'What is this?\\n[image image/png 6 bytes]'
    """
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return lines([_piece_text(piece, depth) for piece in content])
    return bodies.dump(content)


def lines(pieces: Iterable[str]) -> str:
    """The pieces that say something, a line each; a single one is handed on as it is."""
    return joined("\n", list(filter(None, pieces)))


def _piece_text(piece: Any, depth: int) -> str:
    if not isinstance(piece, dict):
        return piece if isinstance(piece, str) else bodies.dump(piece)
    for key in _TEXT_KEYS:
        value = piece.get(key)
        if isinstance(value, str) and piece.get("type") != "tool_result":
            return value
    kind = str(piece.get("type") or "media")
    found = _media(piece, kind)
    if found:
        return found
    nested = piece.get("thinking" if kind == "thinking" else "content")
    if kind in ("tool_result", "thinking") and depth < _MAX_DEPTH:
        return content_text(nested, depth + 1)
    rest = {key: one for key, one in piece.items() if key != "type"}
    return bodies.dump(readable(rest)) if rest else ""


def readable(value: Any, depth: int = 0) -> Any:
    """A JSON value without what a server encrypts or signs for itself.

    >>> readable({"title": "Ulm", "in": [{"encrypted_content": "Eo8=", "at": 1}]})
    {'title': 'Ulm', 'in': [{'at': 1}]}
    """
    if depth < _MAX_DEPTH and isinstance(value, dict):
        return {k: readable(one, depth + 1) for k, one in value.items() if k not in _OPAQUE}
    if depth < _MAX_DEPTH and isinstance(value, list):
        return [readable(one, depth + 1) for one in value]
    return value


def _media(piece: dict[str, Any], kind: str) -> str:
    """What stands for the media that a piece holds, or their text; empty where it holds none."""
    for name, value in piece.items():
        form, found = "", value
        if isinstance(value, dict):
            form = next((value[one] for one in _FORMS if value.get(one)), "")
            found = next((value[one] for one in _CONTENTS if value.get(one)), None)
            if value.get("type") == "text" and isinstance(found, str):
                return found  # a document's
        elif name not in _ADDRESSES and not _is_inline(value):
            continue
        if isinstance(found, str):
            return media(kind.removeprefix("input_").removesuffix("_url"), form, found)
    return ""


def _is_inline(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("data:")


def media(kind: str, form: Any, found: str) -> str:
    """What stands in a text for an image, a sound or a file: its kind, media type and size.

    `found` is base64, a `data:` URL or an address. Of an address the query is left out, because it
    may hold a signature that lets anyone read the file.

    >>> media("image", "image/png", "iVBORw0K"), media("image", "", "data:image/gif;base64,R0lG")
    ('[image image/png 6 bytes]', '[image image/gif 3 bytes]')
    >>> media("file", None, "https://example.com/a.pdf?sig=x")
    '[file https://example.com/a.pdf]'
    """
    held: str | bytes = found
    if found.startswith("data:"):
        head, comma, data = found[5:].partition(",")
        form = head.partition(";")[0] or form
        if not comma:
            return sized(kind, form, None)  # it was cut
        is_base64 = head.endswith(";base64")
        size = base64_size(data) if is_base64 else len(data)
        held = data if is_base64 else data.encode("utf-8", "surrogatepass")
    elif "://" in found[:16]:
        return f"[{kind} {found.partition('?')[0].partition('#')[0]}]"
    else:
        size = base64_size(found)
    return sized(kind, form, size, held)


def sized(kind: str, form: Any, size: int | None, *held: str | bytes) -> str:
    """What stands in a text for media of so many bytes; None where that is unknown. It carries what
    is `held` of them: all of them, in base64 or as bytes, or nothing.

    >>> sized("audio", "audio/mpeg", 9), sized("image", "", None)
    ('[audio audio/mpeg 9 bytes]', '[image]')
    """
    said = form if isinstance(form, str) else ""
    words = (kind, said, "" if size is None else f"{size} bytes")
    text = f"[{' '.join(filter(None, words))}]"
    if not size or not all(held):
        return text
    known = said if "/" in said else "/".join(filter(None, (kind, said)))
    return WithMedia.of(text, (Media(known, held),)) if held else text


def base64_size(data: str) -> int:
    """Bytes that base64 text stands for.

    >>> base64_size("aGVsbG8="), base64_size("aGVsbG8"), base64_size("")
    (5, 5, 0)
    """
    return len(data) * 3 // 4 - data[-2:].count("=")


def tool_calls(given: Any, *more: Any) -> list[tuple[Any, Any]]:
    """Return the (name, arguments) of a message's `tool_calls`, and of `more` functions.

    >>> tool_calls([{"function": {"name": "find", "arguments": "{}"}}, 1], {"name": "old"}, None)
    [('find', '{}'), ('old', None)]
    """
    calls = given if isinstance(given, list) else []
    functions = [one.get("function") or one.get("custom") for one in calls if isinstance(one, dict)]
    return [
        (one.get("name"), one.get("arguments", one.get("input")))
        for one in (*functions, *more)
        if isinstance(one, dict)
    ]


def tool_call(name: Any, arguments: Any) -> str:
    """A call of a tool as one JSON text; arguments that are JSON text become JSON, none are `{}`.

    >>> tool_call("find", '{"city": "Ulm"}'), tool_call("today", "")
    ('{"name":"find","arguments":{"city":"Ulm"}}', '{"name":"today","arguments":{}}')
    """
    if arguments is None or (isinstance(arguments, str) and not arguments.strip()):
        arguments = {}
    elif isinstance(arguments, str):
        with contextlib.suppress(ParseError):
            arguments = bodies.document(arguments.encode("utf-8", "replace"))
    return bodies.dump({"name": name, "arguments": arguments})


def deployment(path: str) -> str:
    """The model in a path of Azure's; empty in others.

    >>> deployment("/openai/deployments/gpt-4o-eu/chat/completions"), deployment("/v1/completions")
    ('gpt-4o-eu', '')
    """
    match = _DEPLOYMENT.search(path)
    return match[1] if match else ""


def offered(*given: Any) -> dict[str, Any]:
    """The tools that a request offers: the JSON Schemas of their arguments, by name.

    >>> offered([{"type": "function", "function": {"name": "find", "parameters": {}}}])
    {'find': {}}
    >>> offered([{"name": "find", "input_schema": {}}, {"type": "web_search"}, 1], None)
    {'find': {}}
    """
    found: dict[str, Any] = {}
    if not any(given):
        return found
    for one in (one for tools in given if isinstance(tools, list) for one in tools):
        tool = one.get("function") or one.get("custom") or one if isinstance(one, dict) else {}
        if isinstance(tool, dict) and isinstance(name := tool.get("name"), str):
            found[name] = tool.get("parameters", tool.get("input_schema"))
    return found


def wanted(form: Any) -> dict[str, Any]:
    """`wants_json` and `schema` of an Inference, as OpenAI's way to ask for JSON says them.

    >>> wanted({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}})
    {'wants_json': True, 'schema': {'type': 'object'}}
    >>> wanted({"type": "json_object"}), wanted({"type": "text"}), wanted(None)
    ({'wants_json': True}, {}, {})
    >>> wanted({"type": "json", "value": {"type": "array"}})
    {'wants_json': True, 'schema': {'type': 'array'}}
    """
    kind = form.get("type") if isinstance(form, dict) else None
    if kind not in ("json_object", "json_schema", "json"):
        return {}
    named = form.get("json_schema", form)
    schema = named.get("schema", named.get("value")) if isinstance(named, dict) else None
    return {"wants_json": True} | ({"schema": schema} if isinstance(schema, dict) else {})


def error_part(body: bytes) -> list[Part]:
    """The parts of a body that is an error, or that its protocol could not read."""
    found = bodies.text(body)
    return [Part(role="error", text=found)] if found else []


def is_error(document: Any) -> bool:
    """Whether a JSON object says that it is an error, in one of the ways that answers with the
    status 200 do.

    >>> is_error({"error": {"message": "overloaded"}}), is_error({"type": "error"})
    (True, True)
    >>> is_error({"error": None, "choices": []}), is_error({"object": "list"}), is_error([])
    (False, False, False)
    """
    if not isinstance(document, dict):
        return False
    return bool(document.get("error")) or "error" in (document.get("type"), document.get("object"))


def says_error(body: bytes) -> bool:
    """Whether a body is a JSON object that says that it is an error."""
    if b"error" not in body:
        return False
    try:
        return is_error(bodies.document(body))
    except ParseError:
        return False


def is_throttle(body: bytes) -> bool:
    """Whether an error inside an answer says that too much was asked at once.

    >>> is_throttle(b'{"type": "error", "error": {"type": "rate_limit_error", "message": "Wait"}}')
    True
    >>> is_throttle(b'{"error": {"code": 503, "status": "UNAVAILABLE"}}'), is_throttle(b"429")
    (False, False)
    """
    try:
        document = bodies.document(body)
    except ParseError:
        return False
    outer = document if isinstance(document, dict) else {}
    inner = outer.get("response")
    said = (outer, outer.get("error"), inner.get("error") if isinstance(inner, dict) else None)
    return any(
        str(one.get(name)).lower() in _THROTTLES
        for one in said
        if isinstance(one, dict)
        for name in ("type", "code", "status")
    )


def is_success(call: Call) -> bool:
    """Whether HTTP says that all went well."""
    return call.status is not None and 200 <= call.status < 300


def arrival(call: Call, offset: int) -> float | None:
    """Seconds from the start of the exchange until the first `offset` bytes of the response had
    come; None where the proxy kept no times."""
    arrivals = call.arrivals
    if not arrivals:
        return None
    index = bisect_left(arrivals, offset, key=lambda one: one[1])
    return arrivals[min(index, len(arrivals) - 1)][0]
