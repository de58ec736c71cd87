"""`monitor files`: dashboards, rules and manifests, as the package carries them → a directory.

Rules and dashboards link to each other, to the runbook and to the console. Where these are is known
to whoever deploys them: the addresses that the files carry are replaced by those that are given.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import monitor
from monitor.errors import UsageError

CARRIED = (
    "alerts/*.yml", "dashboards/*.json", "deploy/**/*", "constraints.txt",
    "CONFIGURATION.md", "METRICS.md", "RUNBOOK.md", "docs/*.md", "docs/domains/*.md",
    "docs/reference/*.md", "docs/works-with/*.md",
)  # fmt: skip
"""What is written out, below the root of the repository."""
INSIDE = "carried"
"""Where setup.py puts copies, in the package of a wheel."""

RUNBOOK = "https://monitor.example/monitor/blob/main/RUNBOOK.md"
GRAFANA = "http://localhost:3000"
CONSOLE = "http://localhost:9464/console/"
"""What links in rules and dashboards begin with, as they are carried."""
LINKING = (".yml", ".json")
"""Files of `alerts/` and `dashboards/` with links in them end so."""

_URL = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?@&+,;=%-]*", re.ASCII)
"""What stands in YAML, JSON and in an annotation's template as it is."""

DESCRIPTION = (
    "Write dashboards, alert rules and manifests to a directory: the Grafana dashboards, "
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
    for option, default, what in (
        ("--runbook", RUNBOOK, "the runbook; alerts link to their section of it"),
        ("--grafana", GRAFANA, "Grafana; alerts link to their dashboard there"),
        ("--console", CONSOLE, "the console on the admin port; dashboards link to it"),
    ):
        parser.add_argument(
            option, metavar="URL", default=default, help=f"where people find {what}: {default}"
        )


def run(options: argparse.Namespace) -> int:
    """Print the path of each file that was written; exit 1 where one was in the way."""
    directory = Path(options.directory)
    places = {
        RUNBOOK: _url(options.runbook, "--runbook"),
        GRAFANA: _url(options.grafana, "--grafana").rstrip("/"),
        CONSOLE: _url(options.console, "--console"),
    }
    source = root()
    kept = []
    for path in carried(source):
        target = directory / path.relative_to(source)
        try:
            if target.exists() and not options.force:
                if target.read_bytes() != linked(path, places):
                    kept.append(target)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(linked(path, places))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f"{target}: cannot be written: {reason}") from None
        print(target)
    if kept:
        names = ", ".join(map(str, kept))
        raise UsageError(f"{names}: left as it is, since it differs; --force overwrites")
    return 0


def linked(path: Path, places: Mapping[str, str]) -> bytes:
    """What is in a file, with other places in its links if it is a rule or a dashboard."""
    content = path.read_bytes()
    if path.parent.name in {"alerts", "dashboards"} and path.suffix in LINKING:
        for carried_as, place in places.items():
            content = content.replace(carried_as.encode(), place.encode())
    return content


def _url(text: str, option: str) -> str:
    if not _URL.fullmatch(text):
        raise UsageError(
            f"{option}: {text[:60]!r} is no URL of http or https without spaces, quotes and `#`, "
            "as https://wiki.example.org/RUNBOOK.md"
        )
    return text


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
