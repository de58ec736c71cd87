"""Servers with a dialect of their own: TGI by its client, the others by httpx."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.protocols.goldens.other_cases import QUESTION, SCHEMA, post
from tests.protocols.goldens.scripted import Answer, Case, events, whole


def tight(*documents: Any) -> Answer:
    """Events without a space behind the colon, as TGI writes them."""
    found = events(*documents)
    return Answer([one.replace(b"data: ", b"data:") for one in found.pieces], found.kind)


# --- Text Generation Inference -------------------------------------------------------------------


def token(place: int, text: str, logprob: float, *, special: bool = False) -> dict[str, Any]:
    return {"id": 100 + place, "text": text, "logprob": logprob, "special": special}


TOKENS = [token(0, "On the", -0.25), token(1, " Danube.", -0.75), token(2, "</s>", -0.125, special=True)]  # fmt: skip
DETAILS = {"finish_reason": "eos_token", "generated_tokens": 3, "seed": None}
TOLD = {"generated_text": "On the Danube.", "details": {**DETAILS, "prefill": [], "tokens": TOKENS}}
STREAM = [
    {"index": place + 1, "token": one, "generated_text": None, "details": None}
    for place, one in enumerate(TOKENS)
]
STREAM[-1] |= {"generated_text": "On the Danube.", "details": DETAILS | {"input_length": 9}}
FAILS = {"error": "Request failed during generation: Server error", "error_type": "generation"}


def generate(url: str) -> Iterable[str | None]:
    from huggingface_hub import InferenceClient

    grammar = {"type": "json", "value": SCHEMA}
    client = InferenceClient(model=f"{url}/generate")
    return [client.text_generation(QUESTION, details=True, grammar=grammar).generated_text]


def generate_streamed(url: str, *, fails: bool = False) -> Iterable[str | None]:
    from huggingface_hub import InferenceClient
    from huggingface_hub.errors import TextGenerationError

    client = InferenceClient(model=f"{url}/generate_stream")  # the stream closes with it
    text, has_failed = "", False
    try:
        for one in client.text_generation(QUESTION, details=True, stream=True):
            text += "" if one.token.special else one.token.text
    except TextGenerationError:
        has_failed = True
    assert has_failed == fails
    return [text]


TGI: list[Case] = [
    ("tgi", "generate", whole(TOLD, headers={"x-prompt-tokens": "9", "x-generated-tokens": "3"}), generate),
    ("tgi", "stream", tight(*STREAM), generate_streamed),
    ("tgi", "error-in-stream", tight(STREAM[0], FAILS), lambda url: generate_streamed(url, fails=True)),
]  # fmt: skip

# --- llama.cpp and Triton ------------------------------------------------------------------------

SAYS = {"index": 0, "tokens": [], "stop": False, "id_slot": -1, "tokens_predicted": 1, "tokens_evaluated": 9}  # fmt: skip
ENDS = {
    "index": 0, "content": "", "tokens": [], "id_slot": 0, "stop": True, "model": "qwen3-8b.gguf", "tokens_predicted": 3,
    "tokens_evaluated": 9, "generation_settings": {"seed": 1, "temperature": 0.5}, "prompt": QUESTION, "has_new_line": False,
    "truncated": False, "stop_type": "eos", "stopping_word": "", "tokens_cached": 11,
    "timings": {"cache_n": 4, "prompt_n": 5, "prompt_ms": 20.5, "predicted_n": 3, "predicted_ms": 60.5},
}  # fmt: skip
LIKELY = [{"id": 1, "token": "On the", "bytes": [79], "logprob": -0.25, "top_logprobs": []},
          {"id": 2, "token": " Danube.", "bytes": [32], "logprob": -0.75, "top_logprobs": []}]  # fmt: skip


def posted(path: str, body: Any, *steps: Any) -> Any:
    def drive(url: str) -> Iterable[str | None]:
        found = post(url, path, body)
        for step in steps:
            found = found[step]
        return [found if steps else None]

    return drive


PROMPT = {"prompt": QUESTION, "n_predict": 9}
TEXT = {"model_name": "llm", "model_version": "1"}
ASKED = {"text_input": QUESTION, "max_tokens": 9, "parameters": {"temperature": 0.5}}
LOCAL: list[Case] = [
    ("llama_cpp", "completion", whole(ENDS | {"content": "On the Danube.", "completion_probabilities": LIKELY}), posted("/completion", PROMPT, "content")),
    ("llama_cpp", "stream", events(SAYS | {"content": "On the"}, SAYS | {"content": " Danube."}, ENDS), posted("/completion", PROMPT | {"stream": True})),
    ("triton_generate", "generate", whole(TEXT | {"text_output": "On the Danube.", "output_log_probs": [-0.25, -0.75], "cum_log_probs": -1.0, "sequence_end": False, "sequence_id": 0, "sequence_start": False}), posted("/v2/models/llm/generate", ASKED, "text_output")),
    ("triton_generate", "stream", events(TEXT | {"text_output": "On the"}, TEXT | {"text_output": " Danube."}), posted("/v2/models/llm/generate_stream", ASKED)),
    ("triton_generate", "error-in-stream", events(TEXT | {"text_output": "On the"}, {"error": "in ensemble 'llm', out of memory"}), posted("/v2/models/llm/generate_stream", ASKED)),
]  # fmt: skip

# --- MLflow and TorchServe -----------------------------------------------------------------------

SPLIT = {"columns": ["age", "plan"], "index": [0, 1], "data": [[41, "pro"], [35, "free"]]}
RECORDS = [{"age": 41, "plan": "pro"}, {"age": 35, "plan": "free"}]
CHAT = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 99, "stream": True}


def delta(text: str, reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": reason}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "agent", "choices": [choice]}


def sent(path: str, body: bytes, kind: str) -> Any:
    """A body that is no JSON."""

    def drive(url: str) -> Iterable[str | None]:
        import httpx

        headers = {"content-type": kind, "user-agent": "httpx"}
        httpx.post(url + path, content=body, headers=headers)
        return []

    return drive


FORM = b'--b\r\nContent-Disposition: form-data; name="data"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\x00\x01\x02\x03\r\n--b--\r\n'  # fmt: skip
SERVED: list[Case] = [
    ("mlflow", "split", whole({"predictions": [{"churn": 0.25}, {"churn": 0.75}]}), posted("/invocations", {"dataframe_split": SPLIT, "params": {"threshold": 0.5}})),
    ("mlflow", "records", whole({"predictions": [0.25, 0.75]}), posted("/serving-endpoints/churn/invocations", {"dataframe_records": RECORDS})),
    ("mlflow", "chat-stream", events(delta("On the"), delta(" Danube.", "stop")), posted("/serving-endpoints/agent/invocations", CHAT)),
    ("torchserve", "picture", whole({"tabby": 0.75, "tiger_cat": 0.25}), sent("/predictions/resnet/1.0", b"\x89PNG\x00\x01\x02\x03", "image/png")),
    ("torchserve", "form", whole([0.25, 0.75]), sent("/predictions/resnet", FORM, "multipart/form-data; boundary=b")),
    ("torchserve", "json", whole([0.25, 0.75]), posted("/predictions/churn", [{"age": 41}, {"age": 35}])),
    ("torchserve", "text-stream", Answer([b"On the", b" Danube."], "text/plain"), posted("/predictions/llm", {"prompt": QUESTION})),
]  # fmt: skip
