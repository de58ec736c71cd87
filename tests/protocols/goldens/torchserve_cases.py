"""What TorchServe itself answers; README.md says how to run this. It has no client of its own."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.protocols.goldens.relay import Relay, free_port, keep, serving

HANDLER = '''
import json

initialized = False


def handle(data, context):
    """A row's churn, or what kind a body is; words in pieces, and a failure."""
    if data is None:
        return None
    found = []
    for one in data:
        body = one.get("body", one.get("data"))
        if isinstance(body, dict) and body.get("age", 0) < 0:
            raise ValueError("an age is below 0")
        if isinstance(body, dict) and "prompt" in body:
            from ts.handler_utils.utils import send_intermediate_predict_response
            send_intermediate_predict_response(["On the"], context.request_ids, "ok", 200, context)
            found.append(" Danube.")
        elif isinstance(body, (bytes, bytearray)):
            found.append({"tabby": 0.75, "tiger_cat": 0.25})
        else:
            rows = body if isinstance(body, list) else [body]
            found.append([row["age"] / 100 for row in rows])
    return found
'''
FORM = b'--b\r\nContent-Disposition: form-data; name="data"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\x00\x01\x02\x03\r\n--b--\r\n'  # fmt: skip
JSON = "application/json"
ROWS = [{"age": 41}, {"age": 35}]


def posted(url: str, body: bytes, kind: str) -> Callable[[], None]:
    """A plain client that posts a body, and takes an error for an answer."""

    def ask() -> None:
        asking = urllib.request.Request(url, body, {"content-type": kind})
        try:
            urllib.request.urlopen(asking, timeout=60).close()
        except urllib.error.HTTPError as error:
            print(f"the server says: {error}")

    return ask


def record() -> None:
    """Serve a model, ask it, and write the files."""
    bin_ = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        (here / "handler.py").write_text(HANDLER, encoding="utf-8")
        archive = [
            str(bin_ / "torch-model-archiver"), "--model-name", "churn", "--version", "1.0",
            "--handler", "handler.py", "--export-path", folder,
        ]  # fmt: skip
        subprocess.run(archive, cwd=folder, check=True)
        port = free_port()
        addresses = {
            "inference_address": port, "management_address": free_port(),
            "metrics_address": free_port(),
        }  # fmt: skip
        lines = [f"{name}=http://127.0.0.1:{at}" for name, at in addresses.items()]
        lines += [
            f"{name}={free_port()}" for name in ("grpc_inference_port", "grpc_management_port")
        ]
        lines += ["default_workers_per_model=1", "disable_token_authorization=true"]
        (here / "config.properties").write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            str(bin_ / "torchserve"), "--start", "--foreground", "--ncs", "--model-store", folder,
            "--models", "churn.mar", "--ts-config", str(here / "config.properties"),
            "--disable-token-auth",
        ]  # fmt: skip
        beside = f"{bin_}:/usr/local/bin:/usr/bin:/bin"
        with serving(command, here, f"http://127.0.0.1:{port}/models/churn", PATH=beside):
            relay = Relay(port)
            url = f"http://127.0.0.1:{relay.port}/predictions/churn"
            cases = [
                ("served-picture", posted(f"{url}/1.0", FORM, "multipart/form-data; boundary=b")),
                ("served-rows", posted(url, json.dumps(ROWS).encode(), JSON)),
                ("served-text-stream", posted(url, b'{"prompt": "Where is Ulm?"}', JSON)),
                ("served-failed", posted(url, b'{"age": -1}', JSON)),
                ("served-unknown-model", posted(url.replace("churn", "loan"), b"{}", JSON)),
            ]
            client = f"urllib, torchserve {importlib.metadata.version('torchserve')}"
            keep("torchserve", relay, client, cases)


if __name__ == "__main__":
    record()
