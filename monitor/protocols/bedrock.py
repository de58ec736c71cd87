"""Call → Inference for Amazon Bedrock: Converse, and the bodies of a model's own family.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from monitor import bodies
from monitor.carriers import envelopes
from monitor.carriers.envelopes import Envelope
from monitor.counts import count
from monitor.framings import aws_eventstream
from monitor.types import Call, Inference, Tokens

_CONVERSE = ("converse", "converse-stream")
_INVOKE = ("invoke", "invoke-with-response-stream")
_VERBS = (*_CONVERSE, *_INVOKE, "count-tokens")
_PROMPT = re.compile(r":prompt/([^/:]+)(?::([^/:]+))?$")
_METRICS = b'"amazon-bedrock-invocationMetrics"'
_HEADER = "x-amzn-bedrock-"
_NOVA = (b'"inferenceConfig"', b'"schemaVersion"', b'"toolConfig"')
_CHAT, _MESSAGES = "/v1/chat/completions", "/v1/messages"


def claims(call: Call) -> bool:
    """POSTs to `…/model/ID/converse`, `/invoke`, their streams and `/count-tokens`."""
    return call.method == "POST" and _target(call.path) is not None


def _target(path: str) -> tuple[str, str] | None:
    """The (model, verb) of a path; None for others' paths.

    >>> _target("/model/arn%3Aaws%3Abedrock%3Aeu%3A1%3Ainference-profile%2Feu.nova/converse")
    ('arn:aws:bedrock:eu:1:inference-profile/eu.nova', 'converse')
    """
    above, _, verb = path.rstrip("/").rpartition("/")
    if verb not in _VERBS:
        return None
    model = unquote(above.partition("/model/")[2])
    return (model, verb) if model else None


def opened(call: Call) -> Call:
    """Converse's messages are one text part each. Other bodies are those of the model's family
    (Anthropic, OpenAI, Nova, Llama, Titan, Mistral, Cohere …), and read as that family's.

    The model is the path's, as an id, a profile or an ARN; behind a router the one that was asked.
    A stored prompt (`prompt`) is named by its ARN. Tokens from a cache, and those written to one,
    are counted beside the others.
    """
    model, verb = _target(call.path) or ("", "converse")
    path = _inner_path(call.request_body, model, verb)
    if not aws_eventstream.is_stream(call.response_headers):
        return call if path == call.path else msgspec.structs.replace(call, path=path)
    take = _chunk if verb in _INVOKE else _event
    pieces = ((take(one), one.end) for one in _intact(call))
    return envelopes.unwrapped(call, path, envelopes.EVENTS, pieces)


def _inner_path(body: bytes, model: str, verb: str) -> str:
    """A path that the reader of this body claims."""
    if verb not in _INVOKE:
        return "/" + verb
    if b'"anthropic_version"' in body:
        return _MESSAGES
    if b'"messages"' in body:
        is_nova = "nova" in model or any(name in body for name in _NOVA)
        return "/converse" if is_nova else _CHAT
    return "/v1/rerank" if b'"query"' in body and b'"documents"' in body else "/invoke"


def _intact(call: Call) -> Iterator[aws_eventstream.Message]:
    return (one for one in aws_eventstream.messages(call.response_body) if one.is_intact)


def _event(message: aws_eventstream.Message) -> bytes:
    """An event of Converse, under its name as Nova writes it; nothing of an error."""
    name = message.headers.get(":event-type")
    if not isinstance(name, str) or not message.payload:
        return b""
    return envelopes.event(b"{" + bodies.dump(name).encode() + b":" + message.payload + b"}")


def _chunk(message: aws_eventstream.Message) -> bytes:
    """The family's event in base64; nothing of an error."""
    given = envelopes.members(message.payload).get("bytes")
    if message.headers.get(":event-type") != "chunk" or not isinstance(given, str):
        return b""
    try:
        return envelopes.event(base64.b64decode(given))
    except (binascii.Error, ValueError):
        return b""


def closed(call: Call, found: Inference) -> Inference:
    """What was read, under Bedrock's name and the path's model, with what the headers say."""
    model, verb = _target(call.path) or ("", "")
    prompt = _PROMPT.search(model)
    is_routed = verb in _CONVERSE and found.model not in ("", model)
    headers = call.response_headers
    found = msgspec.structs.replace(
        found,
        protocol="bedrock",
        model=found.model if is_routed else model,
        requested_model=model if is_routed else "",
        tokens=found.tokens or _counted(call),
        service_tier=headers.get(f"{_HEADER}service-tier") or found.service_tier,
        response_id=found.response_id or headers.get("x-amzn-requestid", ""),
        prompt="@".join(filter(None, prompt.groups())) if prompt else found.prompt,
    )
    return envelopes.failed(call, found)


PROTOCOL = Envelope("bedrock", claims, opened, closed)


def _counted(call: Call) -> Tokens | None:
    """What Bedrock itself counted: in the last chunk of a stream, else in the headers."""
    said: dict[str, Any] = {}
    for message in _intact(call) if aws_eventstream.is_stream(call.response_headers) else ():
        chunk = _chunk(message)
        if _METRICS in chunk:
            metrics = envelopes.members(chunk.removeprefix(b"data: ")).get(_METRICS[1:-1].decode())
            said = metrics if isinstance(metrics, dict) else {}
    read, written, cached, cache_write = (
        count(said.get(_camel(kind), call.response_headers.get(f"{_HEADER}{kind}-token-count")))
        for kind in ("input", "output", "cache-read-input", "cache-write-input")
    )
    if read is None and written is None:
        return None
    if read is not None:
        read += (cached or 0) + (cache_write or 0)
    return Tokens(read, written, cached=cached, cache_write=cache_write)


def _camel(kind: str) -> str:
    """
    >>> _camel("cache-read-input")
    'cacheReadInputTokenCount'
    """
    first, *others = kind.split("-")
    return first + "".join(map(str.capitalize, others)) + "TokenCount"
