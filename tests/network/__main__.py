"""`make network-test`: the tests of truth.py in namespaces of their own, or one line that says why not.

All of it, the network and every process, ends with this program: the namespaces belong to nobody else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.network.wires import TUN

APART = "MONITOR_TEST_APART"
"""Set for what runs in the namespaces."""
PROBE = "mount -t tmpfs tmpfs /run && ip netns add probe && ip tuntap add dev probe mode tun"


def apart() -> list[str]:
    """The command before a command that shall have namespaces of its own; also without being root."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def missing() -> str | None:
    """One line that says what this machine lacks, if anything."""
    for program in ("ip", "unshare"):
        if shutil.which(program) is None:
            return f"there is no `{program}` (Debian: iproute2, util-linux)"
    if not os.access(TUN, os.R_OK | os.W_OK):
        return f"{TUN} is not there, or not for this user"
    tried = subprocess.run(
        [*apart(), "sh", "-c", PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    if tried.returncode:
        why = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"this user may not make a network of its own: {why}"
    return None


def main() -> int:
    """Run the tests; where the machine does not allow it say so, which is no failure."""
    if lack := missing():
        print(f"skipped: {lack}")
        return 0
    tests = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    inner = 'mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"'
    command = [*apart(), "sh", "-c", inner, "sh", *tests, str(Path(__file__).with_name("truth.py"))]
    return subprocess.run(
        [*command, *sys.argv[1:]], env={**os.environ, APART: "1"}, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
