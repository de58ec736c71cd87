"""Call → Inference for the V1 prediction protocol of KServe, TorchServe and TensorFlow Serving.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol,
https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import re

from monitor import columns
from monitor.chat import error_part, says_error
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference

_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(?:/(?:versions|labels)/[^/:]+)?:(?:predict|classify|regress|explain)/?$"
)


def claims(call: Call) -> bool:
    """POSTs to `/v1/models/NAME[/versions/V|/labels/L]:predict`, `:classify` and the like."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """`instances` and `predictions` as columns; the model is the path's."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of the V1 prediction protocol")
    failed = says_error(call.response_body)
    return Inference(
        protocol="kserve_v1",
        operation="infer",
        model=match["model"],
        inputs=columns.parts(call.request_body, call.request_headers, "user"),
        outputs=error_part(call.response_body)
        if failed
        else columns.parts(call.response_body, call.response_headers, "assistant"),
        failed=failed,
    )


PROTOCOL = Protocol("kserve_v1", claims, read)
