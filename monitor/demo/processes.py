"""The processes of a demo: what stands in for an endpoint, and a `monitor run` in front of it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from monitor import stopping
from monitor.errors import UsageError
from monitor.logs import plain
from monitor.supervision.ports import free_port


def command() -> str:
    """How to call us where `monitor` alone does not."""
    if shutil.which("monitor"):
        return "monitor"
    return sys.argv[0] if Path(sys.argv[0]).name == "monitor" else f"{sys.executable} -m monitor"


@contextlib.contextmanager
def signals() -> Generator[None]:
    """SIGTERM and the end of the terminal end the demo as Ctrl-C does, with all it has started;
    Ctrl-C also where a shell has us ignore it, in the background."""

    def end(number: int, _: object) -> None:
        if number == signal.SIGTERM:
            stopping.terminate()
        raise KeyboardInterrupt

    ours = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in ours]
    try:
        yield
    finally:
        for number, handler in zip(ours, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def endpoint(module: str, *options: str) -> Generator[str]:
    """The URL of `python -m module HOST:PORT …`, which answers on /v2/health/ready once it is."""
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [sys.executable, "-m", module, address, *options], start_new_session=True
    )  # Ctrl-C is for us alone
    try:
        _wait_for(f"http://{address}/v2/health/ready", process)
        yield f"http://{address}"
    finally:
        _end(process)


@contextlib.contextmanager
def sidecar(
    data: Path, upstream: str, settings: Mapping[str, Any]
) -> Generator[tuple[dict[str, Any], Callable[[], None]]]:
    """A `monitor run` that keeps its `data` there: what its run.json says, and how to drain it."""
    config = data / "demo.yaml"
    config.write_text(yaml.safe_dump(dict(settings)))
    words = [sys.executable, "-m", "monitor", "run", "--config", str(config), "--data", str(data)]
    words += ["--upstream", upstream]
    process = _started(words, data)
    try:
        yield json.loads((data / "run.json").read_text()), lambda: _end(process)
    finally:
        _end(process)


def _started(words: Sequence[str], data: Path) -> subprocess.Popen[bytes]:
    """A `monitor run` that is ready. It gets other ports where somebody, as a demo beside this one,
    has taken its own before it could bind them. Raises UsageError with the last line of its log."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    log = data / "monitor.log"
    tries = 3
    while True:
        ports = free_port(8080), free_port(9464)
        listen, admin = (f"127.0.0.1:{port}" for port in ports)
        with log.open("w") as lines:
            process = subprocess.Popen(
                [*words, "--listen", listen, "--admin", admin],
                stderr=lines, env=environment, start_new_session=True,
            )  # fmt: skip
        try:
            # Whoever has taken the port may answer on it: only run.json says that we listen.
            _wait_for(f"http://{admin}/readyz", process, data / "run.json")
        except UsageError as error:
            has_ended = process.poll() is not None
            _end(process)
            tries -= 1
            if not (tries and has_ended and any(free_port(port) != port for port in ports)):
                raise UsageError(f"{error}{_last_line(log)}") from None
        except BaseException:
            _end(process)
            raise
        else:
            return process


def _last_line(log: Path) -> str:
    """The end of a log as the end of a sentence; nothing where it is empty."""
    lines = log.read_text(errors="replace").split("\n")
    said = [plain(line).strip() for line in lines if line.strip()]
    return f": {said[-1][:300]}" if said else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(40)
    if process.poll() is None:
        process.kill()
        process.wait()


def _wait_for(
    url: str, process: subprocess.Popen[bytes], file: Path | None = None, patience: float = 120
) -> None:
    """Wait until `url` answers and there is the `file`, if any. Raises UsageError."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise UsageError(f"a process of the demo ended early (exit code {process.returncode})")
        if file is None or file.exists():
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  ours
                return
        time.sleep(0.1)
    raise UsageError(f"{url} did not answer within {patience:g} s")
