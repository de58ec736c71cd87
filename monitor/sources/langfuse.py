"""Langfuse's observations, as its API and its exports give them (JSON, JSONL, CSV) → exchanges.

Only a GENERATION is a call of a model; spans, events and the rest are none. `total` among counts
and costs is the sum of the others. `level: ERROR` says that a call failed.
https://langfuse.com/docs/api-and-data-platform/features/observations-api
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, named, number, positive, span, tokens
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome, Tokens

_CALL = "GENERATION"
_CACHED = ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "cached_tokens")
_WRITTEN = ("input_cache_creation", "cache_creation_input_tokens")
_REASONED = ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens")
_NAMES = {
    "trace_id": "traceId", "start_time": "startTime", "end_time": "endTime",
    "completion_start_time": "completionStartTime", "status_message": "statusMessage",
    "provided_model_name": "providedModelName", "model_parameters": "modelParameters",
    "usage_details": "usageDetails", "cost_details": "costDetails", "total_cost": "totalCost",
    "prompt_name": "promptName", "prompt_version": "promptVersion", "user_id": "userId",
    "session_id": "sessionId", "trace_name": "traceName",
}  # fmt: skip
"""What exports to files call what the API calls so."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row is an observation, or holds a page of them."""
    names = {_NAMES.get(one, one) for one in heads.item(head)}
    return names >= {"id", "type", "startTime"} and bool(names & {"traceId", "parentObservationId"})


def read(row: bytes) -> list[Logged]:
    """The exchanges of an observation, or of a page of them as the API answers."""
    return [found for one in heads.items(_decode(row)) for found in _observation(one)]


def _observation(given: Any) -> list[Logged]:
    if not isinstance(given, dict):
        raise ParseError("holds something that is no observation")
    said: dict[str, Any] = {_NAMES.get(str(key), str(key)): one for key, one in given.items()}
    kind = said.get("type")
    if not isinstance(kind, str) or "startTime" not in said:
        raise ParseError("has no type and startTime")
    if kind != _CALL:
        return []
    model = name(said.get("providedModelName")) or name(said.get("model"))
    started = moment(said.get("startTime"))
    duration = span(started, moment(said.get("endTime")))
    first = span(started, moment(said.get("completionStartTime")))
    has_failed = said.get("level") == "ERROR"
    answer = said.get("output")
    parameters = chats.usage(said.get("modelParameters"))
    response = chats.response(answer, model)
    if has_failed and not answer:
        response = chats.failure(said.get("statusMessage"))
    tags = chats.parsed(said.get("tags"))
    return [
        Logged(
            started=started,
            duration=duration,
            first_token=first,
            streamed=first is not None,
            outcome=Outcome.SERVER_ERROR if has_failed else Outcome.OK,
            target=chats.CHAT,
            request=chats.request(said.get("input"), model, parameters),
            response=response,
            operation="chat",
            model=model,
            tokens=_tokens(said),
            cost=_cost(said),
            segments=named(
                environment=said.get("environment"), name=said.get("name"),
                prompt_name=said.get("promptName"), prompt_version=said.get("promptVersion"),
                version=said.get("version"), release=said.get("release"),
                user=said.get("userId"), session=said.get("sessionId"),
                trace_name=said.get("traceName"),
                tag=tags[0] if isinstance(tags, list) and tags else None,
            ),
            trace_id=_trace(said.get("traceId")),
            id=name(said.get("id")),
        )
    ]  # fmt: skip


def _tokens(said: Mapping[str, Any]) -> Tokens | None:
    """Counts by name; those of a cache may stand beside the others or in them, as `input_…`."""
    given = chats.usage(said.get("usageDetails")) or chats.usage(said.get("usage"))
    cached, written = _pick(given, _CACHED), _pick(given, _WRITTEN)
    read, out = given.get("input", given.get("promptTokens")), given.get("output")
    read = said.get("inputUsage", said.get("promptTokens")) if read is None else read
    out = given.get("completionTokens") if out is None else out
    out = said.get("outputUsage", said.get("completionTokens")) if out is None else out
    reasoned = _pick(given, _REASONED)
    found = tokens(read, out, cached=cached, cache_write=written, reasoning=reasoned)
    if found is None:
        return None
    read, out = found.input or 0, found.output or 0
    # Langfuse keeps parts beside the rest, unless the total says that they are in it.
    if count(given.get("total")) != read + out:
        read += (found.cached or 0) + (found.cache_write or 0)
        out += found.reasoning or 0
    return msgspec.structs.replace(
        found,
        input=None if found.input is None else read,
        output=None if found.output is None else out,
    )


def _pick(given: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((given[one] for one in names if one in given), None)


def _cost(said: Mapping[str, Any]) -> float | None:
    details = chats.usage(said.get("costDetails"))
    if "total" in details:
        return positive(details["total"])
    parts = [one for one in map(number, details.values()) if one is not None]
    return positive(sum(parts)) if parts else positive(said.get("totalCost"))


def _trace(given: Any) -> str:
    found = name(given).replace("-", "").lower()
    is_hex = len(found) == 32 and not set(found) - set("0123456789abcdef")
    return found if is_hex and found.strip("0") else ""


SOURCE = Source(
    "langfuse", packing.named(".jsonl", ".ndjson", ".json", ".csv"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
