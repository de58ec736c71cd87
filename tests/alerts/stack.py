"""A real Prometheus that scrapes a page and judges it by rules, a real Alertmanager, and a webhook."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import yaml

from monitor.supervision.ports import free_port


@contextlib.contextmanager
def alerting(
    program: Callable[[str], str],
    directory: Path,
    address: str,
    rules: dict[str, Any],
    every: str = "1s",
) -> Generator[list[dict[str, Any]]]:
    """Scrape `address` so often, within that time; yields what the webhook has heard, which grows."""
    heard: list[dict[str, Any]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    hook = HTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, args=(0.05,), daemon=True).start()
    ports = free_port(), free_port()
    (directory / "rules.yml").write_text(yaml.safe_dump(rules))
    url = f"http://127.0.0.1:{hook.server_address[1]}/pages"
    manager = {
        "route": {"receiver": "hook", "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "hook", "webhook_configs": [{"url": url}]}],
    }
    (directory / "alertmanager.yml").write_text(yaml.safe_dump(manager))
    prometheus = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": "1s"},
        "rule_files": [str(directory / "rules.yml")],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports[1]}"]}]}]
        },
        "scrape_configs": [{"job_name": "monitor", "static_configs": [{"targets": [address]}]}],
    }
    (directory / "prometheus.yml").write_text(yaml.safe_dump(prometheus))
    commands = (
        [
            program("prometheus-alertmanager"), f"--config.file={directory}/alertmanager.yml",
            f"--web.listen-address=127.0.0.1:{ports[1]}", "--cluster.listen-address=",
            f"--storage.path={directory}/alertmanager",
        ],
        [
            program("prometheus"), f"--config.file={directory}/prometheus.yml",
            f"--web.listen-address=127.0.0.1:{ports[0]}", f"--storage.tsdb.path={directory}/tsdb",
            "--rules.alert.resend-delay=2s",
        ],
    )  # fmt: skip
    quiet = subprocess.DEVNULL
    processes = [subprocess.Popen(command, stdout=quiet, stderr=quiet) for command in commands]
    try:
        yield heard
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(30)
        hook.shutdown()
        hook.server_close()
