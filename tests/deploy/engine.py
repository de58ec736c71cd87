"""A container engine that answers, and the image that `make image` has built.

`make image-test` runs this file: the tests of the image, or one line that says why not.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

IMAGE = "monitor:local"


@dataclass(frozen=True)
class Engine:
    """The path of podman or docker, and how to have it do something."""

    path: str

    @property
    def nameless(self) -> tuple[str, ...]:
        """Options with which a user by number has no name, as in Kubernetes; podman gives it one."""
        return ("--passwd=false",) if self.path.endswith("podman") else ()

    def run(
        self, *arguments: str, seconds: float = 120, may_fail: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Return what came of a command; fails with what the engine says where it must not."""
        done = subprocess.run(
            [self.path, *arguments], capture_output=True, text=True, timeout=seconds, check=False
        )
        assert may_fail or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done


def find() -> Engine | str:
    """The engine, or one line that says what is missing."""
    for name in ("podman", "docker"):
        if (path := shutil.which(name)) is None:
            continue
        engine = Engine(path)
        if engine.run("info", may_fail=True).returncode:
            continue
        if engine.run("image", "inspect", IMAGE, may_fail=True).returncode:
            return f"{name} has no image {IMAGE}; `make image` builds it"
        return engine
    return "no container engine answers (tried podman and docker), so the image is not tried"


def main() -> int:
    """Run the tests; without an engine or an image say so, which is no failure."""
    engine = find()
    if isinstance(engine, str):
        print(f"skipped: {engine}")
        return 0
    tests = Path(__file__).with_name("image.py")
    return subprocess.run([sys.executable, "-m", "pytest", str(tests)], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
