"""Helicone's requests, as its API and its exports give them (JSON, JSONL, CSV) → exchanges.

Bodies are there only where they were asked for. What stands behind `signed_body_url` is never
fetched. A hit of the cache is no call of a model.
https://docs.helicone.ai/rest/request/post-v1requestquery
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, named, positive, span, tokens
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

_OURS = {"request_id", "request_created_at"}
_NONE = {"00000000-0000-0000-0000-000000000000"}
_NAMED = 32
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row is a request, or holds a page of them."""
    row = heads.item(head)
    return row.keys() >= _OURS and bool(row.keys() & {"response_id", "response_status"})


def read(row: bytes) -> list[Logged]:
    """The exchanges of a request, or of a page of them as the API answers."""
    return [found for one in heads.items(_decode(row)) for found in _request(one)]


def _request(said: Any) -> list[Logged]:
    if not isinstance(said, dict) or not said.keys() >= _OURS:
        raise ParseError("has no request_id and request_created_at")
    hit = name(said.get("cache_reference_id"))
    if hit and hit not in _NONE:
        return []
    asked, answer = chats.parsed(said.get("request_body")), chats.parsed(said.get("response_body"))
    status = count(said.get("response_status"))
    status = status if status is not None and 100 <= status < 600 else None
    started, ended = moment(said.get("request_created_at")), moment(said.get("response_created_at"))
    duration = positive(said.get("delay_ms"), 1000) or span(started, ended)
    first = positive(said.get("time_to_first_token"), 1000)
    names = ("model_override", "response_model", "request_model", "model")
    model = next((found for one in names if (found := name(said.get(one)))), "")
    # A status below 0 is Helicone's own word for an exchange that had none.
    is_gone = status is None and "response_status" in said and said["response_status"] is not None
    return [
        Logged(
            started=started,
            duration=duration,
            first_token=first,
            streamed=first is not None,
            status=status,
            outcome=Outcome.UPSTREAM_BROKEN if is_gone else None,
            target=_target(said, asked),
            request=_body(asked),
            response=_body(answer),
            model=model,
            tokens=tokens(
                said.get("prompt_tokens"), said.get("completion_tokens"),
                cached=said.get("prompt_cache_read_tokens"),
                cache_write=said.get("prompt_cache_write_tokens"),
                reasoning=said.get("reasoning_tokens"),
            ),
            cost=positive(said.get("costUSD", said.get("cost"))),
            segments=_segments(said),
            id=name(said.get("request_id")),
        )
    ]  # fmt: skip


def _target(said: Mapping[str, Any], asked: Any) -> str:
    """The path that was asked for; of a whole URL nothing else tells whose API it is."""
    for one in (said.get("request_path"), said.get("target_url")):
        if isinstance(one, str) and one.strip():
            rest = one.partition("://")[2] or one
            path = rest if rest.startswith("/") else "/" + rest.partition("/")[2]
            if path != "/":
                return path
    return chats.target(asked)


def _body(given: Any) -> bytes:
    """A body; empty where it is not there, or replaced by words that say so."""
    if not isinstance(given, dict | list) or not given:
        return b""
    return msgspec.json.encode(given)


def _segments(said: Mapping[str, Any]) -> dict[str, str]:
    own = chats.usage(said.get("request_properties"))
    properties = {name(key): value for key, value in list(own.items())[:_NAMED] if name(key)}
    return named(**{
        **properties, "provider": said.get("provider"), "user": said.get("request_user_id"),
        "prompt": said.get("prompt_id"), "prompt_version": said.get("prompt_version"),
        "country": said.get("country_code"),
    })  # fmt: skip


SOURCE = Source(
    "helicone", packing.named(".jsonl", ".ndjson", ".json", ".csv"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
