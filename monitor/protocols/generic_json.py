"""Call → Inference for everything else: what `columns` and texts can be read without a dialect."""

from __future__ import annotations

from monitor import bodies, columns, ndjson, sse
from monitor.chat import arrival
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part


def claims(call: Call) -> bool:
    """Everything."""
    return True


def read(call: Call) -> Inference:
    """Raises nothing: any bytes are at least a text, or nothing to look at."""
    headers = call.response_headers
    is_events, is_lines = sse.is_stream(headers), ndjson.is_stream(headers)
    first = last = 0
    failed = False
    if is_events:
        texts = []
        for event in sse.events(call.response_body):
            texts.append(event.data)
            failed = failed or event.type == "error"
            if event.data != b"[DONE]":
                first, last = first or event.end, event.end
        found = bodies.text(b"\n".join(texts))
        outputs = [Part(role="assistant", text=found)] if found else []
    else:
        outputs = columns.parts(call.response_body, headers, "assistant")
        if is_lines:
            ends = [line.end for line in ndjson.lines(call.response_body)]
            first, last = (ends[0], ends[-1]) if ends else (0, 0)
    return Inference(
        protocol="generic_json",
        operation="predict" if call.method == "POST" else "http",
        model="",
        inputs=columns.parts(call.request_body, call.request_headers, "user"),
        outputs=outputs,
        streamed=is_events or is_lines,
        first_token=arrival(call, first) if first else None,
        last_token=arrival(call, last) if first else None,
        failed=failed,
    )


PROTOCOL = Protocol("generic_json", claims, read)
