"""Call → Inference for rerankers: Cohere v1 and v2, Jina, Voyage, vLLM, Infinity and TEI.

https://docs.cohere.com/reference/rerank, https://docs.voyageai.com/reference/reranker-api,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (rerank and score),
https://huggingface.github.io/text-embeddings-inference
"""

from __future__ import annotations

from typing import Any

import msgspec

from monitor import bodies, columns
from monitor.chat import content_text, is_error, question
from monitor.counts import count
from monitor.errors import ParseError
from monitor.interfaces import Protocol
from monitor.transcript import Transcript
from monitor.types import Call, Inference, Part

_OURS = (b'"query"', b'"documents"', b'"texts"')
_PAIRS = (b'"text_1"', b'"text_2"', b'"queries"', b'"data_1"')
"""What vLLM's `/score` is asked with; other servers have such a path, too."""


class _Request(msgspec.Struct):
    model: str | None = None
    query: Any = None
    queries: Any = None
    documents: Any = None
    texts: Any = None
    text_1: Any = None
    text_2: Any = None
    data_1: Any = None
    data_2: Any = None


class _Result(msgspec.Struct):
    index: Any = None
    relevance_score: Any = None
    score: Any = None


class _Response(msgspec.Struct):
    """`results` are Cohere's, Jina's and vLLM's, `data` Voyage's and those of `/score`."""

    model: str | None = None
    id: Any = None
    results: list[_Result] | None = None
    data: list[_Result] | None = None
    usage: Any = None
    meta: Any = None
    error: Any = None
    object: Any = None
    type: Any = None


class _Bare(msgspec.Struct):
    """TEI answers with a bare list, read as the member of an object."""

    results: list[_Result] = []


_request_decoder = msgspec.json.Decoder(_Request)
_response_decoder = msgspec.json.Decoder(_Response)
_bare_decoder = msgspec.json.Decoder(_Bare)


def claims(call: Call) -> bool:
    """POSTs to a path that ends in `/rerank` or `/score`, with what such a request has."""
    path = call.path.rstrip("/")
    if call.method != "POST" or not path.endswith(("/rerank", "/score")):
        return False
    words = _PAIRS if path.endswith("/score") else _OURS
    return any(word in call.request_body for word in words)


def read(call: Call) -> Inference:
    """The query and each document are a text part. The scores are one tensor in the order of the
    documents, whatever order they came in; null where `top_n` cut one off.

    A score says which document is nearer than another, and is no probability, so there is no
    confidence. What is paid for are searches (Cohere) or tokens.
    """
    request, inputs = question(call.request_body, _request_decoder, _inputs)
    answer = Transcript(call)
    if call.response_body:
        asked = sum(part.role == "document" for part in inputs)
        _read(answer, call.response_body, asked)
    if answer.counted("input_tokens") is not None and answer.counted("output_tokens") is None:
        answer.count("output_tokens", 0)
    return answer.inference(
        "rerank",
        "rerank",
        model=request.model or "",
        inputs=inputs,
        tokens=answer.tokens(answer.counted("input_tokens"), answer.counted("output_tokens")),
    )


PROTOCOL = Protocol("rerank", claims, read)


def _inputs(request: _Request) -> list[Part]:
    queries = (request.query, request.queries, request.text_1, request.data_1)
    documents = (request.documents, request.texts, request.text_2, request.data_2)
    return [
        Part(role=role, text=content_text([one]))
        for role, members in (("user", queries), ("document", documents))
        for given in members
        for one in (given if isinstance(given, list) else [given])
        if one is not None
    ]


def _read(answer: Transcript, body: bytes, asked: int) -> None:
    try:
        if body.lstrip()[:1] == b"[":
            bare = bodies.decode(_named(body), _bare_decoder)
            response = _Response(results=bare.results)
        else:
            response = bodies.decode(body, _response_decoder)
    except ParseError:
        answer.unreadable(body)
        return
    results = response.results if response.results is not None else response.data
    if is_error({"error": response.error, "object": response.object, "type": response.type}):
        answer.error(body)
    elif results is None and len(body) > 2:  # `{}` loses nothing
        answer.is_foreign(columns.spoken(answer.call))
    answer.note(model=response.model, id_=response.id)
    _account(answer, response)
    if results:
        answer.outputs.append(_scores(results, asked))


def _named(results: bytes) -> bytes:
    """A bare list as the member of an object."""
    start = b'{"results":' + results
    return bodies.Cut(start) if isinstance(results, bodies.Cut) else start + b"}"


def _account(answer: Transcript, response: _Response) -> None:
    """Tokens as the server read them (TEI says them in a header); Cohere's `billed_units` are what
    it sells."""
    answer.count("input_tokens", answer.call.response_headers.get("x-compute-tokens"))
    meta = response.meta if isinstance(response.meta, dict) else {}
    for said in (response.usage, meta.get("tokens")):
        if isinstance(said, dict):
            for name in ("total_tokens", "prompt_tokens", "input_tokens"):
                answer.count("input_tokens", said.get(name))
            answer.count("output_tokens", said.get("output_tokens"))
    units = meta.get("billed_units")
    if isinstance(units, dict):
        answer.use("searches", units.get("search_units"))


def _scores(results: list[_Result], asked: int) -> Part:
    """The scores by document. An index beyond the documents names none, and where the request's
    could not be read, there are as many as results."""
    scores: list[float | None] = [None] * max(asked, len(results))
    for place, one in enumerate(results):
        index = count(one.index)
        index = place if index is None else index
        score = one.relevance_score if one.relevance_score is not None else one.score
        if index < len(scores) and type(score) in (int, float):
            scores[index] = score
    return Part(name="relevance_score", datatype="FP64", shape=[len(scores)], data=scores)
