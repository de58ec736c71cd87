"""docs/tutorial.md, done as it says."""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from monitor.supervision.ports import free_port

ROOT = Path(__file__).parent.parent
PORTS = ("9000", "8080", "9464")
CHANGING = re.compile(
    r"(?<=fingerprint )\w+|(?<=k1:)[a-z]+|[0-9a-f]{8}-[0-9a-f-]{27}|\d[\d.,:TZ-]*"
)
"""What differs from run to run: fingerprints, tokens, ids, numbers and times."""


class Walk:
    """Somebody who does what the tutorial says, in a directory and on ports of their own."""

    def __init__(self, directory: Path, ports: dict[str, str]) -> None:
        self._directory = directory
        self._ports = ports
        self._sent = 0
        self._background: list[subprocess.Popen[bytes]] = []
        shim = directory / "bin" / "monitor"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m monitor "$@"\n')
        shim.chmod(0o755)
        kept = {name: said for name, said in os.environ.items() if not name.startswith("MONITOR_")}
        where = f"{shim.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PATH": where,
            "COLUMNS": "120",
            "MONITOR_LISTEN": f"127.0.0.1:{ports['8080']}",
            "MONITOR_ADMIN": f"127.0.0.1:{ports['9464']}",
        }

    def save(self, name: str, text: str) -> None:
        (self._directory / name).write_text(self._here(text))

    def type(self, command: str, expected: str) -> None:
        """Give a command; where it shows something else, look again for a while."""
        if command.endswith("&"):
            self._background.append(self._start(command.removesuffix("&")))
        elif command.startswith("kill %"):
            self._kill(self._background[int(command.removeprefix("kill %")) - 1])
        else:
            until = time.monotonic() + 60
            while not self._shows(shown := self._finish(command), expected):
                in_time = time.monotonic() < until
                assert in_time, f"$ {command}\n{shown}\ninstead of\n{expected}"
                time.sleep(0.2)
            if sent := re.match(r"python3 client.py (\d+)", command):
                self._wait_for_records(int(sent[1]))

    def stop(self) -> None:
        for each in self._background:
            self._kill(each)

    def _wait_for_records(self, more: int) -> None:
        """Let so many exchanges be recorded: a scrape waits two seconds for the names of what has
        just come, which a busy machine exceeds, and then tells some as `unknown` for good."""
        self._sent += more
        until = time.monotonic() + 60
        (store,) = self._directory.rglob("store/url")
        with redis.Redis.from_url(store.read_text().strip()) as client:
            while client.xlen("monitor:{default:0}:records") < self._sent:
                assert time.monotonic() < until, f"{self._sent} exchanges are not recorded"
                time.sleep(0.1)

    def _here(self, text: str) -> str:
        for documented, free in self._ports.items():
            text = re.sub(rf"(127\.0\.0\.1(?::|\", )){documented}\b", rf"\g<1>{free}", text)
        return text

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self._here(command)}"],
            cwd=self._directory, env=self._environment,
        )  # fmt: skip

    def _finish(self, command: str) -> str:
        done = subprocess.run(
            ["/bin/sh", "-c", self._here(command)],
            cwd=self._directory, env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stdout

    def _shows(self, shown: str, expected: str) -> bool:
        want, got = (CHANGING.sub("N", text) for text in (self._here(expected), shown))
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        return doctest.OutputChecker().check_output(want, got, options)

    def _kill(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        process.wait(60)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    taken: set[str] = set()
    while len(taken) < len(PORTS):
        taken.add(str(free_port()))
    someone = Walk(tmp_path, dict(zip(PORTS, taken, strict=True)))
    yield someone
    someone.stop()


def test_the_tutorial_shows_what_happens(walk: Walk) -> None:
    """Its files saved and its commands given in order show what the page says, up to numbers,
    times and ids; the configuration in it is accepted."""
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    names = iter(re.findall(r"Save this as `([\w.]+)`", text))
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        if language != "console":
            walk.save(next(names), block)
            continue
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = step.partition("\n")
            walk.type(command, expected)
