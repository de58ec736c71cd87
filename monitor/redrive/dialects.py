"""Parts of a Record → the body of the request that they were read from, one function a dialect.

What of a request a Record does not hold is not made up: `Left` says why there is no body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from monitor.types import Part, Record

Body = dict[str, Any]


class Left(Exception):  # noqa: N818  no failure: a Record that cannot be sent again
    """Why a Record is left out: one of `requests.REASONS`."""


SPEAKERS = ("system", "developer", "user", "assistant", "model")
"""Whose messages can be sent again; those of tools belong to calls that are not recorded."""


def texts(parts: Sequence[Part]) -> list[str]:
    """The texts of parts that have nothing else; raises Left for others."""
    if not parts or any(part.text is None for part in parts):
        raise Left("dialect")
    return [part.text or "" for part in parts]


def _messages(parts: Sequence[Part]) -> list[dict[str, Any]]:
    said = texts(parts)
    if any(part.role not in SPEAKERS for part in parts):
        raise Left("tools" if any(part.role in ("tool", "function") for part in parts) else "role")
    return [{"role": part.role, "content": text} for part, text in zip(parts, said, strict=True)]


def _led(parts: Sequence[Part]) -> tuple[str, Sequence[Part]]:
    """The instructions that stand first, and the rest."""
    if parts and parts[0].role == "system" and parts[0].text is not None:
        return parts[0].text, parts[1:]
    return "", parts


def _one_or_all(parts: Sequence[Part]) -> Any:
    """A text, several, or the ids of tokens."""
    if len(parts) == 1 and parts[0].text is None:
        return parts[0].data
    said = texts(parts)
    return said[0] if len(said) == 1 else said


def _openai_chat(record: Record, parts: Sequence[Part]) -> Body:
    if record.operation == "chat":
        return {"messages": _messages(parts)}
    return {("input" if record.operation == "embeddings" else "prompt"): _one_or_all(parts)}


def _openai_responses(_: Record, parts: Sequence[Part]) -> Body:
    instructions, rest = _led(parts)
    asked: Any = _messages(rest)
    if len(rest) == 1 and rest[0].role == "user":
        asked = rest[0].text
    return ({"instructions": instructions} if instructions else {}) | {"input": asked}


def _moderations(_: Record, parts: Sequence[Part]) -> Body:
    return {"input": _one_or_all(parts)}


def _anthropic(record: Record, parts: Sequence[Part]) -> Body:
    system, rest = _led(parts)
    written = 0 if record.tokens is None else record.tokens.output or 0
    body: Body = {"messages": _messages(rest), "max_tokens": max(1024, 2 * written)}
    return body | ({"system": system} if system else {})


def _bedrock(record: Record, parts: Sequence[Part]) -> Body:
    """Converse, and the bodies of Anthropic's models; a stored prompt has none of its own."""
    path = unquote(record.request.path)
    if ":prompt/" in path:
        raise Left("dialect")
    if path.endswith(("/invoke", "/invoke-with-response-stream")):
        if "anthropic." not in path:
            raise Left("dialect")
        return {"anthropic_version": "bedrock-2023-05-31"} | _anthropic(record, parts)
    system, rest = _led(parts)
    said = [{"role": one["role"], "content": [{"text": one["content"]}]} for one in _messages(rest)]
    return {"messages": said} | ({"system": [{"text": system}]} if system else {})


def _gemini(record: Record, parts: Sequence[Part]) -> Body:
    system, rest = _led(parts)
    said = [{"role": one["role"], "parts": [{"text": one["content"]}]} for one in _messages(rest)]
    if record.operation == "embeddings":
        if len(said) != 1 or ":embedContent" not in record.request.path:
            raise Left("dialect")
        return {"content": {"parts": said[0]["parts"]}}
    body: Body = {"contents": said}
    return body | ({"systemInstruction": {"parts": [{"text": system}]}} if system else {})


def _ollama(record: Record, parts: Sequence[Part]) -> Body:
    path = record.request.path
    if "/chat" in path:
        return {"messages": _messages(parts)}
    if "/embed" in path:
        return {"input": _one_or_all(parts)}
    system, rest = _led(parts)
    (prompt,) = texts(rest) if len(rest) == 1 else ("",)
    return {"prompt": prompt} | ({"system": system} if system else {})


def _cohere(record: Record, parts: Sequence[Part]) -> Body:
    path = record.request.path
    if "/embed" in path:
        return {"texts": texts(parts)}
    if "/v2/" in path:
        return {"messages": _messages(parts)}
    preamble, rest = _led(parts)
    *before, last = _messages(rest) or [{"role": "", "content": ""}]
    if "/generate" in path:
        return {"prompt": last["content"]}
    speakers = {"user": "USER", "assistant": "CHATBOT", "system": "SYSTEM"}
    history = [
        {"role": speakers.get(one["role"], "USER"), "message": one["content"]} for one in before
    ]
    body: Body = {"message": last["content"], "chat_history": history}
    return body | ({"preamble": preamble} if preamble else {})


def _tgi(_: Record, parts: Sequence[Part]) -> Body:
    (text,) = texts(parts) if len(parts) == 1 else ("",)
    return {"inputs": text, "parameters": {}}


def _llama_cpp(record: Record, parts: Sequence[Part]) -> Body:
    if "/infill" in record.request.path:
        raise Left("dialect")
    return {"prompt": _one_or_all(parts)}


def _triton(_: Record, parts: Sequence[Part]) -> Body:
    body: Body = {}
    for part in parts:
        if part.text is not None:
            body["text_input"] = part.text
        elif part.shape == [1] and part.data:
            _put(body, part.name or "", part.data[0])
        else:
            raise Left("dialect")
    return body


def _rerank(record: Record, parts: Sequence[Part]) -> Body:
    queries = texts([part for part in parts if part.role == "user"])
    documents = texts([part for part in parts if part.role == "document"])
    name = "documents" if record.model else "texts"  # who names no model is TEI
    return {"query": queries[0], name: documents}


def _kserve_v2(_: Record, parts: Sequence[Part]) -> Body:
    if any(part.data is None or part.datatype in ("FP16", "BF16") for part in parts):
        raise Left("dialect")  # JSON has no halves
    return {
        "inputs": [
            {"name": part.name, "shape": part.shape, "datatype": part.datatype, "data": part.data}
            for part in parts
        ]
    }


def _put(body: Body, path: str, value: Any) -> None:
    """Set a member at a path of names with dots between them."""
    *above, name = path.split(".")
    for one in above:
        body = body.setdefault(one, {})
        if not isinstance(body, dict):
            raise Left("dialect")
    body[name] = value


BODIES: Mapping[str, Callable[[Record, Sequence[Part]], Body]] = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "openai_moderations": _moderations,
    "anthropic_messages": _anthropic,
    "bedrock": _bedrock,
    "gemini": _gemini,
    "ollama": _ollama,
    "cohere": _cohere,
    "tgi": _tgi,
    "llama_cpp": _llama_cpp,
    "triton_generate": _triton,
    "rerank": _rerank,
    "kserve_v2": _kserve_v2,
}
"""The dialects whose requests follow from their Parts."""

NAMES_MODEL = frozenset(
    ("openai_chat", "openai_responses", "openai_moderations", "anthropic_messages", "ollama",
     "cohere", "rerank")
)  # fmt: skip
"""Those whose body names the model."""


def asked(body: Body, parameters: Mapping[str, Any]) -> Body:
    """Return a body with the parameters of its request."""
    for path, value in parameters.items():
        _put(body, path, value)
    return body
