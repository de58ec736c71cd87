"""What Triton's own server answers, which `nvidia-pytriton` has in it, over REST, gRPC and its generate
extension; README.md says how to run this."""

from __future__ import annotations

import importlib.metadata
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

QUESTION = "Where is Ulm?"
SAYS = ("On the", " Danube.")


def serve(port: int) -> None:
    """A model of columns that takes eight rows at most, and one of texts, which says them piece by
    piece."""
    import numpy
    from pytriton.decorators import batch
    from pytriton.model_config import ModelConfig, Tensor
    from pytriton.triton import Triton, TritonConfig

    @batch  # type: ignore[untyped-decorator]
    def churn(age: Any, plan: Any) -> Any:
        label = numpy.where(age > 40, b"stay", b"leave").astype(object)
        return {"churn": age / 100, "label": label}

    def answer(requests: Any) -> Any:
        for _ in requests:
            for said in SAYS:
                yield [{"text_output": numpy.array([said.encode()], object)}]

    config = TritonConfig(
        http_port=port, http_address="127.0.0.1", allow_grpc=False, allow_metrics=False,
        log_verbose=0,
    )  # fmt: skip
    with Triton(config=config) as triton:
        triton.bind(
            model_name="churn", infer_func=churn,
            inputs=[
                Tensor(name="age", dtype=numpy.float32, shape=(1,)),
                Tensor(name="plan", dtype=bytes, shape=(1,)),
            ],
            outputs=[
                Tensor(name="churn", dtype=numpy.float32, shape=(1,)),
                Tensor(name="label", dtype=bytes, shape=(1,)),
            ],
            config=ModelConfig(max_batch_size=8),
        )  # fmt: skip
        triton.bind(
            model_name="llm", infer_func=answer,
            inputs=[Tensor(name="text_input", dtype=bytes, shape=(1,))],
            outputs=[Tensor(name="text_output", dtype=bytes, shape=(1,))],
            config=ModelConfig(batching=False, decoupled=True),
        )  # fmt: skip
        triton.run()
        time.sleep(240)


def infer(
    url: str, ages: list[float], *, is_binary: bool, model: str = "churn"
) -> Callable[[], None]:
    """Ask by Triton's own client; what it raises of an error is not of interest."""

    def ask() -> None:
        import numpy
        import tritonclient.http as triton
        from tritonclient.utils import InferenceServerException

        rows = len(ages)
        age = triton.InferInput("age", [rows, 1], "FP32")
        age.set_data_from_numpy(numpy.array(ages, numpy.float32).reshape(rows, 1), is_binary)
        plan = triton.InferInput("plan", [rows, 1], "BYTES")
        plans = numpy.array([(b"pro", b"free")[row % 2] for row in range(rows)], object)
        plan.set_data_from_numpy(plans.reshape(rows, 1), is_binary)
        outputs = [triton.InferRequestedOutput(name, is_binary) for name in ("churn", "label")]
        client = triton.InferenceServerClient(url)
        try:
            client.infer(model, [age, plan], outputs=outputs, request_id="r-1")
        except InferenceServerException as error:
            print(f"the client says: {error!r}"[:200])

    return ask


def generate(url: str, path: str) -> Callable[[], None]:
    def ask() -> None:
        import httpx

        body = {"text_input": QUESTION}
        httpx.post(f"http://{url}/v2/models/{path}", json=body, headers={"user-agent": "httpx"})

    return ask


def until_loaded(address: str) -> None:
    """Wait for the last model, which is refused before."""
    import httpx

    for _ in range(240):
        if httpx.get(address).is_success:
            return
        time.sleep(0.5)
    raise TimeoutError(address)


def record() -> None:
    """Serve the models, ask them, and write the files."""
    port = free_port()
    command = [sys.executable, "-m", "tests.protocols.goldens.triton_cases", str(port)]
    versions = (
        f"{one} {importlib.metadata.version(one)}" for one in ("tritonclient", "nvidia-pytriton")
    )
    version = " at Triton of ".join(versions)
    ready = f"http://127.0.0.1:{port}/v2/models/llm/ready"
    with serving(command, Path.cwd(), ready):
        until_loaded(ready)
        relay = Relay(port)
        url = f"127.0.0.1:{relay.port}"
        ages = [41.0, 35.0]
        asked = [
            ("served-triton-json", infer(url, ages, is_binary=False)),
            ("served-triton-binary", infer(url, ages, is_binary=True)),
            ("served-triton-refused", infer(url, ages * 5, is_binary=False)),
            ("served-triton-unknown-model", infer(url, ages, is_binary=False, model="loan")),
        ]
        keep("kserve_v2", relay, version, asked)
        version = version.replace(version.partition(" at ")[0], "httpx")
        asked = [("served-stream", generate(url, "llm/generate_stream"))]
        keep("triton_generate", relay, version, asked)


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]))
    else:
        record()
