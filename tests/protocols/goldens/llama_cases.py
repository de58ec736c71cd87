"""What llama.cpp's own server answers, which `xllamacpp` has in it, of a small model that is made
here; README.md says how to run this."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

NAME = "tiny.gguf"
SAYS = (
    "the river Danube flows through Ulm to sea and its water is cold in spring where old men sing"
)
QUESTION = "Where is Ulm?"
WIDTH, HEADS, INNER = 64, 4, 96
TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
    "assistant: "
)


def make(path: Path) -> None:
    """A model of one layer whose weights are random, but seeded: it says words in any order."""
    import gguf
    import numpy

    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    tokens += [f"\u2581{word}" for word in SAYS.split()]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256
    kinds += [gguf.TokenType.NORMAL] * (len(tokens) - len(kinds))
    chance = numpy.random.default_rng(7)
    head = chance.normal(0, 0.5, (len(tokens), WIDTH)).astype(numpy.float32)
    head[2:259] = 0.0  # words alone are likely
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0 if kind != gguf.TokenType.NORMAL else -1.0 for kind in kinds])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template(TEMPLATE)

    def tensor(name: str, *shape: int) -> None:
        writer.add_tensor(name, chance.normal(0, 0.3, shape).astype(numpy.float32))

    tensor("token_embd.weight", len(tokens), WIDTH)
    writer.add_tensor("output.weight", head)
    writer.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    for part in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{part}.weight", numpy.ones(WIDTH, numpy.float32))
    for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
        tensor(f"blk.0.{part}.weight", WIDTH, WIDTH)
    tensor("blk.0.ffn_gate.weight", INNER, WIDTH)
    tensor("blk.0.ffn_up.weight", INNER, WIDTH)
    tensor("blk.0.ffn_down.weight", WIDTH, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def serve(port: int, embeds: bool) -> None:
    """The server, until it is ended."""
    import xllamacpp

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, NAME)
        make(path)
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {NAME}
        params.hostnames = ["127.0.0.1"]
        params.port = port
        params.n_ctx = 512
        params.n_parallel = 1
        params.warmup = False
        params.cpuparams.n_threads = 1
        params.embedding = embeds
        if embeds:
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        server = xllamacpp.Server(params)
        print(server.listening_address, flush=True)
        time.sleep(240)


def post(url: str, path: str, **body: Any) -> Callable[[], None]:
    """Ask as no client of llama.cpp's own does: there is none in Python."""

    def ask() -> None:
        import httpx

        httpx.post(url + path, json=body, headers={"user-agent": "httpx"}, timeout=60)

    return ask


def record() -> None:
    """Serve the model, ask it, and write the files."""
    version = f"llama.cpp of xllamacpp {importlib.metadata.version('xllamacpp')}, asked by httpx"
    said = {"temperature": 0, "seed": 1}
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    for embeds in (False, True):
        port = free_port()
        command = [
            sys.executable,
            "-m",
            "tests.protocols.goldens.llama_cases",
            str(port),
            str(int(embeds)),
        ]
        with serving(command, Path.cwd(), f"http://127.0.0.1:{port}/health"):
            relay = Relay(port)
            url = f"http://127.0.0.1:{relay.port}"
            if embeds:
                embed = post(url, "/v1/embeddings", input=[QUESTION, "the river"], model=NAME)
                keep("openai_chat", relay, version, [("served-llama-embeddings", embed)])
                continue
            plain = {"prompt": QUESTION, "n_predict": 6, **said}
            asked = [
                ("served-completion", post(url, "/completion", **plain, n_probs=1)),
                ("served-stream", post(url, "/completion", **plain, stream=True)),
                ("served-refused", post(url, "/completion", prompt=QUESTION * 60, n_predict=6)),
            ]
            keep("llama_cpp", relay, version, asked)
            chat = {"messages": talk, "max_tokens": 6, "model": NAME, **said}
            asked = [
                ("served-llama-chat", post(url, "/v1/chat/completions", **chat, logprobs=True, top_logprobs=1)),
                ("served-llama-stream", post(url, "/v1/chat/completions", **chat, stream=True, stream_options={"include_usage": True})),
                ("served-llama-completion", post(url, "/v1/completions", prompt=QUESTION, max_tokens=6, model=NAME, **said)),
            ]  # fmt: skip
            keep("openai_chat", relay, version, asked)
            response = post(
                url, "/v1/responses", input=QUESTION, max_output_tokens=6, model=NAME, **said
            )
            keep("openai_responses", relay, version, [("served-llama", response)])
            message = {
                "messages": talk[1:],
                "system": "Be brief.",
                "max_tokens": 6,
                "model": NAME,
                **said,
            }
            asked = [
                ("served-llama", post(url, "/v1/messages", **message)),
                ("served-llama-stream", post(url, "/v1/messages", **message, stream=True)),
            ]
            keep("anthropic_messages", relay, version, asked)


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]), sys.argv[2] == "1")
    else:
        record()
