"""Call → Inference for SageMaker's invocations: rows as JSON, CSV or JSON lines, or what the
container speaks.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Runtime.html,
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from monitor.carriers import envelopes
from monitor.carriers.envelopes import Envelope
from monitor.framings import aws_eventstream
from monitor.types import Call, Inference, Part

_PATH = re.compile(
    r"(?:/endpoints/(?P<endpoint>[^/]+)/(?:async-invocations|invocations-response-stream|invocations)"
    r"|/invocations)/?$"
)
_MODELS = (
    "x-amzn-sagemaker-target-model", "x-amzn-sagemaker-inference-component",
    "x-amzn-sagemaker-target-variant",
)  # fmt: skip
_OTHERS = (b'"dataframe_split"', b'"dataframe_records"', b'"messages"', b'"params"')
"""What MLflow, which serves `/invocations` too, is sent: tables, and chats."""
_DATABRICKS = "/serving-endpoints/"
_DIALECTS = (b'"messages"', b'"prompt"', b'"inputs"')
_ROWS = "/"
"""A path that is nobody's: rows are read as any JSON is."""


def claims(call: Call) -> bool:
    """POSTs to `/endpoints/NAME/invocations` and its streams, and to a container's own
    `/invocations`."""
    match = _PATH.search(call.path) if call.method == "POST" else None
    if match is None:
        return False
    if match["endpoint"]:
        return True
    return _DATABRICKS not in call.path and not any(one in call.request_body for one in _OTHERS)


def opened(call: Call) -> Call:
    """Rows are columns; chats and prompts are read as the dialect that they are of. The model is
    what the request names, else its endpoint.

    The pieces of a stream are cut anywhere, and joined before they are read.
    """
    path = _inner_path(call.request_body)
    if not aws_eventstream.is_stream(call.response_headers):
        return msgspec.structs.replace(call, path=path)
    pieces = [
        (one.payload, one.end)
        for one in aws_eventstream.messages(call.response_body)
        if one.is_intact and one.headers.get(":event-type") == "PayloadPart"
    ]
    kind = call.response_headers.get("x-amzn-sagemaker-content-type", "")
    start = b"".join(data for data, _ in pieces[:_STARTS]).lstrip()[:6]
    if start.startswith((b"data:", b"event:", b":")):
        kind = envelopes.EVENTS
    elif start.startswith(b"{") and any(
        b"}\n{" in data or data.endswith(b"}\n") for data, _ in pieces
    ):
        kind = "application/x-ndjson"
    return envelopes.unwrapped(call, path, kind, pieces)


_STARTS = 8
"""So many pieces are enough to see what the first bytes are."""


def _inner_path(body: bytes) -> str:
    """A path that the reader of this body claims; a body that was cut is looked at as bytes."""
    if not any(word in body for word in _DIALECTS):
        return _ROWS
    given = envelopes.members(body)
    if isinstance(given.get("messages"), list) or (not given and b'{"messages"' in body):
        return "/v1/chat/completions"
    if isinstance(given.get("inputs"), str):
        return "/generate"
    return "/v1/completions" if isinstance(given.get("prompt"), str | list) else _ROWS


def closed(call: Call, found: Inference) -> Inference:
    """What was read, under SageMaker's name and model."""
    match = _PATH.search(call.path)
    endpoint = unquote(match["endpoint"] or "") if match else ""
    named = [call.request_headers[name] for name in _MODELS if call.request_headers.get(name)]
    model = named[0] if named else endpoint or found.model
    is_rows = found.protocol == "generic_json"
    found = msgspec.structs.replace(
        found.saying([_named(part) for part in found.outputs]) if is_rows else found,
        protocol="sagemaker",
        operation="infer" if is_rows else found.operation,
        model=model,
        requested_model="",
    )
    return envelopes.failed(call, _weighed(found))


PROTOCOL = Envelope("sagemaker", claims, opened, closed)


def _weighed(found: Inference) -> Inference:
    """With how sure the built-in classifiers of two classes were: beside a label of 0 or 1, a score
    is the probability of 1. Without one it is a regression's."""
    columns = {part.name: part.data or [] for part in found.outputs}
    scores, labels = columns.get("score", []), columns.get("predicted_label", [])
    is_binary = scores and len(scores) == len(labels) and all(label in (0, 1) for label in labels)
    if not is_binary or not all(type(one) in (int, float) and 0 <= one <= 1 for one in scores):
        return found
    sure = [max(one, 1 - one) for one in scores]
    return msgspec.structs.replace(
        found, confidence=sum(sure) / len(sure), confidence_min=min(sure)
    )


def _named(part: Part) -> Part:
    """The members of predictions are columns, whatever form they come in."""
    name = (part.name or "").removeprefix("predictions.")
    return part if part.name is None else msgspec.structs.replace(part, name=name)
