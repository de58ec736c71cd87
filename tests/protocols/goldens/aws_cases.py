"""AWS's client: Bedrock's Converse and the bodies of models' families, SageMaker's endpoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.goldens.other_cases import QUESTION, SCHEMA
from tests.protocols.goldens.scripted import Answer, Case, aws, framed, whole

REQUEST_ID = {"x-amzn-RequestId": "6f2c0f5e-0000-4000-8000-000000000001"}


def client(url: str, name: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(user_agent="boto3", retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(name, region_name="eu-central-1", endpoint_url=url, config=config, **keys)


# --- Converse ------------------------------------------------------------------------------------

NOVA = "eu.amazon.nova-pro-v1:0"
TOOLS = {"tools": [{"toolSpec": {"name": "find_river", "description": "Find.", "inputSchema": {"json": SCHEMA}}}]}  # fmt: skip
ASKED = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}]}
LONG = {
    "system": [{"text": "Answer in one sentence."}, {"cachePoint": {"type": "default"}}],
    "messages": [
        {"role": "user", "content": [{"text": "What is this?"}, {"image": {"format": "png", "source": {"bytes": b"\x89PNG" * 4}}}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "t0", "name": "find_river", "input": {"city": "Ulm"}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "t0", "content": [{"json": {"river": "Danube"}}], "status": "success"}}]},
    ],
    "toolConfig": TOOLS,
    "requestMetadata": {"team": "rivers"},
    "serviceTier": {"type": "priority"},
}  # fmt: skip
CACHED = {
    "inputTokens": 21, "outputTokens": 90, "totalTokens": 3183, "cacheReadInputTokens": 1024, "cacheWriteInputTokens": 2048,
    "cacheDetails": [{"ttl": "1h", "inputTokens": 512}, {"ttl": "5m", "inputTokens": 1536}],
}  # fmt: skip


def answered(*blocks: Any, reason: str = "end_turn", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": list(blocks)}
    return {"output": {"message": message}, "stopReason": reason, "usage": CACHED, "metrics": {"latencyMs": 900}, **more}  # fmt: skip


def converse(url: str, model: str, **asked: Any) -> Iterable[str | None]:
    found = client(url, "bedrock-runtime").converse(modelId=model, **asked)
    return [one.get("text") for one in found["output"]["message"]["content"]]


def converse_streamed(url: str, model: str, *, fails: bool = False) -> Iterable[str | None]:
    from botocore.exceptions import EventStreamError

    texts: dict[int, str] = {}
    stream = client(url, "bedrock-runtime").converse_stream(
        modelId=model, **ASKED, toolConfig=TOOLS
    )
    has_failed = False
    try:
        for event in stream["stream"]:
            item = event.get("contentBlockDelta", {"delta": {}})
            delta, place = item["delta"], item.get("contentBlockIndex", 0)
            texts[place] = texts.get(place, "") + delta.get("text", "")
            texts[place] += delta.get("reasoningContent", {}).get("text", "")
    except EventStreamError:
        has_failed = True
    assert has_failed == fails
    return list(texts.values())


def event(name: str, document: dict[str, Any]) -> tuple[str, bytes]:
    return name, json.dumps(
        {**document, "p": "abcdefghijklmnopqrstuvwxyzABCDEF"[: len(name)]}
    ).encode()


def block(place: int, *deltas: dict[str, Any], start: Any = None) -> list[tuple[str, bytes]]:
    begin = (
        [event("contentBlockStart", {"contentBlockIndex": place, "start": start})] if start else []
    )
    return [
        *begin,
        *(event("contentBlockDelta", {"contentBlockIndex": place, "delta": one}) for one in deltas),
        event("contentBlockStop", {"contentBlockIndex": place}),
    ]


BEGIN = event("messageStart", {"role": "assistant"})
SAYS = block(0, {"text": "I shall"}, {"text": " look."})
THINKS = block(0, {"reasoningContent": {"text": "Ulm is in"}}, {"reasoningContent": {"text": " the south."}}, {"reasoningContent": {"signature": "EqQB" * 9}})  # fmt: skip
LOOKS = block(1, {"text": "I shall"}, {"text": " look."})
FINDS = block(2, {"toolUse": {"input": '{"city":'}}, {"toolUse": {"input": ' "Ulm"}'}}, start={"toolUse": {"toolUseId": "t1", "name": "find_river"}})  # fmt: skip
USED = event("metadata", {"usage": CACHED, "metrics": {"latencyMs": 900}, "serviceTier": {"type": "default"}})  # fmt: skip
WAIT = json.dumps({"message": "Too many tokens, please wait before trying again."}).encode()

# --- bodies of families --------------------------------------------------------------------------

COUNTED = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 18, "outputTokenCount": 33, "invocationLatency": 900, "firstByteLatency": 200}}  # fmt: skip


def invoke(url: str, model: str, body: Any, *path: Any) -> Iterable[str | None]:
    found = client(url, "bedrock-runtime").invoke_model(modelId=model, body=json.dumps(body))
    value = json.loads(found["body"].read())
    for step in path:
        value = value[step]
    return [value if isinstance(value, str) else None]


def invoke_streamed(url: str, model: str, body: Any) -> Iterable[str | None]:
    found = client(url, "bedrock-runtime").invoke_model_with_response_stream(
        modelId=model, body=json.dumps(body)
    )
    text = ""
    for one in found["body"]:
        item = json.loads(one["chunk"]["bytes"])
        text += item.get("generation") or item.get("delta", {}).get("text", "")
        text += item.get("contentBlockDelta", {"delta": {}})["delta"].get("text", "")
    return [text]


def chunks(*documents: Any) -> Answer:
    found = []
    for one in documents:
        data = base64.b64encode(json.dumps(one).encode()).decode()
        found.append(("chunk", json.dumps({"bytes": data, "p": "abcdefgh"}).encode()))
    return aws(*found, headers=REQUEST_ID | {"x-amzn-bedrock-content-type": "application/json"})


CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDE_ASKED = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 99, "messages": [{"role": "user", "content": QUESTION}]}  # fmt: skip
CLAUDE_SAYS = [
    {"type": "message_start", "message": {"id": "msg_bdrk_01", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5-20250929", "content": [], "stop_reason": None, "usage": {"input_tokens": 18, "cache_read_input_tokens": 100, "output_tokens": 1}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "On the"}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " Danube."}},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": 33}},
    {"type": "message_stop", **COUNTED},
]  # fmt: skip
LLAMA = "meta.llama3-1-8b-instruct-v1:0"
LLAMA_SAYS = {"generation": "On the Danube.", "prompt_token_count": 18, "generation_token_count": 33, "stop_reason": "length"}  # fmt: skip
LLAMA_STREAM = [
    {"generation": "On the", "prompt_token_count": 18, "generation_token_count": 1, "stop_reason": None},
    {"generation": " Danube.", "prompt_token_count": None, "generation_token_count": 33, "stop_reason": "stop", **COUNTED},
]  # fmt: skip
NOVA_STREAM = [
    {"messageStart": {"role": "assistant"}},
    {"contentBlockDelta": {"delta": {"text": "On the"}, "contentBlockIndex": 0}},
    {"contentBlockDelta": {"delta": {"text": " Danube."}, "contentBlockIndex": 0}},
    {"contentBlockStop": {"contentBlockIndex": 0}},
    {"messageStop": {"stopReason": "max_tokens"}},
    {"metadata": {"usage": {"inputTokens": 18, "outputTokens": 33}, "metrics": {}}, **COUNTED},
]
NOVA_ASKED = ASKED | {"schemaVersion": "messages-v1", "inferenceConfig": {"maxTokens": 99}}
TITAN = "amazon.titan-text-express-v1"
TITAN_SAYS = {"inputTextTokenCount": 18, "results": [{"tokenCount": 33, "outputText": "On the Danube.", "completionReason": "FINISH"}]}  # fmt: skip
MISTRAL_SAYS = {"outputs": [{"text": "On the Danube.", "stop_reason": "stop"}]}
IN_HEADERS = REQUEST_ID | {"X-Amzn-Bedrock-Input-Token-Count": "18", "X-Amzn-Bedrock-Output-Token-Count": "33"}  # fmt: skip
GPT = "openai.gpt-oss-20b-1:0"
GPT_SAYS = {"id": "chatcmpl-1", "object": "chat.completion", "model": GPT, "choices": [{"index": 0, "message": {"role": "assistant", "content": "On the Danube."}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 18, "completion_tokens": 33, "total_tokens": 51}}  # fmt: skip
ROUTER = "arn:aws:bedrock:eu-central-1:123456789012:default-prompt-router/anthropic.claude:1"
ROUTED = {"trace": {"promptRouter": {"invokedModelId": f"arn:aws:bedrock:eu-central-1::foundation-model/{CLAUDE}"}}}  # fmt: skip
PROMPT = "arn:aws:bedrock:eu-central-1:123456789012:prompt/PROMPT1234:3"
FORM = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"name": "city", "schema": json.dumps(SCHEMA)}}}}  # fmt: skip


def count(url: str) -> Iterable[str | None]:
    found = client(url, "bedrock-runtime").count_tokens(modelId=CLAUDE, input={"converse": ASKED})
    assert found["inputTokens"] == 18
    return []


BEDROCK = "bedrock"
CASES: list[Case] = [
    (BEDROCK, "converse", whole(answered({"reasoningContent": {"reasoningText": {"text": "It is a city.", "signature": "EqQB" * 9}}}, {"text": "I shall look."}, {"toolUse": {"toolUseId": "t1", "name": "find_river", "input": {"city": "Ulm"}}}, reason="tool_use", serviceTier={"type": "priority"}), headers=REQUEST_ID),
     lambda url: converse(url, NOVA, **LONG)),
    (BEDROCK, "guardrail", whole(answered({"text": "I cannot say."}, reason="guardrail_intervened", usage={"inputTokens": 18, "outputTokens": 4, "totalTokens": 22})), lambda url: converse(url, CLAUDE, **ASKED)),
    (BEDROCK, "router", whole(answered({"text": '{"city": "Ulm"}'}, **ROUTED)), lambda url: converse(url, ROUTER, **ASKED, outputConfig=FORM)),
    (BEDROCK, "prompt", whole(answered({"text": "On the Danube."})), lambda url: converse(url, PROMPT, promptVariables={"city": {"text": "Ulm"}})),
    (BEDROCK, "converse-stream", aws(BEGIN, *THINKS, *LOOKS, *FINDS, event("messageStop", {"stopReason": "tool_use"}), USED, headers=REQUEST_ID), lambda url: converse_streamed(url, CLAUDE)),
    (BEDROCK, "throttled-in-stream", aws(BEGIN, *SAYS[:1], ("throttlingException", WAIT)), lambda url: converse_streamed(url, CLAUDE, fails=True)),
    (BEDROCK, "failed-in-stream", aws(BEGIN, *SAYS[:1], ("modelStreamErrorException", WAIT)), lambda url: converse_streamed(url, CLAUDE, fails=True)),
    (BEDROCK, "count-tokens", whole({"inputTokens": 18}), count),
    (BEDROCK, "invoke-claude-stream", chunks(*CLAUDE_SAYS), lambda url: invoke_streamed(url, CLAUDE, CLAUDE_ASKED)),
    (BEDROCK, "invoke-llama", whole(LLAMA_SAYS, headers=IN_HEADERS | {"x-amzn-bedrock-service-tier": "flex"}), lambda url: invoke(url, LLAMA, {"prompt": QUESTION}, "generation")),
    (BEDROCK, "invoke-llama-stream", chunks(*LLAMA_STREAM), lambda url: invoke_streamed(url, LLAMA, {"prompt": QUESTION})),
    (BEDROCK, "invoke-nova-stream", chunks(*NOVA_STREAM), lambda url: invoke_streamed(url, NOVA, NOVA_ASKED)),
    (BEDROCK, "invoke-titan", whole(TITAN_SAYS), lambda url: invoke(url, TITAN, {"inputText": QUESTION}, "results", 0, "outputText")),
    (BEDROCK, "invoke-titan-embed", whole({"embedding": [0.5, 0.25], "inputTextTokenCount": 18, "embeddingsByType": {"float": [0.5, 0.25]}}), lambda url: invoke(url, "amazon.titan-embed-text-v2:0", {"inputText": QUESTION})),
    (BEDROCK, "invoke-mistral", whole(MISTRAL_SAYS, headers=IN_HEADERS), lambda url: invoke(url, "mistral.mistral-7b-instruct-v0:2", {"prompt": QUESTION}, "outputs", 0, "text")),
    (BEDROCK, "invoke-gpt", whole(GPT_SAYS), lambda url: invoke(url, GPT, {"messages": [{"role": "user", "content": QUESTION}]}, "choices", 0, "message", "content")),
]  # fmt: skip

# --- SageMaker -----------------------------------------------------------------------------------


def rows(url: str) -> Iterable[str | None]:
    found = client(url, "sagemaker-runtime").invoke_endpoint(
        EndpointName="churn", ContentType="text/csv", Body="41,0.5\n35,0.25\n", TargetVariant="b"
    )
    assert len(json.loads(found["Body"].read())["predictions"]) == 2
    return []


def streamed(url: str, *, fails: bool = False) -> Iterable[str | None]:
    from botocore.exceptions import EventStreamError

    asked = {"model": "llama", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    found = client(url, "sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="chat", ContentType="application/json", Body=json.dumps(asked)
    )
    body, has_failed = b"", False
    try:
        for one in found["Body"]:
            body += one["PayloadPart"]["Bytes"]
    except EventStreamError:
        has_failed = True
    assert has_failed == fails
    events = [json.loads(one[6:]) for one in body.split(b"\n\n") if one.startswith(b"data: {")]
    return ["".join(one["choices"][0]["delta"].get("content", "") for one in events)]


def delta(text: str, reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
    document = {"id": "chatcmpl-1", "model": "llama", "choices": [choice]}
    return f"data: {json.dumps(document, ensure_ascii=False)}\n\n".encode()


SAID = delta("In Ulm fließt") + delta(" die Donau.") + delta("", "stop") + b"data: [DONE]\n\n"
CUT = SAID.index("ß".encode()) + 1
PARTS = [SAID[:20], SAID[20:CUT], SAID[CUT:-30], SAID[-30:]]


def parts(*pieces: bytes, error: bytes = b"") -> Answer:
    headers = {":event-type": "PayloadPart", ":content-type": "application/octet-stream", ":message-type": "event"}  # fmt: skip
    found = [framed(headers, one) for one in pieces]
    if error:
        found.append(framed({":exception-type": "ModelStreamError", ":content-type": "application/json", ":message-type": "exception"}, error))  # fmt: skip
    return Answer(found, "application/vnd.amazon.eventstream", headers={"X-Amzn-SageMaker-Content-Type": "text/event-stream", "x-Amzn-Invoked-Production-Variant": "AllTraffic"})  # fmt: skip


CASES += [
    ("sagemaker", "rows", whole({"predictions": [{"score": 0.9, "predicted_label": 1}, {"score": 0.1, "predicted_label": 0}]}), rows),
    ("sagemaker", "chat-stream", parts(*PARTS), streamed),
    ("sagemaker", "failed-in-stream", parts(SAID[:CUT], SAID[CUT : SAID.index(b"\n\n") + 2], error=json.dumps({"ErrorCode": "ModelInvocationTimeExceeded", "Message": "The model was too slow."}).encode()), lambda url: streamed(url, fails=True)),
]  # fmt: skip
