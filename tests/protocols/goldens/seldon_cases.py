"""What Seldon's own wrapper of a model answers its own client; README.md says how to run this.

Both want a Python that is older than ours, so they run in one of their own: `model` and `ask` below
are given to it as text.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

MODEL = '''
import numpy
from seldon_core.flask_utils import SeldonMicroserviceException


class Churn:
    """Churn by age; one that refuses an age below 0."""

    def predict(self, X, names, meta=None):
        if isinstance(X, (str, dict)):
            return X
        if numpy.asarray(X).dtype.kind == "f" and X[0][0] < 0:
            raise SeldonMicroserviceException("an age is below 0", 400, "BAD_AGE")
        return numpy.array([[0.25, 0.75], [0.5, 0.5]])

    def class_names(self):
        return ["stay", "leave"]

    def tags(self):
        return {"plan": "pro"}
'''
ASK = """
import json, sys
import numpy
from seldon_core.seldon_client import SeldonClient

address, given = json.loads(sys.argv[1])
client = SeldonClient(gateway="ambassador", transport="rest", gateway_endpoint=address,
                      deployment_name="churn", namespace=given.pop("namespace", "shop"))
if "rows" in given:
    given["data"] = numpy.array(given.pop("rows"))
print(str(client.predict(**given))[:200])
"""
PREFIX = "/seldon/shop/churn"
NAMES = ["age", "balance"]
ROWS = [[41.0, 2.5], [35.0, 0.5]]
CASES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("served-tensor", {"rows": ROWS, "names": NAMES, "payload_type": "tensor"}),
    ("served-ndarray", {"rows": ROWS, "names": NAMES, "payload_type": "ndarray"}),
    ("served-text", {"str_data": "Where is my order?"}),
    ("served-json", {"json_data": {"age": 41, "plan": "pro"}}),
    ("served-refused", {"rows": [[-1.0, 0.5], [35.0, 0.5]], "names": NAMES}),
)


def record(python: str) -> None:
    """Serve a model with an interpreter that has `seldon-core`, ask it, and write the files."""
    version = f"seldon-core {_version(python)}"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Churn.py").write_text(MODEL, encoding="utf-8")
        port = free_port()
        command = [
            str(Path(python).with_name("seldon-core-microservice")), "Churn", "--service-type",
            "MODEL", "--http-port", str(port), "--grpc-port", str(free_port()), "--metrics-port",
            str(free_port()), "--single-threaded", "1",
        ]  # fmt: skip
        ready = f"http://127.0.0.1:{port}/health/ping"
        with serving(command, Path(folder), ready, PYTHONPATH=folder):
            relay = Relay(port, PREFIX)

            def asked(given: dict[str, Any]) -> Callable[[], None]:
                told = json.dumps([f"127.0.0.1:{relay.port}", given])
                return lambda: subprocess.run([python, "-c", ASK, told], check=True) and None

            keep("seldon", relay, version, [(name, asked(given)) for name, given in CASES])


def _version(python: str) -> str:
    code = "import importlib.metadata as m; print(m.version('seldon-core'))"
    return subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    record(sys.argv[1])
