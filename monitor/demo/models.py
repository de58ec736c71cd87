"""Two model endpoints in one server: a classifier over the V2 protocol, a chat over OpenAI's.

The classifier is scikit-learn's, trained at start on the breast cancer data set that scikit-learn
ships. The chat is a stand-in: it has no language model, it answers from a few sentences, with the
timing and the wire format of a real one. `python -m monitor.demo.models HOST:PORT` serves both.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.responses import JSONResponse, StreamingResponse

from monitor.web import FastAPI, Request, Response

FEATURES = (
    "mean radius",
    "mean texture",
    "mean smoothness",
    "mean compactness",
    "mean concavity",
    "mean symmetry",
)
"""The columns the classifier uses, a few of the data set's thirty."""

CLASSIFIER = "tumor-classifier"
CHAT = "clinic-assistant"

SENTENCES = (
    "Thank you for your message.",
    "The values you describe are within the expected range for this age group.",
    "Please bring the referral and a list of current medication to the appointment.",
    "If the pain gets worse or a fever sets in, call the ward at once.",
    "A nurse will confirm the date with you this afternoon.",
    "The report has been filed and a copy goes to the family doctor.",
)


SORRY = "I'm sorry, but I can't help with that."
UNFILLED = "Dear {{patient_name}}, "
REFUSED, CUT, UNFILLED_EVERY = 37, 23, 29
"""One answer in so many says no, is cut off at its limit of tokens, or has a slot of a template
that nobody filled."""


def application() -> FastAPI:
    """The server; training takes well under a second."""
    app = FastAPI(openapi_url=None)
    model = _train()
    turn = itertools.count()

    @app.get("/v2/health/ready")
    async def ready() -> Response:
        return Response()

    @app.post(f"/v2/models/{CLASSIFIER}/infer")
    async def infer(request: Request) -> Response:
        body = await request.json()
        columns = {tensor["name"]: tensor["data"] for tensor in body["inputs"]}
        rows = list(zip(*(columns[name] for name in FEATURES), strict=True))
        probabilities = model.predict_proba(rows)[:, 1]
        outputs = [
            _tensor("malignant", "FP64", [round(1 - float(p), 6) for p in probabilities]),
            _tensor(
                "label", "BYTES", ["benign" if p >= 0.5 else "malignant" for p in probabilities]
            ),
        ]
        return JSONResponse({"model_name": CLASSIFIER, "id": body.get("id"), "outputs": outputs})

    @app.post("/v1/chat/completions")
    async def chat(request: Request) -> Response:
        body = await request.json()
        words, finish = _say(next(turn), body)
        prompt_tokens = sum(len(str(m["content"]).split()) for m in body["messages"])
        usage = {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": len(words),
            "total_tokens": prompt_tokens + len(words),
        }
        if body.get("stream"):
            stream = _stream(words, usage, finish)
            return StreamingResponse(stream, media_type="text/event-stream")
        await asyncio.sleep(0.003 + 0.0005 * len(words))
        message = {"role": "assistant", "content": " ".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return JSONResponse({**_head("chat.completion"), "choices": [choice], "usage": usage})

    return app


def _train() -> Any:
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load_breast_cancer()
    chosen = [list(data.feature_names).index(name) for name in FEATURES]
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(data.data[:, chosen], data.target)


def _tensor(name: str, datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [len(data)], "data": data}


def _say(turn: int, body: dict[str, Any]) -> tuple[list[str], str]:
    """The words of an answer, and why it ends; now and then something is wrong with it."""
    said = " ".join(_pick(turn, body))
    if turn % REFUSED == REFUSED - 1:
        said = SORRY
    elif turn % UNFILLED_EVERY == UNFILLED_EVERY - 1:
        said = UNFILLED + said
    elif turn % CUT == CUT - 1:
        return said.split(" ")[:5], "length"
    return said.split(" "), "stop"


def _pick(turn: int, body: dict[str, Any]) -> list[str]:
    size = 2 + (turn + len(body["messages"][-1]["content"])) % 3
    return [SENTENCES[(turn + step) % len(SENTENCES)] for step in range(size)]


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-demo", "object": kind, "created": int(time.time()), "model": CHAT}


async def _stream(words: list[str], usage: dict[str, int], why: str) -> AsyncIterator[str]:
    def event(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**_head("chat.completion.chunk"), "choices": [choice]})

    yield event({"role": "assistant"})
    await asyncio.sleep(0.01)
    for word in words:
        yield event({"content": word + " "})
        await asyncio.sleep(0.002)
    yield event({}, why)
    yield _event({**_head("chat.completion.chunk"), "choices": [], "usage": usage})
    yield "data: [DONE]\n\n"


def _event(document: dict[str, Any]) -> str:
    return f"data: {json.dumps(document)}\n\n"


def main() -> None:
    """Serve on the address given as the only argument."""
    host, _, port = sys.argv[1].rpartition(":")
    uvicorn.run(application(), host=host, port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
