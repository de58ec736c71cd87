"""Anthropic's, Google's, Ollama's and Cohere's clients; what has no client of its own by httpx."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from tests.protocols.goldens.scripted import Answer, Case, events, lines, whole

QUESTION = "Which river does Ulm lie on?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ASKED = [{"role": "user", "content": QUESTION}]

# --- Anthropic -----------------------------------------------------------------------------------

CLAUDE: dict[str, Any] = {"model": "claude-sonnet-4-5", "max_tokens": 512, "messages": ASKED}
USED = {
    "input_tokens": 21, "cache_creation_input_tokens": 2048, "cache_read_input_tokens": 1024,
    "cache_creation": {"ephemeral_5m_input_tokens": 1536, "ephemeral_1h_input_tokens": 512},
    "output_tokens": 90, "service_tier": "standard", "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
}  # fmt: skip
TEXT = {"type": "text", "text": "Ulm lies on the Danube.", "citations": None}
SEARCH = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {"query": "Ulm river"},
}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
    {"type": "web_search_result", "title": "Ulm", "url": "https://example.org/ulm", "encrypted_content": "EqgfCioIARgB" * 9, "page_age": None}]}  # fmt: skip


def claude(*blocks: Any, reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    return {
        "id": "msg_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929",
        "content": list(blocks), "stop_reason": reason, "stop_sequence": None, "usage": USED, **more,
    }  # fmt: skip


def anthropic(url: str) -> Any:
    from anthropic import Anthropic

    return Anthropic(base_url=url, api_key="test", max_retries=0)


def message(url: str, **more: Any) -> Iterable[str | None]:
    system = [
        {"type": "text", "text": "Answer in one sentence.", "cache_control": {"type": "ephemeral"}}
    ]
    found = anthropic(url).messages.create(**CLAUDE, system=system, **more)
    return [one.text for one in found.content if one.type == "text"]


def message_streamed(client: Any, **more: Any) -> Iterable[str | None]:
    with client.messages.stream(**CLAUDE, **more) as stream:
        found = stream.get_final_message()
    return [
        getattr(one, "text", None) or getattr(one, "thinking", None) or one.name
        for one in found.content
    ]


def message_until_it_fails(url: str) -> Iterable[str | None]:
    from anthropic import APIError

    texts = []
    try:
        for event in anthropic(url).messages.create(**CLAUDE, stream=True):
            texts += [event.delta.text] if event.type == "content_block_delta" else []
    except APIError:
        return ["".join(texts)]
    raise AssertionError("the client saw no error")


def message_at_vertex(url: str) -> Iterable[str | None]:
    from anthropic import AnthropicVertex

    client = AnthropicVertex(
        base_url=f"{url}/v1", region="eu", project_id="p", access_token="test", max_retries=0
    )
    return message_streamed(client)


def block(place: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "content_block_start", "index": place, "content_block": start},
        *({"type": "content_block_delta", "index": place, "delta": one} for one in deltas),
        {"type": "content_block_stop", "index": place},
    ]


START_USE = {
    "input_tokens": 8,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 100,
    "output_tokens": 3,
    "service_tier": "standard",
}
START = {
    "type": "message_start",
    "message": claude(reason="end_turn", usage=START_USE) | {"stop_reason": None},
}
THOUGHT = block(0, {"type": "thinking", "thinking": "", "signature": ""}, {"type": "thinking_delta", "thinking": "Ulm is in"},
                {"type": "thinking_delta", "thinking": " the south."}, {"type": "signature_delta", "signature": "EqQBCkYIB" * 9})  # fmt: skip
SAYS = block(
    1,
    {"type": "text", "text": ""},
    {"type": "text_delta", "text": "I shall"},
    {"type": "text_delta", "text": " look."},
)
CALLS = block(2, {"type": "tool_use", "id": "toolu_1", "name": "find_river", "input": {}}, {"type": "input_json_delta", "partial_json": ""},
              {"type": "input_json_delta", "partial_json": '{"city":'}, {"type": "input_json_delta", "partial_json": '"Ulm"}'})  # fmt: skip


def end(reason: str, **usage: int) -> list[dict[str, Any]]:
    return [
        {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 57, **usage}},
        {"type": "message_stop"},
    ]  # fmt: skip


PING = {"type": "ping"}
BUSY = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
TOOLS = [{"name": "find_river", "description": "Find a river.", "input_schema": SCHEMA}]
MESSAGES = "anthropic_messages"
ANTHROPIC: list[Case] = [
    (MESSAGES, "cache-and-search", whole(claude(SEARCH, FOUND, TEXT), headers={"request-id": "req_1"}),
     lambda url: message(url, tools=[{"type": "web_search_20250305", "name": "web_search"}])),
    (MESSAGES, "paused", whole(claude(SEARCH, reason="pause_turn")), message),
    (MESSAGES, "stream-tool", events(START, PING, *THOUGHT, *SAYS, *CALLS, *end("tool_use", input_tokens=8), named=True),
     lambda url: message_streamed(anthropic(url), tools=TOOLS, thinking={"type": "enabled", "budget_tokens": 1024})),
    (MESSAGES, "overloaded-in-stream", events(START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Ulm lies"}), BUSY, named=True), message_until_it_fails),
    (MESSAGES, "vertex-stream", events(START, *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "On the Danube."}), *end("max_tokens"), named=True), message_at_vertex),
    (MESSAGES, "count-tokens", whole({"input_tokens": 14}),
     lambda url: [None for one in [anthropic(url).messages.count_tokens(model="claude-sonnet-4-5", messages=ASKED)] if one.input_tokens]),
]  # fmt: skip

# --- Google --------------------------------------------------------------------------------------

GEMINI_USE = {
    "promptTokenCount": 24, "candidatesTokenCount": 9, "thoughtsTokenCount": 40, "totalTokenCount": 73, "cachedContentTokenCount": 16,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 14}, {"modality": "AUDIO", "tokenCount": 10}],
}  # fmt: skip
DANUBE = {"text": '{"river":"Danube"}'}


def gemini(*parts: Any, index: int = 0, use: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": list(parts), "role": "model"}, "index": index, **more}],
        "usageMetadata": use or GEMINI_USE, "modelVersion": "gemini-2.5-flash", "responseId": "r-1",
    }  # fmt: skip


@cache
def google(url: str) -> Any:
    from google import genai

    return genai.Client(api_key="test", http_options={"base_url": url})


def generate(url: str) -> Iterable[str | None]:
    from google.genai import types

    config = types.GenerateContentConfig(
        system_instruction="Answer in JSON.", response_mime_type="application/json", response_logprobs=True,
        response_schema={"type": "OBJECT", "properties": {"river": {"type": "STRING"}}, "required": ["river"]},
    )  # fmt: skip
    sound = types.Part.from_bytes(data=b"RIFF" * 8, mime_type="audio/wav")
    found = google(url).models.generate_content(
        model="gemini-flash-latest", contents=[QUESTION, sound], config=config
    )
    return [found.text]


def generate_streamed(client: Any) -> Iterable[str | None]:
    from google.genai import types

    declared = types.FunctionDeclaration(name="find_river", parameters_json_schema=SCHEMA)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[declared])])
    texts: dict[bool, str] = {}
    for one in client.models.generate_content_stream(
        model="gemini-2.5-flash", contents=QUESTION, config=config
    ):
        for part in (
            (one.candidates[0].content.parts or [])
            if one.candidates and one.candidates[0].content
            else []
        ):
            texts[bool(part.thought)] = texts.get(bool(part.thought), "") + (part.text or "")
    return list(texts.values())


@cache
def at_vertex(url: str) -> Any:
    from google import genai
    from google.oauth2.credentials import Credentials

    return genai.Client(
        vertexai=True,
        project="p",
        location="eu",
        credentials=Credentials(token="test"),
        http_options={"base_url": url},
    )


def blocked(url: str) -> Iterable[str | None]:
    assert (
        google(url)
        .models.generate_content(model="gemini-2.5-flash", contents=QUESTION)
        .prompt_feedback
        is not None
    )
    return []


def count(url: str) -> Iterable[str | None]:
    assert (
        google(url).models.count_tokens(model="gemini-2.5-flash", contents=QUESTION).total_tokens
        == 8
    )
    return []


def embed(url: str) -> Iterable[str | None]:
    found = google(url).models.embed_content(model="gemini-embedding-001", contents=["Ulm", "Bonn"])
    assert [one.values for one in found.embeddings] == [[0.5, 0.25], [1.0, -1.0]]
    return []


def post(url: str, path: str, body: Any) -> Any:
    import httpx

    response = httpx.post(url + path, json=body, headers={"user-agent": "httpx"})
    return response.json() if "json" in response.headers["content-type"] else None


CHUNKS = [
    gemini({"text": "Ulm is in", "thought": True}, use={"promptTokenCount": 24, "totalTokenCount": 24}),
    gemini({"text": " the south.", "thought": True}, use={"promptTokenCount": 24, "totalTokenCount": 64, "thoughtsTokenCount": 40}),
    gemini({"text": "I shall look."}), gemini({"functionCall": {"name": "find_river", "args": {"city": "Ulm"}}, "thoughtSignature": "CpsB" * 9}, finishReason="STOP"),
]  # fmt: skip
LIKELY = {
    "avgLogprobs": -0.5,
    "logprobsResult": {
        "chosenCandidates": [
            {"token": token, "tokenId": number, "logProbability": at}
            for number, (token, at) in enumerate(
                (('{"river":"', -0.125), ("Danube", -1.75), ('"}', -0.375))
            )
        ]
    },
}
ARRAY = [json.dumps(one, indent=2).encode() for one in CHUNKS]
GEMINI = "gemini"
GOOGLE: list[Case] = [
    (GEMINI, "schema-and-sound", whole(gemini(DANUBE, finishReason="STOP", **LIKELY)), generate),
    (GEMINI, "stream", events(*CHUNKS), lambda url: generate_streamed(google(url))),
    (GEMINI, "vertex-stream", events(*(one | {"usageMetadata": GEMINI_USE | {"trafficType": "PROVISIONED_THROUGHPUT"}} for one in CHUNKS)), lambda url: generate_streamed(at_vertex(url))),
    (GEMINI, "array-stream", Answer([b"[" + ARRAY[0], *(b",\r\n" + one for one in ARRAY[1:]), b"]"]),
     lambda url: [post(url, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?key=test", {"contents": [{"parts": [{"text": QUESTION}]}]})[2]["candidates"][0]["content"]["parts"][0]["text"]]),
    (GEMINI, "blocked", whole({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}, "modelVersion": "gemini-2.5-flash"}), blocked),
    (GEMINI, "count-tokens", whole({"totalTokens": 8, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}]}), count),
    (GEMINI, "embeddings", whole({"embeddings": [{"values": [0.5, 0.25]}, {"values": [1.0, -1.0]}]}), embed),
]  # fmt: skip

# --- Ollama --------------------------------------------------------------------------------------

TIMES = {
    "total_duration": 5_000_000_000,
    "load_duration": 1_000_000,
    "prompt_eval_duration": 200_000_000,
    "eval_duration": 4_000_000_000,
}


def line(said: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "model": "qwen3:8b",
        "created_at": "2026-10-01T10:00:00.000000Z",
        "message": {"role": "assistant", "content": "", **said},
        "done": False,
        **more,
    }


LAST = {"done": True, "done_reason": "stop", **TIMES, "prompt_eval_count": 18, "eval_count": 33}


def ollama(url: str) -> Any:
    from ollama import Client

    return Client(host=url)


def chat(url: str) -> Iterable[str | None]:
    tool = {
        "type": "function",
        "function": {"name": "find_river", "description": "", "parameters": SCHEMA},
    }
    texts = {"thinking": "", "content": ""}
    for one in ollama(url).chat(
        "qwen3:8b",
        messages=[{**ASKED[0], "images": [b"\x89PNG" * 4]}],
        tools=[tool],
        think=True,
        stream=True,
    ):
        for name in texts:
            texts[name] += getattr(one.message, name) or ""
    return list(texts.values())


def chat_in_json(url: str) -> Iterable[str | None]:
    return [
        ollama(url).chat("qwen3:8b", messages=ASKED, format=SCHEMA, logprobs=True).message.content
    ]


def chat_until_it_fails(url: str) -> Iterable[str | None]:
    from ollama import ResponseError

    text = ""
    try:
        for one in ollama(url).chat("qwen3:8b", messages=ASKED, stream=True):
            text += one.message.content or ""
    except ResponseError:
        return [text]
    raise AssertionError("the client saw no error")


def embed_two(url: str) -> Iterable[str | None]:
    assert ollama(url).embed("nomic-embed-text", ["Ulm", "Bonn"]).embeddings == [
        [0.5, 0.25],
        [1.0, -1.0],
    ]
    return []


def load(url: str) -> Iterable[str | None]:
    assert ollama(url).generate("qwen3:8b", "", keep_alive=60).done_reason == "load"
    return []


def called(name: str) -> dict[str, Any]:
    return {"tool_calls": [{"function": {"name": name, "arguments": {"city": "Ulm"}}}]}


LOCAL: list[Case] = [
    ("ollama", "chat-stream", lines(line({"thinking": "Ulm is in"}), line({"thinking": " the south."}), line({"content": "I shall"}),
                                    line({"content": " look."}), line(called("find_river")), line(called("find_height")), line({}, **LAST)), chat),
    ("ollama", "schema", whole(line({"content": '{"city":"Ulm"}'}, **LAST, logprobs=[{"token": "{", "logprob": -0.25}, {"token": "Ulm", "logprob": -0.75}])), chat_in_json),
    ("ollama", "error-in-stream", Answer([*lines(line({"content": "Ulm lies"})).pieces, b'{"error":"model runner has unexpectedly stopped"}'], "application/x-ndjson"), chat_until_it_fails),
    ("ollama", "generate", whole({"model": "qwen3:8b", "created_at": "2026-10-01T10:00:00Z", "response": "On the Danube.", **LAST, "done_reason": "length"}),
     lambda url: [ollama(url).generate("qwen3:8b", QUESTION, system="Be brief.", suffix="Yes.").response]),
    ("ollama", "embed", whole({"model": "nomic-embed-text", "embeddings": [[0.5, 0.25], [1.0, -1.0]], "prompt_eval_count": 4, **TIMES}), embed_two),
    ("ollama", "load", whole({"model": "qwen3:8b", "created_at": "2026-10-01T10:00:00Z", "response": "", "done": True, "done_reason": "load"}), load),
]  # fmt: skip

# --- rerankers -----------------------------------------------------------------------------------

DOCUMENTS = ["Bonn lies on the Rhine.", "Ulm lies on the Danube.", "Oslo is cold."]
RANKED = [{"index": 1, "relevance_score": 0.97}, {"index": 0, "relevance_score": 0.12}]
WANTED = {"query": QUESTION, "documents": DOCUMENTS, "top_n": 2}
BARE = [{"index": 1, "score": 0.97}, {"index": 0, "score": 0.12}, {"index": 2, "score": 0.01}]


def cohere(url: str, *, is_v2: bool) -> Iterable[str | None]:
    from cohere import Client, ClientV2

    client = (ClientV2 if is_v2 else Client)(api_key="test", base_url=url)
    assert client.rerank(model="rerank-v3.5", **WANTED).results[0].index == 1
    return []


def posted(path: str, body: Any) -> Any:
    return lambda url: [None] if post(url, path, body) else []


MAKERS: list[Case] = [
    ("rerank", "cohere-v2", whole({"id": "r-1", "results": RANKED, "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}}), lambda url: cohere(url, is_v2=True)),
    ("rerank", "cohere-v1", whole({"id": "r-1", "results": RANKED, "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}}}), lambda url: cohere(url, is_v2=False)),
    ("rerank", "voyage", whole({"object": "list", "data": RANKED, "model": "rerank-2.5", "usage": {"total_tokens": 44}}), posted("/v1/rerank", {"model": "rerank-2.5", "query": QUESTION, "documents": DOCUMENTS, "top_k": 2})),
    ("rerank", "jina", whole({"model": "jina-reranker-v2", "object": "list", "usage": {"total_tokens": 44}, "results": [one | {"document": {"text": DOCUMENTS[one["index"]]}} for one in RANKED]}), posted("/v1/rerank", {"model": "jina-reranker-v2", **WANTED})),
    ("rerank", "tei", whole(BARE, headers={"x-compute-tokens": "44"}), posted("/rerank", {"query": QUESTION, "texts": DOCUMENTS, "raw_scores": False})),
    ("rerank", "vllm-score", whole({"id": "score-1", "object": "list", "created": 1760000000, "model": "bge-reranker", "data": [one | {"object": "score"} for one in BARE], "usage": {"prompt_tokens": 44, "total_tokens": 44}}), posted("/score", {"model": "bge-reranker", "text_1": QUESTION, "text_2": DOCUMENTS})),
]  # fmt: skip
