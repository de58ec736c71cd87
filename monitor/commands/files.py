"""`monitor files`: dashboards, rules and manifests, as the package carries them → a directory."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

import monitor
from monitor.errors import UsageError

CARRIED = (
    "alerts/*.yml", "dashboards/*.json", "deploy/**/*", "constraints.txt",
    "CONFIGURATION.md", "METRICS.md", "RUNBOOK.md", "docs/*.md", "docs/reference/*.md",
)  # fmt: skip
"""What is written out, below the root of the repository."""
INSIDE = "carried"
"""Where setup.py puts copies, in the package of a wheel."""

DESCRIPTION = (
    "Write dashboards, alert rules and manifests to a directory: the Grafana dashboard, "
    "Prometheus rules, the Alertmanager configuration, Dockerfile, compose file, Kubernetes "
    "manifests, and the documents that they point to. A file that is there and differs is left as "
    "it is, and named."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `monitor files`."""
    parser.description = DESCRIPTION
    parser.add_argument(
        "directory",
        metavar="DIRECTORY",
        help="write to this directory; it is made if it is not there",
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that differ; by default they are left"
    )


def run(options: argparse.Namespace) -> int:
    """Print the path of each file that was written; exit 1 where one was in the way."""
    directory = Path(options.directory)
    source = root()
    kept = []
    for path in carried(source):
        target = directory / path.relative_to(source)
        try:
            if target.exists() and not options.force:
                if target.read_bytes() != path.read_bytes():
                    kept.append(target)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{target}: cannot be written: {reason}") from None
        print(target)
    if kept:
        names = ", ".join(map(str, kept))
        raise UsageError(f"{names}: left as it is, since it differs; --force overwrites")
    return 0


def root() -> Path:
    """Where the files are: within an installed package, else in the repository around it."""
    package = Path(monitor.__file__).parent
    inside = package / INSIDE
    return inside if inside.is_dir() else package.parent


def carried(source: Path) -> Iterator[Path]:
    """Yield the files below `source`, in order; raises UsageError where there are none."""
    found = sorted({one for glob in CARRIED for one in source.glob(glob) if one.is_file()})
    if not found:
        raise UsageError(f"{source}: holds none of the files; install the wheel anew")
    yield from found
