"""Model servers on loopback whose answers are known: the same always, noisy, changed, ill."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from monitor.types import Outcome, Part, Record, RequestSummary, ResponseSummary, Tokens

TEXT = (
    "the parcel is on its way and will come to your door on Monday by the usual carrier who rings twice if nobody "
    "is at home he leaves a note with the place where it can be fetched later this week without any cost for you"
)
WORDS = TEXT.split()


def words_of(question: str, noise: random.Random | None = None, share: float = 0.3) -> list[str]:
    """What is always answered to a question, with a share of other words where there is noise."""
    chosen = random.Random(hashlib.sha256(question.encode()).digest())
    said = [chosen.choice(WORDS) for _ in range(chosen.randint(12, 30))]
    if noise is None:
        return said
    kept = [noise.choice(WORDS) if noise.random() < share else word for word in said]
    return kept[: max(5, round(len(kept) * noise.uniform(0.8, 1.2)))]


class Model:
    """Answers as OpenAI's servers do; `say` makes the words of a question's answer.

    `act` may answer itself and return True. `seen` are (path, headers, body) of all requests.
    """

    def __init__(
        self,
        say: Callable[[str], list[str]] = words_of,
        act: Callable[[BaseHTTPRequestHandler, dict[str, Any]], bool] | None = None,
    ) -> None:
        self.say, self.act = say, act
        self.seen: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.url = ""


def answered(handler: BaseHTTPRequestHandler, status: int, document: Any, **headers: str) -> bool:
    body = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)
    return True


def _chat(handler: BaseHTTPRequestHandler, said: list[str], asked: dict[str, Any]) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": len(said)}
    if not asked.get("stream"):
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": " ".join(said)},
            "finish_reason": "stop",
        }
        answered(handler, 200, {"id": "c", "model": "m", "choices": [choice], "usage": usage})
        return
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    events: list[Any] = [
        {"model": "m", "choices": [{"index": 0, "delta": {"content": f"{word} "}}]} for word in said
    ]
    events.append(
        {
            "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
            "usage": usage,
        }
    )
    for event in [*map(json.dumps, events), "[DONE]"]:
        data = f"data: {event}\n\n".encode()
        handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.write(b"0\r\n\r\n")


@contextlib.contextmanager
def serving(model: Model) -> Generator[Model]:
    """The model at `model.url`, until the end."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, asked))
            if model.act is not None and model.act(self, asked):
                return
            if "messages" not in asked:
                rows = asked.get("instances") or [[0]]
                answered(self, 200, {"predictions": [round(sum(row) / 7, 6) for row in rows]})
                return
            _chat(self, model.say(asked["messages"][-1]["content"]), asked)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 256  # with the usual 5 connections that come together are refused

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a client that has gone
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()


def noisy(seed: int, change: Callable[[list[str]], list[str]] = list) -> Model:
    """A model that never answers twice alike, as at temperature 0 on a busy server."""
    chance = random.Random(seed)
    return Model(lambda question: change(words_of(question, chance)))


def failing(status: int, **headers: str) -> Model:
    return Model(
        act=lambda handler, _: answered(handler, status, {"error": {"message": "no"}}, **headers)
    )


def hanging(seconds: float) -> Model:
    def hang(_: BaseHTTPRequestHandler, __: dict[str, Any]) -> bool:
        time.sleep(seconds)
        return True

    return Model(act=hang)


def chat(number: int, **fields: Any) -> Record:
    """A chat on record, whose answer is that of the model that is always the same."""
    question = f"Where is parcel {number} of <EMAIL_ADDRESS:k1:abcdefghijkl{number:04}>?"
    said = words_of(question)
    usual: dict[str, Any] = {
        "id": f"id-{number:04}", "endpoint": "test", "protocol": "openai_chat", "operation": "chat", "model": "m",
        "started": 1000.0 + number, "duration": 0.5, "time_to_first_token": None, "time_per_output_token": None,
        "status": 200, "outcome": Outcome.OK, "streamed": False, "segments": {"population": "ab"[number % 2]},
        "request": RequestSummary("POST", "/v1/chat/completions", {"content-type": "application/json"}, 99, False),
        "response": ResponseSummary({}, 99, False),
        "inputs": [Part(role="system", text="Be brief."), Part(role="user", text=question)],
        "outputs": [Part(role="assistant", text=" ".join(said))], "tokens": Tokens(9, len(said)),
        "finish_reasons": ["stop"], "pseudonyms": {"EMAIL_ADDRESS": 1}, "key": "k1", "trace_id": None,
        "parameters": {"temperature": 0, "max_tokens": 100},
    }  # fmt: skip
    return Record(**(usual | fields))


def prediction(number: int, **fields: Any) -> Record:
    """A prediction on record, of two rows."""
    rows = [[number, 2, 3], [number, 5, 6]]
    flat = [one for row in rows for one in row]
    said = [round(sum(row) / 7, 6) for row in rows]
    body = json.dumps({"instances": rows})
    return chat(
        number,
        protocol="kserve_v1", operation="infer", tokens=None, finish_reasons=[], parameters={},
        request=RequestSummary("POST", "/v1/models/m:predict", {}, len(body), False),
        inputs=[Part(name="instances", datatype="INT64", shape=[2, 3], data=flat)],
        outputs=[Part(name="predictions", datatype="FP64", shape=[2], data=said)], **fields,
    )  # fmt: skip
