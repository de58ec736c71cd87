"""A law of all protocols: a record is no larger than eight times its bodies and heads, and 4 KB."""

from __future__ import annotations

import contextlib
import json
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import ParseError
from monitor.meters import Meters
from monitor.privacy.patterns import Scanner
from monitor.privacy.pseudonyms import Key, Keyring
from monitor.privacy.records import Privacy
from monitor.protocols import PROTOCOLS
from monitor.recorder import calls
from monitor.recorder.capture import Capture
from monitor.types import Call, Exchange, Message, Outcome, Record, encode_record
from tests.protocols.dialects import framed

Make = Callable[..., Call]

PLAIN = Privacy(scanner=Scanner(()), keyring=Keyring((Key("k1", bytes(32)),)), clock=lambda: 0.0)
CAPTURE = Capture("e", PROTOCOLS, [], PLAIN, Meters("recorder", "e"))

JSON, EVENTS, LINES = "application/json", "text/event-stream", "application/x-ndjson"
AWS = "application/vnd.amazon.eventstream"
PATHS = {
    "/v1/chat/completions": "openai_chat", "/v1/completions": "openai_chat",
    "/v1/embeddings": "openai_chat", "/v1/messages": "anthropic_messages",
    "/v1/responses": "openai_responses", "/v1beta/models/m:generateContent": "gemini",
    "/v1beta/models/m:streamGenerateContent": "gemini", "/serving-endpoints/m/invocations": "mlflow", "/predictions/m": "torchserve",
    "/api/chat": "ollama", "/v2/chat": "cohere",
    "/api/generate": "ollama", "/v2/models/m/infer": "kserve_v2", "/v2/models/m/generate": "triton_generate",
    "/v1/models/m:predict": "kserve_v1", "/v1/models/m/versions/1:predict": "tensorflow_serving", "/api/v1.0/predictions": "seldon", "/invocations": "sagemaker",
    "/model/m/converse": "bedrock", "/model/m/invoke": "bedrock", "/endpoints/m/invocations": "sagemaker",
    "/v1/moderations": "openai_moderations", "/v2/rerank": "rerank",
    "/v1/audio/transcriptions": "openai_audio", "/v1/audio/speech": "openai_audio",
    "/v1/images/generations": "openai_images", "/any": "generic_json",
}  # fmt: skip


def exchange(path: str, body: bytes, answer: bytes, kind: str, head: str = "") -> Exchange:
    request = f"POST {path} HTTP/1.1\r\ncontent-type: {head or JSON}\r\n\r\n".encode()
    response = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n".encode()
    return Exchange(
        "id", 1.0, 1.0, Message(request, body, len(body)), Message(response, answer, len(answer)),
        [(0.5, len(answer))], Outcome.OK,
    )  # fmt: skip


def recorded(asked: Exchange) -> Record:
    """The record, once it is known to be small enough."""
    assert asked.response is not None
    messages = (asked.request, asked.response)
    given_ = sum(len(one.head) + len(one.body) for one in messages)
    record, _ = CAPTURE.read(asked)
    assert len(encode_record(record)) <= 8 * given_ + 4096
    return record


def packed(value: Any) -> bytes:
    return msgspec.json.encode(value)


def binary(datatype: str, data: bytes) -> tuple[bytes, str]:
    """A V2 request of one binary tensor, and its heads."""
    parameters = {"binary_data_size": len(data)}
    tensor = {"name": "x", "datatype": datatype, "shape": [9], "parameters": parameters}
    head = packed({"inputs": [tensor]})
    return head + data, f"{JSON}\r\ninference-header-content-length: {len(head)}"


DIFFERENT = [{f"k{number}": 1} for number in range(2500)]
NESTED: Any = {str(number): number % 10 for number in range(250)}
for step in range(10):
    NESTED = {f"k{step}" * 150: NESTED}
WIDE = [{f"c{number}": 1 for number in range(250)}, *({} for _ in range(6000))]
EMPTY: list[dict[str, Any]] = [{} for _ in range(20_000)]
SMALLEST_HALVES = struct.pack("<60000H", *[1] * 60_000)


@pytest.mark.parametrize(
    ("path", "body", "head"),
    [
        ("/any", packed(DIFFERENT), ""), ("/any", packed(NESTED), ""), ("/any", packed(WIDE), ""),
        ("/any", packed({"x" * 80_000: {f"k{number}": {} for number in range(30_000)}}), ""),
        ("/any", b"hello " * 12_000 + b"\x01" * 100_000, ""), ("/any", b'[{"a":' * 300, ""),
        ("/v1/models/m:predict", packed({"instances": DIFFERENT}), ""),
        ("/v2/models/m/infer", packed({"inputs": EMPTY}), ""),
        ("/v1/models/m:classify", packed({"examples": DIFFERENT}), ""),
        ("/v2/models/m/infer", *binary("FP16", SMALLEST_HALVES)),
        ("/v2/models/m/infer", *binary("BF16", SMALLEST_HALVES)),
        ("/v2/models/m/infer", *binary("FP32", SMALLEST_HALVES)),
        ("/v2/models/m/infer", *binary("BOOL", bytes(90_000))),
        ("/v2/models/m/infer", *binary("BYTES", bytes(400_000))),
        ("/v1/chat/completions", packed({"messages": EMPTY}), ""),
        ("/v1/completions", packed({"prompt": [[1]] * 20_000}), ""),
        ("/v1/messages", packed({"messages": EMPTY}), ""),
        ("/v1/responses", packed({"model": "m", "input": [""] * 20_000}), ""),
        ("/v1beta/models/m:generateContent", packed({"contents": EMPTY}), ""),
        ("/api/chat", packed({"model": "m", "messages": EMPTY}), ""),
        ("/v1/moderations", packed({"input": [""] * 20_000}), ""),
        ("/model/m/converse", packed({"messages": EMPTY}), ""),
        ("/v2/models/m/generate", packed({"text_input": "a", "x": DIFFERENT}), ""),
        ("/v2/chat", packed({"model": "m", "messages": EMPTY}), ""),
        ("/v2/embed", packed({"model": "m", "texts": [""] * 20_000}), ""),
        ("/serving-endpoints/m/invocations", packed({"dataframe_records": DIFFERENT}), ""),
        ("/predictions/m", b'--b\nContent-Type: image/png\n\n\0\n' * 4000, "multipart/form-data; boundary=b"),
        ("/completion", packed({"prompt": [1] * 20_000}), ""),
        ("/model/m/converse", packed({"messages": [{"content": [{"image": {}}] * 20_000}]}), ""),
        ("/model/m/invoke", packed({"texts": [""] * 20_000}), ""),
        ("/v2/rerank", packed({"query": "", "documents": [""] * 20_000}), ""),
        ("/v1/audio/transcriptions", b'--b\nContent-Disposition: form-data; filename=""\n\n\n' * 4000,
         "multipart/form-data; boundary=b"),
        ("/v1/images/edits", b'--b\nContent-Disposition: form-data; filename=""\n\n\n' * 4000,
         "multipart/form-data; boundary=b"),
        ("/v1/images/edits", packed({"images": [{}] * 20_000}), ""),
        ("/api/v1.0/predictions",
         packed({"data": {"names": ["x" * 200] * 250, "ndarray": [[1] * 250] * 10}}), ""),
        ("/invocations", b"\n".join([b"b" + b"," * 250] * 1000), "text/csv"),
        ("/invocations", b"\n".join(map(packed, DIFFERENT)), "application/jsonlines"),
    ],
)  # fmt: skip
def test_known_bodies_are_bounded(path: str, body: bytes, head: str) -> None:
    """What gives way is there as text, as far as any text is kept, and it is said that it did."""
    record = recorded(exchange(path, body, b"{}", JSON, head))
    if record.redactions:
        assert set(record.redactions) <= {"expansion", "too_long"}
        assert len(record.inputs[0].text or "") >= min(len(body) // 2, 120_000)


INFER = "/inference.GRPCInferenceService/ModelInfer"
PREDICT = "/tensorflow.serving.PredictionService/Predict"
CLASSIFY = "/tensorflow.serving.PredictionService/Classify"


def rpc(data: bytes) -> bytes:
    """A gRPC body of one message."""
    return struct.pack(">BI", 0, len(data)) + data


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (INFER, b"\x2a\0" * 20_000), (INFER, b"\x2a\x04\x1a\2\1\1" * 9000), (INFER, b"\x3a\0" * 20_000),
        (PREDICT, b"".join(b"\x12\x0c\x0a\2%c%c\x12\6\x08\1\x12\4\x12\0" % (n >> 7 & 127, n & 127) for n in range(9000))),
        (PREDICT, b"\x12\x14\x0a\1x\x12\x0f\x08\1\x12\x0b" + b"\x12\2\x08\x40" * 2 + b"\x12\1\x08"),
        (CLASSIFY, b"\x12\xff\xff\1\x0a\xff\xff\1" + b"\x0a\x08\x0a\6\x0a\4\x0a\2ab" * 3000),
    ],
    ids=["empty tensors", "shapes", "empty values", "empty tensors by name", "a large shape", "examples"],
)  # fmt: skip
def test_known_messages_are_bounded(path: str, data: bytes) -> None:
    """As question and as answer: of two bytes a tensor is made."""
    kind = "application/grpc"
    recorded(exchange(path, rpc(data), b"", kind, kind))
    recorded(exchange(path, b"", rpc(data.replace(b"\x3a\0", b"\x32\0")), kind, kind))


def stream(*documents: Any) -> bytes:
    return b"".join(b"data: " + packed(one) + b"\n\n" for one in documents)


@pytest.mark.parametrize(
    ("path", "answer", "kind"),
    [
        ("/v1/chat/completions", b"data: 1\n\n" * 20_000, EVENTS),
        ("/v1/chat/completions",
         stream(*({"choices": [{"index": n, "delta": {"content": "a"}}]} for n in range(5000))), EVENTS),
        ("/v1/chat/completions", packed({"choices": [{"message": {"tool_calls": [{"function": {}}] * 9000}}]}), JSON),
        ("/v1/messages",
         stream(*({"type": "content_block_start", "index": n, "content_block": {"type": "tool_use"}}
                  for n in range(5000))), EVENTS),
        ("/v1/messages", packed({"content": [{}] * 20_000}), JSON),
        ("/v1/responses", packed({"output": [{"type": "a_call"}] * 9000}), JSON),
        ("/v1beta/models/m:streamGenerateContent", packed([{"candidates": [{"content": {"parts": ["a"]}}]}] * 5000), JSON),
        ("/api/chat", b'{"message":{"tool_calls":[{"function":{}}]}}\n' * 5000, LINES),
        ("/v1/moderations", packed({"results": [{"categories": {f"k{n}": True}} for n in range(3000)]}), JSON),
        ("/v2/rerank", packed({"results": [{"index": 2**60}] * 20_000}), JSON),
        ("/v1/images/generations", packed({"data": [{"b64_json": "", "revised_prompt": ""}] * 9000}), JSON),
        ("/v1/images/generations", stream(*[{"type": "image_edit.completed", "b64_json": ""}] * 3000), EVENTS),
        ("/v1/audio/speech", stream(*[{"type": "speech.audio.delta", "audio": "YQ"}] * 3000), EVENTS),
        ("/model/m/converse-stream",
         b"".join(framed("contentBlockStart", {"contentBlockIndex": n, "start": {"toolUse": {}}}) for n in range(2000)), AWS),
        ("/model/m/converse", packed({"output": {"message": {"content": [{"toolUse": {}}] * 9000}}}), JSON),
        ("/model/m/invoke-with-response-stream", framed("chunk", {"bytes": "e30="}) * 3000, AWS),
        ("/model/m/invoke", packed({"choices": [{"text": "a"}] * 9000}), JSON),
        ("/endpoints/m/invocations", framed("ModelStreamError", {}, kind="exception") * 3000, AWS),
        ("/v2/chat", packed({"message": {"tool_calls": [{"function": {}}] * 9000}}), JSON),
        ("/v2/models/m/generate_stream", stream(*[{"text_output": "a"}] * 3000), EVENTS),
        ("/v2/models/m/generate", packed({f"k{n}": 1 for n in range(3000)}), JSON),
        ("/any", b"1\n" * 50_000, LINES), ("/any", b"data:\n\n" * 20_000, EVENTS),
    ],
)  # fmt: skip
def test_known_answers_are_bounded(path: str, answer: bytes, kind: str) -> None:
    """However many small events they have."""
    recorded(exchange(path, b'{"model":"m"}', answer, kind))


@pytest.mark.parametrize(
    "line", [{}, {"type": "text"}, {"type": "binary"}, {"type": "text", "data": "a", "at": 1}]
)
def test_many_small_messages_of_a_websocket_are_bounded(line: dict[str, Any]) -> None:
    """Both ways."""
    body = (packed(line) + b"\n") * 5000
    upgraded = exchange("/ws", body, body, JSON)
    record = recorded(msgspec.structs.replace(upgraded, upgraded="websocket"))
    assert record.protocol == "websocket"


@pytest.mark.parametrize(
    "event",
    [{"type": "response.created", "response": {}}, {"type": "response.done"}, {"type": "error"},
     {"type": "response.output_text.delta", "delta": "a"}, {"type": "response.output_audio.delta", "delta": "YQ"},
     {"type": "conversation.item.create", "item": {"content": [{"text": ""}]}},
     {"type": "response.output_item.added", "item": {"type": "a_call"}}],
    ids=lambda event: event["type"],
)  # fmt: skip
def test_many_small_events_of_realtime_are_bounded(event: dict[str, Any]) -> None:
    """Of one response, or of one each."""
    lines = [
        packed({"type": "text", "data": json.dumps({**event, "response_id": str(number)}), "at": 1})
        for number in range(3000)
    ]
    body = b"\n".join(lines)
    upgraded = exchange("/v1/realtime", body, body, JSON)
    record = recorded(msgspec.structs.replace(upgraded, upgraded="websocket"))
    assert record.protocol == "openai_realtime"


UNITS = st.sampled_from(
    [{}, [], "", None, 0, 1e15, True, [[]], [1], {"a": 1}, {"role": "x"}, {"content": ""}, {"text": ""},
     {"type": "text"}, {"type": "a_call"}, {"function": {}}, {"index": 1}, {"parts": [{}]},
     {"name": "x", "data": [1]}, {"message": {"content": "a"}}, {"delta": {"content": "a"}}, "\x00", '"' * 9,
     "é", "a b c d e", {"embedding": [0.1]}, {"finish_reason": "x"}, {"content": {"parts": [{"text": "a"}]}}]
)  # fmt: skip
MANY = st.one_of(
    st.builds(lambda unit, count: [unit] * count, UNITS, st.integers(1, 3000)),
    st.builds(lambda unit, count: {f"k{n}": unit for n in range(count)}, UNITS, st.integers(1, 600)),
    st.builds(lambda count: [{f"k{n}": n} for n in range(count)], st.integers(1, 400)),
    st.builds(lambda wide, tall: [{f"k{n}": 1 for n in range(wide)}, *[{}] * tall],
              st.integers(1, 200), st.integers(0, 2000)),
)  # fmt: skip


def _below(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = {key: value}
    return value


MEMBERS = st.sampled_from(
    ["messages", "prompt", "input", "instructions", "system", "contents", "parts", "instances", "inputs",
     "data", "ndarray", "names", "choices", "delta", "message", "content", "tool_calls", "output",
     "candidates", "predictions", "error", "usage", "results", "documents", "categories", "x" * 300, "a b", "é.'"]
)  # fmt: skip
BODIES = st.builds(_below, MANY, st.lists(MEMBERS, max_size=8))


@settings(max_examples=100)
@example("/v1/messages", {"content": [{}] * 3000}, 1, EVENTS)
@given(
    st.sampled_from(sorted(PATHS)),
    BODIES,
    st.integers(1, 300),
    st.sampled_from([JSON, EVENTS, LINES]),
)
def test_any_body_is_bounded_as_question_and_as_answer(
    path: str, body: Any, times: int, kind: str
) -> None:
    """Repetition, width, depth, long names, empty members: under every protocol."""
    whole = packed(body)
    question = whole[:-1] + b',"model":"m"}' if whole.endswith(b"}") else whole
    recorded(exchange(path, question, b"{}", JSON))
    times = min(times, 200_000 // len(whole) + 1)
    answer = {
        JSON: whole,
        EVENTS: (b"data: " + whole + b"\n\n") * times,
        LINES: (whole + b"\n") * times,
    }
    recorded(exchange(path, b'{"model":"m"}', answer[kind], kind))


@pytest.mark.parametrize("path", PATHS)
def test_reading_takes_memory_in_proportion_to_the_body(path: str) -> None:
    """Four times the body is about four times the memory: nothing multiplies on the way."""
    peaks = []
    for size in (500, 2000):
        rows = [{f"k{number}": 1} for number in range(size)]
        names = [
            "instances",
            "inputs",
            "input",
            "contents",
            "data",
            "rows",
            "messages",
            "documents",
        ]
        if path.endswith("/invocations"):
            names.remove("messages")  # with it the body would be a chat
        body = packed({"model": "m", **dict.fromkeys(names, rows)})
        call = calls.read(exchange(path, body, b"{}", JSON))
        protocol = next(each for each in PROTOCOLS if each.claims(call))
        assert protocol.name == PATHS[path]
        tracemalloc.start()
        protocol.read(call)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 6 * peaks[0]


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(PATHS)), st.binary(max_size=200), st.binary(max_size=200),
    st.sampled_from([JSON, EVENTS, LINES, AWS, "text/csv", "application/jsonlines"]),
)  # fmt: skip
def test_any_bytes_are_read(path: str, body: bytes, answer: bytes, kind: str) -> None:
    """By every protocol that claims them, whatever they say they are: ParseError, nothing else."""
    asked = exchange(path, body, answer, kind, kind)
    call = calls.read(
        msgspec.structs.replace(asked, upgraded="websocket" if path == "/any" else "")
    )
    for protocol in PROTOCOLS:
        if protocol.claims(call):
            with contextlib.suppress(ParseError):
                protocol.read(call)
