"""Spans of model calls in OpenTelemetry's files → exchanges: OTLP's JSON, a request a line, as file
exporters write it, and what the SDK's console exporter prints.

Only calls of models are exchanges: the spans of agents, chains and tools around them repeat what
these used. https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor import packing
from monitor.errors import ParseError
from monitor.foreign import documents, heads, semconv
from monitor.foreign.fields import moment, number
from monitor.interfaces import Head, Source
from monitor.logged import Logged

_NANO = 1e9
_DEEPEST = 20
_ERROR = (2, "2", "STATUS_CODE_ERROR", "ERROR")
_RESOURCE = {"service.name": "service", "service.version": "service_version",
             "deployment.environment.name": "environment",
             "deployment.environment": "environment"}  # fmt: skip
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def claims(head: Head) -> bool:
    """Whether the first row is a request of OTLP with spans, or a span as the console has it."""
    row = heads.first(head)
    is_printed = row.keys() >= {"name", "context", "kind", "start_time", "attributes"}
    return "resourceSpans" in row or "resource_spans" in row or is_printed


def read(row: bytes) -> list[Logged]:
    """The exchanges of a request of OTLP, or of a printed span; raises ParseError."""
    said = _decode(row)
    if "context" in said and "start_time" in said:
        return _printed(said)
    resources = said.get("resourceSpans", said.get("resource_spans"))
    if not isinstance(resources, list):
        if said.keys() & {"resourceLogs", "resourceMetrics"}:
            return []
        raise ParseError("has no resourceSpans")
    found = []
    for resource in _objects(resources):
        about = _attributes(_object(resource.get("resource")).get("attributes"))
        segments = {mine: about[one] for one, mine in _RESOURCE.items() if one in about}
        scopes = resource.get("scopeSpans", resource.get("scope_spans"))
        for scope in _objects(scopes or resource.get("instrumentationLibrarySpans")):
            for span in _objects(scope.get("spans")):
                exchange = _exchange(span, segments)
                if exchange is not None:
                    found.append(exchange)
    return found


def _exchange(span: Mapping[str, Any], segments: Mapping[str, Any]) -> Logged | None:
    said = _attributes(span.get("attributes"))
    if not semconv.is_told(said):
        return None
    status = _object(span.get("status"))
    events = [
        (str(one.get("name")), _attributes(one.get("attributes")))
        for one in _objects(span.get("events"))
    ]
    return semconv.exchange(
        said,
        events=events,
        started=_nano(span.get("startTimeUnixNano", span.get("start_time_unix_nano"))),
        ended=_nano(span.get("endTimeUnixNano", span.get("end_time_unix_nano"))),
        has_failed=status.get("code") in _ERROR,
        error=str(status.get("message") or ""),
        trace_id=_trace(span.get("traceId", span.get("trace_id"))),
        segments=segments,
    )


def _printed(span: Mapping[str, Any]) -> list[Logged]:
    said = _object(span.get("attributes"))
    if not semconv.is_told(said):
        return []
    about = _object(_object(span.get("resource")).get("attributes"))
    status = _object(span.get("status"))
    found = semconv.exchange(
        said,
        events=[
            (str(one.get("name")), _object(one.get("attributes")))
            for one in _objects(span.get("events"))
        ],
        started=moment(span.get("start_time")),
        ended=moment(span.get("end_time")),
        has_failed=status.get("status_code") in _ERROR,
        error=str(status.get("description") or ""),
        trace_id=_trace(_object(span.get("context")).get("trace_id")),
        segments={mine: about[one] for one, mine in _RESOURCE.items() if one in about},
    )
    return [] if found is None else [found]


def _nano(given: Any) -> float | None:
    found = number(given)
    return found / _NANO if found is not None and found > 0 else None


def _trace(given: Any) -> str:
    """Hexadecimal, as OTLP's JSON has it, with `0x` as the console has."""
    found = given.removeprefix("0x").lower() if isinstance(given, str) else ""
    is_hex = len(found) == 32 and not set(found) - set("0123456789abcdef")
    return found if is_hex and found.strip("0") else ""


def _attributes(given: Any) -> dict[str, Any]:
    """Members of a list of `{"key": …, "value": {"stringValue": …}}`."""
    return {
        key: _value(one.get("value"))
        for one in _objects(given)
        if isinstance(key := one.get("key"), str)
    }


def _value(given: Any, depth: int = 0) -> Any:
    """A value of OTLP, which says its kind; nothing of what is nested beyond reason."""
    if not isinstance(given, dict) or not given or depth > _DEEPEST:
        return None
    kind, value = next(iter(given.items()))
    if kind in ("arrayValue", "array_value"):
        return [_value(one, depth + 1) for one in _objects(_object(value).get("values"))]
    if kind in ("kvlistValue", "kvlist_value"):
        return {
            str(one.get("key")): _value(one.get("value"), depth + 1)
            for one in _objects(_object(value).get("values"))
        }
    if kind in ("intValue", "int_value"):
        found = number(value)
        return None if found is None else int(found)
    return value


def _object(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _objects(given: Any) -> list[dict[str, Any]]:
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


SOURCE = Source(
    "otel_genai", packing.named(".jsonl", ".ndjson", ".json"), claims,
    exchanges=documents.each(read),
)  # fmt: skip
