"""Records → the requests that can be sent again, and why the others cannot.

What is rebuilt is read by the Record's own protocol before it is sent: only a request whose inputs
read as those on record goes out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from monitor import bodies
from monitor.hidden import is_empty
from monitor.interfaces import Protocol
from monitor.marks import GONE
from monitor.privacy.parameters import COUNTED, STATEFUL, UNTOLD
from monitor.redrive import dialects, surrogates
from monitor.redrive.dialects import Left
from monitor.redrive.layouts import TABULAR, Layouts
from monitor.types import Call, Exchange, Message, Outcome, Part, Record

REASONS = {
    "replay": "were sent by a re-drive themselves",
    "refused": "were refused by the endpoint when they were recorded (status 4xx)",
    "no body": "have no body that is recorded, as a GET",
    "truncated": "were longer than capture.max_body_bytes",
    "redacted": "hold texts that privacy replaced whole, or left out",
    "secret": "hold a secret, which is not recorded",
    "media": "hold images, sounds or files, which are not recorded",
    "tools": "offer tools or hold their calls, which are not recorded",
    "stateful": "go on with something that the endpoint remembers",
    "parameters": "have parameters that are not recorded, as stops or a schema",
    "operation": "may write something; name the path with --send if it does not",
    "path": "have a path with something personal or secret in it",
    "dialect": "are of a dialect, or of a form of one, that cannot be rebuilt",
    "role": "hold messages of somebody else than system, user and assistant",
    "layout": "are tables whose form in JSON does not follow from their length",
    "unlike": "read otherwise when they are rebuilt",
    "bounds": "are beyond --max-requests, --max-tokens or --max-cost",
}
"""Why Records are left out, and what that says of them."""

_METHODS = ("POST", "other")
"""The second is that of a log which holds requests alone, as the input of a batch."""

PURE = frozenset((
    "chat", "text_completion", "embeddings", "generate_content", "infer", "moderation", "rerank",
))  # fmt: skip
"""Operations that write nothing."""

_PURE_PATH = re.compile(
    r"/(?:v\d[^/]*/)?(?:predict|predictions?|infer|inference|invocations|score|classify|embed|rank)/?$"
)
"""What paths of no dialect end in that write nothing, by what people call them."""

KEPT_HEADERS = ("accept", "anthropic-version", "anthropic-beta", "openai-beta")
"""Recorded headers that go with a request again."""

_MEDIA = re.compile(
    r"\[(?:image|audio|video|file|document|media|sound|redacted_thinking)\b[^\]\n]{0,200}\]|<MEDIA:"
)
_SECRET = re.compile(rf"<{surrogates.SECRET}:")
GRPC, INFER = "application/grpc", "/inference.GRPCInferenceService/ModelInfer"
"""The type of a call over gRPC, and the method whose calls have a form in JSON."""

_MODEL = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_MARK = re.compile(r"<[A-Z_]+:|\*\*\*|%3C[A-Z_]+(?::|%3A)")


@dataclass(frozen=True)
class Resend:
    """A Record, and the request that asks the same again; `target` is path and query."""

    record: Record
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Selection:
    """What of the Records that were read can be sent again, and how many cannot, by reason."""

    read: int = 0
    chosen: list[Resend] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    untold: int = 0
    """How many of the chosen have no parameters on record, though their dialect has such."""
    over_http: int = 0
    """How many of the chosen came over gRPC, and go out as JSON over HTTP."""


def select(
    records: Iterable[Record],
    protocols: Sequence[Protocol],
    *,
    limit: int,
    send: Collection[str] = (),
) -> Selection:
    """Choose the first `limit` Records that can be sent again; `send` are paths that write nothing.

    No more is read than that takes.
    """
    found, layouts = Selection(), Layouts()
    waiting: list[tuple[Record, Resend | None]] = []
    for record in records:
        found.read += 1
        try:
            check(record, send)
            tabular = record.protocol in TABULAR
            if tabular:
                layouts.learn(record)
            waiting.append((record, None if tabular else rebuilt(record, protocols, layouts)))
        except Left as why:
            found.left_out[str(why)] += 1
        if len(waiting) >= limit:
            break
    for record, ready in waiting:  # the form of a table is known once all have been seen
        try:
            found.chosen.append(ready or rebuilt(record, protocols, layouts))
        except Left as why:
            found.left_out[str(why)] += 1
    found.untold = sum(
        one.record.protocol in dialects.NAMES_MODEL and not one.record.parameters
        for one in found.chosen
    )
    found.over_http = sum(_method_of(one.record) != "" for one in found.chosen)
    return found


def check(record: Record, send: Collection[str] = ()) -> None:
    """Raise Left where a Record cannot be sent again."""
    path = record.request.path.partition("?")[0]
    if record.is_redriven:
        raise Left("replay")
    if record.outcome in (Outcome.CLIENT_ERROR, Outcome.CLIENT_GONE):
        raise Left("refused")
    if record.request.method not in _METHODS or not record.inputs:
        raise Left("no body")
    if record.request.truncated:
        raise Left("truncated")
    if record.protocol == "generic_json":
        if path not in send and not _PURE_PATH.search(path):
            raise Left("operation")
    elif record.operation not in PURE:
        raise Left("dialect")
    if _MARK.search(path) or not path.startswith("/"):
        raise Left("path")
    _check_texts(record)
    _check_parameters(record.parameters)


def _check_texts(record: Record) -> None:
    if "inputs" in record.withheld or any(
        is_empty(part) and part.name is None for part in record.inputs
    ):
        raise Left("redacted")
    for text in _strings(record.inputs):
        if GONE in text:
            raise Left("redacted")
        if _SECRET.search(text):
            raise Left("secret")
        if _MEDIA.search(text):
            raise Left("media")


def _check_parameters(parameters: Mapping[str, Any]) -> None:
    for name in (path.rpartition(".")[2] for path in parameters):
        if name in ("tools", "functions", "toolConfig", "mcp_servers"):
            raise Left("tools")
        if name in STATEFUL:
            raise Left("stateful")
        if name in ("images", "audio"):
            raise Left("media")
        if name in COUNTED:
            raise Left("parameters")
    if UNTOLD in parameters.values():
        raise Left("parameters")


def _strings(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        if part.text is not None:
            yield part.text
        for value in part.data or ():
            if isinstance(value, str):
                yield value


def rebuilt(record: Record, protocols: Sequence[Protocol], layouts: Layouts) -> Resend:
    """Return the request of a Record; raises Left where that does not read as it did."""
    if not (kind := _kind(record)).endswith("json") and not (
        kind.startswith(GRPC) and _method_of(record) == INFER
    ):
        raise Left("dialect")
    parts = [_with_surrogates(part) for part in record.inputs]
    try:
        if record.protocol in TABULAR and record.operation in ("infer", "predict"):
            document = layouts.body(record, parts)
        elif record.protocol in dialects.BODIES:
            document = _asked(record, dialects.BODIES[record.protocol](record, parts))
        else:
            raise Left("dialect")
    except (ValueError, IndexError, TypeError):  # another shape than the dialect's
        raise Left("dialect") from None
    found = Resend(
        record,
        _over_http(record) if kind.startswith(GRPC) else _target(record.request.path),
        {
            "content-type": "application/json",
            **{
                name: value
                for name in KEPT_HEADERS
                if (value := record.request.headers.get(name)) and not _MARK.search(value)
            },
        },
        bodies.dump(document).encode("utf-8", "replace"),
    )
    call = call_of(found)
    protocol = protocol_of(call, record.protocol, protocols)
    if protocol is None or not _reads_as(protocol, call, parts):
        raise Left("unlike")
    return found


def _asked(record: Record, body: dialects.Body) -> dialects.Body:
    """With the model and the parameters."""
    model = record.requested_model or record.model
    if record.protocol in dialects.NAMES_MODEL and model:
        if _MARK.search(model):
            raise Left("path")
        body = {"model": model, **body}
    parameters = record.parameters
    if not parameters and record.protocol in dialects.NAMES_MODEL:
        streams = record.operation in ("chat", "text_completion")
        if streams and (record.streamed or record.protocol == "ollama"):
            parameters = {"stream": record.streamed}
    return dialects.asked(body, parameters)


def _kind(record: Record) -> str:
    kind = record.request.headers.get("content-type", "application/json").partition(";")[0]
    return kind.strip().lower()


def _method_of(record: Record) -> str:
    """The method of gRPC that was called; empty for what came over HTTP."""
    return record.request.path if _kind(record).startswith(GRPC) else ""


def _over_http(record: Record) -> str:
    """The path under which a server takes as JSON what it was asked over gRPC (Open Inference
    Protocol V2, HTTP/REST). The version of the model is not on record, so it is the server's."""
    model = record.requested_model or record.model or ""
    if not _MODEL.fullmatch(model):
        raise Left("path")
    return f"/v2/models/{model}/infer"


def _target(recorded: str) -> str:
    """Path and query, without what is not on record of it, as a key."""
    path, _, query = recorded.partition("?")
    kept = [one for one in query.split("&") if one and not _MARK.search(one)]
    return f"{path}?{'&'.join(kept)}" if kept else path


def _with_surrogates(part: Part) -> Part:
    text = None if part.text is None else surrogates.of(part.text)
    data = part.data
    if data is not None and any(isinstance(one, str) and "<" in one for one in data):
        data = [surrogates.of(one) if isinstance(one, str) else one for one in data]
    return msgspec.structs.replace(part, text=text, data=data)


def call_of(resend: Resend, response: Message | None = None, **said: Any) -> Call:
    """The Call of a request, unanswered unless the fields of an answer are given."""
    path, _, query = resend.target.partition("?")
    head = f"POST {resend.target} HTTP/1.1\r\n\r\n".encode("utf-8", "replace")
    request = Message(head, resend.body, len(resend.body))
    fields: dict[str, Any] = {
        "exchange": Exchange(
            resend.record.id, said.pop("started", 0.0), said.pop("duration", 0.0), request,
            response, [], said.pop("outcome", Outcome.OK),
        ),
        "method": "POST", "path": path, "query": query,
        "request_headers": dict(resend.headers), "request_body": bodies.Body(resend.body),
        "request_truncated": False, "status": 200, "response_headers": {},
        "response_body": b"", "response_truncated": False, "arrivals": [], "trailers": {},
    }  # fmt: skip
    return Call(**fields | said)


def protocol_of(call: Call, name: str, protocols: Sequence[Protocol]) -> Protocol | None:
    """Return what reads a call as this dialect, which several may: one for each transport."""
    return next((one for one in protocols if one.name == name and one.claims(call)), None)


def _reads_as(protocol: Protocol, call: Call, parts: Sequence[Part]) -> bool:
    """Whether a request reads as these parts."""
    try:
        return protocol.read(call).inputs == list(parts)
    except Exception:  # noqa: BLE001  a protocol's defect leaves the record out
        return False


_IN_PATH = re.compile(r"(/(?:models|tunedModels|deployments|engines|endpoints)/)[^/:?]+")
_IN_BEDROCKS = re.compile(r"(/model/)[^/?]+(?=/)")


def renamed(resend: Resend, model: str) -> Resend:
    """Return a request for another model, in its body or its path."""
    target = _IN_PATH.sub(lambda found: found[1] + model, resend.target)
    if resend.record.protocol == "bedrock":
        target = _IN_BEDROCKS.sub(lambda found: found[1] + quote(model, safe=""), target, count=1)
    body = bodies.parsed(resend.body.decode())
    if isinstance(body, dict) and "model" in body:
        body = {**body, "model": model}
        return Resend(resend.record, target, resend.headers, bodies.dump(body).encode())
    return Resend(resend.record, target, resend.headers, resend.body)
