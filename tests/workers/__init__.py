"""Workers of pytest-xdist as forks of one process that has collected the tests, because each would
spend some CPU seconds on what the others do too.

pytest-xdist starts each worker by the command that its specification names as `python`. Here that
hands its pipes to the process that has collected, and lives as long as the fork that answers on
them: what a worker is asked and says, and what is done when one crashes, stays pytest-xdist's own.
"""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def fork(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Let one process collect, and each of these workers be a fork of it whenever it is started."""
    # Nobody else may ask: a fork does what it is told.
    address = f"{tempfile.mkdtemp(prefix='pytest-')}/asked"
    with socket.socket(socket.AF_UNIX) as asked:
        asked.bind(address)
        asked.listen()
        collecting = subprocess.Popen(
            [sys.executable, HERE / "collect.py", str(asked.fileno())],
            pass_fds=[asked.fileno()], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    assert collecting.stdin is not None
    given = [[str(one) for one in config.invocation_params.args], sys.path]
    collecting.stdin.write(json.dumps(given).encode() + b"\n")
    collecting.stdin.flush()
    config.add_cleanup(collecting.wait)
    config.add_cleanup(collecting.stdin.close)  # first; it takes it for the end
    for spec in specs:
        spec.python = shlex.join([sys.executable, "-ISu", str(HERE / "begin.py"), address])


def scheduler(config: pytest.Config, log: Any) -> Any:
    """What shares out the tests where this is done by file; otherwise None, pytest-xdist's own."""
    if config.getvalue("dist") != "loadfile":
        return None
    from .schedule import ByFile  # pytest begins without pytest-xdist, too

    return ByFile(config, log)
