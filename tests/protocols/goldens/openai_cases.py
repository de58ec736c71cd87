"""OpenAI's chat completions, completions and embeddings, asked by the client `openai`."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterable
from typing import Any

from tests.protocols.goldens.scripted import Answer, Case, events, whole

DONE = b"data: [DONE]\n\n"
SCHEMA = {
    "type": "object",
    "properties": {"river": {"type": "string"}},
    "required": ["river"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
    for name in ("find_river", "find_height")
]  # fmt: skip
ASKED = [
    {"role": "system", "content": "Answer in one sentence."},
    {"role": "user", "content": "Which river does Ulm lie on?"},
]


def client(url: str) -> Any:
    from openai import OpenAI

    return OpenAI(base_url=f"{url}/v1", api_key="sk-test", max_retries=0)


def chunk(*choices: Any, **more: Any) -> dict[str, Any]:
    return {
        "id": "chatcmpl-B1", "object": "chat.completion.chunk", "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18", "service_tier": "default", "system_fingerprint": "fp_1",
        "choices": list(choices), **more,
    }  # fmt: skip


def choice(delta: dict[str, Any], reason: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


USAGE = {
    "prompt_tokens": 1042, "completion_tokens": 48, "total_tokens": 1090,
    "prompt_tokens_details": {"cached_tokens": 1024, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 16, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0},
}  # fmt: skip


def completion(*choices: Any, **more: Any) -> Answer:
    return whole({
        "id": "chatcmpl-A1", "object": "chat.completion", "created": 1760000000,
        "model": "gpt-4o-mini-2024-07-18", "choices": list(choices), "usage": USAGE,
        "service_tier": "default", "system_fingerprint": "fp_1", **more,
    })  # fmt: skip


def message(
    content: str | None, index: int = 0, reason: str = "stop", **more: Any
) -> dict[str, Any]:
    said = {"role": "assistant", "content": content, "refusal": None, "annotations": [], **more}
    return {"index": index, "message": said, "logprobs": None, "finish_reason": reason}


def weigh(**tokens: float) -> dict[str, Any]:
    content = [
        {"token": token, "logprob": at, "bytes": list(token.encode()), "top_logprobs": []}
        for token, at in tokens.items()
    ]
    return {"logprobs": {"content": content, "refusal": None}}


def ask_twice(url: str) -> Iterable[str | None]:
    found = client(url).chat.completions.create(
        model="gpt-4o-mini", messages=ASKED, n=2, logprobs=True, tools=TOOLS, service_tier="auto",
        response_format={"type": "json_schema", "json_schema": {"name": "river", "strict": True, "schema": SCHEMA}},
    )  # fmt: skip
    return [one.message.content for one in found.choices]


def ask_streamed(url: str, **more: Any) -> Iterable[str | None]:
    given = {"model": "gpt-4o-mini", "messages": ASKED, **more}
    texts: dict[Any, str] = {}
    for event in client(url).chat.completions.create(
        **given, stream=True, stream_options={"include_usage": True}
    ):
        for one in event.choices:
            texts[one.index] = texts.get(one.index, "") + (one.delta.content or "")
            for call in one.delta.tool_calls or []:
                key = (one.index, call.index)
                texts[key] = (
                    texts.get(key, "")
                    + (call.function.name or "")
                    + (call.function.arguments or "")
                )
    return list(texts.values())


def ask_in_azure(url: str) -> Iterable[str | None]:
    from openai import AzureOpenAI

    azure = AzureOpenAI(azure_endpoint=url, api_key="test", api_version="2024-10-21", max_retries=0)
    stream = azure.chat.completions.create(model="river-eu", messages=ASKED, stream=True)
    texts = [
        one.delta.content or ""
        for event in stream
        for one in event.choices
        if one.delta is not None
    ]
    return ["".join(texts)]


def ask_until_it_fails(url: str) -> Iterable[str | None]:
    from openai import APIError

    texts = []
    try:
        for event in client(url).chat.completions.create(model="m", messages=ASKED, stream=True):
            texts += [one.delta.content or "" for one in event.choices]
    except APIError:
        return ["".join(texts)]
    raise AssertionError("the client saw no error")


def be_refused(url: str) -> Iterable[str | None]:
    from openai import RateLimitError

    try:
        client(url).chat.completions.create(model="m", messages=ASKED)
    except RateLimitError:
        return []
    raise AssertionError("the client saw no error")


def hear(url: str) -> Iterable[str | None]:
    content = [
        {"type": "text", "text": "What is said here, and what is seen?"},
        {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"RIFF" * 8).decode(), "format": "wav"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(b"\x89PNG" * 4).decode()}},
    ]  # fmt: skip
    found = client(url).chat.completions.create(
        model="gpt-4o-audio-preview", messages=[{"role": "user", "content": content}],
        modalities=["text", "audio"], audio={"voice": "alloy", "format": "mp3"},
    )  # fmt: skip
    return [found.choices[0].message.audio.transcript]


def complete(url: str) -> Iterable[str | None]:
    found = client(url).completions.create(
        model="davinci-002", prompt="Ulm lies on", echo=True, logprobs=1, max_tokens=3
    )
    return [one.text for one in found.choices]


def embed(url: str) -> Iterable[str | None]:
    found = client(url).embeddings.create(model="text-embedding-3-small", input=["Ulm", "Bonn"])
    assert [one.embedding for one in found.data] == [[1.5, -2.0], [0.25, 0.5]]
    return []


def packed(*values: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


TEXT = [chunk(choice({"role": "assistant", "content": "", "refusal": None}))] + [
    chunk(choice({"content": word})) for word in ("Ulm", " lies", " on the", " Danube", ".")
]
TOOL_DELTAS = [
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "find_river", "arguments": ""}},
    {"index": 0, "function": {"arguments": '{"city"'}}, {"index": 0, "function": {"arguments": ':"Ulm"}'}},
    {"index": 1, "id": "call_2", "type": "function", "function": {"name": "find_height", "arguments": ""}},
    {"index": 1, "function": {"arguments": '{"city":"Ulm"}'}},
]  # fmt: skip
FILTER = {
    "hate": {"filtered": False, "severity": "safe"},
    "violence": {"filtered": False, "severity": "safe"},
}
AZURE = [
    chunk(id="", model="", object="", created=0, prompt_filter_results=[{"prompt_index": 0, "content_filter_results": FILTER}]),
    chunk(choice({"role": "assistant", "content": ""})), chunk(choice({"content": "On the Danube."})),
    chunk({"index": 0, "finish_reason": None, "content_filter_results": FILTER,
           "content_filter_offsets": {"check_offset": 0, "start_offset": 0, "end_offset": 14}}, id="", model="", object="", created=0),
    chunk(choice({}, "stop")),
]  # fmt: skip
THOUGHTS = [
    chunk(choice({"role": "assistant", "content": ""}), model="qwen3", service_tier=None),
    chunk(choice({"reasoning_content": "The user asks"}), model="qwen3", service_tier=None),
    chunk(choice({"reasoning": " for a river."}), model="qwen3", service_tier=None),
    chunk(choice({"content": "The Danube."}), model="qwen3", service_tier=None),
    chunk(choice({}, "stop"), model="qwen3", service_tier=None),
    chunk(model="qwen3", service_tier=None, usage={"prompt_tokens": 31, "total_tokens": 52, "completion_tokens": 21, "prompt_tokens_details": None}),
]  # fmt: skip
FAILING = [
    *TEXT[:3],
    {
        "error": {
            "message": "The server had an error",
            "type": "server_error",
            "param": None,
            "code": None,
        }
    },
]
LIMITED = whole(
    {"error": {"message": "Rate limit reached", "type": "tokens", "param": None, "code": "rate_limit_exceeded"}},
    status="429 Too Many Requests", headers={"retry-after": "1"},
)  # fmt: skip
SPOKEN = {
    "id": "audio_1",
    "data": base64.b64encode(b"ID3" * 9).decode(),
    "expires_at": 1760003600,
    "transcript": "A lion roars over Ulm.",
}
HEARD = {
    "prompt_tokens": 300, "completion_tokens": 120, "total_tokens": 420,
    "prompt_tokens_details": {"cached_tokens": 0, "text_tokens": 40, "audio_tokens": 200, "image_tokens": 60},
    "completion_tokens_details": {"reasoning_tokens": 0, "text_tokens": 20, "audio_tokens": 100},
}  # fmt: skip
ECHO = {
    "id": "cmpl-1", "object": "text_completion", "created": 1760000000, "model": "davinci-002",
    "choices": [{"text": "Ulm lies on the Danube", "index": 0, "finish_reason": "length", "logprobs": {
        "tokens": ["U", "lm", " lies", " on", " the", " Danube"], "token_logprobs": [None, -7.5, -2.5, -1.25, -0.5, -0.25],
        "top_logprobs": None, "text_offset": [0, 1, 3, 8, 11, 15]}}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
}  # fmt: skip
VECTORS = {
    "object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4},
    "data": [{"object": "embedding", "index": 0, "embedding": packed(1.5, -2.0)}, {"object": "embedding", "index": 1, "embedding": packed(0.25, 0.5)}],
}  # fmt: skip
CHAT = "openai_chat"
CASES: list[Case] = [
    (CHAT, "two-choices", completion(
        message('{"river":"Danube"}') | weigh(**{'{"': -0.01, "river": -0.5, '":"': -0.25, "Danube": -1.5, '"}': -0.25}),
        message('{"river":"Donau"}', 1) | weigh(**{'{"river":"': -0.5, "Donau": -2.5, '"}': -0.5})), ask_twice),
    (CHAT, "stream", events(*TEXT, chunk(choice({}, "stop")), chunk(usage=USAGE), end=DONE), ask_streamed),
    (CHAT, "stream-two-tools", events(
        chunk(choice({"role": "assistant", "content": None})), *(chunk(choice({"tool_calls": [one]})) for one in TOOL_DELTAS),
        chunk(choice({}, "tool_calls")), chunk(usage=USAGE), end=DONE), lambda url: ask_streamed(url, tools=TOOLS)),
    (CHAT, "azure-filters", events(*AZURE, end=DONE), ask_in_azure),
    (CHAT, "vllm-reasoning", events(*THOUGHTS, end=DONE), lambda url: ask_streamed(url, model="qwen3")),
    (CHAT, "error-in-stream", events(*FAILING), ask_until_it_fails),
    (CHAT, "rate-limited", LIMITED, be_refused),
    (CHAT, "audio", completion(message(None, audio=SPOKEN), model="gpt-4o-audio-preview-2025-06-03", usage=HEARD), hear),
    (CHAT, "refusal", completion(message(None) | {"message": {"role": "assistant", "content": None, "refusal": "I cannot help with that."}}),
     lambda url: [client(url).chat.completions.create(model="gpt-4o-mini", messages=ASKED).choices[0].message.refusal]),
    (CHAT, "completion-echo", whole(ECHO), complete),
    (CHAT, "embeddings-base64", whole(VECTORS), embed),
]  # fmt: skip

MODERATED = {"id": "modr-1", "model": "omni-moderation-latest", "results": [
    {"flagged": flagged, "categories": {"harassment": flagged, "violence": flagged, "self-harm": False},
     "category_scores": {"harassment": low, "violence": high, "self-harm": 0.0001},
     "category_applied_input_types": {"harassment": ["text"], "violence": ["text"], "self-harm": ["text"]}}
    for flagged, low, high in ((False, 0.002, 0.01), (True, 0.6, 0.95))]}  # fmt: skip


def moderate(url: str) -> Iterable[str | None]:
    found = client(url).moderations.create(
        model="omni-moderation-latest", input=["Have a good day.", "I will hurt you."]
    )
    assert [one.flagged for one in found.results] == [False, True]
    return []


CASES.append(("openai_moderations", "two-texts", whole(MODERATED), moderate))

ITEMS: dict[str, Any] = {
    "text": {"type": "output_text", "text": "Ulm lies on the Danube.", "annotations": [], "logprobs": []},
    "search": {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "Ulm river"}},
    "call": {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "find_river", "arguments": '{"city":"Ulm"}'},
    "thought": {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Ulm is in the south."}]},
}  # fmt: skip
SAID = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [ITEMS["text"]],
}
TOLD = {
    "input_tokens": 328, "input_tokens_details": {"cached_tokens": 256}, "output_tokens": 52,
    "output_tokens_details": {"reasoning_tokens": 32}, "total_tokens": 380,
}  # fmt: skip


def response(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1", "object": "response", "created_at": 1760000000, "status": status, "background": False,
        "error": None, "incomplete_details": None, "instructions": None, "model": "gpt-5-mini-2025-08-07",
        "output": list(output), "parallel_tool_calls": True, "service_tier": "default", "temperature": 1.0,
        "tool_choice": "auto", "tools": [], "top_p": 1.0, "usage": TOLD, "metadata": {}, **more,
    }  # fmt: skip


def sequence(*said: dict[str, Any]) -> Answer:
    return events(
        *({**one, "sequence_number": number} for number, one in enumerate(said)), named=True
    )


def respond(url: str, **more: Any) -> Iterable[str | None]:
    given = {
        "model": "gpt-5-mini",
        "input": "Which river does Ulm lie on?",
        "instructions": "Answer in one sentence.",
        **more,
    }
    return [client(url).responses.create(**given).output_text]


def respond_streamed(url: str) -> Iterable[str | None]:
    texts: dict[int, str] = {}
    stream = client(url).responses.create(
        model="gpt-5-mini", stream=True, tools=[{"type": "function", "name": "find_river", "parameters": SCHEMA, "strict": True}],
        input=[{"role": "user", "content": [{"type": "input_text", "text": "Which river does Ulm lie on?"}]}],
    )  # fmt: skip
    for event in stream:
        if event.type in ("response.output_text.delta", "response.function_call_arguments.delta"):
            texts[event.output_index] = texts.get(event.output_index, "") + event.delta
    return [text.partition("{")[0] for text in texts.values()]


def delta(kind: str, place: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "type": f"response.{kind}.delta",
        "item_id": f"item_{place}",
        "output_index": place,
        "content_index": 0,
        "delta": text,
        **more,
    }


PENDING = {"output": [], "usage": None}
BEGUN = [
    {"type": "response.created", "response": response(status="in_progress") | PENDING},
    {"type": "response.in_progress", "response": response(status="in_progress") | PENDING},
    {"type": "response.output_item.added", "output_index": 0, "item": ITEMS["thought"] | {"summary": []}},
    {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": "Ulm is in"},
    {"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": 0, "delta": " the south."},
    {"type": "response.output_item.done", "output_index": 0, "item": ITEMS["thought"]},
    {"type": "response.output_item.added", "output_index": 1, "item": SAID | {"content": [], "status": "in_progress"}},
    {"type": "response.content_part.added", "item_id": "msg_1", "output_index": 1, "content_index": 0, "part": ITEMS["text"] | {"text": ""}},
    delta("output_text", 1, "Ulm lies on", logprobs=[]), delta("output_text", 1, " the Danube.", logprobs=[]),
]  # fmt: skip
DONE_TEXT = {
    "type": "response.output_text.done",
    "item_id": "msg_1",
    "output_index": 1,
    "content_index": 0,
    "text": "Ulm lies on the Danube.",
    "logprobs": [],
}
CALLED = [
    DONE_TEXT, {"type": "response.output_item.done", "output_index": 1, "item": SAID},
    {"type": "response.output_item.added", "output_index": 2, "item": ITEMS["call"] | {"arguments": "", "status": "in_progress"}},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": '{"city":'},
    {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 2, "delta": '"Ulm"}'},
    {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 2, "name": "find_river", "arguments": '{"city":"Ulm"}'},
    {"type": "response.output_item.done", "output_index": 2, "item": ITEMS["call"]},
]  # fmt: skip
COMPLETED = {
    "type": "response.completed",
    "response": response(ITEMS["thought"], SAID, ITEMS["call"]),
}
CUT = {
    "type": "response.incomplete",
    "response": response(
        ITEMS["thought"],
        SAID | {"status": "incomplete"},
        status="incomplete",
        incomplete_details={"reason": "max_output_tokens"},
    ),
}
FAILED = {
    "type": "response.failed",
    "response": response(
        status="failed", error={"code": "server_error", "message": "The model failed."}
    )
    | PENDING,
}
WEIGHED = ITEMS["text"] | {
    "logprobs": [
        {"token": token, "logprob": at, "bytes": [], "top_logprobs": []}
        for token, at in (("Ulm", -0.25), (" lies", -0.75))
    ]
}
RESPONSES = "openai_responses"
FORM = {"format": {"type": "json_schema", "name": "river", "strict": True, "schema": SCHEMA}}
STORED = {"id": "pmpt_1", "version": "2", "variables": {"city": "Ulm"}}
CASES += [
    (RESPONSES, "plain", whole(response(ITEMS["thought"], ITEMS["search"], SAID | {"content": [WEIGHED]})),
     lambda url: respond(url, text=FORM, prompt=STORED, include=["message.output_text.logprobs"], tools=[{"type": "web_search"}])),
    (RESPONSES, "stream", sequence(*BEGUN, *CALLED, COMPLETED), respond_streamed),
    (RESPONSES, "stream-cut-by-length", sequence(*BEGUN, DONE_TEXT, CUT), respond_streamed),
    (RESPONSES, "stream-failed", sequence(*BEGUN, FAILED), respond_streamed),
    (RESPONSES, "background", whole(response(status="queued", background=True) | PENDING), lambda url: respond(url, background=True)),
    (RESPONSES, "background-fetched", whole(response(SAID, background=True)), lambda url: [client(url).responses.retrieve("resp_1").output_text]),
    (RESPONSES, "fetched-again", whole(response(SAID)), lambda url: [client(url).responses.retrieve("resp_1").output_text]),
    (RESPONSES, "count-tokens", whole({"object": "response.input_tokens", "input_tokens": 17}),
     lambda url: [str(client(url).responses.input_tokens.count(model="gpt-5-mini", input="Which river?").input_tokens)][:0]),
]  # fmt: skip
