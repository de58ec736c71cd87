"""Logs as gateways, tracers and clients write them, of made-up chats of several lengths."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench import conversations

BEGIN = 1_793_000_000.0
MODEL = "llama-3.1-8b"


class Chat(NamedTuple):
    """What was asked and answered, with its number and the texts' characters."""

    number: int
    messages: list[dict[str, str]]
    answer: str
    asked: int
    told: int

    @property
    def at(self) -> float:
        """When it began, Unix seconds."""
        return BEGIN + self.number * 0.5

    @property
    def iso(self) -> str:
        """The same as text."""
        return datetime.fromtimestamp(self.at, UTC).isoformat()

    @property
    def end(self) -> str:
        """When it ended."""
        return datetime.fromtimestamp(self.at + 1.5, UTC).isoformat()


def chats(length: str, count: int, seed: int = 7) -> list[Chat]:
    """So many chats of a kind of LENGTHS."""
    said = islice(LENGTHS[length](random.Random(seed)), count)
    return [
        Chat(n, messages, answer, sum(len(one["content"]) for one in messages) // 4, len(answer) // 4)
        for n, (messages, answer) in enumerate(said)
    ]  # fmt: skip


Said = Iterator[tuple[list[dict[str, str]], str]]


def _unique(asked: int, told: int) -> Callable[[random.Random], Said]:
    def found(chance: random.Random) -> Said:
        while True:
            question = conversations.message(chance, asked)
            yield [{"role": "user", "content": question}], conversations.message(chance, told)

    return found


def _talks(chance: random.Random) -> Said:
    prompts = conversations.prompts(chance)
    while True:
        for request, response in conversations.conversation(chance, chance.choice(prompts)):
            answer = json.loads(response)["choices"][0]["message"]["content"]
            yield json.loads(request)["messages"], answer


LENGTHS: dict[str, Callable[[random.Random], Said]] = {
    "300 characters, all new": _unique(100, 200), "1,400 characters, all new": _unique(400, 1000),
    "8,000 characters, all new": _unique(3000, 5000), "conversations": _talks,
}  # fmt: skip
"""Texts that never come again, and conversations, which bring a system prompt and earlier turns with them."""

# --- formats -------------------------------------------------------------------------------------


def _completion(one: Chat) -> dict[str, Any]:
    usage = {
        "prompt_tokens": one.asked,
        "completion_tokens": one.told,
        "total_tokens": one.asked + one.told,
    }
    message = {"role": "assistant", "content": one.answer}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return {
        "id": f"chatcmpl-{one.number}", "object": "chat.completion", "created": int(one.at),
        "model": MODEL, "choices": [choice], "usage": usage,
    }  # fmt: skip


def _request(one: Chat) -> dict[str, Any]:
    return {"model": MODEL, "messages": one.messages, "temperature": 0.2}


def openai_jsonl(one: Chat) -> Any:
    """What an application keeps itself."""
    return {"timestamp": one.at, "request": _request(one), "response": _completion(one), "latency_ms": 1500,
            "status": 200, "metadata": {"team": f"t{one.number % 5}"}}  # fmt: skip


def openai_messages(one: Chat) -> Any:
    """A conversation as sets of them are published."""
    return {"conversation_id": f"c{one.number}", "model": MODEL, "timestamp": one.iso, "language": "English",
            "messages": [*one.messages, {"role": "assistant", "content": one.answer}]}  # fmt: skip


def openai_batch_asked(one: Chat) -> Any:
    """A request of a batch."""
    return {
        "custom_id": f"r{one.number}",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": _request(one),
    }


def openai_batch_told(one: Chat) -> Any:
    """An answer of a batch."""
    response = {"status_code": 200, "request_id": f"q{one.number}", "body": _completion(one)}
    return {
        "id": f"b{one.number}",
        "custom_id": f"r{one.number}",
        "response": response,
        "error": None,
    }


def langfuse(one: Chat) -> Any:
    """An observation."""
    return {
        "id": f"o{one.number}", "traceId": f"{one.number + 1:032x}", "projectId": "p", "type": "GENERATION", "name": "answer",
        "startTime": one.iso, "endTime": one.end, "level": "DEFAULT", "environment": "production",
        "userId": f"u{one.number % 90}", "input": one.messages, "output": {"role": "assistant", "content": one.answer},
        "model": MODEL, "modelParameters": {"temperature": 0.2}, "metadata": {"a": "b"},
        "usageDetails": {"input": one.asked, "output": one.told, "total": one.asked + one.told},
        "costDetails": {"input": 0.0002, "output": 0.0004, "total": 0.0006}, "promptName": "support", "promptVersion": 4,
    }  # fmt: skip


def litellm(one: Chat) -> Any:
    """A row of spend logs whose texts are stored."""
    return {
        "request_id": f"chatcmpl-{one.number}", "call_type": "acompletion", "api_key": "e4670a541c21be43cb34f5fd2e44c777",
        "cache_hit": "False", "startTime": one.iso, "endTime": one.end, "completionStartTime": one.end, "model": MODEL,
        "user": f"u{one.number % 90}", "team_id": f"t{one.number % 5}", "organization_id": "", "spend": 0.0006,
        "metadata": json.dumps({"user_api_key_alias": "support", "usage_object": {"prompt_tokens": one.asked}}),
        "prompt_tokens": one.asked, "completion_tokens": one.told, "total_tokens": one.asked + one.told,
        "messages": one.messages, "response": _completion(one), "request_tags": ["a"], "status": "success",
        "custom_llm_provider": "openai", "model_group": "g",
    }  # fmt: skip


def litellm_bare(one: Chat) -> Any:
    """The same without texts, as it is stored unless somebody asks for them."""
    return litellm(one) | {"messages": {}, "response": {}}


def helicone(one: Chat) -> Any:
    """A request with its bodies."""
    return {
        "request_id": f"q{one.number}", "request_created_at": one.iso, "request_path": "https://oai.example/v1/chat/completions",
        "request_user_id": f"u{one.number % 90}", "request_properties": {"team": f"t{one.number % 5}"}, "request_model": MODEL,
        "response_id": f"a{one.number}", "response_created_at": one.end, "response_status": 200, "response_model": MODEL,
        "request_body": _request(one), "response_body": _completion(one), "provider": "OPENAI", "delay_ms": 1500,
        "total_tokens": one.asked + one.told, "prompt_tokens": one.asked, "completion_tokens": one.told, "costUSD": 0.0006,
        "signed_body_url": None, "prompt_id": "support", "scores": {},
    }  # fmt: skip


def _attribute(key: str, value: Any) -> Any:
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def otel_genai(one: Chat) -> Any:
    """A request of OTLP with one span."""
    given = [
        {"role": each["role"], "parts": [{"type": "text", "content": each["content"]}]}
        for each in one.messages
    ]
    told = [
        {
            "role": "assistant",
            "parts": [{"type": "text", "content": one.answer}],
            "finish_reason": "stop",
        }
    ]
    said = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": MODEL,
        "gen_ai.response.model": MODEL, "gen_ai.response.id": f"a{one.number}", "gen_ai.usage.input_tokens": one.asked,
        "gen_ai.usage.output_tokens": one.told, "gen_ai.input.messages": json.dumps(given),
        "gen_ai.output.messages": json.dumps(told),
    }  # fmt: skip
    span = {
        "traceId": f"{one.number + 1:032x}", "spanId": f"{one.number + 1:016x}", "name": "chat", "kind": 3,
        "startTimeUnixNano": str(int(one.at * 1e9)), "endTimeUnixNano": str(int((one.at + 1.5) * 1e9)),
        "attributes": [_attribute(*each) for each in said.items()], "status": {},
    }  # fmt: skip
    resource = {"attributes": [_attribute("service.name", "support")]}
    return {
        "resourceSpans": [
            {"resource": resource, "scopeSpans": [{"scope": {"name": "a"}, "spans": [span]}]}
        ]
    }


def mlflow_traces(one: Chat) -> Any:
    """A trace with one span, the call of a model."""
    attributes = {
        "mlflow.spanType": "CHAT_MODEL", "mlflow.spanInputs": _request(one), "mlflow.spanOutputs": _completion(one),
        "mlflow.llm.model": MODEL,
        "mlflow.chat.tokenUsage": {"input_tokens": one.asked, "output_tokens": one.told, "total_tokens": one.asked + one.told},
    }  # fmt: skip
    span = {
        "trace_id": "VwZGS883NlcBQnigj/Q01Q==", "span_id": "zEMeZH+/ScI=", "parent_span_id": None, "name": "chat",
        "start_time_unix_nano": int(one.at * 1e9), "end_time_unix_nano": int((one.at + 1.5) * 1e9), "events": [],
        "status": {"code": "STATUS_CODE_OK", "message": ""},
        "attributes": {key: json.dumps(value) for key, value in attributes.items()},
    }  # fmt: skip
    info = {
        "trace_id": f"tr-{one.number:032x}", "request_time": one.iso, "state": "OK", "execution_duration_ms": 1500,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "1"}},
        "trace_metadata": {"mlflow.user": "root"}, "tags": {"team": f"t{one.number % 5}", "mlflow.traceName": "agent"},
        "request_preview": "", "response_preview": "",
    }  # fmt: skip
    return {"info": info, "data": {"spans": [span]}}


def nginx(one: Chat) -> str:
    """A line of an access log in the combined format, with the time that a request took."""
    at = datetime.fromtimestamp(one.at, UTC)
    target = ("/v1/chat/completions", "/v1/embeddings", f"/v1/files/{one.number % 997}")[
        one.number % 3
    ]
    status = 500 if one.number % 97 == 0 else 200
    return (
        f'10.0.{one.number % 7}.{one.number % 250} - - [{at:%d/%b/%Y:%H:%M:%S +0000}] "POST {target} HTTP/1.1" {status} '
        f'{200 + one.number * 37 % 4000} "-" "python-httpx/0.27" {one.number % 811 / 1000:.3f}'
    )


def nginx_json(one: Chat) -> Any:
    """The same as JSON."""
    target = ("/v1/chat/completions", "/v1/embeddings", f"/v1/files/{one.number % 997}")[
        one.number % 3
    ]
    return {
        "time_iso8601": one.iso, "msec": one.at, "remote_addr": f"10.0.0.{one.number % 250}", "request_method": "POST",
        "request_uri": target, "status": 500 if one.number % 97 == 0 else 200, "request_time": one.number % 811 / 1000,
        "upstream_response_time": "0.001", "upstream_status": "200", "body_bytes_sent": 200 + one.number * 37 % 4000,
        "host": "models.example.com", "http_user_agent": "httpx", "request_id": f"{one.number:032x}",
    }  # fmt: skip


def envoy(one: Chat) -> str:
    """A line of Envoy's own format."""
    target = ("/v1/chat/completions", "/v1/embeddings", f"/v1/files/{one.number % 997}")[
        one.number % 3
    ]
    status = 500 if one.number % 97 == 0 else 200
    return (
        f'[{datetime.fromtimestamp(one.at, UTC):%Y-%m-%dT%H:%M:%S}.{one.number % 2 * 500:03}Z] "POST {target} HTTP/1.1" {status} - '
        f'100 {one.number * 37 % 4000} {one.number % 811} 4 "-" "agent" "id-{one.number}" "api.example" "10.0.0.1:80"'
    )


CHATS: dict[str, tuple[Callable[[Chat], Any], ...]] = {
    "openai_jsonl": (openai_jsonl,), "openai_jsonl, messages": (openai_messages,),
    "openai_batch": (openai_batch_asked, openai_batch_told), "langfuse": (langfuse,), "litellm": (litellm,),
    "helicone": (helicone,), "otel_genai": (otel_genai,), "mlflow_traces": (mlflow_traces,),
}  # fmt: skip
ACCESS: dict[str, tuple[Callable[[Chat], Any], ...]] = {
    "litellm, no texts": (litellm_bare,), "nginx": (nginx,), "nginx, JSON": (nginx_json,), "envoy": (envoy,),
}  # fmt: skip
FORMATS = CHATS | ACCESS
"""What writes a line of each file of a log."""


def write(directory: Path, form: str, said: list[Chat]) -> Path:
    """A log in a directory of its own; its lines are as many as the chats."""
    directory.mkdir(parents=True)
    for make in FORMATS[form]:
        with (
            directory / f"{make.__name__}.{'log' if form in ('nginx', 'envoy') else 'jsonl'}"
        ).open("w") as out:
            for one in said:
                line = make(one)
                out.write(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False))
                out.write("\n")
    return directory
