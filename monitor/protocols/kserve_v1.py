"""Call → Inference for V1 predictions: KServe, TorchServe, TensorFlow Serving, Vertex AI.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol,
https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import re

from monitor import columns
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.types import Call, Inference

_PATH = re.compile(
    r"/(?:models|endpoints)/(?P<model>[^/:]+)(?:/(?:versions|labels)/[^/:]+)?"
    r":(?:predict|classify|regress|explain)/?$"
)


def claims(call: Call) -> bool:
    """POSTs to `…/models/NAME[/versions/V|/labels/L]:predict`, `:classify` and the like. What
    TensorFlow Serving alone has is claimed before."""
    return call.method == "POST" and _PATH.search(call.path) is not None


def read(call: Call) -> Inference:
    """`instances` and `predictions` as columns; the model is the path's."""
    match = _PATH.search(call.path)
    if match is None:
        raise ParseError("the path is not one of the V1 prediction protocol")
    return columns.prediction(call, "kserve_v1", match["model"])


PROTOCOL = Protocol("kserve_v1", claims, read)
