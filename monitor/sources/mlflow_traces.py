"""MLflow's traces (`trace.to_json()`, one a line or in a list) → exchanges.

Attributes are JSON texts in JSON. Only spans that call a model are exchanges, by their type or by
the model that they name; previews of requests are cut, so they are not read.
https://mlflow.org/docs/latest/genai/tracing/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor import packing
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, named, number, positive, span, tokens
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome, Tokens

_CALLS = {"LLM": chats.CHAT, "CHAT_MODEL": chats.CHAT, "EMBEDDING": chats.EMBEDDINGS}
_NANO = 1e9
_TAGGED = 16
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row has the two halves of a trace."""
    row = heads.first(head)
    info, data = row.get("info"), row.get("data")
    names = set(info) if isinstance(info, dict) else set()
    is_known = bool(names & {"trace_id", "request_id"}) and bool(
        names & {"trace_location", "request_time", "timestamp_ms", "experiment_id"}
    )
    return is_known and "data" in row and (data is None or "spans" in data)


def read(row: bytes) -> list[Logged]:
    """The exchanges of a trace, one for each span that called a model; raises ParseError."""
    said = _decode(row)
    info, data = said.get("info"), said.get("data")
    spans = data.get("spans") if isinstance(data, dict) else None
    if not isinstance(info, dict) or not isinstance(spans, list):
        raise ParseError("has no info and data.spans")
    tags = info.get("tags")
    tags = tags if isinstance(tags, dict) else {}
    metadata = info.get("trace_metadata", info.get("request_metadata"))
    metadata = metadata if isinstance(metadata, dict) else {}
    own = [(key, tags[key]) for key in tags if not key.startswith("mlflow.")][:_TAGGED]
    segments = named(
        trace_name=tags.get("mlflow.traceName"), user=metadata.get("mlflow.trace.user"),
        session=metadata.get("mlflow.trace.session"), **{name(key): value for key, value in own},
    )  # fmt: skip
    trace = name(info.get("trace_id", info.get("request_id"))).removeprefix("tr-")
    trace = trace if len(trace) == 32 else ""
    found = [_exchange(one, segments, trace) for one in spans if isinstance(one, dict)]
    return [one for one in found if one is not None]


def _exchange(one: Mapping[str, Any], segments: Mapping[str, str], trace_id: str) -> Logged | None:
    given = one.get("attributes")
    said = {key: _decoded(value) for key, value in given.items()} if isinstance(given, dict) else {}
    kind = name(said.get("mlflow.spanType")).upper()
    if kind not in _CALLS:
        return None
    asked, answer = said.get("mlflow.spanInputs"), said.get("mlflow.spanOutputs")
    model = name(said.get("mlflow.llm.model")) or _model(answer) or _model(asked)
    status = one.get("status")
    code = status.get("code") if isinstance(status, dict) else one.get("status_code", status)
    has_failed = "ERROR" in str(code)
    message = status.get("message") if isinstance(status, dict) else one.get("status_message")
    started, ended = _time(one, "start_time"), _time(one, "end_time")
    is_body = isinstance(asked, dict) and bool(asked.keys() & {"messages", "input", "prompt"})
    target = _CALLS[kind]
    request = chats.request(asked, model)
    if is_body and isinstance(asked, dict):
        target = chats.target(asked) if kind != "EMBEDDING" else target
        request = msgspec.json.encode({"model": model, **asked} if model else asked)
    is_answer = isinstance(answer, dict) and bool(answer.keys() & {"choices", "output", "data"})
    response = msgspec.json.encode(answer) if is_answer else chats.response(answer, model)
    if has_failed and not answer:
        response = chats.failure(message)
    cost = chats.usage(said.get("mlflow.llm.cost")).get("total_cost")
    return Logged(
        started=started,
        duration=span(started, ended),
        outcome=Outcome.SERVER_ERROR if has_failed else Outcome.OK,
        target=target,
        request=request,
        response=response,
        operation="embeddings" if kind == "EMBEDDING" else "chat",
        model=model,
        tokens=_tokens(said.get("mlflow.chat.tokenUsage")),
        cost=positive(cost),
        segments={
            **segments,
            **named(name=one.get("name"), provider=said.get("mlflow.llm.provider")),
        },
        trace_id=trace_id,
        id=name(one.get("span_id")),
    )


def _decoded(value: Any) -> Any:
    """What an attribute holds as JSON; inputs that were texts hold JSON once more."""
    if not isinstance(value, str):
        return value
    try:
        found = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value
    return chats.parsed(found)


def _model(given: Any) -> str:
    return name(given.get("model")) if isinstance(given, dict) else ""


def _time(one: Mapping[str, Any], what: str) -> float | None:
    nano = number(one.get(f"{what}_unix_nano", one.get(f"{what}_ns")))
    return moment(one.get(what)) if nano is None else nano / _NANO


def _tokens(given: Any) -> Tokens | None:
    usage = chats.usage(given)
    return tokens(
        usage.get("input_tokens"), usage.get("output_tokens"),
        cached=usage.get("cache_read_input_tokens"),
        cache_write=usage.get("cache_creation_input_tokens"),
    )  # fmt: skip


SOURCE = Source(
    "mlflow_traces", packing.named(".jsonl", ".ndjson", ".json"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
