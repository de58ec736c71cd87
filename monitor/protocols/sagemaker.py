"""Call → Inference for SageMaker's invocations: JSON, CSV or JSON lines, one row each.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import msgspec

from monitor import columns
from monitor.errors import ParseError
from monitor.framings import sse
from monitor.interfaces import Protocol
from monitor.types import Call, Inference, Part

_PATH = re.compile(r"(?:/endpoints/(?P<endpoint>[^/]+))?/invocations/?$")
_MODELS = (
    "x-amzn-sagemaker-target-model", "x-amzn-sagemaker-inference-component",
    "x-amzn-sagemaker-target-variant",
)  # fmt: skip
_OTHERS = (b'"dataframe_split"', b'"dataframe_records"', b'"messages"')
"""What others who serve `/invocations` are sent: MLflow's tables, and chats."""


def claims(call: Call) -> bool:
    """POSTs to `/endpoints/NAME/invocations`, and to a container's own `/invocations`."""
    match = _PATH.search(call.path) if call.method == "POST" else None
    if match is None:
        return False
    return bool(match["endpoint"]) or not any(word in call.request_body for word in _OTHERS)


def read(call: Call) -> Inference:
    """Rows as columns; the model is what the request names, else its endpoint."""
    match = _PATH.search(call.path)
    if match is None or sse.is_stream(call.response_headers):
        raise ParseError("it is not one of SageMaker's plain invocations")
    named = [call.request_headers[name] for name in _MODELS if call.request_headers.get(name)]
    answer = columns.answer(call)
    return Inference(
        protocol="sagemaker",
        operation="infer",
        model=named[0] if named else unquote(match["endpoint"] or ""),
        inputs=columns.parts(call.request_body, call.request_headers, "user"),
        outputs=[_named(part) for part in answer.parts],
        failed=answer.failed,
        incomplete=answer.incomplete,
    )


PROTOCOL = Protocol("sagemaker", claims, read)


def _named(part: Part) -> Part:
    """The members of predictions are columns, whatever form they come in."""
    name = (part.name or "").removeprefix("predictions.")
    return part if part.name is None else msgspec.structs.replace(part, name=name)
