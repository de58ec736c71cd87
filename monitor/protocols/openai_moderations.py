"""Call → Inference for OpenAI's moderations, and Mistral's.

https://platform.openai.com/docs/api-reference/moderations
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import columns
from monitor.chat import content_text, is_error, question
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_KINDS = (("categories", "BOOL", bool), ("category_scores", "FP64", float | int))
_MAX_CATEGORIES = 64


class _Request(msgspec.Struct):
    model: str | None = None
    input: Any = None


class _Result(msgspec.Struct):
    flagged: Any = None
    categories: Any = None
    category_scores: Any = None


class _Response(msgspec.Struct):
    model: str | None = None
    id: Any = None
    results: list[_Result] | None = None
    error: Any = None
    object: Any = None


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)


def claims(call: Call) -> bool:
    """POSTs to a path that ends in `/moderations`, with an input: others end so too."""
    is_there = call.method == "POST" and call.path.rstrip("/").endswith("/moderations")
    return is_there and b'"input"' in call.request_body


def read(call: Call) -> Inference:
    """A text, each text of a list, or one list of content parts is one text part. Verdicts and
    scores are a tensor for each category, with a row for each result.

    The confidence is that of the verdict: with a largest score of p it is max(p, 1 - p), in the
    mean of the results.
    """
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call)
    sure = _read(answer, call.response_body) if call.response_body else []
    found = answer.inference(
        "openai_moderations", "moderation", model=request.model or "", inputs=inputs
    )
    if not sure:
        return found
    mean = sum(sure) / len(sure)
    return msgspec.structs.replace(found, confidence=mean, confidence_min=min(sure))


PROTOCOL = Protocol("openai_moderations", claims, read)


def _inputs(request: _Request) -> list[Part]:
    given = request.input
    if not isinstance(given, list):
        return [] if given is None else [Part(role="user", text=content_text(given))]
    if any(isinstance(one, dict) and "role" not in one for one in given):
        return [Part(role="user", text=content_text(given))]  # content parts of one message
    return [_part(one) for one in given]


def _part(given: Any) -> Part:
    """A text, or a message as Mistral's `/chat/moderations` has them."""
    if not isinstance(given, dict):
        return Part(role="user", text=content_text(given))
    role = given["role"] if isinstance(given["role"], str) else "user"
    return Part(role=role, text=content_text(given.get("content")))


def _read(answer: Transcript, body: bytes) -> list[float]:
    """Put the results where they belong; how sure each verdict is."""
    response = answer.decoded(body, _response_decoder)
    if response is None:
        return []
    if is_error({"error": response.error, "object": response.object}):
        answer.error(body)
    elif response.results is None and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    answer.note(model=response.model, id_=response.id)
    results = response.results or []
    flagged = [one.flagged if isinstance(one.flagged, bool) else None for one in results]
    if any(one is not None for one in flagged):
        answer.outputs.append(_tensor("flagged", "BOOL", flagged))
    for member, datatype, kind in _KINDS:
        rows = [_categories(getattr(one, member), kind) for one in results]
        names = list(dict.fromkeys(name for row in rows for name in row))[:_MAX_CATEGORIES]
        if len(rows) * len(names) > len(body):  # empty results beside a few that name much
            answer.is_foreign(columns.spoken(answer.call))
            return []
        for name in names:
            column = [row.get(name) for row in rows]
            answer.outputs.append(_tensor(f"{member}.{name}", datatype, column))
    scores = [_categories(one.category_scores, float | int).values() for one in results]
    largest = [max(row) for row in scores if row]
    return [max(one, 1 - one) for one in largest if 0 <= one <= 1]


def _categories(given: Any, kind: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        return {}
    return {
        name: value
        for name, value in given.items()
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    }


def _tensor(name: str, datatype: str, column: list[Any]) -> Part:
    return Part(name=name, datatype=datatype, shape=[len(column)], data=column)
