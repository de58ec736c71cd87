"""What MLflow's own scoring server answers its own client, and a plain one; README.md says how to
run this."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

COLUMNS = {"age": [41, 35], "plan": ["pro", "free"]}


def churn() -> Any:
    """A model of two columns, as MLflow takes one."""
    import mlflow
    import pandas

    class Churn(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            ages, plans = model_input["age"], model_input["plan"]
            return pandas.DataFrame({"churn": ages / 100, "label": plans})

    return Churn()


def asked(path: str, document: Any) -> Callable[[str, int], None]:
    """A plain client that posts a document."""

    def ask(host: str, port: int) -> None:
        import requests

        requests.post(f"http://{host}:{port}{path}", json=document, timeout=9)

    return ask


def invoked(host: str, port: int) -> None:
    """MLflow's own client."""
    import pandas
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient

    ScoringServerClient(host, port).invoke(pandas.DataFrame(COLUMNS))


RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in zip(*COLUMNS.values(), strict=True)]
ODD = {"columns": ["age"], "data": [[41, "pro"]]}
CASES = (
    ("served-split", invoked),
    ("served-records", asked("/invocations", {"dataframe_records": RECORDS})),
    ("served-refused", asked("/invocations", {"dataframe_split": ODD})),
)


def record() -> None:
    """Serve a model, ask it, and write the files."""
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        model = str(Path(folder) / "model")
        mlflow.pyfunc.save_model(model, python_model=churn())
        command = [
            sys.executable, "-m", "mlflow", "models", "serve", "-m", model, "-h", "127.0.0.1",
            "-p", str(port), "--env-manager", "local",
        ]  # fmt: skip
        beside = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # uvicorn
        with serving(command, Path.cwd(), f"http://127.0.0.1:{port}/ping", PATH=beside):
            relay = Relay(port)
            asked = [(case, partial(ask, "127.0.0.1", relay.port)) for case, ask in CASES]
            keep("mlflow", relay, f"mlflow {mlflow.__version__}", asked)


if __name__ == "__main__":
    record()
