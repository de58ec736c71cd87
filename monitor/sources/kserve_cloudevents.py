"""What KServe's logger sends (CloudEvents) and a sink kept, a line each → exchanges.

A request and its response are two events with one id, in any order. An event is kept in structured
mode (its attributes beside `data` or `data_base64`), or as it came over HTTP: `headers` with `ce-…`
and a `body`. KServe sends responses of status 200 alone, unless its version names a `statuscode`.
"""

from __future__ import annotations

import base64
import binascii
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from monitor import packing
from monitor.counts import count
from monitor.damage import Damage
from monitor.errors import ParseError
from monitor.foreign import chats, documents, heads
from monitor.foreign.fields import moment, name, named, span
from monitor.interfaces import Head, Source
from monitor.logged import Logged
from monitor.types import Outcome

REQUEST = "org.kubeflow.serving.inference.request"
RESPONSE = "org.kubeflow.serving.inference.response"
WAITING, WAITING_BYTES = 10_000, 64 << 20
"""Events, and bytes of them, that wait for their partner at a time; the oldest waits no longer."""

_decode = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.encode


class _Event(NamedTuple):
    place: str
    is_request: bool
    at: float | None
    body: bytes
    service: str
    component: str
    endpoint: str
    status: int | None


def claims(head: Head) -> bool:
    """Whether the first row is an event of KServe's logger."""
    if head.text[:1] not in (b"{", b"["):
        return False
    row = heads.first(head)
    kind = _attributes(row).get("type")
    return isinstance(kind, str) and kind.startswith("org.kubeflow.serving.inference.")


def exchanges(paths: Sequence[Path], damage: Damage) -> Iterator[Logged]:
    """The exchanges of files, each as soon as both its events are there."""
    waiting: OrderedDict[str, _Event] = OrderedDict()
    size = 0
    for path in paths:
        damage.begin(path)
        for line, row in documents.rows(path, damage):
            try:
                id_, event = _event(row, f"{path}:{line}")
            except documents.UNREADABLE as error:
                damage.rows(path, f"{path}:{line}", documents.reason(error))
                continue
            other = waiting.get(id_)
            if other is not None and other.is_request != event.is_request:
                size -= len(waiting.pop(id_).body)
                both = (event, other) if event.is_request else (other, event)
                yield _exchange(id_, *both)
                continue
            if other is not None:
                damage.rows(path, event.place, "comes twice")
                continue
            waiting[id_] = event
            size += len(event.body)
            while len(waiting) > WAITING or size > WAITING_BYTES:
                oldest, alone = waiting.popitem(last=False)
                size -= len(alone.body)
                yield from _alone(oldest, alone, damage)
    for id_, event in waiting.items():
        yield from _alone(id_, event, damage)


def _alone(id_: str, event: _Event, damage: Damage) -> Iterator[Logged]:
    if event.is_request:
        yield _exchange(id_, event, None)
    else:
        path = Path(event.place.rpartition(":")[0])
        damage.rows(path, event.place, "is a response without its request")


def _event(row: bytes, place: str) -> tuple[str, _Event]:
    said = _decode(row)
    found = _attributes(said)
    id_, kind = name(found.get("id")), found.get("type")
    if not id_ or kind not in (REQUEST, RESPONSE):
        raise ParseError("is no event of a request or a response")
    return id_, _Event(
        place,
        kind == REQUEST,
        moment(found.get("time")),
        _body(said),
        name(found.get("inferenceservicename")),
        name(found.get("component")),
        name(found.get("endpoint")),
        count(found.get("statuscode")),
    )


def _attributes(said: Any) -> dict[str, Any]:
    """An event's attributes, whether they stand beside its data or in headers."""
    headers = said.get("headers")
    if not isinstance(headers, dict):
        return dict(said)
    found = {}
    for key, value in headers.items():
        if key.lower().startswith("ce-"):
            one = value[0] if isinstance(value, list) and value else value
            found[key.lower().removeprefix("ce-")] = one
    return found


def _body(said: dict[str, Any]) -> bytes:
    if isinstance(packed := said.get("data_base64"), str):
        try:
            return base64.b64decode(packed, validate=True)
        except (binascii.Error, ValueError):
            raise ParseError("data_base64: is not base64") from None
    found = chats.parsed(said.get("data", said.get("body")))
    if found is None:
        return b""
    return found.encode("utf-8", "replace") if isinstance(found, str) else _encode(found)


def _exchange(id_: str, asked: _Event, answer: _Event | None) -> Logged:
    """A request and its answer. Without one only a request is known: whether it was refused, failed
    or is still to be answered, nobody says."""
    status = None
    if answer is not None:
        status = 200 if answer.status is None else answer.status
    return Logged(
        started=asked.at,
        duration=None if answer is None else span(asked.at, answer.at),
        status=status,
        outcome=Outcome.OK if status == 200 else None,
        target=_target(asked),
        request=asked.body,
        response=b"" if answer is None else answer.body,
        model=asked.service,
        segments=named(component=asked.component, endpoint=asked.endpoint),
        id=id_,
    )


def _target(asked: _Event) -> str:
    """The path that a body of this form is sent to."""
    try:
        body = _decode(asked.body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        body = {}
    model = asked.service or "model"
    inputs = body.get("inputs")
    if "instances" in body:
        return f"/v1/models/{model}:predict"
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], dict) and "shape" in inputs[0]:
        return f"/v2/models/{model}/infer"
    if body.keys() & {"messages", "prompt", "input"}:
        return chats.target(body)
    return "/"


SOURCE = Source(
    "kserve_cloudevents", packing.named(".jsonl", ".ndjson", ".json"), claims, exchanges=exchanges
)
