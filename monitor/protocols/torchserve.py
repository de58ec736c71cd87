"""Call → Inference for TorchServe, over REST and gRPC: whatever a handler takes and gives.

https://docs.pytorch.org/serve/inference_api.html, …/serve/grpc_api.html
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from monitor import bodies, columns
from monitor.carriers import rpcs
from monitor.chat import arrival, is_success, says_error, sized
from monitor.framings import multipart
from monitor.framings.protobuf import Field, Table, map_of, message
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_PATH = re.compile(
    r"/(?:predictions|explanations)/(?P<model>[^/]+)(?:/[0-9][0-9A-Za-z.]{0,63})?/?$"
)
_SERVICE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/"
_METHODS = (f"{_SERVICE}Predictions", f"{_SERVICE}StreamPredictions")
_REQUEST: Table = {1: Field("model", "string"), 3: map_of("input", "bytes")}
_RESPONSE: Table = {1: Field("prediction", "bytes")}
_MAX_FILES = 64


def claims(call: Call) -> bool:
    """POSTs to `…/predictions/NAME[/VERSION]` and `…/explanations/NAME`, and gRPC calls of
    `InferenceAPIsService/Predictions` and `StreamPredictions`."""
    if call.method == "POST" and _PATH.search(call.path) is not None:
        return True
    return rpcs.calls(call, *_METHODS) != ""


def read(call: Call) -> Inference:
    """Columns and texts, as of any JSON; the model is the path's. A picture, or another file, is a
    text with its type and size.

    A text that is sent in pieces has no frames: its first token is its first byte.
    """
    match = _PATH.search(call.path)
    if match is None:
        return _read_rpc(call)
    answer = columns.answer(call, lambda body: not is_success(call) or says_error(body))
    is_text = len(answer.parts) == 1 and answer.parts[0].role == "assistant"
    streamed = is_text and "chunked" in call.response_headers.get("transfer-encoding", "").lower()
    size = len(call.response_body)
    return Inference(
        protocol="torchserve",
        operation="infer",
        model=unquote(match["model"]),
        inputs=_inputs(call),
        outputs=answer.parts,
        streamed=streamed,
        first_token=arrival(call, 1) if streamed else None,
        last_token=arrival(call, size) if streamed else None,
        failed=answer.failed,
        incomplete=answer.incomplete,
    )


PROTOCOL = Protocol("torchserve", claims, read)


def _inputs(call: Call) -> list[Part]:
    body, headers = call.request_body, call.request_headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not multipart.is_form(headers):
        return _parts(body, headers, kind, is_whole=not call.request_truncated)
    found: list[Part] = []
    for place, part in enumerate(multipart.parts(body, headers["content-type"])):
        if place >= _MAX_FILES:
            break
        head = {"content-type": part.type}
        found += _parts(bodies.Body(part.data), head, part.type, is_whole=part.is_whole)
    return found


def _parts(data: bytes, headers: dict[str, str], kind: str, *, is_whole: bool = True) -> list[Part]:
    """Columns and texts; of what is neither its type and size."""
    found = columns.parts(data, headers, "user")
    if found or not data:
        return found
    family = kind.partition("/")[0]
    word = family if family in ("image", "audio", "video") else "file"
    size, held = (len(data), (bytes(data),)) if is_whole else (None, ())
    return [Part(role="user", text=sized(word, kind if "/" in kind else "", size, *held))]


def _read_rpc(call: Call) -> Inference:
    inputs: list[Part] = []
    model = ""
    for data in rpcs.asked(call):
        request: dict[str, Any] = message(data, _REQUEST)
        model = model or request.get("model", "")
        for each in request.get("input", {}).values():
            inputs += _parts(bodies.Body(each), {}, "")
    streamed = rpcs.calls(call, *_METHODS) == "StreamPredictions"
    answer = Transcript(call, streamed=streamed)
    for one in rpcs.answered(answer):
        said = message(one.data, _RESPONSE).get("prediction", b"")
        if streamed and (text := bodies.text(said)):
            answer.add(0, "assistant", text)
            answer.heard(one.end)
        elif not streamed:
            answer.outputs += columns.parts(bodies.Body(said), {}, "assistant")
    return answer.inference("torchserve", "infer", model=model, inputs=inputs)
