"""The SDKs of OpenAI and Anthropic through the whole sidecar: the same results, on record, in time."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

WAIT, GAP = 0.2, 0.02
"""Seconds until the model says its first word, and between words."""
WORDS = [f"word{number} " for number in range(20)]
PATIENCE = 20.0


@dataclass
class Times:
    """When the model did what (monotonic): the request was there, first word, last word, end."""

    asked: float = 0.0
    words: list[float] = field(default_factory=list)
    ended: float = 0.0


class Model(BaseHTTPRequestHandler):
    """Speaks both dialects; a stream takes its time. `lock_step`: an event waits until the one
    before has reached the client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    times: list[Times] = []
    lock_step: threading.Semaphore | None = None

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.spent = Times(time.monotonic())
        self.times.append(self.spent)
        if body["model"] == "busy":
            error = {"type": "error", "error": {"type": "rate_limit_error", "message": "later"}}
            self._whole(429, error)
        elif self.path == "/v1/embeddings":
            data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}]
            usage = {"prompt_tokens": 3, "total_tokens": 3}
            self._whole(200, {"object": "list", "model": "small", "data": data, "usage": usage})
        elif body.get("stream"):
            self._stream(
                self._openai() if self.path == "/v1/chat/completions" else self._anthropic()
            )
        elif self.path == "/v1/chat/completions":
            message = {"role": "assistant", "content": "".join(WORDS)}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            usage = {"prompt_tokens": 5, "completion_tokens": 20, "total_tokens": 25}
            self._whole(200, {
                "id": "c", "object": "chat.completion", "created": 1, "model": "small",
                "choices": [choice], "usage": usage,
            })  # fmt: skip
        else:
            content = [{"type": "text", "text": "".join(WORDS)}]
            self._whole(200, {**self._message(), "content": content, "stop_reason": "end_turn"})
        self.spent.ended = time.monotonic()

    def _message(self) -> dict[str, Any]:
        return {
            "id": "m", "type": "message", "role": "assistant", "model": "claude-small", "content": [],
            "stop_reason": None, "stop_sequence": None,
            "usage": {"input_tokens": 5, "output_tokens": 20},
        }  # fmt: skip

    def _openai(self) -> Iterator[tuple[bool, bytes]]:
        head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "small"}

        def event(delta: dict[str, Any], finish: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return b"data: %b\n\n" % json.dumps({**head, "choices": [choice]}).encode()

        yield False, event({"role": "assistant", "content": ""})
        for word in WORDS:
            yield True, event({"content": word})
        yield False, event({}, "stop")
        usage = {"prompt_tokens": 5, "completion_tokens": 20, "total_tokens": 25}
        yield False, b"data: %b\n\n" % json.dumps({**head, "choices": [], "usage": usage}).encode()
        yield False, b"data: [DONE]\n\n"

    def _anthropic(self) -> Iterator[tuple[bool, bytes]]:
        def event(type_: str, **more: Any) -> bytes:
            return b"event: %b\ndata: %b\n\n" % (
                type_.encode(), json.dumps({"type": type_, **more}).encode(),
            )  # fmt: skip

        yield False, event("message_start", message=self._message())
        block = {"type": "text", "text": ""}
        yield False, event("content_block_start", index=0, content_block=block)
        yield False, event("ping")
        for word in WORDS:
            delta = {"type": "text_delta", "text": word}
            yield True, event("content_block_delta", index=0, delta=delta)
        yield False, event("content_block_stop", index=0)
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        yield False, event("message_delta", delta=delta, usage={"output_tokens": 20})
        yield False, event("message_stop")

    def _stream(self, events: Iterator[tuple[bool, bytes]]) -> None:
        packed = "gzip" in self.headers.get("accept-encoding", "")
        window = zlib.compressobj(wbits=31)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        if packed:
            self.send_header("content-encoding", "gzip")
        self.end_headers()
        *others, (_, last) = events
        for is_word, event in others:
            if self.lock_step is not None:
                assert self.lock_step.acquire(timeout=PATIENCE)
            elif is_word:
                time.sleep(GAP if self.spent.words else WAIT)
            if is_word:
                self.spent.words.append(time.monotonic())
            data = window.compress(event) + window.flush(zlib.Z_SYNC_FLUSH) if packed else event
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        if self.lock_step is not None:
            assert self.lock_step.acquire(timeout=PATIENCE)
        data = window.compress(last) + window.flush() if packed else last
        # At once, since clients that have the last event do not wait for the end of the body.
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data))

    def _whole(self, status: int, document: dict[str, Any]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        if "gzip" in self.headers.get("accept-encoding", ""):
            body = gzip.compress(body)
            self.send_header("content-encoding", "gzip")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def slow_model(upstream_port: int) -> Iterator[tuple[str, type[Model]]]:
    """A model that takes its time: its URL, and what it notes down."""

    class Own(Model):
        times: list[Times] = []

    server = ThreadingHTTPServer(("127.0.0.1", upstream_port), Own)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", Own
    server.shutdown()
    thread.join()
    server.server_close()


CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "I am me@example.org"}]}


def ask_openai(url: str) -> list[Any]:
    """Whole, streamed, an embedding, an error: as the SDK gives them back."""
    import openai

    found: list[Any] = []
    with openai.OpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
        chat = client.chat.completions
        found.append(chat.create(model="small", **CHAT).model_dump())
        options = {"include_usage": True}
        stream = chat.create(model="small", stream=True, stream_options=options, **CHAT)  # type: ignore[call-overload]
        found += [event.model_dump() for event in stream]
        found.append(client.embeddings.create(model="small", input="x").model_dump())
        with pytest.raises(openai.RateLimitError) as caught:
            chat.create(model="busy", **CHAT)
        found.append(caught.value.body)
    return found


def ask_anthropic(url: str) -> list[Any]:
    import anthropic

    found: list[Any] = []
    with anthropic.Anthropic(base_url=url, api_key="x", max_retries=0) as client:
        asked: dict[str, Any] = {"model": "claude-small", "max_tokens": 50, **CHAT}
        found.append(client.messages.create(**asked).model_dump())
        with client.messages.stream(**asked) as stream:
            found.append(list(stream.text_stream))
            found.append(stream.get_final_message().model_dump())
        with pytest.raises(anthropic.RateLimitError) as caught:
            client.messages.create(**{**asked, "model": "busy"})
        found.append(caught.value.body)
    return found


def test_sdks_get_what_they_get_without_us(share: Any, slow_model: Any) -> None:
    """Answers whole and streamed, packed and plain, errors as errors; all of it on record."""
    url, _ = slow_model
    system = share()
    assert ask_openai(system.url) == ask_openai(url)
    assert ask_anthropic(system.url) == ask_anthropic(url)
    page = system.settled()
    records = system.records()
    assert [
        (one["protocol"], one["operation"], one["streamed"], one["status"], one["outcome"])
        for one in records
    ] == [
        ("openai_chat", "chat", False, 200, "ok"), ("openai_chat", "chat", True, 200, "ok"),
        ("openai_chat", "embeddings", False, 200, "ok"),
        ("openai_chat", "chat", False, 429, "rate_limited"),
        ("anthropic_messages", "chat", False, 200, "ok"), ("anthropic_messages", "chat", True, 200, "ok"),
        ("anthropic_messages", "chat", False, 429, "rate_limited"),
    ]  # fmt: skip
    for one in records[0], records[1], records[4], records[5]:
        assert [part["text"] for part in one["outputs"]] == ["".join(WORDS)]
        assert one["tokens"] == {"input": 5, "output": 20}
        assert one["pseudonyms"] == {"EMAIL_ADDRESS": 1}
    assert page.total("monitor_connections_opaque_total") == 0
    assert page.is_conserved()
    assert not system.complaints()


def test_an_answer_names_its_record_where_asked_for(share: Any, slow_model: Any) -> None:
    """`edits.exchange_id`, whole and streamed; off, nothing is added."""
    import openai

    named, plain = share(edits={"exchange_id": True}), share()
    found = []
    for system in (named, plain):
        with openai.OpenAI(base_url=f"{system.url}/v1", api_key="x", max_retries=0) as client:
            raw = client.chat.completions.with_raw_response
            whole = raw.create(model="small", **CHAT)
            assert whole.parse().choices[0].message.content == "".join(WORDS)
            streamed = raw.create(model="small", stream=True, **CHAT)  # type: ignore[call-overload]
            deltas = [event.choices[0].delta.content for event in streamed.parse() if event.choices]
            assert "".join(filter(None, deltas)) == "".join(WORDS)
            found.append([one.headers.get("x-monitor-exchange-id") for one in (whole, streamed)])
        system.settled()
    assert found[0] == [one["id"] for one in named.records()]
    assert found[1] == [None, None]


@pytest.mark.parametrize("coding", ["gzip", "identity"])
def test_events_reach_the_client_one_by_one(share: Any, slow_model: Any, coding: str) -> None:
    """The model says the next one only when the client has read the last: none is held back."""
    _, model = slow_model
    model.lock_step = threading.Semaphore(1)
    system = share()
    asked = {"model": "small", "stream": True, **CHAT}
    events = []
    with httpx.stream(
        "POST", f"{system.url}/v1/chat/completions", json=asked, timeout=PATIENCE,
        headers={"accept-encoding": coding},
    ) as answer:  # fmt: skip
        assert answer.headers.get("content-encoding", "identity") == coding
        for line in answer.iter_lines():
            if line:
                events.append(line)
                model.lock_step.release()
    assert len(events) == len(WORDS) + 4
    system.settled()
    (record,) = system.records()
    assert (record["outcome"], record["streamed"]) == ("ok", True)
    assert [part["text"] for part in record["outputs"]] == ["".join(WORDS)]


def test_times_on_record_lie_between_those_of_the_model_and_those_of_the_client(
    share: Any, slow_model: Any
) -> None:
    """Both dialects: to the first word (not the first event), to the last, and between words."""
    import anthropic
    import openai

    _, model = slow_model
    system = share()
    clients: list[Times] = []

    def noted(events: Iterator[Any]) -> None:
        for word in events:
            if word:
                clients[-1].words.append(time.monotonic())
        clients[-1].ended = time.monotonic()

    with openai.OpenAI(base_url=f"{system.url}/v1", api_key="x", max_retries=0) as client:
        options = {"include_usage": True}
        for _ in range(3):
            clients.append(Times(time.monotonic()))
            stream = client.chat.completions.create(  # type: ignore[call-overload]
                model="small", stream=True, stream_options=options, **CHAT
            )
            noted(event.choices and event.choices[0].delta.content for event in stream)
    with anthropic.Anthropic(base_url=system.url, api_key="x", max_retries=0) as client_:
        for _ in range(3):
            clients.append(Times(time.monotonic()))
            with client_.messages.stream(model="claude-small", max_tokens=50, **CHAT) as said:
                noted(said.text_stream)
    page = system.settled()
    slack = 0.001  # of clocks that are read at slightly different moments
    for record, inside, outside in zip(system.records(), model.times, clients, strict=True):
        low, high = (each.words[0] - each.asked for each in (inside, outside))
        assert WAIT <= low <= record["time_to_first_token"] + slack <= high + 2 * slack
        low, high = (each.ended - each.asked for each in (inside, outside))
        assert inside.words[-1] - inside.asked - slack <= record["duration"] <= high + slack
        between = record["time_per_output_token"] * (len(WORDS) - 1)
        assert inside.words[-1] - outside.words[0] - slack <= between
        assert between <= outside.words[-1] - inside.words[0] + slack
    for name in ("time_to_first_token", "time_per_output_token"):
        assert page.total(f"monitor_{name}_seconds_count") == 6
        total = sum(record[name] for record in system.records())
        assert page.total(f"monitor_{name}_seconds_sum") == pytest.approx(total)
