"""Call → Inference for TensorFlow Serving over REST, where it says more than KServe's V1 has.

https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import re

from monitor import columns
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference

_PATH = re.compile(
    r"/v1/models/(?P<model>[^/:]+)(?P<version>/(?:versions|labels)/[^/:]+)?"
    r":(?P<verb>predict|classify|regress)/?$"
)


def claims(call: Call) -> bool:
    """POSTs to `…/v1/models/NAME` with a version, a label, `:classify` or `:regress`, or with a
    signature's name or columns (`inputs`) in the body. What else is posted to `:predict` is
    `kserve_v1`, whoever serves it."""
    match = _PATH.search(call.path) if call.method == "POST" else None
    if match is None:
        return False
    if match["version"] or match["verb"] != "predict":
        return True
    body = call.request_body
    return b'"signature_name"' in body or (b'"inputs"' in body and b'"instances"' not in body)


def read(call: Call) -> Inference:
    """Rows or columns in, rows or columns out; the model is the path's."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of TensorFlow Serving's")
    return columns.prediction(call, "tensorflow_serving", match["model"])


PROTOCOL = Protocol("tensorflow_serving", claims, read)
