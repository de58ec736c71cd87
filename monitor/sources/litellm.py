"""LiteLLM's spend logs (`LiteLLM_SpendLogs`), as JSON or CSV → exchanges.

Times without an offset are UTC. A failed row ends when it starts, so its latency is not known; a
hit of the cache is no call of a model and no row here. Where `messages` are empty the request that
the proxy was sent is read.
https://docs.litellm.ai/docs/proxy/spend_logs_deletion
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import packing
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, named, positive, span, tokens
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_OURS = {"request_id", "call_type", "startTime", "endTime"}
_TARGETS = {
    "completion": chats.CHAT, "text_completion": chats.COMPLETION, "embedding": chats.EMBEDDINGS,
    "responses": chats.RESPONSES, "anthropic_messages": chats.MESSAGES,
    "generate_content": "", "rerank": "/v1/rerank", "moderation": "/v1/moderations",
    "image_generation": "/v1/images/generations", "transcription": "/v1/audio/transcriptions",
    "speech": "/v1/audio/speech",
}  # fmt: skip
"""By `call_type` without the `a` of those that were awaited."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row has the names of a spend log."""
    return heads.item(head).keys() >= _OURS


def read(row: bytes) -> list[Logged]:
    """The exchanges of a row, or of a page of them as the proxy answers."""
    return [found for one in heads.items(_decode(row)) for found in _request_of(one)]


def _request_of(said: Any) -> list[Logged]:
    """One exchange; none for a hit of the cache."""
    if not isinstance(said, dict) or not said.keys() >= {"request_id", "startTime"}:
        raise ParseError("has no request_id and startTime")
    if str(said.get("cache_hit")).lower() == "true":
        return []
    metadata = chats.usage(said.get("metadata"))
    kind = name(said.get("call_type"))
    kind = kind.removeprefix("a") if kind.removeprefix("a") in _TARGETS else kind
    target = _TARGETS.get(kind, "" if kind else chats.CHAT)
    has_failed = said.get("status") == "failure" or metadata.get("status") == "failure"
    model, status = name(said.get("model")), _status(metadata) if has_failed else 200
    started, ended = moment(said.get("startTime")), moment(said.get("endTime"))
    duration = None if has_failed else span(started, ended)
    if not has_failed and duration is None:
        duration = positive(said.get("request_duration_ms"), 1000)
    # Streams of Anthropic's own API are logged as beginning with their first token.
    is_late = kind == "anthropic_messages"
    first = None if is_late else span(started, moment(said.get("completionStartTime")))
    is_streamed = first is not None and duration is not None and first < duration
    usage = chats.usage(metadata.get("usage_object") or metadata.get("additional_usage_values"))
    return [
        Logged(
            started=started,
            duration=None if is_late else duration,
            first_token=first if is_streamed else None,
            streamed=is_streamed,
            outcome=Outcome.SERVER_ERROR if has_failed and status is None else None,
            status=status,
            target=target,
            request=_request(said, model),
            response=_response(said, metadata, has_failed=has_failed),
            operation=kind,
            model=model,
            tokens=None if has_failed else _tokens(said, usage),
            cost=None if has_failed else positive(said.get("spend")),
            segments=named(
                team_id=said.get("team_id"), user=said.get("user"), end_user=said.get("end_user"),
                model_group=said.get("model_group"), provider=said.get("custom_llm_provider"),
                organization_id=said.get("organization_id"), agent_id=said.get("agent_id"),
                session_id=said.get("session_id"), tag=_tag(said.get("request_tags")),
            ),
            id=name(said.get("request_id")),
        )
    ]  # fmt: skip


def _request(said: dict[str, Any], model: str) -> bytes:
    messages = chats.parsed(said.get("messages"))
    sent = chats.parsed(said.get("proxy_server_request"))
    if isinstance(sent, dict) and isinstance(sent.get("body"), dict):
        sent = sent["body"]
    if isinstance(sent, dict) and sent and not messages:
        return msgspec.json.encode(sent if "model" in sent else {**sent, "model": model})
    return chats.request(messages or None, model)


def _response(said: dict[str, Any], metadata: Any, *, has_failed: bool) -> bytes:
    answer = chats.parsed(said.get("response"))
    if has_failed:
        error = metadata.get("error_information")
        message = error.get("error_message") if isinstance(error, dict) else None
        return chats.failure(answer or ({"message": message} if message else None))
    if not answer:
        return b""
    if isinstance(answer, dict) and not answer.keys() & {"role", "messages"}:
        return msgspec.json.encode(answer)
    return chats.response(answer)


def _status(metadata: Any) -> int | None:
    error = metadata.get("error_information")
    code = name(error.get("error_code")) if isinstance(error, dict) else ""
    return int(code) if code.isascii() and code.isdigit() and 400 <= int(code) < 600 else None


def _tokens(said: dict[str, Any], usage: Any) -> Any:
    details = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    read, written = (one if isinstance(one, dict) else {} for one in details)
    found = tokens(
        said.get("prompt_tokens"), said.get("completion_tokens"),
        cached=read.get("cached_tokens"), reasoning=written.get("reasoning_tokens"),
    )  # fmt: skip
    is_none = found is not None and not found.input and not found.output
    return None if is_none else found


def _tag(given: Any) -> Any:
    """The first tag that whoever asked gave; those of user agents LiteLLM gives itself."""
    given = chats.parsed(given)
    own = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
    return next((one for one in own if not one.startswith(("User-Agent:", "Credential:"))), None)


SOURCE = Source(
    "litellm", packing.named(".jsonl", ".ndjson", ".json", ".csv"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
