"""Inputs and outputs as logs keep them → the bodies of a chat completion, which OpenAI's protocol
reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor import bodies

CHAT, COMPLETION, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
RESPONSES, MESSAGES = "/v1/responses", "/v1/messages"
"""Targets of the exchanges whose bodies these are."""

_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
_encode = msgspec.json.Encoder().encode


def target(request: Any) -> str:
    """The target of a request with this body, by the names in it.

    >>> target({"messages": []}), target({"prompt": "a"}), target({"input": "a"}), target([1])
    ('/v1/chat/completions', '/v1/completions', '/v1/embeddings', '/v1/chat/completions')
    """
    if not isinstance(request, dict) or "messages" in request:
        return CHAT
    if "prompt" in request:
        return COMPLETION
    if "input" not in request:
        return CHAT
    is_response = {"instructions", "tools", "text", "reasoning", "max_output_tokens", "store"}
    is_list = isinstance(request["input"], list) and any(
        isinstance(one, dict) for one in request["input"]
    )
    return RESPONSES if is_list or request.keys() & is_response else EMBEDDINGS


def request(given: Any, model: str = "", parameters: Any = None) -> bytes:
    """The body of a request that gave a model this: messages, one message, a text, or anything.

    >>> request([{"role": "user", "content": "Hi"}], "m")
    b'{"messages":[{"role":"user","content":"Hi"}],"model":"m"}'
    >>> request("Hi"), request(None)
    (b'{"messages":[{"role":"user","content":"Hi"}]}', b'')
    """
    given = parsed(given)
    if given is None or given == "":
        return b""
    body: dict[str, Any] = {}
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        body |= {
            key: given[key] for key in ("tools", "functions", "response_format") if key in given
        }
        given = given["messages"]
    elif (
        isinstance(given, dict) and len(given) == 1 and isinstance(given.get("prompt"), str | list)
    ):
        given = given["prompt"]
    body["messages"] = _messages(given, "user")
    if isinstance(parameters, dict):
        known = ("tools", "functions", "response_format", "n")
        body |= {key: parameters[key] for key in known if key in parameters}
    if model:
        body["model"] = model
    return _encode(body)


def response(given: Any, model: str = "", finish_reason: Any = None) -> bytes:
    """The body of an answer that said this: a whole completion, messages, a text, or anything.

    >>> response({"role": "assistant", "content": "Yes"}, "m")
    b'{"choices":[{"index":0,"message":{"role":"assistant","content":"Yes"}}],"model":"m"}'
    >>> response(None)
    b''
    """
    given = parsed(given)
    if given is None or given == "":
        return b""
    if isinstance(given, dict) and isinstance(given.get("choices"), list):
        return _encode(given)
    if isinstance(given, dict) and isinstance(given.get("messages"), list):
        given = given["messages"]
    found = _messages(given, "assistant")
    choices: list[dict[str, Any]] = [
        {"index": place, "message": message} for place, message in enumerate(found)
    ]
    if isinstance(finish_reason, str) and finish_reason:
        for choice in choices:
            choice["finish_reason"] = finish_reason
    return _encode({"choices": choices, **({"model": model} if model else {})})


def failure(said: Any) -> bytes:
    """The body of an answer that is an error."""
    said = parsed(said)
    if isinstance(said, dict) and "error" in said:
        return _encode(said)
    return _encode({"error": said if isinstance(said, dict) else {"message": said or "error"}})


def parsed(value: Any) -> Any:
    """A value, or what it holds as JSON where it is a text of an object or a list.

    >>> parsed('{"a": 1}'), parsed("{a"), parsed("1")
    ({'a': 1}, '{a', '1')
    """
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        found = bodies.parsed(value)
        return value if found is None else found
    return value


def usage(given: Any) -> Mapping[str, Any]:
    """An object that counts tokens; empty where there is none."""
    given = parsed(given)
    return given if isinstance(given, dict) else {}


def _messages(given: Any, role: str) -> list[dict[str, Any]]:
    if isinstance(given, list) and given and all(isinstance(one, dict) for one in given):
        if all("role" in one or ("type" in one and "parts" not in one) for one in given):
            is_content = not any("role" in one for one in given)
            return [{"role": role, "content": given}] if is_content else list(map(_message, given))
        return [_message({"role": role, **one}) for one in given]
    if isinstance(given, dict) and given.keys() & {"role", "content", "tool_calls", "parts"}:
        return [_message({"role": role, **given})]
    if isinstance(given, list) and given and all(isinstance(one, str) for one in given):
        return [{"role": role, "content": one} for one in given]
    text = given if isinstance(given, str) else bodies.dump(given)
    return [{"role": role, "content": text}]


def _message(given: dict[str, Any]) -> dict[str, Any]:
    """A message in OpenAI's form: OpenTelemetry has `parts` in it."""
    said = given.get("role")
    role = _ROLES.get(said, said) if isinstance(said, str) else "user"
    parts = given.get("parts")
    if not isinstance(parts, list):
        return given if role == said else {**given, "role": role}
    content: list[Any] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("content", part.get("text")) if isinstance(part, dict) else part
        if kind == "tool_call":
            calls.append(
                {"id": part.get("id"), "type": "function",
                 "function": {"name": part.get("name"), "arguments": part.get("arguments")}}
            )  # fmt: skip
        elif kind == "reasoning" and isinstance(text, str):
            thoughts.append(text)
        elif kind == "tool_call_response":
            found = part.get("response", part.get("result", text))
            content.append(found if isinstance(found, str) else bodies.dump(found))
        elif text is not None:
            content.append(text if isinstance(text, str) else bodies.dump(text))
        else:
            content.append(part)
    message: dict[str, Any] = {"role": role, "content": _content(content)}
    if thoughts:
        message["reasoning_content"] = "\n".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _content(found: list[Any]) -> Any:
    if all(isinstance(one, str) for one in found):
        return "\n".join(found)
    return [{"type": "text", "text": one} if isinstance(one, str) else one for one in found]
