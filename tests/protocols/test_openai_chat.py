"""OpenAI's chat dialect, plain and streamed."""

from __future__ import annotations

import base64
import functools
import json
import math
import operator
import re
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.protocols.openai_chat import PROTOCOL
from monitor.types import Call, Tokens

Make = Callable[..., Call]


def test_a_plain_answer(call: Make) -> None:
    """Messages one by one, tool calls, usage, finish reasons, the answer's model."""
    request = {
        "model": "gpt",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Weather?"}]},
        ],
    }
    tool = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at":"B"}'}}
    answer = {
        "model": "gpt-2024",
        "choices": [
            {"index": 0, "finish_reason": "tool_calls",
             "message": {"role": "assistant", "content": "One moment.", "tool_calls": [tool]}},
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4},
    }  # fmt: skip
    made = call("/v1/chat/completions", json.dumps(request).encode(), json.dumps(answer).encode())
    assert PROTOCOL.claims(made)
    seen = PROTOCOL.read(made)
    assert (seen.operation, seen.model) == ("chat", "gpt-2024")
    assert [(p.role, p.text) for p in seen.inputs] == [
        ("system", "Be brief."),
        ("user", "Weather?"),
    ]
    texts = " ".join(p.text or str(p.data) for p in seen.outputs)
    assert "One moment." in texts
    assert '"at":"B"' in texts.replace(" ", "")
    assert seen.tokens == Tokens(9, 4)
    assert seen.finish_reasons == ["tool_calls"]
    assert not seen.streamed


def test_what_is_said_beside_the_texts(call: Make) -> None:
    """Parts of the tokens, the answer's id and tier, log-probabilities, tools and schema."""
    schema = {"type": "object", "required": ["city"]}
    request = {
        "model": "gpt", "messages": [],
        "tools": [{"type": "function", "function": {"name": "find", "parameters": schema}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}},
    }  # fmt: skip
    answer = {
        "id": "chatcmpl-1", "model": "gpt-2024", "service_tier": "flex",
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "{}"},
                     "logprobs": {"content": [{"logprob": -0.5}, {"logprob": -1.5}, {"logprob": None}]}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 50,
                  "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 5},
                  "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 2}},
    }  # fmt: skip
    seen = PROTOCOL.read(
        call("/v1/chat/completions", json.dumps(request).encode(), json.dumps(answer).encode())
    )
    assert seen.tokens == Tokens(
        100, 50, cached=60, cache_write=10, reasoning=30, audio_input=5, audio_output=2
    )
    assert (seen.response_id, seen.service_tier) == ("chatcmpl-1", "flex")
    assert seen.confidence == pytest.approx(math.exp(-1.0))
    assert seen.confidence_min == pytest.approx(math.exp(-1.5))
    assert (seen.model, seen.requested_model) == ("gpt-2024", "gpt")
    assert (seen.tools, seen.schema, seen.wants_json) == ({"find": schema}, schema, True)


@pytest.mark.parametrize("logprobs", [None, [], {"content": [{}]}, {"content": 3},
                                      {"content": [{"logprob": -9999.0}, {"logprob": 2}, {"logprob": "a"}]},
                                      {"token_logprobs": [None]}])  # fmt: skip
def test_no_probability_is_made_of_what_is_none(call: Make, logprobs: object) -> None:
    """Empty, odd or impossible log-probabilities say nothing, and cost nothing else."""
    choice = {"message": {"content": "a"}, "logprobs": logprobs, "finish_reason": "stop"}
    seen = PROTOCOL.read(
        call("/v1/chat/completions", b"{}", json.dumps({"choices": [choice]}).encode())
    )
    assert (seen.confidence, seen.confidence_min) == (None, None)
    assert [part.text for part in seen.outputs] == ["a"]


def event(delta: dict[str, object], index: int = 0, **more: object) -> bytes:
    choice = {"index": index, "delta": delta, **more}
    return f"data: {json.dumps({'model': 'm', 'choices': [choice]})}\n\n".encode()


def test_a_stream_is_joined_per_choice(call: Make) -> None:
    """Two choices interleaved; the role-only event is no content; usage comes last."""
    parts = [
        event({"role": "assistant"}), event({"content": "a"}), event({"content": "x"}, 1),
        event({"content": "b"}), event({"content": "y"}, 1), event({}, finish_reason="stop"),
        event({}, 1, finish_reason="length"),
        b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}\n\n',
        b"data: [DONE]\n\n",
    ]  # fmt: skip
    body, chunks, size = b"", [], 0
    for place, part in enumerate(parts):
        body += part
        size += len(part)
        chunks.append((float(place), size))
    made = call("/v1/chat/completions", b'{"model":"m","stream":true}', body,
                answer_type="text/event-stream", chunks=chunks)  # fmt: skip
    seen = PROTOCOL.read(made)
    assert [p.text for p in seen.outputs] == ["ab", "xy"]
    assert (seen.first_token, seen.last_token) == (1.0, 4.0)
    assert seen.tokens == Tokens(1, 2)
    assert sorted(seen.finish_reasons) == ["length", "stop"]
    assert seen.streamed


def test_an_error_inside_a_stream_is_a_failure(call: Make) -> None:
    """The status said 200 and was wrong."""
    body = event({"content": "a"}) + b'data: {"error": {"message": "out of memory"}}\n\n'
    made = call("/v1/chat/completions", b"{}", body, answer_type="text/event-stream")
    assert PROTOCOL.read(made).failed


@pytest.mark.parametrize("coding", ["float", "base64"])
def test_embeddings_are_one_tensor(call: Make, coding: str) -> None:
    """As lists, or packed as OpenAI's clients ask for them; rows are the inputs."""
    vectors = [[0.5, -1.0, 2.0], [1.5, 0.0, 4.0]]
    items: list[object] = list(vectors)
    if coding == "base64":
        items = [base64.b64encode(struct.pack("<3f", *row)).decode() for row in vectors]
    answer = {
        "model": "e",
        "data": [{"index": n, "embedding": item} for n, item in enumerate(items)],
        "usage": {"prompt_tokens": 4, "total_tokens": 4},
    }
    request = json.dumps({"model": "e", "input": ["a", "b"]}).encode()
    seen = PROTOCOL.read(call("/v1/embeddings", request, json.dumps(answer).encode()))
    assert seen.operation == "embeddings"
    (part,) = seen.outputs
    assert (part.name, part.shape, part.data) == (
        "embedding",
        [2, 3],
        functools.reduce(operator.iadd, vectors, []),
    )
    assert seen.tokens == Tokens(4, 0)


def test_what_is_said_in_a_sound_is_text(call: Make) -> None:
    """Plain with its size, streamed as it comes."""
    message = {
        "role": "assistant",
        "content": None,
        "audio": {"transcript": "Ulm.", "data": "abcd"},
    }
    whole = json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()
    found = PROTOCOL.read(call("/v1/chat/completions", b"{}", whole))
    assert [part.text for part in found.outputs] == ["Ulm.", "[audio 3 bytes]"]
    body = b"".join(
        event({"audio": one})
        for one in ({"data": "YWI="}, {"transcript": "Ul"}, {"transcript": "m."})
    )
    chunks = [(float(place), match.end()) for place, match in enumerate(re.finditer(b"\n\n", body))]
    made = call("/v1/chat/completions", b"{}", body, answer_type="text/event-stream", chunks=chunks)
    found = PROTOCOL.read(made)
    assert [part.text for part in found.outputs] == ["Ulm.", "[audio 2 bytes]"]
    assert (found.first_token, found.last_token) == (0.0, 2.0)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b'{"model": "m", "content": "Ulm."}', "application/json"),
     (b'data: {"model": "m", "content": "Ulm.", "stop": true}\n\n', "text/event-stream"),
     (b"data: Ulm.\n\n", "text/event-stream")],
    ids=["whole", "streamed", "text"],
)  # fmt: skip
def test_an_answer_of_another_dialect_is_read_as_any_json(
    call: Make, answer: bytes, kind: str
) -> None:
    """Some servers have their own under `/completions`; it would look cut, and be lost."""
    found = PROTOCOL.read(call("/completions", b'{"prompt": "x"}', answer, answer_type=kind))
    assert not found.incomplete
    assert found.outputs != []
    assert all(part.role != "error" for part in found.outputs)


def test_rows_of_embeddings_stand_in_order_of_their_index(call: Make) -> None:
    """Servers answer in the order they finish."""
    data = [{"index": 1, "embedding": [1.0]}, {"index": 0, "embedding": [0.0]}]
    (part,) = PROTOCOL.read(
        call("/v1/embeddings", b"{}", json.dumps({"data": data}).encode())
    ).outputs
    assert part.data == [0.0, 1.0]


def test_the_model_may_stand_in_the_path(call: Make) -> None:
    """As a deployment; the answer's own name comes first."""
    path = "/openai/deployments/gpt-4o-eu/chat/completions?api-version=2024-10-21"
    assert PROTOCOL.read(call(path, b'{"messages": []}', b"{}")).model == "gpt-4o-eu"
    assert (
        PROTOCOL.read(call(path, b'{"messages": []}', b'{"model": "gpt-4o", "choices": []}')).model
        == "gpt-4o"
    )


def test_usage_may_come_in_pieces_and_with_a_choice(call: Make) -> None:
    """Each count takes the place of its own alone; running totals are not added up."""
    first = b'data: {"choices": [], "usage": {"prompt_tokens": 9}}\n\n'
    totals = [event({"content": "a"}, usage={"completion_tokens": n}) for n in (1, 2)]
    body = first + b"".join(totals) + event({}, finish_reason="stop", usage=None)
    made = call("/v1/chat/completions", b"{}", body, answer_type="text/event-stream")
    assert PROTOCOL.read(made).tokens == Tokens(9, 2)


@pytest.mark.parametrize("depth", [5, 50, 300, 450, 600, 5000])
def test_deep_contents_are_read_whatever_their_depth(call: Make, depth: int) -> None:
    """As text, without an exception."""
    content = b'[{"type":"tool_result","content":' * depth + b'"x"' + b"}]" * depth
    body = b'{"messages":[{"role":"user","content":' + content + b"}]}"
    (part,) = PROTOCOL.read(call("/v1/chat/completions", body)).inputs
    assert "x" in (part.text or "")


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200), answer=st.binary(max_size=200), stream=st.booleans())
def test_any_bytes_are_read(call: Make, body: bytes, answer: bytes, stream: bool) -> None:
    """No exception; the operation is known from the path."""
    kind = "text/event-stream" if stream else "application/json"
    seen = PROTOCOL.read(call("/v1/chat/completions", body, answer, answer_type=kind))
    assert seen.operation == "chat"


def stream(call: Make, *events: bytes, asked: dict[str, object] | None = None) -> Any:
    body = b"".join(events)
    request = json.dumps(asked or {}).encode()
    made = call("/v1/chat/completions", request, body, answer_type="text/event-stream")
    return PROTOCOL.read(made)


def chunk(**more: object) -> bytes:
    return f"data: {json.dumps(more)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def test_azures_filter_events_cost_nothing(call: Make) -> None:
    """A first event without choices, later ones whose choice has no delta and no model (autogen
    6465): the model, the text and the first token are those of the model's own events."""
    annotated = {
        "index": 0,
        "finish_reason": None,
        "content_filter_results": {},
        "content_filter_offsets": {},
    }
    found = stream(
        call,
        chunk(model="", choices=[], prompt_filter_results=[{"prompt_index": 0}]),
        event({"content": "Ulm."}),
        chunk(model="", id="", choices=[annotated]),
        event({}, finish_reason="stop"),
        DONE,
    )
    assert (found.model, found.finish_reasons) == ("m", ["stop"])
    assert [part.text for part in found.outputs] == ["Ulm."]
    assert not found.incomplete


def test_a_content_may_be_a_list_of_texts_thoughts_and_references(call: Make) -> None:
    """As Mistral writes it, whole and in deltas."""
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Ulm."},
        {"type": "reference", "reference_ids": [1]},
    ]
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    whole = json.dumps({"choices": [choice]}).encode()
    right = [("reasoning", "Hm."), ("assistant", "Ulm.")]
    for found in (
        PROTOCOL.read(call("/v1/chat/completions", b"{}", whole)),
        stream(call, *(event({"content": [one]}) for one in content), DONE),
    ):
        assert [(part.role, part.text) for part in found.outputs] == right


def test_arguments_may_be_an_object(call: Make) -> None:
    """As Mistral and Ollama write them."""
    tool = {"id": "1", "function": {"name": "find", "arguments": {"at": "Ulm"}}}
    found = stream(call, event({"tool_calls": [tool]}), event({}, finish_reason="tool_calls"), DONE)
    assert [part.text for part in found.outputs] == ['{"name":"find","arguments":{"at":"Ulm"}}']


@pytest.mark.parametrize("index", [0, None])
def test_parallel_calls_under_one_index_are_told_apart(call: Make, index: int | None) -> None:
    """Ollama sends each under the index 0, older builds under none (ollama 15457, 7881)."""
    calls_ = [
        {"index": index, "id": name, "function": {"name": name, "arguments": "{}"}}
        for name in ("get", "put")
    ]
    found = stream(call, *(event({"tool_calls": [one]}) for one in calls_), DONE)
    assert [part.text for part in found.outputs] == [
        '{"name":"get","arguments":{}}', '{"name":"put","arguments":{}}',
    ]  # fmt: skip


def test_running_totals_are_not_added_up(call: Make) -> None:
    """vLLM's `continuous_usage_stats` says them with every event (talos-argocd-proxmox 2019)."""
    totals = [
        chunk(choices=[{"index": 0, "delta": {"content": "a"}}],
              usage={"prompt_tokens": 6179, "completion_tokens": number})
        for number in range(1, 223)
    ]  # fmt: skip
    found = stream(call, *totals, event({}, finish_reason="stop"), DONE)
    assert found.tokens == Tokens(6179, 222)


def test_without_usage_no_count_is_known(call: Make) -> None:
    """Not even 0 (loom 377)."""
    found = stream(call, event({"content": "a"}), event({}, finish_reason="stop"), DONE)
    assert found.tokens is None


@pytest.mark.parametrize(
    "error",
    [chunk(choices=[], error={"code": 502, "message": "gone"}), chunk(error={"message": "gone"}),
     b'event: error\ndata: {"message": "gone"}\n\n'],
    ids=["beside no choices", "alone", "named"],
)  # fmt: skip
def test_a_stream_that_ends_in_an_error_is_no_success(call: Make, error: bytes) -> None:
    """Whichever form it has (OmniRoute 8210, guidellm 743); what came before stays."""
    found = stream(call, event({"content": "Ulm"}), error, DONE)
    assert found.failed
    assert [part.role for part in found.outputs] == ["assistant", "error"]


def test_deepseeks_cache_is_part_of_the_input(call: Make) -> None:
    """Its own words for what came from the cache."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "prompt_cache_hit_tokens": 6,
        "prompt_cache_miss_tokens": 4,
    }
    answer = json.dumps({"choices": [], "usage": usage}).encode()
    found = PROTOCOL.read(call("/v1/chat/completions", b"{}", answer))
    assert found.tokens == Tokens(10, 2, cached=6)


@pytest.mark.parametrize(
    ("asked", "right"),
    [({"echo": True, "prompt": "Where? "}, 0.5), ({"echo": True, "prompt": ["Where? "], "n": 2}, 0.5),
     ({"echo": True, "prompt": [7, 8]}, None), ({"prompt": "Where? "}, math.exp((-2 + math.log(0.5)) / 2))],
    ids=["echo", "echo of a list", "echo of ids", "no echo"],
)  # fmt: skip
def test_an_echoed_prompt_is_not_weighed(
    call: Make, asked: dict[str, object], right: float | None
) -> None:
    """Its log-probabilities stand before those of the answer; where it ends, the offsets say."""
    logprobs = {"token_logprobs": [None, -2.0, math.log(0.5)], "text_offset": [0, 3, 7]}
    answer = {"choices": [{"index": 0, "text": "Where? Ulm.", "logprobs": logprobs}]}
    made = call("/v1/completions", json.dumps(asked).encode(), json.dumps(answer).encode())
    found = PROTOCOL.read(made)
    assert found.confidence == (None if right is None else pytest.approx(right))


@pytest.mark.parametrize(
    "asked",
    [{"guided_json": {"type": "object"}}, {"guided_json": '{"type": "object"}'},
     {"structured_outputs": {"json": {"type": "object"}}}, {"json_schema": {"type": "object"}},
     {"response_format": {"type": "json_object", "schema": {"type": "object"}}},
     {"response_format": {"type": "json", "value": {"type": "object"}}},
     {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "object"}}}}],
    ids=["vLLM", "as text", "vLLM's new", "llama.cpp", "llama.cpp's format", "TGI", "OpenAI"],
)  # fmt: skip
def test_a_schema_may_be_asked_for_in_many_ways(call: Make, asked: dict[str, object]) -> None:
    """One for each server."""
    found = PROTOCOL.read(call("/v1/chat/completions", json.dumps(asked).encode()))
    assert (found.wants_json, found.schema) == (True, {"type": "object"})


def test_a_prediction_is_an_input(call: Make) -> None:
    """The text that the client expects, beside the messages."""
    asked = {"messages": [], "prediction": {"type": "content", "content": "Ulm."}}
    found = PROTOCOL.read(call("/v1/chat/completions", json.dumps(asked).encode()))
    assert [(part.role, part.text) for part in found.inputs] == [("prediction", "Ulm.")]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("asked", "datatype", "form"),
    [({"output_dtype": "int8"}, "INT8", "b"), ({"output_dtype": "ubinary"}, "UINT8", "B"),
     ({"embedding_type": "binary"}, "INT8", "b"), ({}, "FP32", "f")],
)  # fmt: skip
def test_embeddings_may_be_whole_numbers(
    call: Make, asked: dict[str, object], datatype: str, form: str, packed: bool
) -> None:
    """As the request asked for: a byte each, in lists or packed."""
    row = [1, 2, 3]
    item = base64.b64encode(struct.pack(f"<3{form}", *row)).decode() if packed else row
    answer = json.dumps({"data": [{"index": 0, "embedding": item}]}).encode()
    made = call("/v1/embeddings", json.dumps({"input": "a", **asked}).encode(), answer)
    (part,) = PROTOCOL.read(made).outputs
    assert (part.datatype, part.shape, part.data) == (datatype, [1, 3], row)


def test_media_are_named_by_kind_type_and_size(call: Make) -> None:
    """Sizes are those of the bytes; addresses stand without their query, which may be a key."""
    content = [
        {"type": "text", "text": "Look."},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0K"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png?sig=secret"}},
        {"type": "input_audio", "input_audio": {"data": "YWI=", "format": "wav"}},
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,YWI="},
        },
    ]
    asked = json.dumps({"messages": [{"role": "user", "content": content}]}).encode()
    (part,) = PROTOCOL.read(call("/v1/chat/completions", asked)).inputs
    assert (part.text or "").split("\n") == [
        "Look.", "[image image/png 6 bytes]", "[image https://example.com/a.png]",
        "[audio wav 2 bytes]", "[file application/pdf 2 bytes]",
    ]  # fmt: skip


def test_a_fragment_that_repeats_the_text_so_far_is_added_to_it(call: Make) -> None:
    """A laugh is one; other dialects repeat all of the text with every event."""
    found = stream(
        call,
        event({"content": "ha"}),
        event({"content": "ha"}),
        event({}, finish_reason="stop"),
        DONE,
    )
    assert [part.text for part in found.outputs] == ["haha"]
