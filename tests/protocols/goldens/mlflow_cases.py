"""What MLflow's own scoring server answers its own client, and a plain one; README.md says how to run this.

A relay between the two keeps the bytes. Dates and ports are left out of them.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.protocols.goldens.scripted import PAUSE, _request, write

COLUMNS = {"age": [41, 35], "plan": ["pro", "free"]}
_HOST = re.compile(rb"(?im)^(host): ?.*\r$")
_DATE = re.compile(rb"(?im)^date: ?.*\r\n")
_WAIT = 120


def churn() -> Any:
    """A model of two columns, as MLflow takes one."""
    import mlflow
    import pandas

    class Churn(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            ages, plans = model_input["age"], model_input["plan"]
            return pandas.DataFrame({"churn": ages / 100, "label": plans})

    return Churn()


class Relay:
    """Passes one request after another on to a port, and keeps the last exchange's bytes."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._to = port
        self.port: int = self._socket.getsockname()[1]
        self.request = self.response = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                request = _request(connection)
                if request is None:
                    continue
                with socket.create_connection(("127.0.0.1", self._to)) as server:
                    server.sendall(request)
                    answer = http.client.HTTPResponse(server)
                    answer.begin()
                    body = answer.read()
                fields = "".join(f"{name}: {value}\r\n" for name, value in answer.getheaders())
                head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n{fields}\r\n".encode()
                self.request, self.response = request, head + body
                connection.sendall(head + body)


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

    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        free.close()
        model = str(Path(folder) / "model")
        mlflow.pyfunc.save_model(model, python_model=churn())
        serve = [
            "models",
            "serve",
            "-m",
            model,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "--env-manager",
            "local",
        ]
        beside = (
            f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # uvicorn is there
        )
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *serve],
            env=os.environ | {"PATH": beside},
            start_new_session=True,
        )
        try:
            _until_ready(port)
            relay = Relay(port)
            for case, ask in CASES:
                ask("127.0.0.1", relay.port)
                request = _HOST.sub(rb"\1: model.example\r", relay.request)
                head, blank, body = _DATE.sub(b"", relay.response).partition(b"\r\n\r\n")
                about = {
                    "client": f"mlflow {mlflow.__version__}",
                    "texts": [],
                    "chunks": [[PAUSE, len(body)]],
                }
                write("mlflow", case, request, head + blank + body, about)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(_WAIT)


def _until_ready(port: int) -> None:
    import requests

    end = time.monotonic() + _WAIT
    while time.monotonic() < end:
        try:
            requests.get(f"http://127.0.0.1:{port}/ping", timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.5)
        else:
            return
    raise TimeoutError("MLflow's server does not answer")


if __name__ == "__main__":
    record()
