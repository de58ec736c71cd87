"""What KServe's own model server answers its own client; README.md says how to run this."""

from __future__ import annotations

import asyncio
import importlib.metadata
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

ROWS = [[41, 2.5], [35, 0.5]]
COLUMNS = [{"age": 41, "plan": "pro"}, {"age": 35, "plan": "free"}]


def serve(port: int) -> None:
    """A model of V1 and V2; one that fails at an age below 0."""
    import kserve
    import numpy

    class Churn(kserve.Model):  # type: ignore[misc]
        def load(self) -> bool:
            self.ready = True
            return True

        def predict(self, payload: Any, headers: Any = None, response_headers: Any = None) -> Any:
            if isinstance(payload, dict):
                return {"predictions": [self._churn(one) for one in payload["instances"]]}
            ages = payload.inputs[0].as_numpy().astype(numpy.float32)
            output = kserve.InferOutput("churn", list(ages.shape), "FP32")
            said = payload.request_outputs or []
            is_binary = any(one.binary_data for one in said)
            output.set_data_from_numpy(ages / 100, binary_data=is_binary)
            label = kserve.InferOutput("label", [2], "BYTES", ["stay", "leave"])
            return kserve.InferResponse(payload.id, self.name, [output, label])

        def explain(self, payload: Any, headers: Any = None) -> Any:
            return {"explanations": [{"age": 0.75, "plan": 0.25} for _ in payload["instances"]]}

        def _churn(self, row: Any) -> Any:
            age = row["age"] if isinstance(row, dict) else row[0]
            if age < 0:
                raise ValueError("an age is below 0")
            return {"churn": age / 100, "label": "stay"} if isinstance(row, dict) else age / 100

    churn = Churn("churn")
    churn.load()
    kserve.ModelServer(http_port=port, enable_grpc=False, workers=1).start([churn])


def client(protocol: str) -> Any:
    from kserve import InferenceRESTClient
    from kserve.inference_client import RESTConfig

    return InferenceRESTClient(RESTConfig(protocol=protocol, retries=0))


def v1(url: str, rows: Any, *, model: str = "churn", verb: str = "infer") -> Callable[[], None]:
    """Ask for predictions; what the client raises of an error is not of interest."""

    async def ask() -> None:
        asking = client("v1")
        try:
            if verb == "explain":
                await asking.explain(url, model, {"instances": rows})
            else:
                await asking.infer(url, {"instances": rows}, model_name=model)
        except Exception as error:  # noqa: BLE001
            print(f"the client says: {error!r}"[:200])

    return lambda: asyncio.run(ask())


def v2(url: str, *, is_binary: bool) -> Callable[[], None]:
    """Tensors in JSON, or behind it."""

    async def ask() -> None:
        import numpy
        from kserve import InferInput, InferRequest
        from kserve.protocol.infer_type import RequestedOutput

        ages = InferInput("age", [2, 1], "FP32")
        ages.set_data_from_numpy(numpy.array([[41], [35]], numpy.float32), binary_data=is_binary)
        plan = InferInput("plan", [2], "BYTES", ["pro", "free"])
        wanted = [RequestedOutput("churn", {"binary_data": is_binary})]
        asked = InferRequest("churn", [ages, plan], "r-1", request_outputs=wanted)
        await client("v2").infer(url, asked, model_name="churn")

    return lambda: asyncio.run(ask())


def record() -> None:
    """Serve a model, ask it, and write the files."""
    port = free_port()
    command = [sys.executable, "-m", "tests.protocols.goldens.kserve_cases", str(port)]
    version = f"kserve {importlib.metadata.version('kserve')}"
    with serving(command, Path.cwd(), f"http://127.0.0.1:{port}/v1/models"):
        relay = Relay(port)
        url = f"http://127.0.0.1:{relay.port}"
        asked = [
            ("served-rows", v1(url, ROWS)),
            ("served-columns", v1(url, COLUMNS)),
            ("served-explain", v1(url, COLUMNS, verb="explain")),
            ("served-failed", v1(url, [[-1, 0.5]])),
            ("served-unknown-model", v1(url, ROWS, model="loan")),
        ]
        keep("kserve_v1", relay, version, asked)
        asked = [
            ("served-json", v2(url, is_binary=False)),
            ("served-binary", v2(url, is_binary=True)),
        ]
        keep("kserve_v2", relay, version, asked)


if __name__ == "__main__":
    if sys.argv[1:]:
        serve(int(sys.argv[1]))
    else:
        record()
