"""Cohere's clients of both versions: chats, streams, embeddings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.goldens.other_cases import ASKED, QUESTION, SCHEMA
from tests.protocols.goldens.scripted import Answer, Case, events, whole

TOOL = {"type": "function", "function": {"name": "find_river", "description": "", "parameters": SCHEMA}}  # fmt: skip
USED = {"billed_units": {"input_tokens": 9, "output_tokens": 33}, "tokens": {"input_tokens": 1209, "output_tokens": 40}, "cached_tokens": 1024}  # fmt: skip
CALL = {"id": "find_river_1", "type": "function", "function": {"name": "find_river", "arguments": '{"city":"Ulm"}'}}  # fmt: skip
DOCUMENTS = ["Ulm lies on the Danube."]
MODEL = "command-a-03-2025"


def client(url: str, *, is_v2: bool = True) -> Any:
    from cohere import Client, ClientV2

    return (ClientV2 if is_v2 else Client)(api_key="test", base_url=url)


def chat(url: str, **more: Any) -> Iterable[str | None]:
    found = client(url).chat(model=MODEL, messages=ASKED, **more)
    return [one.text for one in found.message.content or [] if one.type == "text"]


def chat_streamed(url: str) -> Iterable[str | None]:
    text = plan = ""
    for one in client(url).chat_stream(model=MODEL, messages=ASKED, tools=[TOOL]):
        if one.type == "content-delta":
            text += one.delta.message.content.text or ""
        elif one.type == "tool-plan-delta":
            plan += one.delta.message.tool_plan
    return [text, plan]


def chat_v1(url: str) -> Iterable[str | None]:
    history = [{"role": "CHATBOT", "message": "Hello."}]
    found = client(url, is_v2=False).chat(
        model=MODEL, message=QUESTION, chat_history=history, preamble="Be brief.", documents=[{"text": DOCUMENTS[0]}]
    )  # fmt: skip
    return [found.text]


def chat_v1_streamed(url: str) -> Iterable[str | None]:
    stream = client(url, is_v2=False).chat_stream(model=MODEL, message=QUESTION)
    return ["".join(one.text for one in stream if one.event_type == "text-generation")]


def embed(url: str) -> Iterable[str | None]:
    found = client(url).embed(
        model="embed-v4.0", texts=["Ulm", "Bonn"], input_type="search_document", embedding_types=["float", "int8"]
    )  # fmt: skip
    assert found.embeddings.float_ == [[0.5, 0.25], [1.0, -1.0]]
    return []


def said(**content: Any) -> dict[str, Any]:
    return {"type": "content-delta", "index": 0, "delta": {"message": {"content": content}}}


STREAM = [
    {"type": "message-start", "id": "c-1", "delta": {"message": {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I shall"}}},
    {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": " look."}}},
    {"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": CALL | {"function": {"name": "find_river", "arguments": ""}}}}},
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": '{"city":'}}}}},
    {"type": "tool-call-delta", "index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": '"Ulm"}'}}}}},
    {"type": "tool-call-end", "index": 0},
    {"type": "message-end", "id": "c-1", "delta": {"finish_reason": "TOOL_CALL", "usage": USED}},
]  # fmt: skip
THINKS = [
    STREAM[0],
    {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}},
    said(text="On the"),
    said(text=" Danube."),
    {"type": "content-end", "index": 0},
    {"type": "citation-start", "index": 0, "delta": {"message": {"citations": {"start": 7, "end": 13, "text": "Danube", "sources": []}}}},
    {"type": "message-end", "id": "c-1", "delta": {"finish_reason": "MAX_TOKENS", "usage": USED}},
]  # fmt: skip
FAILS = [*THINKS[:3], {"type": "message-end", "id": "c-1", "delta": {"error": "The model crashed.", "finish_reason": "ERROR"}}]  # fmt: skip
V1 = {"text": "On the Danube.", "generation_id": "g-1", "response_id": "r-1", "finish_reason": "COMPLETE", "chat_history": [], "meta": {"api_version": {"version": "1"}, **USED}}  # fmt: skip
V1_STREAM = [
    {"is_finished": False, "event_type": "stream-start", "generation_id": "g-1"},
    {"is_finished": False, "event_type": "text-generation", "text": "On the"},
    {"is_finished": False, "event_type": "text-generation", "text": " Danube."},
    {"is_finished": True, "event_type": "stream-end", "response": V1, "finish_reason": "COMPLETE"},
]
LINES = Answer([json.dumps(one).encode() + b"\n" for one in V1_STREAM], "application/stream+json")
CONTENT = [
    {"type": "thinking", "thinking": "It is a city."},
    {"type": "text", "text": '{"city":"Ulm"}'},
]
LIKELY = [{"text": '{"city":"Ulm"}', "token_ids": [1, 2], "logprobs": [-0.25, -0.75]}]
FORM = {"type": "json_object", "json_schema": SCHEMA}
CASES: list[Case] = [
    ("cohere", "chat", whole({"id": "c-1", "finish_reason": "COMPLETE", "message": {"role": "assistant", "content": CONTENT}, "usage": USED, "logprobs": LIKELY}), lambda url: chat(url, response_format=FORM, documents=DOCUMENTS, logprobs=True)),
    ("cohere", "tools", whole({"id": "c-1", "finish_reason": "TOOL_CALL", "message": {"role": "assistant", "tool_plan": "I shall look.", "tool_calls": [CALL]}, "usage": USED}), lambda url: chat(url, tools=[TOOL])),
    ("cohere", "stream", events(*THINKS, named=True), chat_streamed),
    ("cohere", "tools-stream", events(*STREAM, named=True), chat_streamed),
    ("cohere", "error-in-stream", events(*FAILS, named=True), chat_streamed),
    ("cohere", "v1-chat", whole(V1), chat_v1),
    ("cohere", "v1-stream", LINES, chat_v1_streamed),
    ("cohere", "embed", whole({"id": "e-1", "texts": ["Ulm", "Bonn"], "embeddings": {"float": [[0.5, 0.25], [1.0, -1.0]], "int8": [[1, 0], [2, -2]]}, "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}}, "response_type": "embeddings_by_type"}), embed),
]  # fmt: skip
