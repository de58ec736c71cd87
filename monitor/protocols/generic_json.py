"""Call → Inference for everything else: what `columns` and texts can be read without a dialect."""

from __future__ import annotations

from typing import Any

from monitor import bodies, columns
from monitor.chat import arrival
from monitor.errors import ParseError
from monitor.framings import ndjson, sse
from monitor.interfaces import Protocol
from monitor.types import Call, Inference

_ERROR_MEMBERS = frozenset((
    "code", "detail", "details", "error", "error_code", "errors", "id", "instance", "jsonrpc",
    "message", "msg", "ok", "path", "request_id", "requestId", "status", "status_code", "success",
    "timestamp", "title", "trace_id", "type",
))  # fmt: skip
"""What an error has beside itself; a prediction has other members."""
_LONGEST_ERROR = 65536


def claims(call: Call) -> bool:
    """Everything: it reads what no other protocol claims."""
    return True


def read(call: Call) -> Inference:
    """Raises nothing: any bytes are at least a text, or nothing to look at."""
    headers = call.response_headers
    is_events, is_lines = sse.is_stream(headers), ndjson.is_stream(headers)
    first = last = 0
    failed = incomplete = False
    if is_events:
        outputs = columns.spoken(call)
        for event in sse.events(call.response_body):
            failed = failed or event.type == "error" or _says_error(event.data)
            if event.data != b"[DONE]":
                first, last = first or event.end, event.end
    else:
        outputs, failed, incomplete = columns.answer(call, _says_error)
        if is_lines:
            outputs = columns.in_pieces(outputs)
            ends = [line.end for line in ndjson.lines(call.response_body)]
            first, last = (ends[0], ends[-1]) if ends else (0, 0)
    return Inference(
        protocol="generic_json",
        response_id="" if failed else _id(call.response_body),
        operation="predict" if call.method == "POST" else "http",
        model="",
        inputs=columns.parts(call.request_body, call.request_headers, "user"),
        outputs=outputs,
        streamed=is_events or is_lines,
        first_token=arrival(call, first) if first else None,
        last_token=arrival(call, last) if first else None,
        failed=failed,
        incomplete=incomplete,
    )


PROTOCOL = Protocol("generic_json", claims, read)


def _id(body: bytes) -> str:
    """The `id` of a JSON answer, which feedback may name it by; empty without one."""
    try:
        document = bodies.document(body)
    except ParseError:
        return ""
    found = document.get("id") if isinstance(document, dict) else None
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 1 << 63:
        return str(found)
    return found if isinstance(found, str) else ""


def _says_error(body: bytes) -> bool:
    """Whether a body is a JSON object that is an error and nothing else: a column of that name is
    none."""
    if b"error" not in body[:_LONGEST_ERROR] or len(body) > _LONGEST_ERROR:
        return False
    try:
        return _is_error(bodies.document(body))
    except ParseError:
        return False


def _is_error(document: Any) -> bool:
    if not isinstance(document, dict) or not document.keys() <= _ERROR_MEMBERS:
        return False
    error = document.get("error")
    if isinstance(error, dict):
        return not error.keys().isdisjoint(("code", "message", "type"))
    is_said = isinstance(error, str) and error.strip().lower() not in ("", "none", "null", "ok")
    return is_said or document.get("status") == "error" or "error_code" in document
