"""How the goldens beside this file were made: by the libraries themselves, with personal data planted in them.

    python -m venv v && v/bin/pip install 'litellm[proxy]' langfuse mlflow-tracing openai opentelemetry-sdk \
        opentelemetry-exporter-otlp-proto-http && LITELLM_LOCAL_MODEL_COST_MAP=True v/bin/python make.py

| file | is what |
|---|---|
| litellm.jsonl | `get_logging_payload` of LiteLLM 1.110 gives its database, a row a line |
| langfuse.json | the models of Langfuse's API (5.0) give for a page of observations |
| mlflow_traces.jsonl | MLflow 3.17 gives for a trace (`Trace.to_json`), a trace a line |
| openai_batch.*.jsonl | bodies by the models of openai 3.57; the lines around them are as its guide has them |
| otel_genai.jsonl | the OTLP encoder (1.45) gives for a request of spans, as JSON with hexadecimal ids, a request a line |
| otel_console.json | `ConsoleSpanExporter` (1.45) prints |
| helicone.jsonl | written by hand after the documentation of Helicone's API: there is no library that makes it |
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EMAIL, CARD, KEY, PHONE = (
    "ada.lovelace@example.org", "4111 1111 1111 1111", "sk-proj-Zx8Qw3Er5Ty7Ui9Op1As3Df5Gh7Jk9Lz2Xc4Vb6Nm8Qw0Er2Ty4",
    "+49 171 5550187",
)  # fmt: skip
ASKED = f"My name is Ada Lovelace, mail me at {EMAIL} or call {PHONE}; I paid with {CARD}."
ANSWERED = f"Dear Ada, we have written to {EMAIL}. Your key {KEY} is revoked."
MESSAGES = [
    {"role": "system", "content": "You are a support agent."},
    {"role": "user", "content": ASKED},
]
START = dt.datetime(2026, 11, 2, 9, 0, 0, tzinfo=dt.UTC)


def completion(number: int, text: str = ANSWERED) -> Any:
    from openai.types.chat import ChatCompletion

    return ChatCompletion.model_validate({
        "id": f"chatcmpl-{number}", "object": "chat.completion", "created": int(START.timestamp()) + number, "model": "gpt-4o-2024-08-06",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": None}, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60, "prompt_tokens_details": {"cached_tokens": 8},
                  "completion_tokens_details": {"reasoning_tokens": 4}},
    })  # fmt: skip


def lines(name: str, rows: list[Any]) -> None:
    (HERE / name).write_text(
        "".join(
            (row if isinstance(row, str) else json.dumps(row, default=str)) + "\n" for row in rows
        )
    )


def litellm() -> None:
    os.environ["STORE_PROMPTS_IN_SPEND_LOGS"] = "true"
    import litellm as library
    from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload

    rows = []
    for number, (call, cached, failed) in enumerate((
        ("acompletion", False, False), ("acompletion", True, False), ("acompletion", False, True), ("anthropic_messages", False, False),
        ("aembedding", False, False),
    )):  # fmt: skip
        start = START + dt.timedelta(minutes=number)
        end = start if failed else start + dt.timedelta(seconds=2)
        metadata = {
            "user_api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b", "user_api_key_alias": "support",
            "user_api_key_team_id": "team-a", "user_api_key_user_id": EMAIL, "requester_ip_address": "203.0.113.7",
        }  # fmt: skip
        if failed:
            metadata["status"] = "failure"
            metadata["error_information"] = {"error_code": "429", "error_class": "RateLimitError", "llm_provider": "openai",
                                             "error_message": f"Rate limit for {EMAIL}", "traceback": ""}  # fmt: skip
        body = {"model": "gpt-4o", "messages": MESSAGES, "user": EMAIL}
        if call == "aembedding":
            body = {"model": "text-embedding-3-small", "input": ASKED}
        kwargs = {
            "model": body["model"], "messages": MESSAGES, "call_type": call, "cache_hit": cached, "user": EMAIL, "litellm_call_id": f"call-{number}",
            "response_cost": 0.0 if failed or cached else 0.00123, "completion_start_time": start + dt.timedelta(seconds=0.5),
            "custom_llm_provider": "openai", "optional_params": {},
            "litellm_params": {"metadata": metadata, "api_base": "https://api.openai.com/v1", "proxy_server_request": {"body": body}},
            "standard_logging_object": defaultdict(lambda: None, {"response": json.loads(completion(number).model_dump_json()), "messages": MESSAGES, "metadata": {}}) if call == "acompletion" and not failed else None,
        }  # fmt: skip
        answer: Any = {} if failed else library.ModelResponse(**completion(number).model_dump())
        if call == "aembedding":
            answer = library.EmbeddingResponse(model="text-embedding-3-small", data=[{"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}],
                                               usage={"prompt_tokens": 12, "total_tokens": 12})  # fmt: skip
        row = dict(
            get_logging_payload(kwargs=kwargs, response_obj=answer, start_time=start, end_time=end)
        )
        if not failed:
            row["status"] = "success"
        rows.append(row)
    lines("litellm.jsonl", rows)


def langfuse() -> None:
    from langfuse.api import ObservationsV2Meta, ObservationsV2Response, ObservationV2
    from langfuse.api.core.pydantic_utilities import parse_obj_as

    def observation(number: int, kind: str, **fields: Any) -> Any:
        start = START + dt.timedelta(minutes=number)
        return parse_obj_as(ObservationV2, {
            "id": f"obs-{number}", "traceId": f"{number + 1:032x}", "projectId": "p", "type": kind, "name": "answer", "startTime": start,
            "endTime": start + dt.timedelta(seconds=2), "level": "DEFAULT", "environment": "production", "userId": EMAIL, "version": "3",
        } | fields)  # fmt: skip

    call = {
        "completionStartTime": START + dt.timedelta(seconds=0.4), "input": json.dumps(MESSAGES),
        "output": json.dumps({"role": "assistant", "content": ANSWERED}), "model": "gpt-4o", "modelParameters": {"temperature": 0.2},
        "usageDetails": {"input": 32, "input_cached_tokens": 8, "output": 16, "output_reasoning_tokens": 4, "total": 60},
        "costDetails": {"input": 0.0002, "output": 0.0004, "total": 0.0006}, "promptName": "support", "promptVersion": 4,
        "metadata": {"note": f"asked by {EMAIL}"},
    }  # fmt: skip
    page = ObservationsV2Response(
        data=[
            observation(0, "GENERATION", **call),
            observation(1, "SPAN", input=ASKED, output=ANSWERED),
            observation(2, "GENERATION", **call | {"level": "ERROR", "output": None, "statusMessage": f"no quota for {EMAIL}", "usageDetails": {}, "costDetails": {}, "completionStartTime": None}),
            observation(3, "EVENT"),
            observation(4, "GENERATION", **call | {"input": json.dumps({"messages": MESSAGES}), "output": ANSWERED, "endTime": None, "completionStartTime": None}),
        ],
        meta=ObservationsV2Meta(cursor=None),
    )  # fmt: skip
    (HERE / "langfuse.json").write_text(json.dumps(json.loads(page.json()), indent=1) + "\n")


def mlflow() -> None:
    os.environ |= {
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false",
    }
    import mlflow as library
    from mlflow.entities import SpanType
    from mlflow.tracing.export import mlflow_v3
    from mlflow.tracing.processor import mlflow_v3 as processor

    rows: list[str] = []
    processor.get_experiment_id_for_trace = lambda _: "1"  # there is no server to ask
    mlflow_v3.MlflowV3SpanExporter._export_spans_incrementally = lambda *_: None  # type: ignore[method-assign]
    mlflow_v3.MlflowV3SpanExporter._do_export_trace = lambda self, manager, span: rows.append(  # type: ignore[method-assign]
        manager.pop_trace(span.context.trace_id).trace.to_json()
    )
    for number in range(3):
        with library.start_span("agent", span_type=SpanType.AGENT) as agent:
            agent.set_inputs({"question": ASKED})
            library.update_current_trace(tags={"team": "a"}, metadata={"mlflow.trace.user": EMAIL})
            with library.start_span("chat", span_type=SpanType.CHAT_MODEL) as span:
                span.set_inputs({"model": "gpt-4o", "messages": MESSAGES})
                if number == 1:
                    span.set_status("ERROR")
                else:
                    span.set_outputs(json.loads(completion(number).model_dump_json()))
                    span.set_attribute(
                        "mlflow.chat.tokenUsage",
                        {"input_tokens": 40, "output_tokens": 20, "total_tokens": 60},
                    )
                span.set_attribute("mlflow.llm.model", "gpt-4o")
            agent.set_attribute(
                "mlflow.chat.tokenUsage",
                {"input_tokens": 40, "output_tokens": 20, "total_tokens": 60},
            )
            agent.set_outputs(ANSWERED)
    library.flush_trace_async_logging(terminate=True)
    lines("mlflow_traces.jsonl", rows)


def openai_batch() -> None:
    asked = [
        {"custom_id": f"r-{n}", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "gpt-4o", "messages": MESSAGES}} for n in range(4)
    ]  # fmt: skip
    said = [
        {"id": f"batch_req_{n}", "custom_id": f"r-{n}", "response": {"status_code": 200, "request_id": f"q{n}", "body": json.loads(completion(n).model_dump_json())}, "error": None}
        for n in (2, 0)
    ]  # fmt: skip
    failed = [
        {"id": "batch_req_1", "custom_id": "r-1", "response": {"status_code": 400, "request_id": "q1", "body": {"error": {"message": f"no account of {EMAIL}", "type": "invalid_request_error"}}}, "error": None},
        {"id": "batch_req_3", "custom_id": "r-3", "response": None, "error": {"code": "batch_expired", "message": "This request could not be executed before the completion window expired."}},
    ]  # fmt: skip
    for name, rows in (("input", asked), ("output", said), ("errors", failed)):
        lines(f"openai_batch.{name}.jsonl", rows)
    lines("openai_jsonl.jsonl", [
        {"request": {"model": "gpt-4o", "messages": MESSAGES}, "response": json.loads(completion(n).model_dump_json()), "latency_ms": 900, "status_code": 200,
         "timestamp": (START + dt.timedelta(minutes=n)).isoformat(), "metadata": {"team": "a", "user": EMAIL}} for n in range(3)
    ])  # fmt: skip


def otel() -> None:
    from google.protobuf import json_format
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import SpanKind, StatusCode

    kept = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource({"service.name": "support", "deployment.environment.name": "production"})
    )
    provider.add_span_processor(SimpleSpanProcessor(kept))
    console = (HERE / "otel_console.json").open("w")
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=console)))
    tracer = provider.get_tracer("goldens")
    nano = int(START.timestamp()) * 10**9
    new = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": "chatcmpl-1", "gen_ai.response.finish_reasons": ["stop"], "gen_ai.usage.input_tokens": 40, "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 8, "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": ASKED}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": ANSWERED}], "finish_reason": "stop"}]),
        "gen_ai.system_instructions": json.dumps([{"type": "text", "content": "You are a support agent."}]),
    }  # fmt: skip
    old = {"gen_ai.system": "openai", "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 40,
           "gen_ai.usage.completion_tokens": 20}  # fmt: skip
    with tracer.start_as_current_span(
        "invoke_agent",
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": "openai",
            "gen_ai.usage.input_tokens": 80,
            "gen_ai.usage.output_tokens": 40,
        },
    ):
        tracer.start_span("chat gpt-4o", kind=SpanKind.CLIENT, attributes=new, start_time=nano).end(
            nano + 2 * 10**9
        )
        span = tracer.start_span(
            "chat gpt-4o", kind=SpanKind.CLIENT, attributes=old, start_time=nano + 60 * 10**9
        )
        span.add_event("gen_ai.user.message", {"content": ASKED})
        span.add_event(
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": json.dumps({"content": ANSWERED})},
        )
        span.end(nano + 63 * 10**9)
        span = tracer.start_span(
            "chat gpt-4o",
            kind=SpanKind.CLIENT,
            attributes={**old, "error.type": "429"},
            start_time=nano + 120 * 10**9,
        )
        span.set_status(StatusCode.ERROR, f"no quota for {EMAIL}")
        span.end(nano + 121 * 10**9)
        numbered = {"gen_ai.system": "openai", "llm.request.type": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": ASKED,
                    "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": ANSWERED}  # fmt: skip
        tracer.start_span(
            "openai.chat", kind=SpanKind.CLIENT, attributes=numbered, start_time=nano + 180 * 10**9
        ).end(nano + 182 * 10**9)
        tracer.start_span("GET /", attributes={"http.request.method": "GET"}).end()
    console.close()

    def row(spans: Any) -> Any:
        found = json_format.MessageToDict(encode_spans(spans))
        for resource in found["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for one in scope["spans"]:
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in one:
                            one[key] = base64.b64decode(one[key]).hex()
        return found

    spans = kept.get_finished_spans()
    lines("otel_genai.jsonl", [row(spans[:2]), row(spans[2:])])


if __name__ == "__main__":
    for make in (litellm, langfuse, mlflow, openai_batch, otel):
        make()
